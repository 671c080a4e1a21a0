//! The story of goods that are exchanged: in another store, dearer, cheaper, even; at two counters at once; to the last penny.

use std::thread;

use crate::counter::*;
use domain::Code;
use domain::market::PaymentKind;
use domain::payment::sequence::{Rest, Rule, Sequence};
use domain::returns::{Condition, Means};
use domain::value::id;
use domain::value::{Id, Money};
use engine::Failure;
use engine::checkout::{Tender, Whole};
use engine::loyalty::gift_card;
use engine::market::Channel;
use engine::payment::sequence;
use engine::returns::exchange::{self, Exchange, Swap};
use engine::returns::{Back, Return, Wish};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sim::chance::Chance;
use sim::{Retailer, TestShop, on_every_engine};

fn swap(
    shop: &TestShop,
    back: Back,
    cart: Id<id::Cart>,
    tenders: Vec<Tender>,
) -> Result<(Exchange, Return), Failure> {
    shop.run(move |tx, actor, world| {
        let (back, tenders) = (back.clone(), tenders.clone());
        exchange::exchange(tx, actor, world, Swap { back, cart, expected_total: None, tenders })
    })
}

#[test]
fn exchanged_in_another_store_for_dearer_cheaper_and_even() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let (leeds, york) = (retailer.till(shop, 0), retailer.till(shop, 1));
        let (mug, pot, cup) = (
            retailer.sell(shop, "MUG", 500),
            retailer.sell(shop, "POT", 800),
            retailer.sell(shop, "CUP", 200),
        );
        retailer.stock(shop, mug, 0, 9);
        for goods in [mug, pot, cup] {
            retailer.stock(shop, goods, 1, 3);
        }
        let order = buy(shop, &leeds, &[(mug, 3)], cash());
        let back = || a_back(&retailer, &order, 1, (1, Condition::Resellable), Wish::default());
        let pot_cart = filled(shop, &york, &[(pot, 1)], None);
        let unpaid = swap(shop, back(), pot_cart, vec![]).unwrap();
        assert_eq!(read(shop, unpaid.0.new_order).sums.missing(), 300, "the rest waits for its payment");
        let dearer = swap(shop, back(), filled(shop, &york, &[(pot, 1)], None), cash()).unwrap().0;
        assert_eq!((dearer.carried, read(shop, dearer.new_order).sums.captured), (500, 800));
        let cheaper = swap(shop, back(), filled(shop, &york, &[(cup, 1)], None), vec![]).unwrap().0;
        assert_eq!(cheaper.carried, 200);
        let old = read(shop, order.order.id);
        assert_eq!((old.sums.kept(), old.sums.owed(), old.payments[0].amounts.refunded), (0, 0, 300));
        assert_eq!(
            swap(shop, back(), filled(shop, &york, &[(cup, 1)], None), vec![]).unwrap_err().code(),
            Some(Code::WrongState)
        );
        let whole = read(shop, cheaper.new_order);
        let even = a_back(&retailer, &whole, 1, (1, Condition::Resellable), Wish::default());
        let even = swap(shop, even, filled(shop, &york, &[(cup, 1)], None), vec![]).unwrap().0;
        assert_eq!((even.carried, read(shop, even.new_order).sums.missing()), (200, 0));
        let whole = read(shop, even.new_order);
        bring(shop, a_back(&retailer, &whole, 0, (1, Condition::Resellable), Wish::default())).unwrap();
        work(shop);
        let old = read(shop, order.order.id);
        assert_eq!(old.payments[0].amounts.refunded, 500, "through two exchanges it came back to the cash");
        assert_eq!(
            (read(shop, even.new_order).sums.kept(), read(shop, cheaper.new_order).sums.kept()),
            (0, 0)
        );
    });
}

#[test]
fn the_same_goods_at_two_counters_at_once_come_back_once() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 20);
        let order = buy(shop, &till, &[(mug, 1)], cash());
        let carts: Vec<_> = (0..4).map(|_| filled(shop, &till, &[(mug, 1)], None)).collect();
        let outcomes: Vec<_> = thread::scope(|scope| {
            let (retailer, order) = (&retailer, &order);
            let one = |(number, cart): (usize, Id<id::Cart>)| {
                scope.spawn(move || {
                    let back =
                        a_back(retailer, order, number % 2, (1, Condition::Resellable), Wish::default());
                    if number < 2 {
                        bring(shop, back).map(drop)
                    } else {
                        swap(shop, back, cart, vec![]).map(drop)
                    }
                })
            };
            let all: Vec<_> = carts.into_iter().enumerate().map(one).collect();
            all.into_iter().map(|one| one.join().expect("a thread")).collect()
        });
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        let end = read(shop, order.order.id);
        assert_eq!((end.sums.kept(), end.lines[0].returned), (0, 1));
    });
}

