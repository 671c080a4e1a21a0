//! The story of delivery methods: parcels by weight, collecting at a store, and taking along.

use domain::Code;
use domain::actor::Actor;
use domain::catalogue::Wording;
use domain::delivery::{Area, Band, Delivery, Destination, Kind, Measure, Rates};
use domain::market::Kind as ChannelKind;
use domain::value::id::{self, DeliveryMethod};
use domain::value::{Country, Currency, Id, Language, Reference};
use engine::Failure;
use engine::delivery::{self, Method, MethodChange, NewMethod};
use engine::market::Channel;
use sim::TestShop;
use sim::retailer::{Retailer, a_channel, a_location};

fn country(code: &str) -> Country {
    Country::parse(code).expect("a country")
}

/// Parcels within Britain and to two parts of Ireland, by weight, free from 50 pounds.
fn parcel(retailer: &Retailer, channels: &[&str]) -> NewMethod {
    let german = (Language::parse("de").expect("a language"), "Paket".to_owned());
    NewMethod {
        code: "parcel".into(),
        name: Wording::title("Parcel", &[german]).expect("a name"),
        external_id: Some("DLV-1".into()),
        kind: Kind::Ship,
        currency: Currency::parse("GBP").expect("a currency"),
        zone: vec![
            Area { country: country("GB"), postal_prefixes: Vec::new() },
            Area { country: country("IE"), postal_prefixes: vec!["D02".into(), "a9 4".into()] },
        ],
        rates: Rates {
            measure: Measure::Weight,
            bands: vec![Band { from: 0, price_minor: 399 }, Band { from: 2001, price_minor: 799 }],
            most: Some(30_000),
            free_from_minor: Some(5000),
        },
        tax_class: Reference::Id(retailer.tax_class),
        lead_days: (1, 3),
        delivery_hours: None,
        channels: channels.iter().map(|code| Reference::External((*code).to_owned())).collect(),
        pickup_network: None,
        pickup_locations: Vec::new(),
    }
}

/// Collecting for nothing, at every location of the network.
fn pickup(retailer: &Retailer, channels: &[&str]) -> NewMethod {
    NewMethod {
        code: "collect".into(),
        external_id: None,
        kind: Kind::Pickup,
        zone: Vec::new(),
        rates: Rates {
            measure: Measure::Value,
            bands: vec![Band { from: 0, price_minor: 0 }],
            most: None,
            free_from_minor: None,
        },
        lead_days: (0, 0),
        delivery_hours: None,
        pickup_network: Some(Reference::Id(retailer.network)),
        ..parcel(retailer, channels)
    }
}

fn no_change() -> MethodChange {
    MethodChange {
        name: None,
        zone: None,
        rates: None,
        tax_class: None,
        lead_days_min: None,
        lead_days_max: None,
        delivery_hours: None,
        channels: None,
        pickup_network: None,
        pickup_locations: None,
        active: None,
    }
}

fn create(shop: &TestShop, new: NewMethod) -> Result<Method, Failure> {
    shop.pass(1);
    shop.run(move |tx, actor, world| delivery::create(tx, actor, world, new.clone()))
}

fn update(
    shop: &TestShop,
    (id, version): (Id<DeliveryMethod>, i64),
    change: MethodChange,
) -> Result<Method, Failure> {
    shop.run(move |tx, actor, world| {
        delivery::update(tx, actor, world, (&Reference::Id(id), Some(version)), change.clone())
    })
}

fn sent(to: Option<(&str, &str)>, goods_minor: i64, weight_grams: i64) -> Delivery {
    let destination = to.map(|(code, postal_code)| Destination {
        country: country(code),
        postal_code: Some(postal_code.into()),
    });
    Delivery { destination, goods_minor, weight_grams }
}

/// The methods offered for these goods, and their prices.
fn offers(shop: &TestShop, channel: &Channel, delivery: Delivery) -> Vec<(String, i64)> {
    let channel = channel.clone();
    let offers = shop.read(move |tx| delivery::methods_for(tx, &channel, &delivery)).expect("offers");
    offers.into_iter().map(|offer| (offer.method.code, offer.price_minor)).collect()
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
    outcome.expect_err("a refusal").to_string()
}

#[test]
fn methods_serve_destinations_at_their_price() {
    sim::on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let (market, network) = (retailer.market, retailer.network);
        let web = retailer.channel(shop, a_channel("web", market, network));
        let phone = retailer.channel(shop, a_channel("phone", market, network));
        let made = create(shop, parcel(&retailer, &["web", "phone", "web"])).unwrap();
        assert_eq!(made.zone[1].postal_prefixes, ["A94", "D02"]);
        assert_eq!(made.channels.len(), 2);
        create(shop, pickup(&retailer, &["web"])).unwrap();

        let both = |price| vec![("collect".to_owned(), 0), ("parcel".to_owned(), price)];
        assert_eq!(offers(shop, &web, sent(Some(("GB", "LS1 4DY")), 1000, 2000)), both(399));
        assert_eq!(offers(shop, &web, sent(Some(("IE", "d02 x285")), 1000, 2001)), both(799));
        assert_eq!(offers(shop, &phone, sent(Some(("GB", "LS1 4DY")), 5000, 9)), [("parcel".into(), 0)]);
        for beyond in [
            sent(Some(("IE", "D03 X285")), 1000, 9),
            sent(Some(("FR", "75001")), 1000, 9),
            sent(Some(("GB", "LS1")), 1000, 30_001),
            sent(None, 1000, 9),
        ] {
            assert_eq!(offers(shop, &web, beyond), [("collect".into(), 0)]);
        }

        let quote = |channel: &Channel, method, delivery: Delivery| {
            let channel = channel.clone();
            shop.read(move |tx| delivery::quote(tx, &channel, method, &delivery))
        };
        let quoted = quote(&web, made.id, sent(Some(("GB", "")), 10, 10)).unwrap();
        assert_eq!((quoted.price_minor, quoted.method), (399, made.clone()));
        let message =
            "the delivery method \"parcel\" does not serve this destination, weight or value; choose another";
        let far = quote(&web, made.id, sent(Some(("FR", "75001")), 10, 10));
        assert_eq!(refusal(far), format!("not_deliverable: {message}"));
        let only_phone = vec![Reference::External("phone".into())];
        update(shop, (made.id, 1), MethodChange { channels: Some(only_phone), ..no_change() }).unwrap();
        let message = "the delivery method \"parcel\" is not offered in the channel \"web\"; choose another";
        let elsewhere = quote(&web, made.id, sent(Some(("GB", "")), 10, 10));
        assert_eq!(refusal(elsewhere), format!("not_deliverable: {message}"));
        assert_eq!(offers(shop, &web, sent(Some(("GB", "LS1")), 10, 10)), [("collect".into(), 0)]);
    });
}

