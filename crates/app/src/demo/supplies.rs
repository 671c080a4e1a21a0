//! What suppliers must have brought, and when, so that everything the source sold was there to be sold.

use std::collections::BTreeMap;

use super::source::Source;

/// Goods a location has before the first sale of a month: the opening stock in the first month, a receipt afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Supply {
    /// Number of the month in the period, from 0.
    pub month: usize,
    /// Number of the location in [`super::locations::Locations`].
    pub location: usize,
    /// Number of the SKU in [`super::stock::Stock`].
    pub sku: usize,
    /// Pieces, whole packs.
    pub quantity: i64,
}

/// Suppliers deliver packs of so many pieces.
pub const PACK: i64 = 6;

/// A delivery covers what is sold in its month and the next ones, so many in all.
pub const COVERED_MONTHS: usize = 3;

/// Opening stock and receipts for the whole period, by month, location and SKU.
#[must_use]
pub fn plan(source: &Source) -> Vec<Supply> {
    let months = source.months();
    let mut leaving: BTreeMap<(usize, usize), Vec<i64>> = BTreeMap::new();
    for invoice in source.invoices() {
        let month = months.binary_search(&invoice.month()).unwrap_or_default();
        for line in &invoice.lines {
            // What comes back is not counted upon: sales stay possible in whatever order clients send a month's.
            let pieces = -line.shelf_change();
            if pieces > 0 {
                let location = (invoice.location, source.stock.sku_of(line.code));
                leaving.entry(location).or_insert_with(|| vec![0; months.len()])[month] += pieces;
            }
        }
    }
    let mut supplies: Vec<_> = leaving
        .iter()
        .flat_map(|((location, sku), leaving)| {
            let deliveries = deliveries(leaving).into_iter();
            deliveries.map(|(month, quantity)| Supply { month, location: *location, sku: *sku, quantity })
        })
        .collect();
    supplies.sort_unstable();
    supplies
}

/// Month and pieces of each delivery that lets so many pieces leave in each month.
fn deliveries(leaving: &[i64]) -> Vec<(usize, i64)> {
    let mut on_hand = 0;
    let mut deliveries = Vec::new();
    for (month, pieces) in leaving.iter().enumerate() {
        if on_hand < *pieces {
            let covered = leaving[month..].iter().take(COVERED_MONTHS).sum::<i64>();
            let packs = (covered - on_hand + PACK - 1) / PACK;
            deliveries.push((month, packs * PACK));
            on_hand += packs * PACK;
        }
        on_hand -= pieces;
    }
    deliveries
}

#[cfg(test)]
mod tests {
    use super::deliveries;

    #[test]
    fn a_delivery_covers_three_months_in_whole_packs() {
        assert_eq!(deliveries(&[1, 2, 3, 4]), [(0, 6), (3, 6)]);
        assert_eq!(deliveries(&[0, 0, 7, 0, 0, 6]), [(2, 12), (5, 6)]);
        assert_eq!(deliveries(&[0, 0]), []);
    }

    #[test]
    fn no_shelf_ever_runs_empty() {
        let leaving = [5, 0, 13, 80_995, 1, 1, 1, 0, 0, 44];
        let mut on_hand = 0;
        for (month, pieces) in leaving.iter().enumerate() {
            on_hand += deliveries(&leaving)
                .iter()
                .filter(|delivery| delivery.0 == month)
                .map(|delivery| delivery.1)
                .sum::<i64>();
            on_hand -= pieces;
            assert!(on_hand >= 0, "month {month}");
        }
    }
}
