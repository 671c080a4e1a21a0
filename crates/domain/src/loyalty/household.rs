//! Households: members who share one balance. What a programme says of them, and who of them may spend.

use crate::refusal::Refusal;
use crate::words;

/// The most members a household may have.
pub const MEMBERS_MAX: i64 = 20;
/// The longest a member may have to wait after leaving a household, in days: a year.
pub const REJOIN_DAYS_MAX: i64 = 366;
/// How long an invitation can be accepted, in days.
pub const INVITATION_DAYS: i64 = 14;
/// The most invitations of a household that can be accepted at a time.
pub const INVITATIONS_MAX: i64 = 20;

words! {
    /// Who may spend what a household has.
    Spends {
        /// Every member.
        Anyone 1 "anyone";
        /// Its head only.
        Head 2 "head";
        /// Its head, and whom the head lets.
        Chosen 3 "chosen";
    }
}

words! {
    /// What becomes of points when a member leaves a household in which others stay.
    Leaving {
        /// They stay with the household.
        Stay 1 "stay";
        /// What is left of the points a member brought in goes with him.
        Own 2 "own";
    }
}

words! {
    /// Whose purchases count for the tier of a member of a household.
    Tiers {
        /// His own only.
        Own 1 "own";
        /// Those of all together, since they joined; whoever stands higher by himself stays there.
        Together 2 "together";
    }
}

/// What a programme says of households.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// The most members of one.
    pub members_max: i64,
    /// Who may spend.
    pub spends: Spends,
    /// What becomes of points when a member leaves.
    pub leaving: Leaving,
    /// Whose purchases count for tiers.
    pub tiers: Tiers,
    /// How many days after leaving one a member may be in a household again.
    pub rejoin_days: i64,
}

impl Sharing {
    /// What is wrong with it.
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for (field, number, least, most) in [
            ("members_max", self.members_max, 2, MEMBERS_MAX),
            ("rejoin_days", self.rejoin_days, 0, REJOIN_DAYS_MAX),
        ] {
            if !(least..=most).contains(&number) {
                refusals.push(Refusal::invalid(field, format!("give {least} to {most}")));
            }
        }
        refusals
    }
}

/// May a member spend what his household has? Where the programme has no households any more, its head may.
pub fn may_spend(sharing: Option<&Sharing>, is_head: bool, is_chosen: bool) -> bool {
    match sharing.map_or(Spends::Head, |sharing| sharing.spends) {
        Spends::Anyone => true,
        Spends::Head => is_head,
        Spends::Chosen => is_head || is_chosen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARING: Sharing = Sharing {
        members_max: 4,
        spends: Spends::Chosen,
        leaving: Leaving::Own,
        tiers: Tiers::Own,
        rejoin_days: 30,
    };

    #[test]
    fn the_head_always_spends_and_others_as_the_programme_says() {
        let spends = |spends| Some(Sharing { spends, ..SHARING });
        for sharing in [None, spends(Spends::Anyone), spends(Spends::Head), spends(Spends::Chosen)] {
            assert!(may_spend(sharing.as_ref(), true, false), "{sharing:?}");
        }
        let others = |sharing: Option<Sharing>, is_chosen| may_spend(sharing.as_ref(), false, is_chosen);
        assert!(others(spends(Spends::Anyone), false) && !others(spends(Spends::Head), true));
        assert!(others(Some(SHARING), true) && !others(Some(SHARING), false) && !others(None, true));
    }

    #[test]
    fn a_household_of_one_or_of_hundreds_is_none() {
        let fields = |sharing: Sharing| {
            let refused = sharing.refusals();
            refused.iter().filter_map(|one| one.field().map(str::to_owned)).collect::<Vec<_>>()
        };
        assert!(fields(SHARING).is_empty());
        assert_eq!(
            fields(Sharing { members_max: 1, rejoin_days: -1, ..SHARING }),
            ["members_max", "rejoin_days"]
        );
        assert_eq!(fields(Sharing { members_max: MEMBERS_MAX + 1, ..SHARING }), ["members_max"]);
    }
}
