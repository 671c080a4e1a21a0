//! Goods leave in one or several parcels, at once or one after the other; by our own van, which comes back after the last attempt.

use domain::Code;
use domain::actor::Actor;
use domain::fulfilment::State;
use domain::fulfilment::parcel::{CarrierKind, Label, State as Standing, Tracked};
use domain::market::{CapturePolicy, PaymentKind};
use domain::order::{CancelReason, PaymentStatus, State as OrderState};
use domain::stock::State as Stock;
use domain::value::hours::CutOffs;
use domain::value::id::{self, Carrier};
use domain::value::{Id, LocalDay};
use engine::checkout::{self, Leaving, Tender, Whole};
use engine::fulfilment::carrier::{self, NewCarrier};
use engine::fulfilment::parcel::{self, NewParcel, Parcel};
use engine::fulfilment::{label, pick, pool, track};
use engine::payment::{self, Operation, Verdict};
use engine::{Failure, job};
use sim::{TestShop, on_every_engine};

use super::ground::{Ground, code_of};

fn pack(ground: &Ground<'_>, which: pick::Which, new: &NewParcel) -> Result<Parcel, Failure> {
    let new = new.clone();
    // Ids are in the order of time: the next thing is made a second later.
    ground.shop.pass(1);
    ground.shop.run(move |tx, actor, world| parcel::pack(tx, actor, world, which, &new))
}

/// So many mugs in a parcel.
fn mugs(ground: &Ground<'_>, pieces: i64) -> NewParcel {
    NewParcel { goods: Some(vec![(ground.mug, pieces)]), ..NewParcel::default() }
}

fn ship(ground: &Ground<'_>, parcel: &Parcel) -> Result<Whole, Failure> {
    let which = (parcel.order, parcel.id);
    ground
        .shop
        .run(move |tx, actor, world| checkout::ship_parcel(tx, actor, world, which, Some("JD9".into())))
}

fn parcels(shop: &TestShop, order: Id<id::Order>) -> Vec<Parcel> {
    shop.read(move |tx| parcel::list(tx, &Actor::system(), order)).unwrap()
}

fn own_van(shop: &TestShop) -> Id<Carrier> {
    let new = NewCarrier {
        code: "own-van".into(),
        name: "Own van".into(),
        external_id: None,
        kind: CarrierKind::OwnVan,
        tracking_url: None,
        url: None,
        secret: None,
        services: Vec::new(),
        collections: CutOffs::parse("mo-fr 15:00").unwrap(),
        attempts_max: 3,
    };
    shop.run(move |tx, actor, world| carrier::create(tx, actor, world, new.clone())).unwrap().id
}

#[test]
fn two_parcels_leave_one_after_the_other_and_each_takes_its_money() {
    on_every_engine(|shop| {
        let ground = Ground::open_taking(shop, [5, 0, 0], CapturePolicy::AtFulfilment);
        let card = Tender {
            kind: PaymentKind::Test,
            amount: None,
            provider_token: Some("tok_ok".into()),
            card: None,
            gift_card: None,
        };
        let whole = ground.order_by(&[(ground.mug, 3)], None, card);
        let (order, paid) = (whole.order.id, whole.payments[0].id);
        shop.run(move |tx, actor, world| {
            let done = Verdict::Done { reference: Some("tp_1".into()) };
            payment::outcome(tx, actor, world, paid, Operation::Authorise, &done)?;
            checkout::payment_changed(tx, actor, world, order)
        })
        .unwrap();
        let which = (order, whole.fulfilment_orders[0].id);
        assert_eq!(
            code_of(pack(&ground, which, &NewParcel::default())),
            Some(Code::WrongState),
            "not picked"
        );
        ground.pick(which, 3).unwrap();
        assert_eq!(
            code_of(pack(&ground, which, &mugs(&ground, 4))),
            Some(Code::WrongState),
            "three are picked"
        );
        let first = pack(&ground, which, &mugs(&ground, 1)).unwrap();
        assert_eq!((first.size.weight_grams, first.label), (120, Label::None), "what a mug weighs");
        let second =
            pack(&ground, which, &NewParcel { weight_grams: Some(300), ..NewParcel::default() }).unwrap();
        assert_eq!(second.lines[0].quantity, 2, "everything else");
        assert_eq!(ground.parts(order)[0].state, State::Packed, "all is in parcels");
        let capturing = |whole: &Whole| whole.payments[0].amounts.capturing;
        let gone = ship(&ground, &first).unwrap();
        assert_eq!((gone.order.state, capturing(&gone)), (OrderState::Placed, 399 + 500));
        assert_eq!(code_of(ship(&ground, &first)), Some(Code::WrongState), "it left");
        let states: Vec<_> =
            gone.fulfilment_orders.iter().map(|one| (one.state, one.lines[0].quantity)).collect();
        assert_eq!(states, [(State::Packed, 2), (State::Shipped, 1)]);
        let done = ground.leave_as(which, Leaving::default()).unwrap();
        assert_eq!((done.order.state, capturing(&done)), (OrderState::Completed, 399 + 1500));
        let left = parcels(shop, order);
        assert!(left.iter().all(|one| one.state == Standing::Shipped));
        assert_eq!(left[0].tracking.as_deref(), Some("JD9"));
        assert_eq!(ground.counts(0), [2, 0, 0, 0]);
    });
}

