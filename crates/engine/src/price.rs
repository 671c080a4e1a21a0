//! Prices: lists for markets, channels and customer groups; setting prices with their history; and what a customer pays now.

use std::collections::BTreeSet;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::price::{self as rules, Audience, List, Row};
use domain::value::id::{
    Channel as ChannelKind, Market as MarketKind, PriceChange as ChangeKind, PriceList as ListKind,
    Variant as VariantKind,
};
use domain::value::{Currency, Id, Instant, Reference};
use serde_json::json;
use store::market::{Channel, find_channel, find_market};
use store::price::history as past;
use store::{Tx, price as rows};

pub use domain::price::Row as ListedPrice;
pub use store::price::PriceList;
pub use store::price::history::PriceChange;

use crate::catalogue::variant::find_variant;
use crate::edit::{self, set};
use crate::event::emit;
use crate::{Failure, World, external};

/// The most lines of history that are replayed to find the lowest price; the newest count.
const REPLAYED_MAX: i64 = 10_000;

/// Who a price list to be made is for.
#[derive(Clone, Debug)]
pub enum NewAudience {
    /// A market, in all its channels.
    Market(Reference<MarketKind>),
    /// One channel.
    Channel(Reference<ChannelKind>),
}

/// A price list to be made.
#[derive(Clone, Debug)]
pub struct NewList {
    /// The short word it goes by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// What its prices are in: the currency of its market.
    pub currency: Currency,
    /// Where it holds.
    pub audience: NewAudience,
    /// The group of customers it is for; everybody when `None`.
    pub customer_group: Option<String>,
    /// The higher goes first among lists that are as specific: 0 to [`rules::PRIORITY_MAX`].
    pub priority: i64,
    /// From when it holds.
    pub starts_at: Option<Instant>,
    /// Until when it holds, not included.
    pub ends_at: Option<Instant>,
    /// What the retailer's other systems call it.
    pub external_id: Option<String>,
}

/// What changes about a price list; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ListChange {
    /// What people call it.
    pub name: Option<String>,
    /// Which goes first.
    pub priority: Option<i64>,
    /// From when it holds.
    pub starts_at: Option<Option<Instant>>,
    /// Until when it holds.
    pub ends_at: Option<Option<Instant>>,
    /// Is it in use?
    pub active: Option<bool>,
}

/// A price to be set: it takes the place of the one with the same variant, list, quantity and start.
#[derive(Clone, Debug)]
pub struct NewPrice {
    /// The list.
    pub list: Reference<ListKind>,
    /// The variant.
    pub variant: Reference<VariantKind>,
    /// What one base unit costs, in minor units of the list's currency; `None` takes the price away.
    pub minor: Option<i64>,
    /// The price to compare with, shown struck through.
    pub was_minor: Option<i64>,
    /// From how many base units on it holds.
    pub minimum_quantity: i64,
    /// From when.
    pub starts_at: Option<Instant>,
    /// Until when, not included.
    pub ends_at: Option<Instant>,
}

/// What a customer pays for one base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Minor units.
    pub minor: i64,
    /// Of this currency.
    pub currency: Currency,
    /// The list it comes from.
    pub list: Id<ListKind>,
    /// The price to compare with, shown struck through.
    pub was_minor: Option<i64>,
}

/// What a customer pays for each of these variants at these quantities in this channel, in their order; `None` for one without a price.
///
/// Three statements at most, however many variants. The caller has judged whether who asks may know.
///
/// # Errors
/// What the store says.
pub fn prices(
    tx: &mut Tx<'_>,
    channel: &Channel,
    customer_group: Option<&str>,
    variants: &[(Id<VariantKind>, i64)],
    now: Instant,
) -> Result<Vec<Option<Price>>, Failure> {
    let lists = rows::lists_for(tx, channel.id, channel.market, customer_group)?;
    let wanted: BTreeSet<Id<VariantKind>> = variants.iter().map(|(variant, _)| *variant).collect();
    let wanted: Vec<_> = wanted.into_iter().collect();
    let list_ids: Vec<_> = lists.iter().map(|list| list.rule.id).collect();
    let found = rows::prices(tx, &wanted, &list_ids)?;
    let list_rules: Vec<List> = lists.iter().map(|list| list.rule.clone()).collect();
    let one = |(variant, quantity): &(Id<VariantKind>, i64)| {
        let own: Vec<Row> = of_variant(&found, *variant).iter().map(|(_, row)| *row).collect();
        let row = rules::effective(&list_rules, &own, *quantity, now)?;
        let list = lists.iter().find(|list| list.rule.id == row.list)?;
        Some(Price { minor: row.minor, currency: list.currency, list: row.list, was_minor: row.was_minor })
    };
    Ok(variants.iter().map(one).collect())
}

