//! Carts: filled from many hands at once, priced with their taxes, merged, left alone and taken up again.

use crate::ground;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::cart::State;
use domain::contact::{Card, Draft};
use domain::delivery::{Area, Band, Kind as DeliveryKind, Measure, Rates};
use domain::market::HoldPolicy;
use domain::value::id::{Cart as CartKind, Order};
use domain::value::{Currency, Id, Quantity, Reference};
use domain::{Code, Refusal};
use engine::Failure;
use engine::cart::{self, Cart, Choice, Details, Named, NewCart, NewLine, PricedCart};
use engine::catalogue::{self, VariantChange};
use engine::customer::{self, NewCustomer};
use engine::delivery::{self, NewMethod};
use engine::market::NewChannel;
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

const DAY: i64 = 86_400;

fn line(sku: &str, quantity: i64) -> NewLine {
    NewLine {
        variant: Named::Sku(sku.into()),
        quantity: Quantity::new(quantity).expect("a quantity"),
        unit_price: None,
    }
}

fn new(lines: &[NewLine]) -> NewCart {
    NewCart {
        channel: Reference::External("WEB".into()),
        currency: None,
        lines: lines.to_vec(),
        details: Details::default(),
    }
}

fn create(shop: &TestShop, new: NewCart) -> Result<Cart, Failure> {
    shop.run(move |tx, actor, world| cart::create(tx, actor, world, new.clone()))
}

fn add(shop: &TestShop, cart: Id<CartKind>, line: NewLine) -> Result<Cart, Failure> {
    shop.run(move |tx, actor, world| cart::add_line(tx, actor, world, cart, line.clone()))
}

fn load(shop: &TestShop, id: Id<CartKind>) -> Cart {
    shop.read(move |tx| cart::load(tx, id)).expect("a cart")
}

fn priced(shop: &TestShop, cart: &Cart) -> Result<PricedCart, Failure> {
    let cart = cart.clone();
    shop.run(move |tx, _, world| cart::priced(tx, world.now(), &cart))
}

fn quantities(cart: &Cart) -> Vec<i64> {
    cart.lines.iter().map(|line| line.quantity).collect()
}

fn ada() -> Card {
    let draft = Draft {
        name: Some("Ada Lovelace".into()),
        street: vec!["1 High Street".into()],
        city: Some("Leeds".into()),
        postal_code: Some("LS1 4DY".into()),
        country: Some("GB".into()),
        email: Some("ada@example.com".into()),
        ..Draft::default()
    };
    Card::new(&draft).expect("a card")
}

fn said<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
    outcome.expect_err("a refusal").to_string()
}

#[test]
fn a_cart_is_priced_with_three_tax_rates() {
    on_every_engine(|shop| {
        ground::lay(shop);
        let made =
            create(shop, new(&[line("MUG", 2), line("BOOK", 1), line("TEA", 3), line("MUG", 1)])).unwrap();
        assert_eq!(quantities(&made), [3, 1, 3]);
        let priced = priced(shop, &made).unwrap();
        let lines: Vec<_> =
            priced.lines.iter().map(|line| (line.sku.as_str(), line.gross_minor, line.tax_minor)).collect();
        assert_eq!(lines, [("MUG", 2997, 500), ("BOOK", 899, 0), ("TEA", 1050, 50)]);
        assert_eq!((priced.net, priced.tax, priced.gross), (4396, 550, 4946));
        assert_eq!(priced.rates.len(), 3);
        assert_eq!(load(shop, made.id), made);
    });
}

#[test]
fn a_guest_gives_everything_at_once() {
    on_every_engine(|shop| {
        ground::lay(shop);
        let details = Details { contact: Some(ada()), billing_contact: Some(ada()), ..Details::default() };
        let made = create(shop, NewCart { details, ..new(&[line("MUG", 1)]) }).unwrap();
        let area = made.destination.clone().unwrap();
        assert_eq!((area.country.code(), area.postal_area.as_deref()), ("GB", Some("LS14D")));
        let id = made.id;
        let read = |actor: &Actor| {
            shop.run_as(actor, move |tx, actor, world| cart::read_contacts(tx, actor, world, id))
        };
        assert_eq!(read(&Actor::system()).unwrap(), (Some(ada()), Some(ada())));
        let (contact, billing) = (made.contact.unwrap(), made.billing_contact.unwrap());
        let people = shop.read(move |tx| {
            Ok((engine::contact::person_of(tx, contact)?, engine::contact::person_of(tx, billing)?))
        });
        let (one, other) = people.unwrap();
        assert_eq!(one, other, "one key for everything a guest gives");
        let stranger = Actor { who: Who::Key(Id::from_bytes([1; 16])), channel: None, grants: Vec::new() };
        assert_eq!(read(&stranger).unwrap_err().code(), Some(Code::Forbidden));
    });
}

