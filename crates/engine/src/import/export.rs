//! Giving out files: the same columns that are taken in, page by page, so that what was given out can be taken in again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use domain::actor::{Actor, Permission};
use domain::import::Kind;
use domain::market::PaymentKind;
use domain::order::State as OrderState;
use domain::stock::State;
use domain::value::id::{Channel, Location, Product, Variant};
use domain::value::{Currency, Id};
use store::catalogue::Variant as VariantRow;
use store::{StoreError, Tx};

use crate::location::{self, Filter};
use crate::{Failure, World, catalogue, checkout, customer, order, price};

/// Some rows of a file, and where the next begin.
#[derive(Debug)]
pub struct Page {
    /// The rows, each with a cell for every column of [`header`].
    pub rows: Vec<Vec<String>>,
    /// Give this for the next page; none on the last.
    pub next: Option<[u8; 16]>,
}

/// Where the first page begins.
pub const fn start(kind: Kind) -> [u8; 16] {
    // Orders are listed from the newest.
    if matches!(kind, Kind::Orders) { [0xff; 16] } else { [0; 16] }
}

/// The columns of a file that is given out.
pub fn header(kind: Kind) -> Vec<&'static str> {
    let left_out: &[&str] = match kind {
        Kind::Products => &["price_list", "price", "price_minor", "currency"],
        Kind::Prices => &["price_minor", "was_minor"],
        Kind::Customers => &["given_name", "family_name", "customer", "changed_at"],
        Kind::Orders => &["unit_price_minor"],
        Kind::Promotions => super::promotion::IN_TERMS,
        Kind::Locations | Kind::Stock | Kind::PostalAreas | Kind::PriceLists | Kind::Coupons => &[],
        Kind::Balances => &["amount_minor", "code"],
        Kind::Consents => &[],
        Kind::Lists => &["email"],
    };
    kind.columns().iter().map(|column| column.name).filter(|name| !left_out.contains(name)).collect()
}

/// The rows after a place, of at most `limit` things. Reading customers leaves lines in the audit trail, so it needs a transaction that
/// writes.
///
/// # Errors
/// What the store says, or [`domain::Code::Forbidden`].
pub fn page(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    kind: Kind,
    (after, limit): ([u8; 16], i64),
) -> Result<Page, Failure> {
    actor.may(Permission::Import, None)?;
    let (things, named, last) = match kind {
        Kind::Locations => locations(tx, actor, Id::from_bytes(after), limit)?,
        Kind::Products => products(tx, actor, Id::from_bytes(after), limit)?,
        Kind::Prices => prices(tx, actor, Id::from_bytes(after), limit)?,
        Kind::Stock => stock(tx, actor, Id::from_bytes(after), limit)?,
        Kind::Customers => customers(tx, actor, world, Id::from_bytes(after), limit)?,
        Kind::Orders => orders(tx, actor, Id::from_bytes(after), limit)?,
        Kind::PostalAreas => super::area::given_out(tx, actor, after, limit)?,
        Kind::PriceLists => super::list::given_out(tx, actor, Id::from_bytes(after), limit)?,
        Kind::Promotions => super::promotion::given_out(tx, actor, Id::from_bytes(after), limit)?,
        Kind::Coupons => super::coupon::given_out(tx, actor, Id::from_bytes(after), limit)?,
        Kind::Balances => super::balance::given_out(tx, actor, world, (Id::from_bytes(after), limit))?,
        Kind::Consents => super::consent::given_out(tx, actor, world, (Id::from_bytes(after), limit))?,
        Kind::Lists => super::listed::given_out(tx, actor, after, limit)?,
    };
    let header = header(kind);
    let cells = |mut named: Named| header.iter().map(|name| named.remove(name).unwrap_or_default()).collect();
    let full = i64::try_from(things).unwrap_or(i64::MAX) >= limit;
    Ok(Page { rows: named.into_iter().map(cells).collect(), next: last.filter(|_| full) })
}

