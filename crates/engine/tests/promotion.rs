//! The story of promotions: drafted, put in force, changed and ended; coupons and budgets that no crowd overspends; given back when cancelled.

use domain::actor::Actor;
use domain::market::PaymentKind;
use domain::order::{CancelReason, State as OrderState};
use domain::promotion::State;
use domain::promotion::limit::{Limit, Period, Scope};
use domain::promotion::rules::Why;
use domain::returns::Condition;
use domain::value::id::{self, Variant};
use domain::value::{Id, Instant, Quantity, Reference};
use domain::{Code, Refusal};
use engine::cart::{self, Details, Named, NewCart, NewLine, PricedCart};
use engine::checkout::{self, Cancel, Checkout, Tender, Whole};
use engine::insight::promotion::{self as past, NewSimulation};
use engine::market::{Channel, NewChannel};
use engine::price::{self, NewPrice};
use engine::promotion::coupon::{self, NewBatch, NewCoupon};
use engine::promotion::{self, Change, Limited, NewPromotion};
use engine::returns::{self, Back, BackLine, Wish};
use engine::{Failure, check, job};
use sim::chance::Chance;
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};
use store::promotion::Counter;

const HALF: &str = r#"{"benefit": {"each": {"steps": [{"off": {"rate": 500000}}]}}}"#;
const HALF_BY_COUPON: &str = r#"{"needs_coupon": true, "currency": "GBP", "benefit": {"each": {"steps": [{"off": {"rate": 500000}}]}}}"#;
const FIVE_OFF: &str = r#"{"lane": 1, "currency": "GBP", "benefit": {"whole": {"steps": [{"from": 2000, "off": {"amount": 500}}]}}}"#;
const THREE_FOR_TWO: &str = r#"{"benefit": {"set": {"parts": [{"pieces": 3}], "gives": {"cheapest": {"pieces": 1, "rate": 1000000}}}}}"#;

/// A day in seconds.
const DAY: i64 = 86_400;

fn new(terms: &str, limits: &[Limit]) -> NewPromotion {
    NewPromotion {
        name: domain::value::Name::new("name", "spring").expect("a name"),
        terms: serde_json::from_str(terms).expect("terms"),
        limits: limits.to_vec(),
    }
}

fn limit(scope: Scope, uses_max: Option<i64>, minor_max: Option<i64>) -> Limit {
    Limit { scope, period: Period::Ever, uses_max, minor_max }
}

/// Makes a promotion and puts it in force.
fn in_force(shop: &TestShop, terms: &str, limits: &[Limit]) -> Limited {
    let new = new(terms, limits);
    let made = shop.run(move |tx, actor, world| {
        let made = promotion::create(tx, actor, world, new.clone())?;
        promotion::step(tx, actor, world, (made.promotion.id, None), State::Active)
    });
    made.expect("a promotion")
}

fn a_coupon(shop: &TestShop, of: Id<id::Promotion>, code: &'static str, uses_max: Option<i64>) {
    let made = shop.run(move |tx, actor, world| {
        coupon::create(tx, actor, world, of, NewCoupon { code: code.into(), uses_max })
    });
    made.expect("a coupon");
}

/// A web shop that sends from Leeds, paid by hand.
fn desk(shop: &TestShop, retailer: &Retailer) -> Channel {
    let new = a_channel("desk", retailer.market, retailer.network);
    let location = Some(Reference::Id(retailer.locations[0]));
    retailer.channel(shop, NewChannel { location, payment_kinds: vec![PaymentKind::Manual], ..new })
}

