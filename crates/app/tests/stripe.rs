//! Payments by Stripe, told as stories over real connections against localstripe, which plays Stripe on this machine.
//!
//! Where localstripe is not as Stripe is, and what follows for these stories: it knows no `Idempotency-Key`, so that a payment is not taken twice
//! rests on looking up alone here · it captures a payment once and tells no `amount_received` · it lists intents oldest first · it tells nothing
//! of cancelled intents, failed authentications and refunds by webhook, so these are asked for or told by the story itself · it does not list
//! balance transactions of a time, so it lists all, and of a charge it knows the intent and no metadata.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::localstripe::{Line, LocalStripe, pass_on};
use crate::running::Running;
use axum::Router;
use connect::call::Caller;
use connect::payment::Payments;
use connect::payment::reconciliation::Reconciliations;
use connect::stripe::StripeClient;
use domain::actor::Actor;
use domain::payment::account::Scope;
use domain::payment::receivable;
use domain::payment::reconcile::{Outcome, Side};
use domain::payment::{Kind, PartState, State, Timing};
use domain::value::id::{Order, Payment as PaymentKind, PaymentAccount};
use domain::value::{Currency, Id, Money};
use engine::job::{self, Job};
use engine::payment::account::{self, NewAccount};
use engine::payment::reconciliation::{self, Day, State as Compared};
use engine::payment::{self, NewPayment, Operation, Verdict, Whole, stripe};
use engine::{Failure, World};
use serde_json::{Value, json};
use sim::shop::{TestShop, on_every_engine};
use store::Tx;

const ORDER: Id<Order> = Id::from_bytes([7; 16]);
const SECRET: &str = "whsec_localstripe";
/// Cards of Stripe's own for trying things: <https://docs.stripe.com/testing>.
const ASKS_FIRST: &str = "4000002500003155";

/// A shop that serves and does its jobs, and Stripe beside it.
struct Street<'s> {
    shop: &'s TestShop,
    stripe: LocalStripe,
    account: Id<PaymentAccount>,
    line: Line,
    webhook_url: String,
    running: Running,
}

fn order_changed(_: &mut Tx<'_>, _: &Actor, _: &mut World, job: &Job) -> Result<(), Failure> {
    assert_eq!(job.subject, ORDER.to_string());
    Ok(())
}

