//! The customer comes for goods that wait, or somebody else does; takes all of them, or some; or is reminded, and does not come.

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::contact::{Card, Draft};
use domain::fulfilment::Visit;
use domain::order::State as OrderState;
use domain::value::Id;
use engine::checkout::Leaving;
use engine::fulfilment::visit::{self, Proof, WRONG_CODES_MAX};
use sim::on_every_engine;

use super::ground::{Ground, code_of};

fn by_code(code: &str) -> Leaving {
    Leaving { proof: (Some(Proof::Code(code.into())), None), ..Leaving::default() }
}

#[test]
fn the_code_is_shown_to_its_holder_and_to_who_hands_over() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [0, 3, 0]);
        let which = ground.waiting(1, 1);
        let (york, hull, web) = (ground.retailer.locations[1], ground.retailer.locations[2], ground.web.id);
        let read = |permissions: &[Permission], location, channel| {
            let grants = vec![Grant { location, permissions: Permissions::of(permissions) }];
            let actor = Actor { who: Who::Guest, channel, grants };
            shop.read(move |tx| visit::read(tx, &actor, which)).map(|shown| shown.code.is_some())
        };
        assert!(read(&[Permission::Shop], None, Some(web)).unwrap(), "who holds the order");
        assert!(!read(&[Permission::ReadOrders], None, None).unwrap(), "reading orders is not enough");
        let both = [Permission::ReadOrders, Permission::EditOrders];
        assert!(read(&both, Some(york), None).unwrap(), "who hands over there");
        assert_eq!(code_of(read(&both, Some(hull), None)), Some(Code::NotFound), "another store's order");
        let reader = Actor {
            who: Who::Guest,
            channel: None,
            grants: vec![Grant { location: None, permissions: Permissions::of(&[Permission::ReadOrders]) }],
        };
        assert_eq!(
            code_of(shop.read(move |tx| visit::qr(tx, &reader, which))),
            Some(Code::Forbidden),
            "nor is the picture of it shown"
        );
    });
}

#[test]
fn after_five_wrong_codes_a_colleague_makes_sure() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [0, 3, 0]);
        let which = ground.waiting(1, 1);
        let right = shop.read(move |tx| visit::read(tx, &Actor::system(), which)).unwrap().code.unwrap();
        let wrong = if right == "000000" { "000001" } else { "000000" };
        let given = |code: &str| {
            let counted = code.to_owned();
            let count = move |tx: &mut store::Tx<'_>, actor: &Actor, world: &mut engine::World| {
                visit::count_wrong_code(tx, actor, world, which, &counted)
            };
            shop.run(count).unwrap();
            code_of(ground.leave_as(which, by_code(code)))
        };
        for _ in 1..WRONG_CODES_MAX {
            assert_eq!(given(wrong), Some(Code::Invalid));
        }
        assert_eq!(given(wrong), Some(Code::WrongState), "the fifth");
        assert_eq!(given(&right), Some(Code::WrongState), "even the right one is too late");
        let seen = Leaving { proof: (Some(Proof::Seen("passport".into())), None), ..Leaving::default() };
        assert_eq!(ground.leave_as(which, seen).unwrap().order.state, OrderState::Completed);
        assert_eq!(ground.told(which.0, "pickup.wrong_code"), 5);
    });
}

#[test]
fn somebody_else_comes_whom_the_customer_named_or_a_colleague_knows() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [0, 4, 0]);
        let name = |which| {
            let card = Card::new(&Draft { name: Some("Tom Quince".into()), ..Draft::default() }).unwrap();
            let name = move |tx: &mut store::Tx<'_>, actor: &Actor, world: &mut engine::World| {
                visit::name_collector(tx, actor, world, which, card.clone())
            };
            shop.run(name).unwrap().visit.named.unwrap()
        };
        let (which, other) = (ground.waiting(1, 1), ground.waiting(1, 1));
        let (first, named, stranger) = (name(which), name(which), name(other));
        assert_ne!(first, named, "a second name replaces the first");
        let code = shop.read(move |tx| visit::read(tx, &Actor::system(), which)).unwrap().code.unwrap();
        let come = |proof: Proof, collector| {
            ground.leave_as(which, Leaving { proof: (Some(proof), Some(collector)), ..Leaving::default() })
        };
        let by_code = || Proof::Code(code.clone());
        assert_eq!(code_of(come(by_code(), Id::from_bytes([9; 16]))), Some(Code::NotFound));
        assert_eq!(code_of(come(by_code(), stranger)), Some(Code::Invalid), "not named, not looked at");
        come(by_code(), named).unwrap();
        let done = shop.read(move |tx| visit::read(tx, &Actor::system(), which)).unwrap().visit;
        assert_eq!((done.state, done.collector), (Visit::HandedOver, Some(named)));
        let card = Card::new(&Draft { name: Some("Tom Quince".into()), ..Draft::default() }).unwrap();
        let late =
            shop.run(move |tx, actor, world| visit::name_collector(tx, actor, world, which, card.clone()));
        assert_eq!(code_of(late), Some(Code::WrongState), "the goods are gone");

        let seen = Proof::Seen("known to us".into());
        let leaving = Leaving { proof: (Some(seen), Some(first)), ..Leaving::default() };
        ground.leave_as(other, leaving).unwrap();
    });
}

#[test]
fn the_customer_takes_two_of_three_and_gets_the_rest_of_the_money_back() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [0, 3, 0]);
        let which = ground.waiting(3, 1);
        let line = ground.parts(which.0)[0].lines[0].line;
        let shown = shop.read(move |tx| visit::read(tx, &Actor::system(), which)).unwrap();
        let take = |units: i64| {
            let proof = (Some(Proof::Code(visit::qr_text(&shown.visit))), None);
            ground.leave_as(which, Leaving { proof, taken: Some(vec![(line, units)]), tracking: None })
        };
        assert_eq!(code_of(take(0)), Some(Code::WrongState));
        assert_eq!(code_of(take(4)), Some(Code::WrongState), "three wait");
        let done = take(2).unwrap();
        assert_eq!(done.order.state, OrderState::Completed);
        assert_eq!((done.sums.kept(), done.sums.refunded), (1000, 500));
        assert_eq!(ground.counts(1), [1, 0, 0, 0]);
        assert_eq!(code_of(take(2)), Some(Code::WrongState), "they are gone");
    });
}

#[test]
fn the_customer_says_when_to_be_there_and_is_reminded_once() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [0, 3, 0]);
        let which = ground.waiting(1, 1);
        let come = |minutes| shop.run(move |tx, actor, world| visit::come(tx, actor, world, which, minutes));
        assert_eq!(code_of(come(Some(0))), Some(Code::Invalid));
        for minutes in [None, Some(15)] {
            assert_eq!(come(minutes).unwrap().visit.state, Visit::OnTheWay);
        }
        shop.pass(6 * 86_400 - 1);
        shop.run(visit::remind).unwrap();
        assert_eq!(ground.told(which.0, "pickup.reminded"), 0, "more than a day is left");
        shop.pass(1);
        for _ in 0..2 {
            assert!(!shop.run(visit::remind).unwrap());
        }
        assert_eq!(ground.told(which.0, "pickup.reminded"), 1);
        shop.run(move |tx, actor, world| visit::arrive(tx, actor, world, which, None)).unwrap();
        assert_eq!(code_of(come(None)), Some(Code::WrongState), "who is there is not on the way");
    });
}