fn a_cart(
    shop: &TestShop,
    channel: &Channel,
    wanted: &[(Id<Variant>, i64)],
    codes: &[&'static str],
) -> Id<id::Cart> {
    let line = |(variant, quantity): &(Id<Variant>, i64)| NewLine {
        variant: Named::Reference(Reference::Id(*variant)),
        quantity: Quantity::new(*quantity).expect("a quantity"),
        unit_price: None,
    };
    let new = NewCart {
        channel: Reference::Id(channel.id),
        currency: None,
        lines: wanted.iter().map(line).collect(),
        details: Details::default(),
    };
    let codes = codes.to_vec();
    let made = shop.run(move |tx, actor, world| {
        let cart = cart::create(tx, actor, world, new.clone())?;
        for code in &codes {
            cart::coupon::give(tx, actor, world, cart.id, code)?;
        }
        Ok(cart.id)
    });
    made.expect("a cart")
}

fn priced(shop: &TestShop, cart: Id<id::Cart>) -> PricedCart {
    let priced = shop.run(move |tx, _, world| {
        let cart = cart::load(tx, cart)?;
        cart::priced(tx, world.now(), &cart)
    });
    priced.expect("a price")
}

fn order(shop: &TestShop, cart: Id<id::Cart>) -> Result<Whole, Failure> {
    paid(shop, cart, PaymentKind::Manual)
}

fn paid(shop: &TestShop, cart: Id<id::Cart>, kind: PaymentKind) -> Result<Whole, Failure> {
    let tender = Tender { kind, amount: None, provider_token: None, card: None, gift_card: None };
    shop.run(move |tx, actor, world| {
        let input = Checkout {
            cart,
            expected_total: None,
            tenders: vec![tender.clone()],
            serve_from: None,
            placed_at: None,
            external_id: None,
        };
        checkout::place(tx, actor, world, input)
    })
}

fn cancelled(shop: &TestShop, order: Id<id::Order>) -> Whole {
    let cancel = Cancel { order, lines: None, part: None, reason: CancelReason::Customer };
    shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone())).expect("cancelled")
}

#[test]
fn a_draft_lowers_nothing_and_what_ended_neither() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = desk(shop, &retailer);
        let mug = retailer.sell(shop, "MUG", 999);
        retailer.stock(shop, mug, 0, 99);
        let cart = a_cart(shop, &desk, &[(mug, 3)], &[]);
        let draft = new(THREE_FOR_TWO, &[]);
        let made = shop
            .run(move |tx, actor, world| promotion::create(tx, actor, world, draft.clone()))
            .expect("a draft");
        let id = made.promotion.id;
        assert_eq!((made.promotion.state, priced(shop, cart).gross), (State::Draft, 2997));
        let step = |to, version| {
            shop.run(move |tx, actor, world| promotion::step(tx, actor, world, (id, version), to))
        };
        assert_eq!(step(State::Active, Some(7)).unwrap_err().code(), Some(Code::Stale));
        for _ in 0..2 {
            assert_eq!(step(State::Active, None).unwrap().promotion.version, 2, "twice is once");
        }
        let now = priced(shop, cart);
        assert_eq!((now.gross, now.lines[0].discounts[0].minor), (1998, 999));
        let change = |terms: &'static str| {
            shop.run(move |tx, actor, world| {
                let terms = Some(serde_json::from_str(terms).expect("terms"));
                promotion::change(tx, actor, world, (id, None), Change { terms, ..Change::default() })
            })
        };
        change(HALF).unwrap();
        assert_eq!(priced(shop, cart).gross, 2997 - 1499);
        let bad =
            change(r#"{"lane": 10, "benefit": {"each": {"steps": [{"off": {"amount": 5}}]}}}"#).unwrap_err();
        let Failure::Refused(refusal) = bad else { panic!("{bad}") };
        let fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
        assert_eq!(fields, ["terms.lane", "terms.currency"]);
        step(State::Ended, None).unwrap();
        assert_eq!(priced(shop, cart).gross, 2997);
        assert_eq!(step(State::Active, None).unwrap_err().code(), Some(Code::WrongState));
        assert_eq!(change(HALF).unwrap_err().code(), Some(Code::WrongState));
    });
}

