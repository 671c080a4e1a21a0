//! Companies buy through their members: each up to a limit, in the company's name, until the membership or the company ends.

use crate::counter;
use std::thread;

use domain::actor::{Actor, Permission, Who};
use domain::company::{Limit, Role, State, vat_number};
use domain::contact::{Card, Draft};
use domain::merging::Cause;
use domain::value::id::{Cart as CartKind, Company as CompanyKind, Customer, Variant};
use domain::value::{Country, Id, Reference};
use domain::{Code, Refusal};
use engine::cart::{self, Cart, Details};
use engine::checkout::{self, Checkout, Whole};
use engine::company::member::{self, Member, Named};
use engine::company::{self, Company, Shown, Sought, Wanted};
use engine::merging::{self, Wish};
use engine::order::{self, Order};
use engine::price::{self, NewAudience, NewList, NewPrice};
use engine::{Failure, check, customer, erasure};
use sim::{Retailer, TestShop, on_every_engine};
use store::market::Channel;

fn wanted(name: &str, vat: Option<&str>) -> Wanted {
    let draft = Draft { company: Some(name.into()), country: Some("GB".into()), ..Draft::default() };
    let country = Country::parse("GB").expect("a country");
    Wanted {
        card: Card::new(&draft).expect("a card"),
        registration_number: Some("01234567".into()),
        vat_number: vat.map(|vat| vat_number(vat, country).expect("a number")),
    }
}

pub fn founded(shop: &TestShop, name: &str, vat: Option<&str>) -> Result<Company, Failure> {
    let (wanted, number) = (wanted(name, vat), Some(format!("ERP-{name}")));
    shop.run(move |tx, actor, world| company::create(tx, actor, world, (wanted.clone(), number.clone())))
}

pub fn also(shop: &TestShop, name: &str) -> Id<Customer> {
    let draft =
        Draft { name: Some(name.into()), email: Some(format!("{name}@example.com")), ..Draft::default() };
    let card = Card::new(&draft).expect("a card");
    let new = customer::NewCustomer { external_id: None, card, groups: Vec::new() };
    shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone())).expect("a customer").id
}

pub fn herself(id: Id<Customer>) -> Actor {
    Actor { who: Who::Customer(id), channel: None, grants: Vec::new() }
}

fn join_as(
    shop: &TestShop,
    actor: &Actor,
    (company, who): (Id<CompanyKind>, Id<Customer>),
    (role, minor): (Role, Option<i64>),
) -> Result<Member, Failure> {
    let limit = minor.map(|minor| Limit::new(minor, counter::pounds()).expect("a limit"));
    shop.run_as(actor, move |tx, actor, world| member::set(tx, actor, world, (company, who), (role, limit)))
}

pub fn join(shop: &TestShop, company: &Company, who: Id<Customer>, role: Role, minor: Option<i64>) {
    join_as(shop, &Actor::system(), (company.id, who), (role, minor)).expect("a member");
}

/// A till that sells mugs at 5 pounds each.
struct Counter {
    till: Channel,
    mug: Id<Variant>,
}

fn opened(shop: &TestShop) -> Counter {
    let retailer = Retailer::open(shop, &["leeds"]);
    let (till, mug) = (retailer.till(shop, 0), retailer.sell(shop, "MUG", 500));
    retailer.stock(shop, mug, 0, 100);
    Counter { till, mug }
}

/// Says in whose name a cart is bought.
fn name(shop: &TestShop, cart: Id<CartKind>, company: Option<Id<CompanyKind>>) -> Result<Cart, Failure> {
    let details = Details { company: Some(company.map(Reference::Id)), ..Details::default() };
    shop.run(move |tx, actor, world| cart::change(tx, actor, world, (cart, None), details.clone()))
}

fn place(shop: &TestShop, actor: &Actor, cart: Id<CartKind>) -> Result<Whole, Failure> {
    shop.run_as(actor, move |tx, actor, world| {
        let (tenders, expected_total) = (counter::cash(), None);
        let (serve_from, placed_at, external_id) = (None, None, None);
        let input = Checkout { cart, expected_total, tenders, serve_from, placed_at, external_id };
        checkout::place(tx, actor, world, input)
    })
}

