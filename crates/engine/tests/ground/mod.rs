//! Ground for stories about carts: a British web shop with three tax rates and a few products.

use domain::catalogue::{Status, Wording};
use domain::location as places;
use domain::market::{CapturePolicy, HoldPolicy, Kind, PaymentKind, RoundingLevel};
use domain::tax::Area;
use domain::value::{Country, Currency, Instant, Language, Rate, Reference, Rounding, Unit, Zone};
use engine::catalogue::{self, NewProduct, NewVariant};
use engine::location::{self, NewLocation, NewNetwork};
use engine::market::{self, NewChannel, NewMarket};
use engine::price::{self, NewAudience, NewList, NewPrice};
use engine::{Failure, World, tax};
use sim::TestShop;
use store::Tx;

use domain::actor::Actor;

/// SKU, tax class, price in pence.
const GOODS: [(&str, &str, Option<i64>); 4] = [
    ("MUG", "standard", Some(999)),
    ("TEA", "reduced", Some(350)),
    ("BOOK", "zero", Some(899)),
    ("UNPRICED", "standard", None),
];

/// Lays the ground: location, market, the channel "WEB", taxes, goods and prices.
pub fn lay(shop: &TestShop) {
    shop.run(|tx, actor, world| {
        taxes(tx, actor, world)?;
        shops(tx, actor, world)?;
        goods(tx, actor, world)
    })
    .expect("the ground is laid");
}

fn external<K: domain::value::Kind>(text: &str) -> Reference<K> {
    Reference::External(text.into())
}

fn taxes(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<(), Failure> {
    let areas = vec![Area { country: Country::parse("GB").expect("a country"), region: String::new() }];
    let zone = tax::NewZone { external_id: None, code: "gb".into(), name: "Britain".into(), areas };
    tax::create_zone(tx, actor, world, zone)?;
    for (code, parts) in [("standard", 200_000), ("reduced", 50_000), ("zero", 0)] {
        tax::create_class(tx, actor, world, tax::NewClass { code: code.into(), name: code.into() })?;
        let rate = tax::NewRate {
            class: external(code),
            rate: Rate::from_parts_per_million(parts).expect("a rate"),
            exempt: false,
            valid_from: Instant::EPOCH,
            valid_until: None,
        };
        tax::set_rate(tx, actor, world, &external("gb"), rate)?;
    }
    Ok(())
}

fn shops(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<(), Failure> {
    let zone = Zone::parse("Europe/London").expect("a time zone");
    let store = NewLocation {
        code: "leeds".into(),
        name: "Leeds".into(),
        external_id: Some("LEEDS".into()),
        kind: places::Kind::Store,
        can_ship: true,
        can_pick_up: true,
        can_receive: true,
        can_return: true,
        zone,
        hours: None,
        address: None,
        coordinates: None,
        cut_off: None,
        capacity: None,
    };
    location::create(tx, actor, world, store)?;
    let members = vec![(external("LEEDS"), 1)];
    let network =
        NewNetwork { code: "uk".into(), name: "Britain".into(), external_id: Some("UK".into()), members };
    location::create_network(tx, actor, world, network)?;
    let market = NewMarket {
        code: "gb".into(),
        name: "Britain".into(),
        external_id: Some("GB".into()),
        countries: vec![Country::parse("GB").expect("a country")],
        currency: Currency::parse("GBP").expect("a currency"),
        prices_include_tax: true,
        rounding_level: RoundingLevel::Order,
        rounding: Rounding::HalfUp,
        cash_rounding_minor: 1,
        language: Language::parse("en-GB").expect("a language"),
        zone: Zone::parse("Europe/London").expect("a time zone"),
        tax_zone: Some(external("gb")),
    };
    market::create(tx, actor, world, market)?;
    market::create_channel(tx, actor, world, web())?;
    Ok(())
}

fn web() -> NewChannel {
    NewChannel {
        code: "web".into(),
        name: "Web shop".into(),
        external_id: Some("WEB".into()),
        kind: Kind::Web,
        market: external("GB"),
        network: external("UK"),
        location: None,
        hold_policy: HoldPolicy::AtOrder,
        hold_minutes: 20,
        cart_expiry_minutes: 60 * 24,
        payment_minutes: 60,
        collect_days: 7,
        stock_threshold: 0,
        category_tree: None,
        payment_kinds: vec![PaymentKind::Test],
        capture_policy: CapturePolicy::AtOrder,
    }
}

fn goods(tx: &mut Tx<'_>, actor: &Actor, world: &mut World) -> Result<(), Failure> {
    for (code, group) in [("shelf", None), ("trade", Some("trade"))] {
        let list = NewList {
            code: code.into(),
            name: code.into(),
            currency: Currency::parse("GBP").expect("a currency"),
            audience: NewAudience::Market(external("GB")),
            customer_group: group.map(str::to_owned),
            priority: 0,
            starts_at: None,
            ends_at: None,
            external_id: Some(code.into()),
        };
        price::create_list(tx, actor, world, list)?;
    }
    for (sku, class, minor) in GOODS {
        catalogue::create_product(tx, actor, world, product(sku, class))?;
        if minor.is_some() {
            price::set_price(tx, actor, world, priced("shelf", sku, minor))?;
        }
    }
    price::set_price(tx, actor, world, priced("trade", "MUG", Some(800)))?;
    Ok(())
}

fn priced(list: &str, sku: &str, minor: Option<i64>) -> NewPrice {
    NewPrice {
        list: external(list),
        variant: external(sku),
        minor,
        was_minor: None,
        minimum_quantity: 1,
        starts_at: None,
        ends_at: None,
    }
}

fn product(sku: &str, class: &str) -> NewProduct {
    let variant = NewVariant {
        sku: sku.into(),
        options: Vec::new(),
        unit: Unit::Piece,
        weight_grams: Some(300),
        tax_class: None,
        barcodes: Vec::new(),
        components: Vec::new(),
        service: false,
        attributes: Vec::new(),
        external_id: Some(sku.into()),
    };
    NewProduct {
        title: Wording::title(sku, &[]).expect("a title"),
        description: Wording::stored(String::new(), Vec::new()),
        status: Status::Active,
        brand: None,
        supplier: None,
        tax_class: external(class),
        options: Vec::new(),
        attributes: Vec::new(),
        categories: Vec::new(),
        media: Vec::new(),
        variants: vec![variant],
        external_id: None,
    }
}
