//! Parcels that never came: claimed from the carrier, and found after all.

use domain::Code;
use domain::fulfilment::parcel::CarrierKind;
use domain::order::PaymentStatus;
use domain::returns::claim::{CarrierState, Found, Kind, Remedy, State, Whereabouts};
use domain::stock::State as Stock;
use domain::value::Id;
use domain::value::hours::CutOffs;
use domain::value::id::{self, OrderLine};
use engine::checkout;
use engine::fulfilment::carrier::{self, NewCarrier};
use engine::fulfilment::parcel::{self, NewParcel, Parcel};
use engine::fulfilment::track;
use engine::returns::claim::found::{self, Said};
use engine::returns::claim::{Claim, Request};
use engine::{Failure, job};
use sim::on_every_engine;

use super::desk::Desk;
use crate::changing::{code_of, told};

fn own_van(desk: &Desk<'_>) -> Id<id::Carrier> {
    let new = NewCarrier {
        code: "own-van".into(),
        name: "Own van".into(),
        external_id: None,
        kind: CarrierKind::OwnVan,
        tracking_url: None,
        url: None,
        secret: None,
        services: Vec::new(),
        collections: CutOffs::parse("mo-fr 15:00").expect("it is done"),
        attempts_max: 2,
    };
    desk.ground
        .shop
        .run(move |tx, actor, world| carrier::create(tx, actor, world, new.clone()))
        .expect("it is done")
        .id
}

/// So many mugs on their way in one parcel of our own van.
fn on_its_way(desk: &Desk<'_>, van: Id<id::Carrier>, mugs: i64) -> (Parcel, Id<OrderLine>) {
    let whole = desk.ground.order(mugs, None);
    let which = (whole.order.id, whole.fulfilment_orders[0].id);
    desk.ground.pick(&whole, mugs);
    let packed = desk.ground.shop.run(move |tx, actor, world| {
        parcel::pack(tx, actor, world, which, &NewParcel { carrier: Some(van), ..NewParcel::default() })
    });
    let packed = packed.expect("it is done");
    let id = (packed.order, packed.id);
    desk.ground
        .shop
        .run(move |tx, actor, world| checkout::ship_parcel(tx, actor, world, id, None))
        .expect("it is done");
    (packed, whole.lines[0].id)
}

fn lost(desk: &Desk<'_>, parcel: &Parcel, line: (Id<OrderLine>, i64)) -> Result<Claim, Failure> {
    desk.ask(Request { parcel: Some(parcel.id), ..desk.request(parcel.order, Kind::Lost, &[line]) })
}

fn attempt(desk: &Desk<'_>, parcel: &Parcel, delivered: bool) {
    let which = (parcel.order, parcel.id);
    let tried = desk
        .ground
        .shop
        .run(move |tx, actor, world| track::attempt(tx, actor, world, which, (delivered, None)));
    tried.expect("an attempt");
}

fn work(desk: &Desk<'_>) {
    while job::turn(&desk.ground.shop.shop, &job::registry()).expect("jobs are done") > 0 {}
}

fn settle(
    desk: &Desk<'_>,
    id: Id<id::Claim>,
    whereabouts: Whereabouts,
    place: Option<usize>,
) -> Result<Claim, Failure> {
    let location = place.map(|place| desk.ground.retailer.locations[place]);
    desk.ground.shop.run(move |tx, actor, world| found::settle(tx, actor, world, id, (whereabouts, location)))
}

fn said(
    desk: &Desk<'_>,
    id: Id<id::Claim>,
    state: CarrierState,
    paid: Option<i64>,
) -> Result<Claim, Failure> {
    let said = Said { state, reference: Some("CL-1".into()), paid };
    desk.ground.shop.run(move |tx, actor, world| found::carrier_said(tx, actor, world, id, said.clone()))
}

#[test]
fn a_lost_parcel_is_paid_back_with_its_delivery_and_claimed_from_the_carrier() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let (parcel, line) = on_its_way(&desk, own_van(&desk), 2);
        let unnamed = desk.claim(parcel.order, Kind::Lost, &[(line, 1)]);
        assert_eq!(told(unnamed), "invalid: lines.0.quantity: name the parcel that did not come");
        let faulty =
            Request { parcel: Some(parcel.id), ..desk.request(parcel.order, Kind::Faulty, &[(line, 1)]) };
        assert_eq!(code_of(desk.ask(faulty)), Some(Code::Invalid), "that is not the parcel's fault");
        let one = lost(&desk, &parcel, (line, 2)).unwrap();
        let wanted = one.carrier.clone().expect("a carrier is liable");
        assert_eq!((one.state, wanted.state, wanted.amount), (State::Approved, CarrierState::Open, 1000));
        let done = desk.resolve(one.id, Remedy::Refund).unwrap();
        assert_eq!(done.refund, 1000 + 399, "the delivery goes back with the last of the goods");
        let whole = desk.ground.read(parcel.order);
        assert_eq!((whole.payment_status(), whole.sums.kept()), (PaymentStatus::Refunded, 0));
        assert_eq!((desk.world(Stock::Shrinkage), desk.world(Stock::Customer)), (2, 0));

        assert_eq!(
            code_of(said(&desk, one.id, CarrierState::Paid, None)),
            Some(Code::WrongState),
            "not filed"
        );
        assert_eq!(
            said(&desk, one.id, CarrierState::Filed, None).unwrap().carrier.unwrap().reference.as_deref(),
            Some("CL-1")
        );
        assert_eq!(code_of(said(&desk, one.id, CarrierState::Paid, Some(1001))), Some(Code::AmountExceeded));
        let paid = said(&desk, one.id, CarrierState::Paid, Some(800)).unwrap().carrier.unwrap();
        assert_eq!((paid.state, paid.paid), (CarrierState::Paid, 800));
        assert_eq!(code_of(said(&desk, one.id, CarrierState::Withdrawn, None)), Some(Code::WrongState));
    });
}

