//! The story of counts: shelves are counted by several colleagues while selling goes on, and only what is really wrong is posted.

use std::thread;

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::count::{Origin, State, Tolerance};
use domain::stock::State as Stock;
use domain::value::id::{self, Location, Variant};
use domain::value::{Currency, Id, Instant, Money, Quantity};
use engine::Failure;
use engine::count::rule::{self, Rule};
use engine::count::tally::{self, Piece};
use engine::count::{self, NewCount, Scope, Whole, review};
use engine::fulfilment::counted;
use engine::stock::{self, Adjust, AdjustReason, LevelSetting, Move};
use sim::{Retailer, TestShop, on_every_engine};

/// A retailer with mugs on the shelf of one store.
struct Ground<'a> {
    shop: &'a TestShop,
    retailer: Retailer,
    leeds: Id<Location>,
    mug: Id<Variant>,
}

impl<'a> Ground<'a> {
    fn open(shop: &'a TestShop, mugs: i64) -> Ground<'a> {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, mugs);
        shop.pass(60);
        Ground { shop, leeds: retailer.locations[0], retailer, mug }
    }

    fn request(&self, scope: Scope) -> Result<Whole, Failure> {
        let new = NewCount { location: self.leeds, scope, blind: true, note: None };
        self.shop.run(move |tx, actor, world| count::request(tx, actor, world, new.clone()))
    }

    fn of_mugs(&self) -> Id<id::Count> {
        self.request(Scope::Variants(vec![self.mug])).expect("a count").count.id
    }

    fn tally(&self, who: &Actor, id: Id<id::Count>, pieces: i64, place: &str) -> Result<Whole, Failure> {
        let piece = Piece { variant: self.mug, pieces, place: place.into(), at: None };
        self.shop.run_as(who, move |tx, actor, world| {
            tally::add(tx, actor, world, id, std::slice::from_ref(&piece))
        })
    }

    fn finish(&self, id: Id<id::Count>) -> Result<Whole, Failure> {
        self.shop.run(move |tx, actor, world| tally::finish(tx, actor, world, id, false))
    }

    fn post(&self, id: Id<id::Count>) -> Result<Whole, Failure> {
        self.shop.run(move |tx, actor, world| counted::post(tx, actor, world, id))
    }

    /// Mugs that a till sells, or that are lost to the books by hand.
    fn less(&self, pieces: i64) {
        let (mug, location) = (self.mug, self.leeds);
        let lost = move |tx: &mut store::Tx<'_>, actor: &Actor, world: &mut engine::World| {
            let reason = AdjustReason::OwnUse;
            let input = Adjust { variant: mug, location, change: -pieces, reason, reference: None };
            stock::adjust(tx, actor, world, input)
        };
        self.shop.run(lost).expect("enough mugs");
    }

    fn miss(&self, pieces: i64) {
        let input = Move {
            variant: self.mug,
            location: self.leeds,
            from: Stock::Available,
            to: Stock::Missing,
            quantity: Quantity::new(pieces).expect("a quantity"),
        };
        self.shop
            .run(move |tx, actor, world| stock::move_state(tx, actor, world, input.clone()))
            .expect("moved");
    }

    fn counts(&self) -> [i64; 2] {
        [Stock::Available, Stock::Missing].map(|state| self.retailer.count(self.shop, self.mug, 0, state))
    }

    fn rule(&self, tolerance: Tolerance, each_day: i64) {
        let rule = Rule {
            location: self.leeds,
            tolerance,
            other_colleague: true,
            each_day,
            next_at: Instant::EPOCH,
        };
        self.shop.run(move |tx, actor, world| rule::set(tx, actor, world, rule)).expect("a rule");
    }
}

/// A colleague of the store who counts, and does nothing else.
fn colleague(number: u8, location: Id<Location>) -> Actor {
    let grant = Grant { location: Some(location), permissions: Permissions::of(&[Permission::CountStock]) };
    Actor { who: Who::Staff(Id::from_bytes([number; 16])), channel: None, grants: vec![grant] }
}

fn code_of(outcome: Result<impl Sized, Failure>) -> Option<Code> {
    outcome.err().and_then(|failure| failure.code())
}

