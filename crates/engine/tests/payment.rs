//! Payments, told as stories: what is taken and given back, by whom, and never more than is open.

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::payment::{Card, Kind, PartState, State, TRANSITIONS, Timing};
use domain::value::id::{Order, Payment as PaymentKind};
use domain::value::{Currency, Id, Money};
use engine::payment::{self, NewPayment, Operation, Payment, Verdict, Whole};
use engine::{Failure, job};
use sim::shop::{OPENING, TestShop, on_every_engine};
use store::event;

const ORDER: Id<Order> = Id::from_bytes([7; 16]);

fn new(kind: Kind, minor: i64) -> NewPayment {
    let pounds = Currency::parse("GBP").unwrap();
    let card = (kind == Kind::CardRecord).then(|| Card::new("4242", "A1B2C3", "T1/000123").unwrap());
    NewPayment {
        order: ORDER,
        kind,
        amount: Money::new(minor, pounds).unwrap(),
        timing: Timing::WhenAsked,
        provider_token: (kind == Kind::Test).then(|| "tok_ok".into()),
        account: None,
        credit: None,
        points: None,
        card,
        location: None,
        expires_at: None,
        external_id: None,
    }
}

fn create(shop: &TestShop, new: NewPayment) -> Result<Payment, Failure> {
    shop.run(move |tx, actor, world| payment::create(tx, actor, world, new.clone()))
}

fn capture(shop: &TestShop, id: Id<PaymentKind>, amount: Option<i64>) -> Result<(), Failure> {
    shop.run(move |tx, actor, world| payment::capture(tx, actor, world, id, amount).map(drop))
}

fn refund(shop: &TestShop, id: Id<PaymentKind>, amount: Option<i64>) -> Result<(), Failure> {
    shop.run(move |tx, actor, world| payment::refund(tx, actor, world, id, amount).map(drop))
}

fn receive(shop: &TestShop, id: Id<PaymentKind>, amount: Option<i64>) -> Result<(), Failure> {
    shop.run(move |tx, actor, world| payment::record_receipt(tx, actor, world, id, amount).map(drop))
}

fn void(shop: &TestShop, id: Id<PaymentKind>) -> Result<(), Failure> {
    shop.run(move |tx, actor, world| payment::void(tx, actor, world, id))
}

fn hear(shop: &TestShop, id: Id<PaymentKind>, operation: Operation, verdict: &Verdict) {
    let verdict = verdict.clone();
    shop.run(move |tx, actor, world| payment::outcome(tx, actor, world, id, operation, &verdict)).unwrap();
}

fn read(shop: &TestShop, id: Id<PaymentKind>) -> Whole {
    shop.read(move |tx| payment::read(tx, &Actor::system(), id)).unwrap()
}

fn done() -> Verdict {
    Verdict::Done { reference: Some("prov_1".into()) }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
    outcome.unwrap_err().to_string()
}

/// The kinds of events a payment had, in order.
fn told(shop: &TestShop, id: Id<PaymentKind>) -> Vec<String> {
    let trail = shop.read(move |tx| Ok(event::of_subject(tx, &id.to_string(), 0, 100)?)).unwrap();
    trail.into_iter().map(|entry| entry.kind).collect()
}

/// What the provider is still to be asked, and how often the order is still to be told.
fn waiting(shop: &TestShop, kind: &'static str) -> usize {
    let jobs = shop.read(|tx| job::list(tx, &Actor::system(), false, Id::from_bytes([0; 16]), 200)).unwrap();
    jobs.iter().filter(|job| job.kind == kind).count()
}

#[test]
fn cash_is_captured_at_once_and_given_back_in_parts() {
    on_every_engine(|shop| {
        let paid = create(shop, new(Kind::Cash, 1000)).unwrap();
        assert_eq!((paid.state, paid.amounts.captured), (State::Captured, 1000));
        assert_eq!(told(shop, paid.id), ["payment.created", "payment.captured"]);
        refund(shop, paid.id, Some(400)).unwrap();
        shop.pass(1);
        assert_eq!(
            refused(refund(shop, paid.id, Some(601))),
            "amount_exceeded: amount: GBP 6.00 of the payment can still be refunded, GBP 6.01 asked"
        );
        refund(shop, paid.id, None).unwrap();
        let whole = read(shop, paid.id);
        assert_eq!((whole.payment.state, whole.payment.amounts.refunded), (State::Refunded, 1000));
        let refunds: Vec<_> = whole.refunds.iter().map(|part| (part.amount, part.state)).collect();
        assert_eq!(refunds, [(400, PartState::Done), (600, PartState::Done)]);
        assert_eq!(
            refused(refund(shop, paid.id, None)),
            "amount_exceeded: amount: GBP 0.00 of the payment can still be refunded"
        );
        assert_eq!(
            refused(void(shop, paid.id)),
            "wrong_state: the payment is refunded and cannot be voided; refund what was taken instead"
        );
        assert_eq!(
            waiting(shop, "order.payment_changed"),
            2,
            "the refunds; who made the payment knows of it"
        );
    });
}