#[test]
fn what_is_cancelled_or_refused_is_unpacked() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [4, 0, 0]);
        let whole = ground.order(3, None);
        let (order, which) = (whole.order.id, (whole.order.id, whole.fulfilment_orders[0].id));
        let line = whole.lines[0].id;
        ground.pick(which, 3).unwrap();
        let first = pack(&ground, which, &mugs(&ground, 1)).unwrap();
        let second = pack(&ground, which, &mugs(&ground, 1)).unwrap();
        let part_cancelled = checkout::Cancel {
            order,
            lines: Some(vec![(line, 2)]),
            part: None,
            reason: CancelReason::Customer,
        };
        shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, part_cancelled.clone())).unwrap();
        let states = || parcels(shop, order).iter().map(|one| one.state).collect::<Vec<_>>();
        assert_eq!(states(), [Standing::Packed, Standing::Void], "one piece is left, and one parcel");
        assert_eq!(code_of(ship(&ground, &second)), Some(Code::WrongState));
        let unpack = (order, first.id);
        shop.run(move |tx, actor, world| parcel::unpack(tx, actor, world, unpack)).unwrap();
        assert_eq!(
            code_of(shop.run(move |tx, actor, world| parcel::unpack(tx, actor, world, unpack))),
            Some(Code::WrongState)
        );
        pack(&ground, which, &NewParcel::default()).unwrap();
        shop.run(move |tx, actor, world| pool::reject(tx, actor, world, which, "closing early")).unwrap();
        assert_eq!(states(), [Standing::Void; 3]);
        ground.cancel(order, CancelReason::Stock);
    });
}

#[test]
fn goods_in_no_parcel_do_not_leave_with_the_others() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [4, 0, 0]);
        let whole = ground.order(2, None);
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        ground.pick(which, 2).unwrap();
        let wrong = NewParcel { weight_grams: Some(0), edges_mm: Some((0, 1, 20_000)), ..mugs(&ground, 1) };
        let refused = pack(&ground, which, &wrong).unwrap_err().to_string();
        assert!(refused.contains("length_mm"), "{refused}");
        let one = pack(&ground, which, &mugs(&ground, 1)).unwrap();
        assert_eq!(
            code_of(ground.leave(which.0, which.1, None)),
            Some(Code::WrongState),
            "one is in no parcel"
        );
        ship(&ground, &one).unwrap();
        ground.leave(which.0, which.1, None).unwrap();
    });
}