/// Buys mugs in the company's name.
fn buy(
    shop: &TestShop,
    at: &Counter,
    (company, who, mugs): (Id<CompanyKind>, Id<Customer>, i64),
    actor: &Actor,
) -> Result<Whole, Failure> {
    let cart = counter::filled(shop, &at.till, &[(at.mug, mugs)], Some(who));
    name(shop, cart, Some(company))?;
    place(shop, actor, cart)
}

fn orders(shop: &TestShop, actor: &Actor, company: Id<CompanyKind>) -> Result<Vec<Order>, Failure> {
    let (actor, page) = (actor.clone(), (Id::from_bytes([255; 16]), 10));
    shop.read(move |tx| order::of_company(tx, &actor, company, page))
}

fn members(shop: &TestShop, actor: &Actor, company: Id<CompanyKind>) -> Result<Vec<Named>, Failure> {
    let first = (Id::from_bytes([0; 16]), 10);
    shop.run_as(actor, move |tx, actor, world| member::list(tx, actor, world, company, first))
}

/// Lets the group of tradespeople have a variant at this price.
fn for_trade(shop: &TestShop, at: &Counter, minor: i64) {
    let list = NewList {
        code: "b2b".into(),
        name: "Trade".into(),
        currency: counter::pounds(),
        audience: NewAudience::Channel(Reference::Id(at.till.id)),
        customer_group: Some("b2b".into()),
        priority: 0,
        starts_at: None,
        ends_at: None,
        external_id: Some("b2b".into()),
    };
    shop.run(move |tx, actor, world| price::create_list(tx, actor, world, list.clone())).expect("a list");
    shop.pass(1);
    let price = NewPrice {
        list: Reference::External("b2b".into()),
        variant: Reference::Id(at.mug),
        minor: Some(minor),
        was_minor: None,
        minimum_quantity: 1,
        starts_at: None,
        ends_at: None,
    };
    shop.run(move |tx, actor, world| price::set_price(tx, actor, world, price.clone())).expect("a price");
    shop.pass(1);
}

fn sought(shop: &TestShop, by: &Sought) -> Vec<Id<CompanyKind>> {
    let (by, first) = (by.clone(), (Id::from_bytes([0; 16]), 10));
    let found = shop.run(move |tx, actor, world| company::find(tx, actor, world, &by, first));
    found.expect("a look-up").iter().map(|one| one.id).collect()
}

fn shown(shop: &TestShop, actor: &Actor, id: Id<CompanyKind>) -> Result<Shown, Failure> {
    shop.run_as(actor, move |tx, actor, world| company::read(tx, actor, world, id))
}

pub fn code<T>(outcome: Result<T, Failure>) -> Code {
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
        let third = founded(shop, "Dritte Müllerei & Söhne", None).expect("a company").id;
        assert_eq!(sought(shop, &Sought::VatNumber("GB123456789".into())), [mugs.id]);
        assert_eq!(sought(shop, &Sought::Name("LTD mugs".into())), [mugs.id]);
        assert_eq!(sought(shop, &Sought::Name("soehne muellerei".into())), [third]);
        assert_eq!(sought(shop, &Sought::Name("ltd".into())).len(), 2);
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
        assert!(sought(shop, &Sought::Name("mugs ltd".into())).is_empty(), "it is called otherwise now");
        assert!(founded(shop, "Other Ltd", Some("123456789")).is_ok(), "the old number is free again");
    });
}

#[test]
fn members_buy_up_to_their_limit() {
    on_every_engine(|shop| {
        let at = opened(shop);
        let company = founded(shop, "Mugs Ltd", None).expect("a company");
        let (ada, bob, eve) = (counter::ada(shop), also(shop, "bob"), also(shop, "eve"));
        join(shop, &company, ada, Role::Buyer, Some(1_000));
        join(shop, &company, bob, Role::Approver, None);
        let clerk = counter::only(&[Permission::Shop, Permission::TakePayments]);
        let may = |who, mugs| buy(shop, &at, (company.id, who, mugs), &clerk);
        let order = may(ada, 2).expect("within the limit").order.id;
        assert_eq!(code(may(ada, 3)), Code::PolicyRefuses);
        assert_eq!(code(may(eve, 1)), Code::Invalid, "no member");
        may(bob, 3).expect("an approver has no limit");
        buy(shop, &at, (company.id, ada, 4), &Actor::system()).expect("a colleague allows it");
        let bought = orders(shop, &herself(bob), company.id).expect("an approver sees them");
        assert_eq!((bought.len(), bought[2].id, bought[2].customer), (3, order, Some(ada)));
        assert_eq!(bought[2].company, Some(company.id));
        assert_eq!(code(orders(shop, &herself(ada), company.id)), Code::Forbidden, "buyers see their own");
    });
}

