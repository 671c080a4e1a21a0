//! Segments hold what a plain reading of the raw facts says, at every instant, and change by time alone no sooner than was said.

use std::collections::BTreeSet;

use domain::consent::{Basis, Cell, Held, Medium, Status};
use domain::segment::facts::{Facts, Ground};
use domain::segment::goods::{Line, Measure, Order, Orders};
use domain::segment::judge::{explain, judge};
use domain::segment::life::{Life, Stage};
use domain::segment::needs::Needs;
use domain::segment::occurrence::{Event, Kind, Occurrence, Scalar, Sequence, Test, UNIT};
use domain::segment::reach::{Known, Reach, reach};
use domain::segment::traits::{Aggregate, Trait};
use domain::segment::window::Window;
use domain::segment::{Expression, Leaf, Shelf};
use domain::value::{Currency, Id, Instant};
use proptest::prelude::*;

/// A day in the tests' time.
const DAY: i64 = 86_400_000_000;
const NOW: i64 = 1_000 * DAY;

/// Something that was done: hours ago, which name, and a number.
type Done = (i64, bool, i64);

fn name(shown: bool) -> String {
    if shown { "Viewed".into() } else { "Bought".into() }
}

fn facts(done: &[Done], ordered: &[(i64, i64)], said: Option<(i64, bool)>) -> Facts {
    let mut events: Vec<Event> = done
        .iter()
        .map(|(hours, shown, value)| Event {
            at: Instant::from_micros(NOW - hours * DAY / 24),
            name: name(*shown),
            values: [("price".to_owned(), vec![Scalar::Number(value * UNIT)])].into(),
        })
        .collect();
    events.sort_by_key(|event| event.at);
    let mut orders: Vec<Order> = ordered.iter().map(|(days, worth)| order(*days, *worth)).collect();
    orders.sort_by_key(|order| order.at);
    let consents = said.map(|(days, granted)| Held {
        cell: Cell { purpose: "marketing".into(), medium: Medium::Every, topic: String::new() },
        status: if granted { Status::Granted } else { Status::Denied },
        expires_at: Some(Instant::from_micros(NOW + days * DAY)),
    });
    Facts {
        subject: [3; 16],
        customer_since: Some(Instant::EPOCH),
        events,
        orders,
        consents: consents.into_iter().collect(),
        groups: BTreeSet::from(["vip".to_owned()]),
        ..Facts::default()
    }
}

fn order(days: i64, worth: i64) -> Order {
    Order {
        at: Instant::from_micros(NOW - days * DAY),
        channel: Id::from_bytes([1; 16]),
        currency: Currency::parse("GBP").expect("a currency"),
        worth,
        lines: vec![Line {
            variant: Id::from_bytes([9; 16]),
            product: Id::from_bytes([8; 16]),
            categories: vec![Id::from_bytes([7; 16])],
            worth: worth / 2,
        }],
    }
}

fn ground() -> Ground {
    let mut ground = Ground::default();
    for (code, aggregate) in [
        ("count", Aggregate::Count),
        ("sum", Aggregate::Sum),
        ("max", Aggregate::Max),
        ("last", Aggregate::Last),
        ("frequent", Aggregate::MostFrequent),
    ] {
        let property = (aggregate != Aggregate::Count).then(|| "price".to_owned());
        let one = Trait { kind: kind(true), window: window(Some(20), None), aggregate, property };
        ground.traits.insert(code.into(), one.checked().expect("a trait"));
    }
    ground.purposes.insert("marketing".into(), Basis::Consent);
    ground
}

fn kind(shown: bool) -> Kind {
    Kind { name: name(shown), conditions: vec![("price".into(), Test::AtLeast(2 * UNIT))] }
}

fn window(within_days: Option<i64>, older_days: Option<i64>) -> Window {
    Window { within_days, older_days }
}

fn windows() -> impl Strategy<Value = Window> {
    prop_oneof![
        Just(window(None, None)),
        (1i64..40).prop_map(|days| window(Some(days), None)),
        (1i64..40).prop_map(|days| window(None, Some(days))),
        (1i64..20).prop_map(|days| window(Some(days + 15), Some(days))),
    ]
}

fn bounds() -> impl Strategy<Value = (Option<i64>, Option<i64>)> {
    prop_oneof![
        (0i64..4).prop_map(|least| (Some(least), None)),
        (0i64..4).prop_map(|most| (None, Some(most))),
        (0i64..3).prop_map(|least| (Some(least), Some(least + 1))),
    ]
}