/// A row by the names of its columns.
pub(super) type Named = BTreeMap<&'static str, String>;
/// How many things were read, their rows, and the last of them.
pub(super) type Read = (usize, Vec<Named>, Option<[u8; 16]>);

pub(super) fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

pub(super) fn or_empty(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Minor units as they are written with decimals.
pub(super) fn amount(minor: i64, currency: Currency) -> String {
    let exponent = currency.exponent();
    let (factor, digits) = (10i64.pow(exponent), exponent as usize);
    let sign = if minor < 0 { "-" } else { "" };
    let (whole, rest) = (minor.abs() / factor, minor.abs() % factor);
    if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:0>digits$}") }
}

/// What is known of a key, asked for once.
fn known<K: Ord, V>(
    known: &mut BTreeMap<K, V>,
    key: K,
    ask: impl FnOnce() -> Result<V, Failure>,
) -> Result<&V, Failure> {
    Ok(match known.entry(key) {
        Entry::Occupied(found) => found.into_mut(),
        Entry::Vacant(free) => free.insert(ask()?),
    })
}

fn locations(tx: &mut Tx<'_>, actor: &Actor, after: Id<Location>, limit: i64) -> Result<Read, Failure> {
    let found = location::list(tx, actor, Filter { kind: None, active: None }, after, limit)?;
    let keys: Vec<_> = found.iter().map(|location| location.id.bytes()).collect();
    let external: BTreeMap<_, _> = store::import::external_ids::<Location>(tx, &keys)?.into_iter().collect();
    let row = |location: &location::Location| {
        let can = [
            (location.can_ship, "ship"),
            (location.can_pick_up, "pickup"),
            (location.can_receive, "receive"),
            (location.can_return, "return"),
        ];
        let can: Vec<&str> = can.iter().filter(|(can, _)| *can).map(|(_, word)| *word).collect();
        let degrees = |micro: i32| {
            format!(
                "{}{}.{:06}",
                if micro < 0 { "-" } else { "" },
                micro.abs() / 1_000_000,
                micro.abs() % 1_000_000
            )
        };
        let address = location.address.as_ref();
        let street: Vec<&str> = address.into_iter().flat_map(|address| address.street()).collect();
        BTreeMap::from([
            ("external_id", or_empty(external.get(&location.id))),
            ("code", location.code.clone()),
            ("name", location.name.clone()),
            ("kind", location.kind.text().to_owned()),
            ("street", street.join("|")),
            ("city", or_empty(address.and_then(|address| address.city()))),
            ("region", or_empty(address.and_then(|address| address.region()))),
            ("postal_code", or_empty(address.and_then(|address| address.postal_code()))),
            ("country", or_empty(address.map(|address| address.country().code()))),
            ("latitude", or_empty(location.coordinates.map(|point| degrees(point.latitude_micro())))),
            ("longitude", or_empty(location.coordinates.map(|point| degrees(point.longitude_micro())))),
            ("time_zone", location.zone.to_string()),
            ("opening_hours", or_empty(location.hours.as_ref())),
            ("cut_off", or_empty(location.cut_off.as_ref())),
            ("capabilities", can.join(" ")),
            ("capacity", or_empty(location.capacity)),
            ("preparation_minutes", location.preparation_minutes.to_string()),
            ("active", yes(location.active)),
        ])
    };
    Ok((found.len(), found.iter().map(row).collect(), keys.last().copied()))
}

/// How many variants were found, and the last of them.
type Found = (usize, Option<[u8; 16]>);

/// The variants after one: how many were found, the last, and those that files can hold, in their order: no kits, and none that is no
/// longer sold.
fn variants(tx: &mut Tx<'_>, after: Id<Variant>, limit: i64) -> Result<(Found, Vec<VariantRow>), Failure> {
    let ids = store::import::variants_after(tx, after, limit)?;
    let mut found = store::catalogue::variants(tx, &ids)?;
    found.retain(|variant| !variant.kit && !variant.archived);
    found.sort_by_key(|variant| variant.id);
    Ok(((ids.len(), ids.last().map(|id| id.bytes())), found))
}

