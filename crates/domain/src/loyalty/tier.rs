//! Tiers: what a member reaches by what counts within a time, what that brings, and how it is lost again.

use super::programme::{STEP_MAX, months_later};
use crate::customer::GROUP_CHARS_MAX;
use crate::refusal::Refusal;
use crate::value::{Currency, Instant, LocalDay, Rate, Zone};
use crate::words;

/// The most tiers of a programme.
pub const TIERS_MAX: usize = 10;
/// The longest time within which something counts, in months.
pub const SPAN_MONTHS_MAX: i64 = 36;
/// The longest grace, in days: a year.
pub const GRACE_DAYS_MAX: i64 = 366;
/// The most days by which a tier lengthens return windows.
pub const RETURN_DAYS_MAX: i64 = 366;
/// The most things that count for one member within the longest time; beyond that the oldest do not count.
pub const COUNTED_MAX: i64 = 10_000;

words! {
    /// What is measured.
    Measure {
        /// Points earned: by orders, on occasions, by hand.
        Points 1 "points";
        /// Money for which points were earned.
        Spend 2 "spend";
        /// Orders of which something was kept.
        Visits 3 "visits";
    }
}

words! {
    /// How far a member falls who does not keep a tier.
    Downgrade {
        /// To the tier below, for another time like the one that is over.
        OneTier 1 "one_tier";
        /// At once to the highest tier that is earned or kept.
        Earned 2 "earned";
    }
}

words! {
    /// Why a member's tier changed.
    Why {
        /// What counts was enough.
        Reached 1 "reached";
        /// What counted was not enough any more, and the grace was over.
        Fell 2 "fell";
        /// The programme says something else now.
        Rules 3 "rules";
        /// Somebody was merged into the member who had more, or taken out again.
        Merged 4 "merged";
    }
}

/// Within which time something counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Within the calendar year. What is kept by it is kept to the end of the year after.
    Year,
    /// To the end of the same day so many months later.
    Months(i64),
}

/// How much of something is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// What is measured.
    pub measure: Measure,
    /// In which currency, for money.
    pub currency: Option<Currency>,
    /// How much at least.
    pub at_least: i64,
    /// Within which time.
    pub span: Span,
}

/// A tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The short word it goes by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// What is enough to reach it.
    pub entry: Mark,
    /// What is enough to keep it; what was enough to reach it is, too.
    pub keep: Mark,
    /// How much of what others earn its members earn.
    pub rate: Rate,
    /// The group its members belong to beside their own: member prices and promotions ask for it.
    pub group: Option<String>,
    /// By how many days it lengthens the windows of returns.
    pub return_days: i64,
}

/// The tiers of a programme, the lowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// The tiers.
    pub tiers: Vec<Tier>,
    /// How many days a tier is held that is not kept any more.
    pub grace_days: i64,
    /// How far a member falls.
    pub downgrade: Downgrade,
    /// The tier below which nobody falls who reached it.
    pub floor: Option<String>,
}

/// Something that counts for a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Since when.
    pub at: Instant,
    /// How many points it earned.
    pub points: i64,
    /// For how much money, in minor units.
    pub minor: i64,
    /// In which currency.
    pub currency: Option<Currency>,
    /// Is it an order of which something was kept? 1, or 0.
    pub visits: i64,
}

/// Where a member stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The tier, counted from 0; none yet when `None`.
    pub tier: Option<usize>,
    /// When the tier is lost, unless enough counts by then.
    pub falls_at: Option<Instant>,
}

impl Span {
    /// The first instant at which what counted at an instant counts no more.
    fn ends(self, at: Instant, zone: &Zone) -> Instant {
        match self {
            Span::Months(months) => months_later(at, months, zone),
            Span::Year => year_begins(LocalDay::of(at, zone).year().saturating_add(1), zone),
        }
    }
}

/// The first instant of a year.
fn year_begins(year: i16, zone: &Zone) -> Instant {
    LocalDay::new(year, 1, 1).map_or(Instant::from_micros(i64::MAX), |day| day.first_instant(zone))
}

