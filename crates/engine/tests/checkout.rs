//! The story of an order: placed once from a cart, paid, shipped or handed over, cancelled in part, returned at another store.

use domain::actor::Actor;
use domain::fulfilment::Status;
use domain::market::{CapturePolicy, HoldPolicy, PaymentKind};
use domain::order::{CancelReason, PaymentStatus, State};
use domain::payment::Card;
use domain::returns::Condition;
use domain::stock::State as Stock;
use domain::value::id::{self, Variant};
use domain::value::{Id, Money, Quantity, Reference};
use domain::{Code, Refusal};
use engine::cart::{self, Details, Named, NewCart, NewLine};
use engine::checkout::{self, Cancel, Checkout, Tender, Whole};
use engine::market::{Channel, NewChannel};
use engine::returns::{self, Back, BackLine, Wish};
use engine::{Failure, payment};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

fn tender(kind: PaymentKind, amount: Option<i64>) -> Tender {
    let card =
        (kind == PaymentKind::CardRecord).then(|| Card::new("4242", "A12345", "till-1").expect("a card"));
    let provider_token = (kind == PaymentKind::Test).then(|| "tok_ok".to_owned());
    Tender { kind, amount, provider_token, card, gift_card: None }
}

fn a_cart(channel: &Channel, wanted: &[(Id<Variant>, i64)]) -> NewCart {
    let line = |(variant, quantity): &(Id<Variant>, i64)| NewLine {
        variant: Named::Reference(Reference::Id(*variant)),
        quantity: Quantity::new(*quantity).expect("a quantity"),
        unit_price: None,
    };
    NewCart {
        channel: Reference::Id(channel.id),
        currency: None,
        lines: wanted.iter().map(line).collect(),
        details: Details::default(),
    }
}

fn checkout_of(cart: Id<id::Cart>, tenders: Vec<Tender>) -> Checkout {
    Checkout { cart, expected_total: None, tenders, serve_from: None, placed_at: None, external_id: None }
}

/// Fills a cart and orders it, over the counter.
fn buy(
    shop: &TestShop,
    channel: &Channel,
    wanted: &[(Id<Variant>, i64)],
    tenders: Vec<Tender>,
) -> Result<Whole, Failure> {
    let new = a_cart(channel, wanted);
    shop.run(move |tx, actor, world| {
        let cart = cart::create(tx, actor, world, new.clone())?;
        checkout::place(tx, actor, world, checkout_of(cart.id, tenders.clone()))
    })
}

fn read(shop: &TestShop, id: Id<id::Order>) -> Whole {
    shop.read(move |tx| checkout::read(tx, &Actor::system(), id)).expect("the order")
}

fn kinds(shop: &TestShop, subject: impl ToString) -> Vec<String> {
    let subject = subject.to_string();
    let told = shop.read(move |tx| Ok::<_, Failure>(store::event::of_subject(tx, &subject, 0, 100)?));
    told.expect("events").into_iter().map(|entry| entry.kind).collect()
}

#[test]
fn over_the_counter_it_is_paid_and_gone_in_one_step() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 3);
        retailer.stock(shop, mug, 1, 9);
        let whole = buy(shop, &till, &[(mug, 2)], vec![tender(PaymentKind::Cash, None)]).unwrap();
        assert_eq!(
            (whole.order.state, whole.payment_status(), whole.fulfilment_status()),
            (State::Completed, PaymentStatus::Paid, Status::Fulfilled)
        );
        assert_eq!(whole.order.gross, 1000);
        assert_eq!(retailer.count(shop, mug, 0, Stock::Available), 1);
        let refused = buy(shop, &till, &[(mug, 2)], vec![tender(PaymentKind::Cash, None)]).unwrap_err();
        let expected =
            Refusal::new(Code::OutOfStock, "1 of sku MUG can be had, 2 asked").at("lines.0.quantity");
        assert_eq!(refused, Failure::Refused(expected), "york's shelf is not the counter's");
        assert_eq!(
            kinds(shop, whole.order.id),
            ["order.created", "fulfilment.collected", "order.placed", "order.completed"]
        );
    });
}

#[test]
fn several_means_pay_one_order_and_too_much_is_refused() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 9);
        let mixed = vec![tender(PaymentKind::Cash, Some(300)), tender(PaymentKind::CardRecord, None)];
        let whole = buy(shop, &till, &[(mug, 1)], mixed).unwrap();
        assert_eq!(whole.payments.iter().map(|one| one.amounts.captured).collect::<Vec<_>>(), [300, 200]);
        let refused = buy(shop, &till, &[(mug, 1)], vec![tender(PaymentKind::Cash, Some(600))]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "amount_exceeded: payments.0.amount: 500 minor units are open, 600 offered"
        );
        assert_eq!(retailer.count(shop, mug, 0, Stock::Available), 8, "a refused order takes nothing");
    });
}

