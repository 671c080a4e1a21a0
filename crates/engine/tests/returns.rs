//! The story of goods that come back: allowed or refused by policy, announced, received elsewhere, looked at, paid in many ways.

use crate::counter::*;
use domain::Code;
use domain::actor::{Actor, Permission};
use domain::market::PaymentKind;
use domain::order::CancelReason;
use domain::order::PaymentStatus;
use domain::returns::policy::{DeliveryRefund, Fee, Scope, Terms, When};
use domain::returns::{Condition, Discrepancy, Means, State, Way};
use domain::stock::State as Stock;
use domain::value::Rate;
use engine::Failure;
use engine::catalogue::NewVariant;
use engine::checkout::{self, Cancel, Leaving, Tender, Whole};
use engine::contact::Sought;
use engine::loyalty::{self, gift_card, store_credit};
use engine::order::search::{Clue, search};
use engine::payment::{self, Operation, Verdict};
use engine::returns::judge::Asked;
use engine::returns::policy::{self, Draft};
use engine::returns::request::{self, Arrival, Request};
use engine::returns::{self, Back, Blind, BlindLine, Return, Wish, overdue};
use sim::retailer::a_variant;
use sim::{Retailer, TestShop, on_every_engine};

#[test]
fn outside_the_window_the_policy_refuses_and_a_manager_may_allow_it() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 5);
        let terms = Terms { window_days: Some(28), ..Terms::open() };
        written(shop, "standard", Scope::default(), terms);
        let order = buy(shop, &till, &[(mug, 3)], cash());
        let back = |wish| a_back(&retailer, &order, 1, (1, Condition::Resellable), wish);
        bring(shop, back(Wish::default())).unwrap();
        shop.pass(29 * DAY);
        let refused = bring(shop, back(Wish::default())).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "policy_refuses: lines.0: it could come back until 2026-06-29T10:00:00Z"
        );
        let manager = Wish { means: None, override_reason: Some("was in hospital".into()) };
        let clerk = only(&[Permission::EditOrders, Permission::ReadOrders]);
        let refused = bring_as(shop, &clerk, back(manager.clone())).unwrap_err();
        assert_eq!(refused.code(), Some(Code::Forbidden));
        let allowed = bring(shop, back(manager)).unwrap();
        assert_eq!((allowed.override_reason.as_deref(), allowed.refund), (Some("was in hospital"), 500));
        assert_eq!(retailer.count(shop, mug, 1, Stock::Available), 2);
    });
}

#[test]
fn fees_postage_and_delivery_are_exact_and_the_rest_is_owed() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 333);
        retailer.stock(shop, mug, 0, 5);
        let fee = |reason: Option<&str>, fixed_minor, parts| Fee {
            reason: reason.map(str::to_owned),
            fixed_minor,
            rate: Rate::from_parts_per_million(parts).expect("a rate"),
        };
        let fees = vec![fee(Some("damaged"), 0, 0), fee(None, 10, 100_000)];
        let terms = Terms { fees, delivery: DeliveryRefund::Last, ..Terms::open() };
        let first = written(shop, "fees", Scope::default(), terms.clone());
        let order = buy(shop, &till, &[(mug, 3)], cash());
        let back = |reason: &str| Back {
            reason: reason.into(),
            ..a_back(&retailer, &order, 0, (1, Condition::Damaged), Wish::default())
        };
        let one = bring(shop, back("too_small")).unwrap();
        assert_eq!((one.fee, one.refund, one.lines[0].refund), (43, 290, 333), "ten and 33.3, half up");
        shop.run(move |tx, actor, world| {
            let terms = Terms { fees: Vec::new(), ..Terms::open() };
            let draft = Draft { name: "free".into(), scope: Scope::default(), active: true, terms };
            policy::change(tx, actor, world, (first.id, Some(1)), draft)
        })
        .unwrap();
        let two = bring(shop, back("too_small")).unwrap();
        assert_eq!((two.refund, two.lines[0].policy), (333, Some((first.id, 2))));
        assert_eq!(
            one.lines[0].policy,
            Some((first.id, 1)),
            "each return keeps the version it was judged by"
        );
        let end = read(shop, order.order.id);
        assert_eq!((end.sums.kept(), end.sums.owed(), end.order.returned), (376, 376, 623));
        let stale = shop.run(move |tx, actor, world| {
            let draft =
                Draft { name: "x".into(), scope: Scope::default(), active: true, terms: Terms::open() };
            policy::change(tx, actor, world, (first.id, Some(1)), draft)
        });
        assert_eq!(stale.unwrap_err().code(), Some(Code::Stale));
    });
}