impl<'s> Street<'s> {
    fn open(shop: &'s TestShop, webhooks: bool) -> Street<'s> {
        let mut running = Running::new();
        let stripe = LocalStripe::start(&running.runtime);
        let (shop_listener, shop_address) = running.listen();
        let (line_listener, line_address) = running.listen();
        let line = Line { to: stripe.url.clone(), loses: Arc::default() };
        let account = make_account(shop, &format!("http://{line_address}"));
        let webhook_url = format!("http://{shop_address}/v1/payment-accounts/{account}/webhooks");
        let card = json!({ "number": "4242424242424242", "exp_month": 1, "exp_year": 2040, "cvc": "123" });
        let made = running
            .runtime
            .block_on(stripe.post("/v1/payment_methods", json!({ "type": "card", "card": card })));
        let now = made["created"].as_i64().unwrap();
        shop.pass(now - shop.shop.source.now().micros() / 1_000_000);
        if webhooks {
            let body = json!({ "url": webhook_url, "secret": SECRET });
            running.runtime.block_on(stripe.post("/_config/webhooks/shop", body));
        }
        let client = StripeClient::new(Caller::new(Duration::from_secs(5)), shop.shop.keyring.clone());
        let registry = job::Registry::default().on("order.payment_changed", order_changed);
        let handlers = connect::Handlers::new(registry)
            .with(Payments::new(client.clone()))
            .with(Reconciliations::new(client));
        let passing = Router::new().fallback(pass_on).with_state(line.clone());
        let until = running.until_stopped();
        running.spawn(async move {
            axum::serve(line_listener, passing).with_graceful_shutdown(until).await.unwrap();
        });
        running.serve(shop, shop_listener, handlers);
        Street { shop, stripe, account, line, webhook_url, running }
    }

    fn pay(&self, token: &str, timing: Timing) -> Id<PaymentKind> {
        let new = NewPayment {
            order: ORDER,
            kind: Kind::Stripe,
            amount: Money::new(1000, Currency::parse("GBP").unwrap()).unwrap(),
            timing,
            provider_token: Some(token.into()),
            account: Some(self.account),
            credit: None,
            points: None,
            card: None,
            location: None,
            expires_at: None,
            external_id: None,
        };
        self.shop.run(move |tx, actor, world| payment::create(tx, actor, world, new.clone())).unwrap().id
    }

    /// A card of this number, as the browser hands it to Stripe.
    fn card(&self, number: &str) -> String {
        let card = json!({ "number": number, "exp_month": 1, "exp_year": 2040, "cvc": "123" });
        let made = self.stripe.post("/v1/payment_methods", json!({ "type": "card", "card": card }));
        self.running.runtime.block_on(made)["id"].as_str().unwrap().to_owned()
    }

    /// The customer answers the question in the browser.
    fn answer(&self, asked: &Whole, yes: bool) {
        let intent = asked.payment.provider_reference.as_deref().unwrap();
        let body = json!({ "client_secret": asked.payment.client_secret, "success": yes });
        let path = format!("/v1/payment_intents/{intent}/_authenticate");
        self.running.runtime.block_on(self.stripe.post(&path, body));
    }

    fn read(&self, id: Id<PaymentKind>) -> Whole {
        self.shop.read(move |tx| payment::read(tx, &Actor::system(), id)).unwrap()
    }

    /// Waits in real time until the payment is as expected; a simulated second passes with each look if `time_passes`.
    fn wait(&self, id: Id<PaymentKind>, time_passes: bool, expected: impl Fn(&Whole) -> bool) -> Whole {
        for _ in 0..1000 {
            let whole = self.read(id);
            if expected(&whole) {
                return whole;
            }
            self.shop.pass(i64::from(time_passes));
            self.rest(Duration::from_millis(20));
        }
        panic!("not as expected in twenty seconds: {:?}", self.read(id));
    }

    fn rest(&self, time: Duration) {
        self.running.rest(time);
    }

    fn wait_for(&self, id: Id<PaymentKind>, state: State) -> Whole {
        self.wait(id, false, |whole| whole.payment.state == state)
    }

    /// The intents Stripe has of a payment.
    fn intents(&self, id: Id<PaymentKind>) -> Vec<Value> {
        let all = self.running.runtime.block_on(self.stripe.get("/v1/payment_intents?limit=100")).unwrap();
        let own = |one: &&Value| one["metadata"]["payment"] == id.to_string();
        all["data"].as_array().unwrap().iter().filter(own).cloned().collect()
    }

    /// What Stripe's own books say of the refunds we asked for.
    fn refunds(&self, id: Id<PaymentKind>) -> Vec<i64> {
        let all = self.running.runtime.block_on(self.stripe.get("/v1/refunds?limit=100")).unwrap();
        let own = |one: &&Value| one["metadata"]["payment"] == id.to_string();
        let mut all: Vec<i64> = all["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(own)
            .map(|one| one["amount"].as_i64().unwrap())
            .collect();
        all.sort_unstable();
        all
    }

    fn event(&self, event: &str, object: &Value) -> String {
        json!({ "id": event, "type": "told", "data": { "object": object } }).to_string()
    }

    /// Sends the shop a message signed with this secret so many seconds ago; answers the status.
    async fn told(&self, secret: &str, late_seconds: i64, body: String) -> u16 {
        let seconds = self.shop.shop.source.now().micros() / 1_000_000 - late_seconds;
        let signature = stripe::sign(secret, seconds, body.as_bytes());
        let caller = Caller::new(Duration::from_secs(10));
        let headers = [("stripe-signature", signature.as_str())];
        caller.post(&self.webhook_url, &headers, body).await.unwrap().0.as_u16()
    }
}

fn make_account(shop: &TestShop, url: &str) -> Id<PaymentAccount> {
    let new = NewAccount {
        code: "stripe-gb".into(),
        name: "Stripe".into(),
        external_id: None,
        kind: account::Kind::Stripe,
        url: Some(url.to_owned()),
        secret_key: "sk_test_12345".into(),
        webhook_secret: Some(SECRET.into()),
        scope: Scope::default(),
    };
    shop.run(move |tx, actor, world| account::create(tx, actor, world, new.clone())).unwrap().id
}

#[test]
fn a_good_card_is_captured_in_part_and_refunded_in_parts() {
    on_every_engine(|shop| {
        let street = Street::open(shop, true);
        let id = street.pay("pm_card_visa", Timing::WhenAsked);
        let authorised = street.wait_for(id, State::Authorised);
        assert!(authorised.payment.provider_reference.unwrap().starts_with("pi_"));
        for amount in [Some(700), None] {
            shop.run(move |tx, actor, world| payment::capture(tx, actor, world, id, amount)).unwrap();
        }
        // Stripe lets the rest go with the only capture there is, unless the account may capture in parts.
        let ended = |whole: &Whole| whole.captures.iter().all(|part| part.state != PartState::Pending);
        let whole = street.wait(id, true, ended);
        let states: Vec<_> = whole.captures.iter().map(|part| (part.amount, part.state)).collect();
        assert_eq!(states, [(700, PartState::Done), (300, PartState::Failed)]);
        assert!(whole.captures[1].failure.as_deref().unwrap().contains("let go"));
        for amount in [Some(100), Some(250)] {
            shop.run(move |tx, actor, world| payment::refund(tx, actor, world, id, amount)).unwrap();
        }
        let whole = street.wait(id, true, |whole| whole.payment.amounts.refunded == 350);
        assert!(
            whole.refunds.iter().all(|part| part.provider_reference.as_deref().unwrap().starts_with("re_"))
        );
        assert_eq!(street.refunds(id), [100, 250]);
        shop.must_tally();
    });
}

#[test]
fn a_card_that_is_declined_or_unknown_fails_with_the_reason() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, true);
    let declined = street.wait_for(street.pay("pm_card_chargeCustomerFail", Timing::AtOnce), State::Failed);
    assert_eq!(declined.payment.failure.as_deref(), Some("Your card was declined."));
    let unknown = street.wait_for(street.pay("pm_nobody_knows", Timing::AtOnce), State::Failed);
    assert_eq!(unknown.payment.failure.as_deref(), Some("Not Found"));
}

