//! The story of paying with what a customer has with us: gift cards and store credit, held, spent part by part, given back, never twice.

use crate::counter;
use std::thread;

use crate::counter::{ada, by, filled, read, tender};
use domain::actor::{Actor, Permission, Who};
use domain::loyalty::{CardState, Validity};
use domain::market::{CapturePolicy, PaymentKind};
use domain::order::{CancelReason, PaymentStatus, State};
use domain::returns::claim::Kind;
use domain::returns::{Condition, Means};
use domain::stock::State as Stock;
use domain::value::id::{self, GiftCard as CardKind, Variant};
use domain::value::{Currency, Id, Instant, Money, Reference};
use domain::{Code, payment::State as PaymentState};
use engine::catalogue::NewVariant;
use engine::checkout::gift;
use engine::checkout::{self, Cancel, Checkout, Leaving, Tender, Whole};
use engine::loyalty::gift_card::{self, GiftCard};
use engine::loyalty::{self, sale, store_credit};
use engine::market::{Channel, NewChannel};
use engine::returns::claim;
use engine::{Failure, payment};
use sim::retailer::{a_channel, a_variant};
use sim::{Retailer, TestShop, on_every_engine};
use store::loyalty::sale::Sold;

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

/// A gift card to be bought at a till, and the till.
pub fn a_gift(shop: &TestShop, retailer: &Retailer, minor: i64) -> Id<Variant> {
    let gift = retailer.sell_variant(shop, NewVariant { service: true, ..a_variant("GIFT") }, minor);
    shop.run(move |tx, actor, world| sale::make(tx, actor, world, gift)).expect("a gift card");
    gift
}

fn cards(shop: &TestShop, order: Id<id::Order>) -> Vec<(Sold, GiftCard)> {
    shop.read(move |tx| gift::cards(tx, &Actor::system(), order)).expect("cards")
}

/// The first line of an order is claimed as faulty.
fn claimed(shop: &TestShop, whole: &Whole) -> Result<claim::Claim, Failure> {
    let faulty = claim::Request {
        order: whole.order.id,
        kind: Kind::Faulty,
        parcel: None,
        reason: "other".into(),
        evidence: None,
        lines: vec![(whole.lines[0].id, 1)],
        wished: None,
        override_reason: None,
        external_id: None,
    };
    shop.run(move |tx, actor, world| claim::request(tx, actor, world, faulty.clone()))
}

#[test]
fn a_card_is_bought_with_goods_and_taken_back_unspent() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let (till, market) = (retailer.till(shop, 0), retailer.market);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let gift = a_gift(shop, &retailer, 500);
        let refused = shop.run(move |tx, actor, world| sale::make(tx, actor, world, mug)).unwrap_err();
        assert_eq!(refused.to_string(), "wrong_state: sku MUG lies on shelves; a gift card is a service");
        let rule = Validity::new(36, true).unwrap();
        shop.run(move |tx, actor, world| sale::set_validity(tx, actor, world, market, Some(rule))).unwrap();
        let whole = counter::buy(shop, &till, &[(gift, 2), (mug, 1)], counter::cash());
        assert_eq!(
            (whole.order.state, whole.order.gross, whole.lines[0].handed),
            (State::Completed, 1500, 2)
        );
        let sold = cards(shop, whole.order.id);
        assert_eq!(sold.iter().map(|(_, card)| on(shop, card.id)).collect::<Vec<_>>(), [(500, 0); 2]);
        let ends = sold[0].1.expires_at.unwrap().to_string();
        assert!(ends.ends_with("-01-01T00:00:00Z"), "{ends}");

        let (id, card) = (whole.order.id, sold[0].1.id);
        let code = shop.run(move |tx, actor, world| gift::show_code(tx, actor, world, (id, card))).unwrap();
        let twice =
            shop.run(move |tx, actor, world| gift::show_code(tx, actor, world, (id, card))).unwrap_err();
        assert_eq!(twice.code(), Some(Code::WrongState));
        order(shop, &till, mug, vec![by_card(&code, Some(100)), tender(PaymentKind::Cash, None)]).unwrap();

        let refused = claimed(shop, &whole).unwrap_err().to_string();
        assert!(refused.contains("is a gift card"), "its money would be there twice: {refused}");

        let back =
            |units| counter::a_back(&retailer, &whole, 0, (units, Condition::Resellable), by(Means::Cash));
        let refused = counter::bring(shop, back(2)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "wrong_state: 1 of the gift cards were spent, wholly or in part, and stay with their holder"
        );
        counter::bring(shop, back(1)).unwrap();
        let sold = cards(shop, whole.order.id);
        assert!(sold[0].0.taken_back_at.is_none() && sold[1].0.taken_back_at.is_some());
        assert_eq!(
            (on(shop, card), on(shop, sold[1].1.id), sold[1].1.state),
            ((400, 0), (0, 0), CardState::Blocked)
        );

        let owed = shop
            .read(|tx| {
                sale::liability(
                    tx,
                    &Actor::system(),
                    (Instant::from_micros(0), Instant::from_micros(i64::MAX)),
                )
            })
            .unwrap();
        assert_eq!((owed.len(), owed[0].outstanding, owed[0].issued, owed[0].spent), (1, 400, 500, 100));
    });
}