/// A sale made off line by hand at an instant that is past.
fn sold_then(shop: &TestShop, cart: Id<id::Cart>, at: Instant) -> Result<Whole, Failure> {
    let (kind, amount) = (PaymentKind::Manual, None);
    let tender = Tender { kind, amount, provider_token: None, card: None, gift_card: None };
    shop.run(move |tx, actor, world| {
        let (expected_total, serve_from, external_id) = (None, None, None);
        let (placed_at, tenders) = (Some(at), vec![tender.clone()]);
        let input = Checkout { cart, expected_total, tenders, serve_from, placed_at, external_id };
        checkout::place(tx, actor, world, input)
    })
}

#[test]
fn what_was_sold_off_line_costs_what_it_cost_then() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = desk(shop, &retailer);
        let mug = retailer.sell(shop, "MUG", 1000);
        retailer.stock(shop, mug, 0, 99);
        let costs = |at| sold_then(shop, a_cart(shop, &desk, &[(mug, 3)], &[]), at).unwrap().order.gross;
        let opening = shop.shop.source.now();
        shop.pass(DAY);
        let offer = in_force(shop, THREE_FOR_TWO, &[]).promotion.id;
        shop.pass(DAY);
        let offered = shop.shop.source.now();
        shop.pass(DAY);
        let list = retailer.prices;
        let dearer = shop.run(move |tx, actor, world| {
            let price = NewPrice {
                list: Reference::Id(list),
                variant: Reference::Id(mug),
                minor: Some(1200),
                was_minor: None,
                minimum_quantity: 1,
                starts_at: None,
                ends_at: None,
            };
            price::set_price(tx, actor, world, price)?;
            promotion::step(tx, actor, world, (offer, None), State::Ended)
        });
        dearer.expect("an ended promotion");
        assert_eq!(order(shop, a_cart(shop, &desk, &[(mug, 3)], &[])).unwrap().order.gross, 3600);
        assert_eq!(costs(offered), 2000, "the price and the promotion of then");
        assert_eq!(costs(opening), 3000, "before the promotion");
        assert_eq!(
            costs(opening.plus_seconds(-DAY)),
            3000,
            "of what was before the first price nothing is known"
        );
        shop.pass(DAY);
        let early = format!(r#"{{"starts_at": "{opening}", {}"#, &HALF[1..]);
        let new = NewPromotion { terms: serde_json::from_str(&early).expect("terms"), ..new(HALF, &[]) };
        let made = shop.run(move |tx, actor, world| {
            let made = promotion::create(tx, actor, world, new.clone())?;
            promotion::step(tx, actor, world, (made.promotion.id, None), State::Active)
        });
        made.expect("a promotion that says when it began");
        assert_eq!(
            costs(opening),
            1500,
            "what says that it had begun counts, though it was written down later"
        );
    });
}

#[test]
fn what_was_lowered_is_frozen_with_the_order_and_given_back_with_it() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = desk(shop, &retailer);
        let mug = retailer.sell(shop, "MUG", 999);
        retailer.stock(shop, mug, 0, 99);
        let own = in_force(shop, HALF, &[limit(Scope::Everybody, Some(5), None)]);
        let whole = order(shop, a_cart(shop, &desk, &[(mug, 3)], &[])).unwrap();
        let id = whole.order.id;
        assert_eq!((whole.order.gross, whole.lines[0].gross, whole.lines[0].unit), (1498, 1498, 999));
        let lowered = shop
            .read(move |tx| Ok::<_, Failure>(store::order::discount::of_order(tx, id)?))
            .expect("discounts");
        assert_eq!((lowered.len(), lowered[0].line, lowered[0].minor), (1, Some(whole.lines[0].id), 1499));
        let all = Counter {
            promotion: own.promotion.id,
            scope: Scope::Everybody,
            period: Period::Ever,
            holder: [0; 16],
            begins: 0,
        };
        let used = || shop.read(move |tx| Ok::<_, Failure>(store::promotion::used(tx, &all)?)).expect("used");
        assert_eq!((used().uses, used().minor), (1, 1499));
        assert_eq!(cancelled(shop, id).order.state, OrderState::Cancelled);
        assert_eq!((used().uses, used().minor), (0, 0));
    });
}

