//! Costs: what it costs to send goods from each location, in the retailer's own figures, and what slow stock will lose.

use std::collections::BTreeSet;

use super::profile::MINOR_MAX;
use super::wanted::{THOUSAND, Tariff};
use crate::location;
use crate::refusal::Refusal;
use crate::value::id::Location;
use crate::value::{Country, Currency, Id};

/// The most tariffs of a profile, without the one for all others.
pub const TARIFFS_MAX: usize = 1000;
/// The most locations, kinds or countries that one tariff names.
pub const NAMED_MAX: usize = 1000;
/// The longest time for which slow stock lasts, in days.
pub const DAYS_MAX: i64 = 3650;

/// What sending costs. All amounts of a profile are minor units of its currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Costs {
    /// The currency of all amounts.
    pub currency: Currency,
    /// Tariffs for some ways; the first that fits counts.
    pub tariffs: Vec<TariffFor>,
    /// The tariff for all other ways.
    pub otherwise: Tariff,
    /// What slow stock will lose.
    pub slow: Option<Slow>,
}

/// The tariff for parcels from some locations to some countries. What is not named is not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TariffFor {
    /// From these locations.
    pub locations: BTreeSet<Id<Location>>,
    /// From locations of these kinds.
    pub kinds: BTreeSet<location::Kind>,
    /// To these countries.
    pub countries: BTreeSet<Country>,
    /// What it costs.
    pub tariff: Tariff,
}

/// Stock that lasts too long will be marked down: sending it away saves that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slow {
    /// Stock of a variant at a location is slow when it lasts longer than so many days.
    pub after_days: i64,
    /// What a unit of it will lose of its value, in thousandths.
    pub lost_permille: i64,
}

impl Costs {
    /// What it costs from a location to a country; a country that is not known fits only tariffs that name none.
    pub fn tariff(&self, location: Id<Location>, kind: location::Kind, to: Option<Country>) -> Tariff {
        let fits = |one: &&TariffFor| {
            (one.locations.is_empty() || one.locations.contains(&location))
                && (one.kinds.is_empty() || one.kinds.contains(&kind))
                && (one.countries.is_empty() || to.is_some_and(|country| one.countries.contains(&country)))
        };
        self.tariffs.iter().find(fits).map_or(self.otherwise, |one| one.tariff)
    }

    /// What is saved by sending a unit away of which so many lie there and so many thousandths sell per day.
    pub fn markdown_minor(&self, value_minor: i64, free: i64, daily_demand_milli: i64) -> i64 {
        let Some(slow) = self.slow else { return 0 };
        let sold = i128::from(daily_demand_milli.max(0)) * i128::from(slow.after_days);
        if i128::from(free.max(0)) * i128::from(THOUSAND) <= sold {
            return 0;
        }
        let lost = i128::from(value_minor.max(0)) * i128::from(slow.lost_permille) / i128::from(THOUSAND);
        i64::try_from(lost).unwrap_or(i64::MAX)
    }

    /// Does the way's length count?
    pub fn asks_for_distance(&self) -> bool {
        self.otherwise.kilometre_minor > 0 || self.tariffs.iter().any(|one| one.tariff.kilometre_minor > 0)
    }

    /// Everything that is wrong with them.
    pub(super) fn check(&self) -> Vec<Refusal> {
        let mut refusals = check_tariff("otherwise", &self.otherwise);
        if self.tariffs.len() > TARIFFS_MAX {
            refusals.push(Refusal::invalid("tariffs", format!("give at most {TARIFFS_MAX} tariffs")));
        }
        for (place, one) in self.tariffs.iter().enumerate() {
            let path = format!("tariffs.{place}");
            let named = [("locations", one.locations.len()), ("countries", one.countries.len())];
            for (field, many) in named.into_iter().filter(|(_, many)| *many > NAMED_MAX) {
                let message = format!("name at most {NAMED_MAX}, not {many}");
                refusals.push(Refusal::invalid(format!("{path}.{field}"), message));
            }
            if one.locations.is_empty() && one.kinds.is_empty() && one.countries.is_empty() {
                let message =
                    "it fits every way, so no later one has a turn; name something, or make it `otherwise`";
                refusals.push(Refusal::invalid(path.clone(), message));
            }
            refusals.extend(check_tariff("tariff", &one.tariff).into_iter().map(|one| one.within(&path)));
        }
        if let Some(slow) = self.slow {
            refusals.extend(bounded("slow.after_days", slow.after_days, 1, DAYS_MAX));
            refusals.extend(bounded("slow.lost_permille", slow.lost_permille, 1, THOUSAND));
        }
        refusals
    }
}

