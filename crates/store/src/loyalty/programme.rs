//! The rows of loyalty programmes: what they are called, and what each of their versions says as a document.

use domain::loyalty::household::{Leaving, Sharing, Spends, Tiers};
use domain::loyalty::programme::{Earning, Factor, Goods, Occasion, Season, State, Terms, Worth};
use domain::market::PaymentKind;
use domain::value::id::LoyaltyProgramme;
use domain::value::{Currency, Id, Instant, Rate, Zone};
use serde_json::{Value, json};

use super::{referral, tier};
use crate::{Row, StoreError, Tx, params};

/// A loyalty programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programme {
    /// Its identity.
    pub id: Id<LoyaltyProgramme>,
    /// The short word it goes by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub made_at: Instant,
}

/// A version of what a programme says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The programme.
    pub programme: Id<LoyaltyProgramme>,
    /// Counts the versions, from 1.
    pub number: i64,
    /// Where it stands.
    pub state: State,
    /// From when on it is in force.
    pub active_from: Option<Instant>,
    /// What it says.
    pub terms: Terms,
    /// When it was written.
    pub made_at: Instant,
}

fn written(terms: &Terms) -> String {
    let goods = |goods: Goods| match goods {
        Goods::Product(id) => ("product", id.to_string()),
        Goods::Category(id) => ("category", id.to_string()),
    };
    let earning = |one: &Earning| {
        let channel = one.channel.map(|id| id.to_string());
        json!([one.currency.code(), channel, one.points, one.per_minor])
    };
    let factor = |one: &Factor| json!([goods(one.of), one.rate.parts_per_million()]);
    let season =
        |one: &Season| json!([one.name, one.from.micros(), one.until.micros(), one.rate.parts_per_million()]);
    let worth = |one: &Worth| json!([one.currency.code(), one.points, one.minor]);
    let occasion = |one: &Occasion| json!([one.code, one.points, one.times_max]);
    json!({
        "zone": terms.zone.name(), "tiers": terms.ladder.as_ref().map(tier::written),
        "household": terms.sharing.as_ref().map(shared), "referral": terms.referral.as_ref().map(referral::written),
        "earnings": terms.earnings.iter().map(earning).collect::<Vec<_>>(), "factors": terms.factors.iter().map(factor).collect::<Vec<_>>(),
        "seasons": terms.seasons.iter().map(season).collect::<Vec<_>>(), "counts_delivery": terms.counts_delivery, "counts_tax": terms.counts_tax,
        "uncounted": terms.uncounted.iter().map(|kind| kind.code()).collect::<Vec<_>>(), "pending_days": terms.pending_days, "receipt_days": terms.receipt_days, "months": terms.months,
        "worth": terms.worth.iter().map(worth).collect::<Vec<_>>(), "pays_min": terms.pays_min, "pays_max": terms.pays_max.parts_per_million(),
        "below_zero": terms.below_zero, "occasions": terms.occasions.iter().map(occasion).collect::<Vec<_>>(),
    })
    .to_string()
}

fn shared(one: &Sharing) -> Value {
    json!([one.members_max, one.spends.code(), one.leaving.code(), one.tiers.code(), one.rejoin_days])
}

fn sharing(from: &Value) -> Option<Sharing> {
    Some(Sharing {
        members_max: from[0].as_i64()?,
        spends: Spends::coded(from[1].as_i64()?)?,
        leaving: Leaving::coded(from[2].as_i64()?)?,
        tiers: Tiers::coded(from[3].as_i64()?)?,
        rejoin_days: from[4].as_i64()?,
    })
}

/// What a document says, if it says it.
fn said<T>(from: &Value, read: fn(&Value) -> Option<T>) -> Option<Option<T>> {
    if from.is_null() { Some(None) } else { read(from).map(Some) }
}

fn read(text: &str) -> Option<Terms> {
    let from: Value = serde_json::from_str(text).ok()?;
    let each = |field: &str| from[field].as_array().cloned();
    let rate = |value: &Value| Rate::from_parts_per_million(value.as_i64()?).ok();
    let currency = |value: &Value| Currency::parse(value.as_str()?).ok();
    let earning = |one: &Value| {
        let channel = one[1].as_str().map(Id::parse).transpose().ok()?;
        let (points, per_minor) = (one[2].as_i64()?, one[3].as_i64()?);
        Some(Earning { currency: currency(&one[0])?, channel, points, per_minor })
    };
    let factor = |one: &Value| {
        let named = one[0][1].as_str()?;
        let of = match one[0][0].as_str()? {
            "product" => Goods::Product(Id::parse(named).ok()?),
            _ => Goods::Category(Id::parse(named).ok()?),
        };
        Some(Factor { of, rate: rate(&one[1])? })
    };
    let season = |one: &Value| {
        let (from, until) = (one[1].as_i64()?, one[2].as_i64()?);
        Some(Season {
            name: one[0].as_str()?.to_owned(),
            from: Instant::from_micros(from),
            until: Instant::from_micros(until),
            rate: rate(&one[3])?,
        })
    };
    let worth = |one: &Value| {
        Some(Worth { currency: currency(&one[0])?, points: one[1].as_i64()?, minor: one[2].as_i64()? })
    };
    let occasion = |one: &Value| {
        Some(Occasion {
            code: one[0].as_str()?.to_owned(),
            points: one[1].as_i64()?,
            times_max: one[2].as_i64(),
        })
    };
    Some(Terms {
        sharing: said(&from["household"], sharing)?,
        referral: said(&from["referral"], referral::read)?,
        zone: Zone::parse(from["zone"].as_str()?).ok()?,
        earnings: each("earnings")?.iter().map(earning).collect::<Option<_>>()?,
        factors: each("factors")?.iter().map(factor).collect::<Option<_>>()?,
        seasons: each("seasons")?.iter().map(season).collect::<Option<_>>()?,
        counts_delivery: from["counts_delivery"].as_bool()?,
        counts_tax: from["counts_tax"].as_bool()?,
        uncounted: each("uncounted")?
            .iter()
            .map(|code| PaymentKind::coded(code.as_i64()?))
            .collect::<Option<_>>()?,
        pending_days: from["pending_days"].as_i64()?,
        receipt_days: from["receipt_days"].as_i64()?,
        months: from["months"].as_i64(),
        worth: each("worth")?.iter().map(worth).collect::<Option<_>>()?,
        pays_min: from["pays_min"].as_i64()?,
        pays_max: rate(&from["pays_max"])?,
        below_zero: from["below_zero"].as_bool()?,
        occasions: each("occasions")?.iter().map(occasion).collect::<Option<_>>()?,
        ladder: said(&from["tiers"], tier::read)?,
    })
}