fn leaves() -> impl Strategy<Value = Leaf> {
    let event = (any::<bool>(), windows(), bounds()).prop_map(|(shown, window, (at_least, at_most))| {
        Leaf::Event(Occurrence { kind: kind(shown), window, at_least, at_most })
    });
    let sequence = (any::<bool>(), 1i64..4_000, windows()).prop_map(|(followed, within_minutes, window)| {
        Leaf::Sequence(Sequence { first: kind(true), then: kind(false), within_minutes, followed, window })
    });
    let of_trait = (0usize..5, 0i64..12).prop_map(|(which, least)| Leaf::Trait {
        code: ["count", "sum", "max", "last", "frequent"][which].into(),
        test: Test::AtLeast(least * UNIT),
    });
    let measures = (0usize..4).prop_map(|which| {
        let spend = Measure::Spend(Currency::parse("GBP").expect("a currency"));
        [Measure::Count, spend, Measure::First, Measure::Last][which]
    });
    let orders =
        (measures, windows(), bounds(), any::<bool>()).prop_map(|(measure, window, (least, most), of)| {
            let (least, most) = match measure {
                Measure::Spend(_) => (least.map(|least| least * 500), most.map(|most| most * 500)),
                _ => (least, most),
            };
            Leaf::Orders(Orders {
                measure,
                window,
                variants: Vec::new(),
                products: Vec::new(),
                categories: of.then(|| Id::from_bytes([7; 16])).into_iter().collect(),
                channels: Vec::new(),
                at_least: least,
                at_most: most,
            })
        });
    let stages = (0usize..6).prop_map(|which| Leaf::LifeCycle(vec![Stage::ALL[which]]));
    let consent =
        Just(Leaf::Consent(Cell { purpose: "marketing".into(), medium: Medium::Mail, topic: String::new() }));
    let groups =
        any::<bool>().prop_map(|vip| Leaf::Groups(vec![if vip { "vip" } else { "colleague" }.into()]));
    prop_oneof![event, sequence, of_trait, orders, stages, consent, groups]
}

fn expressions() -> impl Strategy<Value = Expression> {
    leaves().prop_map(Expression::Is).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Expression::All),
            proptest::collection::vec(inner.clone(), 1..4).prop_map(Expression::Any),
            inner.prop_map(|part| Expression::Not(Box::new(part))),
        ]
    })
}

/// What a plain reading of the raw facts says, written without any of the code it is held against.
fn oracle(expression: &Expression, facts: &Facts, now: i64) -> bool {
    match expression {
        Expression::All(parts) => parts.iter().all(|part| oracle(part, facts, now)),
        Expression::Any(parts) => parts.iter().any(|part| oracle(part, facts, now)),
        Expression::Not(part) => !oracle(part, facts, now),
        Expression::Is(leaf) => leaf_oracle(leaf, facts, now),
    }
}

fn inside(window: Window, at: i64, now: i64) -> bool {
    let old = now - at;
    let young = window.within_days.is_none_or(|days| old < days * DAY);
    old >= 0 && young && window.older_days.is_none_or(|days| old >= days * DAY)
}

fn price(event: &Event) -> i64 {
    match event.values["price"][0] {
        Scalar::Number(number) => number / UNIT,
        _ => 0,
    }
}

fn bounded(number: i64, least: Option<i64>, most: Option<i64>) -> bool {
    least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
}

