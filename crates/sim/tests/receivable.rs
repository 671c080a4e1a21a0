//! Somebody changes what payment providers owe us behind the books' back: the check finds it.

use domain::payment::{Kind, Timing};
use domain::value::id::Order;
use domain::value::{Currency, Id, Money};
use engine::Failure;
use engine::check::check;
use engine::payment::{self, NewPayment, Operation, Verdict};
use sim::shop::{TestShop, on_every_engine};
use store::params;

const ORDER: Id<Order> = Id::from_bytes([7; 16]);

/// A payment of ten pounds that a provider took.
fn taken(shop: &TestShop) {
    let made = shop.run(|tx, actor, world| {
        let new = NewPayment {
            order: ORDER,
            kind: Kind::Test,
            amount: Money::new(1000, Currency::parse("GBP").expect("pounds")).expect("ten pounds"),
            timing: Timing::WhenAsked,
            provider_token: Some("tok_ok".into()),
            account: None,
            credit: None,
            points: None,
            card: None,
            location: None,
            expires_at: None,
            external_id: None,
        };
        let id = payment::create(tx, actor, world, new)?.id;
        let done = Verdict::Done { reference: Some("tp_1".into()) };
        payment::outcome(tx, actor, world, id, Operation::Authorise, &done)?;
        let capture = payment::capture(tx, actor, world, id, None)?;
        payment::outcome(tx, actor, world, id, Operation::Capture(capture), &done)
    });
    made.expect("it is taken");
}

/// Changes a row and names the checks that find something then.
fn found(shop: &TestShop, sql: &'static str) -> Vec<&'static str> {
    let changed = shop.run(move |tx, _, _| Ok::<_, Failure>(tx.execute(sql, params![])?));
    assert_eq!(changed.expect("a change"), 1, "{sql}");
    let report = shop.read(|tx| check(tx, [9; 32], &mut |_, _| ())).expect("a report");
    report.differences.into_iter().map(|one| one.check).collect()
}

#[test]
fn what_a_provider_owes_is_worked_out_again() {
    on_every_engine(|shop| {
        taken(shop);
        shop.must_tally();
        let less = "update payment_capture set amount = amount - 1";
        assert_eq!(found(shop, less), ["receivables"]);
        assert!(found(shop, "update payment_capture set amount = amount + 1").is_empty());
        let elsewhere = "update payment_receivable set transfer_id = book_id";
        assert_eq!(found(shop, elsewhere), ["receivable days"]);
        let back = "update payment_receivable set transfer_id = (select t.transfer_id from transfer t where t.book_id = payment_receivable.book_id)";
        assert!(found(shop, back).is_empty());
        let cleared = "insert into reconciliation_line (account_id, day, line_id, outcome, side, currency, theirs, ours, cleared_at, cleared_by, reason)
             select account_id, day, transfer_id, 1, 1, 'GBP', 5, 0, 1, 'system', 'x' from payment_receivable";
        assert_eq!(found(shop, cleared), ["cleared differences"]);
        assert!(found(shop, "delete from reconciliation_line").is_empty());
    });
}