#[test]
fn a_question_to_the_customer_waits_for_his_answer() {
    on_every_engine(|shop| {
        let street = Street::open(shop, true);
        let card = street.card(ASKS_FIRST);
        let yes = street.pay(&card, Timing::AtOnce);
        let asked = street.wait(yes, false, |whole| whole.payment.client_secret.is_some());
        assert_eq!(asked.payment.state, State::Created);
        street.answer(&asked, true);
        let whole = street.wait_for(yes, State::Captured);
        assert_eq!((whole.captures.len(), whole.payment.client_secret), (1, None));

        let no = street.pay(&card, Timing::AtOnce);
        let asked = street.wait(no, false, |whole| whole.payment.client_secret.is_some());
        street.answer(&asked, false);
        let failed = street.wait(no, true, |whole| whole.payment.state == State::Failed);
        assert!(failed.payment.failure.unwrap().contains("failed authentication"));
        // Nor can the browser go on with another card.
        let gone = |_: &Whole| street.intents(no)[0]["status"] == "canceled";
        street.wait(no, true, gone);
    });
}

#[test]
fn an_answer_that_does_not_come_is_looked_up_and_never_guessed() {
    on_every_engine(|shop| {
        let street = Street::open(shop, false);
        street.line.loses.store(1, Ordering::SeqCst);
        let id = street.pay("pm_card_visa", Timing::WhenAsked);
        street.wait(id, true, |whole| whole.payment.state == State::Authorised);
        street.line.loses.store(1, Ordering::SeqCst);
        shop.run(move |tx, actor, world| payment::capture(tx, actor, world, id, None)).unwrap();
        street.wait(id, true, |whole| whole.payment.state == State::Captured);
        street.line.loses.store(1, Ordering::SeqCst);
        shop.run(move |tx, actor, world| payment::refund(tx, actor, world, id, Some(400))).unwrap();
        let whole = street.wait(id, true, |whole| whole.payment.amounts.refunded == 400);
        assert_eq!((whole.captures.len(), street.intents(id).len()), (1, 1));
        assert_eq!(street.refunds(id), [400]);
    });
}