impl Mark {
    fn of(&self, one: &Counted) -> i64 {
        match self.measure {
            Measure::Points => one.points,
            Measure::Spend if one.currency == self.currency => one.minor,
            Measure::Spend => 0,
            Measure::Visits => one.visits,
        }
    }

    /// How much counts at an instant.
    pub fn measured(&self, counted: &[Counted], at: Instant, zone: &Zone) -> i64 {
        let begin = year_begins(LocalDay::of(at, zone).year(), zone);
        let counts = |one: &&Counted| match self.span {
            Span::Year => (begin..=at).contains(&one.at),
            Span::Months(_) => one.at <= at && at < self.span.ends(one.at, zone),
        };
        counted.iter().filter(counts).map(|one| self.of(one)).sum()
    }

    /// How much counted in the calendar year before; 0 where no year counts.
    fn before(&self, counted: &[Counted], at: Instant, zone: &Zone) -> i64 {
        if self.span != Span::Year {
            return 0;
        }
        let year = LocalDay::of(at, zone).year();
        let (begin, end) = (year_begins(year - 1, zone), year_begins(year, zone));
        counted.iter().filter(|one| (begin..end).contains(&one.at)).map(|one| self.of(one)).sum()
    }

    fn refusals(&self, field: &str, refusals: &mut Vec<Refusal>) {
        if !(1..=STEP_MAX).contains(&self.at_least) {
            refusals.push(Refusal::invalid(format!("{field}.at_least"), format!("give 1 to {STEP_MAX}")));
        }
        if let Span::Months(months) = self.span
            && !(1..=SPAN_MONTHS_MAX).contains(&months)
        {
            let message = format!("give 1 to {SPAN_MONTHS_MAX}");
            refusals.push(Refusal::invalid(format!("{field}.months"), message));
        }
        if (self.measure == Measure::Spend) != self.currency.is_some() {
            let message = "name a currency for money, and none for anything else";
            refusals.push(Refusal::invalid(format!("{field}.currency"), message));
        }
    }
}

