//! Parcels given to a carrier, told as stories over real connections: the shop's API, its jobs, and the test carrier, all on loopback.

use std::time::Duration;

use crate::running::Running;
use connect::call::Caller;
use connect::carrier::{Carriers, TestClient};
use connect::test_carrier::{Settings, TestCarrier};
use domain::actor::Actor;
use domain::contact::{Card, Draft};
use domain::fulfilment::State as Part;
use domain::fulfilment::parcel::{CarrierKind, Label, State, Tracked};
use domain::market::PaymentKind;
use domain::stock::State as Stock;
use domain::value::hours::CutOffs;
use domain::value::id::{Carrier, Variant};
use domain::value::{Id, Quantity, Reference};
use engine::cart::{self, Choice, Details, Named, NewCart, NewLine};
use engine::checkout::{self, Checkout, Tender};
use engine::fulfilment::carrier::{self, NewCarrier};
use engine::fulfilment::parcel::{self, NewParcel, Parcel, Told, Which};
use engine::fulfilment::pick;
use engine::job;
use engine::signature::Secret;
use serde_json::json;
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A shop that serves and does its jobs, and a carrier beside it.
struct Street<'s> {
    shop: &'s TestShop,
    retailer: Retailer,
    mug: Id<Variant>,
    carrier: Id<Carrier>,
    company: TestCarrier,
    webhook_url: String,
    running: Running,
}

impl<'s> Street<'s> {
    fn open(shop: &'s TestShop, webhooks: bool) -> Street<'s> {
        let mut running = Running::new();
        let (shop_listener, shop_address) = running.listen();
        let (carrier_listener, carrier_address) = running.listen();
        let webhook_url = format!("http://{shop_address}/v1/carriers/test/webhooks");
        let company = TestCarrier::new(Settings {
            webhook_url: webhooks.then(|| webhook_url.clone()),
            secret: SECRET.into(),
            source: shop.simulated.clone(),
            step: Duration::from_millis(40),
            hang_for: Duration::from_millis(1500),
        });
        let retailer = Retailer::open(shop, &["leeds"]);
        retailer.web(shop);
        retailer.parcel(shop, 399, &["web"]);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 100);
        let new = NewCarrier {
            code: "test".into(),
            name: "Test carrier".into(),
            external_id: Some("test".into()),
            kind: CarrierKind::Test,
            tracking_url: None,
            url: Some(TestCarrier::base_url(carrier_address)),
            secret: Some(SECRET.into()),
            services: vec!["standard".into(), "express".into()],
            collections: CutOffs::parse("mo-su 16:00").unwrap(),
            attempts_max: 3,
        };
        let carrier =
            shop.run(move |tx, actor, world| carrier::create(tx, actor, world, new.clone())).unwrap().id;
        let client = TestClient::new(Caller::new(Duration::from_millis(400)));
        let client = Carriers::new(client, shop.shop.keyring.clone());
        let handlers = connect::Handlers::new(job::registry()).with(client);
        let (serving, until) = (company.clone(), running.until_stopped());
        running.spawn(async move { serving.serve(carrier_listener, until).await.unwrap() });
        running.serve(shop, shop_listener, handlers);
        Street { shop, retailer, mug, carrier, company, webhook_url, running }
    }