#[test]
fn what_was_let_go_stays_let_go() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, false);
    let reserved = street.pay("pm_card_visa", Timing::WhenAsked);
    street.wait_for(reserved, State::Authorised);
    let card = street.card(ASKS_FIRST);
    let asked = street.pay(&card, Timing::AtOnce);
    let whole = street.wait(asked, false, |whole| whole.payment.client_secret.is_some());
    // The customer says yes while we let go: what Stripe took is given back.
    street.answer(&whole, true);
    for id in [reserved, asked] {
        shop.run(move |tx, actor, world| payment::void(tx, actor, world, id)).unwrap();
    }
    street.wait(reserved, true, |_| street.intents(reserved)[0]["status"] == "canceled");
    street.wait(asked, true, |_| street.refunds(asked) == [1000]);
    let whole = street.read(asked);
    assert_eq!((whole.payment.state, whole.captures.len()), (State::Voided, 0));
}

#[test]
fn messages_and_questions_that_meet_capture_once() {
    on_every_engine(|shop| {
        let street = Street::open(shop, true);
        let card = street.card(ASKS_FIRST);
        for round in 0..3 {
            let id = street.pay(&card, Timing::AtOnce);
            let asked = street.wait(id, false, |whole| whole.payment.client_secret.is_some());
            let before = street.intents(id).remove(0);
            street.answer(&asked, true);
            let after = street.intents(id).remove(0);
            assert_eq!(after["status"], "succeeded");
            // Old and new, some of them the same event again, while our own questions and localstripe's message are on their way.
            street.shop.pass(2);
            let all = futures(&street, round, [&before, &after]);
            let told = street.running.runtime.block_on(all);
            assert!(told.iter().all(|status| *status == 204), "{told:?}");
            let whole = street.wait(id, true, |whole| whole.payment.state == State::Captured);
            street.rest(Duration::from_millis(1200));
            let captures: Vec<_> =
                street.read(id).captures.iter().map(|part| (part.amount, part.state)).collect();
            assert_eq!((captures, street.refunds(id)), (vec![(1000, PartState::Done)], vec![]));
            assert_eq!(whole.payment.client_secret, None);
        }
        shop.must_tally();
    });
}

/// Ten messages at once, of two states of an intent; each third one is the same event as the one before.
async fn futures(street: &Street<'_>, round: usize, states: [&Value; 2]) -> Vec<u16> {
    let one = |place: usize| {
        let state = place % 2;
        let event = format!("evt_{round}_{state}_{}", place / 3);
        street.told(SECRET, 0, street.event(&event, states[state]))
    };
    let (a, b, c, d, e, f, g, h, i, j) =
        tokio::join!(one(0), one(1), one(2), one(3), one(4), one(5), one(6), one(7), one(8), one(9));
    vec![a, b, c, d, e, f, g, h, i, j]
}

