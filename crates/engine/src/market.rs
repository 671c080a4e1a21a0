//! Markets and channels: making, changing and finding them.

pub mod origin;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::market::{self as rules, CapturePolicy, HoldPolicy, Kind, PaymentKind, RoundingLevel, within};
use domain::value::id::{self, CategoryTree, TaxZone};
use domain::value::{Country, Currency, Id, Language, Reference, Rounding, Zone};
use serde_json::json;
use store::{Tx, market as rows};

pub use store::market::{Channel, Market};

use crate::edit::{self, set};
use crate::event::emit;
use crate::{Failure, World, external};

/// A market to be made.
#[derive(Clone, Debug)]
pub struct NewMarket {
    /// The short word it goes by in files.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The id another system knows it by.
    pub external_id: Option<String>,
    /// Its countries.
    pub countries: Vec<Country>,
    /// The currency everything in it is priced in; never changed.
    pub currency: Currency,
    /// Prices shown already contain the tax.
    pub prices_include_tax: bool,
    /// On what tax is rounded.
    pub rounding_level: RoundingLevel,
    /// How half a minor unit is rounded.
    pub rounding: Rounding,
    /// Cash is paid in multiples of this many minor units; 1 where every coin exists.
    pub cash_rounding_minor: i64,
    /// The language its customers are spoken to in.
    pub language: Language,
    /// The time zone of its days.
    pub zone: Zone,
    /// Where it is taxed when the address does not say.
    pub tax_zone: Option<Reference<TaxZone>>,
}

/// What of a market is to change; `None` leaves it, `Some(None)` takes it away.
#[derive(Clone, Debug)]
pub struct MarketChange {
    /// What people call it.
    pub name: Option<String>,
    /// Its countries.
    pub countries: Option<Vec<Country>>,
    /// Prices shown already contain the tax.
    pub prices_include_tax: Option<bool>,
    /// On what tax is rounded.
    pub rounding_level: Option<RoundingLevel>,
    /// How half a minor unit is rounded.
    pub rounding: Option<Rounding>,
    /// Cash is paid in multiples of this many minor units.
    pub cash_rounding_minor: Option<i64>,
    /// The language its customers are spoken to in.
    pub language: Option<Language>,
    /// The time zone of its days.
    pub zone: Option<Zone>,
    /// Where it is taxed when the address does not say.
    pub tax_zone: Option<Option<Reference<TaxZone>>>,
}

/// A channel to be made. It begins active.
#[derive(Clone, Debug)]
pub struct NewChannel {
    /// The short word it goes by in files.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// The id another system knows it by.
    pub external_id: Option<String>,
    /// How the customer meets the shop.
    pub kind: Kind,
    /// The market it sells to; never changed, because prices and carts are in its currency.
    pub market: Reference<id::Market>,
    /// The network it sells from.
    pub network: Reference<id::Network>,
    /// Where it stands; every till stands somewhere.
    pub location: Option<Reference<id::Location>>,
    /// When stock is held.
    pub hold_policy: HoldPolicy,
    /// How long stock is held for a cart, in minutes.
    pub hold_minutes: i64,
    /// How long an untouched cart lives, in minutes.
    pub cart_expiry_minutes: i64,
    /// How long an unpaid order waits for its payment, in minutes.
    pub payment_minutes: i64,
    /// How long goods wait for their customer at the counter, in days.
    pub collect_days: i64,
    /// How many pieces of each variant it keeps out of its promise.
    pub stock_threshold: i64,
    /// The category tree it shows.
    pub category_tree: Option<Reference<CategoryTree>>,
    /// The means of payment it allows.
    pub payment_kinds: Vec<PaymentKind>,
    /// When authorised money is taken.
    pub capture_policy: CapturePolicy,
}

/// What of a channel is to change; `None` leaves it, `Some(None)` takes it away.
#[derive(Clone, Debug)]
pub struct ChannelChange {
    /// What people call it.
    pub name: Option<String>,
    /// How the customer meets the shop.
    pub kind: Option<Kind>,
    /// The network it sells from.
    pub network: Option<Reference<id::Network>>,
    /// Where it stands.
    pub location: Option<Option<Reference<id::Location>>>,
    /// When stock is held.
    pub hold_policy: Option<HoldPolicy>,
    /// How long stock is held for a cart, in minutes.
    pub hold_minutes: Option<i64>,
    /// How long an untouched cart lives, in minutes.
    pub cart_expiry_minutes: Option<i64>,
    /// How long an unpaid order waits for its payment, in minutes.
    pub payment_minutes: Option<i64>,
    /// How long goods wait for their customer at the counter, in days.
    pub collect_days: Option<i64>,
    /// How many pieces of each variant it keeps out of its promise.
    pub stock_threshold: Option<i64>,
    /// The category tree it shows.
    pub category_tree: Option<Option<Reference<CategoryTree>>>,
    /// The means of payment it allows.
    pub payment_kinds: Option<Vec<PaymentKind>>,
    /// When authorised money is taken.
    pub capture_policy: Option<CapturePolicy>,
    /// It sells.
    pub active: Option<bool>,
}

