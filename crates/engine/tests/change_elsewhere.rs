//! Changes that send goods elsewhere: what the new pickup store lacks is sent there from others, and labels for the old address are given
//! back.

use crate::changing;
use crate::changing::{Ground, address, told, units};
use domain::actor::Actor;
use domain::fulfilment::State as Part;
use domain::fulfilment::parcel::{CarrierKind, Label, State as Standing};
use domain::order::State as Ended;
use domain::value::hours::CutOffs;
use domain::value::{Id, id};
use engine::change::{self, Action};
use engine::checkout::{self, Leaving};
use engine::fulfilment::carrier::{self, NewCarrier};
use engine::fulfilment::parcel::{self, NewParcel};
use engine::fulfilment::{inbound, visit};
use engine::transfer::receive::Received;
use engine::transfer::send::{self, Shipping};
use sim::{TestShop, on_every_engine};

const DAY: i64 = 86_400;

/// Stores that send each other what is collected, within two days.
fn ground(shop: &TestShop) -> Ground<'_> {
    let ground = Ground::open(shop);
    ground.retailer.sending(shop, 2);
    ground
}

/// Has an order collected at this place: whether something is to be sent there, and its only open part.
fn collect_at(ground: &Ground<'_>, order: Id<id::Order>, place: usize) -> (bool, Part) {
    let shown = ground.preview(order, vec![Action::Delivery(ground.choice(Some(place)))]).expect("shown");
    let expected = ground.shop.shop.source.now().plus_seconds(2 * DAY);
    assert!(shown.after.expected_at.is_none_or(|at| at == expected));
    ground.confirm(&shown, Vec::new()).expect("done");
    let open = ground.open_parts(order);
    assert_eq!((open.len(), open[0].location), (1, Some(ground.retailer.locations[place])));
    assert_eq!(open[0].expected_at, shown.after.expected_at, "as it was shown");
    (shown.after.expected_at.is_some(), open[0].state)
}

#[test]
fn what_the_other_store_lacks_is_sent_there() {
    on_every_engine(|shop| {
        let ground = ground(shop);
        let order = ground.order(3, None).order.id;
        assert_eq!(collect_at(&ground, order, 2), (true, Part::AwaitingTransfer));
        assert_eq!(
            ground.counts(ground.mug, 0),
            [2, 3, 0],
            "leeds sends hull what it was to send the customer"
        );
        assert_eq!(ground.retailer.coming(shop, 2).len(), 1);
        assert_eq!(collect_at(&ground, order, 1), (false, Part::Open));
        assert_eq!((ground.counts(ground.mug, 0), ground.counts(ground.mug, 1)), ([5, 0, 0], [2, 3, 0]));
        assert!(ground.retailer.coming(shop, 2).is_empty(), "nothing is sent for nobody");
        assert_eq!(collect_at(&ground, order, 2), (true, Part::AwaitingTransfer));

        let part = ground.open_parts(order)[0].clone();
        let transfer = ground.retailer.coming(shop, 2)[0].id;
        let got = [Received { variant: ground.mug, pieces: 3, state: domain::stock::State::Available }];
        shop.run(move |tx, actor, world| send::ship(tx, actor, world, transfer, Shipping::default()))
            .unwrap();
        shop.run(move |tx, actor, world| inbound::receive(tx, actor, world, transfer, &got)).unwrap();
        shop.run(move |tx, actor, world| visit::ready(tx, actor, world, (order, part.id))).unwrap();
        let code = shop.read(move |tx| visit::read(tx, &Actor::system(), (order, part.id))).unwrap().code;
        let leaving = Leaving { proof: (code.map(visit::Proof::Code), None), ..Leaving::default() };
        let left = shop
            .run(move |tx, actor, world| checkout::fulfil(tx, actor, world, order, part.id, leaving.clone()));
        assert_eq!((left.unwrap().order.state, ground.counts(ground.mug, 2)), (Ended::Completed, [0, 0, 0]));
    });
}

#[test]
fn what_is_there_waits_for_what_is_sent_and_the_customer_comes_once() {
    on_every_engine(|shop| {
        let ground = ground(shop);
        ground.order(3, Some(1));
        let order = ground.order(4, None).order.id;
        assert_eq!((ground.counts(ground.mug, 0), ground.counts(ground.mug, 1)), ([1, 4, 0], [2, 3, 0]));
        let shown = ground.preview(order, vec![Action::Delivery(ground.choice(Some(1)))]).unwrap();
        assert_eq!(ground.counts(ground.mug, 1), [0, 3, 0], "two are kept at the store");
        assert_eq!(ground.promisable(ground.mug), 1, "its own two at leeds need not be kept");
        ground.confirm(&shown, Vec::new()).unwrap();
        assert_eq!((ground.counts(ground.mug, 0), ground.counts(ground.mug, 1)), ([3, 2, 0], [0, 5, 0]));
        let open = ground.open_parts(order);
        assert_eq!((open.len(), open[0].state), (1, Part::AwaitingTransfer));
        // A second change while some of it is still at the sender: all of it is had at once again.
        assert_eq!(collect_at(&ground, order, 0), (false, Part::Open));
        assert_eq!((ground.counts(ground.mug, 0), ground.counts(ground.mug, 1)), ([1, 4, 0], [2, 3, 0]));
    });
}