#[test]
fn a_coupon_is_used_as_often_as_it_may_and_a_budget_to_the_penny() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = desk(shop, &retailer);
        let mug = retailer.sell(shop, "MUG", 1000);
        retailer.stock(shop, mug, 0, 99);
        let own = in_force(shop, HALF_BY_COUPON, &[limit(Scope::Everybody, None, Some(1200))]);
        let of = own.promotion.id;
        a_coupon(shop, of, "spring-1", Some(1));
        a_coupon(shop, of, "SPRING-9", None);
        let (first, second) = (
            a_cart(shop, &desk, &[(mug, 1)], &["SPRING-1"]),
            a_cart(shop, &desk, &[(mug, 1)], &["spring-1"]),
        );
        assert_eq!((priced(shop, first).gross, priced(shop, second).gross), (500, 500));
        let once = order(shop, first).unwrap();
        assert_eq!(once.order.gross, 500);
        let now = priced(shop, second);
        assert_eq!((now.gross, now.coupons[0].1), (1000, Some(Why::Budget)));
        let refused = order(shop, second).unwrap_err();
        assert_eq!(refused.code(), Some(Code::PromotionUsedUp));
        cancelled(shop, once.order.id);
        assert_eq!(order(shop, second).unwrap().order.gross, 500);
        // 500 of the budget's 1,200 are used: 500 more fit, then nothing.
        let nine = |pieces| a_cart(shop, &desk, &[(mug, pieces)], &["SPRING-9"]);
        assert_eq!(order(shop, nine(2)).unwrap_err().code(), Some(Code::PromotionUsedUp));
        assert_eq!(order(shop, nine(1)).unwrap().order.gross, 500);
        assert_eq!(order(shop, nine(1)).unwrap_err().code(), Some(Code::PromotionUsedUp));
    });
}

#[test]
fn coupons_lie_in_carts_and_are_drawn_in_batches() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = desk(shop, &retailer);
        let mug = retailer.sell(shop, "MUG", 1000);
        let own = in_force(shop, HALF_BY_COUPON, &[]);
        let of = own.promotion.id;
        a_coupon(shop, of, "SPRING", None);
        let again = shop.run(move |tx, actor, world| {
            coupon::create(tx, actor, world, of, NewCoupon { code: "spring".into(), uses_max: None })
        });
        assert_eq!(again.unwrap_err().code(), Some(Code::AlreadyExists));
        let batch = NewBatch { prefix: "MAY".into(), count: 20, uses_max: Some(1) };
        let (_, drawn) = shop
            .run(move |tx, actor, world| coupon::create_batch(tx, actor, world, of, batch.clone()))
            .unwrap();
        assert!(drawn.len() == 20 && drawn.iter().all(|coupon| coupon.code.starts_with("MAY-")));
        let cart = a_cart(shop, &desk, &[(mug, 1)], &[]);
        let give = |code: String| {
            shop.run(move |tx, actor, world| {
                cart::coupon::give(tx, actor, world, cart, &code).map(|cart| cart.version)
            })
        };
        let unknown = give("NOPE-1".into()).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "invalid: code: no coupon \"NOPE-1\"; look whether it is typed right"
        );
        assert_eq!(give("spring".into()).unwrap(), give("SPRING".into()).unwrap(), "twice is once");
        for coupon in &drawn[..3] {
            give(coupon.code.clone()).unwrap();
        }
        assert_eq!(give(drawn[3].code.clone()).unwrap_err().code(), Some(Code::Invalid));
        let now = priced(shop, cart);
        let whys: Vec<_> = now.coupons.iter().map(|(_, why)| *why).collect();
        assert_eq!(
            (now.gross, whys),
            (500, vec![None, Some(Why::Outdone), Some(Why::Outdone), Some(Why::Outdone)])
        );
        let other = a_cart(shop, &desk, &[(mug, 1)], &[]);
        let merged = shop.run(move |tx, actor, world| cart::merge(tx, actor, world, cart, other)).unwrap();
        assert_eq!((priced(shop, merged.id).gross, priced(shop, merged.id).coupons.len()), (1000, 4));
        let take = || {
            shop.run(move |tx, actor, world| {
                cart::coupon::take_back(tx, actor, world, other, "spring").map(|_| ())
            })
        };
        take().unwrap();
        assert_eq!(take().unwrap_err().code(), Some(Code::NotFound));
    });
}