#[test]
fn money_goes_back_the_way_it_came_or_onto_a_card_or_credit_or_in_bounded_cash() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let terms = Terms { cash_minor_max: Some(600), ..Terms::open() };
        written(shop, "standard", Scope::default(), terms);
        let ada = ada(shop);
        let mixed = vec![tender(PaymentKind::CardRecord, Some(700)), tender(PaymentKind::Cash, None)];
        let order = buy_for(shop, &till, &[(mug, 4)], mixed, Some(ada));
        let back = |quantity, wish| a_back(&retailer, &order, 0, (quantity, Condition::Resellable), wish);
        let refused = bring(shop, back(2, by(Means::Cash))).unwrap_err();
        assert_eq!(refused.code(), Some(Code::AmountExceeded), "{refused}");
        let one = bring(shop, back(1, by(Means::StoreCredit))).unwrap();
        let two = bring(shop, back(1, by(Means::GiftCard))).unwrap();
        let three = bring(shop, back(1, Wish::default())).unwrap();
        let four = bring(shop, back(1, by(Means::Cash))).unwrap();
        let states = [&one, &two, &three, &four].map(|one| (one.state, one.refund));
        assert_eq!(states, [(State::Refunded, 500); 4]);
        let end = read(shop, order.order.id);
        assert_eq!((end.payment_status(), end.sums.refunded), (PaymentStatus::Refunded, 2000));
        let (id, second) = (one.id, two.id);
        let (paid, onto, credit) = shop
            .read(move |tx| {
                let credit = store_credit::of_customer(tx, &Actor::system(), ada)?.remove(0);
                let paid = store::returns::paid(tx, id)?;
                let card = store::returns::paid(tx, second)?;
                let book = card[0].book.expect("a card").shared_with();
                let card =
                    (card.iter().map(|part| part.amount).collect::<Vec<_>>(), gift_card::find(tx, book)?);
                Ok::<_, Failure>((paid, card, loyalty::balance(tx, &store_credit::credit(&credit))?))
            })
            .unwrap();
        assert_eq!((paid.len(), paid[0].amount, credit), (1, 500, (500, 0)));
        assert_eq!(onto.0, [200, 300], "the card is used up, then the cash");
        let nobody = buy(shop, &till, &[(mug, 1)], cash());
        let back = a_back(&retailer, &nobody, 0, (1, Condition::Resellable), by(Means::StoreCredit));
        assert_eq!(
            bring(shop, back).unwrap_err().to_string(),
            "invalid: means: store credit is a customer's, and none is known; give a gift card instead"
        );
    });
}

fn a_request(order: &Whole, quantity: i64) -> Request {
    Request {
        order: order.order.id,
        way: Way::Post,
        location: None,
        reason: "too_small".into(),
        lines: vec![Asked { line: order.lines[0].id, quantity, condition: None }],
        wish: Wish::default(),
        external_id: None,
    }
}

fn ask(shop: &TestShop, actor: &Actor, request: Request) -> Result<Return, Failure> {
    shop.run_as(actor, move |tx, actor, world| request::request(tx, actor, world, request.clone()))
}

fn arrive(shop: &TestShop, arrival: Arrival) -> Result<Return, Failure> {
    shop.run(move |tx, actor, world| request::receive(tx, actor, world, arrival.clone()))
}