fn programme(row: &mut Row<'_>) -> Result<Programme, StoreError> {
    Ok(Programme { id: row.id()?, code: row.text()?, name: row.text()?, made_at: row.instant()? })
}

fn version(row: &mut Row<'_>) -> Result<Version, StoreError> {
    Ok(Version {
        programme: row.id()?,
        number: row.int()?,
        state: row.word(State::coded)?,
        active_from: row.instant_or_null()?,
        terms: row.value(|text| read(text).ok_or("the terms of a loyalty programme cannot be read"))?,
        made_at: row.instant()?,
    })
}

/// Adds a programme.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Programme) -> Result<(), StoreError> {
    tx.execute(
        "insert into loyalty_programme (loyalty_programme_id, code, name, made_at) values ($1, $2, $3, $4)",
        params![one.id, &one.code, &one.name, one.made_at],
    )?;
    Ok(())
}

/// Adds a version of what a programme says.
///
/// # Errors
/// What the store says.
pub fn add_version(tx: &mut Tx<'_>, one: &Version) -> Result<(), StoreError> {
    tx.execute(
        "insert into loyalty_terms (loyalty_programme_id, number, state, active_from, terms, made_at) values ($1, $2, $3, $4, $5, $6)",
        params![
            one.programme,
            one.number,
            one.state.code(),
            one.active_from,
            &written(&one.terms),
            one.made_at
        ],
    )?;
    Ok(())
}

/// Puts a version into another state, if it still is in the one before; false when it is not.
///
/// # Errors
/// What the store says.
pub fn set_state(
    tx: &mut Tx<'_>,
    (programme, number): (Id<LoyaltyProgramme>, i64),
    (from, to): (State, State),
    active_from: Option<Instant>,
) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update loyalty_terms set state = $4, active_from = $5 where loyalty_programme_id = $1 and number = $2 and state = $3",
        params![programme, number, from.code(), to.code(), active_from],
    )?;
    Ok(touched == 1)
}

/// A programme, locked until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, id: Id<LoyaltyProgramme>) -> Result<Option<Programme>, StoreError> {
    tx.one(
        "select loyalty_programme_id, code, name, made_at from loyalty_programme where loyalty_programme_id = $1 {lock}",
        params![id],
        programme,
    )
}

/// The programmes, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Programme>, StoreError> {
    tx.rows(
        "select loyalty_programme_id, code, name, made_at from loyalty_programme order by loyalty_programme_id limit $1",
        params![limit],
        programme,
    )
}

/// The versions of a programme, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn versions(tx: &mut Tx<'_>, id: Id<LoyaltyProgramme>, limit: i64) -> Result<Vec<Version>, StoreError> {
    tx.rows(
        "select loyalty_programme_id, number, state, active_from, terms, made_at from loyalty_terms
         where loyalty_programme_id = $1 order by number desc limit $2",
        params![id, limit],
        version,
    )
}

/// A version of a programme.
///
/// # Errors
/// What the store says.
pub fn find_version(
    tx: &mut Tx<'_>,
    id: Id<LoyaltyProgramme>,
    number: i64,
) -> Result<Option<Version>, StoreError> {
    tx.one(
        "select loyalty_programme_id, number, state, active_from, terms, made_at from loyalty_terms
         where loyalty_programme_id = $1 and number = $2",
        params![id, number],
        version,
    )
}

/// The version that is in force at an instant: of the active ones the last to begin.
///
/// # Errors
/// What the store says.
pub fn in_force(
    tx: &mut Tx<'_>,
    id: Id<LoyaltyProgramme>,
    at: Instant,
) -> Result<Option<Version>, StoreError> {
    tx.one(
        "select loyalty_programme_id, number, state, active_from, terms, made_at from loyalty_terms
         where loyalty_programme_id = $1 and state = $2 and active_from <= $3 order by active_from desc, number desc limit 1",
        params![id, State::Active.code(), at],
        version,
    )
}