fn leaf_oracle(leaf: &Leaf, facts: &Facts, now: i64) -> bool {
    let is = |event: &Event, kind: &Kind| event.name == kind.name && price(event) >= 2;
    match leaf {
        Leaf::Event(one) => {
            let mut number = 0;
            for event in &facts.events {
                number += i64::from(is(event, &one.kind) && inside(one.window, event.at.micros(), now));
            }
            bounded(number, one.at_least, one.at_most)
        }
        Leaf::Sequence(one) => {
            let span = one.within_minutes * 60_000_000;
            facts.events.iter().enumerate().any(|(place, first)| {
                let (from, until) = (first.at.micros(), first.at.micros() + span);
                let follows = facts.events.iter().enumerate().any(|(later, event)| {
                    let at = event.at.micros();
                    later > place && is(event, &one.then) && at >= from && at <= until && at <= now
                });
                let so = if one.followed { follows } else { now > until && !follows };
                is(first, &one.first) && inside(one.window, from, now) && so
            })
        }
        Leaf::Trait { code, test: Test::AtLeast(least) } => {
            let counts = |event: &&Event| {
                event.name == "Viewed"
                    && price(event) >= 2
                    && inside(window(Some(20), None), event.at.micros(), now)
            };
            let prices: Vec<i64> = facts.events.iter().filter(counts).map(price).collect();
            let often = |price: i64| prices.iter().filter(|one| **one == price).count();
            let last = |price: i64| prices.iter().rposition(|one| *one == price);
            let value = match code.as_str() {
                "count" => Some(prices.len() as i64),
                "sum" => (!prices.is_empty()).then(|| prices.iter().sum()),
                "max" => prices.iter().copied().max(),
                "last" => prices.last().copied(),
                _ => prices.iter().copied().max_by_key(|price| (often(*price), last(*price))),
            };
            value.is_some_and(|value| value * UNIT >= *least)
        }
        Leaf::Orders(one) => orders_oracle(one, &facts.orders, now),
        Leaf::LifeCycle(stages) => {
            let past: Vec<i64> = facts.orders.iter().map(|o| o.at.micros()).filter(|at| *at <= now).collect();
            let stage = match past.as_slice() {
                [] => Stage::Prospect,
                [.., last] if now - last >= 365 * DAY => Stage::Lost,
                [.., last] if now - last >= 120 * DAY => Stage::AtRisk,
                [.., before, last] if last - before >= 365 * DAY => Stage::WonBack,
                [first, ..] if now - first < 30 * DAY => Stage::New,
                _ => Stage::Active,
            };
            stages.contains(&stage)
        }
        Leaf::Consent(_) => facts.consents.iter().any(|held| {
            held.status == Status::Granted && held.expires_at.is_some_and(|at| at.micros() > now)
        }),
        Leaf::Groups(groups) => groups.contains(&"vip".to_owned()),
        _ => unreachable!("no such part is drawn"),
    }
}

fn orders_oracle(one: &Orders, orders: &[Order], now: i64) -> bool {
    let mut past: Vec<&Order> = orders.iter().filter(|order| order.at.micros() <= now).collect();
    past.sort_by_key(|order| order.at);
    let within: Vec<&&Order> =
        past.iter().filter(|order| inside(one.window, order.at.micros(), now)).collect();
    let number = match one.measure {
        Measure::Count => within.len() as i64,
        Measure::Spend(_) if one.categories.is_empty() => within.iter().map(|order| order.worth).sum(),
        Measure::Spend(_) => within.iter().map(|order| order.worth / 2).sum(),
        Measure::First => {
            i64::from(past.first().is_some_and(|order| inside(one.window, order.at.micros(), now)))
        }
        Measure::Last => {
            i64::from(past.last().is_some_and(|order| inside(one.window, order.at.micros(), now)))
        }
    };
    bounded(number, one.at_least, one.at_most)
}