impl Ladder {
    /// What is wrong with it, by field.
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if !(1..=TIERS_MAX).contains(&self.tiers.len()) {
            refusals.push(Refusal::invalid("tiers", format!("give 1 to {TIERS_MAX}")));
        }
        if !(0..=GRACE_DAYS_MAX).contains(&self.grace_days) {
            refusals.push(Refusal::invalid("grace_days", format!("give 0 to {GRACE_DAYS_MAX}")));
        }
        for (place, one) in self.tiers.iter().enumerate() {
            let field = |name: &str| format!("tiers.{place}.{name}");
            if self.tiers[..place].iter().any(|other| other.code == one.code) {
                let message = format!("\"{}\" is named twice; name it once", one.code);
                refusals.push(Refusal::invalid(field("code"), message));
            }
            one.entry.refusals(&field("entry"), &mut refusals);
            one.keep.refusals(&field("keep"), &mut refusals);
            if one.group.as_ref().is_some_and(|group| group.chars().count() > GROUP_CHARS_MAX) {
                let message = format!("give at most {GROUP_CHARS_MAX} characters");
                refusals.push(Refusal::invalid(field("group"), message));
            }
            if !(0..=RETURN_DAYS_MAX).contains(&one.return_days) {
                let message = format!("give 0 to {RETURN_DAYS_MAX}");
                refusals.push(Refusal::invalid(field("return_days"), message));
            }
        }
        if self.floor.as_ref().is_some_and(|floor| self.place(floor).is_none()) {
            refusals.push(Refusal::invalid("floor", "name one of the tiers"));
        }
        refusals
    }

    /// Where the tier of a code stands.
    pub fn place(&self, code: &str) -> Option<usize> {
        self.tiers.iter().position(|tier| tier.code == code)
    }

    /// The highest tier that is earned at an instant.
    pub fn earned(&self, counted: &[Counted], at: Instant, zone: &Zone) -> Option<usize> {
        self.tiers.iter().rposition(|tier| tier.entry.measured(counted, at, zone) >= tier.entry.at_least)
    }

    /// Is a tier kept at an instant?
    pub fn keeps(&self, tier: usize, counted: &[Counted], at: Instant, zone: &Zone) -> bool {
        let Tier { entry, keep, .. } = &self.tiers[tier];
        [entry, keep]
            .into_iter()
            .any(|mark| mark.measured(counted, at, zone).max(mark.before(counted, at, zone)) >= mark.at_least)
    }

    /// Where a member stands from an instant on, who stood somewhere before: up at once; down when a tier is not kept and the grace is over,
    /// never below the floor.
    pub fn judge(&self, counted: &[Counted], was: Standing, at: Instant, zone: &Zone) -> Standing {
        let earned = self.earned(counted, at, zone);
        let Some(current) = was.tier.filter(|current| earned.is_none_or(|earned| earned <= *current)) else {
            return Standing { tier: earned, falls_at: None };
        };
        let floor = self.floor.as_ref().and_then(|floor| self.place(floor)).filter(|floor| *floor <= current);
        if floor == Some(current) || self.keeps(current, counted, at, zone) {
            return Standing { tier: was.tier, falls_at: None };
        }
        match was.falls_at {
            None if self.grace_days > 0 => {
                let falls_at = at.plus_seconds(self.grace_days * 86_400);
                return Standing { falls_at: Some(falls_at), ..was };
            }
            Some(falls_at) if falls_at > at => return was,
            _ => {}
        }
        let kept = |tier: &usize| self.keeps(*tier, counted, at, zone);
        let tier = match self.downgrade {
            Downgrade::OneTier => current.checked_sub(1),
            Downgrade::Earned => (0..current).rev().find(kept),
        };
        let tier = tier.max(floor);
        let is_held =
            |tier: &usize| self.downgrade == Downgrade::OneTier && Some(*tier) != floor && !kept(tier);
        let falls_at = tier.filter(is_held).map(|tier| self.tiers[tier].keep.span.ends(at, zone));
        Standing { tier, falls_at }
    }

    /// The next instant at which where a member stands may change though nothing happens.
    pub fn next_review(
        &self,
        counted: &[Counted],
        now: Standing,
        at: Instant,
        zone: &Zone,
    ) -> Option<Instant> {
        let tier = now.tier?;
        let spans = self.tiers[..=tier].iter().flat_map(|tier| [tier.entry.span, tier.keep.span]);
        let mut next: Vec<Instant> = now.falls_at.into_iter().collect();
        for span in spans {
            match span {
                Span::Year => next.push(span.ends(at, zone)),
                Span::Months(_) => next.extend(counted.iter().map(|one| span.ends(one.at, zone))),
            }
        }
        next.into_iter().filter(|instant| *instant > at && instant.micros() < i64::MAX).min()
    }

    /// The tier after one, how much of what it asks for counts, and how much is missing.
    pub fn missing(
        &self,
        counted: &[Counted],
        tier: Option<usize>,
        at: Instant,
        zone: &Zone,
    ) -> Option<(&Tier, i64)> {
        let next = self.tiers.get(tier.map_or(0, |tier| tier + 1))?;
        let measured = next.entry.measured(counted, at, zone);
        Some((next, measured))
    }

    /// Since when something can count at an instant.
    pub fn since(&self, at: Instant, zone: &Zone) -> Instant {
        let spans = self.tiers.iter().flat_map(|tier| [tier.entry.span, tier.keep.span]);
        let begins = |span| match span {
            Span::Year => year_begins(LocalDay::of(at, zone).year().saturating_sub(1), zone),
            Span::Months(months) => {
                let day = LocalDay::of(at, zone).plus_months(-months).and_then(LocalDay::previous);
                day.map_or(Instant::from_micros(i64::MIN), |day| day.first_instant(zone))
            }
        };
        spans.map(begins).min().unwrap_or(at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::programme::tests::pounds;
    use super::*;
    use proptest::prelude::*;

    fn zone() -> Zone {
        Zone::parse("Europe/London").unwrap()
    }

    fn at(text: &str) -> Instant {
        Instant::parse(&format!("{text}T12:00:00Z")).unwrap()
    }

    fn mark(at_least: i64, span: Span) -> Mark {
        Mark { measure: Measure::Points, currency: None, at_least, span }
    }

    fn tier(code: &str, entry: i64, span: Span) -> Tier {
        let (entry, keep) = (mark(entry, span), mark(entry / 2, span));
        let rate = Rate::from_parts_per_million(Rate::WHOLE).unwrap();
        Tier { code: code.into(), name: code.into(), entry, keep, rate, group: None, return_days: 0 }
    }

    fn ladder(span: Span, downgrade: Downgrade, grace_days: i64) -> Ladder {
        let tiers = vec![tier("silver", 100, span), tier("gold", 200, span), tier("black", 400, span)];
        Ladder { tiers, grace_days, downgrade, floor: None }
    }

    fn points(when: &str, points: i64) -> Counted {
        Counted { at: at(when), points, minor: 0, currency: None, visits: 0 }
    }

    fn standing(tier: usize) -> Standing {
        Standing { tier: Some(tier), falls_at: None }
    }

    #[test]
    fn a_year_s_tier_is_kept_to_the_end_of_the_next_year() {
        let ladder = ladder(Span::Year, Downgrade::Earned, 0);
        let counted = [points("2026-05-01", 150), points("2026-12-31", 50), points("2027-02-01", 60)];
        let judge = |was, when| ladder.judge(&counted, was, at(when), &zone());
        assert_eq!(judge(Standing::default(), "2026-06-01"), standing(0));
        assert_eq!(judge(standing(0), "2026-12-31"), standing(1));
        assert_eq!(judge(standing(1), "2027-12-31"), standing(1));
        assert_eq!(judge(standing(1), "2028-01-01"), standing(0), "60 of 2027 keep silver");
        let next = ladder.next_review(&counted, standing(1), at("2027-07-01"), &zone()).unwrap();
        assert_eq!(next.to_string(), "2028-01-01T00:00:00Z");
        let (next, has) = ladder.missing(&counted, Some(1), at("2026-12-31"), &zone()).unwrap();
        assert_eq!((next.code.as_str(), has), ("black", 200));
        assert!(ladder.missing(&counted, Some(2), at("2026-12-31"), &zone()).is_none());
    }

    #[test]
    fn rolling_months_end_to_the_instant_and_grace_can_be_used() {
        let ladder = ladder(Span::Months(6), Downgrade::Earned, 30);
        let counted = [points("2026-01-10", 200)];
        let over = at("2026-07-10").plus_seconds(11 * 3600);
        assert_eq!(ladder.next_review(&counted, standing(1), at("2026-02-01"), &zone()), Some(over));
        let before = Instant::from_micros(over.micros() - 1);
        assert_eq!(ladder.judge(&counted, standing(1), before, &zone()), standing(1));
        let warned = ladder.judge(&counted, standing(1), over, &zone());
        assert_eq!(warned, Standing { tier: Some(1), falls_at: Some(over.plus_seconds(30 * 86_400)) });
        let saved = [counted[0], points("2026-07-15", 100)];
        assert_eq!(ladder.judge(&saved, warned, at("2026-07-15"), &zone()), standing(1));
        let fallen = ladder.judge(&counted, warned, warned.falls_at.unwrap(), &zone());
        assert_eq!(fallen, Standing::default());
    }

    #[test]
    fn one_tier_at_a_time_and_never_below_the_floor() {
        let mut ladder = ladder(Span::Year, Downgrade::OneTier, 0);
        let judge = |ladder: &Ladder, was, when| ladder.judge(&[], was, at(when), &zone());
        let fallen = judge(&ladder, standing(2), "2028-01-01");
        let end = Instant::parse("2029-01-01T00:00:00Z").ok();
        assert_eq!(fallen, Standing { tier: Some(1), falls_at: end }, "held for a year of its own");
        assert_eq!(judge(&ladder, fallen, "2028-12-31"), fallen);
        assert_eq!(judge(&ladder, fallen, "2029-01-01").tier, Some(0));
        ladder.floor = Some("gold".into());
        assert_eq!(judge(&ladder, standing(2), "2028-01-01"), standing(1));
        assert_eq!(judge(&ladder, standing(1), "2030-01-01"), standing(1));
        assert_eq!(judge(&ladder, standing(0), "2030-01-01").tier, None, "who never reached it has no floor");
    }

    #[test]
    fn money_counts_in_its_currency_and_orders_as_visits() {
        let mut spend = mark(5000, Span::Year);
        (spend.measure, spend.currency) = (Measure::Spend, Some(pounds()));
        let euros = Currency::parse("EUR").ok();
        let order = Counted { minor: 4000, currency: spend.currency, visits: 1, ..points("2026-03-01", 40) };
        let counted = [order, Counted { currency: euros, ..order }, Counted { minor: 2000, ..order }];
        assert_eq!(spend.measured(&counted, at("2026-04-01"), &zone()), 6000);
        let visits = Mark { measure: Measure::Visits, currency: None, ..spend };
        assert_eq!(visits.measured(&counted, at("2026-04-01"), &zone()), 3);
    }

    #[test]
    fn every_bad_field_is_named() {
        let mut bad = ladder(Span::Months(37), Downgrade::Earned, 400);
        bad.tiers[1].code = "silver".into();
        bad.tiers[0].entry = Mark { measure: Measure::Spend, ..mark(0, Span::Year) };
        bad.tiers[2].return_days = -1;
        bad.floor = Some("iron".into());
        let refused = bad.refusals();
        let fields: Vec<_> = refused.iter().filter_map(Refusal::field).collect();
        let months = ["tiers.0.keep.months", "tiers.1.code", "tiers.1.entry.months", "tiers.1.keep.months"];
        let (first, last) = (
            ["grace_days", "tiers.0.entry.at_least", "tiers.0.entry.currency"],
            ["tiers.2.entry.months", "tiers.2.keep.months", "tiers.2.return_days", "floor"],
        );
        assert_eq!(fields, [&first[..], &months, &last].concat());
        assert!(ladder(Span::Year, Downgrade::Earned, 0).refusals().is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn nobody_is_below_what_he_earned_or_above_what_he_keeps(
            all in prop::collection::vec((0i64..1200, 0i64..200), 0..10), one_tier: bool, grace in 0i64..40, by_year: bool,
        ) {
            let span = if by_year { Span::Year } else { Span::Months(5) };
            let downgrade = if one_tier { Downgrade::OneTier } else { Downgrade::Earned };
            let (ladder, zone) = (ladder(span, downgrade, grace), zone());
            let day = |days: i64| at("2026-01-01").plus_seconds(days * 86_400);
            let counted: Vec<Counted> =
                all.into_iter().map(|(days, points)| Counted { at: day(days), points, minor: 0, currency: None, visits: 0 }).collect();
            let mut standing = Standing::default();
            for now in (0..1600).step_by(5).map(day) {
                let was = standing;
                standing = ladder.judge(&counted, was, now, &zone);
                prop_assert_eq!(ladder.judge(&counted, standing, now, &zone), standing, "twice is once");
                prop_assert!(standing.tier >= ladder.earned(&counted, now, &zone));
                let kept = standing.tier.is_none_or(|tier| ladder.keeps(tier, &counted, now, &zone));
                prop_assert!(kept != standing.falls_at.is_some() || standing.falls_at.is_some_and(|at| at > now));
                if standing.tier < was.tier {
                    prop_assert!(was.tier.is_some_and(|tier| !ladder.keeps(tier, &counted, now, &zone)));
                }
                let since = ladder.since(now, &zone);
                let recent: Vec<Counted> = counted.iter().copied().filter(|one| one.at >= since).collect();
                prop_assert_eq!(ladder.judge(&recent, was, now, &zone), standing, "what is older counts no more");
            }
        }
    }
}
