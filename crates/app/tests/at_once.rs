//! The provider's message, our own question and the customer's browser complete the same payment at once: one order, one capture.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use connect::test_provider::{Settings, Status, TestProvider};
use domain::value::Instant;
use engine::payment::provider::test_secret;
use engine::signature::Secret;
use serde_json::{Value, json};
use sim::TestShop;
use sim::client::{Client, Reply};
use sim::shop::Simulated;
use sim::stand::{Stand, a_cart};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const ROUNDS: usize = 20;
/// How many browsers and how many messages come at once.
const BROWSERS: usize = 3;
const MESSAGES: usize = 4;
const MUG: i64 = 500;
const DELIVERY: i64 = 395;

/// A served shop and a provider beside it that confirms late.
struct Street {
    stand: Stand,
    mug: domain::value::Id<domain::value::id::Variant>,
    provider: TestProvider,
    clock: Arc<Simulated>,
    secret: Secret,
    _runtime: Runtime,
}

impl Street {
    fn open(shop: TestShop) -> Street {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = TestProvider::base_url(listener.local_addr().unwrap());
        let secret = test_secret(&shop.shop.keyring);
        let environment = [("TANDEM_TEST_PROVIDER", address)];
        let program = Path::new(env!("CARGO_BIN_EXE_tandem"));
        let (stand, mug) = Stand::open_with(shop, program, &environment, |retailer, shop| {
            let mug = retailer.sell(shop, "MUG", MUG);
            retailer.stock(shop, mug, 0, ROUNDS as i64);
            mug
        });
        let clock = Arc::new(Simulated::new(7));
        let provider = TestProvider::new(Settings {
            webhook_url: Some(format!("{}/v1/payments/webhooks/test", stand.server.url())),
            secret: secret.clone(),
            source: clock.clone(),
            confirm_after: Duration::from_millis(40),
            hang_for: Duration::from_millis(200),
        });
        let serving = provider.clone();
        runtime.spawn(async move { serving.serve(listener, std::future::pending()).await });
        Street { stand, mug, provider, clock, secret, _runtime: runtime }
    }

    fn cart(&self, client: &Client) -> String {
        let made = client.post("/v1/carts", &a_cart(&[(self.mug, 1)], "ada@example.com")).unwrap();
        assert_eq!(made.status, 201, "{}", made.text());
        let made = made.json().unwrap();
        // Both clocks show the same time, as far as messages need it.
        let now = Instant::parse(made["made_at"].as_str().unwrap()).unwrap();
        use engine::Source;
        self.clock.pass((now.micros() - self.clock.now().micros()) / 1_000_000);
        made["id"].as_str().unwrap().to_owned()
    }

    /// What the provider tells of a payment that went through, as the message of this id.
    fn message(&self, id: &str, payment: &str) -> Reply {
        use engine::Source;
        let data =
            json!({ "status": "done", "id": "tp_1", "reason": null, "payment": payment, "key": payment });
        let body = json!({ "type": "payment.operation", "data": data });
        let timestamp = self.clock.now().micros() / 1_000_000;
        let signature = self.secret.sign(id, timestamp, body.to_string().as_bytes());
        let headers = [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", timestamp.to_string()),
            ("webhook-signature", signature),
        ];
        let server = self.stand.server.client();
        let client =
            headers.into_iter().fold(server, |client, (name, value)| client.with_header(name, value));
        client.post("/v1/payments/webhooks/test", &body).unwrap()
    }

    /// One payment: asked for, confirmed by the provider, and told by everybody at the same time.
    fn round(&self, number: usize) -> String {
        let client = self.stand.client();
        let cart = self.cart(&client.clone().with_header("idempotency-key", format!("cart-{number}")));
        let browser = client.clone().with_header("idempotency-key", format!("order-{number}"));
        let token = if number.is_multiple_of(2) { "tok_async" } else { "tok_duplicate_webhook" };
        let paid = json!({ "payments": [{ "kind": "test", "provider_token": token }] });
        let checkout = format!("/v1/carts/{cart}/checkout");
        let placed = browser.post(&checkout, &paid).unwrap();
        assert_eq!(placed.status, 201, "{}", placed.text());
        let order = placed.json().unwrap()["id"].as_str().unwrap().to_owned();
        let payment = self.payments(&order)[0]["id"].as_str().unwrap().to_owned();
        until("the provider confirms", || {
            self.provider.payment(&payment).is_some_and(|known| known.status == Status::Done)
        });
        thread::scope(|scope| {
            for _ in 0..BROWSERS {
                scope.spawn(|| {
                    let again = browser.post(&checkout, &paid).unwrap();
                    assert_eq!((again.status, &again.json().unwrap()["id"]), (201, &json!(order)));
                });
            }
            for message in 0..MESSAGES {
                let (id, payment) = (format!("msg-{number}-{}", message / 2), &payment);
                scope.spawn(move || {
                    let heard = self.message(&id, payment);
                    assert_eq!(heard.status, 204, "{}", heard.text());
                });
            }
        });
        order
    }

    fn payments(&self, order: &str) -> Vec<Value> {
        let read = self.stand.client().get(&format!("/v1/orders/{order}/payments")).unwrap();
        read.json().unwrap()["items"].as_array().unwrap().clone()
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let (_open, never) = mpsc::channel::<()>();
    for _ in 0..1000 {
        if done() {
            return;
        }
        // Nobody sends anything: it is the wait that is meant.
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
    panic!("not in ten seconds: {what}");
}

#[test]
fn message_question_and_browser_complete_the_same_payment_at_once() {
    for open in [TestShop::on_sqlite as fn(u64) -> TestShop, TestShop::on_postgres] {
        let street = Street::open(open(1));
        let orders: Vec<String> = (0..ROUNDS).map(|number| street.round(number)).collect();
        for order in &orders {
            until("the payment is captured", || street.payments(order)[0]["state"] == "captured");
            let payments = street.payments(order);
            let captures = payments[0]["captures"].as_array().unwrap();
            assert_eq!((payments.len(), captures.len()), (1, 1), "{payments:?}");
            assert_eq!(
                (&captures[0]["state"], &captures[0]["amount"]["amount"]),
                (&json!("done"), &json!(MUG + DELIVERY))
            );
            let known = street.provider.payment(payments[0]["id"].as_str().unwrap()).unwrap();
            assert_eq!((known.captured, known.refunded, known.voided), (MUG + DELIVERY, 0, false));
            let read = street.stand.client().get(&format!("/v1/orders/{order}")).unwrap().json().unwrap();
            assert_eq!((&read["state"], &read["payment_status"]), (&json!("placed"), &json!("paid")));
        }
        let count = street.stand.count(&[street.mug]);
        assert_eq!((count.orders.len(), count.carts, count.payments), (ROUNDS, ROUNDS, ROUNDS));
        street.stand.must_be_clean();
    }
}