fn products(tx: &mut Tx<'_>, actor: &Actor, after: Id<Variant>, limit: i64) -> Result<Read, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    let ((count, last), variants) = variants(tx, after, limit)?;
    let ids: Vec<Id<Product>> = variants.iter().map(|variant| variant.product).collect();
    let products: BTreeMap<_, _> =
        store::catalogue::products(tx, &ids)?.into_iter().map(|product| (product.id, product)).collect();
    let mut classes = BTreeMap::new();
    let mut rows = Vec::with_capacity(variants.len());
    for variant in &variants {
        let Some(product) = products.get(&variant.product) else { continue };
        let class = variant.tax_class;
        let ask = || Ok(store::tax::find_class(tx, class)?.map(|class| class.code));
        let class = known(&mut classes, class, ask)?.clone();
        rows.push(product_row(product, variant, class));
    }
    Ok((count, rows, last))
}

fn product_row(product: &catalogue::Product, variant: &VariantRow, tax_class: Option<String>) -> Named {
    let barcodes: Vec<String> = variant.barcodes.iter().map(ToString::to_string).collect();
    let mut row = BTreeMap::from([
        ("sku", variant.sku.clone()),
        ("name", product.title.text().to_owned()),
        ("product", or_empty(product.external_id.as_ref())),
        ("kind", if variant.service { "service" } else { "goods" }.to_owned()),
        ("unit", variant.unit.name().to_owned()),
        ("weight_grams", or_empty(variant.weight_grams)),
        ("barcodes", barcodes.join("|")),
        ("tax_class", or_empty(tax_class)),
        ("status", product.status.text().to_owned()),
        ("brand", or_empty(product.brand.as_ref())),
        ("supplier", or_empty(product.supplier.as_ref())),
        ("description", product.description.text().to_owned()),
        ("external_id", or_empty(variant.external_id.as_ref())),
    ]);
    let names = [
        ("option1_name", "option1_value"),
        ("option2_name", "option2_value"),
        ("option3_name", "option3_value"),
    ];
    for ((name, value), (choice, own)) in names.into_iter().zip(product.options.iter().zip(&variant.options))
    {
        row.insert(name, choice.name.clone());
        row.insert(value, own.clone());
    }
    row
}

fn prices(tx: &mut Tx<'_>, actor: &Actor, after: Id<Variant>, limit: i64) -> Result<Read, Failure> {
    let ((count, last), variants) = variants(tx, after, limit)?;
    let skus: BTreeMap<_, _> = variants.into_iter().map(|variant| (variant.id, variant.sku)).collect();
    let ids: Vec<_> = skus.keys().copied().collect();
    let mut lists = BTreeMap::new();
    let mut rows = Vec::new();
    for (variant, listed) in price::prices_of(tx, actor, &ids)? {
        let list = known(&mut lists, listed.list, || {
            let missing = || StoreError::Corrupt(format!("a price of {variant} is in no list"));
            Ok(store::price::find_list(tx, listed.list)?.ok_or_else(missing)?)
        })?;
        rows.push(BTreeMap::from([
            ("price_list", list.code.clone()),
            ("sku", or_empty(skus.get(&variant))),
            ("price", amount(listed.minor, list.currency)),
            ("was", or_empty(listed.was_minor.map(|was| amount(was, list.currency)))),
            ("currency", list.currency.code().to_owned()),
            ("minimum_quantity", listed.minimum_quantity.to_string()),
            ("starts_at", or_empty(listed.starts_at)),
            ("ends_at", or_empty(listed.ends_at)),
        ]));
    }
    Ok((count, rows, last))
}

