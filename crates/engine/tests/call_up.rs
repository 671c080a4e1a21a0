//! The story of carts that go on in another channel: what goes along, what is chosen anew, what is held where, and who may not.

use crate::counter;
use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::market::{HoldPolicy, Kind as ChannelKind};
use domain::value::id::{self, Customer};
use domain::value::{Id, Quantity, Reference};
use engine::Failure;
use engine::cart::{self, Cart, Details, Named, NewCart, NewLine, call_up};
use engine::market::{Channel, NewChannel};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

fn a_cart(shop: &TestShop, channel: &Channel, mug: Id<id::Variant>, pieces: i64) -> Result<Cart, Failure> {
    let line = NewLine {
        variant: Named::Reference(Reference::Id(mug)),
        quantity: Quantity::new(pieces).expect("a quantity"),
        unit_price: None,
    };
    let new = NewCart {
        channel: Reference::Id(channel.id),
        currency: None,
        lines: vec![line],
        details: Details::default(),
    };
    shop.run(move |tx, actor, world| cart::create(tx, actor, world, new.clone()))
}

fn called(
    shop: &TestShop,
    actor: &Actor,
    (cart, version): (Id<id::Cart>, Option<i64>),
    to: Id<id::Channel>,
) -> Result<Cart, Failure> {
    shop.run_as(actor, move |tx, actor, world| {
        call_up::call_up(tx, actor, world, (cart, version), &Reference::Id(to))
    })
}

fn buying(who: Who, channel: Option<Id<id::Channel>>) -> Actor {
    let grants = vec![Grant { location: None, permissions: Permissions::of(&[Permission::Shop]) }];
    Actor { who, channel, grants }
}

#[test]
fn what_is_held_is_held_where_the_cart_goes_on() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let held = |code: &str, kind| NewChannel {
            kind,
            hold_policy: HoldPolicy::AtCart,
            hold_minutes: 60,
            ..a_channel(code, retailer.market, retailer.network)
        };
        let app = retailer.channel(shop, held("app", ChannelKind::App));
        let counter = NewChannel {
            location: Some(Reference::Id(retailer.locations[0])),
            ..held("counter", ChannelKind::Till)
        };
        let (counter, till) = (retailer.channel(shop, counter), retailer.till(shop, 0));
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 3);
        let cart = a_cart(shop, &app, mug, 3).unwrap();
        assert_eq!(a_cart(shop, &app, mug, 1).unwrap_err().code(), Some(Code::OutOfStock));

        let stale = called(shop, &Actor::system(), (cart.id, Some(9)), counter.id).unwrap_err();
        assert_eq!(stale.code(), Some(Code::Stale));
        let here = called(shop, &Actor::system(), (cart.id, Some(1)), counter.id).unwrap();
        assert_eq!((here.channel, here.version, here.lines[0].quantity), (counter.id, 2, 3));
        assert_eq!(
            a_cart(shop, &app, mug, 1).unwrap_err().code(),
            Some(Code::OutOfStock),
            "held at the counter now"
        );
        let again = called(shop, &Actor::system(), (cart.id, None), counter.id).unwrap();
        assert_eq!(again.version, 2, "where it is already nothing changes");
        called(shop, &Actor::system(), (cart.id, None), till.id).unwrap();
        a_cart(shop, &app, mug, 3).expect("the till holds nothing, so it can be had");
        let too_late = called(shop, &Actor::system(), (cart.id, None), app.id).unwrap_err();
        assert_eq!(too_late.code(), Some(Code::OutOfStock), "somebody else has it");
        assert_eq!(
            shop.read(move |tx| cart::load(tx, cart.id)).unwrap().channel,
            till.id,
            "and it stays where it was"
        );
    });
}

#[test]
fn nobody_calls_up_what_he_may_not() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let app = retailer.channel(shop, a_channel("app", retailer.market, retailer.network));
        let (till, mug) = (retailer.till(shop, 0), retailer.sell(shop, "MUG", 500));
        retailer.stock(shop, mug, 0, 3);
        let cart = a_cart(shop, &app, mug, 1).unwrap().id;
        let bound = buying(Who::Guest, Some(app.id));
        let elsewhere = called(shop, &bound, (cart, None), till.id).unwrap_err();
        assert_eq!(elsewhere.code(), Some(Code::Forbidden), "a page of the app sells in the app");
        let unknown = called(shop, &Actor::system(), (Id::from_bytes([9; 16]), None), till.id).unwrap_err();
        assert_eq!(unknown.code(), Some(Code::NotFound));

        let ada: Id<Customer> = counter::ada(shop);
        let hers = shop.run(move |tx, actor, world| {
            let details = Details { customer: Some(Reference::Id(ada)), ..Details::default() };
            cart::change(tx, actor, world, (cart, None), details)
        });
        assert_eq!(hers.unwrap().customer, Some(ada));
        let other = buying(Who::Customer(Id::from_bytes([8; 16])), None);
        assert_eq!(called(shop, &other, (cart, None), till.id).unwrap_err().code(), Some(Code::NotFound));
        let here = called(shop, &buying(Who::Customer(ada), None), (cart, None), till.id).unwrap();
        assert_eq!((here.channel, here.customer), (till.id, Some(ada)));
    });
}
