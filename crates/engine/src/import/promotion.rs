//! Promotions from files: the plain ones in columns, any other in the API's words; made as drafts or put in force, changed where the external
//! id is known; and into files.

use std::collections::BTreeMap;

use domain::actor::{Actor, Permission};
use domain::import::{Outcome, cell};
use domain::promotion::State;
use domain::promotion::limit::{Limit, Period, Scope};
use domain::value::id::{self, Promotion as Kind};
use domain::value::{Currency, Id, Instant, Name, Rate, Reference, reference};
use domain::{Code, Refusal};
use pricing::promotion::PromotionShape;
use serde_json::{Value, json};
use store::{StoreError, Tx};

use super::export::{Named, Read, amount, or_empty, yes};
use super::row::{Amount, CellError, Cells};
use super::stock::variant_of;
use crate::promotion::{self, Change, Limited, NewPromotion};
use crate::{Failure, World, external};

/// The most goods of a plain promotion.
const GOODS_MAX: usize = 500;

/// The columns that a file which is given out has not: the terms say it.
pub(super) const IN_TERMS: &[&str] = &[
    "percent",
    "off",
    "off_minor",
    "new_price",
    "new_price_minor",
    "on",
    "skus",
    "currency",
    "needs_coupon",
    "customer_groups",
    "channels",
    "starts_at",
    "ends_at",
    "budget_minor",
];

/// A row of a file of promotions.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub external_id: String,
    name: Name,
    says: Says,
    uses_max: Option<i64>,
    uses_per_customer: Option<i64>,
    budget: Option<Amount>,
    active: bool,
}

/// What the promotion says.
#[derive(Clone, Debug)]
enum Says {
    /// In the words of the API.
    Terms(Box<PromotionShape>),
    /// In columns.
    Plain(Box<Plain>),
}

