//! The story of a market, Britain, and the channels through which it is sold to: a web shop and a till.

use domain::market::{CapturePolicy, HoldPolicy, Kind, PaymentKind, RoundingLevel};
use domain::value::id::{self, TaxZone};
use domain::value::{Country, Id, Reference, Rounding};
use domain::{Code, actor::Actor};
use engine::Failure;
use engine::location::{NewLocation, NewNetwork};
use engine::market::{self, Channel, ChannelChange, Market, MarketChange, NewChannel, NewMarket};
use engine::tax::{self, NewZone};
use sim::{TestShop, retailer};

fn britain() -> NewMarket {
    NewMarket {
        name: "Britain and Ireland".into(),
        external_id: Some("MARKET-1".into()),
        countries: ["IE", "GB"].iter().map(|code| Country::parse(code).expect("a country")).collect(),
        ..retailer::britain()
    }
}

fn web() -> NewChannel {
    NewChannel {
        external_id: Some("CHANNEL-1".into()),
        market: Reference::External("MARKET-1".into()),
        network: Reference::External("NETWORK-1".into()),
        hold_policy: HoldPolicy::AtCart,
        stock_threshold: 2,
        payment_kinds: vec![PaymentKind::Test, PaymentKind::Manual],
        capture_policy: CapturePolicy::AtFulfilment,
        ..retailer::a_channel("web", Id::from_bytes([0; 16]), Id::from_bytes([0; 16]))
    }
}

fn create(shop: &TestShop, new: NewMarket) -> Result<Market, Failure> {
    shop.run(move |tx, actor, world| market::create(tx, actor, world, new.clone()))
}

fn create_channel(shop: &TestShop, new: NewChannel) -> Result<Channel, Failure> {
    shop.run(move |tx, actor, world| market::create_channel(tx, actor, world, new.clone()))
}

fn tax_zone(shop: &TestShop) -> Id<TaxZone> {
    let zone = NewZone { external_id: None, code: "gb".into(), name: "Britain".into(), areas: Vec::new() };
    shop.run(move |tx, actor, world| tax::create_zone(tx, actor, world, zone.clone())).expect("a tax zone").id
}

/// A store in Leeds, and a network of it alone.
fn places(shop: &TestShop) {
    let store = NewLocation { external_id: Some("STORE-7".into()), ..retailer::a_location("leeds") };
    let network = NewNetwork {
        code: "uk".into(),
        name: "United Kingdom".into(),
        external_id: Some("NETWORK-1".into()),
        members: vec![(Reference::External("STORE-7".into()), 1)],
    };
    let made = shop.run(move |tx, actor, world| {
        engine::location::create(tx, actor, world, store.clone())?;
        engine::location::create_network(tx, actor, world, network.clone())
    });
    made.expect("places");
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
    outcome.expect_err("a refusal").to_string()
}

#[test]
fn a_market_keeps_its_currency_and_changes_the_rest() {
    sim::on_every_engine(|shop| {
        let made = create(shop, britain()).unwrap();
        let codes: Vec<_> = made.countries.iter().map(|country| country.code()).collect();
        assert_eq!(codes, ["GB", "IE"]);
        let reference = Reference::External("MARKET-1".into());
        assert_eq!(shop.read(move |tx| market::find(tx, &Actor::system(), &reference)).unwrap(), made);
        let message = "already_exists: code: a market \"gb\" exists already; choose another code";
        assert_eq!(refusal(create(shop, britain())), message);
        let coarse = NewMarket { cash_rounding_minor: 0, ..britain() };
        assert_eq!(refusal(create(shop, coarse)), "invalid: cash_rounding_minor: give 1 to 10000, not 0");

        let zone = tax_zone(shop);
        let change = MarketChange {
            name: Some("Britain".into()),
            countries: Some(vec![Country::parse("GB").unwrap()]),
            prices_include_tax: None,
            rounding_level: Some(RoundingLevel::Order),
            rounding: Some(Rounding::HalfEven),
            cash_rounding_minor: Some(5),
            language: None,
            zone: None,
            tax_zone: Some(Some(Reference::Id(zone))),
        };
        let update = |version| {
            let (id, change) = (made.id, change.clone());
            shop.run(move |tx, actor, world| {
                market::update(tx, actor, world, (&Reference::Id(id), version), change.clone())
            })
        };
        let changed = update(Some(1)).unwrap();
        let expected = Market {
            name: "Britain".into(),
            countries: vec![Country::parse("GB").unwrap()],
            rounding_level: RoundingLevel::Order,
            rounding: Rounding::HalfEven,
            cash_rounding_minor: 5,
            tax_zone: Some(zone),
            version: 2,
            ..made.clone()
        };
        assert_eq!(changed, expected);
        let start = Id::from_bytes([0; 16]);
        assert_eq!(shop.read(move |tx| market::list(tx, &Actor::system(), start, 5)).unwrap(), [expected]);
        let nowhere =
            MarketChange { tax_zone: Some(Some(Reference::Id(Id::from_bytes([5; 16])))), ..change.clone() };
        let id = made.id;
        let refused = shop.run(move |tx, actor, world| {
            market::update(tx, actor, world, (&Reference::Id(id), Some(2)), nowhere.clone())
        });
        assert!(refusal(refused).starts_with("invalid: tax_zone: no tax zone"));
        assert_eq!(update(Some(1)).unwrap_err().code(), Some(Code::Stale));
        assert_eq!(update(None).unwrap_err().code(), Some(Code::Stale));
    });
}

