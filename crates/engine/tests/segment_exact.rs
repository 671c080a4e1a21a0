//! A long time of a shop, drawn by chance under a simulated clock, to the very instants at which windows end. Every few steps everybody's segments,
//! and the kept lists of members, must be what a plain reading of the raw facts says.

use std::collections::{BTreeMap, BTreeSet};

use crate::agreed::lay;
use crate::club::terms;
use crate::counter::{self, DAY, buy_for, cash, work};
use crate::segment::{did, made, web};
use crate::segment_plain::{Raw, in_club};
use domain::consent::{Cell, Medium, Source as Heard, Status};
use domain::contact::{Card, Draft};
use domain::identity::{Identifier, Kind};
use domain::merging::Cause;
use domain::returns::{Condition, Means};
use domain::segment::Subject;
use domain::stock::State;
use domain::value::id::{self, Customer, Merge, Segment as SegmentId, Variant};
use domain::value::{Coordinates, Id, Instant, Language, Reference};
use engine::behaviour::Source;
use engine::checkout::Whole;
use engine::consent::{self, Evidence, Said};
use engine::customer::{self, NewCustomer};
use engine::detail::preference;
use engine::location::{self, LocationChange};
use engine::loyalty::member as takes_part;
use engine::loyalty::{points, programme};
use engine::market::Channel;
use engine::merging::{self, Wish};
use engine::segment::{self, Change, Named, document, list, member, traits};
use engine::{erasure, identity};
use serde_json::{Value, json};
use sim::{Retailer, TestShop, chance::Chance};

/// How many browsers there are, and how many customers at once.
const BROWSERS: u64 = 8;
const CUSTOMERS: u64 = 6;

struct Run<'s> {
    shop: &'s TestShop,
    chance: Chance,
    retailer: Retailer,
    scarf: Id<Variant>,
    till: Channel,
    source: Source,
    list: Id<id::CustomerList>,
    club: Id<id::LoyaltyProgramme>,
    customers: Vec<Id<Customer>>,
    ever: BTreeSet<Id<Customer>>,
    orders: Vec<Whole>,
    merges: Vec<Id<Merge>>,
    ends: BTreeSet<i64>,
    told: u64,
    segments: BTreeMap<&'static str, Id<SegmentId>>,
}

impl<'s> Run<'s> {
    fn open(shop: &'s TestShop, seed: u64) -> Run<'s> {
        let retailer = Retailer::open(shop, &["leeds"]);
        let scarf = retailer.sell(shop, "SCARF", 5_000);
        retailer.stock(shop, scarf, 0, 40);
        let till = retailer.till(shop, 0);
        let here = Reference::Id(retailer.locations[0]);
        let change = LocationChange {
            coordinates: Some(Some(Coordinates::parse("53.8", "-1.55").expect("a point"))),
            ..LocationChange::default()
        };
        let moved = shop.run(move |tx, actor, world| {
            let version = location::find(tx, actor, &here)?.version;
            location::update(tx, actor, world, (&here, Some(version)), change.clone())
        });
        moved.expect("a location on the map");
        let list = shop
            .run(|tx, actor, world| list::create(tx, actor, world, ("press", "Press")))
            .expect("a list")
            .id;
        let club = shop.run(|tx, actor, world| {
            let (made, draft) = programme::create(tx, actor, world, ("club".into(), "Club".into()), terms())?;
            programme::activate(tx, actor, world, (made.id, draft.number), None)?;
            Ok(made.id)
        });
        let definition = json!({ "name": "Product Viewed", "within_days": 20, "aggregate": "most_frequent", "property": "price" });
        let definition = document::trait_of(&definition, "trait").expect("a trait");
        shop.run(move |tx, actor, world| {
            traits::set(tx, actor, world, ("often", "Often", definition.clone()), None)
        })
        .expect("a trait");
        let mut run = Run {
            source: web(shop),
            shop,
            chance: Chance::new(seed),
            retailer,
            scarf,
            till,
            list,
            club: club.expect("a programme"),
            customers: Vec::new(),
            ever: BTreeSet::new(),
            orders: Vec::new(),
            merges: Vec::new(),
            ends: BTreeSet::new(),
            told: 0,
            segments: BTreeMap::new(),
        };
        run.welcome(lay(shop));
        (1..CUSTOMERS).for_each(|_| run.sign_up());
        run.write_segments();
        run
    }

    fn write_segments(&mut self) {
        let viewed = json!({ "event": { "name": "Product Viewed", "where": [{ "property": "price", "at_least": 3 }],
            "within_days": 30, "at_least": 2 } });
        let sequence = |followed: bool| {
            json!({ "sequence": { "first": { "name": "Product Viewed" }, "then": { "name": "Cart Viewed" },
                "within_minutes": 1440, "followed": followed, "within_days": 60 } })
        };
        let stock = json!({ "stock": { "variant": self.scarf.to_string(),
            "location": self.retailer.locations[0].to_string(), "at_least": 40 } });
        let mut write = |code: &'static str, expression: Value| {
            let id = made(self.shop, code, &expression);
            self.segments.insert(code, id);
            id
        };
        let lookers = write("lookers", viewed);
        write("followed", sequence(true));
        write("left", sequence(false));
        let spent = json!({ "measure": "spend", "currency": "GBP", "within_days": 90, "at_least": 12_000 });
        let rich = write("rich", json!({ "orders": spent }));
        write("active", json!({ "life_cycle": ["active", "won_back"] }));
        write("may", json!({ "consent": { "purpose": "marketing", "medium": "mail" } }));
        write("listed", json!({ "list": self.list.to_string() }));
        let club = self.club.to_string();
        write("pointed", json!({ "loyalty": { "programme": club, "points_at_least": 150 } }));
        write("german", json!({ "languages": ["de"] }));
        let here = self.retailer.locations[0].to_string();
        write("near", json!({ "near": { "location": here, "km": 5 } }));
        write("often", json!({ "trait": { "code": "often", "is": [5] } }));
        write(
            "mixed",
            json!({ "all": [{ "any": [{ "segment": lookers.to_string() }, { "groups": ["vip"] }] },
            { "not": { "segment": rich.to_string() } }] }),
        );
        write("live", json!({ "all": [{ "segment": lookers.to_string() }, stock] }));
    }

