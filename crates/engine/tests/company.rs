//! Companies buy through their members: each up to a limit, in the company's name, until the membership or the company ends.

use crate::counter;
use domain::Code;
use domain::actor::{Actor, Permission, Who};
use domain::company::{Limit, Role, vat_number};
use domain::contact::{Card, Draft};
use domain::merging::Cause;
use domain::value::id::{Company as CompanyKind, Customer, Order};
use domain::value::{Country, Id};
use engine::checkout::{self, Checkout, Whole};
use engine::company::{self, Company, Member, Shown, Wanted};
use engine::merging::{self, Wish};
use engine::{Failure, customer, erasure};
use sim::{Retailer, TestShop, on_every_engine};

fn wanted(name: &str, vat: Option<&str>) -> Wanted {
    let draft = Draft { company: Some(name.into()), country: Some("GB".into()), ..Draft::default() };
    let country = Country::parse("GB").expect("a country");
    Wanted {
        card: Card::new(&draft).expect("a card"),
        registration_number: Some("01234567".into()),
        vat_number: vat.map(|vat| vat_number(vat, country).expect("a number")),
    }
}

fn founded(shop: &TestShop, name: &str, vat: Option<&str>) -> Result<Company, Failure> {
    let wanted = wanted(name, vat);
    shop.run(move |tx, actor, world| company::create(tx, actor, world, (wanted.clone(), None)))
}

fn also(shop: &TestShop, name: &str) -> Id<Customer> {
    let draft =
        Draft { name: Some(name.into()), email: Some(format!("{name}@example.com")), ..Draft::default() };
    let card = Card::new(&draft).expect("a card");
    let new = customer::NewCustomer { external_id: None, card, groups: Vec::new() };
    shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone())).expect("a customer").id
}

fn herself(id: Id<Customer>) -> Actor {
    Actor { who: Who::Customer(id), channel: None, grants: Vec::new() }
}

fn join_as(
    shop: &TestShop,
    actor: &Actor,
    (company, who): (Id<CompanyKind>, Id<Customer>),
    (role, pence): (Role, Option<i64>),
) -> Result<Member, Failure> {
    let limit = pence.map(|pence| Limit::new(pence, counter::pounds()).expect("a limit"));
    shop.run_as(actor, move |tx, actor, world| {
        company::set_member(tx, actor, world, (company, who), (role, limit))
    })
}

fn join(shop: &TestShop, company: &Company, who: Id<Customer>, role: Role, pence: Option<i64>) {
    join_as(shop, &Actor::system(), (company.id, who), (role, pence)).expect("a member");
}

/// Buys mugs at 5 pounds each at the till of the shop, in the company's name.
fn buy(
    shop: &TestShop,
    retailer: &Retailer,
    (company, who, mugs): (Id<CompanyKind>, Id<Customer>, i64),
    actor: &Actor,
) -> Result<Whole, Failure> {
    let till = retailer.till(shop, 0);
    let mug = retailer.sell(shop, &format!("MUG-{mugs}-{who}")[..40], 500);
    retailer.stock(shop, mug, 0, 100);
    let cart = counter::filled(shop, &till, &[(mug, mugs)], Some(who));
    shop.run(move |tx, actor, world| company::set_cart(tx, actor, world, (cart, Some(company))))?;
    shop.run_as(actor, move |tx, actor, world| {
        let input = Checkout {
            cart,
            expected_total: None,
            tenders: counter::cash(),
            serve_from: None,
            placed_at: None,
            external_id: None,
        };
        checkout::place(tx, actor, world, input)
    })
}

fn orders(shop: &TestShop, company: Id<CompanyKind>) -> Vec<(Id<Order>, Id<Customer>)> {
    let page = (Id::from_bytes([255; 16]), 10);
    shop.read(move |tx| company::orders(tx, &Actor::system(), company, page)).expect("orders")
}

fn shown(shop: &TestShop, actor: &Actor, id: Id<CompanyKind>) -> Result<Shown, Failure> {
    shop.run_as(actor, move |tx, actor, world| company::read(tx, actor, world, id))
}

