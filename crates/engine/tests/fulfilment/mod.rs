//! The story of goods on their way: picked and packed, not found and sent from elsewhere, refused, offered and claimed, waiting for
//! their customer.

mod ground;
mod inbound;
mod parcel;
mod pickup;
mod substitute;
mod wave;

use domain::Code;
use domain::actor::Actor;
use domain::fulfilment::State;
use domain::order::State as OrderState;
use engine::checkout::{self, Whole};
use engine::fulfilment::visit::Proof;
use engine::fulfilment::{hold, leave, pick, pool, visit};
use engine::stock;
use ground::{Ground, code_of};
use sim::{TestShop, on_every_engine};

#[test]
fn picked_packed_and_shipped_piece_by_piece() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [5, 0, 0]);
        let whole = ground.order(3, None);
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        assert_eq!(ground.counts(0), [2, 3, 0, 0]);
        shop.run(move |tx, actor, world| pick::start(tx, actor, world, which)).unwrap();
        assert_eq!(ground.pick(which, 1).unwrap().lines[0].picked, 1);
        assert_eq!(code_of(ground.pick(which, 3)), Some(Code::WrongState), "two are left");
        let pack = || shop.run(move |tx, actor, world| pick::pack(tx, actor, world, which));
        assert_eq!(code_of(pack()), Some(Code::WrongState), "two are still to be picked");
        ground.pick(which, 2).unwrap();
        assert_eq!(ground.counts(0), [2, 0, 3, 0]);
        assert_eq!(pack().unwrap().state, State::Packed);
        let left = ground.leave(which.0, which.1, None).unwrap();
        assert_eq!(
            (left.order.state, left.fulfilment_orders[0].state),
            (OrderState::Completed, State::Shipped)
        );
        assert_eq!(ground.counts(0), [2, 0, 0, 0]);
        for _ in 0..2 {
            let told = shop.run(move |tx, actor, world| leave::delivered(tx, actor, world, which)).unwrap();
            assert_eq!(told.state, State::Delivered, "told twice is told once");
        }
    });
}

#[test]
fn what_a_picker_misses_comes_from_elsewhere_in_the_same_instant() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [3, 1, 4]);
        let whole = ground.order(3, None);
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        ground.pick(which, 1).unwrap();
        let all = ground.short(which, 2).unwrap();
        let open: Vec<_> = all.iter().filter(|one| one.state.is_open()).collect();
        assert_eq!(open.len(), 2, "what was found here, and the rest from the one place that has all of it");
        assert_eq!((ground.counts(0), ground.counts(2)), ([0, 0, 1, 2], [2, 2, 0, 0]));
        for part in open {
            ground.leave(which.0, part.id, None).unwrap();
        }
        let done = ground.shop.read(move |tx| checkout::read(tx, &Actor::system(), which.0)).unwrap();
        assert_eq!(done.order.state, OrderState::Completed);

        ground.retailer.stock(shop, ground.mug, 0, 9);
        let next = ground.order(3, None);
        let from =
            |whole: &Whole| whole.fulfilment_orders.iter().filter_map(|one| one.location).collect::<Vec<_>>();
        assert!(
            !from(&next).contains(&ground.retailer.locations[0]),
            "the place gives none while its count is in doubt"
        );
        shop.pass(25 * 3600);
        shop.run(stock::end_exclusions).unwrap();
        assert_eq!(from(&ground.order(3, None)), [ground.retailer.locations[0]]);
    });
}