#[test]
fn a_counter_that_was_tampered_with_is_found() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = desk(shop, &retailer);
        let mug = retailer.sell(shop, "MUG", 1000);
        retailer.stock(shop, mug, 0, 9);
        let own = in_force(shop, HALF, &[]);
        let whole = order(shop, a_cart(shop, &desk, &[(mug, 1)], &[])).unwrap();
        let (of, order) = (own.promotion.id, whole.order.id);
        // Whatever is planted is taken back by the refusal that tells what was found.
        let found = shop.run(move |tx, _, _| -> Result<(), Failure> {
            for (counter, minor) in store::promotion::held(tx, of, order)? {
                store::promotion::give_back(tx, &counter, (order, minor - 1))?;
            }
            let report = check::check(tx, [7; 32], &mut |_, _| {})?;
            let told: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
            Err(Refusal::new(Code::WrongState, told.join("; ")).into())
        });
        let told = found.unwrap_err().to_string();
        assert!(
            told.contains(&format!(
                "promotions: {of}: expected 0 uses, 0 minor units, found 0 uses, 1 minor units"
            )),
            "{told}"
        );
        assert!(told.contains(&format!("promotions: {order}: expected 500 minor units")), "{told}");
    });
}

#[test]
fn a_past_month_is_priced_with_other_promotions() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let desk = desk(shop, &retailer);
        let (mug, cup) = (retailer.sell(shop, "MUG", 1000), retailer.sell(shop, "CUP", 300));
        for variant in [mug, cup] {
            retailer.stock(shop, variant, 0, 99);
        }
        let began = shop.shop.source.now();
        let half = in_force(shop, HALF_BY_COUPON, &[limit(Scope::Everybody, None, Some(1200))]).promotion.id;
        a_coupon(shop, half, "SPRING", None);
        let bought =
            |wanted: &[_], codes: &[_]| order(shop, a_cart(shop, &desk, wanted, codes)).unwrap().order;
        let plain = bought(&[(mug, 3), (cup, 1)], &[]);
        assert_eq!((plain.gross, bought(&[(mug, 1)], &["SPRING"]).gross), (3300, 500));
        bought(&[(cup, 2)], &[]);
        cancelled(shop, bought(&[(mug, 6)], &[]).id);
        shop.pass(60);
        let later = shop.shop.source.now();

        // Three for two, at most 300 for everybody: the mugs' 1,000 are too much, the cups' 300 would fit but are two only.
        let draft = new(THREE_FOR_TWO, &[limit(Scope::Everybody, Some(1), None)]);
        let made = shop.run(move |tx, actor, world| promotion::create(tx, actor, world, draft.clone()));
        let draft = made.expect("a draft").promotion.id;
        let simulated = |added: Vec<_>, left_out: Vec<_>| {
            let new = NewSimulation { added, left_out, period: (began, later), orders_max: 100 };
            let begun = shop.run(move |tx, actor, world| past::begin(tx, actor, world, new.clone()))?;
            for _ in 0..4 {
                job::turn(&shop.shop, &job::registry()).expect("a turn");
            }
            let id = begun.simulation.id;
            Ok::<_, Failure>(shop.read(move |tx| past::find(tx, &Actor::system(), id)).unwrap())
        };
        let sums = |outcome: &past::Outcome| {
            let sum = outcome.sums[0];
            assert!(outcome.simulation.is_done && outcome.sums.len() == 1);
            assert_eq!((outcome.simulation.orders, outcome.simulation.unlike), (4, 0));
            (sum.orders, sum.touched, sum.was, sum.becomes)
        };
        let with = simulated(vec![draft], Vec::new()).unwrap();
        assert_eq!(sums(&with), (3, 1, 4400, 3400));
        assert_eq!((with.given[0].promotion, with.given[0].orders, with.given[0].minor), (draft, 1, 1000));
        assert_eq!(sums(&simulated(Vec::new(), vec![half]).unwrap()), (3, 1, 4400, 4900));
        // Half for everybody, as though all had its coupon: 1,200 are enough for the second order and the third.
        let half_for_all = simulated(vec![half], Vec::new()).unwrap();
        assert_eq!(sums(&half_for_all), (3, 1, 4400, 4100));
        assert_eq!((half_for_all.given[0].orders, half_for_all.given[0].minor), (2, 800));
        assert_eq!(plain, shop.read(move |tx| engine::order::find(tx, plain.id)).unwrap());

        let refused = simulated(Vec::new(), Vec::new()).unwrap_err().to_string();
        assert!(refused.contains("added"), "{refused}");
        let twice = simulated(vec![half, half], Vec::new()).unwrap_err().to_string();
        assert!(twice.contains("added: name each promotion once"), "{twice}");
    });
}