/// A web channel that delivers from everywhere by being collected at the first location, so that no address is needed.
fn web(shop: &TestShop, retailer: &Retailer, change: impl Fn(NewChannel) -> NewChannel) -> Channel {
    let counter = Some(Reference::Id(retailer.locations[0]));
    retailer.channel(
        shop,
        change(NewChannel { location: counter, ..a_channel("desk", retailer.market, retailer.network) }),
    )
}

#[test]
fn an_order_that_waits_for_its_money_is_placed_by_it_or_expires() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = web(shop, &retailer, |channel| channel);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 5);
        let whole = buy(shop, &desk, &[(mug, 2)], vec![tender(PaymentKind::Manual, None)]).unwrap();
        assert_eq!(
            (whole.order.state, whole.payment_status()),
            (State::PendingPayment, PaymentStatus::Unpaid)
        );
        assert_eq!(retailer.count(shop, mug, 0, Stock::Committed), 2);
        let (id, paid) = (whole.order.id, whole.payments[0].id);
        shop.run(move |tx, actor, world| payment::record_receipt(tx, actor, world, paid, None)).unwrap();
        for _ in 0..2 {
            shop.run(move |tx, actor, world| checkout::payment_changed(tx, actor, world, id)).unwrap();
        }
        assert_eq!(read(shop, id).order.state, State::Placed);
        let part = whole.fulfilment_orders[0].id;
        let fulfil = || {
            shop.run(move |tx, actor, world| {
                checkout::fulfil(tx, actor, world, id, part, checkout::Leaving::default())
            })
        };
        assert_eq!(fulfil().unwrap().order.state, State::Completed);
        assert_eq!(fulfil().unwrap_err().code(), Some(Code::WrongState));
        assert_eq!(
            (retailer.count(shop, mug, 0, Stock::Committed), retailer.count(shop, mug, 0, Stock::Available)),
            (0, 3)
        );

        let waiting = buy(shop, &desk, &[(mug, 3)], vec![]).unwrap();
        assert_eq!(retailer.count(shop, mug, 0, Stock::Available), 0);
        shop.pass(31 * 60);
        for _ in 0..2 {
            assert!(!shop.run(checkout::expire_unpaid).unwrap());
        }
        let expired = read(shop, waiting.order.id);
        assert_eq!((expired.order.state, expired.fulfilment_status()), (State::Cancelled, Status::Cancelled));
        assert_eq!(retailer.count(shop, mug, 0, Stock::Available), 3);
    });
}

#[test]
fn a_cart_is_ordered_once_and_at_the_price_that_was_shown() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 5);
        let new = a_cart(&till, &[(mug, 1)]);
        let cart = shop.run(move |tx, actor, world| cart::create(tx, actor, world, new.clone())).unwrap();
        let place = |shown: i64| {
            shop.run(move |tx, actor, world| {
                let currency = domain::value::Currency::parse("GBP").expect("a currency");
                let expected_total = Some(Money::new(shown, currency).expect("an amount"));
                let tenders = vec![tender(PaymentKind::Cash, None)];
                checkout::place(
                    tx,
                    actor,
                    world,
                    Checkout { expected_total, ..checkout_of(cart.id, tenders) },
                )
            })
        };
        assert_eq!(place(499).unwrap_err().code(), Some(Code::TotalChanged));
        place(500).unwrap();
        assert_eq!(place(500).unwrap_err().code(), Some(Code::CartNotOpen));
        assert_eq!(retailer.count(shop, mug, 0, Stock::Available), 4);
    });
}

