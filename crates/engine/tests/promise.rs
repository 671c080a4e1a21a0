//! The story of goods that are not there yet: sold up to a cap, announced, moved, arriving short, over and damaged, and given to those who
//! waited first.

use domain::fulfilment::State;
use domain::order::{CancelReason, State as OrderState};
use domain::stock::expected::{Arrival, State as ExpectedState};
use domain::stock::selling::{Later, Rule, WhenOut};
use domain::stock::{self as places, State as Stock};
use domain::value::{Instant, Quantity, Reference};
use domain::{Code, Refusal};
use engine::checkout::{self, Cancel};
use engine::fulfilment::{by_hand, pool};
use engine::job;
use engine::promise::expected::{self, ExpectedChange};
use engine::promise::waiting;
use engine::stock;
use sim::on_every_engine;

use crate::waiting_room::{Room, code_of};

const BACK_ORDER: Rule =
    Rule { when_out: WhenOut::BackOrder, cap: Some(5), lead_days: Some(10), releases_at: None };
const PRE_ORDER: Rule = Rule { when_out: WhenOut::PreOrder, cap: None, lead_days: None, releases_at: None };

fn arrival(available: i64, quality: i64, damaged: i64) -> Arrival {
    Arrival { available, quality, damaged }
}

#[test]
fn back_orders_stop_at_their_cap_and_are_filled_first_come_first_served() {
    on_every_engine(|shop| {
        let room = Room::open(shop, 1);
        assert_eq!(code_of(&room.order(2)), Some(Code::OutOfStock));
        room.rule(BACK_ORDER);
        // One from the shelf, two that are not there.
        let first = room.order(3).unwrap();
        let states: Vec<_> = first.fulfilment_orders.iter().map(|one| (one.state, one.later)).collect();
        assert_eq!(states, [(State::Open, None), (State::Unrouted, Some(Later::BackOrder))]);
        let second = room.order(3).unwrap();
        assert_eq!(room.pool(), [0, 5, 0, 0]);
        assert_eq!(code_of(&room.order(1)), Some(Code::OutOfStock), "the cap is reached");
        // Promised by the lead time: ten days after Monday the first of June, prepared, one to three working days on their way.
        let promised = room.part(&second, 0).promised;
        assert_eq!(promised.by.map(|at| at.to_string()).as_deref(), Some("2026-06-16T23:00:00Z"));

        // Two are announced, three come: one of them damaged. The first gets both, nobody else is sold any.
        let goods = room.announce(2, "2026-06-05T08:00:00Z");
        assert_eq!(
            room.part(&first, 1).promised.by.map(|at| at.to_string()).as_deref(),
            Some("2026-06-10T23:00:00Z")
        );
        let received = room.receive(&goods, arrival(2, 0, 1), false).unwrap();
        assert_eq!((received.state, received.arrived), (ExpectedState::Received, 3));
        assert_eq!(code_of(&room.receive(&goods, arrival(1, 0, 0), false)), Some(Code::WrongState));
        assert_eq!(room.promisable(), 0);
        assert_eq!(code_of(&room.order(1)), Some(Code::OutOfStock));
        room.route();
        assert_eq!(room.pool(), [0, 3, 0, 0]);
        assert_eq!(room.counts(), [0, 3, 1]);
        let served = room.parts(&first);
        assert_eq!(served.iter().filter(|one| one.state == State::Open).count(), 2);
        assert_eq!(room.waits(&second), 3);

        // Two of the second order's three go no further; the last is served from what a customer brings back.
        let line = second.lines[0].id;
        let cancel = Cancel {
            order: second.order.id,
            lines: Some(vec![(line, 2)]),
            part: None,
            reason: CancelReason::Customer,
        };
        shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone())).unwrap();
        assert_eq!(room.pool(), [0, 1, 0, 0]);
        room.bring(1);
        room.route();
        room.route();
        assert_eq!((room.waits(&second), room.pool()), (0, [0, 0, 0, 0]));
    });
}