fn check_tariff(path: &str, tariff: &Tariff) -> Vec<Refusal> {
    let amounts = [
        ("parcel_minor", tariff.parcel_minor),
        ("item_minor", tariff.item_minor),
        ("kilogram_minor", tariff.kilogram_minor),
        ("kilometre_minor", tariff.kilometre_minor),
    ];
    let bad = |(field, minor)| bounded(&format!("{path}.{field}"), minor, 0, MINOR_MAX);
    amounts.into_iter().filter_map(bad).collect()
}

/// The refusal of a number outside its bounds.
pub(super) fn bounded(field: &str, number: i64, least: i64, most: i64) -> Option<Refusal> {
    let message = format!("give {least} to {most}, not {number}");
    (!(least..=most).contains(&number)).then(|| Refusal::invalid(field, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tariff(parcel_minor: i64) -> Tariff {
        Tariff { parcel_minor, item_minor: 0, kilogram_minor: 0, kilometre_minor: 0 }
    }

    fn costs() -> Costs {
        let to = |code: &str| BTreeSet::from([Country::parse(code).unwrap()]);
        let none = || TariffFor {
            locations: BTreeSet::new(),
            kinds: BTreeSet::new(),
            countries: BTreeSet::new(),
            tariff: tariff(0),
        };
        Costs {
            currency: Currency::parse("GBP").unwrap(),
            tariffs: vec![
                TariffFor { countries: to("IE"), tariff: tariff(900), ..none() },
                TariffFor {
                    kinds: BTreeSet::from([location::Kind::Warehouse]),
                    tariff: tariff(250),
                    ..none()
                },
            ],
            otherwise: tariff(400),
            slow: Some(Slow { after_days: 90, lost_permille: 300 }),
        }
    }

    #[test]
    fn the_first_tariff_that_fits_counts() {
        let (costs, place) = (costs(), Id::from_bytes([1; 16]));
        let from = |kind, to: Option<&str>| {
            costs.tariff(place, kind, to.map(|code| Country::parse(code).unwrap())).parcel_minor
        };
        assert_eq!(from(location::Kind::Warehouse, Some("IE")), 900);
        assert_eq!(from(location::Kind::Warehouse, Some("GB")), 250);
        assert_eq!((from(location::Kind::Store, Some("GB")), from(location::Kind::Store, None)), (400, 400));
    }

    #[test]
    fn stock_that_lasts_too_long_is_worth_sending_away() {
        let costs = costs();
        assert_eq!(costs.markdown_minor(1999, 90, 1000), 0, "it lasts ninety days");
        assert_eq!(costs.markdown_minor(1999, 91, 1000), 599);
        assert_eq!(costs.markdown_minor(1999, 1, 0), 599, "what nobody buys lasts for ever");
    }

    #[test]
    fn nonsense_is_refused_by_its_field() {
        let mut odd = costs();
        odd.otherwise.item_minor = -1;
        odd.tariffs[0].countries.clear();
        odd.tariffs[1].tariff.kilometre_minor = MINOR_MAX + 1;
        odd.slow = Some(Slow { after_days: 0, lost_permille: 1001 });
        let fields: Vec<_> = odd.check().iter().filter_map(|one| one.field().map(str::to_owned)).collect();
        assert_eq!(
            fields,
            [
                "otherwise.item_minor",
                "tariffs.0",
                "tariffs.1.tariff.kilometre_minor",
                "slow.after_days",
                "slow.lost_permille"
            ]
        );
    }
}