#[test]
fn goods_are_collected_where_customers_may() {
    sim::on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        retailer.channel(shop, a_channel("web", retailer.market, retailer.network));
        let by_network = create(shop, pickup(&retailer, &["web"])).unwrap();
        let places = |method: Method| {
            let places = shop.read(move |tx| delivery::pickup_locations(tx, &method)).unwrap();
            places.into_iter().map(|place| place.code).collect::<Vec<_>>()
        };
        assert_eq!(places(by_network.clone()), ["leeds", "york"]);
        let york = vec![Reference::External("york".into())];
        let change =
            MethodChange { pickup_network: Some(None), pickup_locations: Some(york.clone()), ..no_change() };
        let by_list = update(shop, (by_network.id, 1), change).unwrap();
        assert_eq!(places(by_list.clone()), ["york"]);
        let reference = Reference::Id(by_list.id);
        assert_eq!(shop.read(move |tx| delivery::find(tx, &Actor::system(), &reference)).unwrap(), by_list);

        let neither = MethodChange { pickup_locations: Some(Vec::new()), ..no_change() };
        let message = "invalid: pickup_network: name the network or the locations to collect at";
        assert_eq!(refusal(update(shop, (by_list.id, 2), neither)), message);
        let back_room = engine::location::NewLocation { can_pick_up: false, ..a_location("store-room") };
        shop.run(move |tx, actor, world| engine::location::create(tx, actor, world, back_room.clone()))
            .unwrap();
        let closed = vec![york[0].clone(), Reference::External("store-room".into())];
        let closed = MethodChange { pickup_locations: Some(closed), ..no_change() };
        let message = "customers cannot collect at \"store-room\"; change that location first";
        assert_eq!(
            refusal(update(shop, (by_list.id, 2), closed)),
            format!("invalid: pickup_locations.1: {message}")
        );
    });
}

#[test]
fn what_a_method_cannot_be_is_refused() {
    sim::on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        retailer.channel(shop, a_channel("web", retailer.market, retailer.network));
        let parcel = |channels: &[&str]| parcel(&retailer, channels);
        let made = create(shop, parcel(&["web"])).unwrap();
        let message =
            "already_exists: code: a delivery method \"parcel\" exists already; choose another code";
        assert_eq!(refusal(create(shop, parcel(&["web"]))), message);
        let euros = NewMethod { currency: Currency::parse("EUR").unwrap(), ..parcel(&["web"]) };
        let message = "currency_mismatch: channels.0: the channel \"web\" sells in GBP, the method costs EUR";
        assert_eq!(refusal(create(shop, euros)), message);
        assert_eq!(refusal(create(shop, parcel(&["fax"]))), "invalid: channels.0: no channel \"fax\"");
        let untaxed = NewMethod { tax_class: Reference::External("none".into()), ..parcel(&[]) };
        assert_eq!(create(shop, untaxed).unwrap_err().code(), Some(Code::Invalid));
        let nowhere = NewMethod { zone: Vec::new(), ..parcel(&[]) };
        assert_eq!(
            refusal(create(shop, nowhere)),
            "invalid: zone: name at least one country that parcels go to"
        );
        let along = NewMethod { kind: Kind::HandOver, ..parcel(&[]) };
        assert_eq!(refusal(create(shop, along)), "invalid: zone: leave it out: only parcels go to a country");

        let closed = update(shop, (made.id, 1), MethodChange { active: Some(false), ..no_change() }).unwrap();
        assert_eq!((closed.active, closed.version), (false, 2));
        assert_eq!(update(shop, (made.id, 1), no_change()).unwrap_err().code(), Some(Code::Stale));
        let slow = MethodChange { lead_days_min: Some(4), ..no_change() };
        let message = "invalid: lead_days_max: give 4 to 365 working days";
        assert_eq!(refusal(update(shop, (made.id, 2), slow)), message);
        let start = Id::from_bytes([0; 16]);
        let listed = shop.read(move |tx| delivery::list(tx, &Actor::system(), start, 9)).unwrap();
        assert_eq!(listed, [closed]);
    });
}

#[test]
fn a_till_hands_over() {
    sim::on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let place: Reference<id::Location> = Reference::Id(retailer.locations[0]);
        let till = engine::market::NewChannel {
            kind: ChannelKind::Till,
            location: Some(place),
            ..a_channel("till", retailer.market, retailer.network)
        };
        let till = retailer.channel(shop, till);
        let along = NewMethod {
            code: "along".into(),
            kind: Kind::HandOver,
            pickup_network: None,
            ..pickup(&retailer, &["till"])
        };
        create(shop, along).unwrap();
        assert_eq!(offers(shop, &till, sent(None, 10, 10)), [("along".into(), 0)]);
    });
}