#[test]
fn adds_from_many_hands_all_survive() {
    on_every_engine(|shop| {
        ground::lay(shop);
        let id = create(shop, new(&[])).unwrap().id;
        std::thread::scope(|scope| {
            for hand in 0..8 {
                scope.spawn(move || {
                    for _ in 0..5 {
                        add(shop, id, line(if hand % 2 == 0 { "MUG" } else { "TEA" }, 1)).expect("an add");
                    }
                });
            }
        });
        let cart = load(shop, id);
        assert_eq!((quantities(&cart), cart.version), (vec![20, 20], 41));
    });
}

#[test]
fn what_cannot_be_added_is_named() {
    on_every_engine(|shop| {
        ground::lay(shop);
        assert_eq!(
            said(create(shop, new(&[line("MUG", 1), line("NONE", 1)]))),
            "invalid: lines.1.sku: no variant with the sku \"NONE\""
        );
        let dollars = NewCart { currency: Currency::parse("USD").ok(), ..new(&[]) };
        assert_eq!(said(create(shop, dollars)), "currency_mismatch: currency: channel \"web\" sells in GBP");
        let id = create(shop, new(&[line("MUG", Quantity::MAX)])).unwrap().id;
        assert_eq!(
            said(add(shop, id, line("MUG", 1))),
            "invalid: quantity: 1000000001 is no quantity: give a whole number from 1 to 1000000000"
        );
        let free = create(shop, new(&[line("MUG", 1), line("UNPRICED", 1)])).unwrap();
        assert_eq!(
            said(priced(shop, &free)),
            "no_price: lines.1: sku UNPRICED has no price in channel \"web\" now; take it out"
        );
        let mug = shop.read(|tx| Ok(store::catalogue::variant_by_sku(tx, "MUG")?)).unwrap().unwrap();
        shop.run(move |tx, actor, world| {
            let change = VariantChange { archived: Some(true), ..VariantChange::default() };
            catalogue::change_variant(tx, actor, world, (Reference::Id(mug.id), Some(mug.version)), change)
        })
        .unwrap();
        let gone = "wrong_state: variant: sku MUG is not sold any more; take it out";
        assert_eq!(said(add(shop, id, line("MUG", 1))), gone);
    });
}

#[test]
fn lines_change_against_the_version_that_was_read() {
    on_every_engine(|shop| {
        ground::lay(shop);
        let made = create(shop, new(&[line("MUG", 1), line("TEA", 1)])).unwrap();
        let (id, mug) = (made.id, made.lines[0].id);
        let set = |version: Option<i64>| {
            let four = Quantity::new(4).unwrap();
            shop.run(move |tx, actor, world| cart::set_quantity(tx, actor, world, (id, mug, version), four))
        };
        assert_eq!(quantities(&set(Some(1)).unwrap()), [4, 1]);
        assert_eq!(set(Some(1)).unwrap_err().code(), Some(Code::Stale));
        assert_eq!(quantities(&set(None).unwrap()), [4, 1]);
        let remove =
            || shop.run(move |tx, actor, world| cart::remove_line(tx, actor, world, (id, mug, None)));
        assert_eq!(quantities(&remove().unwrap()), [1]);
        assert_eq!(said(remove()), format!("not_found: no cart line \"{mug}\""));
    });
}

#[test]
fn a_guest_cart_goes_into_the_customers_own() {
    on_every_engine(|shop| {
        ground::lay(shop);
        let from = create(shop, new(&[line("MUG", 2), line("TEA", 1)])).unwrap().id;
        let into = create(shop, new(&[line("BOOK", 1), line("MUG", 1)])).unwrap().id;
        let merge = |from, into| shop.run(move |tx, actor, world| cart::merge(tx, actor, world, from, into));
        for _ in 0..2 {
            assert_eq!(quantities(&merge(from, into).unwrap()), [1, 3, 1]);
        }
        assert_eq!(load(shop, from).state, State::Merged);
        assert_eq!(
            said(add(shop, from, line("MUG", 1))),
            format!("cart_not_open: cart {from} is merged: its lines are in another cart; use that one")
        );
        assert_eq!(merge(into, from).unwrap_err().code(), Some(Code::CartNotOpen));
        assert_eq!(said(merge(into, into)), "invalid: from: a cart cannot be merged into itself");
    });
}

#[test]
fn a_cart_is_ordered_once() {
    on_every_engine(|shop| {
        ground::lay(shop);
        let id = create(shop, new(&[line("MUG", 1)])).unwrap().id;
        let order: Id<Order> = Id::from_bytes([3; 16]);
        let ordered = || {
            shop.run(move |tx, actor, world| {
                let cart = cart::lock(tx, id)?;
                cart::mark_ordered(tx, actor, world, &cart, order)
            })
        };
        ordered().unwrap();
        assert_eq!(ordered().unwrap_err().code(), Some(Code::CartNotOpen));
        assert_eq!(load(shop, id).order, Some(order));
    });
}

