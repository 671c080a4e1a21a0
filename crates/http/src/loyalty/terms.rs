//! The shape of what a loyalty programme says.

use domain::catalogue::short_code;
use domain::loyalty::programme::{ENTRIES_MAX, Earning, Factor, Goods, Occasion, Season, Terms, Worth};
use domain::market::PaymentKind;
use domain::value::id::Channel;
use domain::value::{Currency, Id, Rate, Reference, Zone, text};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;

use super::household::SharingShape;
use super::programme::NAME_LENGTH_MAX;
use super::referral::ReferralTermsShape;
use super::tier::{LadderShape, RATE_WHOLE};
use crate::shape::{Fields, MoneyShape};

/// What money spent earns.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoyaltyEarning, example = json!({"points": 1, "per": {"amount": 100, "currency": "GBP"}}))]
struct EarningShape {
    /// How many points.
    #[schema(minimum = 1, maximum = 1000)]
    points: i64,
    /// For how much.
    per: MoneyShape,
    /// In this channel only, by id or external id; in every channel when absent. A channel's own entry comes before.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
}

/// Goods that earn more or less than others.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoyaltyFactor, example = json!({"category": "cat_01jd0000000000000000000000", "rate_ppm": 2_000_000}))]
struct FactorShape {
    /// A product: its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    /// A category and those below it: its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// How much of what they would earn, in parts per million: 2000000 is twice as much, 0 nothing.
    #[schema(minimum = 0, maximum = 10_000_000)]
    rate_ppm: i64,
}

/// A time in which more is earned.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoyaltySeason, example = json!({"name": "Double points", "from": "2026-12-01T00:00:00Z", "until": "2026-12-08T00:00:00Z", "rate_ppm": 2_000_000}))]
struct SeasonShape {
    /// What people call it.
    #[schema(max_length = 120)]
    name: String,
    /// From when on.
    #[schema(format = DateTime)]
    from: String,
    /// Until when.
    #[schema(format = DateTime)]
    until: String,
    /// How much of what would be earned, in parts per million; of several seasons at once the highest counts.
    #[schema(minimum = 0, maximum = 10_000_000)]
    rate_ppm: i64,
}

/// What points are worth when they pay.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PointsWorth, example = json!({"points": 100, "amount": {"amount": 100, "currency": "GBP"}}))]
struct WorthShape {
    /// This many points
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    points: i64,
    /// are this much money.
    amount: MoneyShape,
}

/// Something other than buying that gives points.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoyaltyOccasion, example = json!({"code": "birthday", "points": 100}))]
struct OccasionShape {
    /// The short word it goes by.
    code: String,
    /// How many points it gives.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    points: i64,
    /// How often one member has it; as often as it comes when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    times_max: Option<i64>,
}

/// What a programme says.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoyaltyTerms, example = json!({"earnings": [{"points": 1, "per": {"amount": 100, "currency": "GBP"}}], "pending_days": 14, "months": 12,
    "worth": [{"points": 100, "amount": {"amount": 100, "currency": "GBP"}}]}))]
pub(super) struct TermsShape {
    /// The time zone, such as `Europe/London`, whose days count where no market says otherwise: points of an order expire by the clock of its
    /// market, others by this one, and the years of tiers are its years. That of the market made first when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    /// What money spent earns. Where no entry fits, nothing is earned.
    #[serde(default)]
    #[schema(max_items = 100)]
    earnings: Vec<EarningShape>,
    /// Goods that earn more or less; the first entry that fits counts.
    #[serde(default)]
    #[schema(max_items = 100)]
    factors: Vec<FactorShape>,
    /// Times in which more is earned.
    #[serde(default)]
    #[schema(max_items = 100)]
    seasons: Vec<SeasonShape>,
    /// Does the delivery charge earn? No when absent.
    #[serde(default)]
    counts_delivery: bool,
    /// Does tax earn? Yes when absent.
    #[serde(default = "yes")]
    counts_tax: bool,
    /// Kinds of payment that earn nothing, such as `gift_card`; points never do.
    #[serde(default)]
    #[schema(max_items = 10)]
    uncounted: Vec<String>,
    /// How many days after the last goods left points stay pending; none when absent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 366)]
    pending_days: i64,
    /// For how many days after a purchase its receipt still earns, for a member who brings it later; 30 when absent, never when 0.
    #[serde(default = "a_month")]
    #[schema(minimum = 0, maximum = 366)]
    receipt_days: i64,
    /// How many months after they became available points expire, at the end of the day; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 120)]
    months: Option<i64>,
    /// What points are worth when they pay, by currency; they do not pay where no entry fits.
    #[serde(default)]
    #[schema(max_items = 100)]
    worth: Vec<WorthShape>,
    /// The fewest points that pay at once; one when absent.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    pays_min: i64,
    /// The most of an order that points pay, in parts per million; all of it when absent.
    #[serde(default = "all")]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pays_max_ppm: i64,
    /// When earned points are taken back after they were spent: is the balance shown below zero? Else as `owed` beside it. Either way new
    /// points pay it first.
    #[serde(default)]
    below_zero: bool,
    /// What else gives points.
    #[serde(default)]
    #[schema(max_items = 100)]
    occasions: Vec<OccasionShape>,
    /// What members reach, and what it brings; no tiers when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    tiers: Option<LadderShape>,
    /// How members share a balance; they do not when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    household: Option<SharingShape>,
    /// What is given for friends; nothing when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    referral: Option<ReferralTermsShape>,
}