#[test]
fn what_is_sold_after_the_count_is_not_lost_twice() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, 10);
        let (ada, bob) = (colleague(1, ground.leeds), colleague(2, ground.leeds));
        let id = ground.of_mugs();
        assert_eq!(code_of(ground.finish(id)), Some(Code::WrongState), "nothing was counted");
        ground.tally(&ada, id, 5, "shelf").unwrap();
        ground.tally(&bob, id, 4, "back room").unwrap();
        assert_eq!(code_of(ground.tally(&bob, id, -5, "back room")), Some(Code::WrongState));
        let seen = ground.tally(&bob, id, -1, "back room").unwrap();
        assert!(!seen.sees_books, "who counts does not see what the books have");
        shop.pass(60);
        ground.less(3);
        let counted = ground.finish(id).unwrap();
        let finding = counted.lines[0].line.counted.unwrap();
        assert_eq!((counted.count.state, finding.difference), (State::InReview, -2));
        assert_eq!(code_of(ground.tally(&ada, id, 1, "shelf")), Some(Code::WrongState));
        shop.pass(60);
        ground.less(4);
        assert_eq!(ground.counts(), [3, 0]);
        let posted = ground.post(id).unwrap();
        assert_eq!((posted.count.state, ground.counts()), (State::Posted, [1, 0]));
        assert_eq!(code_of(ground.post(id)), Some(Code::WrongState), "posted once");
        let again = ground.of_mugs();
        assert_ne!(again, id, "the shelf may be counted again");
    });
}

#[test]
fn what_moves_while_it_is_counted_is_no_difference() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, 10);
        let id = ground.of_mugs();
        ground.tally(&Actor::system(), id, 6, "shelf").unwrap();
        shop.pass(60);
        ground.less(2);
        shop.pass(60);
        ground.tally(&Actor::system(), id, 3, "back room").unwrap();
        let counted = ground.finish(id).unwrap().lines[0].line.counted.unwrap();
        assert_eq!((counted.finding.booked_least, counted.finding.booked_most), (8, 10));
        assert_eq!(counted.difference, 0, "nine were there, somewhere between ten and eight");
        ground.post(id).unwrap();
        assert_eq!(ground.counts(), [8, 0]);
    });
}

#[test]
fn what_was_missing_is_back_or_lost_and_orders_get_the_variant_again() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, 10);
        ground.miss(3);
        let (mug, leeds) = (ground.mug, ground.leeds);
        let ask = || {
            let cause = ("order", "ord_x".to_owned());
            shop.run(move |tx, actor, world| {
                let until = world.now().plus_seconds(3600);
                store::stock::exclude(tx, (mug, leeds), until)?;
                count::ask_for(tx, actor, world, leeds, mug, cause.clone())
            })
        };
        let id = ask().unwrap();
        assert_eq!(ask().unwrap(), id, "one task, however often somebody misses it");
        let named = ground.request(Scope::Variants(vec![mug]));
        assert_eq!(code_of(named), Some(Code::AlreadyExists));
        assert_eq!(code_of(ground.request(Scope::Exceptions)), Some(Code::NotFound), "it is counted already");
        shop.pass(60);
        ground.tally(&Actor::system(), id, 8, "").unwrap();
        let counted = ground.finish(id).unwrap();
        assert_eq!((counted.count.origin, counted.lines[0].line.missing), (Origin::Miss, 3));
        assert_eq!(ask().unwrap(), id, "doubted again after it was counted");
        let again = shop.read(move |tx| count::read(tx, &Actor::system(), id)).unwrap();
        assert_eq!((again.count.state, again.lines[0].line.round), (State::Recount, 2));
        shop.pass(60);
        ground.tally(&Actor::system(), id, 8, "").unwrap();
        ground.finish(id).unwrap();
        ground.post(id).unwrap();
        assert_eq!(ground.counts(), [8, 0], "one is back, two are lost");
        let level = shop.read(move |tx| Ok::<_, Failure>(store::stock::level(tx, mug, leeds)?)).unwrap();
        assert_eq!(level.excluded_until, None);
    });
}

#[test]
fn large_differences_are_counted_again_by_somebody_else() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, 10);
        let pounds = |minor| Money::new(minor, Currency::parse("GBP").expect("a currency")).expect("money");
        ground.rule(Tolerance { value: Some(pounds(500)), ..Tolerance::default() }, 0);
        let mug = ground.mug;
        shop.run(move |tx, actor, world| stock::set_value(tx, actor, world, mug, pounds(300))).unwrap();
        let (ada, bob) = (colleague(1, ground.leeds), colleague(2, ground.leeds));
        let id = ground.of_mugs();
        ground.tally(&ada, id, 8, "").unwrap();
        let counted = ground.finish(id).unwrap();
        assert_eq!(counted.count.state, State::Recount, "six pounds are more than five");
        assert_eq!(
            code_of(ground.tally(&ada, id, 8, "")),
            Some(Code::WrongState),
            "not by the same colleague"
        );
        ground.tally(&bob, id, 9, "").unwrap();
        assert_eq!(ground.finish(id).unwrap().count.state, State::InReview);
        let again = shop.run(move |tx, actor, world| review::recount(tx, actor, world, id, &[])).unwrap();
        assert_eq!((again.count.state, again.lines[0].line.round), (State::Recount, 3));
        let carl = colleague(3, ground.leeds);
        ground.tally(&carl, id, 9, "").unwrap();
        ground.finish(id).unwrap();
        let refused = shop.run_as(&carl, move |tx, actor, world| counted::post(tx, actor, world, id));
        assert_eq!(code_of(refused), Some(Code::Forbidden), "who counts does not post");
        ground.post(id).unwrap();
        let (from, until) = (Instant::EPOCH, Instant::from_micros(shop.shop.source.now().micros() + 1));
        let leeds = ground.leeds;
        let period = move |from, until| {
            shop.read(move |tx| review::accuracy(tx, &Actor::system(), leeds, (from, until)))
        };
        assert_eq!(code_of(period(from, until)), Some(Code::Invalid), "too long");
        let found = period(until.plus_seconds(-86_400), until).unwrap();
        assert_eq!((found.len(), found[0].lines, found[0].right), (1, 1, 0));
        assert_eq!((found[0].under, found[0].under_minor, found[0].over), (1, 300, 0));
    });
}