fn code<T>(outcome: Result<T, Failure>) -> Code {
    match outcome {
        Err(Failure::Refused(refusal)) => refusal.code(),
        Err(other) => panic!("not refused: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

#[test]
fn a_company_is_made_once_and_found_by_its_number() {
    on_every_engine(|shop| {
        let mugs = founded(shop, "Mugs Ltd", Some("GB 123 4567 89")).expect("a company");
        assert_eq!(code(founded(shop, "Other Ltd", Some("123456789"))), Code::AlreadyExists);
        assert_eq!(founded(shop, "Third Ltd", None).expect("without a number").version, 1);
        let found = shop.run(|tx, actor, world| company::find(tx, actor, world, "GB123456789"));
        assert_eq!(found.expect("a look-up"), Some(mugs.clone()));
        let seen = shown(shop, &Actor::system(), mugs.id).expect("a company");
        assert_eq!(seen.card.text().company.as_deref(), Some("Mugs Ltd"));
        assert_eq!(
            (seen.vat_number.as_deref(), seen.registration_number.as_deref()),
            (Some("GB123456789"), Some("01234567"))
        );
        let change = |version| {
            let (id, wanted) = (mugs.id, wanted("Mugs plc", Some("987654321")));
            shop.run(move |tx, actor, world| company::change(tx, actor, world, (id, version), wanted.clone()))
        };
        assert_eq!(change(1).expect("changed").version, 2);
        assert_eq!(code(change(1)), Code::Stale);
        assert!(founded(shop, "Other Ltd", Some("123456789")).is_ok(), "the old number is free again");
    });
}

#[test]
fn members_buy_up_to_their_limit() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let company = founded(shop, "Mugs Ltd", None).expect("a company");
        let (ada, bob, eve) = (counter::ada(shop), also(shop, "bob"), also(shop, "eve"));
        join(shop, &company, ada, Role::Buyer, Some(1_000));
        join(shop, &company, bob, Role::Approver, None);
        let clerk = counter::only(&[Permission::Shop]);
        let may = |who, mugs| buy(shop, &retailer, (company.id, who, mugs), &clerk);
        let order = may(ada, 2).expect("within the limit").order.id;
        assert_eq!(code(may(ada, 3)), Code::PolicyRefuses);
        assert_eq!(code(may(eve, 1)), Code::Invalid, "no member");
        may(bob, 3).expect("an approver has no limit");
        buy(shop, &retailer, (company.id, ada, 4), &Actor::system()).expect("a colleague allows it");
        let bought = orders(shop, company.id);
        assert_eq!((bought.len(), bought[2]), (3, (order, ada)));
    });
}

#[test]
fn administrators_say_who_is_a_member() {
    on_every_engine(|shop| {
        let company = founded(shop, "Mugs Ltd", None).expect("a company");
        let (ada, bob, eve) = (counter::ada(shop), also(shop, "bob"), also(shop, "eve"));
        join(shop, &company, ada, Role::Administrator, None);
        let as_ada = herself(ada);
        join_as(shop, &as_ada, (company.id, bob), (Role::Buyer, Some(500))).expect("hers to say");
        assert_eq!(
            code(join_as(shop, &herself(bob), (company.id, eve), (Role::Buyer, None))),
            Code::Forbidden
        );
        assert!(shown(shop, &herself(bob), company.id).is_ok(), "members see their company");
        assert_eq!(code(shown(shop, &herself(eve), company.id)), Code::Forbidden);
        let leave = |actor: &Actor, who| {
            let id = company.id;
            shop.run_as(actor, move |tx, actor, world| company::remove_member(tx, actor, world, (id, who)))
        };
        assert_eq!(code(leave(&as_ada, ada)), Code::WrongState, "nobody would be left");
        assert_eq!(code(join_as(shop, &as_ada, (company.id, ada), (Role::Buyer, None))), Code::WrongState);
        leave(&as_ada, bob).expect("left");
        assert_eq!(code(leave(&Actor::system(), bob)), Code::NotFound);
        leave(&Actor::system(), ada).expect("colleagues may");
    });
}

#[test]
fn whoever_is_merged_or_erased_is_heeded() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let company = founded(shop, "Mugs Ltd", Some("123456789")).expect("a company");
        let (ada, also) = (counter::ada(shop), also(shop, "bob"));
        join(shop, &company, also, Role::Buyer, Some(1_000));
        let wish = Wish { winner: ada, loser: also, cause: Cause::Staff, why: "the same".into() };
        let merged =
            shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone())).expect("merged");
        let clerk = counter::only(&[Permission::Shop]);
        buy(shop, &retailer, (company.id, ada, 1), &clerk).expect("she is who was a member");
        let of = |id| {
            shop.read(move |tx| company::of_customer(tx, &Actor::system(), id)).expect("companies").len()
        };
        assert_eq!((of(ada), of(also)), (1, 1));
        let id = merged.id;
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, id)).expect("undone");
        assert_eq!((of(ada), of(also)), (0, 1));
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, also)).expect("erased");
        let left = company.id;
        let members = shop.read(move |tx| company::members(tx, &Actor::system(), left)).expect("members");
        assert!(members.is_empty(), "who is erased buys for nobody");
        for _ in 0..2 {
            shop.run(move |tx, actor, world| company::erase(tx, actor, world, left)).expect("twice is once");
        }
        assert_eq!(code(shown(shop, &Actor::system(), left)), Code::NotFound);
        assert_eq!(code(join_as(shop, &Actor::system(), (left, ada), (Role::Buyer, None))), Code::WrongState);
        assert!(founded(shop, "New Ltd", Some("123456789")).is_ok(), "its number is free again");
        assert_eq!(orders(shop, left).len(), 1, "the order stays");
    });
}
