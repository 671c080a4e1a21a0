//! Something of a customer who was merged into another stays behind, or his merge leads nowhere: the check finds it.

use domain::contact::{Card, Draft};
use domain::loyalty::programme::Terms;
use domain::market::PaymentKind;
use domain::merging::Cause;
use domain::value::id::{Channel, Customer, Variant};
use domain::value::{Currency, Id, Money, Quantity, Rate, Reference, Zone};
use domain::{Code, Refusal};
use engine::cart::{self, Details, Named, NewCart, NewLine};
use engine::check::check;
use engine::checkout::{self, Checkout, Tender};
use engine::customer::{self, NewCustomer};
use engine::loyalty::{member, programme, store_credit};
use engine::merging::{self, Wish};
use engine::{Failure, World};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};
use store::{Tx, params};

fn terms() -> Terms {
    Terms {
        zone: Zone::parse("UTC").expect("a zone"),
        ladder: None,
        sharing: None,
        referral: None,
        earnings: Vec::new(),
        factors: Vec::new(),
        seasons: Vec::new(),
        counts_delivery: false,
        counts_tax: true,
        uncounted: Vec::new(),
        pending_days: 14,
        receipt_days: 30,
        months: None,
        worth: Vec::new(),
        pays_min: 1,
        pays_max: Rate::from_parts_per_million(Rate::WHOLE).expect("a rate"),
        below_zero: false,
        occasions: Vec::new(),
    }
}

fn a_cart(
    tx: &mut Tx<'_>,
    world: &mut World,
    (till, mug): (Id<Channel>, Id<Variant>),
    customer: Id<Customer>,
) -> Result<Id<domain::value::id::Cart>, Failure> {
    let quantity = Quantity::new(1).map_err(|error| Refusal::invalid("quantity", error))?;
    let line = NewLine { variant: Named::Reference(Reference::Id(mug)), quantity, unit_price: None };
    let details = Details { customer: Some(Reference::Id(customer)), ..Details::default() };
    let new = NewCart { channel: Reference::Id(till), currency: None, lines: vec![line], details };
    Ok(cart::create(tx, &domain::actor::Actor::system(), world, new)?.id)
}

/// A customer with a cart, an order, store credit and a membership is merged into another.
fn merged(shop: &TestShop) {
    let retailer = Retailer::open(shop, &["leeds"]);
    let till = retailer.till(shop, 0).id;
    let mug = retailer.sell(shop, "MUG", 500);
    retailer.stock(shop, mug, 0, 3);
    let done = shop.run(move |tx, actor, world| {
        let named = ("club".to_owned(), "The club".to_owned());
        let (club, _) = programme::create(tx, actor, world, named, terms())?;
        programme::activate(tx, actor, world, (club.id, 1), None)?;
        let mut both = Vec::new();
        for name in ["ada", "bea"] {
            let card = Card::new(&Draft { email: Some(format!("{name}@example.com")), ..Draft::default() })?;
            let new = NewCustomer { external_id: None, card, groups: Vec::new() };
            both.push(customer::create(tx, actor, world, new)?.id);
        }
        let (winner, loser) = (both[0], both[1]);
        member::enrol(tx, actor, world, club.id, loser)?;
        let credit =
            Money::new(700, Currency::parse("GBP").map_err(|error| Refusal::invalid("currency", error))?);
        let credit = credit.map_err(|error| Refusal::invalid("amount", error))?;
        store_credit::issue(tx, actor, world, loser, credit)?;
        let cart = a_cart(tx, world, (till, mug), loser)?;
        let tender = Tender {
            kind: PaymentKind::Cash,
            amount: None,
            provider_token: None,
            card: None,
            gift_card: None,
        };
        let (expected_total, serve_from, placed_at, external_id) = (None, None, None, None);
        let tenders = vec![tender];
        let order = Checkout { cart, expected_total, tenders, serve_from, placed_at, external_id };
        checkout::place(tx, actor, world, order)?;
        a_cart(tx, world, (till, mug), loser)?;
        let wish = Wish { winner, loser, cause: Cause::Staff, why: "one person".into() };
        merging::merge(tx, actor, world, wish)
    });
    done.expect("a merge");
}

/// Which checks find it when somebody changes the books; the change is taken back.
fn found(shop: &TestShop, sql: &'static str) -> Vec<&'static str> {
    let (teller, told) = std::sync::mpsc::channel();
    let outcome: Result<(), Failure> = shop.run(move |tx, _, _| {
        assert!(tx.execute(sql, params![])? > 0, "{sql} touches a row");
        let report = check(tx, [9; 32], &mut |_, _| ())?;
        let _ = teller.send(report.differences.iter().map(|one| one.check).collect::<Vec<_>>());
        Err(Refusal::invalid("tampering", "taken back").into())
    });
    assert_eq!(outcome.expect_err("taken back").code(), Some(Code::Invalid));
    told.try_iter().last().expect("a report")
}

#[test]
fn what_is_left_behind_is_found() {
    on_every_engine(|shop| {
        merged(shop);
        shop.must_tally();
        for sql in [
            "update cart set customer_id = (select loser_id from merge_record)",
            "update order_of_customer set customer_id = (select loser_id from merge_record)",
            "update store_credit set pool_id = null",
            "update merge_record set undone_at = 1",
            "update member set pool_id = null where state = 4",
            "update customer set merged_into = customer_id where merged_into is not null",
        ] {
            assert!(found(shop, sql).contains(&"merged customers"), "{sql}");
        }
        let money = found(shop, "update account set amount = amount + 1 where state = 47");
        assert!(money.contains(&"merged money"), "{money:?}");
    });
}