    fn now(&self) -> Instant {
        self.shop.shop.source.now()
    }

    fn sign_up(&mut self) {
        let groups = if self.chance.below(2) == 0 { vec!["vip".to_owned()] } else { Vec::new() };
        let made = self.shop.run(move |tx, actor, world| {
            let card = Card::new(&Draft { name: Some("A".into()), ..Draft::default() })?;
            customer::create(
                tx,
                actor,
                world,
                NewCustomer { external_id: None, card, groups: groups.clone() },
            )
        });
        self.welcome(made.expect("a customer").id);
    }

    fn welcome(&mut self, customer: Id<Customer>) {
        self.customers.push(customer);
        self.ever.insert(customer);
    }

    fn somebody(&mut self) -> Id<Customer> {
        let place = self.chance.below(self.customers.len() as u64);
        self.customers[usize::try_from(place).unwrap_or(0)]
    }

    fn behave(&mut self) {
        self.told += 1;
        let browser = format!("b{}", self.chance.below(BROWSERS));
        let mut of = vec![(Kind::AnonymousId, browser)];
        match self.chance.below(6) {
            0 => of.push((Kind::UserId, self.somebody().to_string())),
            1 => of = vec![(Kind::UserId, self.somebody().to_string())],
            _ => {}
        }
        let name = if self.chance.below(3) == 0 { "Cart Viewed" } else { "Product Viewed" };
        let price = 1 + self.chance.below(5);
        did(self.shop, &self.source, &format!("m{}", self.told), &of, name, &json!({ "price": price }));
        let at = self.now().micros();
        self.ends.extend([20, 30, 60].map(|days| at + days * DAY * 1_000_000));
        self.ends.insert(at + DAY * 1_000_000 + 1);
    }

    fn buy(&mut self) {
        let (customer, pieces) = (self.somebody(), 1 + i64::try_from(self.chance.below(2)).unwrap_or(0));
        let known = self.shop.read(move |tx| Ok(store::customer::find(tx, customer)?)).expect("read");
        if known.is_none_or(|known| known.merged_into.is_some() || known.erased_at.is_some()) {
            return;
        }
        if self.retailer.count(self.shop, self.scarf, 0, State::Available) < 5 {
            self.retailer.stock(self.shop, self.scarf, 0, 60);
        }
        let order = buy_for(self.shop, &self.till, &[(self.scarf, pieces)], cash(), Some(customer));
        self.orders.push(order);
        let at = self.now().micros();
        self.ends.extend([30, 90, 120, 365].map(|days| at + days * DAY * 1_000_000));
    }

