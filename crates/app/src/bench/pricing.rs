//! Pricing: how long the price engine takes for one cart, in process.

use std::collections::BTreeMap;

use domain::market::RoundingLevel;
use domain::promotion::{
    Benefit, Condition, Customer, Gives, Goods, Line, Measure, Occasion, Off, Part, Promotion, Rules,
    Selection, Stacking, Step, Tag, price,
};
use domain::tax::Policy;
use domain::value::{Currency, Id, Instant, Rate, Rounding, Unit, Zone};

use super::crowd::micros_now;
use super::figure::{Amount, Figure};
use crate::fault::Fault;

/// Of so many carts, each is priced once per run.
const CARTS: u64 = 50;
/// The least of so many runs counts: what others do on the machine does not.
const RUNS: usize = 5;

/// A shop with this many promotions and carts of this many lines.
struct Sort {
    what: &'static str,
    lines: u64,
    promotions: u64,
    categories: u64,
    goal: Option<u64>,
}

const SORTS: [Sort; 3] = [
    Sort { what: "10 lines, 20 promotions", lines: 10, promotions: 20, categories: 10, goal: None },
    Sort {
        what: "100 lines, 200 promotions",
        lines: 100,
        promotions: 200,
        categories: 60,
        goal: Some(2_000),
    },
    Sort {
        what: "10 lines, 10,000 promotions",
        lines: 10,
        promotions: 10_000,
        categories: 3_000,
        goal: None,
    },
];

/// Measures it.
///
/// # Errors
/// When a value of the made-up shop cannot be.
pub fn measure() -> Result<Vec<Figure>, Fault> {
    SORTS
        .iter()
        .map(one)
        .collect::<Result<Vec<_>, String>>()
        .map(|figures| figures.concat())
        .map_err(Fault::Failed)
}

fn one(sort: &Sort) -> Result<Vec<Figure>, String> {
    let promotions =
        (0..sort.promotions).map(|number| promotion(sort, number)).collect::<Result<Vec<_>, _>>()?;
    let rules = Rules::new(promotions, &BTreeMap::new());
    let carts = (0..CARTS).map(|number| cart(sort, number)).collect::<Result<Vec<_>, _>>()?;
    let occasion = occasion()?;
    let policy = Policy { prices_include_tax: true, level: RoundingLevel::Line, rounding: Rounding::HalfUp };
    let mut best = u64::MAX;
    let (mut applied, mut unproven) = (0, 0);
    for _ in 0..RUNS {
        (applied, unproven) = (0, 0);
        let began = micros_now();
        for cart in &carts {
            let priced = price(cart, &rules, &occasion, policy);
            applied += priced.given().len() as u64;
            unproven += u64::from(priced.slack_minor > 0);
        }
        best = best.min(micros_now() - began);
    }
    let of = format!(
        "{CARTS} carts, {} promotions apply to one on average, {unproven} not proven the best",
        applied / CARTS
    );
    let figure = Figure::new(format!("pricing: {}", sort.what), Amount::Micros(best / CARTS), of);
    Ok(vec![match sort.goal {
        Some(goal) => figure.under(Amount::Micros(goal)),
        None => figure,
    }])
}

/// A number that looks drawn, the same in every run.
fn drawn(seed: u64, place: u64, below: u64) -> u64 {
    let mixed = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ place.wrapping_mul(0xbf58_476d_1ce4_e5b9))
        .wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 29)) % below
}

fn bytes(number: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn category(number: u64) -> Tag {
    Tag::Category(Id::from_bytes(bytes(number)))
}

fn percent(percent: u64) -> Result<Rate, String> {
    Rate::from_parts_per_million(percent.cast_signed() * 10_000).map_err(|error| error.to_string())
}

/// A third each on pieces, on sets and on wholes or delivery; each for one category.
fn promotion(sort: &Sort, number: u64) -> Result<Promotion, String> {
    let of = |place| Selection::of(vec![category(drawn(number, place, sort.categories))], Vec::new());
    let benefit = match number % 6 {
        0 | 1 => Benefit::Each {
            of: of(1),
            by: Measure::Quantity,
            steps: vec![Step { from: 1, off: Off::Rate(percent(5 + number % 20)?) }],
        },
        2 => Benefit::Set {
            parts: vec![Part { of: of(1), pieces: 3 }],
            gives: Gives::Cheapest { pieces: 1, rate: percent(100)? },
            times_max: None,
        },
        3 => Benefit::Set {
            parts: vec![Part { of: of(1), pieces: 1 }, Part { of: of(2), pieces: 1 }],
            gives: Gives::Off(Off::Rate(percent(15)?)),
            times_max: Some(2),
        },
        4 => Benefit::Whole {
            of: of(1),
            steps: vec![Step { from: 3_000, off: Off::Amount(500) }],
            minor_max: None,
        },
        _ => Benefit::Each {
            of: of(1),
            by: Measure::Quantity,
            steps: vec![Step { from: 2, off: Off::Amount(50) }, Step { from: 4, off: Off::Amount(120) }],
        },
    };
    let conditions = match number % 4 {
        0 => vec![Condition::Channels(vec![Id::from_bytes(bytes(1))])],
        1 => vec![Condition::Groups(vec!["member".into()])],
        _ => Vec::new(),
    };
    Ok(Promotion {
        id: Id::from_bytes(bytes(number)),
        lane: u8::try_from(number % 3).unwrap_or(0),
        priority: 0,
        stacking: Stacking::WithOthers,
        needs_coupon: false,
        currency: Currency::parse("GBP").ok(),
        starts_at: None,
        ends_at: None,
        conditions,
        benefit,
        left_minor: None,
    })
}

fn cart(sort: &Sort, number: u64) -> Result<Goods, String> {
    let line = |place: u64| {
        let draw = |what, below| drawn(number * 1_000 + place, what, below);
        Ok(Line {
            variant: Id::from_bytes(bytes(place)),
            tags: vec![category(draw(1, sort.categories)), category(draw(2, sort.categories))],
            quantity: 1 + draw(3, 4).cast_signed(),
            unit: Unit::Piece,
            unit_minor: 99 + draw(4, 4_900).cast_signed(),
            rate: percent(20)?,
            agreed: false,
            discount: None,
        })
    };
    let lines = (0..sort.lines).map(line).collect::<Result<Vec<_>, String>>()?;
    Ok(Goods { lines, delivery: None, coupons: Vec::new(), discount: None })
}

fn occasion() -> Result<Occasion, String> {
    Ok(Occasion {
        channel: Id::from_bytes(bytes(1)),
        store: None,
        zone: Zone::parse("Europe/London").map_err(|error| error.to_string())?,
        at: Instant::EPOCH,
        currency: Currency::parse("GBP").map_err(|error| error.to_string())?,
        payment: None,
        customer: Customer { groups: vec!["member".into()], ..Customer::default() },
    })
}