/// Is somebody among those who can be reached, by a plain reading of the raw facts?
fn is_reached(reach: &Reach, facts: &Facts) -> bool {
    let since = |days: Option<i64>| days.map_or(i64::MIN, |days| NOW - days * DAY);
    match reach {
        Reach::Everybody => true,
        Reach::Each(parts) => parts.iter().all(|part| is_reached(part, facts)),
        Reach::Either(parts) => parts.iter().any(|part| is_reached(part, facts)),
        Reach::Known(Known::Events { name, within_days, at_least }) => {
            let counts = |event: &&Event| event.name == *name && event.at.micros() > since(*within_days);
            facts.events.iter().filter(counts).count() as i64 >= *at_least
        }
        Reach::Known(Known::Orders { within_days, at_least }) => {
            let counts = |order: &&Order| order.at.micros() > since(*within_days);
            facts.orders.iter().filter(counts).count() as i64 >= *at_least
        }
        Reach::Known(Known::Agreed(_)) => facts.consents.iter().any(|one| one.status == Status::Granted),
        Reach::Known(Known::Groups(groups)) => groups.iter().any(|group| facts.groups.contains(group)),
        Reach::Known(_) => unreachable!("no such part is drawn"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn whoever_is_not_reached_is_out_and_stays_out_by_time_alone(
        expression in expressions(),
        done in proptest::collection::vec((0i64..1_200, any::<bool>(), 0i64..6), 0..4),
        ordered in proptest::collection::vec((0i64..900, 0i64..900), 0..3),
        said in proptest::option::of((-20i64..60, any::<bool>())),
        is_customer in any::<bool>(),
    ) {
        let (ground, mut facts) = (ground(), facts(&done, &ordered, said));
        if !is_customer {
            facts = Facts { customer_since: None, orders: Vec::new(), consents: Vec::new(), groups: BTreeSet::new(), ..facts };
        }
        if !is_reached(&reach(&expression, &ground), &facts) {
            let verdict = judge(&expression, &facts, &ground, Instant::from_micros(NOW));
            prop_assert_eq!((verdict.is_in, verdict.next_change), (Some(false), None));
        }
    }
}

#[test]
fn the_contrary_of_many_reaches_those_of_whom_more_is_known() {
    let ground = ground();
    let bought = |least, most| {
        let (window, measure) = (window(Some(30), None), Measure::Count);
        let none = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (variants, products, categories, channels) = none;
        Expression::Is(Leaf::Orders(Orders {
            measure,
            window,
            variants,
            products,
            categories,
            channels,
            at_least: least,
            at_most: most,
        }))
    };
    let known = |at_least| Reach::Known(Known::Orders { within_days: Some(30), at_least });
    assert_eq!(reach(&bought(Some(2), None), &ground), known(2));
    assert_eq!(reach(&Expression::Not(Box::new(bought(None, Some(2)))), &ground), known(3));
    assert_eq!(reach(&bought(None, Some(2)), &ground), Reach::Everybody);
    let groups = Expression::Is(Leaf::Groups(vec!["vip".into()]));
    let both = Expression::All(vec![Expression::Not(Box::new(bought(None, None))), groups]);
    assert_eq!(reach(&both, &ground), Reach::Known(Known::Groups(vec!["vip".into()])));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]
    #[test]
    fn a_verdict_is_what_the_raw_facts_say_until_it_says_so(
        expression in expressions(),
        done in proptest::collection::vec((0i64..1_200, any::<bool>(), 0i64..6), 0..25),
        ordered in proptest::collection::vec((0i64..900, 0i64..900), 0..8),
        said in proptest::option::of((-20i64..60, any::<bool>())),
        later in proptest::collection::vec(0i64..100 * DAY, 1..12),
    ) {
        let expression = expression.checked().expect("within bounds");
        let (facts, ground) = (facts(&done, &ordered, said), ground());
        let now = Instant::from_micros(NOW);
        let verdict = judge(&expression, &facts, &ground, now);
        prop_assert_eq!(verdict.is_in, Some(oracle(&expression, &facts, NOW)));
        prop_assert_eq!(explain(&expression, &facts, &ground, now).holds, verdict.is_in);
        let until = verdict.next_change.map_or(i64::MAX, Instant::micros);
        prop_assert!(until > NOW);
        let mut looked_at: Vec<i64> = later.iter().map(|after| NOW + after).collect();
        looked_at.push(until - 1);
        for at in looked_at.into_iter().filter(|at| *at < until && *at < NOW + 20_000 * DAY) {
            prop_assert_eq!(verdict.is_in, Some(oracle(&expression, &facts, at)), "after {} µs", at - NOW);
        }
    }
}

#[test]
fn what_shelves_decide_is_open_until_somebody_looks() {
    let shelf = Shelf {
        variant: Some(Id::from_bytes([9; 16])),
        location: Some(Id::from_bytes([5; 16])),
        km: None,
        at_least: 2,
    };
    let stock = Expression::Is(Leaf::Stock(shelf));
    let vip = Expression::Is(Leaf::Groups(vec!["vip".into()]));
    let nobody = Expression::Is(Leaf::Groups(vec!["colleague".into()]));
    let (facts, mut ground) = (facts(&[], &[], None), ground());
    let is_in = |all: Vec<Expression>, ground: &Ground| {
        judge(&Expression::All(all), &facts, ground, Instant::from_micros(NOW)).is_in
    };
    assert_eq!(is_in(vec![stock.clone(), vip.clone()], &ground), None);
    assert_eq!(is_in(vec![stock.clone(), nobody], &ground), Some(false));
    assert!(Needs::of([&stock], &ground).is_live());
    for (free, holds) in [(1, false), (2, true)] {
        ground.shelves = Some([(Id::from_bytes([9; 16]), vec![(Id::from_bytes([5; 16]), free)])].into());
        assert_eq!(is_in(vec![stock.clone(), vip.clone()], &ground), Some(holds));
    }
}

#[test]
fn every_part_at_fault_is_named_by_its_path() {
    let bad = Expression::All(vec![
        Expression::Any(Vec::new()),
        Expression::Not(Box::new(Expression::Is(Leaf::Share { seed: "s".into(), from: 40, below: 20 }))),
    ]);
    let refusal = bad.checked().unwrap_err();
    let fields: Vec<_> = refusal.each().filter_map(domain::Refusal::field).collect();
    assert_eq!(fields, ["all.0.any", "all.1.not.share.below"]);
    let deep = (0..9)
        .fold(Expression::Is(Leaf::Groups(vec!["vip".into()])), |inner, _| Expression::Not(Box::new(inner)));
    assert!(deep.checked().is_err());
    assert!(Life::new(30, 120, 120).is_err());
}