#[test]
fn any_sequence_of_returns_and_exchanges_gives_back_exactly_what_was_paid() {
    let shop = TestShop::in_memory(3);
    let retailer = Retailer::open(&shop, &["leeds", "york"]);
    let till = retailer.till(&shop, 0);
    let (mug, cup) = (retailer.sell(&shop, "MUG", 333), retailer.sell(&shop, "CUP", 777));
    retailer.stock(&shop, mug, 0, 1_000_000);
    retailer.stock(&shop, cup, 0, 1_000_000);
    let steps = prop::collection::vec((1i64..4, 0u8..4), 1..8);
    let mut runner = TestRunner::new(Config { cases: 40, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&(steps, 1i64..12), |(steps, bought)| {
        let split =
            vec![tender(PaymentKind::CardRecord, Some(bought * 100)), tender(PaymentKind::Cash, None)];
        let order = buy(&shop, &till, &[(mug, bought)], split);
        let (mut left, mut new_orders) = (bought, Vec::new());
        for (quantity, kind) in steps {
            let quantity = quantity.min(left);
            if quantity == 0 {
                break;
            }
            left -= quantity;
            let back = |wish| a_back(&retailer, &order, 0, (quantity, Condition::Resellable), wish);
            match kind {
                0 => drop(bring(&shop, back(Wish::default())).expect("back")),
                1 => drop(bring(&shop, back(by(Means::GiftCard))).expect("back")),
                kind => {
                    let wanted = [(if kind == 2 { mug } else { cup }, quantity)];
                    let cart = filled(&shop, &till, &wanted, None);
                    new_orders.push(swap(&shop, back(Wish::default()), cart, cash()).expect("swapped").0);
                }
            }
        }
        let end = read(&shop, order.order.id);
        prop_assert_eq!(end.sums.kept(), end.sums.owed());
        prop_assert_eq!(end.sums.owed(), 333 * left);
        for one in new_orders {
            let whole = read(&shop, one.new_order);
            prop_assert_eq!(whole.sums.kept(), whole.order.gross);
            let quantity = whole.lines[0].quantity;
            let back = a_back(&retailer, &whole, 0, (quantity, Condition::Resellable), Wish::default());
            bring(&shop, back).expect("back");
            work(&shop);
            let whole = read(&shop, one.new_order);
            prop_assert_eq!(whole.sums.kept(), 0);
        }
        let end = read(&shop, order.order.id);
        prop_assert_eq!((end.sums.kept(), end.sums.owed()), (333 * left, 333 * left));
        Ok(())
    });
    outcome.expect("every penny");
    shop.must_tally();
}

/// A till whose market has this rule, and a gift card with money on it: its code.
fn ruled(shop: &TestShop, till: &Channel, rule: &Rule) -> String {
    let (market, rule) = (till.market, rule.clone());
    let enough = Money::new(100_000, pounds()).expect("an amount");
    let made = shop.run(move |tx, actor, world| {
        let version = sequence::read(tx, actor, market)?.map_or(0, |version| version.number);
        sequence::set(tx, actor, world, (market, Some(version)), rule.clone())?;
        let card = gift_card::issue(tx, actor, world, enough, None)?;
        gift_card::show_code(tx, actor, world, card.id)
    });
    shop.pass(1);
    made.expect("a rule and a card")
}

fn by_card(code: &str, amount: i64) -> Tender {
    Tender { gift_card: Some(code.to_owned()), ..tender(PaymentKind::GiftCard, Some(amount)) }
}

/// What each payment of an order gave back, and what of it is carried over.
fn given_back(shop: &TestShop, order: Id<id::Order>) -> Vec<(i64, i64)> {
    work(shop);
    read(shop, order).payments.iter().map(|one| (one.amounts.refunded, one.amounts.carried)).collect()
}

fn refunds(kinds: &[PaymentKind], rest: Rest) -> Rule {
    let refund = Sequence::new("kinds", kinds.to_vec(), rest).expect("a sequence");
    Rule { capture: Sequence::as_given(), refund }
}

/// The first line of an order, of which so many come back.
fn some(retailer: &Retailer, order: &Whole, quantity: i64) -> Back {
    a_back(retailer, order, 0, (quantity, Condition::Resellable), Wish::default())
}

#[test]
fn the_money_of_exchanges_follows_the_sequence_of_the_market() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let (mug, pot, cup) = (
            retailer.sell(shop, "MUG", 500),
            retailer.sell(shop, "POT", 800),
            retailer.sell(shop, "CUP", 200),
        );
        for goods in [mug, pot, cup] {
            retailer.stock(shop, goods, 0, 20);
        }
        let code = ruled(shop, &till, &refunds(&[PaymentKind::CardRecord], Rest::LatestFirst));
        let means = vec![by_card(&code, 600), tender(PaymentKind::CardRecord, Some(900))];
        let order = buy(shop, &till, &[(mug, 3)], means);
        let id = order.order.id;
        let into = |goods, pieces, tenders| {
            let cart = filled(shop, &till, &[(goods, pieces)], None);
            swap(shop, some(&retailer, &order, 1), cart, tenders).expect("exchanged").0.new_order
        };
        let first = into(cup, 1, vec![]);
        assert_eq!(given_back(shop, id), [(0, 0), (300, 200)], "the card first, which pays for the cup too");
        let cups = into(cup, 2, vec![]);
        assert_eq!(given_back(shop, id), [(0, 100), (400, 500)], "what was paid out leads, the cups follow");
        let dearer = into(pot, 1, cash());
        assert_eq!(given_back(shop, id), [(0, 600), (400, 500)]);
        for (place, expected) in [[(0, 600), (600, 300)], [(100, 500), (700, 200)]].into_iter().enumerate() {
            bring(shop, some(&retailer, &read(shop, cups), 1)).expect("back");
            assert_eq!(given_back(shop, id), expected, "cup {place}: the card first here as well");
        }
        bring(shop, some(&retailer, &read(shop, dearer), 1)).expect("back");
        assert_eq!((given_back(shop, dearer)[1].0, given_back(shop, id)[0]), (300, (600, 0)));
        bring(shop, some(&retailer, &read(shop, first), 1)).expect("back");
        assert_eq!(given_back(shop, id), [(600, 0), (900, 0)], "all of it, to what it was paid with");
    });
}