#[derive(Clone, Debug)]
struct Plain {
    off: Off,
    whole: bool,
    skus: Vec<String>,
    currency: Option<Currency>,
    needs_coupon: bool,
    groups: Vec<String>,
    channels: Vec<String>,
    starts_at: Option<Instant>,
    ends_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
enum Off {
    Percent(Rate),
    Amount(Amount),
    Price(Amount),
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let external_id = row.need("external_id", reference::external_id::<Kind>);
    let name = row.need("name", |said| Name::new("name", said));
    let says = says(&mut row);
    let (uses_max, uses_per_customer) = (row.whole("uses_max"), row.whole("uses_per_customer"));
    let budget = row.amount("budget", "budget_minor");
    let active = row.may("active", cell::yes);
    let read = (|| {
        Some(Row {
            external_id: external_id?,
            name: name?,
            says: says?,
            uses_max: uses_max?,
            uses_per_customer: uses_per_customer?,
            budget: budget?,
            active: active?.unwrap_or(false),
        })
    })();
    row.done(read)
}

fn says(row: &mut Cells<'_>) -> Option<Says> {
    const PLAIN: [&str; 5] = ["percent", "off", "off_minor", "new_price", "new_price_minor"];
    let is_plain = PLAIN.iter().any(|name| !row.said(name).is_empty());
    if !row.said("terms").is_empty() {
        if is_plain {
            row.refuse("terms", "give either the terms or what is off in columns, not both");
            return None;
        }
        let terms = row.need("terms", |said| serde_json::from_str::<PromotionShape>(said))?;
        return Some(Says::Terms(Box::new(terms)));
    }
    let percent = row.may("percent", percent)?;
    let off = row.amount("off", "off_minor")?;
    let price = row.amount("new_price", "new_price_minor")?;
    let off = match (percent, off, price) {
        (Some(rate), None, None) => Off::Percent(rate),
        (None, Some(amount), None) => Off::Amount(amount),
        (None, None, Some(amount)) => Off::Price(amount),
        _ => {
            row.refuse("percent", "give one of percent, off and new_price, or the terms");
            return None;
        }
    };
    let parts = |text: &str| -> Vec<String> {
        text.split('|').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let skus = parts(row.said("skus"));
    if skus.len() > GOODS_MAX {
        row.refuse(
            "skus",
            format!("names more than {GOODS_MAX}; put the goods into a category and give the terms"),
        );
    }
    let whole = row.may("on", |said| match said.to_lowercase().as_str() {
        "each" => Ok(false),
        "cart" => Ok(true),
        _ => Err("give each or cart"),
    });
    let (groups, channels) = (parts(row.said("customer_groups")), parts(row.said("channels")));
    let (currency, needs_coupon) = (row.currency(), row.may("needs_coupon", cell::yes));
    let (starts_at, ends_at) = (row.instant("starts_at"), row.instant("ends_at"));
    Some(Says::Plain(Box::new(Plain {
        off,
        whole: whole?.unwrap_or(false),
        skus,
        currency: currency?,
        needs_coupon: needs_coupon?.unwrap_or(false),
        groups,
        channels,
        starts_at: starts_at?,
        ends_at: ends_at?,
    })))
}

/// A share such as 12.5 or 12,5 with or without its sign.
fn percent(said: &str) -> Result<Rate, String> {
    let plain = said.trim().trim_end_matches('%').trim().replace(',', ".");
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    let digits = |text: &str| text.chars().all(|one| one.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || part.len() > 4 || !digits(whole) || !digits(part) {
        return Err("give a share such as 20 or 12.5".to_owned());
    }
    let millionths: i64 =
        format!("{whole}{part:0<4}").parse().map_err(|_| "give a share such as 20".to_owned())?;
    Rate::from_parts_per_million(millionths).map_err(|error| error.to_string())
}

/// Makes or changes the promotion.
pub(super) fn take(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, row: &Row) -> Result<Outcome, Failure> {
    let terms = match &row.says {
        Says::Terms(terms) => terms.as_ref().clone(),
        Says::Plain(plain) => terms(tx, plain)?,
    };
    let limits = limits(row, &terms)?;
    let Some(id) = store::external::find::<Kind>(tx, &row.external_id)? else {
        let made =
            promotion::create(tx, actor, world, NewPromotion { name: row.name.clone(), terms, limits })?;
        external::give(tx, made.promotion.id, Some(&row.external_id))?;
        if row.active {
            promotion::step(tx, actor, world, (made.promotion.id, None), State::Active)?;
        }
        return Ok(Outcome::Made);
    };
    let before = promotion::read(tx, actor, id)?;
    let is_said = before.promotion.name == row.name.as_str()
        && promotion::shape(&before.promotion)? == terms
        && before.limits == limits;
    let state = before.promotion.state;
    if is_said && (row.active == (state == State::Active) || state == State::Ended) {
        return Ok(Outcome::Same);
    }
    if state == State::Active && !row.active {
        let message = "the promotion is in force: say yes, or end it where promotions are kept";
        return Err(Refusal::new(Code::WrongState, message).at("active").into());
    }
    if !is_said {
        let change = Change { name: Some(row.name.clone()), terms: Some(terms), limits: Some(limits) };
        promotion::change(tx, actor, world, (id, None), change)?;
    }
    if row.active && state == State::Draft {
        promotion::step(tx, actor, world, (id, None), State::Active)?;
    }
    Ok(Outcome::Changed)
}

fn terms(tx: &mut Tx<'_>, plain: &Plain) -> Result<PromotionShape, Failure> {
    let minor = |field: &str, amount: Amount| {
        let currency =
            plain.currency.ok_or_else(|| Refusal::invalid("currency", "name what the amount is in"))?;
        amount.minor(field, currency)
    };
    let off = match plain.off {
        Off::Percent(rate) => json!({ "rate": rate.parts_per_million() }),
        Off::Amount(amount) => json!({ "amount": minor("off", amount)? }),
        Off::Price(amount) => json!({ "price": minor("new_price", amount)? }),
    };
    let mut goods = Vec::with_capacity(plain.skus.len());
    for sku in &plain.skus {
        let variant = variant_of(tx, sku).map_err(|failure| failure.at("skus"))?;
        goods.push(json!({ "variant": variant.to_string() }));
    }
    let mut conditions = Vec::new();
    if !plain.groups.is_empty() {
        conditions.push(json!({ "groups": plain.groups }));
    }
    if !plain.channels.is_empty() {
        let mut channels = Vec::with_capacity(plain.channels.len());
        for named in &plain.channels {
            let id = match store::import::channel_coded(tx, named)? {
                Some(id) => id,
                None => external::known_at(tx, "channels", &Reference::<id::Channel>::read(named))?,
            };
            channels.push(id.to_string());
        }
        conditions.push(json!({ "channels": channels }));
    }
    let mut benefit = json!({ "steps": [{ "off": off }] });
    if !goods.is_empty() {
        benefit["of"] = json!({ "any": goods });
    }
    let kind = if plain.whole { "whole" } else { "each" };
    let mut said: Value =
        json!({ "needs_coupon": plain.needs_coupon, "conditions": conditions, "benefit": { kind: benefit } });
    if let Some(currency) = plain.currency {
        said["currency"] = json!(currency.code());
    }
    for (field, at) in [("starts_at", plain.starts_at), ("ends_at", plain.ends_at)] {
        if let Some(at) = at {
            said[field] = json!(at.to_string());
        }
    }
    serde_json::from_value(said).map_err(|error| StoreError::Corrupt(error.to_string()).into())
}

fn limits(row: &Row, terms: &PromotionShape) -> Result<Vec<Limit>, Refusal> {
    let mut limits = Vec::new();
    let budget = match (row.budget, terms.currency.as_deref().map(Currency::parse)) {
        (Some(budget), Some(Ok(currency))) => Some(budget.minor("budget", currency)?),
        (Some(_), _) => return Err(Refusal::invalid("currency", "name what the budget is in")),
        (None, _) => None,
    };
    let ever = |scope, uses_max, minor_max| Limit { scope, period: Period::Ever, uses_max, minor_max };
    if row.uses_max.is_some() || budget.is_some() {
        limits.push(ever(Scope::Everybody, row.uses_max, budget));
    }
    if row.uses_per_customer.is_some() {
        limits.push(ever(Scope::Customer, row.uses_per_customer, None));
    }
    Ok(limits)
}

/// The rows of the promotions after one, in the words of the API. One whose limits columns cannot say is left out.
pub(super) fn given_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<Kind>,
    limit: i64,
) -> Result<Read, Failure> {
    actor.may(Permission::EditPromotions, None)?;
    let found = promotion::list(tx, actor, after, limit)?;
    let keys: Vec<_> = found.iter().map(|own| own.promotion.id.bytes()).collect();
    let external: BTreeMap<_, _> = store::import::external_ids::<Kind>(tx, &keys)?.into_iter().collect();
    let mut rows = Vec::with_capacity(found.len());
    for own in &found {
        let external_id =
            external.get(&own.promotion.id).cloned().unwrap_or_else(|| own.promotion.id.to_string());
        rows.extend(row_of(own, external_id)?);
    }
    Ok((found.len(), rows, found.last().map(|own| own.promotion.id.bytes())))
}

fn row_of(own: &Limited, external_id: String) -> Result<Option<Named>, Failure> {
    let shape = promotion::shape(&own.promotion)?;
    let of = |scope| own.limits.iter().find(|limit| (limit.scope, limit.period) == (scope, Period::Ever));
    let (all, each) = (of(Scope::Everybody), of(Scope::Customer));
    let said = usize::from(all.is_some()) + usize::from(each.is_some());
    if said < own.limits.len() || each.is_some_and(|limit| limit.minor_max.is_some()) {
        return Ok(None);
    }
    let currency = shape.currency.as_deref().and_then(|code| Currency::parse(code).ok());
    let budget = all.and_then(|limit| limit.minor_max).zip(currency);
    let terms = serde_json::to_string(&shape).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Some(BTreeMap::from([
        ("external_id", external_id),
        ("name", own.promotion.name.clone()),
        ("terms", terms),
        ("uses_max", or_empty(all.and_then(|limit| limit.uses_max))),
        ("uses_per_customer", or_empty(each.and_then(|limit| limit.uses_max))),
        ("budget", budget.map(|(minor, currency)| amount(minor, currency)).unwrap_or_default()),
        ("active", yes(own.promotion.state == State::Active)),
    ])))
}
