//! Ground for stories about carts: a British web shop with three tax rates and a few products.

use domain::catalogue::Wording;
use domain::market::{HoldPolicy, PaymentKind, RoundingLevel};
use domain::tax::Area;
use domain::value::{Country, Currency, Instant, Rate, Reference};
use engine::catalogue::{self, NewProduct, NewVariant};
use engine::location::{self, NewLocation, NewNetwork};
use engine::market::{self, NewChannel, NewMarket};
use engine::price::{self, NewAudience, NewList, NewPrice};
use engine::{Failure, World, tax};
use sim::TestShop;
use sim::retailer::{a_channel, a_location, a_product, a_variant, britain};
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
    let store = NewLocation { external_id: Some("LEEDS".into()), ..a_location("leeds") };
    location::create(tx, actor, world, store)?;
    let members = vec![(external("LEEDS"), 1)];
    let network =
        NewNetwork { code: "uk".into(), name: "Britain".into(), external_id: Some("UK".into()), members };
    let network = location::create_network(tx, actor, world, network)?;
    let market = NewMarket {
        external_id: Some("GB".into()),
        rounding_level: RoundingLevel::Order,
        tax_zone: Some(external("gb")),
        ..britain()
    };
    let market = market::create(tx, actor, world, market)?;
    let web = NewChannel {
        external_id: Some("WEB".into()),
        hold_policy: HoldPolicy::AtOrder,
        cart_expiry_minutes: 60 * 24,
        payment_minutes: 60,
        payment_kinds: vec![PaymentKind::Test],
        ..a_channel("web", market.id, network.id)
    };
    market::create_channel(tx, actor, world, web)?;
    Ok(())
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
    let variant = NewVariant { weight_grams: Some(300), ..a_variant(sku) };
    let title = Wording::title(sku, &[]).expect("a title");
    NewProduct { title, ..a_product(external(class), variant) }
}
