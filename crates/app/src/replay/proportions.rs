//! In what proportions the chain of a replay lives, all in one place. Dice decide by them which fall the same on every run, whoever comes
//! first: they are thrown by the names of things, not one after the other.

use serde_json::{Value, json};
use tandem::demo::assignment::scattered;

/// Of a hundred of something, so many.
#[derive(Debug, PartialEq, Eq)]
pub struct Share {
    /// What happens.
    pub what: &'static str,
    /// Of a hundred of these.
    pub of: &'static str,
    /// To so many.
    pub in_hundred: u64,
}

impl Share {
    const fn new(in_hundred: u64, of: &'static str, what: &'static str) -> Share {
        Share { what, of, in_hundred }
    }

    /// Does it happen to this one?
    pub fn falls_on(&self, subject: &str) -> bool {
        scattered(subject, self.what) % 100 < self.in_hundred
    }
}

const BRITISH: &str = "British web orders of up to 200 pieces";
const PARCELS: &str = "orders that leave by parcel";
const MOVED: &str = "lines on their way between places";
const COUNTED: &str = "lines counted in turn";
const BACK: &str = "returns of known orders";
const TILLS: &str = "sales at a till";
const GOODS: &str = "goods with a list price";

/// Collected in a store, of which the store has what it has and is sent the rest.
pub const COLLECTED: Share = Share::new(15, BRITISH, "are collected in a store");
/// Routed over warehouses and stores by the profile.
pub const ROUTED: Share = Share::new(20, BRITISH, "are routed over warehouses and stores");
/// The customer wants it in another store after all.
pub const OTHER_STORE: Share = Share::new(10, "collected orders", "are sent for to another store afterwards");
/// A piece for a pickup arrives damaged.
pub const SENT_DAMAGED: Share = Share::new(4, "sendings to a pickup store", "have a damaged piece");

/// The first place refuses.
pub const REJECTED: Share = Share::new(3, PARCELS, "are refused by the first place");
/// A piece is not found.
pub const MISSED: Share = Share::new(4, PARCELS, "miss a piece when they are picked");
/// Offered to another place, which claims.
pub const OFFERED: Share = Share::new(2, PARCELS, "are offered to another warehouse and claimed");
/// Picked piece by piece.
pub const SCANNED: Share = Share::new(30, PARCELS, "are picked piece by piece and packed");
/// Carried by the own van.
pub const BY_VAN: Share = Share::new(20, "orders that are packed", "go with the own van");
/// Changed between order and parcel.
pub const CHANGED: Share = Share::new(4, PARCELS, "are changed before they leave");

/// What a store is supplied with by way of a warehouse.
pub const BY_WAREHOUSE: Share =
    Share::new(25, "lines a supplier has for a store", "come by way of a warehouse");
/// A piece arrives damaged,
pub const DAMAGED: Share = Share::new(3, MOVED, "have a damaged piece");
/// never arrives,
pub const LOST: Share = Share::new(2, MOVED, "have a piece that never arrives");
/// is not found where it should lie,
pub const NOT_FOUND: Share = Share::new(1, MOVED, "have a piece that is not found at the source");
/// or comes though nobody sent it.
pub const OVER: Share = Share::new(1, MOVED, "have a piece more than was sent");
/// Received in two goes.
pub const IN_TWO: Share = Share::new(25, "transfers", "are received in two goes");
/// Asked for, and not wanted any more.
pub const CALLED_OFF: Share = Share::new(4, "transfers", "are called off and asked for again");

/// Pieces a picker missed and a count finds.
pub const FOUND: Share = Share::new(60, "shelves counted because a piece was missed", "have it after all");
/// A piece is gone that nobody missed yet.
pub const ONE_LESS: Share = Share::new(2, COUNTED, "have a piece less than the books");
/// There is one more.
pub const ONE_MORE: Share = Share::new(1, COUNTED, "have a piece more");
/// Somebody counted badly.
pub const MISCOUNTED: Share = Share::new(1, COUNTED, "are miscounted by five and counted again");