#[test]
fn a_message_that_is_forged_late_or_of_another_account_is_not_believed() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, false);
    let card = street.card(ASKS_FIRST);
    let id = street.pay(&card, Timing::AtOnce);
    street.wait(id, false, |whole| whole.payment.client_secret.is_some());
    let mut intent = street.intents(id).remove(0);
    intent["status"] = json!("succeeded");
    let tell = |secret: &str, late, body| street.running.runtime.block_on(street.told(secret, late, body));
    assert_eq!(tell("whsec_other", 0, street.event("evt_1", &intent)), 401);
    assert_eq!(tell(SECRET, 301, street.event("evt_1", &intent)), 401);
    assert_eq!(tell(SECRET, 0, "{}".into()), 400);
    assert_eq!(tell(SECRET, 0, street.event("evt_2", &json!({ "object": "customer", "id": "cus_1" }))), 204);
    let foreign = json!({ "object": "payment_intent", "id": "pi_1", "status": "succeeded", "metadata": { "payment": ORDER.to_string() } });
    assert_eq!(tell(SECRET, 0, street.event("evt_3", &foreign)), 204);
    let other = street
        .webhook_url
        .replace(&street.account.to_string(), &Id::<PaymentAccount>::from_bytes([9; 16]).to_string());
    let body = street.event("evt_4", &intent);
    let seconds = shop.shop.source.now().micros() / 1_000_000;
    let signature = stripe::sign(SECRET, seconds, body.as_bytes());
    let call = Caller::new(Duration::from_secs(5));
    let answer =
        street.running.runtime.block_on(call.post(&other, &[("stripe-signature", &signature)], body));
    assert_eq!(answer.unwrap().0, 401);
    assert_eq!(street.read(id).payment.state, State::Created);
    assert_eq!(tell(SECRET, 0, street.event("evt_5", &intent)), 204);
    assert_eq!(tell(SECRET, 0, street.event("evt_5", &json!({ "object": "customer" }))), 409);
}

#[test]
fn a_day_at_stripe_is_held_against_the_books() {
    on_every_engine(|shop| {
        let street = Street::open(shop, true);
        let day: Day = (street.account, receivable::day(shop.shop.source.now()).unwrap());
        let id = street.pay("pm_card_visa", Timing::AtOnce);
        street.wait_for(id, State::Captured);
        shop.run(move |tx, actor, world| payment::refund(tx, actor, world, id, Some(400))).unwrap();
        street.wait(id, true, |whole| whole.payment.amounts.refunded == 400);
        // Given back by hand, past the shop; and recorded here as taken, though Stripe was never asked.
        let by_hand = json!({ "payment_intent": street.intents(id)[0]["id"], "amount": 150 });
        street.running.runtime.block_on(street.stripe.post("/v1/refunds", by_hand));
        let reserved = street.pay("pm_card_visa", Timing::WhenAsked);
        street.wait_for(reserved, State::Authorised);
        let taken = shop.run(move |tx, actor, world| {
            let capture = payment::capture(tx, actor, world, reserved, None)?;
            let done = Verdict::Done { reference: None };
            payment::outcome(tx, actor, world, reserved, Operation::Capture(capture), &done)
        });
        taken.unwrap();
        shop.pass(24 * 60 * 60);
        shop.run(move |tx, actor, world| reconciliation::ask(tx, actor, world, day)).unwrap();
        let read = || shop.read(move |tx| reconciliation::read(tx, &Actor::system(), day)).unwrap();
        for _ in 0..1500 {
            if read().reconciliation.state != Compared::Asked {
                break;
            }
            street.rest(Duration::from_millis(20));
        }
        let total = read().totals[0].1;
        assert_eq!((total.equal, total.left_there, total.left_here), (2, -150, 1000), "{total:?}");
        let first = Id::from_bytes([0; 16]);
        let lines = shop.read(move |tx| reconciliation::lines(tx, &Actor::system(), day, first, 9)).unwrap();
        let found: Vec<_> = lines
            .iter()
            .map(|found| (found.line.outcome, found.line.side, found.line.payment, found.line.lacks()))
            .collect();
        let named = [
            (Outcome::MissingHere, Side::Refunded, Some(id), -150),
            (Outcome::MissingThere, Side::Captured, Some(reserved), -1000),
        ];
        assert_eq!(found, named);
    });
}
