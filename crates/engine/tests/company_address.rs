//! A company's addresses: kept by its administrators, used by its members, gone with it; and its orders, seen by whoever approves them.

use domain::Code;
use domain::actor::Actor;
use domain::company::Role;
use domain::detail::ADDRESSES_MAX;
use domain::value::id::{Address as AddressKind, Cart as CartKind, Company, Contact, Customer, Variant};
use domain::value::{Id, Reference};
use engine::address::{self, Address, Holder, Shown, Wanted};
use engine::cart::{self, Cart, Details};
use engine::{Failure, check, company, order, status};
use sim::{Retailer, TestShop, on_every_engine};
use store::market::Channel;

use crate::company::{also, founded, herself, join};
use crate::counter;
use crate::detail::at;

fn add(shop: &TestShop, actor: &Actor, of: Holder, wanted: Wanted) -> Result<Address, Failure> {
    shop.run_as(actor, move |tx, actor, world| address::add(tx, actor, world, of, wanted.clone()))
}

fn list(shop: &TestShop, actor: &Actor, of: Holder) -> Result<Vec<Shown>, Failure> {
    shop.run_as(actor, move |tx, actor, world| address::list(tx, actor, world, of))
}

fn code<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Option<Code> {
    outcome.expect_err("a refusal").code()
}

fn details(shop: &TestShop, cart: Id<CartKind>, details: Details) -> Result<Cart, Failure> {
    shop.run(move |tx, actor, world| cart::change(tx, actor, world, (cart, None), details.clone()))
}

fn named(company: Option<Id<Company>>) -> Details {
    Details { company: Some(company.map(Reference::Id)), ..Details::default() }
}

fn street(shop: &TestShop, contact: Option<Id<Contact>>) -> String {
    let contact = contact.expect("a contact");
    let card = shop.run(move |tx, actor, world| engine::contact::read(tx, actor, world, contact));
    card.expect("a card").text().street.join(", ")
}

#[test]
fn administrators_keep_the_addresses_and_members_read_them() {
    on_every_engine(|shop| {
        let company = founded(shop, "Mugs Ltd", None).expect("a company");
        let (ada, bob, eve) = (counter::ada(shop), also(shop, "bob"), also(shop, "eve"));
        join(shop, &company, ada, Role::Administrator, None);
        join(shop, &company, bob, Role::Buyer, Some(1_000));
        let of = Holder::Company(company.id);
        let yard =
            add(shop, &herself(ada), of, Wanted { for_delivery: true, ..at("Yard") }).expect("hers to add");
        add(shop, &Actor::system(), of, Wanted { for_billing: true, ..at("Office") }).expect("a colleague's");
        assert_eq!(
            code(add(shop, &herself(bob), of, at("Home"))),
            Some(Code::Forbidden),
            "a buyer adds none"
        );
        assert_eq!(code(list(shop, &herself(eve), of)), Some(Code::Forbidden), "no member");
        let seen = list(shop, &herself(bob), of).expect("members read");
        let told: Vec<_> = seen
            .iter()
            .map(|one| (one.label.as_deref(), one.address.for_delivery, one.address.for_billing))
            .collect();
        assert_eq!(told, [(Some("by Yard"), true, false), (Some("by Office"), false, true)]);
        let (id, version) = (yard.row.id, yard.row.version);
        let wanted = Wanted { for_delivery: true, ..at("New Yard") };
        let change = |actor: &Actor, version: i64| {
            let wanted = wanted.clone();
            shop.run_as(actor, move |tx, actor, world| {
                address::change(tx, actor, world, (of, id), (wanted.clone(), version))
            })
        };
        assert_eq!(code(change(&herself(bob), version)), Some(Code::Forbidden));
        change(&herself(ada), version).expect("hers to change");
        assert_eq!(code(change(&herself(ada), version)), Some(Code::Stale));
        let remove = |of: Holder, id: Id<AddressKind>| {
            shop.run(move |tx, actor, world| address::remove(tx, actor, world, (of, id)))
        };
        assert_eq!(code(remove(Holder::Customer(ada), id)), Some(Code::NotFound), "it is not hers");
        remove(of, id).expect("taken away");
        for _ in 1..ADDRESSES_MAX {
            add(shop, &Actor::system(), of, at("Any Street")).expect("an address");
        }
        assert_eq!(code(add(shop, &Actor::system(), of, at("Any Street"))), Some(Code::WrongState));
        let id = company.id;
        shop.run(move |tx, actor, world| company::erase(tx, actor, world, id)).expect("erased");
        assert_eq!(list(shop, &Actor::system(), of).expect("none").len(), 0, "gone with the company");
        assert_eq!(code(add(shop, &Actor::system(), of, at("Yard"))), Some(Code::WrongState));
    });
}

/// Ada with an address of her own, the company with a yard and an office, a cart of hers.
struct Ground {
    ada: Id<Customer>,
    company: Id<Company>,
    yard: Id<AddressKind>,
    cart: Id<CartKind>,
    till: Channel,
    mug: Id<Variant>,
}