#[test]
fn a_bank_transfer_arrives_in_parts_and_never_too_much() {
    on_every_engine(|shop| {
        let asked = create(shop, new(Kind::Manual, 1000)).unwrap();
        assert_eq!(asked.state, State::Created);
        receive(shop, asked.id, Some(300)).unwrap();
        assert_eq!(
            refused(receive(shop, asked.id, Some(701))),
            "amount_exceeded: amount: GBP 7.00 of the payment can still be received, GBP 7.01 asked"
        );
        receive(shop, asked.id, None).unwrap();
        let whole = read(shop, asked.id);
        assert_eq!((whole.payment.amounts.captured, whole.captures.len()), (1000, 2));
        let cash = create(shop, new(Kind::Cash, 5)).unwrap();
        assert_eq!(
            refused(receive(shop, cash.id, None)),
            "wrong_state: a payment by cash is not recorded by hand"
        );
    });
}

#[test]
fn what_does_not_fit_a_kind_is_named_whole() {
    on_every_engine(|shop| {
        let wrong =
            NewPayment { provider_token: None, card: Card::new("1111", "X", "T").ok(), ..new(Kind::Test, 0) };
        let Failure::Refused(refusal) = create(shop, wrong).unwrap_err() else { panic!("a refusal") };
        let named: Vec<_> = refusal.each().map(ToString::to_string).collect();
        let expected = [
            "invalid: amount: a payment is of at least 1 minor unit",
            "invalid: provider_token: give the provider's token for what pays",
            "invalid: card: only a card record has this",
        ];
        assert_eq!(named, expected);

        let storefront = Actor {
            who: Who::Key(Id::from_bytes([3; 16])),
            channel: None,
            grants: vec![Grant { location: None, permissions: Permissions::of(&[Permission::Shop]) }],
        };
        let as_storefront = |new: NewPayment| {
            shop.run_as(&storefront, move |tx, actor, world| payment::create(tx, actor, world, new.clone()))
        };
        assert!(as_storefront(new(Kind::Test, 100)).is_ok());
        assert_eq!(as_storefront(new(Kind::Cash, 100)).unwrap_err().code(), Some(Code::Forbidden));

        let named = NewPayment { external_id: Some("PSP-1".into()), ..new(Kind::CardRecord, 100) };
        let card = create(shop, named.clone()).unwrap();
        assert_eq!(card.card, Some(("4242".into(), "A1B2C3".into(), "T1/000123".into())));
        assert_eq!(create(shop, named).unwrap_err().code(), Some(Code::AlreadyExists));
    });
}

#[test]
fn a_provider_is_heard_in_any_order_and_any_number_of_times() {
    on_every_engine(|shop| {
        let asked = create(shop, NewPayment { timing: Timing::AtOnce, ..new(Kind::Test, 1000) }).unwrap();
        assert_eq!(waiting(shop, "payment.authorise"), 1);
        hear(shop, asked.id, Operation::Authorise, &done());
        hear(shop, asked.id, Operation::Authorise, &Verdict::Pending { reference: Some("late".into()) });
        hear(shop, asked.id, Operation::Authorise, &done());
        hear(shop, asked.id, Operation::Authorise, &Verdict::Declined { reason: "late".into() });
        let whole = read(shop, asked.id);
        assert_eq!((whole.payment.state, whole.captures.len()), (State::Authorised, 1));
        let part = Operation::Capture(whole.captures[0].id);
        for _ in 0..2 {
            hear(shop, asked.id, part, &done());
        }
        hear(shop, asked.id, part, &Verdict::Declined { reason: "late".into() });
        assert_eq!(read(shop, asked.id).payment.amounts.captured, 1000);
        assert_eq!(told(shop, asked.id), ["payment.created", "payment.authorised", "payment.captured"]);

        refund(shop, asked.id, Some(250)).unwrap();
        let whole = read(shop, asked.id);
        assert_eq!((whole.payment.amounts.refunding, whole.payment.amounts.refunded), (250, 0));
        let part = Operation::Refund(whole.refunds[0].id);
        hear(shop, asked.id, part, &Verdict::Declined { reason: "account closed".into() });
        hear(shop, asked.id, part, &done());
        let whole = read(shop, asked.id);
        assert_eq!((whole.payment.amounts.refunding, whole.payment.amounts.refunded), (0, 0));
        assert_eq!(whole.refunds[0].failure.as_deref(), Some("account closed"));
    });
}