#[test]
fn part_is_cancelled_and_the_rest_comes_back_to_another_store_to_the_penny() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let desk = web(shop, &retailer, |channel| channel);
        let mug = retailer.sell(shop, "MUG", 333);
        retailer.stock(shop, mug, 0, 5);
        let whole = buy(shop, &desk, &[(mug, 3)], vec![tender(PaymentKind::Manual, None)]).unwrap();
        let (id, line, paid) = (whole.order.id, whole.lines[0].id, whole.payments[0].id);
        shop.run(move |tx, actor, world| {
            payment::record_receipt(tx, actor, world, paid, None)?;
            checkout::payment_changed(tx, actor, world, id)
        })
        .unwrap();
        let cancel = |quantity| {
            shop.run(move |tx, actor, world| {
                let lines = Some(vec![(line, quantity)]);
                checkout::cancel(
                    tx,
                    actor,
                    world,
                    Cancel { order: id, lines, part: None, reason: CancelReason::Customer },
                )
            })
        };
        let refused = cancel(4).unwrap_err();
        assert_eq!(refused.to_string(), "wrong_state: lines.0.quantity: 3 of sku MUG have not left, 4 asked");
        let cut = cancel(1).unwrap();
        assert_eq!((cut.order.state, cut.sums.refunded, cut.order.cancelled), (State::Placed, 333, 333));
        assert_eq!(retailer.count(shop, mug, 0, Stock::Available), 3);
        let part = whole.fulfilment_orders[0].id;
        shop.run(move |tx, actor, world| {
            checkout::fulfil(tx, actor, world, id, part, checkout::Leaving::default())
        })
        .unwrap();
        let york = retailer.locations[1];
        let back = |quantity, condition| {
            shop.run(move |tx, actor, world| {
                let lines = vec![BackLine { line, quantity, condition }];
                returns::take_back(
                    tx,
                    actor,
                    world,
                    Back {
                        order: id,
                        location: york,
                        reason: "too big".into(),
                        lines,
                        wish: Wish::default(),
                        external_id: None,
                    },
                )
            })
        };
        assert_eq!(back(3, Condition::Resellable).unwrap_err().code(), Some(Code::WrongState));
        assert_eq!(back(1, Condition::Resellable).unwrap().refund, 333);
        let last = back(1, Condition::Damaged).unwrap();
        assert_eq!(last.state, domain::returns::State::Refunded);
        let end = read(shop, id);
        assert_eq!((end.payment_status(), end.sums.kept(), end.sums.owed()), (PaymentStatus::Refunded, 0, 0));
        assert_eq!(
            (retailer.count(shop, mug, 1, Stock::Available), retailer.count(shop, mug, 1, Stock::Damaged)),
            (1, 1)
        );
    });
}

#[test]
fn carts_with_holds_are_ordered_by_their_owner_and_by_nobody_else() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = web(shop, &retailer, |channel| NewChannel {
            hold_policy: HoldPolicy::AtCart,
            capture_policy: CapturePolicy::AtFulfilment,
            ..channel
        });
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 2);
        let new = a_cart(&desk, &[(mug, 2)]);
        let cart = shop.run(move |tx, actor, world| cart::create(tx, actor, world, new.clone())).unwrap();
        assert_eq!(retailer.count(shop, mug, 0, Stock::Held), 2);
        let other = buy(shop, &desk, &[(mug, 1)], vec![]).unwrap_err();
        assert_eq!(other.code(), Some(Code::OutOfStock));
        let placed = shop
            .run(move |tx, actor, world| {
                checkout::place(tx, actor, world, checkout_of(cart.id, vec![tender(PaymentKind::Cash, None)]))
            })
            .unwrap();
        assert_eq!(placed.order.state, State::Completed);
        assert_eq!(
            (retailer.count(shop, mug, 0, Stock::Held), retailer.count(shop, mug, 0, Stock::Available)),
            (0, 0)
        );
    });
}

#[test]
fn kits_and_their_components_share_one_shelf() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let cup = retailer.sell(shop, "CUP", 300);
        let pair = retailer.sell_kit(shop, "PAIR", &[(cup, 2)], 550);
        retailer.stock(shop, cup, 0, 5);
        let refused =
            buy(shop, &till, &[(pair, 2), (cup, 2)], vec![tender(PaymentKind::Cash, None)]).unwrap_err();
        assert_eq!(refused.code(), Some(Code::OutOfStock));
        let whole = buy(shop, &till, &[(pair, 2), (cup, 1)], vec![tender(PaymentKind::Cash, None)]).unwrap();
        assert_eq!(whole.order.gross, 1400);
        assert_eq!(retailer.count(shop, cup, 0, Stock::Available), 0);
        let (id, line, leeds) = (whole.order.id, whole.lines[0].id, retailer.locations[0]);
        let taken = shop.run(move |tx, actor, world| {
            let lines = vec![BackLine { line, quantity: 1, condition: Condition::Resellable }];
            returns::take_back(
                tx,
                actor,
                world,
                Back {
                    order: id,
                    location: leeds,
                    reason: "gift".into(),
                    lines,
                    wish: Wish::default(),
                    external_id: None,
                },
            )
        });
        assert_eq!(taken.unwrap().refund, 550);
        assert_eq!(retailer.count(shop, cup, 0, Stock::Available), 2);
    });
}