#[test]
fn exchanged_and_brought_back_gives_what_bringing_back_gives() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let (mug, cup) = (retailer.sell(shop, "MUG", 500), retailer.sell(shop, "CUP", 170));
        for goods in [mug, cup] {
            retailer.stock(shop, goods, 0, 1000);
        }
        let mut chance = Chance::new(74);
        let number = |chance: &mut Chance, end: u64| i64::try_from(chance.below(end)).expect("a number");
        let kinds = [PaymentKind::CardRecord, PaymentKind::Cash, PaymentKind::GiftCard];
        for _ in 0..8 {
            let from = usize::try_from(chance.below(3)).expect("a place");
            let code = ruled(
                shop,
                &till,
                &refunds(&[kinds[from], kinds[(from + 1) % 3]], *chance.one_of(Rest::ALL)),
            );
            let (gift, card) = (1 + number(&mut chance, 1200), 1 + number(&mut chance, 1200));
            let means = || {
                let (gift, card) = (by_card(&code, gift), tender(PaymentKind::CardRecord, Some(card)));
                vec![gift, card, tender(PaymentKind::Cash, None)]
            };
            let (plain, exchanged) =
                (buy(shop, &till, &[(mug, 5)], means()), buy(shop, &till, &[(mug, 5)], means()));
            for _ in 0..3 {
                let mugs = 1 + number(&mut chance, 2);
                if read(shop, plain.order.id).lines[0].returned + mugs > 5 {
                    break;
                }
                bring(shop, some(&retailer, &plain, mugs)).expect("back");
                let cart = filled(shop, &till, &[(cup, mugs * 2)], None);
                let new = swap(shop, some(&retailer, &exchanged, mugs), cart, vec![]).expect("exchanged").0;
                for _ in 0..mugs {
                    bring(shop, some(&retailer, &read(shop, new.new_order), 2)).expect("back");
                }
                assert_eq!(
                    given_back(shop, exchanged.order.id),
                    given_back(shop, plain.order.id),
                    "{gift} by gift card, {card} by card"
                );
            }
        }
    });
}