/// Makes a market.
///
/// # Errors
/// [`domain::Code::AlreadyExists`] when its code or external id is taken; [`domain::Code::Invalid`] naming the field at fault.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: NewMarket) -> Result<Market, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let tax_zone = new.tax_zone.map(|zone| external::known_at(tx, "tax_zone", &zone)).transpose()?;
    let market = checked_market(Market {
        id: world.id(),
        code: new.code,
        name: new.name,
        countries: new.countries,
        currency: new.currency,
        prices_include_tax: new.prices_include_tax,
        rounding_level: new.rounding_level,
        rounding: new.rounding,
        cash_rounding_minor: new.cash_rounding_minor,
        language: new.language,
        zone: new.zone,
        tax_zone,
        version: 1,
    })?;
    if !rows::add(tx, &market)? {
        return Err(edit::code_taken::<id::Market>(&market.code).into());
    }
    external::give(tx, market.id, new.external_id.as_deref())?;
    let body = json!({ "code": market.code, "currency": market.currency.code() });
    emit(tx, actor, world, market.id, "market.created", body);
    Ok(market)
}

/// Changes a market.
///
/// # Errors
/// [`domain::Code::NotFound`]; [`domain::Code::Stale`] when it is not at the version given; [`domain::Code::Invalid`] naming the field at fault.
pub fn update(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (market, version): (&Reference<id::Market>, Option<i64>),
    change: MarketChange,
) -> Result<Market, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let id = external::resolve(tx, market)?;
    let mut market = load(tx, id)?;
    edit::unchanged(id, market.version, version)?;
    set(&mut market.name, change.name);
    set(&mut market.countries, change.countries);
    set(&mut market.prices_include_tax, change.prices_include_tax);
    set(&mut market.rounding_level, change.rounding_level);
    set(&mut market.rounding, change.rounding);
    set(&mut market.cash_rounding_minor, change.cash_rounding_minor);
    set(&mut market.language, change.language);
    set(&mut market.zone, change.zone);
    if let Some(tax_zone) = change.tax_zone {
        market.tax_zone = tax_zone.map(|zone| external::known_at(tx, "tax_zone", &zone)).transpose()?;
    }
    let mut market = checked_market(market)?;
    if !rows::update(tx, &market)? {
        return Err(edit::stale(id).into());
    }
    market.version += 1;
    emit(tx, actor, world, id, "market.changed", json!({ "version": market.version }));
    Ok(market)
}

fn checked_market(mut market: Market) -> Result<Market, Refusal> {
    market.countries = rules::countries(market.countries)?;
    within("cash_rounding_minor", market.cash_rounding_minor, 1, rules::CASH_ROUNDING_MINOR_MAX)?;
    Ok(market)
}

/// A market.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn find(tx: &mut Tx<'_>, actor: &Actor, market: &Reference<id::Market>) -> Result<Market, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    let id = external::resolve(tx, market)?;
    load(tx, id)
}

fn load(tx: &mut Tx<'_>, id: Id<id::Market>) -> Result<Market, Failure> {
    rows::find_market(tx, id)?.ok_or_else(|| Refusal::not_found("market", id).into())
}

/// The markets after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<id::Market>,
    limit: i64,
) -> Result<Vec<Market>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list(tx, after, limit)?)
}

