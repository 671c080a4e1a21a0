//! The story of paying with what a customer has with us: gift cards and store credit, held, spent part by part, given back, never twice.

mod counter;

use std::thread;

use counter::{ada, by, filled, read, tender};
use domain::actor::{Actor, Permission, Who};
use domain::loyalty::CardState;
use domain::market::{CapturePolicy, PaymentKind};
use domain::order::{CancelReason, PaymentStatus, State};
use domain::returns::{Condition, Means};
use domain::stock::State as Stock;
use domain::value::id::{self, GiftCard as CardKind, Variant};
use domain::value::{Currency, Id, Money, Reference};
use domain::{Code, payment::State as PaymentState};
use engine::checkout::{self, Cancel, Checkout, Leaving, Tender, Whole};
use engine::loyalty::{self, gift_card, store_credit};
use engine::market::{Channel, NewChannel};
use engine::{Failure, payment};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

/// A gift card with an amount on it, and its code.
fn a_card(shop: &TestShop, minor: i64, currency: &'static str) -> (Id<CardKind>, String) {
    let made = shop.run(move |tx, actor, world| {
        let amount = Money::new(minor, Currency::parse(currency).expect("a currency")).expect("an amount");
        let card = gift_card::issue(tx, actor, world, amount, None)?;
        Ok::<_, Failure>((card.id, gift_card::show_code(tx, actor, world, card.id)?))
    });
    made.expect("a card")
}

fn by_card(code: &str, amount: Option<i64>) -> Tender {
    Tender { gift_card: Some(code.to_owned()), ..tender(PaymentKind::GiftCard, amount) }
}

/// What is free on a card, and what is set aside.
fn on(shop: &TestShop, card: Id<CardKind>) -> (i64, i64) {
    let balance = shop.read(move |tx| {
        let card = gift_card::find(tx, card)?;
        loyalty::balance(tx, &gift_card::credit(&card))
    });
    balance.expect("a balance")
}

/// A counter that delivers by being collected there, and takes the money when the goods leave.
fn a_desk(shop: &TestShop, retailer: &Retailer) -> Channel {
    let location = Some(Reference::Id(retailer.locations[0]));
    let capture_policy = CapturePolicy::AtFulfilment;
    let desk = a_channel("desk", retailer.market, retailer.network);
    retailer.channel(shop, NewChannel { location, capture_policy, ..desk })
}

fn order_as(
    shop: &TestShop,
    actor: &Actor,
    cart: Id<id::Cart>,
    tenders: Vec<Tender>,
) -> Result<Whole, Failure> {
    shop.run_as(actor, move |tx, actor, world| {
        let input = Checkout {
            cart,
            expected_total: None,
            tenders: tenders.clone(),
            serve_from: None,
            placed_at: None,
            external_id: None,
        };
        checkout::place(tx, actor, world, input)
    })
}

fn order(
    shop: &TestShop,
    channel: &Channel,
    mug: Id<Variant>,
    tenders: Vec<Tender>,
) -> Result<Whole, Failure> {
    let cart = filled(shop, channel, &[(mug, 1)], None);
    order_as(shop, &Actor::system(), cart, tenders)
}

#[test]
fn a_card_pays_at_the_counter_with_what_is_on_it_and_cash_the_rest() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let (card, code) = a_card(shop, 800, "GBP");
        let typed = code.to_lowercase().replace('-', " ");
        let first = order(shop, &till, mug, vec![by_card(&typed, None)]).unwrap();
        assert_eq!((first.order.state, first.payment_status()), (State::Completed, PaymentStatus::Paid));
        assert_eq!(first.payments[0].provider_reference.as_deref(), Some(card.to_string().as_str()));
        assert_eq!(on(shop, card), (300, 0));
        let mixed = vec![by_card(&code, None), tender(PaymentKind::Cash, None)];
        let second = order(shop, &till, mug, mixed).unwrap();
        assert_eq!(second.order.state, State::Completed);
        let captured: Vec<_> = second.payments.iter().map(|one| one.amounts.captured).collect();
        assert_eq!((captured, on(shop, card)), (vec![300, 200], (0, 0)));
        let empty = order(shop, &till, mug, vec![by_card(&code, None)]).unwrap_err();
        assert_eq!(
            empty.to_string(),
            "amount_exceeded: payments.0: nothing is left on it; choose another means of payment"
        );
    });
}