    fn bring_back(&mut self) {
        if self.orders.is_empty() {
            return;
        }
        let place = self.chance.below(self.orders.len() as u64);
        let order = self.orders.swap_remove(usize::try_from(place).unwrap_or(0));
        let back = counter::a_back(
            &self.retailer,
            &order,
            0,
            (1, Condition::Resellable),
            counter::by(Means::Original),
        );
        drop(counter::bring(self.shop, back));
        work(self.shop);
    }

    fn say(&mut self) {
        let (customer, yes) = (self.somebody(), self.chance.below(2) == 0);
        let status = if yes { Status::Granted } else { Status::Withdrawn };
        let cell = Cell { purpose: "marketing".into(), medium: Medium::Mail, topic: String::new() };
        let said = [Said { cell, status }];
        drop(self.shop.run(move |tx, actor, world| {
            consent::say(tx, actor, world, customer, &said, &Evidence::of(Heard::Told))
        }));
    }

    fn speak(&mut self) {
        let customer = self.somebody();
        let language = [Some("de"), Some("de-AT"), Some("fr"), None][self.chance.below(4) as usize];
        let language = language.map(|code| Language::parse(code).expect("a language"));
        let said = preference::Said { language: Some(language), ..Default::default() };
        drop(self.shop.run(move |tx, actor, world| preference::say(tx, actor, world, customer, &said)));
    }

    fn list(&mut self) {
        let (list, people, put) = (self.list, [Named::Customer(self.somebody())], self.chance.below(2) == 0);
        drop(self.shop.run(move |tx, actor, world| match put {
            true => list::put(tx, actor, world, list, &people),
            false => list::take_off(tx, actor, world, list, &people),
        }));
    }

    /// Somebody takes part in the club, or is given points, or has some taken away.
    fn points(&mut self) {
        let (customer, club) = (self.somebody(), self.club);
        let change = i64::try_from(self.chance.below(200)).unwrap_or(0) - 60;
        drop(self.shop.run(move |tx, actor, world| match in_club(tx, actor, customer, club)? {
            None => takes_part::enrol(tx, actor, world, club, customer).map(drop),
            Some(own) => points::adjust(tx, actor, world, &own, (change, "goodwill".to_owned())),
        }));
    }