#[test]
fn pre_orders_are_no_more_than_is_expected_and_do_not_eat_what_others_may_buy() {
    on_every_engine(|shop| {
        let room = Room::open(shop, 0);
        let release = Instant::parse("2026-06-20T08:00:00Z").unwrap();
        room.rule(Rule { releases_at: Some(release), ..PRE_ORDER });
        assert_eq!(code_of(&room.order(1)), Some(Code::OutOfStock), "nothing is expected");
        let goods = room.announce(4, "2026-06-10T08:00:00Z");
        let (first, second) = (room.order(2).unwrap(), room.order(2).unwrap());
        assert_eq!(code_of(&room.order(1)), Some(Code::OutOfStock), "all that is expected is sold");
        assert_eq!(room.pool(), [0, 0, 4, 4]);
        // One comes back from a customer: whoever comes first may have it before the release.
        room.bring(1);
        room.route();
        assert_eq!(room.promisable(), 1);
        assert_eq!(room.order(1).unwrap().fulfilment_orders[0].state, State::Open);

        // Three come in time, the last does not come at all: it is claimed for them, and leaves after the release.
        let received = room.receive(&goods, arrival(3, 0, 0), true).unwrap();
        assert_eq!((received.state, received.to_come()), (ExpectedState::Received, 0));
        assert_eq!((room.pool(), room.promisable()), ([0, 3, 1, 0], 0));
        room.route();
        assert_eq!((room.waits(&first), room.waits(&second)), (2, 2), "not before the release");
        let told = room.told(&second, "promise.changed");
        assert_eq!(told.last().unwrap()["now"]["by"], serde_json::Value::Null, "no date is known any more");
        shop.pass(20 * 24 * 3600);
        room.route();
        assert_eq!((room.waits(&first), room.waits(&second)), (0, 1));
        // Whoever cancels leaves the end of the queue, for which nothing has come.
        let cancel =
            Cancel { order: second.order.id, lines: None, part: None, reason: CancelReason::Customer };
        let cancelled = shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone()));
        assert_eq!(cancelled.unwrap().order.state, OrderState::Cancelled);
        assert_eq!((room.pool(), room.promisable()), ([0, 0, 0, 0], 1));
    });
}

#[test]
fn nobody_takes_pre_ordered_goods_before_their_release() {
    on_every_engine(|shop| {
        let room = Room::open(shop, 0);
        let release = Instant::parse("2026-06-20T08:00:00Z").unwrap();
        room.rule(Rule { releases_at: Some(release), ..PRE_ORDER });
        let goods = room.announce(2, "2026-06-10T08:00:00Z");
        let order = room.order(1).unwrap();
        room.receive(&goods, arrival(2, 0, 0), true).unwrap();
        let (which, leeds) = ((order.order.id, room.part(&order, 0).id), room.retailer.locations[0]);
        let by_hand =
            shop.run(move |tx, actor, world| by_hand::place(tx, actor, world, which, (leeds, None)));
        assert_eq!(code_of(&by_hand), Some(Code::WrongState));
        let until = release.plus_seconds(5 * 24 * 3600);
        shop.run(move |tx, actor, world| pool::offer(tx, actor, world, which, (&[leeds], until))).unwrap();
        let claim = || shop.run(move |tx, actor, world| pool::claim(tx, actor, world, which, leeds));
        assert_eq!(code_of(&claim()), Some(Code::WrongState), "anybody may buy what lies there until then");
        shop.pass(20 * 24 * 3600);
        assert_eq!(claim().unwrap().state, State::Claimed);
    });
}

#[test]
fn what_comes_unannounced_serves_pre_orders_that_nothing_expected_covers() {
    on_every_engine(|shop| {
        let room = Room::open(shop, 0);
        room.rule(PRE_ORDER);
        let goods = room.announce(2, "2026-06-10T08:00:00Z");
        let order = room.order(2).unwrap();
        room.cancel(&goods).unwrap();
        assert_eq!(code_of(&room.cancel(&goods)), Some(Code::WrongState));
        assert_eq!(room.pool(), [0, 0, 2, 0]);
        room.receive_unannounced(5);
        assert_eq!((room.pool(), room.promisable()), ([0, 2, 0, 0], 3));
        room.route();
        assert_eq!((room.waits(&order), room.promisable()), (0, 3));
    });
}