#[test]
fn what_comes_back_goes_onto_the_card_it_was_paid_with() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let (card, code) = a_card(shop, 300, "GBP");
        let mixed = vec![by_card(&code, None), tender(PaymentKind::Cash, None)];
        let bought = order(shop, &till, mug, mixed).unwrap();
        shop.run(move |tx, actor, world| gift_card::set_state(tx, actor, world, card, CardState::Blocked))
            .unwrap();
        let back = counter::a_back(&retailer, &bought, 0, (1, Condition::Resellable), by(Means::Original));
        counter::bring(shop, back).unwrap();
        let whole = read(shop, bought.order.id);
        let refunded: Vec<_> = whole.payments.iter().map(|one| (one.state, one.amounts.refunded)).collect();
        assert_eq!(refunded, [(PaymentState::Refunded, 300), (PaymentState::Refunded, 200)]);
        assert_eq!(on(shop, card), (300, 0), "a blocked card keeps its money");
    });
}

#[test]
fn money_is_set_aside_at_the_order_and_spent_as_goods_leave() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = a_desk(shop, &retailer);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let (card, code) = a_card(shop, 1200, "GBP");
        let cart = filled(shop, &desk, &[(mug, 3)], None);
        let mixed = vec![by_card(&code, None), tender(PaymentKind::Manual, None)];
        let placed = order_as(shop, &Actor::system(), cart, mixed).unwrap();
        let (id, transfer) = (placed.order.id, placed.payments[1].id);
        assert_eq!(placed.order.state, State::PendingPayment, "the rest is waited for");
        assert_eq!(on(shop, card), (0, 1200));
        shop.run(move |tx, actor, world| payment::record_receipt(tx, actor, world, transfer, None)).unwrap();
        shop.run(move |tx, actor, world| checkout::payment_changed(tx, actor, world, id)).unwrap();

        let one_mug = Some(vec![(placed.lines[0].id, 1)]);
        let cancel = Cancel { order: id, lines: one_mug, part: None, reason: CancelReason::Customer };
        shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone())).unwrap();
        assert_eq!(on(shop, card), (500, 700), "what the order does not ask for any more is free at once");

        let part = placed.fulfilment_orders[0].id;
        let gone = shop
            .run(move |tx, actor, world| checkout::fulfil(tx, actor, world, id, part, Leaving::default()))
            .unwrap();
        assert_eq!((gone.order.state, gone.payment_status()), (State::Completed, PaymentStatus::Paid));
        assert_eq!((gone.payments[0].amounts.captured, on(shop, card)), (700, (500, 0)));
    });
}

#[test]
fn a_crowd_spends_a_card_once() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 30);
        let (card, code) = a_card(shop, 999, "GBP");
        let carts: Vec<_> = (0..20).map(|_| filled(shop, &till, &[(mug, 1)], None)).collect();
        let sold = thread::scope(|scope| {
            let buy = |cart| {
                let tenders = vec![by_card(&code, Some(500))];
                scope.spawn(move || order_as(shop, &Actor::system(), cart, tenders))
            };
            let buyers: Vec<_> = carts.into_iter().map(buy).collect();
            buyers.into_iter().map(|buyer| buyer.join().expect("an answer")).collect::<Vec<_>>()
        });
        let (won, lost): (Vec<_>, Vec<_>) = sold.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), on(shop, card)), (1, (499, 0)));
        assert!(lost.into_iter().all(|one| one.unwrap_err().code() == Some(Code::AmountExceeded)));
        assert_eq!(retailer.count(shop, mug, 0, Stock::Available), 29, "who could not pay took nothing");
    });
}