#[test]
fn carts_left_alone_end_and_those_of_people_we_know_may_come_back() {
    on_every_engine(|shop| {
        ground::lay(shop);
        let nobody = create(shop, new(&[line("MUG", 1)])).unwrap().id;
        let details = Details { contact: Some(ada()), ..Details::default() };
        let known = create(shop, NewCart { details, ..new(&[line("MUG", 1)]) }).unwrap().id;
        let expire = || shop.run(cart::expire_due).unwrap();
        shop.pass(DAY - 1);
        expire();
        assert_eq!((load(shop, nobody).state, load(shop, known).state), (State::Active, State::Active));
        shop.pass(1);
        assert_eq!(
            add(shop, nobody, line("MUG", 1)).unwrap_err().code(),
            Some(Code::CartNotOpen),
            "swept or not"
        );
        expire();
        expire();
        assert_eq!((load(shop, nobody).state, load(shop, known).state), (State::Expired, State::Abandoned));
        assert_eq!(add(shop, known, line("MUG", 1)).unwrap().state, State::Recovered);
        shop.pass(40 * DAY);
        expire();
        assert_eq!(load(shop, known).state, State::Expired);
    });
}

#[test]
fn a_customers_cart_is_no_other_customers() {
    on_every_engine(|shop| {
        ground::lay(shop);
        let customer = shop
            .run(|tx, actor, world| {
                let groups = vec!["trade".into()];
                customer::create(
                    tx,
                    actor,
                    world,
                    NewCustomer { external_id: Some("C1".into()), card: ada(), groups },
                )
            })
            .unwrap();
        let details = Details { customer: Some(Reference::External("C1".into())), ..Details::default() };
        for who in [Who::Guest, Who::Key(Id::from_bytes([7; 16]))] {
            let permissions = Permissions::of(&[Permission::Shop, Permission::ReadCatalogue]);
            let anybody = Actor { who, channel: None, grants: vec![Grant { location: None, permissions }] };
            let named = NewCart { details: details.clone(), ..new(&[line("MUG", 1)]) };
            let refused =
                shop.run_as(&anybody, move |tx, actor, world| cart::create(tx, actor, world, named.clone()));
            assert_eq!(refused.unwrap_err().code(), Some(Code::Forbidden), "a storefront key names nobody");
            let nobodys = create(shop, new(&[line("MUG", 1)])).unwrap().id;
            let details = details.clone();
            let refused = shop.run_as(&anybody, move |tx, actor, world| {
                cart::change(tx, actor, world, (nobodys, None), details.clone())
            });
            assert_eq!(refused.unwrap_err().code(), Some(Code::Forbidden));
            assert_eq!(load(shop, nobodys).contact, None, "so nobody's address is read by it");
        }
        let made = create(shop, NewCart { details, ..new(&[line("MUG", 1)]) }).unwrap();
        assert_eq!((made.customer, made.contact), (Some(customer.id), Some(customer.contact)));
        assert_eq!(priced(shop, &made).unwrap().gross, 800, "the price of the group");
        let customer_actor = |who| Actor {
            who: Who::Customer(who),
            channel: None,
            grants: vec![Grant { location: None, permissions: Permissions::of(&[Permission::Shop]) }],
        };
        let id = made.id;
        let read = |actor: Actor| shop.run_as(&actor, move |tx, actor, _| cart::read(tx, actor, id));
        assert_eq!(read(customer_actor(customer.id)).unwrap(), made);
        let other = read(customer_actor(Id::from_bytes([8; 16]))).unwrap_err();
        assert_eq!(other, Failure::Refused(Refusal::not_found("cart", id)));
        let own = shop.run(move |tx, actor, _| {
            let first = Id::from_bytes([0; 16]);
            cart::list_of_customer(tx, actor, &Reference::External("C1".into()), first, 10)
        });
        assert_eq!(own.unwrap().iter().map(|cart| cart.id).collect::<Vec<_>>(), [id]);
    });
}