#[test]
fn the_retailer_says_what_a_company_pays_and_whether_it_buys() {
    on_every_engine(|shop| {
        let at = opened(shop);
        let company = founded(shop, "Mugs Ltd", None).expect("a company");
        let ada = counter::ada(shop);
        join(shop, &company, ada, Role::Administrator, None);
        let terms = |actor: &Actor, version, state| {
            let id = company.id;
            shop.run_as(actor, move |tx, actor, world| {
                company::set_terms(tx, actor, world, (id, version), (state, vec!["b2b".into()]))
            })
        };
        assert_eq!(code(terms(&herself(ada), 1, State::Active)), Code::Forbidden);
        terms(&Actor::system(), 1, State::Active).expect("terms");
        let order = buy(shop, &at, (company.id, ada, 2), &Actor::system()).expect("an order").order;
        assert_eq!(order.gross, 1_000, "nothing is cheaper without a list for the group");
        for_trade(shop, &at, 300);
        let cart = counter::filled(shop, &at.till, &[(at.mug, 2)], Some(ada));
        let price = |company: Option<Id<CompanyKind>>| {
            let named = name(shop, cart, company)?;
            shop.run(move |tx, _, world| Ok(cart::priced(tx, world.now(), &named)?.gross))
        };
        assert_eq!(price(Some(company.id)).expect("a price"), 600, "the company's price");
        assert_eq!(price(None).expect("a price"), 1_000, "her own");
        terms(&Actor::system(), 2, State::Blocked).expect("blocked");
        assert_eq!(code(price(Some(company.id))), Code::Invalid, "nothing is bought for who is blocked");
        assert_eq!(code(buy(shop, &at, (company.id, ada, 1), &Actor::system())), Code::Invalid);
    });
}

#[test]
fn administrators_say_who_is_a_member() {
    on_every_engine(|shop| {
        let company = founded(shop, "Mugs Ltd", None).expect("a company");
        let (ada, bob, eve) = (counter::ada(shop), also(shop, "bob"), also(shop, "eve"));
        join(shop, &company, ada, Role::Administrator, None);
        let as_ada = herself(ada);
        assert_eq!(
            code(join_as(shop, &as_ada, (company.id, bob), (Role::Buyer, None))),
            Code::Forbidden,
            "nobody joins unasked"
        );
        join(shop, &company, bob, Role::Buyer, None);
        join_as(shop, &as_ada, (company.id, bob), (Role::Buyer, Some(500))).expect("hers to say");
        assert_eq!(
            code(join_as(shop, &herself(bob), (company.id, eve), (Role::Buyer, None))),
            Code::Forbidden
        );
        assert!(shown(shop, &herself(bob), company.id).is_ok(), "members see their company");
        assert_eq!(code(shown(shop, &herself(eve), company.id)), Code::Forbidden);
        let leave = |actor: &Actor, who| {
            let id = company.id;
            shop.run_as(actor, move |tx, actor, world| member::remove(tx, actor, world, (id, who)))
        };
        let named = members(shop, &as_ada, company.id).expect("members");
        assert_eq!(named[1].name.as_deref(), Some("bob"));
        assert_eq!(code(members(shop, &herself(bob), company.id)), Code::Forbidden);
        assert_eq!(code(leave(&as_ada, ada)), Code::WrongState, "nobody would be left");
        assert_eq!(code(join_as(shop, &as_ada, (company.id, ada), (Role::Buyer, None))), Code::WrongState);
        assert_eq!(code(leave(&herself(eve), bob)), Code::Forbidden);
        leave(&herself(bob), bob).expect("his own to end");
        assert_eq!(code(leave(&Actor::system(), bob)), Code::NotFound);
        leave(&Actor::system(), ada).expect("colleagues may");
    });
}

