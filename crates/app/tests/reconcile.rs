//! A day of a payment provider is held against the books: each difference is named, nothing is put right by itself, and what is cleared stands
//! in the ledger.

use std::process::{Command, Output};
use std::time::Duration;

use connect::call::Caller;
use connect::payment::reconciliation::Reconciliations;
use connect::test_provider::{Settings, TestClient, TestProvider};
use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::payment::receivable::TEST_ACCOUNT;
use domain::payment::reconcile::{Outcome, Side};
use domain::payment::{Kind, Timing};
use domain::value::id::{Capture, Order, Payment as PaymentKind};
use domain::value::{Currency, Id, LocalDay, Money};
use engine::job::Registry;
use engine::payment::provider::test_secret;
use engine::payment::reconciliation::{self, Day, Found, State, Whole};
use engine::payment::{self, NewPayment, Operation, Verdict};
use engine::{Failure, Shop};
use serde_json::{Value, json};
use sim::scratch::Scratch;
use sim::shop::{TestShop, on_every_engine};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const ORDER: Id<Order> = Id::from_bytes([7; 16]);
/// The master key of a [`TestShop`], as the environment holds it.
const MASTER_KEY: &str = "2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a";
const DAY: i64 = 86_400;

/// A shop, and a provider beside it; what either says of the other is told by the story.
struct Desk<'s> {
    shop: &'s TestShop,
    url: String,
    runtime: Runtime,
}