#[test]
fn who_waits_is_promised_anew_when_the_goods_move() {
    on_every_engine(|shop| {
        let room = Room::open(shop, 0);
        room.rule(PRE_ORDER);
        let early = room.announce(2, "2026-06-10T08:00:00Z");
        let late = room.announce(5, "2026-06-24T08:00:00Z");
        let (first, second) = (room.order(2).unwrap(), room.order(1).unwrap());
        let by =
            |order| room.part(order, 0).promised.by.map(|at: Instant| at.to_string()).unwrap_or_default();
        assert_eq!(
            (by(&first).as_str(), by(&second).as_str()),
            ("2026-06-15T23:00:00Z", "2026-06-29T23:00:00Z")
        );
        let moved = ExpectedChange {
            due_at: Some(Instant::parse("2026-06-12T08:00:00Z").unwrap()),
            quantity: Some(Quantity::new(3).unwrap()),
            reference: Some(Some("PO-2".into())),
        };
        let change = |version, change: ExpectedChange| {
            let id = early.id;
            shop.run(move |tx, actor, world| {
                expected::change(tx, actor, world, (&Reference::Id(id), Some(version)), change.clone())
            })
        };
        assert_eq!(code_of(&change(7, moved.clone())), Some(Code::Stale));
        assert_eq!(change(1, moved.clone()).unwrap().reference.as_deref(), Some("PO-2"));
        assert_eq!(code_of(&change(1, moved)), Some(Code::Stale));
        assert_eq!(
            (by(&first).as_str(), by(&second).as_str()),
            ("2026-06-17T23:00:00Z", "2026-06-17T23:00:00Z")
        );
        let told = room.told(&second, "promise.changed");
        assert_eq!((told.len(), &told[0]["was"]["by"]), (1, &serde_json::json!("2026-06-29T23:00:00Z")));
        room.receive(&early, arrival(1, 1, 0), false).unwrap();
        assert_eq!(room.told(&first, "promise.changed").len(), 1, "still by the same day");
        let too_few =
            ExpectedChange { quantity: Some(Quantity::new(2).unwrap()), due_at: None, reference: None };
        assert_eq!(code_of(&change(3, too_few)), Some(Code::Invalid));
        room.cancel(&late).unwrap();
        room.cancel(&early).unwrap();
        assert_eq!(by(&second), "", "nothing is expected any more");
        assert_eq!(room.pool(), [0, 1, 2, 0]);
    });
}

#[test]
fn more_than_a_round_waits_two_receive_at_once_and_some_leave_meanwhile() {
    on_every_engine(|shop| {
        let room = Room::open(shop, 0);
        room.rule(PRE_ORDER);
        let goods = room.announce(150, "2026-06-10T08:00:00Z");
        let (mut leave, mut stay) = (Vec::new(), Vec::new());
        for number in 0..112 {
            let order = room.order(1).unwrap();
            if number % 28 == 0 { leave.push(order) } else { stay.push(order) }
        }
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| room.receive(&goods, arrival(52, 0, 0), false).unwrap());
            }
            for leaving in leave.chunks(2) {
                let room = &room;
                scope.spawn(move || leaving.iter().for_each(|order| room.give_up(order)));
            }
        });
        // 104 came, for 108 who stay: those who waited longest, and nobody else is promised a piece.
        assert_eq!((room.pool(), room.promisable()), ([0, 104, 4, 46], 0));
        let served = job::Registry::default().on(waiting::SERVE, waiting::on_serve);
        while job::turn(&shop.shop, &served).unwrap() > 0 {}
        let waits: Vec<i64> = stay.iter().map(|order| room.waits(order)).collect();
        assert!(waits[..104].iter().all(|pieces| *pieces == 0), "{waits:?}");
        assert!(waits[104..].iter().all(|pieces| *pieces == 1), "{waits:?}");
        assert_eq!((room.pool(), room.counts()), ([0, 0, 4, 46], [0, 104, 0]));
        assert!(leave.iter().all(|order| room.waits(order) == 0));
    });
}

#[test]
fn caps_are_exact_in_a_crowd() {
    on_every_engine(|shop| {
        let room = Room::open(shop, 2);
        room.rule(BACK_ORDER);
        let sold: usize = std::thread::scope(|scope| {
            let buyers: Vec<_> =
                (0..12).map(|_| scope.spawn(|| usize::from(room.order(1).is_ok()))).collect();
            buyers.into_iter().map(|buyer| buyer.join().unwrap()).sum()
        });
        assert_eq!((sold, room.pool()), (7, [0, 5, 0, 0]));
    });
}

#[test]
fn rules_are_set_for_a_variant_or_for_all_and_taken_away() {
    on_every_engine(|shop| {
        let room = Room::open(shop, 0);
        let set = |all: bool, rule: Rule| {
            let (channel, variant) = (Reference::Id(room.web.id), Reference::Id(room.mug));
            shop.run(move |tx, actor, world| {
                stock::selling::set(tx, actor, world, (&channel, (!all).then_some(&variant)), rule)
            })
        };
        let refused = set(false, Rule { cap: None, ..BACK_ORDER }).unwrap_err();
        assert_eq!(refused.to_string(), "invalid: cap: say how many may be sold that are not there");
        set(true, BACK_ORDER).unwrap();
        assert!(room.order(1).is_ok());
        set(false, Rule::REFUSE).unwrap();
        assert_eq!(code_of(&room.order(1)), Some(Code::OutOfStock));
        let channel = Reference::Id(room.web.id);
        let listed = shop
            .read(move |tx| stock::selling::list(tx, &domain::actor::Actor::system(), &channel, None, 10));
        let listed: Vec<_> =
            listed.unwrap().into_iter().map(|(variant, rule)| (variant, rule.when_out)).collect();
        assert_eq!(listed, [(stock::selling::ALL, WhenOut::BackOrder), (room.mug, WhenOut::Refuse)]);
        let remove = || {
            let (channel, variant) = (Reference::Id(room.web.id), Reference::Id(room.mug));
            shop.run(move |tx, actor, world| {
                stock::selling::remove(tx, actor, world, (&channel, Some(&variant)))
            })
        };
        remove().unwrap();
        assert_eq!(code_of(&remove()), Some(Code::NotFound));
        assert!(room.order(1).is_ok());
        assert_eq!(room.pool(), [0, 2, 0, 0]);
    });
}

