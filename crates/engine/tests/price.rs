//! The story of prices: lists for a market, a channel and the trade; a sale; and the history that tells the lowest price.

use domain::Code;
use domain::value::id::{PriceList as ListKind, Variant};
use domain::value::{Currency, Id, Instant, Reference};
use engine::Failure;
use engine::catalogue::{self, NewVariant};
use engine::market::Channel;
use engine::price::{self, ListChange, NewAudience, NewList, NewPrice, Price};
use sim::retailer::{a_channel, a_product, a_variant};
use sim::{Retailer, TestShop, on_every_engine};

const DAY: i64 = 86_400;

fn pounds() -> Currency {
    Currency::parse("GBP").expect("a currency")
}

/// Britain with a web shop that sends from Leeds.
fn web(shop: &TestShop) -> Channel {
    let retailer = Retailer::open(shop, &["leeds"]);
    retailer.channel(shop, a_channel("web", retailer.market, retailer.network))
}

/// A mug without a price.
fn mug(shop: &TestShop) -> Id<Variant> {
    let made = shop.run(|tx, actor, world| {
        let variant = NewVariant { external_id: Some("mug".into()), ..a_variant("MUG") };
        catalogue::create_product(
            tx,
            actor,
            world,
            a_product(Reference::External("standard".into()), variant),
        )
    });
    made.expect("a mug").variants[0].id
}

fn new_list(code: &str, audience: NewAudience, customer_group: Option<&str>) -> NewList {
    NewList {
        code: code.into(),
        name: code.into(),
        currency: pounds(),
        audience,
        customer_group: customer_group.map(Into::into),
        priority: 0,
        starts_at: None,
        ends_at: None,
        external_id: Some(code.into()),
    }
}

fn make(shop: &TestShop, new: NewList) -> Result<Id<ListKind>, Failure> {
    let made = shop.run(move |tx, actor, world| price::create_list(tx, actor, world, new.clone()));
    made.map(|list| list.rule.id)
}

fn new_price(list: &str, minor: i64) -> NewPrice {
    NewPrice {
        list: Reference::External(list.into()),
        variant: Reference::External("mug".into()),
        minor: Some(minor),
        was_minor: None,
        minimum_quantity: 1,
        starts_at: None,
        ends_at: None,
    }
}

/// Sets a price a second later.
fn set(shop: &TestShop, new: NewPrice) -> Result<(), Failure> {
    shop.pass(1);
    shop.run(move |tx, actor, world| price::set_price(tx, actor, world, new.clone()).map(|_| ()))
}

fn pays(
    shop: &TestShop,
    channel: &Channel,
    group: Option<&'static str>,
    variant: Id<Variant>,
    quantity: i64,
) -> Option<Price> {
    let (channel, now) = (channel.clone(), shop.shop.source.now());
    let found = shop.read(move |tx| price::prices(tx, &channel, group, &[(variant, quantity)], now));
    found.expect("an answer").remove(0)
}

#[test]
fn the_most_specific_list_counts_and_history_tells_the_lowest_price() {
    on_every_engine(|shop| {
        let (channel, mug) = (web(shop), mug(shop));
        let market = || NewAudience::Market(Reference::External("gb".into()));
        let in_web = || NewAudience::Channel(Reference::External("web".into()));
        let everybody = make(shop, new_list("gb", market(), None)).unwrap();
        make(shop, new_list("gb-trade", market(), Some("trade"))).unwrap();
        let own = make(shop, new_list("web", in_web(), None)).unwrap();
        assert_eq!(
            make(shop, new_list("web", in_web(), None)).unwrap_err().code(),
            Some(Code::AlreadyExists)
        );
        let mut yen = new_list("jp", market(), None);
        yen.currency = Currency::parse("JPY").unwrap();
        assert_eq!(make(shop, yen).unwrap_err().code(), Some(Code::CurrencyMismatch));

        let minor = |group, quantity| pays(shop, &channel, group, mug, quantity).map(|price| price.minor);
        assert_eq!(minor(None, 1), None);
        for _ in 0..2 {
            set(shop, new_price("gb", 1000)).unwrap();
        }
        set(shop, new_price("gb-trade", 900)).unwrap();
        set(shop, NewPrice { minimum_quantity: 12, ..new_price("gb", 800) }).unwrap();
        assert_eq!(
            [minor(None, 1), minor(None, 12), minor(Some("trade"), 1)],
            [Some(1000), Some(800), Some(900)]
        );
        assert_eq!(minor(Some("friends"), 1), Some(1000));
        assert_eq!(pays(shop, &channel, None, mug, 1).unwrap().list, everybody);

        let later =
            |seconds: i64| Some(Instant::from_micros(shop.shop.source.now().micros() + seconds * 1_000_000));
        let sale = NewPrice {
            was_minor: Some(1000),
            starts_at: later(DAY),
            ends_at: later(3 * DAY),
            ..new_price("web", 700)
        };
        set(shop, sale.clone()).unwrap();
        assert_eq!(minor(None, 1), Some(1000), "it begins tomorrow");
        shop.pass(DAY - 1);
        let price = pays(shop, &channel, None, mug, 1).unwrap();
        assert_eq!((price.minor, price.was_minor, price.list), (700, Some(1000), own));

        let lowest = || {
            let (channel, now) = (channel.clone(), shop.shop.source.now());
            let found = shop.read(move |tx| price::lowest_before(tx, &channel, mug, now)).unwrap();
            found.map(|price| price.minor)
        };
        assert_eq!(lowest(), Some(1000), "the sale itself is not before the sale");
        shop.pass(20 * DAY);
        assert_eq!((minor(None, 1), lowest()), (Some(1000), Some(700)));
        shop.pass(30 * DAY);
        assert_eq!(lowest(), Some(1000), "the sale is long past");

        let mut gone = new_price("gb", 0);
        gone.minor = None;
        set(shop, gone.clone()).unwrap();
        assert_eq!(set(shop, gone).unwrap_err().code(), Some(Code::NotFound));
        let history = shop.run(|tx, actor, _| {
            price::history(tx, actor, &Reference::External("mug".into()), Id::from_bytes([0; 16]), 50)
        });
        let told: Vec<_> = history.unwrap().iter().map(|line| (line.old_minor, line.new_minor)).collect();
        let expected =
            [(None, Some(1000)), (None, Some(900)), (None, Some(800)), (None, Some(700)), (Some(1000), None)];
        assert_eq!(told, expected, "setting the same price twice is told once");
    });
}

