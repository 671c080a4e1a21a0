//! What orders use of promotions: taken from their limits when an order is placed, given back when it is cancelled.
//!
//! Each limit is a counter of its own, changed by one guarded update: a crowd cannot use more than there is. Promotions and counters
//! are taken in sorted order.

use std::collections::{BTreeMap, BTreeSet};

use domain::promotion::limit::{Limit, Period, Scope};
use domain::promotion::rules::Why;
use domain::promotion::{Goods, Occasion, Presented, Priced};
use domain::value::Id;
use domain::value::id::{Order, Promotion};
use domain::{Code, Refusal};
use store::{Tx, promotion as rows};

use super::apply::{Buyer, counter, limits_of};
use crate::Failure;

/// Takes what an order uses of each promotion from its limits.
///
/// # Errors
/// [`Code::PromotionUsedUp`] when not enough is left, or when a coupon in the cart is used up.
pub fn take(
    tx: &mut Tx<'_>,
    order: Id<Order>,
    (goods, occasion, buyer): (&Goods, &Occasion, &Buyer),
    priced: &Priced,
) -> Result<(), Failure> {
    for given in &goods.coupons {
        let why = priced.unused.iter().find(|(promotion, _)| *promotion == given.promotion);
        if why.is_some_and(|(_, why)| *why == Why::Budget) {
            return Err(used_up(given.promotion).at("coupons").into());
        }
    }
    wait_for_single(tx, (goods, buyer), priced)?;
    for (promotion, minor) in priced.given() {
        let mut counted: BTreeMap<_, (Option<i64>, Option<i64>)> = BTreeMap::new();
        let all = Limit { scope: Scope::Everybody, period: Period::Ever, uses_max: None, minor_max: None };
        for limit in std::iter::once(all).chain(limits_of(tx, promotion, goods, buyer)?) {
            let counter =
                counter(promotion, &limit, goods, occasion, buyer).ok_or_else(|| used_up(promotion))?;
            counted.insert(counter, (limit.uses_max, limit.minor_max));
        }
        for (counter, most) in counted {
            if !rows::take(tx, &counter, (order, minor), most)? {
                return Err(used_up(promotion).into());
            }
        }
    }
    Ok(())
}

/// Coupons that only one order may use could be taken back just now: their rows are locked, in sorted order, and must still be in use.
fn wait_for_single(
    tx: &mut Tx<'_>,
    (goods, buyer): (&Goods, &Buyer),
    priced: &Priced,
) -> Result<(), Failure> {
    let used: BTreeSet<Id<Promotion>> = priced.given().into_keys().collect();
    let is_single =
        |given: &&Presented| used.contains(&given.promotion) && buyer.uses_max.get(&given.coupon) == Some(&1);
    let mut single: Vec<_> =
        goods.coupons.iter().filter(is_single).map(|given| (given.promotion, given.coupon)).collect();
    single.sort_unstable();
    for of in single {
        if rows::coupon::lock(tx, of)?.is_none_or(|(_, active)| !active) {
            return Err(used_up(of.0).at("coupons").into());
        }
    }
    Ok(())
}

fn used_up(promotion: Id<Promotion>) -> Refusal {
    let message = format!(
        "promotion {promotion} has not enough left; price the cart again, without its coupon if it has one"
    );
    Refusal::new(Code::PromotionUsedUp, message)
}

/// Gives back what a cancelled order used of these promotions.
///
/// # Errors
/// What the store says.
pub fn give_back(
    tx: &mut Tx<'_>,
    order: Id<Order>,
    mut promotions: Vec<Id<Promotion>>,
) -> Result<(), Failure> {
    promotions.sort_unstable();
    promotions.dedup();
    for promotion in promotions {
        for (counter, minor) in rows::held(tx, promotion, order)? {
            rows::give_back(tx, &counter, (order, minor))?;
        }
    }
    Ok(())
}
