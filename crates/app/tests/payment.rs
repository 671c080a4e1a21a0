//! Payments by a provider, told as stories over real connections: the shop's API, its jobs, and the test provider, all on loopback.

use std::time::Duration;

use crate::running::Running;
use connect::call::Caller;
use connect::payment::Payments;
use connect::test_provider::{Settings, TestClient, TestProvider};
use domain::actor::Actor;
use domain::payment::{Kind, PartState, State, Timing};
use domain::value::id::{Order, Payment as PaymentKind};
use domain::value::{Currency, Id, Money};
use engine::job::{self, Job};
use engine::payment::provider::test_secret;
use engine::payment::{self, NewPayment, Whole};
use engine::signature::Secret;
use engine::{Failure, World};
use serde_json::json;
use sim::shop::{TestShop, on_every_engine};
use store::Tx;

const ORDER: Id<Order> = Id::from_bytes([7; 16]);

/// A shop that serves and does its jobs, and a provider beside it.
struct Street<'s> {
    shop: &'s TestShop,
    provider: TestProvider,
    shop_url: String,
    running: Running,
}

fn order_changed(_: &mut Tx<'_>, _: &Actor, _: &mut World, job: &Job) -> Result<(), Failure> {
    assert_eq!(job.subject, ORDER.to_string());
    Ok(())
}

impl<'s> Street<'s> {
    fn open(shop: &'s TestShop, webhooks: bool) -> Street<'s> {
        let mut running = Running::new();
        let (shop_listener, shop_address) = running.listen();
        let (provider_listener, provider_address) = running.listen();
        let shop_url = format!("http://{shop_address}/v1/payments/webhooks/test");
        let provider = TestProvider::new(Settings {
            webhook_url: webhooks.then(|| shop_url.clone()),
            secret: test_secret(&shop.shop.keyring),
            source: shop.simulated.clone(),
            confirm_after: Duration::from_millis(100),
            hang_for: Duration::from_millis(1500),
        });
        let caller = Caller::new(Duration::from_millis(400));
        let client = TestClient::new(TestProvider::base_url(provider_address), caller);
        let registry = job::Registry::default().on("order.payment_changed", order_changed);
        let handlers = connect::Handlers::new(registry).with(Payments::new(client));
        let (serving, until) = (provider.clone(), running.until_stopped());
        running.spawn(async move { serving.serve(provider_listener, until).await.unwrap() });
        running.serve(shop, shop_listener, handlers);
        Street { shop, provider, shop_url, running }
    }

    fn pay(&self, token: &str, timing: Timing) -> Id<PaymentKind> {
        let new = NewPayment {
            order: ORDER,
            kind: Kind::Test,
            amount: Money::new(1000, Currency::parse("GBP").unwrap()).unwrap(),
            timing,
            provider_token: Some(token.into()),
            account: None,
            credit: None,
            points: None,
            card: None,
            location: None,
            expires_at: None,
            external_id: None,
        };
        self.shop.run(move |tx, actor, world| payment::create(tx, actor, world, new.clone())).unwrap().id
    }

    fn read(&self, id: Id<PaymentKind>) -> Whole {
        self.shop.read(move |tx| payment::read(tx, &Actor::system(), id)).unwrap()
    }

    /// Waits in real time until the payment is as expected; a simulated second passes with each look if `time_passes`.
    fn wait(&self, id: Id<PaymentKind>, time_passes: bool, expected: impl Fn(&Whole) -> bool) -> Whole {
        for _ in 0..500 {
            let whole = self.read(id);
            if expected(&whole) {
                return whole;
            }
            self.shop.pass(i64::from(time_passes));
            self.rest(Duration::from_millis(20));
        }
        panic!("not as expected in ten seconds: {:?}", self.read(id));
    }

    fn rest(&self, time: Duration) {
        self.running.rest(time);
    }

    fn wait_for(&self, id: Id<PaymentKind>, state: State) -> Whole {
        self.wait(id, false, |whole| whole.payment.state == state)
    }

    /// What the provider's own books say was captured and refunded.
    fn at_provider(&self, id: Id<PaymentKind>) -> (i64, i64) {
        let payment = self.provider.payment(&id.to_string()).unwrap();
        (payment.captured, payment.refunded)
    }

    /// Sends the shop a webhook; answers the status.
    fn webhook(&self, secret: &Secret, id: &str, late_seconds: i64, body: &str) -> u16 {
        let timestamp = self.shop.shop.source.now().micros() / 1_000_000 - late_seconds;
        let signature = secret.sign(id, timestamp, body.as_bytes());
        let timestamp = timestamp.to_string();
        let headers =
            [("webhook-id", id), ("webhook-timestamp", &timestamp), ("webhook-signature", &signature)];
        let caller = Caller::new(Duration::from_secs(5));
        let call = caller.post(&self.shop_url, &headers, body.to_owned());
        self.running.runtime.block_on(call).unwrap().0.as_u16()
    }
}

#[test]
fn a_good_card_is_authorised_captured_and_refunded_in_parts() {
    on_every_engine(|shop| {
        let street = Street::open(shop, true);
        let id = street.pay("tok_ok", Timing::WhenAsked);
        street.wait_for(id, State::Authorised);
        for amount in [Some(300), None] {
            shop.run(move |tx, actor, world| payment::capture(tx, actor, world, id, amount)).unwrap();
        }
        street.wait(id, false, |whole| whole.payment.amounts.captured == 1000);
        shop.run(move |tx, actor, world| payment::refund(tx, actor, world, id, Some(250))).unwrap();
        let whole = street.wait(id, false, |whole| whole.payment.amounts.refunded == 250);
        assert_eq!((whole.captures.len(), street.at_provider(id)), (2, (1000, 250)));
        assert!(whole.refunds[0].provider_reference.is_some());
    });
}

#[test]
fn a_decline_and_a_card_blocked_later_fail_with_the_reason() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, true);
    let declined = street.wait_for(street.pay("tok_decline", Timing::AtOnce), State::Failed);
    assert_eq!(declined.payment.failure.as_deref(), Some("insufficient funds"));
    let unknown = street.wait_for(street.pay("tok_gold", Timing::AtOnce), State::Failed);
    assert_eq!(unknown.payment.failure.as_deref(), Some("the token is not known"));
    let blocked = street.pay("tok_fail_later", Timing::AtOnce);
    let whole = street.wait_for(blocked, State::Failed);
    assert_eq!(whole.captures[0].failure.as_deref(), Some("the card was blocked since"));
    assert_eq!((whole.payment.amounts.capturing, street.at_provider(blocked)), (0, (0, 0)));
}