#[test]
fn a_card_is_handed_out_when_its_money_is_taken_and_not_cancelled_then() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = a_desk(shop, &retailer);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let gift = a_gift(shop, &retailer, 2500);
        let cart = filled(shop, &desk, &[(gift, 1), (mug, 1)], None);
        let placed = order_as(shop, &Actor::system(), cart, vec![tender(PaymentKind::Manual, None)]).unwrap();
        let (id, paid) = (placed.order.id, placed.payments[0].id);
        assert!(cards(shop, id).is_empty(), "nothing is paid");
        shop.run(move |tx, actor, world| payment::record_receipt(tx, actor, world, paid, Some(2000)))
            .unwrap();
        shop.run(move |tx, actor, world| checkout::payment_changed(tx, actor, world, id)).unwrap();
        assert!(cards(shop, id).is_empty(), "not all is paid");
        shop.run(move |tx, actor, world| payment::record_receipt(tx, actor, world, paid, None)).unwrap();
        for _ in 0..2 {
            shop.run(move |tx, actor, world| checkout::payment_changed(tx, actor, world, id)).unwrap();
        }
        assert_eq!(cards(shop, id).len(), 1, "once, however often the payment is told of");
        let cancel = Cancel { order: id, lines: None, part: None, reason: CancelReason::Customer };
        let left =
            shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone())).unwrap();
        assert_eq!((left.lines[0].cancelled, left.lines[1].cancelled), (0, 1), "the card is out");
        assert_eq!((left.order.state, left.sums.kept()), (State::Completed, 2500));
    });
}

#[test]
fn what_is_left_on_a_card_lapses_after_its_last_day() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let gift = a_gift(shop, &retailer, 500);
        let (market, rule) = (retailer.market, Validity::new(1, false).unwrap());
        shop.run(move |tx, actor, world| sale::set_validity(tx, actor, world, market, Some(rule))).unwrap();
        let whole = counter::buy(shop, &till, &[(gift, 1)], counter::cash());
        let card = cards(shop, whole.order.id)[0].1.id;
        for (days, left) in [(27, 500), (5, 0), (1, 0)] {
            shop.pass(days * counter::DAY);
            assert!(!shop.run(gift_card::expire_due).unwrap());
            assert_eq!(on(shop, card), (left, 0));
        }
        let back = counter::a_back(&retailer, &whole, 0, (1, Condition::Resellable), by(Means::Cash));
        assert_eq!(counter::bring(shop, back).unwrap_err().code(), Some(Code::WrongState));
    });
}