#[test]
fn sent_by_post_it_is_approved_received_elsewhere_looked_at_and_paid() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let till = retailer.till(shop, 0);
        let (mug, tea) = (retailer.sell(shop, "MUG", 500), retailer.sell(shop, "TEA", 300));
        retailer.stock(shop, mug, 0, 9);
        retailer.stock(shop, tea, 0, 1);
        let terms = Terms {
            postage_minor: 150,
            conditions: vec![Condition::Resellable, Condition::Damaged],
            ..Terms::open()
        };
        written(shop, "post", Scope::default(), terms);
        let order = buy(shop, &till, &[(mug, 3)], cash());
        let page = Actor { channel: Some(till.id), ..only(&[Permission::Shop]) };
        let one = ask(shop, &page, a_request(&order, 3)).unwrap();
        assert_eq!((one.state, one.refund, one.postage), (State::Requested, 1350, 150), "as it was quoted");
        let again = ask(shop, &page, a_request(&order, 1)).unwrap_err();
        assert_eq!(again.to_string(), "wrong_state: lines.0.quantity: 0 of sku MUG can come back, 1 asked");
        let at_the_counter = a_back(&retailer, &order, 0, (1, Condition::Resellable), Wish::default());
        assert_eq!(bring(shop, at_the_counter).unwrap_err().code(), Some(Code::WrongState));
        let decide =
            move |yes| shop.run(move |tx, actor, world| request::decide(tx, actor, world, one.id, yes));
        let approved = decide(true).unwrap();
        assert_eq!((approved.state, approved.label), (State::Approved, Some(one.id.to_string())));
        assert_eq!(decide(false).unwrap_err().code(), Some(Code::WrongState));
        let line = one.lines[0].id;
        let arrival = |lines: Vec<_>, others: Vec<_>| Arrival {
            id: one.id,
            location: retailer.locations[1],
            lines,
            others,
            complete: false,
        };
        let first =
            arrive(shop, arrival(vec![(line, 1, Some(Condition::Resellable))], vec![(tea, 1)])).unwrap();
        assert_eq!((first.state, first.lines[0].received, first.lines[0].graded), (State::Received, 1, 1));
        let too_many = arrive(shop, arrival(vec![(line, 3, None)], vec![])).unwrap_err();
        assert_eq!(too_many.code(), Some(Code::WrongState));
        arrive(shop, arrival(vec![(line, 2, None)], vec![])).unwrap();
        let at = |state| (retailer.count(shop, mug, 1, state), retailer.count(shop, tea, 1, state));
        assert_eq!((at(Stock::Available), at(Stock::Quality)), ((1, 0), (2, 1)));
        assert_eq!(read(shop, order.order.id).order.returned, 0, "nobody has looked at them yet");
        let inspect = |quantity, condition| {
            shop.run(move |tx, actor, world| {
                request::inspect(tx, actor, world, (one.id, vec![(line, quantity, condition)]), None)
            })
        };
        let refused = inspect(1, Condition::Scrap).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "policy_refuses: lines.0.condition: goods that are scrap are not taken"
        );
        assert_eq!(inspect(3, Condition::Damaged).unwrap_err().code(), Some(Code::WrongState));
        inspect(1, Condition::Damaged).unwrap();
        let last = inspect(1, Condition::Resellable).unwrap();
        assert_eq!((last.state, last.refund), (State::Refunded, 1350));
        assert_eq!((at(Stock::Available).0, at(Stock::Damaged).0, at(Stock::Quality).0), (2, 1, 0));
        let end = read(shop, order.order.id);
        assert_eq!((end.sums.refunded, end.lines[0].returned), (1350, 3));
        let twice = shop.run(move |tx, actor, world| request::refund(tx, actor, world, one.id)).unwrap_err();
        assert_eq!(twice.code(), Some(Code::WrongState));
        let found =
            shop.read(move |tx| Ok::<_, Failure>(store::returns::discrepancies(tx, one.id)?)).unwrap();
        assert_eq!(found, [(Discrepancy::WrongGoods, tea, 1)]);
        let closed = shop.run(move |tx, actor, world| request::close(tx, actor, world, one.id)).unwrap();
        assert_eq!(closed.state, State::Closed);
    });
}

#[test]
fn what_arrives_short_is_paid_for_what_is_here() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 333);
        retailer.stock(shop, mug, 0, 9);
        let order = buy(shop, &till, &[(mug, 3)], cash());
        let one = ask(shop, &Actor::system(), a_request(&order, 3)).unwrap();
        assert_eq!(one.state, State::Approved, "a colleague asked");
        let arrival = Arrival {
            id: one.id,
            location: retailer.locations[0],
            lines: vec![(one.lines[0].id, 2, Some(Condition::Resellable))],
            others: vec![],
            complete: true,
        };
        let paid = arrive(shop, arrival).unwrap();
        assert_eq!((paid.state, paid.refund), (State::Refunded, 666));
        let back = a_back(&retailer, &order, 0, (1, Condition::Resellable), Wish::default());
        assert_eq!(bring(shop, back).unwrap().refund, 333, "the piece that did not come may come later");
    });
}

/// The provider takes the money of an order, and the goods leave.
fn must_be_taken(shop: &TestShop, order: &Whole) {
    let (id, part, payment) = (order.order.id, order.fulfilment_orders[0].id, order.payments[0].id);
    shop.run(move |tx, actor, world| {
        let done = Verdict::Done { reference: None };
        payment::outcome(tx, actor, world, payment, Operation::Authorise, &done)?;
        let capture = store::payment::captures(tx, payment)?[0].id;
        payment::outcome(tx, actor, world, payment, Operation::Capture(capture), &done)?;
        checkout::fulfil(tx, actor, world, id, part, Leaving::default())
    })
    .expect("the money is there");
}