const fn yes() -> bool {
    true
}

const fn one() -> i64 {
    1
}

const fn a_month() -> i64 {
    30
}

const fn all() -> i64 {
    RATE_WHOLE
}

fn money(currency: Currency, minor: i64) -> MoneyShape {
    super::money(minor, currency)
}

impl From<&Terms> for TermsShape {
    fn from(terms: &Terms) -> TermsShape {
        let earning = |one: &Earning| EarningShape {
            points: one.points,
            per: money(one.currency, one.per_minor),
            channel: one.channel.map(|id| id.to_string()),
        };
        let factor = |one: &Factor| {
            let (product, category) = match one.of {
                Goods::Product(id) => (Some(id.to_string()), None),
                Goods::Category(id) => (None, Some(id.to_string())),
            };
            FactorShape { product, category, rate_ppm: one.rate.parts_per_million() }
        };
        let season = |one: &Season| SeasonShape {
            name: one.name.clone(),
            from: one.from.to_string(),
            until: one.until.to_string(),
            rate_ppm: one.rate.parts_per_million(),
        };
        let worth = |one: &Worth| WorthShape { points: one.points, amount: money(one.currency, one.minor) };
        let occasion = |one: &Occasion| OccasionShape {
            code: one.code.clone(),
            points: one.points,
            times_max: one.times_max,
        };
        TermsShape {
            zone: Some(terms.zone.name().to_owned()),
            tiers: terms.ladder.as_ref().map(LadderShape::from),
            household: terms.sharing.as_ref().map(SharingShape::from),
            referral: terms.referral.as_ref().map(ReferralTermsShape::from),
            earnings: terms.earnings.iter().map(earning).collect(),
            factors: terms.factors.iter().map(factor).collect(),
            seasons: terms.seasons.iter().map(season).collect(),
            counts_delivery: terms.counts_delivery,
            counts_tax: terms.counts_tax,
            uncounted: terms.uncounted.iter().map(|kind| kind.text().to_owned()).collect(),
            pending_days: terms.pending_days,
            receipt_days: terms.receipt_days,
            months: terms.months,
            worth: terms.worth.iter().map(worth).collect(),
            pays_min: terms.pays_min,
            pays_max_ppm: terms.pays_max.parts_per_million(),
            below_zero: terms.below_zero,
            occasions: terms.occasions.iter().map(occasion).collect(),
        }
    }
}

fn rate(fields: &mut Fields, field: &str, parts: i64) -> Option<Rate> {
    fields.take(field, Rate::from_parts_per_million(parts))
}

fn factor(fields: &mut Fields, one: &FactorShape) -> Option<Factor> {
    let rate = rate(fields, "rate_ppm", one.rate_ppm);
    let of = match (&one.product, &one.category) {
        (Some(product), None) => fields.id("product", product).map(Goods::Product),
        (None, Some(category)) => fields.id("category", category).map(Goods::Category),
        _ => {
            fields.refuse("product", "name a product or a category");
            None
        }
    };
    Some(Factor { of: of?, rate: rate? })
}