fn stock(tx: &mut Tx<'_>, actor: &Actor, after: Id<Variant>, limit: i64) -> Result<Read, Failure> {
    actor.may(Permission::ReadStock, None)?;
    let ((count, last), variants) = variants(tx, after, limit)?;
    let skus: BTreeMap<_, _> = variants.into_iter().map(|variant| (variant.id, variant.sku)).collect();
    let keys: Vec<_> = skus.keys().map(|id| id.bytes()).collect();
    let mut codes: BTreeMap<Id<Location>, String> = BTreeMap::new();
    let mut rows = Vec::new();
    for (variant, account, quantity) in store::stock::balances(tx, &keys)? {
        if account.state != State::Available.code() {
            continue;
        }
        let place = Id::from_bytes(account.place);
        let ask = || Ok(or_empty(store::location::find(tx, place)?.map(|location| location.code)));
        let location = known(&mut codes, place, ask)?.clone();
        rows.push(BTreeMap::from([
            ("location", location),
            ("sku", or_empty(skus.get(&variant))),
            ("quantity", quantity.to_string()),
        ]));
    }
    Ok((count, rows, last))
}

fn customers(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    after: Id<domain::value::id::Customer>,
    limit: i64,
) -> Result<Read, Failure> {
    let found = customer::list(tx, actor, after, limit)?;
    let mut rows = Vec::with_capacity(found.len());
    for customer in found.iter().filter(|customer| customer.erased_at.is_none()) {
        let card = customer::read_contact(tx, actor, world, customer.id)?;
        let text = card.text();
        rows.push(BTreeMap::from([
            ("external_id", or_empty(customer.external_id.as_ref())),
            ("name", or_empty(text.name.as_ref())),
            ("company", or_empty(text.company.as_ref())),
            ("street", text.street.join("|")),
            ("city", or_empty(text.city.as_ref())),
            ("region", or_empty(text.region.as_ref())),
            ("postal_code", or_empty(text.postal_code.as_ref())),
            ("country", or_empty(text.country.as_ref())),
            ("email", or_empty(text.email.as_ref())),
            ("phone", or_empty(text.phone.as_ref())),
            ("groups", customer.groups.join("|")),
        ]));
    }
    Ok((found.len(), rows, found.last().map(|customer| customer.id.bytes())))
}

/// Orders that were placed, the newest first, one line a row; an order without an external id goes by its number.
fn orders(
    tx: &mut Tx<'_>,
    actor: &Actor,
    before: Id<domain::value::id::Order>,
    limit: i64,
) -> Result<Read, Failure> {
    let found = order::list(tx, actor, before, (None, None), limit)?;
    let mut channels: BTreeMap<Id<Channel>, String> = BTreeMap::new();
    let mut rows = Vec::new();
    for order in
        found.iter().filter(|order| matches!(order.state, OrderState::Placed | OrderState::Completed))
    {
        let ask =
            || Ok(or_empty(store::market::find_channel(tx, order.channel)?.map(|channel| channel.code)));
        let channel = known(&mut channels, order.channel, ask)?.clone();
        let whole = checkout::read(tx, actor, order.id)?;
        let customer = order.customer.map(|id| customer::load(tx, id)).transpose()?;
        let customer =
            customer.map(|customer| customer.external_id.unwrap_or_else(|| customer.id.to_string()));
        let location = order.location.map(|id| store::location::find(tx, id)).transpose()?.flatten();
        let cash = whole.payments.iter().any(|payment| payment.kind == PaymentKind::Cash);
        for line in &whole.lines {
            rows.push(BTreeMap::from([
                ("external_id", order.external_id.clone().unwrap_or_else(|| order.number.clone())),
                ("placed_at", order.placed_at.to_string()),
                ("channel", channel.clone()),
                ("sku", line.sku.clone()),
                ("quantity", line.quantity.to_string()),
                ("unit_price", amount(line.unit, order.currency)),
                ("currency", order.currency.code().to_owned()),
                ("customer", or_empty(customer.as_ref())),
                ("location", or_empty(location.as_ref().map(|location| &location.code))),
                ("delivery_method", or_empty(order.delivery_method)),
                ("payment", if cash { "cash" } else { "manual" }.to_owned()),
                ("fulfilled", yes(order.state == OrderState::Completed)),
            ]));
        }
    }
    Ok((found.len(), rows, found.last().map(|order| order.id.bytes())))
}