#[test]
fn a_channel_that_holds_for_carts_promises_nothing_twice() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let policy = NewChannel {
            hold_policy: HoldPolicy::AtCart,
            ..a_channel("held", retailer.market, retailer.network)
        };
        let channel = retailer.channel(shop, policy).id;
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 5);
        let held =
            |lines: &[NewLine]| create(shop, NewCart { channel: Reference::Id(channel), ..new(lines) });
        let first = held(&[line("MUG", 3)]).unwrap();
        let refused = held(&[line("MUG", 3)]).unwrap_err();
        let expected = domain::Refusal::new(Code::OutOfStock, "2 of sku MUG can be had, 3 asked");
        assert_eq!(refused, Failure::Refused(expected));
        let second = held(&[line("MUG", 2)]).unwrap();
        assert_eq!(add(shop, second.id, line("MUG", 1)).unwrap_err().code(), Some(Code::OutOfStock));
        assert_eq!(quantities(&load(shop, second.id)), [2], "a refused add changes nothing");

        let (from, into) = (first.id, second.id);
        let merged = shop.run(move |tx, actor, world| cart::merge(tx, actor, world, from, into)).unwrap();
        assert_eq!(quantities(&merged), [5]);
        let remove = merged.lines[0].id;
        shop.run(move |tx, actor, world| cart::remove_line(tx, actor, world, (into, remove, None))).unwrap();
        let third = held(&[line("MUG", 5)]).unwrap();
        assert!(held(&[line("MUG", 1)]).is_err());
        shop.pass(2 * DAY);
        shop.run(cart::expire_due).unwrap();
        assert_eq!(load(shop, third.id).state, State::Expired);
        assert!(held(&[line("MUG", 5)]).is_ok(), "what nobody came back for can be had again");
    });
}

/// A parcel for 3.99, free from 50 pounds on, or collected in Leeds for nothing.
fn methods(shop: &TestShop) {
    let band = |price_minor| Rates {
        measure: Measure::Value,
        bands: vec![Band { from: 0, price_minor }],
        most: None,
        free_from_minor: Some(5000),
    };
    let parcel = NewMethod {
        code: "parcel".into(),
        name: domain::catalogue::Wording::title("Parcel", &[]).expect("a title"),
        external_id: Some("PARCEL".into()),
        kind: DeliveryKind::Ship,
        currency: Currency::parse("GBP").expect("a currency"),
        zone: vec![Area { country: ada().country().expect("a country"), postal_prefixes: Vec::new() }],
        rates: band(399),
        tax_class: Reference::External("standard".into()),
        lead_days: (1, 3),
        delivery_hours: None,
        channels: vec![Reference::External("WEB".into())],
        pickup_network: None,
        pickup_locations: Vec::new(),
    };
    let collect = NewMethod {
        code: "collect".into(),
        external_id: Some("COLLECT".into()),
        kind: DeliveryKind::Pickup,
        zone: Vec::new(),
        rates: band(0),
        pickup_network: Some(Reference::External("UK".into())),
        ..parcel.clone()
    };
    shop.run(move |tx, actor, world| {
        delivery::create(tx, actor, world, parcel.clone())?;
        delivery::create(tx, actor, world, collect.clone())
    })
    .expect("delivery methods");
}

#[test]
fn delivery_is_chosen_charged_and_taxed() {
    on_every_engine(|shop| {
        ground::lay(shop);
        methods(shop);
        let choose = |method: &str, location: Option<&str>| {
            let location = location.map(|place| Reference::External(place.to_owned()));
            Some(Some(Choice { method: Reference::External(method.into()), location }))
        };
        let fresh = |details| create(shop, NewCart { details, ..new(&[line("MUG", 1)]) });
        let parcel = Details { delivery: choose("PARCEL", None), ..Details::default() };
        assert_eq!(
            said(fresh(parcel.clone())),
            "not_deliverable: contact: \"parcel\" needs an address: give the contact with its country"
        );
        let made = fresh(Details { contact: Some(ada()), ..parcel }).unwrap();
        let costs = priced(shop, &made).unwrap();
        let charge = costs.delivery.unwrap();
        assert_eq!((charge.kind, charge.gross_minor, charge.tax_minor), (DeliveryKind::Ship, 399, 66));
        assert_eq!((costs.net, costs.tax, costs.gross), (1165, 233, 1398));
        let more = add(shop, made.id, line("MUG", 5)).unwrap();
        assert_eq!(priced(shop, &more).unwrap().delivery.unwrap().gross_minor, 0, "free from 50 pounds on");

        let id = made.id;
        let change = |delivery| {
            let details = Details { delivery, ..Details::default() };
            shop.run(move |tx, actor, world| cart::change(tx, actor, world, (id, None), details.clone()))
        };
        assert_eq!(
            said(change(choose("COLLECT", None))),
            "invalid: delivery.location: \"collect\" is collected: name the location"
        );
        assert_eq!(
            said(change(choose("PARCEL", Some("LEEDS")))),
            "invalid: delivery.location: leave it out: \"parcel\" is not collected"
        );
        assert!(change(choose("COLLECT", Some("LEEDS"))).unwrap().pickup_location.is_some());
        let none = change(Some(None)).unwrap();
        assert_eq!((none.method, none.pickup_location), (None, None));
    });
}