#[test]
fn shelves_categories_and_turns_say_what_is_counted() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, 10);
        let cup = ground.retailer.sell(shop, "CUP", 500);
        let jug = ground.retailer.sell(shop, "JUG", 900);
        ground.retailer.stock(shop, cup, 0, 1);
        ground.retailer.stock(shop, jug, 0, 3);
        let level = LevelSetting { shelf: Some("A1".into()), ..LevelSetting::unset(cup, ground.leeds) };
        shop.run(move |tx, actor, world| stock::set_level(tx, actor, world, level.clone())).unwrap();
        let shelf = ground.request(Scope::Shelf("A1".into())).unwrap();
        assert_eq!((shelf.lines.len(), shelf.lines[0].line.variant), (1, cup));
        assert_eq!(code_of(ground.request(Scope::Shelf("B1".into()))), Some(Code::NotFound));
        let id = shelf.count.id;
        let jugs = Piece { variant: jug, pieces: 2, place: String::new(), at: None };
        let found =
            shop.run(move |tx, actor, world| tally::add(tx, actor, world, id, std::slice::from_ref(&jugs)));
        assert_eq!(found.unwrap().lines.len(), 2, "what lies there unasked is counted too");
        shop.run(move |tx, actor, world| tally::finish(tx, actor, world, id, true)).unwrap();
        shop.run(move |tx, actor, world| review::cancel(tx, actor, world, id)).unwrap();
        assert_eq!(ground.retailer.count(shop, cup, 0, Stock::Available), 1, "it was let be");

        ground.rule(Tolerance::default(), 2);
        for _ in 0..2 {
            shop.run(while_more).unwrap();
        }
        let leeds = ground.leeds;
        let open = shop.read(move |tx| {
            let last = Id::from_bytes([255; 16]);
            count::list(tx, &Actor::system(), (leeds, true), last, 10)
        });
        let open = open.unwrap();
        assert_eq!((open.len(), open[0].origin), (1, Origin::Cycle), "once a day");
        let id = open[0].id;
        let turn = shop.read(move |tx| count::read(tx, &Actor::system(), id)).unwrap();
        let mut turn: Vec<_> = turn.lines.iter().map(|seen| seen.line.variant).collect();
        turn.sort();
        let mut expected = vec![ground.mug, jug];
        expected.sort();
        assert_eq!(turn, expected, "ten mugs and three jugs before one cup");
    });
}

fn while_more(tx: &mut store::Tx<'_>, actor: &Actor, world: &mut engine::World) -> Result<(), Failure> {
    while rule::propose(tx, actor, world)? {}
    Ok(())
}

#[test]
fn colleagues_count_at_once_while_a_till_sells() {
    on_every_engine(|shop| {
        const EACH: i64 = 10;
        let ground = Ground::open(shop, 4 * EACH + 20);
        let id = ground.of_mugs();
        thread::scope(|scope| {
            for number in 1..=4 {
                let (ground, who) = (&ground, colleague(number, ground.leeds));
                scope.spawn(move || {
                    for _ in 0..EACH {
                        ground.tally(&who, id, 1, "shelf").expect("counted");
                    }
                });
            }
            let ground = &ground;
            scope.spawn(move || (0..20).for_each(|_| ground.less(1)));
        });
        let counted = ground.finish(id).unwrap();
        let finding = counted.lines[0].line.counted.unwrap().finding;
        assert_eq!(finding.counted, 4 * EACH, "no scan is lost");
        thread::scope(|scope| {
            let posters: Vec<_> = (0..3).map(|_| scope.spawn(|| ground.post(id).is_ok())).collect();
            let posted = posters.into_iter().map(|one| one.join().unwrap());
            assert_eq!(posted.filter(|done| *done).count(), 1, "posted once");
        });
        assert_eq!(
            ground.counts()[0],
            4 * EACH + 20 - 20 + counted.lines[0].line.counted.unwrap().difference
        );
    });
}