/// As [`prices`], at an instant that is past, as lists and prices stood then, whatever became of them.
///
/// # Errors
/// What the store says.
pub(crate) fn prices_then(
    tx: &mut Tx<'_>,
    channel: &Channel,
    customer_group: Option<&str>,
    variants: &[(Id<VariantKind>, i64)],
    at: Instant,
) -> Result<Vec<Option<Price>>, Failure> {
    let history = History::of(tx, channel, customer_group)?;
    let mut found = Vec::with_capacity(variants.len());
    for (variant, quantity) in variants {
        let changes = history.changes(tx, *variant)?;
        let row = rules::then(&history.list_changes, &changes, *quantity, at);
        found.push(row.and_then(|row| history.price(row)));
    }
    Ok(found)
}

/// How the lists of a channel stood over time, for everybody and perhaps a group.
struct History {
    lists: Vec<PriceList>,
    list_changes: Vec<rules::ListChange>,
}

impl History {
    fn of(tx: &mut Tx<'_>, channel: &Channel, customer_group: Option<&str>) -> Result<History, Failure> {
        let lists = past::lists_ever_for(tx, channel.id, channel.market, customer_group)?;
        let list_changes = past::list_changes(tx, &lists, REPLAYED_MAX)?;
        Ok(History { lists, list_changes })
    }

    /// The changes of a variant's prices in these lists, in order of time.
    fn changes(&self, tx: &mut Tx<'_>, variant: Id<VariantKind>) -> Result<Vec<rules::Change>, Failure> {
        let ids: Vec<_> = self.lists.iter().map(|list| list.rule.id).collect();
        let newest_first = past::changes_in(tx, variant, &ids, REPLAYED_MAX)?;
        Ok(newest_first.iter().rev().map(PriceChange::replayed).collect())
    }

    fn price(&self, row: Row) -> Option<Price> {
        let list = self.lists.iter().find(|list| list.rule.id == row.list)?;
        Some(Price { minor: row.minor, currency: list.currency, list: row.list, was_minor: None })
    }
}

/// The part of a list sorted by variant that is of one variant.
pub fn of_variant<T>(found: &[(Id<VariantKind>, T)], variant: Id<VariantKind>) -> &[(Id<VariantKind>, T)] {
    let from = found.partition_point(|(id, _)| *id < variant);
    let to = found.partition_point(|(id, _)| *id <= variant);
    &found[from..to]
}

/// Makes a price list.
///
/// # Errors
/// [`domain::Code::AlreadyExists`] when the code is taken; [`domain::Code::CurrencyMismatch`] when the market has another currency.
pub fn create_list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewList,
) -> Result<PriceList, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let (audience, market) = audience(tx, &new.audience)?;
    let market = find_market(tx, market)?
        .ok_or_else(|| Refusal::invalid("market", format!("no market \"{market}\"")))?;
    rules::currency(new.currency, market.currency)?;
    let rule = List {
        id: world.id(),
        audience,
        customer_group: new.customer_group,
        priority: new.priority,
        starts_at: new.starts_at,
        ends_at: new.ends_at,
    };
    rules::list(&rule)?;
    let list = PriceList {
        rule,
        code: new.code,
        name: new.name,
        currency: new.currency,
        active: true,
        external_id: new.external_id,
        version: 1,
    };
    if !rows::add_list(tx, &list)? {
        return Err(edit::code_taken::<ListKind>(&list.code).into());
    }
    external::give(tx, list.rule.id, list.external_id.as_deref())?;
    past::note_list(tx, &list, (world.id(), world.now(), &actor.who.label()))?;
    emit(tx, actor, world, list.rule.id, "price_list.created", json!({ "code": list.code }));
    Ok(list)
}

fn audience(tx: &mut Tx<'_>, new: &NewAudience) -> Result<(Audience, Id<MarketKind>), Failure> {
    match new {
        NewAudience::Market(reference) => {
            let id = external::resolve_at(tx, "market", reference)?;
            Ok((Audience::Market(id), id))
        }
        NewAudience::Channel(reference) => {
            let id = external::resolve_at(tx, "channel", reference)?;
            let channel = find_channel(tx, id)?;
            let channel =
                channel.ok_or_else(|| Refusal::invalid("channel", format!("no channel \"{id}\"")))?;
            Ok((Audience::Channel(id), channel.market))
        }
    }
}

/// Changes a price list; `version` is the one it was read with.
///
/// # Errors
/// [`domain::Code::Stale`] when it was changed since.
pub fn change_list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (reference, version): (Reference<ListKind>, Option<i64>),
    change: ListChange,
) -> Result<PriceList, Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let mut list = find_list(tx, &reference)?;
    edit::unchanged(list.rule.id, list.version, version)?;
    set(&mut list.name, change.name);
    set(&mut list.rule.priority, change.priority);
    set(&mut list.rule.starts_at, change.starts_at);
    set(&mut list.rule.ends_at, change.ends_at);
    set(&mut list.active, change.active);
    rules::list(&list.rule)?;
    list.version += 1;
    if !rows::update_list(tx, &list)? {
        return Err(edit::stale(list.rule.id).into());
    }
    past::note_list(tx, &list, (world.id(), world.now(), &actor.who.label()))?;
    emit(tx, actor, world, list.rule.id, "price_list.changed", json!({ "version": list.version }));
    Ok(list)
}