    /// A parcel with a mug in it that weighs so much, which decides what becomes of it.
    fn pack(&self, weight_grams: i64, service: Option<&str>) -> Which {
        let draft = Draft {
            name: Some("Ada Quince".into()),
            street: vec!["1 Kirkgate".into()],
            city: Some("Leeds".into()),
            country: Some("GB".into()),
            ..Draft::default()
        };
        let choice = Choice { method: Reference::External("parcel".into()), location: None };
        let details = Details {
            contact: Some(Card::new(&draft).unwrap()),
            delivery: Some(Some(choice)),
            ..Details::default()
        };
        let line = NewLine {
            variant: Named::Reference(Reference::Id(self.mug)),
            quantity: Quantity::new(1).unwrap(),
            unit_price: None,
        };
        let new = NewCart {
            channel: Reference::External("web".into()),
            currency: None,
            lines: vec![line],
            details,
        };
        let (carrier, mug, service) = (self.carrier, self.mug, service.map(str::to_owned));
        let packed = self.shop.run(move |tx, actor, world| {
            let cart = cart::create(tx, actor, world, new.clone())?.id;
            let cash = Tender {
                kind: PaymentKind::Cash,
                amount: None,
                provider_token: None,
                card: None,
                gift_card: None,
            };
            let input = Checkout {
                cart,
                expected_total: None,
                tenders: vec![cash],
                serve_from: None,
                placed_at: None,
                external_id: None,
            };
            let whole = checkout::place(tx, actor, world, input)?;
            let which = (whole.order.id, whole.fulfilment_orders[0].id);
            pick::pick(tx, actor, world, which, &vec![(mug, 1)])?;
            let new = NewParcel {
                weight_grams: Some(weight_grams),
                carrier: Some(carrier),
                service: service.clone(),
                ..NewParcel::default()
            };
            parcel::pack(tx, actor, world, which, &new)
        });
        let packed = packed.unwrap();
        (packed.order, packed.id)
    }

    fn read(&self, which: Which) -> (Parcel, Vec<Told>) {
        self.shop.read(move |tx| parcel::read(tx, &Actor::system(), which)).unwrap()
    }

    /// Waits in real time until the parcel is as expected; so many simulated seconds pass with each look.
    fn wait(
        &self,
        which: Which,
        seconds: i64,
        expected: impl Fn(&Parcel, &[Told]) -> bool,
    ) -> (Parcel, Vec<Told>) {
        for _ in 0..750 {
            let (parcel, told) = self.read(which);
            if expected(&parcel, &told) {
                return (parcel, told);
            }
            self.shop.pass(seconds);
            self.running.rest(Duration::from_millis(20));
        }
        panic!("not as expected in fifteen seconds: {:?}", self.read(which));
    }

    fn ship(&self, which: Which) {
        self.wait(which, 1, |parcel, _| parcel.label == Label::Ready);
        self.shop.run(move |tx, actor, world| checkout::ship_parcel(tx, actor, world, which, None)).unwrap();
    }

    /// Sends the shop a webhook; answers the status.
    fn webhook(&self, secret: &Secret, id: &str, body: &str) -> u16 {
        let timestamp = self.shop.shop.source.now().micros() / 1_000_000;
        let signature = secret.sign(id, timestamp, body.as_bytes());
        let timestamp = timestamp.to_string();
        let headers =
            [("webhook-id", id), ("webhook-timestamp", &timestamp), ("webhook-signature", &signature)];
        let caller = Caller::new(Duration::from_secs(5));
        let call = caller.post(&self.webhook_url, &headers, body.to_owned());
        self.running.runtime.block_on(call).unwrap().0.as_u16()
    }
}

#[test]
fn a_parcel_is_labelled_carried_and_delivered_however_it_is_told() {
    on_every_engine(|shop| {
        let street = Street::open(shop, true);
        let (smooth, rough) = (street.pack(1001, None), street.pack(1002, Some("express")));
        for which in [smooth, rough] {
            street.ship(which);
        }
        let (parcel, told) =
            street.wait(smooth, 0, |parcel, told| parcel.state == State::Delivered && told.len() == 4);
        assert_eq!((parcel.service.as_deref(), told.len()), (Some("standard"), 4), "the cheapest service");
        // The failed attempt may be told after the delivery.
        let (parcel, told) =
            street.wait(rough, 0, |parcel, told| parcel.state == State::Delivered && told.len() == 5);
        assert_eq!((parcel.service.as_deref(), parcel.attempts), (Some("express"), 1));
        assert_eq!(told.len(), 5, "each is heard once");
        let parts =
            shop.read(move |tx| checkout::read(tx, &Actor::system(), rough.0)).unwrap().fulfilment_orders;
        assert_eq!(parts[0].state, Part::Delivered);
    });
}