#[test]
fn what_comes_after_the_money_was_given_back_is_a_return_of_its_own() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 333);
        retailer.stock(shop, mug, 0, 9);
        let by_card = Tender { provider_token: Some("tok_ok".into()), ..tender(PaymentKind::Test, None) };
        let order = buy(shop, &till, &[(mug, 3)], vec![by_card]);
        must_be_taken(shop, &order);
        let one = ask(shop, &Actor::system(), a_request(&order, 3)).unwrap();
        let come = |quantity| Arrival {
            id: one.id,
            location: retailer.locations[0],
            lines: vec![(one.lines[0].id, quantity, Some(Condition::Resellable))],
            others: vec![],
            complete: false,
        };
        arrive(shop, come(1)).unwrap();
        let id = one.id;
        let paid = shop.run(move |tx, actor, world| request::refund(tx, actor, world, id)).unwrap();
        assert_eq!((paid.state, paid.refund), (State::Received, 333), "the provider was not heard yet");
        let late = arrive(shop, come(2)).unwrap_err();
        assert_eq!(
            late.to_string(),
            "wrong_state: its money was given back for what was here; take what comes later back as a return of its own"
        );
        let back = a_back(&retailer, &order, 0, (2, Condition::Resellable), Wish::default());
        assert_eq!(bring(shop, back).unwrap().refund, 666);
        assert_eq!(read(shop, order.order.id).lines[0].returned, 3);
        assert_eq!(retailer.count(shop, mug, 0, Stock::Available), 9);
    });
}

#[test]
fn a_service_that_was_cancelled_meanwhile_is_not_paid_back_twice() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 333);
        let wrapping = NewVariant { service: true, ..a_variant("WRAP") };
        let wrap = retailer.sell_variant(shop, wrapping, 250);
        retailer.stock(shop, mug, 0, 9);
        let record = vec![Tender { kind: PaymentKind::Manual, ..tender(PaymentKind::Cash, None) }];
        let order = buy(shop, &till, &[(wrap, 1), (mug, 1)], record);
        let (id, payment, line) = (order.order.id, order.payments[0].id, order.lines[0].id);
        shop.run(move |tx, actor, world| payment::record_receipt(tx, actor, world, payment, None)).unwrap();
        while engine::job::turn(&shop.shop, &engine::job::registry()).unwrap() > 0 {}
        let one = ask(shop, &Actor::system(), a_request(&order, 1)).unwrap();
        shop.run(move |tx, actor, world| {
            let lines = Some(vec![(line, 1)]);
            let input = Cancel { order: id, lines, part: None, reason: CancelReason::Customer };
            checkout::cancel(tx, actor, world, input)
        })
        .unwrap();
        let arrival = Arrival {
            id: one.id,
            location: retailer.locations[0],
            lines: vec![(one.lines[0].id, 1, Some(Condition::Resellable))],
            others: vec![],
            complete: true,
        };
        assert_eq!(arrive(shop, arrival).unwrap().refund, 0);
        let end = read(shop, id);
        assert_eq!((end.sums.refunded, end.sums.owed(), end.lines[0].returned), (250, 333, 0));
    });
}

#[test]
fn a_kit_nobody_announced_is_taken_in_as_what_it_is_made_of() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 333);
        let set = retailer.sell_kit(shop, "SET", &[(mug, 2)], 600);
        retailer.stock(shop, mug, 0, 9);
        let order = buy(shop, &till, &[(mug, 4)], cash());
        let one = ask(shop, &Actor::system(), a_request(&order, 1)).unwrap();
        let arrival = |variant| Arrival {
            id: one.id,
            location: retailer.locations[0],
            lines: vec![],
            others: vec![(variant, 1)],
            complete: false,
        };
        arrive(shop, arrival(set)).unwrap();
        let at = |variant| retailer.count(shop, variant, 0, Stock::Quality);
        assert_eq!((at(mug), at(set)), (2, 0));
        let nothing = arrive(shop, arrival(domain::value::Id::from_bytes([7; 16]))).unwrap_err();
        assert!(nothing.to_string().starts_with("not_found: others.0.variant: "), "{nothing}");
    });
}