#[test]
fn a_channel_sells_to_its_market_from_its_network() {
    sim::on_every_engine(|shop| {
        places(shop);
        let market = create(shop, britain()).unwrap();
        let made = create_channel(shop, web()).unwrap();
        assert_eq!(made.market, market.id);
        assert_eq!(made.payment_kinds, [PaymentKind::Manual, PaymentKind::Test]);
        let reference = Reference::External("CHANNEL-1".into());
        assert_eq!(
            shop.read(move |tx| market::find_channel(tx, &Actor::system(), &reference)).unwrap(),
            made
        );

        let message = "already_exists: code: a channel \"web\" exists already; choose another code";
        assert_eq!(refusal(create_channel(shop, web())), message);
        let homeless = NewChannel { code: "till-1".into(), external_id: None, kind: Kind::Till, ..web() };
        let message = "invalid: location: a till stands somewhere; name its location";
        assert_eq!(refusal(create_channel(shop, homeless.clone())), message);
        let till = NewChannel { location: Some(Reference::External("STORE-7".into())), ..homeless };
        assert!(create_channel(shop, till).unwrap().location.is_some());
        let nowhere = NewChannel { network: Reference::External("NETWORK-2".into()), ..web() };
        assert_eq!(refusal(create_channel(shop, nowhere)), "invalid: network: no network \"NETWORK-2\"");
        let gone: Id<id::Market> = Id::from_bytes([8; 16]);
        let nowhere = NewChannel { market: Reference::Id(gone), ..web() };
        assert_eq!(refusal(create_channel(shop, nowhere)), format!("invalid: market: no market \"{gone}\""));
        let hurried = NewChannel { hold_minutes: 0, ..web() };
        assert_eq!(refusal(create_channel(shop, hurried)), "invalid: hold_minutes: give 1 to 43200, not 0");
    });
}

#[test]
fn a_channel_changes_and_ends() {
    sim::on_every_engine(|shop| {
        places(shop);
        create(shop, britain()).unwrap();
        let made = create_channel(shop, web()).unwrap();
        let change = ChannelChange {
            name: None,
            kind: None,
            network: None,
            location: Some(Some(Reference::External("STORE-7".into()))),
            hold_policy: Some(HoldPolicy::AtOrder),
            hold_minutes: None,
            cart_expiry_minutes: None,
            payment_minutes: Some(5),
            collect_days: None,
            stock_threshold: Some(0),
            category_tree: None,
            payment_kinds: Some(Vec::new()),
            capture_policy: Some(CapturePolicy::AtOrder),
            active: Some(false),
        };
        let update = |change: ChannelChange, version| {
            let id = made.id;
            shop.run(move |tx, actor, world| {
                market::update_channel(tx, actor, world, (&Reference::Id(id), Some(version)), change.clone())
            })
        };
        let changed = update(change.clone(), 1).unwrap();
        let expected = Channel {
            location: changed.location,
            hold_policy: HoldPolicy::AtOrder,
            payment_minutes: 5,
            stock_threshold: 0,
            payment_kinds: Vec::new(),
            capture_policy: CapturePolicy::AtOrder,
            active: false,
            version: 2,
            ..made.clone()
        };
        assert_eq!(changed, expected);
        assert!(changed.location.is_some());
        let start = Id::from_bytes([0; 16]);
        assert_eq!(
            shop.read(move |tx| market::list_channels(tx, &Actor::system(), start, 5)).unwrap(),
            [expected]
        );
        assert_eq!(update(change.clone(), 1).unwrap_err().code(), Some(Code::Stale));
        let homeless = ChannelChange { kind: Some(Kind::Till), location: Some(None), ..change };
        assert_eq!(update(homeless, 2).unwrap_err().code(), Some(Code::Invalid));
    });
}
