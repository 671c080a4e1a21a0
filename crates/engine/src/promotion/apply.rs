//! What a cart finds of the promotions in force, with what is left of their limits for whoever buys.

use std::collections::{BTreeMap, BTreeSet};

use domain::promotion::limit::{Limit, Period, Scope};
use domain::promotion::rules::words_met;
use domain::promotion::{Goods, Occasion, Rules, Tag};
use domain::value::id::{Category, Coupon, Customer, Product, Promotion as Kind};
use domain::value::{Id, Instant};
use store::promotion::{Counter, Promotion};
use store::{Tx, promotion as rows};

use crate::Failure;

/// How far up a category's tree is looked.
const LEVELS_MAX: usize = 20;

/// Whose uses are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buyer {
    /// The customer, if one is known.
    pub customer: Option<Id<Customer>>,
    /// How many orders may use each coupon in the cart, where that is limited.
    pub uses_max: BTreeMap<Id<Coupon>, i64>,
}

/// The promotions that these goods may meet, with what is left of each; and those that are tried beside them, every one of which is then
/// looked at. An occasion that is past meets those that were in force then.
///
/// # Errors
/// What the store says.
pub fn rules_for(
    tx: &mut Tx<'_>,
    goods: &Goods,
    occasion: &Occasion,
    (buyer, tried, past): (&Buyer, &[Promotion], bool),
) -> Result<Rules, Failure> {
    let mut promotions = Vec::new();
    let mut found = match past {
        true => in_force_then(tx, occasion.at)?,
        false => rows::found_by(tx, &words_met(goods, occasion))?,
    };
    found.retain(|own| tried.iter().all(|tried| tried.id != own.id));
    for own in found.iter().chain(tried) {
        let mut rule = super::rule(own)?;
        for limit in limits_of(tx, own.id, goods, buyer)? {
            let left = match counter(own.id, &limit, goods, occasion, buyer) {
                Some(counter) => limit.left(rows::used(tx, &counter)?),
                None => Some(0),
            };
            lessen(&mut rule, left);
        }
        promotions.push(rule);
    }
    let rules = Rules::new(promotions, &BTreeMap::new());
    Ok(if tried.is_empty() { rules } else { rules.looking_at_all() })
}

/// The promotions that were in force at an instant, as their terms were then; and those made later whose terms say that they had begun.
fn in_force_then(tx: &mut Tx<'_>, at: Instant) -> Result<Vec<Promotion>, Failure> {
    let mut then: Vec<Promotion> = Vec::new();
    for (own, _) in rows::in_force(tx, at, Instant::from_micros(i64::MAX))? {
        let known = then.last().is_some_and(|last| last.id == own.id);
        let begun = || -> Result<bool, Failure> {
            Ok(own.made_at > at && super::rule(&own)?.starts_at.is_some_and(|start| start <= at))
        };
        if !known && (own.changed_at <= at || begun()?) {
            then.push(own);
        }
    }
    Ok(then)
}

/// Leaves a promotion no more than a limit does.
pub(crate) fn lessen(rule: &mut domain::promotion::Promotion, left: Option<i64>) {
    rule.left_minor = match (rule.left_minor, left) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
}

/// The limits of a promotion, and that of the coupon the cart gives for it.
pub(super) fn limits_of(
    tx: &mut Tx<'_>,
    promotion: Id<Kind>,
    goods: &Goods,
    buyer: &Buyer,
) -> Result<Vec<Limit>, Failure> {
    let mut limits = rows::limits(tx, promotion)?;
    let given = goods.coupons.iter().find(|given| given.promotion == promotion);
    if let Some(uses_max) = given.and_then(|given| buyer.uses_max.get(&given.coupon).copied()) {
        let is_same = |limit: &&mut Limit| (limit.scope, limit.period) == (Scope::Coupon, Period::Ever);
        match limits.iter_mut().find(is_same) {
            Some(limit) => limit.uses_max = Some(limit.uses_max.map_or(uses_max, |own| own.min(uses_max))),
            None => limits.push(Limit {
                scope: Scope::Coupon,
                period: Period::Ever,
                uses_max: Some(uses_max),
                minor_max: None,
            }),
        }
    }
    Ok(limits)
}

/// Whose uses a limit counts here; `None` when nobody is known whom it could count for.
pub(crate) fn counter(
    promotion: Id<Kind>,
    limit: &Limit,
    goods: &Goods,
    occasion: &Occasion,
    buyer: &Buyer,
) -> Option<Counter> {
    let holder = match limit.scope {
        Scope::Everybody => [0; 16],
        Scope::Coupon => goods.coupons.iter().find(|given| given.promotion == promotion)?.coupon.bytes(),
        Scope::Customer => buyer.customer?.bytes(),
        Scope::Store => occasion.store.map_or([0; 16], Id::bytes),
    };
    let begins = limit.period.begins(occasion.at, &occasion.zone);
    Some(Counter { promotion, scope: limit.scope, period: limit.period, holder, begins })
}

/// What products are found by: themselves, their categories and all above.
///
/// # Errors
/// What the store says.
pub fn tags(
    tx: &mut Tx<'_>,
    products: &BTreeSet<Id<Product>>,
) -> Result<BTreeMap<Id<Product>, Vec<Tag>>, Failure> {
    let products: Vec<_> = products.iter().copied().collect();
    let own = rows::categories(tx, &products)?;
    let mut parents: BTreeMap<Id<Category>, Id<Category>> = BTreeMap::new();
    let mut level: BTreeSet<Id<Category>> = own.iter().map(|(_, category)| *category).collect();
    for _ in 0..LEVELS_MAX {
        let asked: Vec<_> =
            level.iter().copied().filter(|category| !parents.contains_key(category)).collect();
        if asked.is_empty() {
            break;
        }
        let found = rows::above(tx, &asked)?;
        level = found.iter().map(|(_, parent)| *parent).collect();
        parents.extend(found);
    }
    let mut tags: BTreeMap<Id<Product>, Vec<Tag>> =
        products.iter().map(|product| (*product, vec![Tag::Product(*product)])).collect();
    for (product, category) in own {
        let above = std::iter::successors(Some(category), |category| parents.get(category).copied());
        tags.entry(product).or_default().extend(above.take(LEVELS_MAX).map(Tag::Category));
    }
    Ok(tags)
}