    fn merge(&mut self) {
        let (winner, loser) = (self.somebody(), self.somebody());
        let wish = Wish { winner, loser, cause: Cause::Staff, why: "one person".into() };
        let merged = self.shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone()));
        self.merges.extend(merged.ok().map(|merge| merge.id));
    }

    fn unmerge(&mut self) {
        let Some(merge) = self.merges.pop() else { return };
        drop(self.shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merge)));
    }

    fn forget(&mut self) {
        let customer = self.somebody();
        drop(self.shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, customer)));
        self.customers.retain(|one| *one != customer);
        self.sign_up();
    }

    /// Time passes, often to the very instant at which something lapses, or the one before.
    fn wait(&mut self) {
        let now = self.now().micros();
        self.ends = self.ends.split_off(&(now + 1));
        let next = self.ends.first().copied().filter(|_| self.chance.below(3) > 0);
        let second = 1_000_000;
        let until =
            next.map_or(now + i64::try_from(self.chance.below(200_000)).unwrap_or(0) * second, |end| {
                let whole = now + (end - now).div_euclid(second) * second;
                whole + if self.chance.below(2) == 0 { 0 } else { second }
            });
        self.shop.pass((until - now) / second);
    }

    /// A segment is written anew: whom it can reach is found and judged beforehand now, and judged again whenever somebody asks next.
    fn build_anew(&mut self) {
        let all: Vec<_> = self.segments.values().copied().collect();
        let id = all[self.chance.below(all.len() as u64) as usize];
        let written = self.shop.run(move |tx, actor, world| {
            let known = segment::read(tx, actor, id)?;
            let (name, active, expression) = (None, None, Some(known.expression));
            let change = Change { name, active, expression, if_match: Some(known.version) };
            segment::change(tx, actor, world, id, change)
        });
        written.expect("a segment");
        segment::build::prepare_beyond(&self.shop.shop, 0).expect("whom it can reach is found");
    }

    fn step(&mut self) {
        match self.chance.below(45) {
            0..=17 => self.behave(),
            18..=22 => self.buy(),
            23 | 24 => self.bring_back(),
            25..=27 => self.say(),
            28 | 29 => self.list(),
            30 => self.merge(),
            31 => self.unmerge(),
            32 if self.chance.below(4) == 0 => self.forget(),
            40..=42 => self.points(),
            43 | 44 => self.speak(),
            39 => self.build_anew(),
            33 => self.retailer.stock(self.shop, self.scarf, 0, 3),
            _ => self.wait(),
        }
    }

    /// Everybody there is: customers who were not merged, and who was seen and is none.
    fn everybody(&self) -> BTreeSet<Subject> {
        let (customers, ever) = (self.customers.clone(), self.ever.clone());
        self.shop
            .run(move |tx, actor, world| {
                let mut found = BTreeSet::new();
                for customer in &customers {
                    let known = store::customer::find(tx, *customer)?;
                    if known.is_some_and(|known| known.merged_into.is_none() && known.erased_at.is_none()) {
                        found.insert(Subject::Customer(*customer));
                    }
                }
                let browsers = (0..BROWSERS).map(|one| (Kind::AnonymousId, format!("b{one}")));
                let named = ever.iter().map(|one| (Kind::UserId, one.to_string()));
                for (kind, value) in browsers.chain(named) {
                    let identifier = Identifier::new(kind, None, &value).expect("one");
                    let Ok(root) = identity::find(tx, actor, world, &identifier) else { continue };
                    if identity::read(tx, actor, root)?.customer.is_none() {
                        found.insert(Subject::Profile(root));
                    }
                }
                Ok(found)
            })
            .expect("everybody is found")
    }

    /// The codes of the segments somebody belongs to, by a plain reading of the raw facts.
    fn plain(&self, who: Subject, free: i64) -> BTreeSet<&'static str> {
        let (now, list, club) = (self.now(), self.list, self.club);
        let raw = self
            .shop
            .run(move |tx, actor, world| Raw::read(tx, actor, world, who, (list, club), now))
            .expect("raw facts");
        raw.segments(now.micros(), free)
    }

    fn compare(&self, step: u64, lists: bool) {
        let (people, now) = (self.everybody(), self.now());
        let free = self.retailer.count(self.shop, self.scarf, 0, State::Available);
        let mut expected: BTreeMap<&'static str, BTreeSet<Subject>> = BTreeMap::new();
        for who in people {
            let plain = self.plain(who, free);
            let named = Named::from(who);
            let (_, held) = self
                .shop
                .read(move |tx| segment::of_subject(tx, &domain::actor::Actor::system(), (named, now)))
                .expect("held");
            let held: BTreeSet<String> = held.into_iter().map(|(one, _)| one.code).collect();
            let wanted: BTreeSet<String> = plain.iter().map(|code| (*code).to_owned()).collect();
            assert_eq!(held, wanted, "step {step}: {who} at {now}");
            plain.into_iter().for_each(|code| {
                expected.entry(code).or_default().insert(who);
            });
        }
        for (code, id) in self.segments.iter().filter(|_| lists) {
            let id = *id;
            let shown =
                self.shop.run(move |tx, actor, world| member::list(tx, actor, world, id, ([0; 16], 1_000)));
            let shown: BTreeSet<Subject> =
                shown.expect("members").0.into_iter().map(|one| one.subject).collect();
            let counted = self.shop.run(move |tx, actor, world| member::size(tx, actor, world, id));
            let counted = counted.expect("a size");
            assert_eq!((counted.members, counted.exact), (shown.len() as i64, true), "step {step}: {code}");
            assert_eq!(shown, expected.remove(code).unwrap_or_default(), "step {step}: members of {code}");
        }
    }
}

fn steps(usual: u64) -> u64 {
    std::env::var("TANDEM_SEGMENT_STEPS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn simulate(shop: &TestShop, seed: u64, steps: u64) {
    let mut run = Run::open(shop, seed);
    for step in 0..steps {
        run.step();
        if step % 7 == 0 {
            run.compare(step, step % 21 == 0);
        }
    }
    shop.must_tally();
}

#[test]
fn everybody_is_where_a_plain_reading_of_the_facts_has_them() {
    simulate(&TestShop::in_memory(5), 5, steps(700));
    simulate(&TestShop::on_postgres(6), 6, steps(100));
}
