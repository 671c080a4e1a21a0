//! Finds the sales that returned goods come from: the source does not say, so the customer's latest earlier purchase
//! of the same goods at the same price is taken, then the one before it.

use std::collections::{HashMap, HashSet};

use super::amount::Exact;
use super::class::{Class, Treatment};
use super::source::{Invoice, Match};
use super::stock::Stock;

/// A sold line of which some pieces have not come back.
struct Sold {
    invoice: usize,
    line: usize,
    left: i64,
}

/// What must agree between a sale and a return.
type Purchase = (u32, usize, Exact);

/// Walks the invoices in time order, and gives every cancelled line its sales and with them its final rule. Goods may
/// be matched in part; delivery charges and manual lines wholly or not at all.
pub(super) fn match_returns(invoices: &mut [Invoice], stock: &Stock) {
    let mut open: HashMap<Purchase, Vec<Sold>> = HashMap::new();
    let mut bought: HashSet<(u32, usize)> = HashSet::new();
    for (at, invoice) in invoices.iter_mut().enumerate() {
        let Some(customer) = invoice.customer else {
            continue;
        };
        for (line, seen) in invoice.lines.iter_mut().enumerate() {
            let sku = stock.sku_of(seen.code);
            match seen.class.treatment() {
                Treatment::OrderLine | Treatment::ServiceLine | Treatment::DeliveryCharge => {
                    open.entry((customer, sku, seen.unit_price)).or_default().push(Sold {
                        invoice: at,
                        line,
                        left: seen.quantity,
                    });
                    bought.insert((customer, sku));
                }
                Treatment::ReturnWithoutOrder | Treatment::Credit => {
                    let sales = open.entry((customer, sku, seen.unit_price)).or_default();
                    seen.matches =
                        take_back(sales, -seen.quantity, matched_class(seen.class, true).is_some());
                    let matched = seen.matched();
                    if matched == -seen.quantity {
                        seen.class = matched_class(seen.class, false).unwrap_or(seen.class);
                    } else if matched > 0 {
                        seen.class = matched_class(seen.class, true).unwrap_or(seen.class);
                    } else if seen.class == Class::ReturnWithoutKnownSale && bought.contains(&(customer, sku))
                    {
                        seen.class = Class::ReturnAtAnotherPrice;
                    }
                }
                Treatment::Return | Treatment::Refund | Treatment::StockEntry | Treatment::NotSent => {}
            }
        }
    }
}

/// The rule for a line whose sale was found, wholly or in part; none where the rules know no such thing.
fn matched_class(unmatched: Class, in_part: bool) -> Option<Class> {
    match (unmatched, in_part) {
        (Class::ReturnWithoutKnownSale, false) => Some(Class::ReturnMatched),
        (Class::ReturnWithoutKnownSale, true) => Some(Class::ReturnMatchedInPart),
        (Class::DeliveryCredited, false) => Some(Class::DeliveryRefunded),
        (Class::ServiceCredited, false) => Some(Class::ServiceRefunded),
        _ => None,
    }
}

/// Takes so many pieces from the sales, the latest first; all of them or, where allowed, as many as there are.
fn take_back(sales: &mut Vec<Sold>, quantity: i64, in_part: bool) -> Vec<Match> {
    if !in_part && sales.iter().map(|sold| sold.left).sum::<i64>() < quantity {
        return Vec::new();
    }
    let mut matches = Vec::new();
    let mut wanted = quantity;
    while wanted > 0 {
        let Some(sold) = sales.last_mut() else { break };
        let taken = sold.left.min(wanted);
        matches.push(Match { invoice: sold.invoice, line: sold.line, quantity: taken });
        sold.left -= taken;
        wanted -= taken;
        if sold.left == 0 {
            sales.pop();
        }
    }
    matches
}

#[cfg(test)]
mod tests {
    use super::{Sold, take_back};

    fn sales() -> Vec<Sold> {
        vec![Sold { invoice: 3, line: 0, left: 12 }, Sold { invoice: 8, line: 2, left: 6 }]
    }

    fn taken(sales: &mut Vec<Sold>, quantity: i64, in_part: bool) -> Vec<(usize, i64)> {
        take_back(sales, quantity, in_part).into_iter().map(|found| (found.invoice, found.quantity)).collect()
    }

    #[test]
    fn the_latest_purchase_comes_back_first_and_only_once() {
        let mut sales = sales();
        assert_eq!(taken(&mut sales, 4, true), [(8, 4)]);
        assert_eq!(taken(&mut sales, 4, true), [(8, 2), (3, 2)]);
        assert_eq!(taken(&mut sales, 40, true), [(3, 10)]);
        assert_eq!(taken(&mut sales, 1, true), []);
    }

    #[test]
    fn a_charge_comes_back_wholly_or_not_at_all() {
        let mut sales = sales();
        assert_eq!(taken(&mut sales, 19, false), []);
        assert_eq!(taken(&mut sales, 18, false), [(8, 6), (3, 12)]);
    }
}