#[test]
fn the_check_finds_goods_that_nobody_announced() {
    on_every_engine(|shop| {
        let room = Room::open(shop, 0);
        let goods = room.announce(2, "2026-06-10T08:00:00Z");
        let (outside, there) =
            (places::world(Stock::Expected), places::at(room.retailer.locations[0], Stock::Incoming));
        let mug = room.mug;
        let plant = |from, to| {
            let planted = shop.run(move |tx, actor, world| {
                let postings = places::moving(from, to, 1, 0).into();
                let movement = stock::Movement { variant: mug, reason: "moved", cause: None, postings };
                stock::post_movement(tx, actor, world, movement, |_| Refusal::not_found("piece", 1))
            });
            planted.unwrap();
        };
        plant(outside, there);
        let report = shop.read(|tx| engine::check::check(tx, [7; 32], &mut |_, _| {})).unwrap();
        let found: Vec<_> = report.differences.iter().map(|one| (one.check, one.found.as_str())).collect();
        assert_eq!(found, [("expected goods", "3")]);
        plant(there, outside);
        assert_eq!(goods.quantity, 2);
    });
}

#[test]
fn a_customer_learns_what_lies_where_and_when_it_is_there() {
    on_every_engine(|shop| {
        let room = Room::open(shop, 3);
        room.put_on_the_map();
        let asked = |quantity| room.asked(quantity);
        // Monday the first of June, eleven o'clock in Leeds; the store prepares in half an hour, the carrier takes one to three days.
        let answer = asked(2).unwrap();
        let store = &answer.stores[0];
        assert_eq!(
            (store.distance_m.map(|metres| metres / 1000), store.open, store.here.as_slice()),
            (Some(0), true, &[3][..])
        );
        let ready = store.ready.unwrap();
        assert_eq!(
            (ready.at.to_string().as_str(), ready.when.text(), ready.source.text()),
            ("2026-06-01T10:30:00Z", "today", "shelf")
        );
        let delivery = &answer.deliveries[0];
        let days = |promised: engine::fulfilment::Promised| {
            [promised.from, promised.by].map(|at| at.map(|at| at.to_string()).unwrap_or_default())
        };
        assert_eq!(days(delivery.promised), ["2026-06-01T23:00:00Z", "2026-06-04T23:00:00Z"]);
        assert_eq!((delivery.parcels, delivery.later, answer.lines[0].there), (1, false, 3));
        // What was promised is what the order says.
        let order = room.order(2).unwrap();
        assert_eq!(room.part(&order, 0).promised, delivery.promised);

        // More than there is: no date, until it may be back-ordered, and a better one when it is expected.
        let short = asked(4).unwrap();
        assert_eq!((short.deliveries.len(), short.stores[0].ready, short.lines[0].there), (0, None, 1));
        room.rule(BACK_ORDER);
        let later = asked(4).unwrap();
        assert_eq!(later.lines[0].beyond, Some((Later::BackOrder, 5)));
        assert!(later.deliveries[0].later);
        assert_eq!(days(later.deliveries[0].promised), ["2026-06-11T23:00:00Z", "2026-06-16T23:00:00Z"]);
        room.announce(3, "2026-06-03T08:00:00Z");
        let expected = asked(4).unwrap();
        assert_eq!(days(expected.deliveries[0].promised), ["2026-06-03T23:00:00Z", "2026-06-08T23:00:00Z"]);
        assert_eq!(
            expected.stores[0].expected_at.map(|at| at.to_string()).as_deref(),
            Some("2026-06-03T08:00:00Z")
        );

        // The store is full for today.
        room.capacity(1);
        assert!(room.order(1).is_ok());
        room.bring(1);
        assert_eq!(asked(1).unwrap().stores[0].ready.map(|ready| ready.when.text()), Some("tomorrow"));
    });
}
