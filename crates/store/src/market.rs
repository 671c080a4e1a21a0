//! The rows of markets and channels.

pub mod origin;

use domain::market::{CapturePolicy, HoldPolicy, Kind, PaymentKind, RoundingLevel};
use domain::value::id::{self, CategoryTree, Location, Network, TaxZone};
use domain::value::{Country, Currency, Id, Language, Rounding, Zone};

use crate::{Param, Row, StoreError, Tx, params};

/// A country or group of countries sold to, with one currency, tax treatment and language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// Its identity.
    pub id: Id<id::Market>,
    /// The short word it goes by in files; unique, and never changed.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Its countries, in order; at least one.
    pub countries: Vec<Country>,
    /// The currency everything in it is priced in.
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
    pub tax_zone: Option<Id<TaxZone>>,
    /// Rises with every change.
    pub version: i64,
}

/// A way in which customers meet the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its identity.
    pub id: Id<id::Channel>,
    /// The short word it goes by in files; unique, and never changed.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// How the customer meets the shop.
    pub kind: Kind,
    /// The market it sells to.
    pub market: Id<id::Market>,
    /// The network it sells from.
    pub network: Id<Network>,
    /// Where it stands; every till stands somewhere.
    pub location: Option<Id<Location>>,
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
    pub category_tree: Option<Id<CategoryTree>>,
    /// The means of payment it allows, in order.
    pub payment_kinds: Vec<PaymentKind>,
    /// When authorised money is taken.
    pub capture_policy: CapturePolicy,
    /// It sells; one that does not stays readable.
    pub active: bool,
    /// Rises with every change.
    pub version: i64,
}

fn market(row: &mut Row<'_>) -> Result<Market, StoreError> {
    Ok(Market {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        countries: row.value(|text| text.split_whitespace().map(Country::parse).collect::<Result<_, _>>())?,
        currency: row.value(Currency::parse)?,
        prices_include_tax: row.yes()?,
        rounding_level: row.word(RoundingLevel::coded)?,
        rounding: row.value(|name| Rounding::named(name).ok_or("no rounding of this name"))?,
        cash_rounding_minor: row.int()?,
        language: row.value(Language::parse)?,
        zone: row.value(Zone::parse)?,
        tax_zone: row.id_or_null()?,
        version: row.int()?,
    })
}

fn channel(row: &mut Row<'_>) -> Result<Channel, StoreError> {
    Ok(Channel {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        kind: row.word(Kind::coded)?,
        market: row.id()?,
        network: row.id()?,
        location: row.id_or_null()?,
        hold_policy: row.word(HoldPolicy::coded)?,
        hold_minutes: row.int()?,
        cart_expiry_minutes: row.int()?,
        payment_minutes: row.int()?,
        collect_days: row.int()?,
        stock_threshold: row.int()?,
        category_tree: row.id_or_null()?,
        payment_kinds: row.value(payment_kinds)?,
        capture_policy: row.word(CapturePolicy::coded)?,
        active: row.yes()?,
        version: row.int()?,
    })
}

fn payment_kinds(text: &str) -> Result<Vec<PaymentKind>, String> {
    let named = |name| PaymentKind::named(name).ok_or_else(|| format!("no means of payment \"{name}\""));
    text.split_whitespace().map(named).collect()
}

/// The words set apart by spaces, as they are stored.
fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

/// Adds a market, as version 1; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, market: &Market) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into market (market_id, code, name, countries, currency, prices_include_tax, rounding_level, rounding,
             cash_rounding_minor, language, zone, tax_zone_id, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1) on conflict (code) do nothing",
        params![
            market.id,
            &market.code,
            &market.name,
            &listed(market.countries.iter().map(|country| country.code())),
            market.currency.code(),
            market.prices_include_tax,
            market.rounding_level.code(),
            market.rounding.name(),
            market.cash_rounding_minor,
            &market.language.to_string(),
            market.zone.name(),
            market.tax_zone
        ],
    )?;
    Ok(made == 1)
}

/// Writes a market over the version it was read at, and raises the version; false when somebody else changed it meanwhile.
/// Its currency stays: prices and orders are counted in it.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, market: &Market) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "update market set name = $2, countries = $3, prices_include_tax = $4, rounding_level = $5, rounding = $6,
             cash_rounding_minor = $7, language = $8, zone = $9, tax_zone_id = $10, version = version + 1
         where market_id = $1 and version = $11",
        params![
            market.id,
            &market.name,
            &listed(market.countries.iter().map(|country| country.code())),
            market.prices_include_tax,
            market.rounding_level.code(),
            market.rounding.name(),
            market.cash_rounding_minor,
            &market.language.to_string(),
            market.zone.name(),
            market.tax_zone,
            market.version
        ],
    )?;
    Ok(changed == 1)
}