/// What every line of an order was frozen at.
fn frozen(shop: &TestShop, order: Id<id::Order>) -> (Vec<(i64, i64, i64)>, i64) {
    let whole = shop.read(move |tx| checkout::read(tx, &Actor::system(), order)).expect("the order");
    (whole.lines.iter().map(|line| (line.net, line.tax, line.gross)).collect(), whole.sums.owed())
}

#[test]
fn whatever_comes_back_of_a_lowered_order_leaves_the_rest_as_it_was() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let goods = [("MUG", 999, 3), ("CUP", 333, 7), ("POT", 2501, 2)].map(|(sku, minor, pieces)| {
            let variant = retailer.sell(shop, sku, minor);
            retailer.stock(shop, variant, 0, 99);
            (variant, pieces)
        });
        in_force(shop, THREE_FOR_TWO, &[]);
        in_force(shop, FIVE_OFF, &[]);
        let mut chance = Chance::new(16);
        let mut below = |end: i64| i64::try_from(chance.below(end.unsigned_abs())).expect("a number");
        for _ in 0..5 {
            let whole = paid(shop, a_cart(shop, &till, &goods, &[]), PaymentKind::Cash).expect("an order");
            let (order, location) = (whole.order.id, retailer.locations[0]);
            let (lines, mut owed) = frozen(shop, order);
            assert!(owed < 3 * 999 + 7 * 333 + 2 * 2501 - 500, "{owed}");
            let mut left: Vec<_> = whole.lines.iter().map(|line| (line.id, line.quantity)).collect();
            while !left.is_empty() {
                let place = usize::try_from(below(left.len() as i64)).expect("a place");
                let (line, there) = left[place];
                let quantity = 1 + below(there);
                let back = Back {
                    order,
                    location,
                    reason: "too_small".into(),
                    lines: vec![BackLine { line, quantity, condition: Condition::Resellable }],
                    wish: Wish::default(),
                    external_id: None,
                };
                let taken = shop
                    .run(move |tx, actor, world| returns::take_back(tx, actor, world, back.clone()))
                    .expect("it comes back");
                assert!((0..=quantity * 2501).contains(&taken.refund));
                owed -= taken.refund;
                assert_eq!(frozen(shop, order), (lines.clone(), owed), "nothing else costs otherwise now");
                left[place].1 -= quantity;
                left.retain(|(_, there)| *there > 0);
            }
            assert_eq!(owed, 0, "all of it comes to what was paid");
        }
    });
}
