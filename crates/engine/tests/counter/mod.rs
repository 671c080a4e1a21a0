//! A counter where goods are bought and brought back, for stories about returns and exchanges.

use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::market::PaymentKind;
use domain::payment::Card;
use domain::returns::policy::{Scope, Terms};
use domain::returns::{Condition, Means};
use domain::value::id::{self, Customer, Variant};
use domain::value::{Currency, Id, Quantity, Reference};
use engine::cart::{self, Details, Named, NewCart, NewLine};
use engine::checkout::{self, Checkout, Tender, Whole};
use engine::customer::{self, NewCustomer};
use engine::market::Channel;
use engine::returns::policy::{self, Draft, Policy};
use engine::returns::{self, Back, BackLine, Return, Wish};
use engine::{Failure, job};
use sim::{Retailer, TestShop};

pub const DAY: i64 = 86_400;

pub fn pounds() -> Currency {
    Currency::parse("GBP").expect("a currency")
}

pub fn tender(kind: PaymentKind, amount: Option<i64>) -> Tender {
    let card =
        (kind == PaymentKind::CardRecord).then(|| Card::new("4242", "A12345", "till-1").expect("a card"));
    Tender { kind, amount, provider_token: None, card, gift_card: None }
}

pub fn filled(
    shop: &TestShop,
    channel: &Channel,
    wanted: &[(Id<Variant>, i64)],
    customer: Option<Id<Customer>>,
) -> Id<id::Cart> {
    let line = |(variant, quantity): &(Id<Variant>, i64)| NewLine {
        variant: Named::Reference(Reference::Id(*variant)),
        quantity: Quantity::new(*quantity).expect("a quantity"),
        unit_price: None,
    };
    let details = Details { customer: customer.map(Reference::Id), ..Details::default() };
    let new = NewCart {
        channel: Reference::Id(channel.id),
        currency: None,
        lines: wanted.iter().map(line).collect(),
        details,
    };
    shop.run(move |tx, actor, world| cart::create(tx, actor, world, new.clone())).expect("a cart").id
}

pub fn buy_for(
    shop: &TestShop,
    channel: &Channel,
    wanted: &[(Id<Variant>, i64)],
    tenders: Vec<Tender>,
    customer: Option<Id<Customer>>,
) -> Whole {
    order_of(shop, filled(shop, channel, wanted, customer), tenders)
}

pub fn order_of(shop: &TestShop, cart: Id<id::Cart>, tenders: Vec<Tender>) -> Whole {
    shop.run(move |tx, actor, world| {
        let input = Checkout {
            cart,
            expected_total: None,
            tenders: tenders.clone(),
            serve_from: None,
            placed_at: None,
            external_id: None,
        };
        checkout::place(tx, actor, world, input)
    })
    .expect("an order")
}

pub fn buy(shop: &TestShop, channel: &Channel, wanted: &[(Id<Variant>, i64)], tenders: Vec<Tender>) -> Whole {
    buy_for(shop, channel, wanted, tenders, None)
}

pub fn cash() -> Vec<Tender> {
    vec![tender(PaymentKind::Cash, None)]
}

pub fn read(shop: &TestShop, id: Id<id::Order>) -> Whole {
    shop.read(move |tx| checkout::read(tx, &Actor::system(), id)).expect("the order")
}

pub fn written(shop: &TestShop, code: &str, scope: Scope, terms: Terms) -> Policy {
    let code = code.to_owned();
    shop.run(move |tx, actor, world| {
        let (scope, terms) = (scope.clone(), terms.clone());
        policy::create(
            tx,
            actor,
            world,
            code.clone(),
            Draft { name: code.clone(), scope, active: true, terms },
        )
    })
    .expect("a policy")
}

/// Who may do these things, and nothing else.
pub fn only(permissions: &[Permission]) -> Actor {
    let grant = Grant { location: None, permissions: Permissions::of(permissions) };
    Actor { who: Who::Staff(Id::from_bytes([9; 16])), channel: None, grants: vec![grant] }
}

/// Goods of the first line of an order, brought to the location of this place.
pub fn a_back(
    retailer: &Retailer,
    order: &Whole,
    place: usize,
    (quantity, condition): (i64, Condition),
    wish: Wish,
) -> Back {
    Back {
        order: order.order.id,
        location: retailer.locations[place],
        reason: "too_small".into(),
        lines: vec![BackLine { line: order.lines[0].id, quantity, condition }],
        wish,
        external_id: None,
    }
}

pub fn by(means: Means) -> Wish {
    Wish { means: Some(means), override_reason: None }
}

pub fn bring(shop: &TestShop, back: Back) -> Result<Return, Failure> {
    shop.run(move |tx, actor, world| returns::take_back(tx, actor, world, back.clone()))
}

pub fn bring_as(shop: &TestShop, actor: &Actor, back: Back) -> Result<Return, Failure> {
    shop.run_as(actor, move |tx, actor, world| returns::take_back(tx, actor, world, back.clone()))
}

/// Does the jobs that wait.
pub fn work(shop: &TestShop) {
    for _ in 0..20 {
        if job::turn(&shop.shop, &job::registry()).expect("jobs are done") == 0 {
            break;
        }
    }
}

pub fn ada(shop: &TestShop) -> Id<Customer> {
    let made = shop.run(|tx, actor, world| {
        let draft = domain::contact::Draft {
            name: Some("Ada".into()),
            email: Some("ada@example.com".into()),
            phone: Some("+442079460958".into()),
            ..domain::contact::Draft::default()
        };
        let card = domain::contact::Card::new(&draft).expect("a card");
        customer::create(
            tx,
            actor,
            world,
            NewCustomer { external_id: None, card, groups: vec!["trade".into()] },
        )
    });
    made.expect("a customer").id
}