impl<'s> Desk<'s> {
    fn open(shop: &'s TestShop) -> Desk<'s> {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = TestProvider::base_url(listener.local_addr().unwrap());
        let provider = TestProvider::new(Settings {
            webhook_url: None,
            secret: test_secret(&shop.shop.keyring),
            source: shop.simulated.clone(),
            confirm_after: Duration::from_millis(10),
            hang_for: Duration::from_millis(10),
        });
        runtime.spawn(async move { provider.serve(listener, std::future::pending()).await });
        Desk { shop, url, runtime }
    }

    /// Asks the provider, past the shop.
    fn at_provider(&self, key: &str, path: &str, body: &Value) {
        let caller = Caller::new(Duration::from_secs(5));
        let (url, headers) = (format!("{}{path}", self.url), [("idempotency-key", key)]);
        let (status, body) = self.runtime.block_on(caller.post(&url, &headers, body.to_string())).unwrap();
        assert_eq!(status, 200, "{path}: {body:?}");
    }

    fn told(&self, payment: Id<PaymentKind>, operation: Operation) {
        let done = Verdict::Done { reference: Some("tp".into()) };
        let outcome = self
            .shop
            .run(move |tx, actor, world| payment::outcome(tx, actor, world, payment, operation, &done));
        outcome.unwrap();
    }

    /// A payment that is authorised on both sides.
    fn pay(&self, minor: i64) -> Id<PaymentKind> {
        let new = NewPayment {
            order: ORDER,
            kind: Kind::Test,
            amount: Money::new(minor, Currency::parse("GBP").unwrap()).unwrap(),
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
        let id =
            self.shop.run(move |tx, actor, world| payment::create(tx, actor, world, new.clone())).unwrap().id;
        let body = json!({ "amount": minor, "currency": "GBP", "token": "tok_ok" });
        self.at_provider(&id.to_string(), "/payments", &body);
        self.told(id, Operation::Authorise);
        id
    }

    /// A capture that is asked for: of this amount at the provider, and recorded as done here if it is.
    fn capture(&self, payment: Id<PaymentKind>, minor: i64, there: Option<i64>, here: bool) -> Id<Capture> {
        let id = self
            .shop
            .run(move |tx, actor, world| payment::capture(tx, actor, world, payment, Some(minor)))
            .unwrap();
        if let Some(amount) = there {
            let path = format!("/payments/{payment}/captures");
            self.at_provider(&id.to_string(), &path, &json!({ "amount": amount }));
        }
        if here {
            self.told(payment, Operation::Capture(id));
        }
        id
    }

    fn refund(&self, payment: Id<PaymentKind>, minor: i64) {
        let id = self
            .shop
            .run(move |tx, actor, world| payment::refund(tx, actor, world, payment, Some(minor)))
            .unwrap();
        self.at_provider(
            &id.to_string(),
            &format!("/payments/{payment}/refunds"),
            &json!({ "amount": minor }),
        );
        self.told(payment, Operation::Refund(id));
    }

    /// The shop does its jobs until a day is compared.
    fn compared(&self, day: Day) -> Whole {
        let client = TestClient::new(&self.url, Caller::new(Duration::from_secs(5)));
        let handlers = connect::Handlers::new(Registry::default()).with(Reconciliations::new(client));
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let until_stopped = async move { drop(stopped.await) };
        let running = self.runtime.spawn(connect::run(self.shop.shop.clone(), handlers, until_stopped));
        for _ in 0..500 {
            let read = self.shop.read(move |tx| reconciliation::read(tx, &Actor::system(), day)).unwrap();
            if read.reconciliation.state != State::Asked {
                drop(stop);
                self.runtime.block_on(running).unwrap();
                return read;
            }
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
        }
        panic!("not compared in ten seconds");
    }

    fn again(&self, day: Day) -> Whole {
        self.shop.run(move |tx, actor, world| reconciliation::ask(tx, actor, world, day)).unwrap();
        self.compared(day)
    }

    fn lines(&self, day: Day) -> Vec<Found> {
        let first = Id::from_bytes([0; 16]);
        self.shop.read(move |tx| reconciliation::lines(tx, &Actor::system(), day, first, 200)).unwrap()
    }

    fn open_lines(&self, day: Day) -> Vec<Found> {
        self.lines(day).into_iter().filter(|found| found.cleared.is_none()).collect()
    }

    fn clear(&self, actor: &Actor, day: Day, found: &Found, reason: &'static str) -> Result<Found, Failure> {
        let id = found.id;
        self.shop
            .run_as(actor, move |tx, actor, world| reconciliation::clear(tx, actor, world, (day, id), reason))
    }
}

fn today(shop: &Shop) -> LocalDay {
    domain::payment::receivable::day(shop.source.now()).unwrap()
}

fn only(permission: Permission) -> Actor {
    let grant = Grant { location: None, permissions: Permissions::of(&[permission]) };
    Actor { who: Who::Staff(Id::from_bytes([9; 16])), channel: None, grants: vec![grant] }
}

fn told_of(shop: &TestShop, whole: &Whole) -> Vec<String> {
    let subject = whole.reconciliation.id.to_string();
    let read =
        move |tx: &mut store::Tx<'_>| Ok::<_, Failure>(store::event::of_subject(tx, &subject, 0, 100)?);
    shop.read(read).unwrap().into_iter().map(|entry| entry.kind).collect()
}

/// Differences on both sides, and more movements than stand on one page; answers the payment whose capture is still waited for here.
fn a_day_with_differences(desk: &Desk<'_>) -> (Id<PaymentKind>, Id<Capture>) {
    for _ in 0..104 {
        let id = desk.pay(100);
        desk.capture(id, 100, Some(100), true);
    }
    let equal = desk.pay(500);
    desk.capture(equal, 500, Some(500), true);
    desk.refund(equal, 200);
    let here_only = desk.pay(300);
    desk.capture(here_only, 300, None, true);
    let other = desk.pay(250);
    desk.capture(other, 250, Some(200), true);
    let late = desk.pay(400);
    let waits = desk.capture(late, 400, None, false);
    desk.at_provider("by-hand", &format!("/payments/{late}/captures"), &json!({ "amount": 400 }));
    let foreign = json!({ "amount": 70, "currency": "GBP", "token": "tok_ok" });
    desk.at_provider("foreign", "/payments", &foreign);
    desk.at_provider("foreign-capture", "/payments/foreign/captures", &json!({ "amount": 70 }));
    (late, waits)
}

#[test]
fn each_difference_is_named_cleared_with_a_reason_and_never_by_itself() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let day: Day = (TEST_ACCOUNT, today(&shop.shop));
        let (late, waits) = a_day_with_differences(&desk);
        shop.run(reconciliation::propose).unwrap();
        let early = shop.run(move |tx, actor, world| reconciliation::ask(tx, actor, world, day)).unwrap_err();
        assert_eq!(early.code(), Some(Code::Invalid), "the day is not over");
        shop.pass(DAY);
        shop.run(reconciliation::propose).unwrap();
        let whole = desk.compared(day);
        assert_eq!((whole.reconciliation.state, whole.open), (State::Differs, 4));
        let found: Vec<_> = desk
            .lines(day)
            .into_iter()
            .map(|found| (found.line.outcome, found.line.side, found.line.theirs, found.line.ours))
            .collect();
        let named = [
            (Outcome::DifferentAmount, Side::Captured, 200, 250),
            (Outcome::MissingHere, Side::Captured, 400, 0),
            (Outcome::MissingHere, Side::Captured, 70, 0),
            (Outcome::MissingThere, Side::Captured, 0, 300),
        ];
        assert_eq!(found, named);
        let (currency, total) = whole.totals[0];
        assert_eq!((currency.code(), total.equal), ("GBP", 106));
        assert_eq!((total.captured_there, total.captured_here), (10_400 + 1170, 10_400 + 1050));
        assert_eq!((total.refunded_there, total.refunded_here, total.paid_out), (200, 200, 0));
        assert_eq!((total.left_there, total.left_here, total.shifted), (670, 550, 0));
        assert_eq!(total.fees, 104 * 2 + 10 + 4 + 8 + 1);
        assert_eq!(told_of(shop, &whole), ["reconciliation.differs"]);

        let (open, clerk) = (desk.open_lines(day), only(Permission::Reconcile));
        let code = |outcome: Result<Found, Failure>| outcome.err().and_then(|failure| failure.code());
        let other = only(Permission::TakePayments);
        assert_eq!(code(desk.clear(&other, day, &open[0], "no")), Some(Code::Forbidden));
        assert_eq!(code(desk.clear(&clerk, day, &open[0], " ")), Some(Code::Invalid));
        for found in &open {
            let cleared = desk.clear(&clerk, day, found, "seen in the dashboard").unwrap();
            assert_eq!(cleared.cleared.unwrap().1, clerk.who.label());
        }
        assert_eq!(code(desk.clear(&clerk, day, &open[0], "again")), Some(Code::WrongState));
        shop.must_tally();
        let again = desk.again(day);
        assert_eq!((again.reconciliation.state, again.open), (State::Equal, 0));

        // The capture that was cleared as missing here comes late after all: what was booked for it was too much.
        desk.told(late, Operation::Capture(waits));
        let vain = desk.again(day);
        assert_eq!((vain.reconciliation.state, vain.open), (State::Differs, 1));
        let line = &desk.open_lines(day)[0];
        assert_eq!((line.line.outcome, line.line.lacks()), (Outcome::ClearedInVain, -400));
        desk.clear(&clerk, day, line, "came late").unwrap();
        assert_eq!(desk.again(day).reconciliation.state, State::Equal);
    });
}

