//! Loyalty programmes as data: what earns points, how many, for how long, and what they are worth when they pay.

use super::household::Sharing;
use super::referral::Terms as Referral;
use super::tier::Ladder;
use crate::market::PaymentKind;
use crate::refusal::Refusal;
use crate::value::id::{Category, Channel, Product};
use crate::value::{Currency, Id, Instant, LocalDay, Rate, Zone};
use crate::words;

/// The most points that one step of an earning rule gives, so that no product of factors overflows.
pub const EARNED_MAX: i64 = 1000;
/// The largest step of money in minor units, and the most points of an occasion or a value.
pub const STEP_MAX: i64 = 1_000_000_000;
/// The most entries of each list of a programme.
pub const ENTRIES_MAX: usize = 100;
/// The longest wait until points can be spent, in days: a year.
pub const PENDING_DAYS_MAX: i64 = 366;
/// The longest time in which a receipt earns, in days: a year.
pub const RECEIPT_DAYS_MAX: i64 = 366;
/// The longest life of points, in months: ten years.
pub const MONTHS_MAX: i64 = 120;

words! {
    /// Where a version of a programme stands.
    State {
        /// Being written; it gives nothing.
        Draft 1 "draft";
        /// In force from its instant on, until another version's instant.
        Active 2 "active";
        /// Never in force again.
        Retired 3 "retired";
    }
}

/// What an amount spent earns: this many points for each step of money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earning {
    /// The currency of the money.
    pub currency: Currency,
    /// In this channel only; in every channel when `None`. A channel's own entry comes before.
    pub channel: Option<Id<Channel>>,
    /// How many points.
    pub points: i64,
    /// For how much, in minor units.
    pub per_minor: i64,
}

/// Goods that earn more or less than others; nothing at a rate of 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Which goods.
    pub of: Goods,
    /// How much of what they would earn.
    pub rate: Rate,
}

/// Goods that are meant together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goods {
    /// A product in all its variants.
    Product(Id<Product>),
    /// A category and those below it.
    Category(Id<Category>),
}

/// A time in which more is earned; of several that run at once, the highest rate counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Season {
    /// What people call it.
    pub name: String,
    /// From when on.
    pub from: Instant,
    /// Until when.
    pub until: Instant,
    /// How much of what would be earned.
    pub rate: Rate,
}

/// What so many points are worth when they pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worth {
    /// The currency.
    pub currency: Currency,
    /// This many points
    pub points: i64,
    /// are this much money, in minor units.
    pub minor: i64,
}

impl Worth {
    /// The money that points are worth, rounded down.
    pub fn of(&self, points: i64) -> i64 {
        narrow(i128::from(points) * i128::from(self.minor) / i128::from(self.points))
    }

    /// The points that money needs, rounded up.
    pub fn needed(&self, minor: i64) -> i64 {
        let (asked, each) = (i128::from(minor) * i128::from(self.points), i128::from(self.minor));
        narrow((asked + each - 1) / each)
    }
}

fn narrow(wide: i128) -> i64 {
    i64::try_from(wide).unwrap_or(i64::MAX)
}

/// Something other than buying that gives points, such as signing up or a birthday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// The short word it goes by.
    pub code: String,
    /// How many points it gives.
    pub points: i64,
    /// How often one member has it; as often as it comes when `None`.
    pub times_max: Option<i64>,
}

/// What a programme says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whose days count where no market says otherwise: when points expire, and when the year of a tier ends.
    pub zone: Zone,
    /// What money spent earns. Where no entry fits, nothing is earned.
    pub earnings: Vec<Earning>,
    /// Goods that earn more or less; the first entry that fits counts.
    pub factors: Vec<Factor>,
    /// Times in which more is earned.
    pub seasons: Vec<Season>,
    /// Does the delivery charge earn?
    pub counts_delivery: bool,
    /// Does tax earn?
    pub counts_tax: bool,
    /// Kinds of payment that earn nothing; points never do.
    pub uncounted: Vec<PaymentKind>,
    /// How many days after the last goods left points stay pending.
    pub pending_days: i64,
    /// For how many days after a purchase its receipt still earns, for a member who brings it later; never when 0.
    pub receipt_days: i64,
    /// How many months after they became available points expire; never when `None`.
    pub months: Option<i64>,
    /// What points are worth when they pay; where no entry fits they do not.
    pub worth: Vec<Worth>,
    /// The fewest points that pay at once.
    pub pays_min: i64,
    /// The most of an order that points pay.
    pub pays_max: Rate,
    /// When earned points are taken back after they were spent: is the balance shown below zero? Else as a debt beside it. Either way
    /// new points pay it first.
    pub below_zero: bool,
    /// What else gives points.
    pub occasions: Vec<Occasion>,
    /// What members reach, if there are tiers.
    pub ladder: Option<Ladder>,
    /// How members share a balance, if they may.
    pub sharing: Option<Sharing>,
    /// What is given for friends, if something is.
    pub referral: Option<Referral>,
}