#[test]
fn our_own_van_tries_three_times_and_brings_the_parcel_back() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [4, 0, 0]);
        let (van, leeds) = (own_van(shop), ground.retailer.locations[0]);
        let whole = ground.order(2, None);
        let (order, which) = (whole.order.id, (whole.order.id, whole.fulfilment_orders[0].id));
        ground.pick(which, 2).unwrap();
        let by_van = NewParcel { carrier: Some(van), ..NewParcel::default() };
        let packed = pack(&ground, which, &by_van).unwrap();
        assert_eq!(
            (packed.label, packed.collected_on.map(|day| day.to_string())),
            (Label::Ready, Some("2026-06-01".into()))
        );
        let id = (order, packed.id);
        let printed = shop.run(move |tx, actor, world| label::label(tx, actor, world, id)).unwrap();
        assert_eq!(printed.to, ["Ada Quince", "1 Kirkgate", "Leeds", "LS1 4DY"]);
        assert_eq!(Some(&printed.tracking), packed.tracking.as_ref());
        let try_it = |delivered| {
            shop.run(move |tx, actor, world| track::attempt(tx, actor, world, id, (delivered, None)))
        };
        assert_eq!(code_of(try_it(true)), Some(Code::WrongState), "it has not left");
        ship(&ground, &packed).unwrap();
        let manifest =
            shop.run(move |tx, actor, world| carrier::close(tx, actor, world, (van, leeds))).unwrap();
        assert_eq!(manifest.parcels, 1);
        assert_eq!(
            code_of(shop.run(move |tx, actor, world| carrier::close(tx, actor, world, (van, leeds)))),
            Some(Code::WrongState)
        );
        for day in ["2026-06-02", "2026-06-03"] {
            let tried = try_it(false).unwrap();
            assert_eq!(
                tried.collected_on.map(|day| day.to_string()).as_deref(),
                Some(day),
                "on the next tour"
            );
            let day = LocalDay::parse(day).unwrap();
            let tour = shop.read(move |tx| {
                track::tour(tx, &Actor::system(), (van, leeds, day), Id::from_bytes([0; 16]), 10)
            });
            assert_eq!(tour.unwrap().len(), 1);
            shop.pass(86_400);
        }
        let back = try_it(false).unwrap();
        assert_eq!(
            (back.state, back.attempts, back.tracked),
            (Standing::Returned, 3, Some(Tracked::Returned))
        );
        while job::turn(&shop.shop, &job::registry()).unwrap() > 0 {}
        assert_eq!(
            ground.retailer.count(shop, ground.mug, 0, Stock::Quality),
            2,
            "looked at before they are sold again"
        );
        let end = shop.read(move |tx| checkout::read(tx, &Actor::system(), order)).unwrap();
        assert_eq!(
            (end.payment_status(), end.sums.refunded),
            (PaymentStatus::PartlyRefunded, 1000),
            "the delivery was done"
        );
        assert_eq!(code_of(try_it(true)), Some(Code::WrongState), "it is back");
    });
}

#[test]
fn our_own_van_delivers_the_last_parcel_and_with_it_the_order() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [4, 0, 0]);
        let van = own_van(shop);
        let whole = ground.order(2, None);
        let (order, which) = (whole.order.id, (whole.order.id, whole.fulfilment_orders[0].id));
        ground.pick(which, 2).unwrap();
        let both = [1, 1].map(|pieces| {
            pack(&ground, which, &NewParcel { carrier: Some(van), ..mugs(&ground, pieces) }).unwrap()
        });
        ground.leave(order, which.1, None).unwrap();
        let state = || ground.parts(order)[0].state;
        for (number, one) in both.iter().enumerate() {
            assert_eq!(state(), State::Shipped, "{number} of two are there");
            let id = (order, one.id);
            shop.run(move |tx, actor, world| track::attempt(tx, actor, world, id, (true, None))).unwrap();
        }
        assert_eq!(state(), State::Delivered);
    });
}

#[test]
fn a_parcel_that_holds_more_than_there_is_is_found() {
    let shop = TestShop::on_sqlite(1);
    let ground = Ground::open(&shop, [4, 0, 0]);
    let whole = ground.order(2, None);
    let which = (whole.order.id, whole.fulfilment_orders[0].id);
    ground.pick(which, 2).unwrap();
    let sound = pack(&ground, which, &mugs(&ground, 1)).unwrap();
    shop.must_tally();
    let mut planted = Parcel { id: Id::from_bytes([9; 16]), ..sound };
    planted.lines[0].quantity = 2;
    shop.run(move |tx, _, _| Ok::<_, Failure>(store::fulfilment::parcel::add(tx, &planted)?)).unwrap();
    let report = shop.read(|tx| engine::check::check(tx, [7; 32], &mut |_, _| {})).unwrap();
    let told: Vec<_> =
        report.differences.iter().map(|one| (one.check, one.expected.as_str(), one.found.as_str())).collect();
    assert_eq!(told, [("parcels", "at most 2 in parcels", "3")]);
}