/// Makes a channel.
///
/// # Errors
/// [`domain::Code::AlreadyExists`] when its code or external id is taken; [`domain::Code::Invalid`] naming the field at fault.
pub fn create_channel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewChannel,
) -> Result<Channel, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let channel = Channel {
        id: world.id(),
        code: new.code,
        name: new.name,
        kind: new.kind,
        market: external::known_at(tx, "market", &new.market)?,
        network: external::known_at(tx, "network", &new.network)?,
        location: new.location.map(|location| external::known_at(tx, "location", &location)).transpose()?,
        hold_policy: new.hold_policy,
        hold_minutes: new.hold_minutes,
        cart_expiry_minutes: new.cart_expiry_minutes,
        payment_minutes: new.payment_minutes,
        collect_days: new.collect_days,
        stock_threshold: new.stock_threshold,
        category_tree: new
            .category_tree
            .map(|tree| external::known_at(tx, "category_tree", &tree))
            .transpose()?,
        payment_kinds: new.payment_kinds,
        capture_policy: new.capture_policy,
        active: true,
        version: 1,
    };
    let channel = checked_channel(channel)?;
    if !rows::add_channel(tx, &channel)? {
        return Err(edit::code_taken::<id::Channel>(&channel.code).into());
    }
    external::give(tx, channel.id, new.external_id.as_deref())?;
    let body = json!({ "code": channel.code, "kind": channel.kind.text(), "market": channel.market.to_string(), "network": channel.network.to_string() });
    emit(tx, actor, world, channel.id, "channel.created", body);
    Ok(channel)
}

/// Changes a channel. Its market stays.
///
/// # Errors
/// [`domain::Code::NotFound`]; [`domain::Code::Stale`] when it is not at the version given; [`domain::Code::Invalid`] naming the field at fault.
pub fn update_channel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (channel, version): (&Reference<id::Channel>, Option<i64>),
    change: ChannelChange,
) -> Result<Channel, Failure> {
    actor.may(Permission::EditPlaces, None)?;
    let id = external::resolve(tx, channel)?;
    let mut channel = load_channel(tx, id)?;
    edit::unchanged(id, channel.version, version)?;
    if let Some(network) = change.network {
        channel.network = external::known_at(tx, "network", &network)?;
    }
    if let Some(location) = change.location {
        channel.location =
            location.map(|location| external::known_at(tx, "location", &location)).transpose()?;
    }
    if let Some(tree) = change.category_tree {
        channel.category_tree =
            tree.map(|tree| external::known_at(tx, "category_tree", &tree)).transpose()?;
    }
    set(&mut channel.name, change.name);
    set(&mut channel.kind, change.kind);
    set(&mut channel.hold_policy, change.hold_policy);
    set(&mut channel.hold_minutes, change.hold_minutes);
    set(&mut channel.cart_expiry_minutes, change.cart_expiry_minutes);
    set(&mut channel.payment_minutes, change.payment_minutes);
    set(&mut channel.collect_days, change.collect_days);
    set(&mut channel.stock_threshold, change.stock_threshold);
    set(&mut channel.payment_kinds, change.payment_kinds);
    set(&mut channel.capture_policy, change.capture_policy);
    set(&mut channel.active, change.active);
    let mut channel = checked_channel(channel)?;
    if !rows::update_channel(tx, &channel)? {
        return Err(edit::stale(id).into());
    }
    channel.version += 1;
    let body = json!({ "version": channel.version, "active": channel.active });
    emit(tx, actor, world, id, "channel.changed", body);
    Ok(channel)
}

fn checked_channel(mut channel: Channel) -> Result<Channel, Refusal> {
    within("hold_minutes", channel.hold_minutes, 1, rules::HOLD_MINUTES_MAX)?;
    within("cart_expiry_minutes", channel.cart_expiry_minutes, 1, rules::CART_EXPIRY_MINUTES_MAX)?;
    within("payment_minutes", channel.payment_minutes, 1, rules::PAYMENT_MINUTES_MAX)?;
    within("collect_days", channel.collect_days, 1, rules::COLLECT_DAYS_MAX)?;
    within("stock_threshold", channel.stock_threshold, 0, rules::STOCK_THRESHOLD_MAX)?;
    rules::till_stands_somewhere(channel.kind, channel.location.is_some())?;
    channel.payment_kinds = rules::payment_kinds(channel.payment_kinds)?;
    Ok(channel)
}

/// A channel.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn find_channel(
    tx: &mut Tx<'_>,
    actor: &Actor,
    channel: &Reference<id::Channel>,
) -> Result<Channel, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    let id = external::resolve(tx, channel)?;
    load_channel(tx, id)
}

fn load_channel(tx: &mut Tx<'_>, id: Id<id::Channel>) -> Result<Channel, Failure> {
    rows::find_channel(tx, id)?.ok_or_else(|| Refusal::not_found("channel", id).into())
}

/// The channels after one, in the order they were made.
///
/// # Errors
/// What the store says.
pub fn list_channels(
    tx: &mut Tx<'_>,
    actor: &Actor,
    after: Id<id::Channel>,
    limit: i64,
) -> Result<Vec<Channel>, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    Ok(rows::list_channels(tx, after, limit)?)
}