impl Terms {
    /// Checks that every number is within its bounds, and everything is said once.
    ///
    /// # Errors
    /// One refusal that names every bad field.
    pub fn checked(self) -> Result<Terms, Refusal> {
        let mut refusals = Vec::new();
        for (field, length) in [
            ("earnings", self.earnings.len()),
            ("factors", self.factors.len()),
            ("seasons", self.seasons.len()),
            ("worth", self.worth.len()),
            ("occasions", self.occasions.len()),
        ] {
            if length > ENTRIES_MAX {
                refusals.push(Refusal::invalid(field, format!("give at most {ENTRIES_MAX}")));
            }
        }
        self.check_numbers(&mut refusals);
        let twice = "is named twice; name it once";
        for (place, one) in self.earnings.iter().enumerate() {
            let same = |other: &Earning| (other.currency, other.channel) == (one.currency, one.channel);
            if self.earnings[..place].iter().any(same) {
                let message = format!("{} in this channel {twice}", one.currency);
                refusals.push(Refusal::invalid(format!("earnings.{place}"), message));
            }
        }
        for (place, one) in self.worth.iter().enumerate() {
            if self.worth[..place].iter().any(|other| other.currency == one.currency) {
                refusals
                    .push(Refusal::invalid(format!("worth.{place}"), format!("{} {twice}", one.currency)));
            }
        }
        for (place, one) in self.occasions.iter().enumerate() {
            if self.occasions[..place].iter().any(|other| other.code == one.code) {
                let message = format!("\"{}\" {twice}", one.code);
                refusals.push(Refusal::invalid(format!("occasions.{place}.code"), message));
            }
        }
        for (place, one) in self.seasons.iter().enumerate().filter(|(_, one)| one.until <= one.from) {
            let message = format!("season \"{}\" ends before it begins", one.name);
            refusals.push(Refusal::invalid(format!("seasons.{place}.until"), message));
        }
        refusals.extend(self.ladder.iter().flat_map(Ladder::refusals).map(|one| one.within("tiers")));
        refusals.extend(self.sharing.iter().flat_map(Sharing::refusals).map(|one| one.within("household")));
        refusals.extend(self.referral.iter().flat_map(Referral::refusals).map(|one| one.within("referral")));
        Refusal::all(refusals).map_or(Ok(self), Err)
    }

    fn check_numbers(&self, refusals: &mut Vec<Refusal>) {
        let mut within = |field: String, number: i64, least: i64, most: i64| {
            if !(least..=most).contains(&number) {
                refusals.push(Refusal::invalid(field, format!("give {least} to {most}")));
            }
        };
        for (place, one) in self.earnings.iter().enumerate() {
            within(format!("earnings.{place}.points"), one.points, 1, EARNED_MAX);
            within(format!("earnings.{place}.per"), one.per_minor, 1, STEP_MAX);
        }
        for (place, one) in self.worth.iter().enumerate() {
            within(format!("worth.{place}.points"), one.points, 1, STEP_MAX);
            within(format!("worth.{place}.amount"), one.minor, 1, STEP_MAX);
        }
        for (place, one) in self.occasions.iter().enumerate() {
            within(format!("occasions.{place}.points"), one.points, 1, STEP_MAX);
            within(format!("occasions.{place}.times_max"), one.times_max.unwrap_or(1), 1, STEP_MAX);
        }
        within("pending_days".into(), self.pending_days, 0, PENDING_DAYS_MAX);
        within("receipt_days".into(), self.receipt_days, 0, RECEIPT_DAYS_MAX);
        within("months".into(), self.months.unwrap_or(1), 1, MONTHS_MAX);
        within("pays_min".into(), self.pays_min, 1, STEP_MAX);
        within("pays_max_ppm".into(), self.pays_max.parts_per_million(), 0, Rate::WHOLE);
    }

    /// What money of a currency earns in a channel.
    pub fn earning(&self, currency: Currency, channel: Id<Channel>) -> Option<&Earning> {
        let fits = |one: &&Earning| one.currency == currency;
        let own = self.earnings.iter().filter(fits).find(|one| one.channel == Some(channel));
        own.or_else(|| self.earnings.iter().filter(fits).find(|one| one.channel.is_none()))
    }

    /// What points are worth in a currency.
    pub fn worth(&self, currency: Currency) -> Option<&Worth> {
        self.worth.iter().find(|one| one.currency == currency)
    }

    /// How much of what they would earn goods earn.
    pub fn factor(&self, goods: &[Goods]) -> i64 {
        let found = self.factors.iter().find(|factor| goods.contains(&factor.of));
        found.map_or(Rate::WHOLE, |factor| factor.rate.parts_per_million())
    }

    /// How much more is earned at an instant.
    pub fn season(&self, at: Instant) -> i64 {
        let runs = |season: &&Season| season.from <= at && at < season.until;
        let rates = self.seasons.iter().filter(runs).map(|season| season.rate.parts_per_million());
        rates.max().unwrap_or(Rate::WHOLE)
    }

    /// When points that become available at an instant expire: at the end of the same day of the month, so many months later, by the clock
    /// of a zone.
    pub fn expires_at(&self, available_at: Instant, zone: &Zone) -> Option<Instant> {
        self.months.map(|months| months_later(available_at, months, zone))
    }
}

