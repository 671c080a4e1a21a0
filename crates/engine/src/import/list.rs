//! Price lists from files: made, or changed where the code is known; and into files.

use std::collections::BTreeMap;

use domain::Refusal;
use domain::actor::Actor;
use domain::import::{Outcome, cell};
use domain::price::Audience;
use domain::value::id::{Channel, Market, PriceList as ListKind};
use domain::value::{Currency, Id, Instant, Reference, reference, text};
use store::Tx;

use super::export::{Named, Read, or_empty, yes};
use super::row::{CellError, Cells};
use crate::price::{self, ListChange, NewAudience, NewList, PriceList};
use crate::{Failure, World, external};

/// The most characters of a code.
const CODE_CHARS_MAX: usize = 60;

/// A row of a file of price lists. What the file has no column for is `None` and stays as it is.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub code: String,
    name: String,
    currency: Currency,
    market: Option<String>,
    channel: Option<String>,
    group: Option<String>,
    priority: Option<i64>,
    starts_at: Option<Option<Instant>>,
    ends_at: Option<Option<Instant>>,
    active: Option<bool>,
    external_id: Option<String>,
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let code = row.need("code", |said| text::bounded("code", said, 1, CODE_CHARS_MAX));
    let name = row.need("name", |said| text::bounded("name", said, 1, text::NAME_CHARS_MAX));
    let currency = row.need("currency", |said| Currency::parse(&said.to_uppercase()));
    let (market, channel) = (row.text("market"), row.text("channel"));
    if market.is_some() == channel.is_some() {
        row.refuse("market", "give either market or channel");
    }
    let priority = row.whole("priority");
    let (starts_at, ends_at) = (row.instant("starts_at"), row.instant("ends_at"));
    let active = row.may("active", cell::yes);
    let external_id = row.may("external_id", reference::external_id::<ListKind>);
    let group = row.text("customer_group");
    let [has_start, has_end] = ["starts_at", "ends_at"].map(|name| row.layout.has(name));
    let read = (|| {
        Some(Row {
            code: code?,
            name: name?,
            currency: currency?,
            market,
            channel,
            group,
            priority: priority?,
            starts_at: starts_at.map(|at| has_start.then_some(at))?,
            ends_at: ends_at.map(|at| has_end.then_some(at))?,
            active: active?,
            external_id: external_id?,
        })
    })();
    row.done(read)
}

/// Makes or changes the price list.
pub(super) fn take(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, row: &Row) -> Result<Outcome, Failure> {
    let audience = audience(tx, row)?;
    let Some(id) = store::import::price_list_coded(tx, &row.code)? else {
        let new = NewList {
            code: row.code.clone(),
            name: row.name.clone(),
            currency: row.currency,
            audience: match audience {
                Audience::Market(id) => NewAudience::Market(Reference::Id(id)),
                Audience::Channel(id) => NewAudience::Channel(Reference::Id(id)),
            },
            customer_group: row.group.clone(),
            priority: row.priority.unwrap_or(0),
            starts_at: row.starts_at.flatten(),
            ends_at: row.ends_at.flatten(),
            external_id: row.external_id.clone(),
        };
        let made = price::create_list(tx, actor, world, new)?;
        if row.active == Some(false) {
            let change = ListChange { active: Some(false), ..ListChange::default() };
            price::change_list(tx, actor, world, (Reference::Id(made.rule.id), Some(made.version)), change)?;
        }
        return Ok(Outcome::Made);
    };
    let before = price::find_list(tx, &Reference::Id(id))?;
    stays(&before, row, audience)?;
    if is_so(&before, row) {
        return Ok(Outcome::Same);
    }
    let change = ListChange {
        name: Some(row.name.clone()),
        priority: row.priority,
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        active: row.active,
    };
    price::change_list(tx, actor, world, (Reference::Id(id), Some(before.version)), change)?;
    Ok(Outcome::Changed)
}

/// What of a price list never changes.
fn stays(before: &PriceList, row: &Row, audience: Audience) -> Result<(), Refusal> {
    let kept = |field, is_same| {
        let message = "is another than the price list has, and that stays; use another code";
        if is_same { Ok(()) } else { Err(Refusal::invalid(field, message)) }
    };
    kept("currency", before.currency == row.currency)?;
    kept("market", before.rule.audience == audience)?;
    kept("customer_group", before.rule.customer_group == row.group)
}

fn is_so(before: &PriceList, row: &Row) -> bool {
    before.name == row.name
        && row.priority.is_none_or(|priority| priority == before.rule.priority)
        && row.starts_at.is_none_or(|at| at == before.rule.starts_at)
        && row.ends_at.is_none_or(|at| at == before.rule.ends_at)
        && row.active.is_none_or(|active| active == before.active)
}

fn audience(tx: &mut Tx<'_>, row: &Row) -> Result<Audience, Failure> {
    match (&row.market, &row.channel) {
        (Some(market), _) => {
            Ok(Audience::Market(external::known_at(tx, "market", &Reference::<Market>::read(market))?))
        }
        (None, Some(channel)) => match store::import::channel_coded(tx, channel)? {
            Some(id) => Ok(Audience::Channel(id)),
            None => {
                let named = Reference::<Channel>::read(channel);
                Ok(Audience::Channel(external::known_at(tx, "channel", &named)?))
            }
        },
        (None, None) => Err(Refusal::invalid("market", "give either market or channel").into()),
    }
}

/// The rows of the price lists after one.
pub(super) fn given_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<ListKind>,
    limit: i64,
) -> Result<Read, Failure> {
    let found = price::list_lists(tx, actor, after, limit)?;
    let row = |list: &PriceList| -> Named {
        let (market, channel) = match list.rule.audience {
            Audience::Market(id) => (id.to_string(), String::new()),
            Audience::Channel(id) => (String::new(), id.to_string()),
        };
        BTreeMap::from([
            ("code", list.code.clone()),
            ("name", list.name.clone()),
            ("currency", list.currency.code().to_owned()),
            ("market", market),
            ("channel", channel),
            ("customer_group", or_empty(list.rule.customer_group.as_ref())),
            ("priority", list.rule.priority.to_string()),
            ("starts_at", or_empty(list.rule.starts_at)),
            ("ends_at", or_empty(list.rule.ends_at)),
            ("active", yes(list.active)),
            ("external_id", or_empty(list.external_id.as_ref())),
        ])
    };
    Ok((found.len(), found.iter().map(row).collect(), found.last().map(|list| list.rule.id.bytes())))
}