#[test]
fn whoever_is_merged_or_erased_is_heeded() {
    on_every_engine(|shop| {
        let at = opened(shop);
        let company = founded(shop, "Mugs Ltd", Some("123456789")).expect("a company");
        let (ada, also) = (counter::ada(shop), also(shop, "bob"));
        join(shop, &company, also, Role::Buyer, Some(1_000));
        let wish = Wish { winner: ada, loser: also, cause: Cause::Staff, why: "the same".into() };
        let merged =
            shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone())).expect("merged");
        let clerk = counter::only(&[Permission::Shop, Permission::TakePayments]);
        buy(shop, &at, (company.id, ada, 1), &clerk).expect("she is who was a member");
        let of =
            |id| shop.read(move |tx| member::of_customer(tx, &Actor::system(), id)).expect("companies").len();
        assert_eq!((of(ada), of(also)), (1, 1));
        join(shop, &company, ada, Role::Approver, None);
        assert_eq!(
            members(shop, &Actor::system(), company.id).expect("members").len(),
            1,
            "one person, one membership"
        );
        let id = merged.id;
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, id)).expect("undone");
        assert_eq!((of(ada), of(also)), (0, 1));
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, also)).expect("erased");
        let left = company.id;
        assert!(
            members(shop, &Actor::system(), left).expect("members").is_empty(),
            "who is erased buys for nobody"
        );
        for _ in 0..2 {
            shop.run(move |tx, actor, world| company::erase(tx, actor, world, left)).expect("twice is once");
        }
        assert_eq!(code(shown(shop, &Actor::system(), left)), Code::NotFound);
        assert_eq!(code(join_as(shop, &Actor::system(), (left, ada), (Role::Buyer, None))), Code::WrongState);
        assert!(founded(shop, "New Ltd", Some("123456789")).is_ok(), "its number is free again");
        assert_eq!(orders(shop, &Actor::system(), left).expect("orders").len(), 1, "the order stays");
    });
}

/// Everybody's membership ends while they pay: either the order stands, or it is refused; and none is younger than the leaving.
#[test]
fn nobody_buys_for_a_company_after_leaving_it() {
    on_every_engine(|shop| {
        let at = opened(shop);
        let company = founded(shop, "Mugs Ltd", None).expect("a company").id;
        let mut placed = 0;
        for round in 0..8 {
            let who = also(shop, &format!("member{round}"));
            join_as(shop, &Actor::system(), (company, who), (Role::Buyer, None)).expect("a member");
            let cart = counter::filled(shop, &at.till, &[(at.mug, 1)], Some(who));
            name(shop, cart, Some(company)).expect("named");
            let outcome = thread::scope(|scope| {
                let paying = scope.spawn(|| place(shop, &Actor::system(), cart));
                if round % 2 == 0 {
                    thread::yield_now();
                }
                shop.run(move |tx, actor, world| member::remove(tx, actor, world, (company, who)))
                    .expect("left");
                paying.join().expect("no panic")
            });
            match outcome {
                Ok(whole) => {
                    placed += 1;
                    assert_eq!(whole.order.company, Some(company));
                }
                refused => assert_eq!(code(refused), Code::Invalid),
            }
            assert_eq!(
                code(buy(shop, &at, (company, who, 1), &Actor::system())),
                Code::Invalid,
                "who left buys no more"
            );
        }
        assert_eq!(orders(shop, &Actor::system(), company).expect("orders").len(), placed);
    });
}

#[test]
fn what_does_not_fit_together_is_found() {
    on_every_engine(|shop| {
        let at = opened(shop);
        let company = founded(shop, "Mugs Ltd", None).expect("a company");
        let ada = counter::ada(shop);
        join(shop, &company, ada, Role::Buyer, None);
        let order = buy(shop, &at, (company.id, ada, 1), &Actor::system()).expect("an order").order;
        let (gone, other) = (also(shop, "bob"), founded(shop, "Other Ltd", None).expect("a company").id);
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, gone)).expect("erased");
        let erased =
            Member { company: other, customer: gone, role: Role::Buyer, limit: None, since: order.placed_at };
        let listed = Order { company: Some(other), customer: None, contact: None, ..order };
        // Whatever is planted is taken back by the refusal that tells what was found.
        let told = shop.run(move |tx, _, _| -> Result<(), Failure> {
            store::company::member::set(tx, &erased)?;
            store::order::owner::add(tx, &listed)?;
            let report = check::check(tx, [7; 32], &mut |_, _| {})?;
            let told: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
            Err(Refusal::new(Code::WrongState, told.join("; ")).into())
        });
        let told = told.unwrap_err().to_string();
        for wrong in ["a member who was erased", "an order listed that was not bought for it"] {
            assert!(told.contains(wrong), "{wrong}: {told}");
        }
    });
}