#[test]
fn a_lost_parcel_that_comes_late_goes_to_a_person() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let van = own_van(&desk);
        let (parcel, line) = on_its_way(&desk, van, 2);
        let one = lost(&desk, &parcel, (line, 2)).unwrap();
        desk.resolve(one.id, Remedy::Refund).unwrap();
        assert_eq!(
            code_of(settle(&desk, one.id, Whereabouts::Kept, None)),
            Some(Code::WrongState),
            "it is lost"
        );
        attempt(&desk, &parcel, true);
        work(&desk);
        assert_eq!(desk.read(one.id).found.map(|(found, _)| found), Some(Found::Delivered));
        let kept = settle(&desk, one.id, Whereabouts::Kept, None).unwrap();
        assert_eq!(kept.whereabouts, Some(Whereabouts::Kept));
        assert_eq!((desk.world(Stock::Shrinkage), desk.world(Stock::Customer)), (0, 2));
        assert_eq!(code_of(settle(&desk, one.id, Whereabouts::Kept, None)), Some(Code::WrongState), "once");
        assert_eq!(
            code_of(desk.bring_back(parcel.order, line, 1)),
            Some(Code::WrongState),
            "it was paid back"
        );

        let (parcel, line) = on_its_way(&desk, van, 1);
        let one = lost(&desk, &parcel, (line, 1)).unwrap();
        desk.resolve(one.id, Remedy::Replacement).unwrap();
        attempt(&desk, &parcel, false);
        attempt(&desk, &parcel, false);
        work(&desk);
        assert_eq!(desk.read(one.id).found.map(|(found, _)| found), Some(Found::Returned));
        assert_eq!(
            desk.ground.read(parcel.order).sums.refunded,
            0,
            "others are on their way: no money goes back"
        );
        assert_eq!(code_of(settle(&desk, one.id, Whereabouts::Restocked, None)), Some(Code::Invalid));
        settle(&desk, one.id, Whereabouts::Restocked, Some(1)).unwrap();
        let quality = desk.ground.retailer.count(shop, desk.ground.mug, 1, Stock::Quality);
        assert_eq!((quality, desk.world(Stock::Shrinkage)), (1, 0));
    });
}

#[test]
fn a_parcel_that_nobody_says_any_more_is_lost_is_an_ordinary_one_again() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let van = own_van(&desk);
        for early in [true, false] {
            let (parcel, line) = on_its_way(&desk, van, 1);
            let one = lost(&desk, &parcel, (line, 1)).unwrap();
            let gone = || desk.withdraw_as(&desk.ground.customer(), one.id).unwrap();
            if early {
                assert_eq!(gone().carrier.unwrap().state, CarrierState::Withdrawn);
            }
            attempt(&desk, &parcel, false);
            attempt(&desk, &parcel, false);
            work(&desk);
            if !early {
                assert_eq!(desk.ground.read(parcel.order).sums.refunded, 0, "it is claimed");
                gone();
                work(&desk);
            }
            let whole = desk.ground.read(parcel.order);
            assert_eq!((whole.sums.refunded, whole.lines[0].returned), (500, 1), "taken back as any other");
        }
        assert_eq!(desk.world(Stock::Shrinkage), 0);
    });
}

#[test]
fn a_parcel_is_claimed_no_more_than_it_held() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let van = own_van(&desk);
        let (parcel, line) = on_its_way(&desk, van, 2);
        let one = lost(&desk, &parcel, (line, 1)).unwrap();
        desk.resolve(one.id, Remedy::Replacement).unwrap();
        let open = desk.ground.open_parts(parcel.order)[0].id;
        desk.ground.ship(parcel.order, open).unwrap();
        let much = lost(&desk, &parcel, (line, 2));
        assert_eq!(told(much), "wrong_state: lines.0.quantity: 1 in the parcel can be claimed, 2 asked");
        lost(&desk, &parcel, (line, 1)).unwrap();
        let (other, _) = on_its_way(&desk, van, 1);
        let foreign =
            Request { parcel: Some(other.id), ..desk.request(parcel.order, Kind::Lost, &[(line, 1)]) };
        assert_eq!(code_of(desk.ask(foreign)), Some(Code::NotFound), "it is of another order");
    });
}