#[test]
fn an_order_that_is_never_paid_gives_the_card_its_money_back() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = a_desk(shop, &retailer);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let (card, code) = a_card(shop, 200, "GBP");
        let mixed = vec![by_card(&code, None), tender(PaymentKind::Manual, None)];
        let placed = order(shop, &desk, mug, mixed).unwrap();
        assert_eq!(on(shop, card).0, 0);
        shop.pass(31 * 60);
        shop.run(checkout::expire_unpaid).unwrap();
        counter::work(shop);
        assert_eq!(read(shop, placed.order.id).order.state, State::Cancelled);
        assert_eq!(on(shop, card), (200, 0));
    });
}

#[test]
fn store_credit_is_spent_by_its_customer_and_by_who_takes_payments() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let (ada, pounds) = (ada(shop), Money::new(600, counter::pounds()).unwrap());
        let credit =
            shop.run(move |tx, actor, world| store_credit::issue(tx, actor, world, ada, pounds)).unwrap();
        let by_credit = || vec![tender(PaymentKind::StoreCredit, None)];
        let of = |customer| filled(shop, &till, &[(mug, 1)], customer);
        let nobody = order_as(shop, &Actor::system(), of(None), by_credit()).unwrap_err();
        assert_eq!(nobody.code(), Some(Code::Invalid));
        let program = counter::only(&[Permission::Shop]);
        let forbidden = order_as(shop, &program, of(Some(ada)), by_credit()).unwrap_err();
        assert_eq!(forbidden.code(), Some(Code::Forbidden));
        let herself = Actor { who: Who::Customer(ada), ..program };
        let bought = order_as(shop, &herself, of(Some(ada)), by_credit()).unwrap();
        assert_eq!(bought.order.state, State::Completed);
        let left = || {
            let credit = store_credit::credit(&credit);
            shop.read(move |tx| loyalty::balance(tx, &credit)).unwrap()
        };
        assert_eq!(left(), (100, 0));
        let too_much = vec![tender(PaymentKind::StoreCredit, Some(500))];
        let short = order_as(shop, &Actor::system(), of(Some(ada)), too_much).unwrap_err();
        assert_eq!(short.code(), Some(Code::AmountExceeded));
        let back = counter::a_back(&retailer, &bought, 0, (1, Condition::Resellable), by(Means::Original));
        counter::bring(shop, back).unwrap();
        assert_eq!(left(), (600, 0));
    });
}

#[test]
fn what_cannot_be_spent_says_why() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let (_, euros) = a_card(shop, 500, "EUR");
        let (blocked, of_blocked) = a_card(shop, 500, "GBP");
        let short = shop.run(|tx, actor, world| {
            let until = world.now().plus_seconds(60);
            let card = gift_card::issue(
                tx,
                actor,
                world,
                Money::new(500, counter::pounds()).expect("an amount"),
                Some(until),
            )?;
            gift_card::show_code(tx, actor, world, card.id)
        });
        let of_expired = short.unwrap();
        shop.pass(60);
        shop.run(move |tx, actor, world| gift_card::set_state(tx, actor, world, blocked, CardState::Blocked))
            .unwrap();
        let refusals = [
            (
                by_card("ZZZZ-ZZZZ-ZZZZ-ZZZZ", None),
                "not_found: payments.0.gift_card: no gift card has this code",
            ),
            (tender(PaymentKind::GiftCard, None), "invalid: payments.0.gift_card: give the gift card's code"),
            (
                Tender { gift_card: Some("A".into()), ..tender(PaymentKind::Cash, None) },
                "invalid: payments.0.gift_card: only a payment by gift card has a code",
            ),
            (
                by_card(&of_blocked, None),
                "wrong_state: payments.0.gift_card: the gift card is blocked; ask for another means",
            ),
            (
                by_card(&of_expired, None),
                "wrong_state: payments.0.gift_card: the gift card has expired; ask for another means",
            ),
            (
                by_card(&euros, None),
                "currency_mismatch: payments.0.gift_card: the gift card is in EUR, not in GBP",
            ),
        ];
        for (tender, words) in refusals {
            assert_eq!(order(shop, &till, mug, vec![tender]).unwrap_err().to_string(), words);
        }
    });
}