/// The end of the day this many months after an instant by the clock of a zone; of the month's last day where it has no such day.
pub(super) fn months_later(at: Instant, months: i64, zone: &Zone) -> Instant {
    let after = LocalDay::of(at, zone).plus_months(months).and_then(LocalDay::next);
    after.map_or(Instant::from_micros(i64::MAX), |day| day.first_instant(zone))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn pounds() -> Currency {
        Currency::parse("GBP").unwrap()
    }

    pub fn simple() -> Terms {
        Terms {
            zone: Zone::parse("UTC").unwrap(),
            earnings: vec![Earning { currency: pounds(), channel: None, points: 1, per_minor: 100 }],
            factors: Vec::new(),
            seasons: Vec::new(),
            counts_delivery: false,
            counts_tax: true,
            uncounted: vec![PaymentKind::GiftCard],
            pending_days: 14,
            receipt_days: 30,
            months: Some(12),
            worth: vec![Worth { currency: pounds(), points: 3, minor: 10 }],
            pays_min: 1,
            pays_max: Rate::from_parts_per_million(Rate::WHOLE).unwrap(),
            below_zero: false,
            occasions: vec![Occasion { code: "birthday".into(), points: 50, times_max: None }],
            ladder: None,
            sharing: None,
            referral: None,
        }
    }

    #[test]
    fn points_are_worth_whole_minor_units_and_never_more_than_they_cost() {
        let worth = &simple().worth[0];
        assert_eq!((worth.of(3), worth.of(4), worth.of(2)), (10, 13, 6));
        for minor in 1..200 {
            let points = worth.needed(minor);
            assert!(worth.of(points) >= minor && worth.of(points - 1) < minor, "{minor}");
        }
    }

    #[test]
    fn points_expire_at_the_end_of_the_day_months_later() {
        let at = |text: &str| Instant::parse(text).unwrap();
        let zone = |name: &str| Zone::parse(name).unwrap();
        let (utc, berlin, new_york) = (zone("UTC"), zone("Europe/Berlin"), zone("America/New_York"));
        let one = Terms { months: Some(1), ..simple() };
        let end = |from: &str, zone: &Zone| one.expires_at(at(from), zone).unwrap().to_string();
        assert_eq!(end("2026-01-31T10:00:00Z", &utc), "2026-03-01T00:00:00Z");
        assert_eq!(
            end("2026-01-31T23:30:00Z", &berlin),
            "2026-03-01T23:00:00Z",
            "the first of February there"
        );
        assert_eq!(
            end("2026-02-10T03:00:00Z", &new_york),
            "2026-03-10T04:00:00Z",
            "the ninth, summer time since"
        );
        assert_eq!(simple().expires_at(at("2026-12-05T23:59:59Z"), &utc), Some(at("2027-12-06T00:00:00Z")));
        assert_eq!(Terms { months: None, ..simple() }.expires_at(at("2026-01-31T10:00:00Z"), &utc), None);
    }

    #[test]
    fn every_bad_field_is_named() {
        let mut bad = simple();
        bad.earnings.push(Earning { points: 0, ..bad.earnings[0].clone() });
        bad.worth[0].points = 0;
        bad.pending_days = 400;
        bad.occasions.push(bad.occasions[0].clone());
        let (from, until) = (Instant::from_micros(5), Instant::from_micros(5));
        let rate = Rate::from_parts_per_million(2 * Rate::WHOLE).unwrap();
        bad.seasons.push(Season { name: "none".into(), from, until, rate });
        let refused = bad.checked().unwrap_err();
        let fields: Vec<_> = refused.each().filter_map(|one| one.field()).collect();
        assert_eq!(
            fields,
            [
                "earnings.1.points",
                "worth.0.points",
                "pending_days",
                "earnings.1",
                "occasions.1.code",
                "seasons.0.until"
            ]
        );
        assert!(simple().checked().is_ok());
    }

    #[test]
    fn a_channel_s_own_earning_comes_first_and_the_best_season_counts() {
        let (own, other) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        let mut terms = simple();
        terms.earnings.push(Earning { channel: Some(own), points: 5, ..terms.earnings[0].clone() });
        assert_eq!(terms.earning(pounds(), own).map(|one| one.points), Some(5));
        assert_eq!(terms.earning(pounds(), other).map(|one| one.points), Some(1));
        assert_eq!(terms.earning(Currency::parse("EUR").unwrap(), own), None);
        for (parts, until) in [(2, 10), (3, 20)] {
            let rate = Rate::from_parts_per_million(parts * Rate::WHOLE).unwrap();
            let (from, until) = (Instant::from_micros(5), Instant::from_micros(until));
            terms.seasons.push(Season { name: "x".into(), from, until, rate });
        }
        let season = |at| terms.season(Instant::from_micros(at)) / Rate::WHOLE;
        assert_eq!([season(4), season(5), season(15), season(20)], [1, 3, 3, 1]);
    }
}