fn season(fields: &mut Fields, one: &SeasonShape) -> Option<Season> {
    let name = fields.take("name", text::bounded("name", &one.name, 1, NAME_LENGTH_MAX));
    let (from, until) = (fields.instant("from", &one.from), fields.instant("until", &one.until));
    let rate = rate(fields, "rate_ppm", one.rate_ppm);
    Some(Season { name: name?, from: from?, until: until?, rate: rate? })
}

impl TermsShape {
    /// The terms, the channels of earnings still by reference.
    pub(super) fn read(&self, fields: &mut Fields) -> Option<Read> {
        for (field, length) in [
            ("earnings", self.earnings.len()),
            ("factors", self.factors.len()),
            ("seasons", self.seasons.len()),
            ("uncounted", self.uncounted.len()),
            ("worth", self.worth.len()),
            ("occasions", self.occasions.len()),
        ] {
            if length > ENTRIES_MAX {
                fields.refuse(field, format!("give at most {ENTRIES_MAX}"));
                return None;
            }
        }
        let zone = fields.take_if("zone", self.zone.as_deref(), Zone::parse);
        let earnings = fields.each("earnings", &self.earnings, |fields, one| {
            let per = fields.money("per", &one.per)?;
            let (currency, per_minor) = (per.currency(), per.minor());
            Some(Earning { currency, channel: None, points: one.points, per_minor })
        });
        let factors = fields.each("factors", &self.factors, factor);
        let seasons = fields.each("seasons", &self.seasons, season);
        let worth = fields.each("worth", &self.worth, |fields, one| {
            let amount = fields.money("amount", &one.amount)?;
            Some(Worth { currency: amount.currency(), points: one.points, minor: amount.minor() })
        });
        let occasions = fields.each("occasions", &self.occasions, |fields, one| {
            let code = fields.take("code", short_code(&one.code));
            Some(Occasion { code: code?, points: one.points, times_max: one.times_max })
        });
        let mut uncounted = Vec::new();
        for (place, word) in self.uncounted.iter().enumerate() {
            uncounted.extend(fields.take(&format!("uncounted.{place}"), PaymentKind::parse(word)));
        }
        let pays_max = rate(fields, "pays_max_ppm", self.pays_max_ppm);
        let channels = self.earnings.iter().map(|one| one.channel.as_deref().map(Reference::read)).collect();
        let ladder = match &self.tiers {
            Some(shape) => Some(fields.within("tiers", |fields| shape.read(fields))?),
            None => None,
        };
        let sharing = match &self.household {
            Some(shape) => Some(fields.within("household", |fields| shape.read(fields))?),
            None => None,
        };
        let referral = match &self.referral {
            Some(shape) => Some(fields.within("referral", |fields| shape.read(fields))?),
            None => None,
        };
        let terms = Terms {
            zone: zone.clone().flatten().or_else(|| Zone::parse("UTC").ok())?,
            ladder,
            sharing,
            referral,
            earnings: earnings?,
            factors: factors?,
            seasons: seasons?,
            counts_delivery: self.counts_delivery,
            counts_tax: self.counts_tax,
            uncounted,
            pending_days: self.pending_days,
            receipt_days: self.receipt_days,
            months: self.months,
            worth: worth?,
            pays_min: self.pays_min,
            pays_max: pays_max?,
            below_zero: self.below_zero,
            occasions: occasions?,
        };
        Some(Read { terms, channels, has_zone: zone?.is_some() })
    }
}

/// Terms that were read, with what the books must add.
pub(super) struct Read {
    terms: Terms,
    /// The channels of the earnings by reference.
    channels: Vec<Option<Reference<Channel>>>,
    /// Is a zone named? Else that of the first market counts.
    has_zone: bool,
}

/// The terms with the channels of their earnings and their zone.
pub(super) fn known(tx: &mut Tx<'_>, read: &Read) -> Result<Terms, Failure> {
    let mut terms = read.terms.clone();
    if !read.has_zone
        && let Some(first) = store::market::list(tx, Id::from_bytes([0; 16]), 1)?.pop()
    {
        terms.zone = first.zone;
    }
    for (place, (earning, channel)) in terms.earnings.iter_mut().zip(&read.channels).enumerate() {
        let Some(channel) = channel else { continue };
        earning.channel = Some(external::known_at(tx, &format!("terms.earnings.{place}.channel"), channel)?);
    }
    Ok(terms)
}