#[test]
fn money_given_before_the_goods_come_is_claimed_back_when_they_do_not() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let terms = Terms { when: When::BeforeReceipt, by_rule: true, ..Terms::open() };
        written(shop, "trusted", Scope { customer_group: Some("trade".into()), ..Scope::default() }, terms);
        let ada = ada(shop);
        let order = buy_for(shop, &till, &[(mug, 8)], cash(), Some(ada));
        let page = Actor { channel: Some(till.id), ..only(&[Permission::Shop]) };
        let [one, two, some, last] =
            [1, 1, 3, 3].map(|mugs| ask(shop, &page, a_request(&order, mugs)).unwrap());
        assert_eq!((one.state, one.credited), (State::Approved, true));
        assert_eq!(read(shop, order.order.id).sums.refunded, 4000);
        let come = |one: &Return, mugs, complete| {
            let lines = vec![(one.lines[0].id, mugs, Some(Condition::Resellable))];
            let location = retailer.locations[0];
            arrive(shop, Arrival { id: one.id, location, lines, others: vec![], complete })
        };
        assert_eq!(come(&one, 1, false).unwrap().state, State::Refunded);
        assert_eq!(come(&some, 2, false).unwrap().state, State::Received, "one may still come");
        let last = come(&last, 2, true).unwrap();
        assert_eq!((last.state, last.refund), (State::Refunded, 1000), "somebody said that no more comes");
        shop.pass(31 * DAY);
        for _ in 0..2 {
            assert!(!shop.run(overdue::claim_back).unwrap());
        }
        let [late, part] =
            [two.id, some.id].map(|id| shop.read(move |tx| returns::read(tx, &Actor::system(), id)).unwrap());
        assert_eq!((late.state, late.credited), (State::Closed, false));
        assert_eq!((part.state, part.refund, part.due_at), (State::Refunded, 1000, None));
        let end = read(shop, order.order.id);
        assert_eq!((end.sums.missing(), end.lines[0].returned), (1500, 5), "three are owed again");
        assert_eq!(
            come(&some, 1, true).unwrap_err().code(),
            Some(Code::WrongState),
            "that is a return of its own"
        );
    });
}

#[test]
fn without_a_receipt_limits_hold_and_credit_is_given() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let mug = retailer.sell(shop, "MUG", 500);
        let web = retailer.web(shop);
        shop.pass(DAY);
        let limits = domain::returns::policy::Limits {
            days: 30,
            unreceipted_minor_max: Some(900),
            ..domain::returns::policy::Limits::default()
        };
        let terms = Terms { means_without_receipt: vec![Means::StoreCredit], limits, ..Terms::open() };
        written(shop, "blind", Scope::default(), terms);
        let ada = ada(shop);
        let counter = Actor { channel: Some(web.id), ..Actor::system() };
        let bring = |refund| {
            let input = Blind {
                location: retailer.locations[0],
                reason: "gift".into(),
                currency: pounds(),
                lines: vec![BlindLine {
                    variant: mug,
                    quantity: 1,
                    condition: Condition::Resellable,
                    refund,
                }],
                customer: Some(ada),
                wish: Wish::default(),
                external_id: None,
            };
            shop.run_as(&counter, move |tx, actor, world| {
                returns::take_back_blind(tx, actor, world, input.clone())
            })
        };
        let refused = bring(501).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "policy_refuses: lines.0: without a receipt MUG is worth 500 minor units each"
        );
        assert_eq!(bring(500).unwrap().means, Means::StoreCredit);
        let refused = bring(500).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "policy_refuses: lines.0: 500 minor units were given back without a receipt in 30 days"
        );
        shop.pass(31 * DAY);
        bring(400).unwrap();
        let balance = shop.read(move |tx| {
            let credit = store_credit::of_customer(tx, &Actor::system(), ada)?.remove(0);
            loyalty::balance(tx, &store_credit::credit(&credit))
        });
        assert_eq!(balance.unwrap(), (900, 0));
    });
}

#[test]
fn orders_are_found_by_number_card_mail_and_phone() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let ada = ada(shop);
        let order =
            buy_for(shop, &till, &[(mug, 1)], vec![tender(PaymentKind::CardRecord, None)], Some(ada)).order;
        let find = |actor: &Actor, clue: Clue| {
            let found = shop.run_as(actor, move |tx, actor, world| search(tx, actor, world, &clue));
            found.map(|found| found.into_iter().map(|order| order.id).collect::<Vec<_>>())
        };
        let clues = [
            Clue::Number(order.number.clone()),
            Clue::Card("4242".into()),
            Clue::Person(Sought::Email("ada@example.com".into())),
            Clue::Person(Sought::Phone("+442079460958".into())),
        ];
        for clue in clues.clone() {
            assert_eq!(find(&Actor::system(), clue).unwrap(), [order.id]);
        }
        assert_eq!(find(&Actor::system(), Clue::Card("1111".into())).unwrap(), []);
        let clerk = only(&[Permission::ReadOrders]);
        assert_eq!(find(&clerk, clues[1].clone()).unwrap(), [order.id]);
        assert_eq!(find(&clerk, clues[2].clone()).unwrap_err().code(), Some(Code::Forbidden));
    });
}