#[test]
fn what_no_place_has_waits_and_is_served_first_come_first_served() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [2, 0, 0]);
        let whole = ground.order(2, None);
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        ground.short(which, 2).unwrap();
        let waiting = ground.open_parts(which.0);
        assert_eq!((waiting.len(), waiting[0].state, waiting[0].location), (1, State::Unrouted, None));
        assert!(!shop.run(pool::route_waiting).unwrap(), "nothing came");
        assert_eq!(ground.open_parts(which.0)[0].state, State::Unrouted);
        ground.retailer.stock(shop, ground.mug, 1, 3);
        let (web, mug) = (ground.web.clone(), ground.mug);
        let promised =
            shop.read(move |tx| stock::availability::availability(tx, &Actor::system(), &web, &[mug]));
        assert_eq!(promised.unwrap()[0].promisable, 1, "two of the three are promised already");
        shop.run(pool::route_waiting).unwrap();
        let routed = ground.open_parts(which.0);
        assert_eq!((routed.len(), routed[0].state), (1, State::Open));
        assert_eq!(ground.counts(1), [1, 2, 0, 0]);
        ground.leave(which.0, routed[0].id, None).unwrap();
    });
}

#[test]
fn a_store_refuses_and_another_serves_it() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [2, 2, 0]);
        let whole = ground.order(2, None);
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        ground.pick(which, 1).unwrap();
        let hold = |reason: &'static str| {
            shop.run(move |tx, actor, world| hold::put(tx, actor, world, which, reason))
        };
        assert_eq!(code_of(hold("  ")), Some(Code::Invalid));
        hold("the address looks wrong").unwrap();
        let reject =
            || shop.run(move |tx, actor, world| pool::reject(tx, actor, world, which, "closing early"));
        assert_eq!(code_of(reject()), Some(Code::WrongState), "held is held");
        assert_eq!(code_of(ground.pick(which, 1)), Some(Code::WrongState));
        shop.run(move |tx, actor, world| hold::release(tx, actor, world, which)).unwrap();
        reject().unwrap();
        assert_eq!((ground.counts(0), ground.counts(1)), ([2, 0, 0, 0], [0, 2, 0, 0]));
        let there = ground.open_parts(which.0)[0].id;
        let again = (which.0, there);
        shop.run(move |tx, actor, world| pool::reject(tx, actor, world, again, "closing early")).unwrap();
        shop.run(pool::route_waiting).unwrap();
        let waiting = ground.open_parts(which.0);
        assert_eq!(waiting[0].state, State::Unrouted, "neither store is asked twice");
        let cancel = checkout::Cancel {
            order: which.0,
            lines: None,
            part: None,
            reason: domain::order::CancelReason::Stock,
        };
        let ended =
            shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone())).unwrap();
        assert_eq!((ended.order.state, ended.sums.kept()), (OrderState::Cancelled, 0));
    });
}

#[test]
fn the_first_store_to_claim_an_offer_serves_it() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [2, 2, 1]);
        let whole = ground.order(2, None);
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        let (until, places) = (shop.shop.source.now().plus_seconds(600), ground.retailer.locations.clone());
        let asked = places[1..].to_vec();
        let offer = move |shop: &TestShop| {
            let asked = asked.clone();
            shop.run(move |tx, actor, world| pool::offer(tx, actor, world, which, (&asked, until)))
        };
        assert_eq!(offer(shop).unwrap().state, State::Offered);
        assert_eq!(ground.counts(0), [2, 0, 0, 0], "an offer lies on no shelf");
        let claim = |place: usize| {
            let location = places[place];
            shop.run(move |tx, actor, world| pool::claim(tx, actor, world, which, location))
        };
        assert_eq!(code_of(claim(0)), Some(Code::WrongState), "leeds was not asked");
        assert_eq!(code_of(claim(2)), Some(Code::OutOfStock), "hull has one");
        assert_eq!(claim(1).unwrap().state, State::Claimed);
        assert_eq!(code_of(claim(2)), Some(Code::WrongState), "york was first");
        assert_eq!(ground.counts(1), [0, 2, 0, 0]);

        let late = ground.order(1, None);
        let which = (late.order.id, late.fulfilment_orders[0].id);
        shop.run(move |tx, actor, world| {
            let until = world.now().plus_seconds(60);
            pool::offer(tx, actor, world, which, (&[places[2]], until))
        })
        .unwrap();
        shop.pass(61);
        shop.run(pool::route_waiting).unwrap();
        assert_eq!(ground.open_parts(which.0)[0].state, State::Open, "nobody claimed it: it is routed");
    });
}

