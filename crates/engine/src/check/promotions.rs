//! What was used of promotions is what orders used of them, and what they were lowered by.

use domain::order::State;
use store::Tx;

use super::Difference;
use crate::Failure;

/// Every limit's counter is the sum of the orders that use it, and every order counts what it was lowered by unless it was cancelled.
pub fn used(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let mut differences: Vec<Difference> = store::promotion::unequal_counters(tx)?
        .into_iter()
        .map(|(promotion, says, orders)| {
            let text = |used: domain::promotion::limit::Used| {
                format!("{} uses, {} minor units", used.uses, used.minor)
            };
            Difference::new("promotions", promotion, text(orders), text(says))
        })
        .collect();
    for (order, promotion, lowered, counted) in
        store::order::discount::miscounted(tx, State::Cancelled.code())?
    {
        let expected = format!("{lowered} minor units of {promotion}, or none once it is cancelled");
        differences.push(Difference::new("promotions", order, expected, counted));
    }
    Ok(differences)
}