#[test]
fn a_decline_ends_the_payment_and_a_failed_capture_gives_it_free() {
    on_every_engine(|shop| {
        let declined = create(shop, new(Kind::Test, 500)).unwrap();
        hear(shop, declined.id, Operation::Authorise, &Verdict::Declined { reason: "no funds".into() });
        let whole = read(shop, declined.id);
        assert_eq!(
            (whole.payment.state, whole.payment.failure.as_deref()),
            (State::Failed, Some("no funds"))
        );
        assert_eq!(
            refused(capture(shop, declined.id, None)),
            "wrong_state: the payment is failed, so nothing of it can be captured"
        );

        let asked = create(shop, new(Kind::Test, 500)).unwrap();
        hear(shop, asked.id, Operation::Authorise, &done());
        capture(shop, asked.id, Some(200)).unwrap();
        let part = Operation::Capture(read(shop, asked.id).captures[0].id);
        hear(shop, asked.id, part, &Verdict::Declined { reason: "card blocked".into() });
        assert_eq!(read(shop, asked.id).payment.state, State::Failed);
        assert_eq!(waiting(shop, "payment.void"), 1);
    });
}

#[test]
fn what_expires_or_is_voided_is_given_free_even_if_it_is_authorised_late() {
    on_every_engine(|shop| {
        let late =
            create(shop, NewPayment { expires_at: Some(OPENING.plus_seconds(60)), ..new(Kind::Test, 500) });
        let late = late.unwrap();
        let voided = create(shop, new(Kind::Test, 500)).unwrap();
        let expire = || shop.run(payment::expire).unwrap();
        assert!(!expire());
        assert_eq!(read(shop, late.id).payment.state, State::Created);
        shop.pass(60);
        assert!(!expire());
        assert!(!expire());
        void(shop, voided.id).unwrap();
        assert_eq!(refused(void(shop, voided.id)), "wrong_state: the payment is voided and cannot be voided");
        for id in [late.id, voided.id] {
            hear(shop, id, Operation::Authorise, &done());
        }
        assert_eq!(read(shop, late.id).payment.state, State::Expired);
        assert_eq!(read(shop, voided.id).payment.state, State::Voided);
        assert_eq!(waiting(shop, "payment.void"), 4);
        assert_eq!(told(shop, late.id), ["payment.created", "payment.expired"]);
    });
}

#[test]
fn twenty_at_once_take_and_give_back_only_what_is_open() {
    on_every_engine(|shop| {
        let asked = create(shop, new(Kind::Test, 1000)).unwrap();
        hear(shop, asked.id, Operation::Authorise, &done());
        assert_eq!(crowd(|| capture(shop, asked.id, Some(90))), 11);
        let whole = read(shop, asked.id);
        assert_eq!((whole.payment.amounts.capturing, whole.captures.len()), (990, 11));
        std::thread::scope(|scope| {
            for part in &whole.captures {
                for _ in 0..2 {
                    scope.spawn(|| hear(shop, asked.id, Operation::Capture(part.id), &done()));
                }
            }
        });
        let amounts = read(shop, asked.id).payment.amounts;
        assert_eq!((amounts.capturing, amounts.captured), (0, 990));
        assert_eq!(crowd(|| refund(shop, asked.id, Some(70))), 14);
        let cash = create(shop, new(Kind::Cash, 1000)).unwrap();
        assert_eq!(crowd(|| refund(shop, cash.id, Some(70))), 14);
        let whole = read(shop, cash.id);
        assert_eq!((whole.payment.amounts.refunded, whole.refunds.len()), (980, 14));
    });
}

/// Twenty try at once; answers how many succeeded. Everybody else must be refused because too little is open.
fn crowd(attempt: impl Fn() -> Result<(), Failure> + Sync) -> usize {
    std::thread::scope(|scope| {
        let attempts: Vec<_> = (0..20).map(|_| scope.spawn(&attempt)).collect();
        let outcomes = attempts.into_iter().map(|attempt| attempt.join().unwrap());
        outcomes
            .filter(|outcome| outcome.as_ref().map_err(Failure::code) != Err(Some(Code::AmountExceeded)))
            .map(Result::unwrap)
            .count()
    })
}

#[test]
fn every_state_but_the_first_is_reached_and_ends_lead_nowhere() {
    for state in State::ALL.iter().filter(|state| **state != State::Created) {
        assert!(TRANSITIONS.iter().any(|(_, to)| to == state), "{state:?}");
    }
    for end in [State::Voided, State::Failed, State::Expired] {
        assert!(TRANSITIONS.iter().all(|(from, _)| *from != end), "{end:?}");
    }
}