#[test]
fn a_parcel_nobody_takes_comes_back_and_the_money_goes_back() {
    on_every_engine(|shop| {
        let street = Street::open(shop, true);
        let which = street.pack(1003, None);
        street.ship(which);
        let (parcel, _) = street.wait(which, 0, |parcel, _| parcel.state == State::Returned);
        assert_eq!(parcel.attempts, 3);
        let refunded = |_: &Parcel, _: &[Told]| {
            let whole = shop.read(move |tx| checkout::read(tx, &Actor::system(), which.0)).unwrap();
            whole.sums.refunded == 500
        };
        street.wait(which, 0, refunded);
        assert_eq!(street.retailer.count(shop, street.mug, 0, Stock::Quality), 1);
    });
}

#[test]
fn a_lost_answer_and_an_error_make_one_label() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, true);
    let both = [street.pack(1004, Some("standard")), street.pack(1005, Some("standard"))];
    for which in both {
        street.ship(which);
        let (parcel, _) = street.read(which);
        let taken = street.company.parcel(&which.1.to_string()).unwrap();
        assert_eq!((parcel.tracking, taken.voided), (Some(taken.tracking), false));
    }
    assert_eq!(street.company.parcels(), 2);
}

#[test]
fn a_refusal_is_told_and_what_is_unpacked_is_given_back() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, true);
    let which = street.pack(1006, Some("standard"));
    let (refused, _) = street.wait(which, 1, |parcel, _| parcel.label == Label::Failed);
    assert_eq!(refused.failure.as_deref(), Some("the parcel is not accepted"));
    let leave = shop.run(move |tx, actor, world| checkout::ship_parcel(tx, actor, world, which, None));
    assert!(leave.is_err(), "it cannot leave without a label");
    shop.run(move |tx, actor, world| parcel::ask_again(tx, actor, world, which)).unwrap();
    street.wait(which, 1, |parcel, _| parcel.label == Label::Failed);
    shop.run(move |tx, actor, world| parcel::unpack(tx, actor, world, which)).unwrap();

    let heavy = street.pack(40_000, None);
    let (refused, _) = street.wait(heavy, 1, |parcel, _| parcel.label == Label::Failed);
    assert_eq!(refused.failure.as_deref(), Some("none of its services takes this parcel"));

    let which = street.pack(1000, Some("standard"));
    street.wait(which, 1, |parcel, _| parcel.label == Label::Ready);
    shop.run(move |tx, actor, world| parcel::unpack(tx, actor, world, which)).unwrap();
    let at_once = street.pack(1000, Some("standard"));
    shop.run(move |tx, actor, world| parcel::unpack(tx, actor, world, at_once)).unwrap();
    for gone in [which, at_once] {
        let voided = |_: &Parcel, _: &[Told]| {
            street.company.parcel(&gone.1.to_string()).is_some_and(|taken| taken.voided)
        };
        street.wait(gone, 1, voided);
    }
}

#[test]
fn a_carrier_that_does_not_tell_is_asked() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, false);
    let which = street.pack(1001, Some("standard"));
    street.ship(which);
    let (parcel, told) = street.wait(which, 600, |parcel, _| parcel.state == State::Delivered);
    assert_eq!((parcel.tracked, told.len()), (Some(Tracked::Delivered), 4));
}

#[test]
fn a_forged_or_unreadable_message_is_refused() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, false);
    let which = street.pack(1000, Some("standard"));
    let (parcel, _) = street.wait(which, 1, |parcel, _| parcel.label == Label::Ready);
    let told = |tracked: &str| {
        json!({ "tracking": parcel.tracking, "id": "evt_1", "tracked": tracked, "at": "2026-06-01T10:00:00Z" }).to_string()
    };
    let secret = Secret::parse(SECRET).unwrap();
    assert_eq!(street.webhook(&Secret::from_bytes([0; 32]), "msg_1", &told("accepted")), 401);
    assert_eq!(street.webhook(&secret, "msg_1", "{}"), 400);
    assert_eq!(street.webhook(&secret, "msg_1", &told("teleported")), 422);
    let unknown =
        json!({ "tracking": "TC9", "id": "evt_1", "tracked": "accepted", "at": "2026-06-01T10:00:00Z" });
    assert_eq!(street.webhook(&secret, "msg_2", &unknown.to_string()), 404);
    for _ in 0..2 {
        assert_eq!(street.webhook(&secret, "msg_1", &told("accepted")), 204);
    }
    assert_eq!(street.read(which).1.len(), 1);
}