#[test]
fn a_late_confirmation_comes_by_webhook_or_is_asked_for() {
    on_every_engine(|shop| {
        let street = Street::open(shop, true);
        let told = street.wait_for(street.pay("tok_async", Timing::AtOnce), State::Captured);
        assert_eq!(told.captures.len(), 1);
    });
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, false);
    let id = street.pay("tok_async", Timing::AtOnce);
    let asked = street.wait(id, true, |whole| whole.payment.state == State::Captured);
    assert_eq!((asked.captures.len(), street.at_provider(id)), (1, (1000, 0)));
}

#[test]
fn an_answer_that_does_not_come_is_asked_for_and_never_guessed() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, false);
    let id = street.pay("tok_timeout", Timing::AtOnce);
    let whole = street.wait_for(id, State::Captured);
    assert_eq!((whole.captures.len(), street.at_provider(id)), (1, (1000, 0)));

    let id = street.pay("tok_error_once", Timing::AtOnce);
    let whole = street.wait(id, true, |whole| whole.payment.state == State::Captured);
    assert_eq!((whole.captures.len(), street.at_provider(id)), (1, (1000, 0)));
}

#[test]
fn webhooks_and_questions_that_meet_capture_once() {
    on_every_engine(|shop| {
        let street = Street::open(shop, true);
        let ids: Vec<_> = (0..10).map(|_| street.pay("tok_duplicate_webhook", Timing::AtOnce)).collect();
        for id in &ids {
            street.wait(*id, true, |whole| whole.payment.state == State::Captured);
        }
        let secret = test_secret(&shop.shop.keyring);
        for (number, id) in ids.iter().enumerate() {
            let data =
                json!({"payment": id.to_string(), "key": id.to_string(), "status": "done", "id": "tp_x"});
            let body = json!({"type": "payment.operation", "data": data}).to_string();
            assert_eq!(street.webhook(&secret, &format!("msg_again_{number}"), 0, &body), 204);
            let whole = street.read(*id);
            let captures: Vec<_> = whole.captures.iter().map(|part| (part.amount, part.state)).collect();
            assert_eq!((captures, street.at_provider(*id)), (vec![(1000, PartState::Done)], (1000, 0)));
        }
    });
}

#[test]
fn what_was_let_go_stays_let_go() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, true);
    let id = street.pay("tok_async", Timing::AtOnce);
    shop.run(move |tx, actor, world| payment::void(tx, actor, world, id)).unwrap();
    let key = id.to_string();
    for _ in 0..500 {
        if street.provider.payment(&key).is_some_and(|payment| payment.voided) {
            break;
        }
        street.rest(Duration::from_millis(20));
    }
    street.rest(Duration::from_millis(300));
    assert!(street.provider.payment(&key).unwrap().voided);
    let whole = street.read(id);
    assert_eq!((whole.payment.state, whole.captures.len()), (State::Voided, 0));
}

#[test]
fn a_webhook_that_is_forged_late_or_unreadable_is_refused() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, true);
    let secret = test_secret(&shop.shop.keyring);
    let id = street.pay("tok_decline", Timing::AtOnce).to_string();
    let body = |key: &str, status: &str| {
        let data = json!({"payment": id, "key": key, "status": status});
        json!({"type": "payment.operation", "data": data}).to_string()
    };
    assert_eq!(street.webhook(&Secret::from_bytes([0; 32]), "msg_1", 0, &body(&id, "done")), 401);
    assert_eq!(street.webhook(&secret, "msg_1", 301, &body(&id, "done")), 401);
    assert_eq!(street.webhook(&secret, "msg_1", 0, "{}"), 400);
    assert_eq!(street.webhook(&secret, "msg_1", 0, &body("pay_1", "done")), 422);
    assert_eq!(street.webhook(&secret, "msg_1", 0, &body(&id, "maybe")), 422);
    for _ in 0..2 {
        assert_eq!(street.webhook(&secret, "msg_1", 0, &body(&id, "pending")), 204);
    }
    assert_eq!(street.webhook(&secret, "msg_1", 0, &body(&id, "declined")), 409);
}