fn laid(shop: &TestShop) -> Ground {
    let retailer = Retailer::open(shop, &["leeds"]);
    let (till, mug) = (retailer.till(shop, 0), retailer.sell(shop, "MUG", 500));
    retailer.stock(shop, mug, 0, 100);
    let company = founded(shop, "Mugs Ltd", None).expect("a company");
    let ada = counter::ada(shop);
    join(shop, &company, ada, Role::Buyer, None);
    let cart = counter::filled(shop, &till, &[(mug, 1)], Some(ada));
    let (of, usual) = (Holder::Company(company.id), |wanted: Wanted| Wanted { for_delivery: true, ..wanted });
    let yard = add(shop, &Actor::system(), of, usual(at("Yard"))).expect("an address").row.id;
    add(shop, &Actor::system(), of, Wanted { for_billing: true, ..at("Office") }).expect("an address");
    let own = Holder::Customer(ada);
    add(shop, &Actor::system(), own, usual(at("Home"))).expect("an address");
    Ground { ada, company: company.id, yard, cart, till, mug }
}

#[test]
fn goods_and_invoices_go_where_the_companys_go() {
    on_every_engine(|shop| {
        let Ground { ada, company, cart, .. } = laid(shop);
        let anew = Details { customer: Some(Reference::Id(ada)), ..Details::default() };
        let before = details(shop, cart, anew).expect("a cart");
        let contacts = shop.run(move |tx, actor, world| cart::read_contacts(tx, actor, world, cart));
        assert!(contacts.expect("contacts").1.is_none(), "no invoice goes anywhere else");
        let bought = details(shop, cart, named(Some(company))).expect("a cart");
        assert_eq!(street(shop, bought.billing_contact), "Office");
        assert_ne!(before.contact, bought.contact);
        assert_eq!(street(shop, bought.contact), "Yard", "since nothing else was said");
        assert_eq!(bought.destination.expect("a destination").postal_area.as_deref(), Some("LS14D"));
        let own = details(shop, cart, named(None)).expect("a cart");
        assert_eq!(street(shop, own.contact), "Home", "hers again, where her goods go");
        assert_eq!(own.billing_contact, None);
        let said = Details { contact: Some(at("The Pier").card), ..named(Some(company)) };
        let said = details(shop, cart, said).expect("a cart");
        assert_eq!(street(shop, said.contact), "The Pier", "what is said counts");
        let again = details(shop, cart, named(None)).expect("a cart");
        assert_eq!(street(shop, again.contact), "The Pier");
    });
}

#[test]
fn an_address_is_chosen_by_its_id() {
    on_every_engine(|shop| {
        let Ground { ada, company, yard, cart, .. } = laid(shop);
        let by_id = |id| Details { address: Some(id), billing_address: Some(id), ..Details::default() };
        let refused = details(shop, cart, by_id(yard)).expect_err("no address of hers");
        assert_eq!(refused.code(), Some(Code::Invalid), "{refused}");
        let both = Details { company: Some(Some(Reference::Id(company))), ..by_id(yard) };
        let chosen = details(shop, cart, both).expect("a cart");
        assert_eq!(street(shop, chosen.contact), "Yard");
        assert_eq!(chosen.contact, chosen.billing_contact);
        let pier = add(shop, &Actor::system(), Holder::Customer(ada), at("The Pier")).expect("an address");
        let chosen = details(shop, cart, by_id(pier.row.id)).expect("a cart");
        assert_eq!(street(shop, chosen.billing_contact), "The Pier");
    });
}

#[test]
fn contacts_of_a_company_stay_with_what_is_bought_for_it() {
    on_every_engine(|shop| {
        let Ground { company, cart, till, mug, .. } = laid(shop);
        details(shop, cart, named(Some(company))).expect("a cart");
        let nobodys = counter::filled(shop, &till, &[(mug, 1)], None);
        let joined =
            shop.run(move |tx, actor, world| cart::merge(tx, actor, world, cart, nobodys)).expect("one cart");
        assert_eq!((joined.company, joined.contact, joined.billing_contact), (None, None, None));
    });
}

#[test]
fn approvers_see_the_orders_of_the_company() {
    on_every_engine(|shop| {
        let Ground { company, cart, .. } = laid(shop);
        let whole = shop.read(move |tx| company::list(tx, &Actor::system(), Id::from_bytes([0; 16]), 1));
        let known = whole.expect("companies").pop().expect("a company");
        let (bob, eve) = (also(shop, "bob"), also(shop, "eve"));
        join(shop, &known, bob, Role::Approver, None);
        join(shop, &known, eve, Role::Buyer, None);
        details(shop, cart, named(Some(company))).expect("a cart");
        let id = counter::order_of(shop, cart, counter::cash()).order.id;
        let sees =
            |who: Id<Customer>| shop.read(move |tx| status::read(tx, &herself(who), id, None).map(drop));
        sees(bob).expect("he approves");
        assert_eq!(code(sees(eve)), Some(Code::NotFound), "another buyer does not");
        join(shop, &known, bob, Role::Buyer, None);
        assert_eq!(code(sees(bob)), Some(Code::NotFound), "nor he, when he approves no more");
        let discounts = shop.read(move |tx| order::discounts(tx, &herself(eve), id));
        assert_eq!(code(discounts), Some(Code::NotFound));
        let report = shop.read(|tx| check::check(tx, [7; 32], &mut |_, _| {})).expect("a report");
        assert_eq!(report.differences, []);
    });
}
