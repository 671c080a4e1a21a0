//! The queue for goods that are not there: who waited longest is served first, from what is there and then from what is expected.

use crate::value::Instant;

/// Goods that are there, or are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supply {
    /// From when on.
    pub at: Instant,
    /// How many.
    pub quantity: i64,
}

/// For each claim in order, the place among the supplies, in order of time, with which everything up to and with it has come; none when
/// too little comes. `ahead` pieces are claimed by those who are served before.
pub fn covered(supplies: &[Supply], ahead: i64, claims: &[i64]) -> Vec<Option<usize>> {
    let mut come = 0;
    let mut next = 0;
    let mut claimed = ahead;
    let mut places = Vec::with_capacity(claims.len());
    for claim in claims {
        claimed += claim;
        while come < claimed && next < supplies.len() {
            come += supplies[next].quantity.max(0);
            next += 1;
        }
        places.push((come >= claimed).then(|| next.saturating_sub(1)).filter(|_| !supplies.is_empty()));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn supply(day: i64, quantity: i64) -> Supply {
        Supply { at: Instant::from_micros(day), quantity }
    }

    #[test]
    fn who_waits_longest_gets_what_comes_first() {
        let supplies = [supply(0, 1), supply(5, 3), supply(9, 2)];
        assert_eq!(covered(&supplies, 0, &[1, 2, 1, 2, 1]), [Some(0), Some(1), Some(1), Some(2), None]);
        assert_eq!(covered(&supplies, 4, &[1, 2]), [Some(2), None]);
        assert_eq!(covered(&[], 0, &[1]), [None]);
    }

    proptest! {
        #[test]
        fn nobody_is_served_before_who_waits_longer_and_no_piece_twice(
            supplies in prop::collection::vec(0i64..6, 0..8), claims in prop::collection::vec(1i64..5, 1..10)
        ) {
            let supplies: Vec<Supply> = (0..).zip(&supplies).map(|(day, quantity)| supply(day, *quantity)).collect();
            let places = covered(&supplies, 0, &claims);
            for pair in places.windows(2) {
                prop_assert!(pair[1].is_none() || pair[0].is_some_and(|first| Some(first) <= pair[1]));
            }
            for (number, place) in places.iter().enumerate() {
                let claimed: i64 = claims[..=number].iter().sum();
                match place {
                    Some(place) => prop_assert!(supplies[..=*place].iter().map(|one| one.quantity).sum::<i64>() >= claimed),
                    None => prop_assert!(supplies.iter().map(|one| one.quantity).sum::<i64>() < claimed),
                }
            }
        }
    }
}