/// The price list a reference stands for.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn find_list(tx: &mut Tx<'_>, reference: &Reference<ListKind>) -> Result<PriceList, Failure> {
    let id = external::resolve(tx, reference)?;
    rows::find_list(tx, id)?.ok_or_else(|| Refusal::not_found("price list", id).into())
}

/// A price list, for who may see the catalogue.
///
/// # Errors
/// As [`find_list`].
pub fn read_list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    reference: &Reference<ListKind>,
) -> Result<PriceList, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    find_list(tx, reference)
}

/// The price lists after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list_lists(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<ListKind>,
    limit: i64,
) -> Result<Vec<PriceList>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    Ok(rows::list_lists(tx, after, limit)?)
}

/// Sets a price, or takes it away, and notes it in the history; answers the variant and the price it has now there.
/// Setting what is set already changes nothing.
///
/// # Errors
/// [`domain::Code::NotFound`] when there is no price to take away; [`domain::Code::Invalid`] naming the field.
pub fn set_price(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewPrice,
) -> Result<(Id<VariantKind>, Option<ListedPrice>), Failure> {
    actor.may(Permission::EditCatalogue, None)?;
    let list = external::resolve_at(tx, "price_list", &new.list)?;
    let list = rows::find_list(tx, list)?
        .ok_or_else(|| Refusal::invalid("price_list", format!("no price list \"{list}\"")))?;
    let variant = external::resolve_at(tx, "variant", &new.variant)?;
    let variant = find_variant(tx, &Reference::Id(variant))
        .map_err(|_| Refusal::invalid("variant", format!("no variant \"{variant}\"")))?;
    let place = Row {
        list: list.rule.id,
        minimum_quantity: new.minimum_quantity,
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        minor: new.minor.unwrap_or(0),
        was_minor: new.was_minor,
    };
    rules::row(&place)?;
    let old = rows::find_price(tx, variant.id, &place)?;
    if old.is_none() && new.minor.is_none() {
        return Err(
            Refusal::not_found("price of this variant, list, quantity and start", &variant.sku).into()
        );
    }
    let row = new.minor.map(|_| place);
    if old == row {
        return Ok((variant.id, row));
    }
    match &row {
        Some(row) => rows::set_price(tx, variant.id, row)?,
        None => drop(rows::remove_price(tx, variant.id, &place)?),
    }
    let change = PriceChange {
        id: world.id(),
        variant: variant.id,
        list: list.rule.id,
        at: world.now(),
        actor: actor.who.label(),
        minimum_quantity: place.minimum_quantity,
        starts_at: place.starts_at,
        ends_at: row.and_then(|row| row.ends_at),
        old_minor: old.map(|old| old.minor),
        new_minor: new.minor,
    };
    past::note_change(tx, &change)?;
    let body = json!({ "list": list.rule.id.to_string(), "minimum_quantity": place.minimum_quantity,
        "old_minor": change.old_minor, "new_minor": change.new_minor, "currency": list.currency.code() });
    emit(tx, actor, world, variant.id, "price.changed", body);
    Ok((variant.id, row))
}

/// Every price of a variant, in all lists, past and future ones too.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn prices_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    variants: &[Id<VariantKind>],
) -> Result<Vec<(Id<VariantKind>, ListedPrice)>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    Ok(rows::all_prices(tx, variants)?)
}

/// The history of a variant's prices after a change, oldest first.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn history(
    tx: &mut Tx<'_>,
    actor: &Actor,
    variant: &Reference<VariantKind>,
    after: Id<ChangeKind>,
    limit: i64,
) -> Result<Vec<PriceChange>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    let variant = find_variant(tx, variant)?;
    Ok(past::changes(tx, variant.id, after, limit)?)
}

/// The lowest price one piece had in a channel in the [`rules::LOWEST_DAYS`] days before an instant; `None` when it had none. Lists
/// count as they stood then, whatever became of them.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn lowest_before(
    tx: &mut Tx<'_>,
    channel: &Channel,
    variant: Id<VariantKind>,
    before: Instant,
) -> Result<Option<Price>, Failure> {
    let history = History::of(tx, channel, None)?;
    let changes = history.changes(tx, variant)?;
    let row = rules::lowest_before(&history.list_changes, &changes, before);
    Ok(row.and_then(|row| history.price(row)))
}