fn tandem(shop: &TestShop, provider: &str, day: LocalDay) -> (Option<i32>, Value) {
    let home = Scratch::new("reconcile").unwrap();
    let file = || shop.directory().map(|directory| directory.join("shop.db").display().to_string());
    let output: Output = Command::new(env!("CARGO_BIN_EXE_tandem"))
        .args(["reconcile", "--account", "test", "--json", "--day", &day.to_string()])
        .current_dir(home.path())
        .env("TANDEM_DATABASE", shop.server_address().or_else(file).unwrap())
        .env("TANDEM_MASTER_KEY", MASTER_KEY)
        .env("TANDEM_TEST_PROVIDER", provider)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    (output.status.code(), serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{errors}")))
}

#[test]
fn the_program_says_by_its_exit_code_whether_both_are_equal() {
    on_every_engine(|shop| {
        let desk = Desk::open(shop);
        let day = today(&shop.shop);
        let id = desk.pay(500);
        desk.capture(id, 500, Some(500), true);
        let (code, equal) = tandem(shop, &desk.url, day);
        assert_eq!((code, &equal["equal"], &equal["totals"][0]["equal"]), (Some(0), &json!(true), &json!(1)));
        let other = desk.pay(300);
        desk.capture(other, 300, None, true);
        let (code, differs) = tandem(shop, &desk.url, day);
        assert_eq!((code, &differs["open_differences"]), (Some(1), &json!(1)));
        assert_eq!(differs["differences"][0]["outcome"], "missing_there");
        assert_eq!(differs["totals"][0]["left_here"], 300);
    });
}