/// Announced, and sent with a label.
pub const BY_POST: Share = Share::new(45, BACK, "are sent by post, of web and phone orders");
/// Announced, and brought to a store.
pub const ANNOUNCED: Share = Share::new(20, BACK, "are announced and brought to a store");
/// Brought to another store than announced.
pub const ELSEWHERE: Share = Share::new(20, "announced returns", "arrive at another place than announced");
/// In two parcels.
pub const TWO_PARCELS: Share = Share::new(15, "announced returns", "arrive in two goes");
/// Cannot be sold again,
pub const BROKEN: Share = Share::new(8, BACK, "are damaged");
/// or are thrown away.
pub const SCRAPPED: Share = Share::new(3, BACK, "are thrown away");
/// Brought back for another piece.
pub const EXCHANGED: Share = Share::new(2, TILLS, "have a piece exchanged in another store");
/// For something else than the same.
pub const FOR_OTHERS: Share = Share::new(40, "exchanges", "are for other goods, with the difference paid");

/// With offers: who takes part in the loyalty programme, and buys at members' prices.
pub const MEMBERS: Share = Share::new(40, "known customers", "are members");
/// Cheaper for members, by five in a hundred.
pub const FOR_MEMBERS: Share = Share::new(25, GOODS, "are cheaper for members");
/// In the first promotion,
pub const IN_FIRST: Share = Share::new(12, GOODS, "are ten in a hundred off");
/// or in the second.
pub const IN_SECOND: Share = Share::new(12, GOODS, "are six for five");
/// A member pays with points: the first order of a month, with all there are, up to half of it.
pub const BY_POINTS: Share = Share::new(50, "members in a month", "pay partly with points");
/// Paid with a gift card bought before,
pub const BY_CARD: Share = Share::new(4, TILLS, "are paid with a gift card first");
/// or followed by the purchase of one that nobody spends.
pub const CARD_KEPT: Share = Share::new(2, TILLS, "bring a gift card that nobody spends");

/// Those of a replay with offers.
pub const WITH_OFFERS: [&Share; 7] =
    [&MEMBERS, &FOR_MEMBERS, &IN_FIRST, &IN_SECOND, &BY_POINTS, &BY_CARD, &CARD_KEPT];

/// All others, in the order of reports.
pub const ALL: [&Share; 29] = [
    &COLLECTED,
    &ROUTED,
    &OTHER_STORE,
    &SENT_DAMAGED,
    &REJECTED,
    &MISSED,
    &OFFERED,
    &SCANNED,
    &BY_VAN,
    &CHANGED,
    &BY_WAREHOUSE,
    &DAMAGED,
    &LOST,
    &NOT_FOUND,
    &OVER,
    &IN_TWO,
    &CALLED_OFF,
    &FOUND,
    &ONE_LESS,
    &ONE_MORE,
    &MISCOUNTED,
    &BY_POST,
    &ANNOUNCED,
    &ELSEWHERE,
    &TWO_PARCELS,
    &BROKEN,
    &SCRAPPED,
    &EXCHANGED,
    &FOR_OTHERS,
];

/// Which of these happens to this one, if any: one throw decides.
pub fn one_of<'s>(shares: &[&'s Share], subject: &str) -> Option<&'s Share> {
    let thrown = scattered(subject, "one of") % 100;
    let mut upper = 0;
    shares.iter().copied().find(|share| {
        upper += share.in_hundred;
        thrown < upper
    })
}

/// Those of a replay, with offers or without.
fn told(offers: bool) -> impl Iterator<Item = &'static Share> {
    ALL.into_iter().chain(WITH_OFFERS.into_iter().filter(move |_| offers))
}

/// For people.
pub fn text(offers: bool) -> Vec<Vec<String>> {
    let mut rows = vec![["decided by dice: of a hundred", "so many"].map(str::to_owned).to_vec()];
    rows.extend(
        told(offers).map(|share| vec![format!("{} {}", share.of, share.what), share.in_hundred.to_string()]),
    );
    rows
}

/// For programs.
pub fn json(offers: bool) -> Value {
    told(offers)
        .map(|share| json!({ "of": share.of, "in_hundred": share.in_hundred, "what": share.what }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_keep_to_the_proportions() {
        let thrown =
            |share: &Share| (0..20_000).filter(|number: &u32| share.falls_on(&number.to_string())).count();
        for share in told(true) {
            let expected = share.in_hundred as usize * 200;
            assert!(thrown(share).abs_diff(expected) < 30 + expected / 10, "{share:?}: {}", thrown(share));
        }
        let ways = [&REJECTED, &MISSED, &SCANNED];
        let missed =
            (0..20_000).filter(|number: &u32| one_of(&ways, &number.to_string()) == Some(&MISSED)).count();
        assert!((700..900).contains(&missed), "{missed}");
    }
}
