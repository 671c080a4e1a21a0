//! A small shop to price in.

use std::collections::BTreeMap;

use domain::market::RoundingLevel;
use domain::promotion::{
    Benefit, Charge, Condition, Customer, Gives, Goods, Line, Measure, Mode, Occasion, Off, Part, Presented,
    Priced, Promotion, Rules, Selection, Stacking, Step, Tag, price,
};
use domain::tax::Policy;
use domain::value::{Currency, Id, Instant, Rate, Rounding, Unit, Zone};

pub fn percent(percent: i64) -> Rate {
    Rate::from_parts_per_million(percent * 10_000).expect("a rate")
}

/// Category `number`.
pub fn category(number: u8) -> Tag {
    Tag::Category(Id::from_bytes([number; 16]))
}

pub fn of(categories: &[u8]) -> Selection {
    Selection::of(categories.iter().map(|number| category(*number)).collect(), Vec::new())
}

/// So many of variant `number` at this price, in this category.
pub fn line(number: u8, quantity: i64, unit_minor: i64, in_category: u8) -> Line {
    Line {
        variant: Id::from_bytes([number; 16]),
        tags: vec![category(in_category)],
        quantity,
        unit: Unit::Piece,
        unit_minor,
        rate: percent(20),
        agreed: false,
        discount: None,
    }
}

pub fn goods(lines: Vec<Line>) -> Goods {
    Goods { lines, delivery: None, coupons: Vec::new(), discount: None }
}

pub fn charge(minor: i64) -> Charge {
    Charge { method: Id::from_bytes([1; 16]), minor, rate: percent(20) }
}

pub fn coupon(number: u8, promotion: u8) -> Presented {
    Presented { coupon: Id::from_bytes([number; 16]), promotion: Id::from_bytes([promotion; 16]) }
}

pub fn promotion(number: u8, benefit: Benefit) -> Promotion {
    Promotion {
        id: Id::from_bytes([number; 16]),
        lane: 0,
        priority: 0,
        stacking: Stacking::WithOthers,
        needs_coupon: false,
        currency: None,
        starts_at: None,
        ends_at: None,
        conditions: Vec::new(),
        benefit,
        left_minor: None,
    }
}

pub fn each(of: Selection, off: Off) -> Benefit {
    Benefit::Each { of, by: Measure::Quantity, steps: vec![Step { from: 0, off }] }
}

pub fn whole(of: Selection, from: i64, off: Off) -> Benefit {
    Benefit::Whole { of, steps: vec![Step { from, off }], minor_max: None }
}

/// So many, the cheapest of them free.
pub fn cheapest_free(of: Selection, pieces: i64) -> Benefit {
    Benefit::Set {
        parts: vec![Part { of, pieces }],
        gives: Gives::Cheapest { pieces: 1, rate: percent(100) },
        times_max: None,
    }
}

pub fn has(of: Selection, by: Measure, at_least: i64) -> Condition {
    Condition::Has { of, by, at_least }
}

pub fn occasion() -> Occasion {
    Occasion {
        channel: Id::from_bytes([1; 16]),
        store: None,
        zone: Zone::parse("Europe/London").expect("a zone"),
        at: Instant::parse("2026-11-28T12:00:00Z").expect("an instant"),
        currency: Currency::parse("GBP").expect("a currency"),
        payment: None,
        customer: Customer::default(),
    }
}

pub const INCLUSIVE: Policy =
    Policy { prices_include_tax: true, level: RoundingLevel::Line, rounding: Rounding::HalfUp };
pub const EXCLUSIVE: Policy =
    Policy { prices_include_tax: false, level: RoundingLevel::Order, rounding: Rounding::HalfUp };

pub fn rules(promotions: Vec<Promotion>) -> Rules {
    Rules::new(promotions, &BTreeMap::new())
}

pub fn rules_by(mode: Mode, promotions: Vec<Promotion>) -> Rules {
    Rules::new(promotions, &(0..=9).map(|lane| (lane, mode)).collect())
}

pub fn priced(lines: Vec<Line>, promotions: Vec<Promotion>) -> Priced {
    price(&goods(lines), &rules(promotions), &occasion(), INCLUSIVE)
}

/// What each line costs.
pub fn amounts(priced: &Priced) -> Vec<i64> {
    priced.lines.iter().map(|line| line.minor).collect()
}