/// The market with this id.
///
/// # Errors
/// What the store says.
pub fn find_market(tx: &mut Tx<'_>, id: Id<id::Market>) -> Result<Option<Market>, StoreError> {
    tx.one(
        "select market_id, code, name, countries, currency, prices_include_tax, rounding_level, rounding,
             cash_rounding_minor, language, zone, tax_zone_id, version
         from market where market_id = $1",
        params![id],
        market,
    )
}

/// The markets after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, after: Id<id::Market>, limit: i64) -> Result<Vec<Market>, StoreError> {
    tx.rows(
        "select market_id, code, name, countries, currency, prices_include_tax, rounding_level, rounding,
             cash_rounding_minor, language, zone, tax_zone_id, version
         from market where market_id > $1 order by market_id limit $2",
        params![after, limit],
        market,
    )
}

/// What the columns of a channel hold, without code and version.
fn channel_params<'a>(channel: &'a Channel, payment_kinds: &'a str) -> [Param<'a>; 16] {
    [
        channel.id.into(),
        (&channel.name).into(),
        channel.kind.code().into(),
        channel.market.into(),
        channel.network.into(),
        channel.location.into(),
        channel.hold_policy.code().into(),
        channel.hold_minutes.into(),
        channel.cart_expiry_minutes.into(),
        channel.payment_minutes.into(),
        channel.collect_days.into(),
        channel.stock_threshold.into(),
        channel.category_tree.into(),
        payment_kinds.into(),
        channel.capture_policy.code().into(),
        channel.active.into(),
    ]
}

/// Adds a channel, as version 1; false when its code is taken.
///
/// # Errors
/// What the store says.
pub fn add_channel(tx: &mut Tx<'_>, channel: &Channel) -> Result<bool, StoreError> {
    let payment_kinds = listed(channel.payment_kinds.iter().map(|kind| kind.text()));
    let mut params = channel_params(channel, &payment_kinds).to_vec();
    params.push((&channel.code).into());
    let made = tx.execute(
        "insert into channel (channel_id, name, kind, market_id, network_id, location_id, hold_policy, hold_minutes,
             cart_expiry_minutes, payment_minutes, collect_days, stock_threshold, category_tree_id, payment_kinds,
             capture_policy, active, code, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1)
         on conflict (code) do nothing",
        &params,
    )?;
    Ok(made == 1)
}

/// Writes a channel over the version it was read at, and raises the version; false when somebody else changed it meanwhile.
///
/// # Errors
/// What the store says.
pub fn update_channel(tx: &mut Tx<'_>, channel: &Channel) -> Result<bool, StoreError> {
    let payment_kinds = listed(channel.payment_kinds.iter().map(|kind| kind.text()));
    let mut params = channel_params(channel, &payment_kinds).to_vec();
    params.push(channel.version.into());
    let changed = tx.execute(
        "update channel set name = $2, kind = $3, market_id = $4, network_id = $5, location_id = $6, hold_policy = $7,
             hold_minutes = $8, cart_expiry_minutes = $9, payment_minutes = $10, collect_days = $11,
             stock_threshold = $12, category_tree_id = $13, payment_kinds = $14, capture_policy = $15, active = $16,
             version = version + 1
         where channel_id = $1 and version = $17",
        &params,
    )?;
    Ok(changed == 1)
}

/// The channel with this id.
///
/// # Errors
/// What the store says.
pub fn find_channel(tx: &mut Tx<'_>, id: Id<id::Channel>) -> Result<Option<Channel>, StoreError> {
    tx.one(
        "select channel_id, code, name, kind, market_id, network_id, location_id, hold_policy, hold_minutes,
             cart_expiry_minutes, payment_minutes, collect_days, stock_threshold, category_tree_id, payment_kinds, capture_policy,
             active, version
         from channel where channel_id = $1",
        params![id],
        channel,
    )
}

/// The channels after one, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list_channels(
    tx: &mut Tx<'_>,
    after: Id<id::Channel>,
    limit: i64,
) -> Result<Vec<Channel>, StoreError> {
    tx.rows(
        "select channel_id, code, name, kind, market_id, network_id, location_id, hold_policy, hold_minutes,
             cart_expiry_minutes, payment_minutes, collect_days, stock_threshold, category_tree_id, payment_kinds, capture_policy,
             active, version
         from channel where channel_id > $1 order by channel_id limit $2",
        params![after, limit],
        channel,
    )
}

/// Does a channel that sells from this location trade in this currency?
///
/// # Errors
/// What the store says.
pub fn trades_in(
    tx: &mut Tx<'_>,
    location: Id<id::Location>,
    currency: Currency,
) -> Result<bool, StoreError> {
    let found = tx.one(
        "select channel.channel_id from channel join market on market.market_id = channel.market_id
         where market.currency = $2 and (channel.location_id = $1 or channel.network_id in
             (select network_id from network_member where location_id = $1))
         limit 1",
        params![location, currency.code()],
        |row| row.id::<id::Channel>(),
    )?;
    Ok(found.is_some())
}