#[test]
fn a_list_out_of_use_and_a_bad_price_are_refused() {
    on_every_engine(|shop| {
        let (channel, mug) = (web(shop), mug(shop));
        let market = NewAudience::Market(Reference::External("gb".into()));
        let id = make(shop, new_list("gb", market, None)).unwrap();
        set(shop, new_price("gb", 1000)).unwrap();
        let change = |version, active| {
            let change = ListChange { active: Some(active), ..Default::default() };
            shop.run(move |tx, actor, world| {
                price::change_list(tx, actor, world, (Reference::Id(id), Some(version)), change.clone())
            })
        };
        change(1, false).unwrap();
        assert!(pays(shop, &channel, None, mug, 1).is_none());
        assert_eq!(change(1, true).unwrap_err().code(), Some(Code::Stale));
        change(2, true).unwrap();
        assert!(pays(shop, &channel, None, mug, 1).is_some());

        let said = |new| set(shop, new).unwrap_err().to_string();
        assert_eq!(said(new_price("gb", -1)), "invalid: amount: give 0 to 1000000000 minor units");
        assert_eq!(said(new_price("us", 1)), "invalid: price_list: no price list \"us\"");
        assert_eq!(
            said(NewPrice { was_minor: Some(10), ..new_price("gb", 10) }),
            "invalid: was_amount: give more than the price itself, or leave it out"
        );
        assert_eq!(
            said(NewPrice { variant: Reference::External("cup".into()), ..new_price("gb", 10) }),
            "invalid: variant: no variant \"cup\""
        );
    });
}

#[test]
fn the_lowest_price_counts_lists_as_they_stood() {
    on_every_engine(|shop| {
        let (channel, mug) = (web(shop), mug(shop));
        let market = || NewAudience::Market(Reference::External("gb".into()));
        make(shop, new_list("gb", market(), None)).unwrap();
        let web_only = NewAudience::Channel(Reference::External("web".into()));
        let sale = make(shop, new_list("sale", web_only, None)).unwrap();
        set(shop, new_price("gb", 1000)).unwrap();
        shop.pass(40 * DAY);
        set(shop, new_price("sale", 600)).unwrap();
        let change = |version, change: ListChange| {
            shop.run(move |tx, actor, world| {
                price::change_list(tx, actor, world, (Reference::Id(sale), Some(version)), change.clone())
            })
            .unwrap()
        };
        let lowest = || {
            let (channel, now) = (channel.clone(), shop.shop.source.now());
            let found = shop.read(move |tx| price::lowest_before(tx, &channel, mug, now)).unwrap();
            found.map(|price| price.minor)
        };
        shop.pass(DAY);
        change(1, ListChange { active: Some(false), ..Default::default() });
        assert_eq!(pays(shop, &channel, None, mug, 1).unwrap().minor, 1000);
        assert_eq!(lowest(), Some(600), "the sale was there yesterday, though its list is out of use");
        shop.pass(31 * DAY);
        assert_eq!(lowest(), Some(1000));

        let tomorrow = Instant::from_micros(shop.shop.source.now().micros() + DAY * 1_000_000);
        let dated = ListChange { active: Some(true), starts_at: Some(Some(tomorrow)), ..Default::default() };
        change(2, dated);
        assert_eq!(lowest(), Some(1000), "it begins tomorrow");
        shop.pass(2 * DAY);
        let past = Some(Some(Instant::from_micros(tomorrow.micros() + DAY * 1_000_000 / 2)));
        change(3, ListChange { ends_at: past, ..Default::default() });
        assert_eq!(pays(shop, &channel, None, mug, 1).unwrap().minor, 1000);
        assert_eq!(lowest(), Some(600), "it held for two days, whatever is written now");
    });
}