#[test]
fn what_is_put_in_goes_with_what_goes_elsewhere() {
    on_every_engine(|shop| {
        let ground = ground(shop);
        let order = ground.order(2, None).order.id;
        let put_in = Action::Add(ground.line(ground.lamp, 1));
        let shown = ground.preview(order, vec![put_in, Action::Delivery(ground.choice(Some(2)))]).unwrap();
        ground.confirm(&shown, Vec::new()).unwrap();
        let open = ground.open_parts(order);
        assert_eq!((open.len(), open[0].lines.len()), (1, 2), "the customer comes once");
        assert_eq!(ground.retailer.coming(shop, 2).len(), 1, "and leeds sends once");
    });
}

#[test]
fn what_nobody_can_send_is_refused_and_what_is_kept_is_free_again() {
    on_every_engine(|shop| {
        let ground = ground(shop);
        let order = ground.order(1, Some(2)).order.id;
        let add = |lamps| vec![Action::Add(ground.line(ground.lamp, lamps))];
        let refused = told(ground.preview(order, add(5)));
        assert_eq!(refused, "out_of_stock: actions: 4 of sku LAMP can be had, 5 asked");
        let shown = ground.preview(order, add(4)).unwrap();
        assert_eq!((ground.promisable(ground.lamp), shown.to_pay), (0, 4 * 1200));
        let which = (order, shown.id);
        shop.run(move |tx, actor, world| change::decline(tx, actor, world, which)).unwrap();
        assert_eq!(ground.promisable(ground.lamp), 4);
        let left = ground.preview(order, add(1)).unwrap();
        ground.confirm(&left, vec![changing::tender(domain::market::PaymentKind::Cash)]).unwrap();
        assert_eq!(ground.retailer.coming(shop, 2).len(), 2);
    });
}

#[test]
fn a_label_for_the_old_address_is_given_back_by_the_change() {
    on_every_engine(|shop| {
        let ground = ground(shop);
        let van = NewCarrier {
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
        let van =
            shop.run(move |tx, actor, world| carrier::create(tx, actor, world, van.clone())).unwrap().id;
        let whole = ground.order(3, None);
        let (order, part) = (whole.order.id, whole.fulfilment_orders[0].id);
        ground.pick(&whole, 3);
        let new = NewParcel { weight_grams: Some(900), carrier: Some(van), ..NewParcel::default() };
        let pack = new.clone();
        shop.run(move |tx, actor, world| parcel::pack(tx, actor, world, (order, part), &pack)).unwrap();
        let parcels = || shop.read(move |tx| parcel::list(tx, &Actor::system(), order)).unwrap();
        let actions = vec![Action::Address(address("9 Coney Street", "YO1 9QL"))];
        let shown = ground.preview(order, actions).unwrap();
        assert_eq!(parcels()[0].label, Label::Ready, "what is shown changes nothing");
        ground.confirm(&shown, Vec::new()).unwrap();
        assert_eq!((parcels()[0].state, parcels()[0].label), (Standing::Void, Label::Void));
        let whole = ground.read(order);
        let part = ground.open_parts(order)[0].id;
        let mug = ground.mug;
        shop.run(move |tx, actor, world| {
            engine::fulfilment::pick::pick(tx, actor, world, (order, part), &vec![(mug, 3)])
        })
        .unwrap();
        shop.run(move |tx, actor, world| parcel::pack(tx, actor, world, (order, part), &new)).unwrap();
        assert_eq!(parcels().iter().filter(|one| one.state == Standing::Packed).count(), 1);
        let note = ground.preview(order, vec![Action::Note(Some("ring twice".into()))]).unwrap();
        ground.confirm(&note, Vec::new()).unwrap();
        assert_eq!(parcels()[1].label, Label::Ready, "a note needs no other label");
        let less = ground.preview(order, vec![Action::Remove(whole.lines[0].id, units(1))]).unwrap();
        assert_eq!((less.to_pay, less.to_refund), (0, 500));
        ground.confirm(&less, Vec::new()).unwrap();
        assert_eq!(parcels()[1].label, Label::Void, "two do not fill a parcel of three");
    });
}
