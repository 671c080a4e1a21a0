//! Parcels: what leaves a location in one piece, how it travels, and when the carrier comes for it.

use crate::value::hours::CutOffs;
use crate::value::{Instant, LocalDay, Zone};
use crate::words;

words! {
    /// Where a parcel stands.
    State {
        /// Packed, at the location.
        Packed 1 "packed";
        /// It left the location.
        Shipped 2 "shipped";
        /// It is in the right hands.
        Delivered 3 "delivered";
        /// It came back to who sent it.
        Returned 4 "returned_to_sender";
        /// It was unpacked before it left.
        Void 5 "void";
    }
}

impl State {
    /// Do its goods belong to it: is it not unpacked?
    pub const fn holds_goods(self) -> bool {
        !matches!(self, State::Void)
    }
}

words! {
    /// Where a parcel's label stands.
    Label {
        /// Nobody asked for one.
        None 1 "none";
        /// The carrier is being asked for it.
        Asked 2 "asked";
        /// It can be printed.
        Ready 3 "ready";
        /// The carrier refused.
        Failed 4 "failed";
        /// It was given back.
        Void 5 "void";
    }
}

words! {
    /// What a carrier tells of a parcel on its way, in the order in which it usually happens.
    Tracked {
        /// The carrier has it.
        Accepted 1 "accepted";
        /// It travels.
        InTransit 2 "in_transit";
        /// The driver has it.
        OutForDelivery 3 "out_for_delivery";
        /// Nobody took it.
        AttemptFailed 4 "attempt_failed";
        /// It is in the right hands.
        Delivered 5 "delivered";
        /// It came back to who sent it.
        Returned 6 "returned_to_sender";
    }
}

impl Tracked {
    /// Does nothing follow it?
    pub const fn is_end(self) -> bool {
        matches!(self, Tracked::Delivered | Tracked::Returned)
    }
}

/// Where a parcel is by all that was told of it, in whatever order it was heard: the first end that happened; without one, what happened
/// last.
pub fn whereabouts(told: &[(Instant, Tracked)]) -> Option<(Instant, Tracked)> {
    let key = |one: &&(Instant, Tracked)| (one.0, one.1.code());
    let end = told.iter().filter(|(_, tracked)| tracked.is_end()).min_by_key(key);
    end.or_else(|| told.iter().max_by_key(key)).copied()
}

/// How often nobody took a parcel, by all that was told of it.
pub fn attempts(told: &[(Instant, Tracked)]) -> i64 {
    told.iter().filter(|(_, tracked)| *tracked == Tracked::AttemptFailed).count() as i64
}

/// The most bytes of the address at which parcels are followed.
const ADDRESS_BYTES_MAX: usize = 200;
/// What stands in it in the place of a parcel's number.
const NUMBER: &str = "{tracking}";

/// May an address lead a customer to where a parcel is?
///
/// # Errors
/// What it must be.
pub fn may_lead(address: &str) -> Result<(), &'static str> {
    let rest = address.strip_prefix("https://").filter(|rest| !rest.starts_with(NUMBER));
    let clean = address.chars().all(|letter| letter.is_ascii_graphic() && !"\"'<>\\".contains(letter));
    match rest {
        Some(rest) if clean && address.len() <= ADDRESS_BYTES_MAX && rest.matches(NUMBER).count() == 1 => {
            Ok(())
        }
        _ => Err(
            "give an address that begins with https:// and has {tracking} where the parcel's number stands",
        ),
    }
}

/// Where a parcel of this number is followed.
pub fn follow_at(address: &str, number: &str) -> String {
    let written: String = number
        .bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    address.replace(NUMBER, &written)
}

words! {
    /// Who carries.
    CarrierKind {
        /// The retailer's own drivers.
        OwnVan 1 "own_van";
        /// A carrier to try things on.
        Test 2 "test";
    }
}

/// The day on which a carrier takes along what is ready at an instant, by the days on which it comes and their cut-offs.
pub fn collected_on(collections: &CutOffs, ready: Instant, zone: &Zone) -> Option<LocalDay> {
    let cut_off = collections.next(ready, zone)?;
    // A cut-off at the end of a day is the first instant of the next.
    Some(LocalDay::of(Instant::from_micros(cut_off.micros() - 1), zone))
}

/// A parcel's weight in grams and its edges in millimetres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Grams.
    pub weight_grams: i64,
    /// Length, width and height in millimetres, when they were measured.
    pub edges_mm: Option<(i64, i64, i64)>,
}

/// The heaviest parcel: a tonne on a pallet.
pub const WEIGHT_GRAMS_MAX: i64 = 1_000_000;
/// The longest edge.
pub const EDGE_MM_MAX: i64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Instant {
        Instant::from_micros(minute * 60_000_000)
    }

    #[test]
    fn a_number_leads_to_its_parcel_and_nowhere_else() {
        let address = "https://carrier.example/follow?id={tracking}&lang=en";
        assert_eq!(may_lead(address), Ok(()));
        assert_eq!(
            follow_at(address, "JD 1&x=2"),
            "https://carrier.example/follow?id=JD%201%26x%3D2&lang=en"
        );
        for wrong in [
            "http://carrier.example/{tracking}",
            "https://{tracking}",
            "https://carrier.example/",
            "https://a b/{tracking}",
            "javascript:{tracking}",
            "https://a/{tracking}/{tracking}",
        ] {
            assert!(may_lead(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_heard_late_changes_nothing_that_happened_later() {
        use Tracked::*;
        let told = [(at(3), OutForDelivery), (at(1), Accepted), (at(2), InTransit)];
        assert_eq!(whereabouts(&told), Some((at(3), OutForDelivery)));
        let told = [(at(5), Delivered), (at(4), AttemptFailed), (at(3), AttemptFailed), (at(6), InTransit)];
        assert_eq!((whereabouts(&told), attempts(&told)), (Some((at(5), Delivered)), 2));
        assert_eq!(whereabouts(&[]), None);
        let both = [(at(5), Returned), (at(4), Delivered)];
        assert_eq!(whereabouts(&both), Some((at(4), Delivered)), "the first end counts");
    }

    #[test]
    fn a_carrier_comes_on_its_days_until_its_cut_off() {
        let (zone, weekdays) =
            (Zone::parse("Europe/London").unwrap(), CutOffs::parse("mo-fr 16:00").unwrap());
        let on = |cut_offs: &CutOffs, text: &str| {
            collected_on(cut_offs, Instant::parse(text).unwrap(), &zone).unwrap().to_string()
        };
        assert_eq!(on(&weekdays, "2026-06-01T14:59:59Z"), "2026-06-01", "a second before four in London");
        assert_eq!(on(&weekdays, "2026-06-01T15:00:00Z"), "2026-06-02");
        assert_eq!(on(&weekdays, "2026-06-05T15:00:00Z"), "2026-06-08", "Friday evening waits for Monday");
        assert_eq!(on(&CutOffs::parse("mo-su 24:00").unwrap(), "2026-06-01T15:00:00Z"), "2026-06-01");
    }
}