#[test]
fn goods_wait_for_their_customer_who_shows_the_code() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [0, 3, 0]);
        let whole = ground.order(2, Some(1));
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        let ready = shop.run(move |tx, actor, world| visit::ready(tx, actor, world, which)).unwrap();
        assert_eq!((ready.state, ground.counts(1)), (State::Ready, [1, 0, 2, 0]));
        let booked = shop.read(move |tx| visit::read(tx, &Actor::system(), which)).unwrap().visit;
        assert!(
            booked.code.len() == 6 && booked.code.bytes().all(|byte| byte.is_ascii_digit()),
            "{}",
            booked.code
        );
        let bay = Some("2".to_owned());
        let there =
            shop.run(move |tx, actor, world| visit::arrive(tx, actor, world, which, bay.clone())).unwrap();
        assert_eq!(there.visit.bay.as_deref(), Some("2"));
        assert_eq!(code_of(ground.leave(which.0, which.1, None)), Some(Code::Invalid), "no code");
        let wrong = Some(Proof::Code(if booked.code == "000000" { "000001" } else { "000000" }.into()));
        assert_eq!(code_of(ground.leave(which.0, which.1, wrong)), Some(Code::Invalid));
        let left = ground.leave(which.0, which.1, Some(Proof::Code(booked.code))).unwrap();
        assert_eq!((left.order.state, ground.counts(1)), (OrderState::Completed, [1, 0, 0, 0]));
    });
}

#[test]
fn what_nobody_collects_goes_back_to_the_shelf_and_the_money_back() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [0, 3, 0]);
        let whole = ground.order(2, Some(1));
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        shop.run(move |tx, actor, world| visit::ready(tx, actor, world, which)).unwrap();
        shop.pass(7 * 86_400 - 1);
        shop.run(checkout::expire_uncollected).unwrap();
        assert_eq!(ground.parts(which.0)[0].state, State::Ready, "a second is left");
        shop.pass(1);
        for _ in 0..2 {
            shop.run(checkout::expire_uncollected).unwrap();
        }
        let ended = shop.read(move |tx| checkout::read(tx, &Actor::system(), which.0)).unwrap();
        assert_eq!((ended.order.state, ended.sums.kept()), (OrderState::Cancelled, 0));
        assert_eq!(ground.counts(1), [3, 0, 0, 0]);
        let visit = shop.read(move |tx| visit::read(tx, &Actor::system(), which)).unwrap();
        assert_eq!(visit.visit.state, domain::fulfilment::Visit::NoShow);
    });
}

#[test]
fn half_a_set_that_nobody_collects_is_held_once_for_a_person_to_decide() {
    on_every_engine(|shop| {
        let mut ground = Ground::open(shop, [0, 1, 0]);
        let (mug, saucer) = (ground.mug, ground.retailer.sell(shop, "SAUCER", 300));
        ground.retailer.stock(shop, saucer, 1, 1);
        ground.mug = ground.retailer.sell_kit(shop, "SET", &[(mug, 1), (saucer, 1)], 700);
        let whole = ground.order(1, Some(1));
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        shop.run(move |tx, actor, world| pick::short(tx, actor, world, which, &vec![(saucer, 1)])).unwrap();
        shop.run(move |tx, actor, world| visit::ready(tx, actor, world, which)).unwrap();
        shop.pass(7 * 86_400);
        for _ in 0..3 {
            assert!(!shop.run(checkout::expire_uncollected).unwrap());
        }
        let part = ground.parts(which.0).into_iter().find(|one| one.id == which.1).unwrap();
        assert_eq!((part.state, part.on_hold.is_some()), (State::Ready, true));
        let told = ["order.partly_cancelled", "fulfilment.held"].map(|kind| ground.told(which.0, kind));
        assert_eq!(told, [0, 1]);
    });
}
