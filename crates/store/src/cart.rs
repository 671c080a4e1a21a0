//! The rows of carts and their lines.

pub mod coupon;

use domain::cart::State;
use domain::value::id::{
    Cart as CartKind, CartLine, Channel, Company, Contact, Customer, DeliveryMethod, Location, Order, Person,
    Variant,
};
use domain::value::{Country, Currency, Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// How a line that goes by the lists is stored, since a key holds no null.
const LISTED: i64 = -1;

/// What a customer means to buy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    /// Its identity, which nobody can guess.
    pub id: Id<CartKind>,
    /// Through which channel it is filled; its market decides on currency and tax.
    pub channel: Id<Channel>,
    /// What everything in it is priced in.
    pub currency: Currency,
    /// Whose it is, if that is a customer.
    pub customer: Option<Id<Customer>>,
    /// In whose name it is bought, if that is a company.
    pub company: Option<Id<Company>>,
    /// The person whose key protects its contacts, once there is one.
    pub person: Option<Id<Person>>,
    /// Who receives the goods, and where.
    pub contact: Option<Id<Contact>>,
    /// Who is billed; who receives the goods when `None`.
    pub billing_contact: Option<Id<Contact>>,
    /// Of the address, what taxes and delivery depend on.
    pub destination: Option<Destination>,
    /// How it is to be delivered.
    pub method: Option<Id<DeliveryMethod>>,
    /// Where it is to be picked up.
    pub pickup_location: Option<Id<Location>>,
    /// What the colleagues who prepare it should know. Nothing about a person: that belongs to the contact's note.
    pub note: Option<String>,
    /// Where it is on its way, as written down last; see [`domain::cart::standing`].
    pub state: State,
    /// The order made of it.
    pub order: Option<Id<Order>>,
    /// The cart its lines went into.
    pub merged_into: Option<Id<CartKind>>,
    /// When it was made.
    pub made_at: Instant,
    /// When it was changed last.
    pub changed_at: Instant,
    /// When its time runs out unless it is changed before.
    pub expires_at: Instant,
    /// Counts the changes, from 1.
    pub version: i64,
    /// The lines, the oldest first.
    pub lines: Vec<Line>,
}

/// A variant in a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its identity.
    pub id: Id<CartLine>,
    /// Its place among the lines; rises.
    pub position: i64,
    /// What.
    pub variant: Id<Variant>,
    /// How many base units.
    pub quantity: i64,
    /// The price of one agreed for this line, in minor units; what the lists say when `None`.
    pub agreed: Option<i64>,
}

/// The part of an address that taxes and delivery charges depend on; it names nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The country.
    pub country: Country,
    /// State, county or province in capitals, if one was given.
    pub region: Option<String>,
    /// The first letters and digits of the postal code, in capitals.
    pub postal_area: Option<String>,
}

fn cart(row: &mut Row<'_>) -> Result<Cart, StoreError> {
    Ok(Cart {
        id: row.id()?,
        channel: row.id()?,
        currency: row.value(Currency::parse)?,
        customer: row.id_or_null()?,
        company: row.id_or_null()?,
        person: row.id_or_null()?,
        contact: row.id_or_null()?,
        billing_contact: row.id_or_null()?,
        destination: destination(row)?,
        method: row.id_or_null()?,
        pickup_location: row.id_or_null()?,
        note: row.text_or_null()?,
        state: row.word(State::coded)?,
        order: row.id_or_null()?,
        merged_into: row.id_or_null()?,
        made_at: row.instant()?,
        changed_at: row.instant()?,
        expires_at: row.instant()?,
        version: row.int()?,
        lines: Vec::new(),
    })
}

fn destination(row: &mut Row<'_>) -> Result<Option<Destination>, StoreError> {
    let country = row.value_or_null(Country::parse)?;
    let (region, postal_area) = (row.text_or_null()?, row.text_or_null()?);
    Ok(country.map(|country| Destination { country, region, postal_area }))
}

/// What the columns hold: first those that change, then those that do not.
fn columns(cart: &Cart) -> [Param<'_>; 21] {
    let destination = cart.destination.as_ref();
    [
        cart.id.into(),
        cart.customer.into(),
        cart.company.into(),
        cart.person.into(),
        cart.contact.into(),
        cart.billing_contact.into(),
        destination.map(|area| area.country.code()).into(),
        destination.and_then(|area| area.region.as_ref()).into(),
        destination.and_then(|area| area.postal_area.as_ref()).into(),
        cart.method.into(),
        cart.pickup_location.into(),
        cart.note.as_ref().into(),
        cart.state.code().into(),
        cart.order.into(),
        cart.merged_into.into(),
        cart.changed_at.into(),
        cart.expires_at.into(),
        cart.version.into(),
        cart.channel.into(),
        cart.currency.code().into(),
        cart.made_at.into(),
    ]
}

/// How many of the columns change.
const CHANGING: usize = 18;

/// Adds a cart without lines.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, cart: &Cart) -> Result<(), StoreError> {
    tx.execute(
        "insert into cart (cart_id, customer_id, company_id, person_id, contact_id, billing_contact_id, country, region, postal_area,
             delivery_method_id, pickup_location_id, note, state, order_id, merged_into, changed_at, expires_at, version,
             channel_id, currency, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
        &columns(cart),
    )?;
    Ok(())
}

/// Writes what changes of a cart, but not its lines. The caller has locked it.
///
/// # Errors
/// What the store says.
pub fn change(tx: &mut Tx<'_>, cart: &Cart) -> Result<(), StoreError> {
    tx.execute(
        "update cart set customer_id = $2, company_id = $3, person_id = $4, contact_id = $5, billing_contact_id = $6, country = $7,
             region = $8, postal_area = $9, delivery_method_id = $10, pickup_location_id = $11, note = $12, state = $13,
             order_id = $14, merged_into = $15, changed_at = $16, expires_at = $17, version = $18
         where cart_id = $1",
        &columns(cart)[..CHANGING],
    )?;
    Ok(())
}

/// Moves a cart to another channel. It is locked.
///
/// # Errors
/// What the store says.
pub fn move_to(tx: &mut Tx<'_>, id: Id<CartKind>, channel: Id<Channel>) -> Result<(), StoreError> {
    tx.execute("update cart set channel_id = $2 where cart_id = $1", params![id, channel])?;
    Ok(())
}

/// The cart with this id and its lines.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<CartKind>) -> Result<Option<Cart>, StoreError> {
    let found = tx.one(
        "select cart_id, channel_id, currency, customer_id, company_id, person_id, contact_id, billing_contact_id, country, region,
             postal_area, delivery_method_id, pickup_location_id, note, state, order_id, merged_into, made_at, changed_at,
             expires_at, version
         from cart where cart_id = $1",
        params![id],
        cart,
    )?;
    found.map(|cart| with_lines(tx, cart)).transpose()
}

/// As [`find`]; nobody else can change the cart until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, id: Id<CartKind>) -> Result<Option<Cart>, StoreError> {
    let found = tx.one(
        "select cart_id, channel_id, currency, customer_id, company_id, person_id, contact_id, billing_contact_id, country, region,
             postal_area, delivery_method_id, pickup_location_id, note, state, order_id, merged_into, made_at, changed_at,
             expires_at, version
         from cart where cart_id = $1 {lock}",
        params![id],
        cart,
    )?;
    found.map(|cart| with_lines(tx, cart)).transpose()
}

fn with_lines(tx: &mut Tx<'_>, mut cart: Cart) -> Result<Cart, StoreError> {
    cart.lines = lines(tx, cart.id)?;
    Ok(cart)
}

/// The lines of a cart, the oldest first.
///
/// # Errors
/// What the store says.
pub fn lines(tx: &mut Tx<'_>, cart: Id<CartKind>) -> Result<Vec<Line>, StoreError> {
    tx.rows(
        "select line_id, position, variant_id, quantity, agreed from cart_line where cart_id = $1 order by position",
        params![cart],
        |row| {
            Ok(Line {
                id: row.id()?,
                position: row.int()?,
                variant: row.id()?,
                quantity: row.int()?,
                agreed: Some(row.int()?).filter(|agreed| *agreed != LISTED),
            })
        },
    )
}

/// The carts of a customer after one, in the order they were made, at most `limit`; without their lines.
///
/// # Errors
/// What the store says.
pub fn list_of_customer(
    tx: &mut Tx<'_>,
    customer: Id<Customer>,
    after: Id<CartKind>,
    limit: i64,
) -> Result<Vec<Cart>, StoreError> {
    tx.rows(
        "select cart_id, channel_id, currency, customer_id, company_id, person_id, contact_id, billing_contact_id, country, region,
             postal_area, delivery_method_id, pickup_location_id, note, state, order_id, merged_into, made_at, changed_at,
             expires_at, version
         from cart where customer_id = $1 and cart_id > $2 order by cart_id limit $3",
        params![customer, after, limit],
        cart,
    )
}

/// The carts of a customer that have not ended, the newest first, at most `limit`; without their lines.
///
/// # Errors
/// What the store says.
pub fn open_of_customer(
    tx: &mut Tx<'_>,
    customer: Id<Customer>,
    limit: i64,
) -> Result<Vec<Cart>, StoreError> {
    tx.rows(
        "select cart_id, channel_id, currency, customer_id, company_id, person_id, contact_id, billing_contact_id, country, region,
             postal_area, delivery_method_id, pickup_location_id, note, state, order_id, merged_into, made_at, changed_at,
             expires_at, version
         from cart where customer_id = $1 and order_id is null and merged_into is null order by cart_id desc limit $2",
        params![customer, limit],
        cart,
    )
}

/// Adds to the line of a variant, or makes one: adds commute.
///
/// # Errors
/// What the store says.
pub fn add_to_line(tx: &mut Tx<'_>, cart: Id<CartKind>, line: &Line) -> Result<(), StoreError> {
    tx.execute(
        "insert into cart_line (cart_id, variant_id, agreed, line_id, position, quantity) values ($1, $2, $3, $4, $5, $6)
         on conflict (cart_id, variant_id, agreed) do update set quantity = cart_line.quantity + excluded.quantity",
        params![cart, line.variant, line.agreed.unwrap_or(LISTED), line.id, line.position, line.quantity],
    )?;
    Ok(())
}

/// Writes all lines of a cart anew.
///
/// # Errors
/// What the store says.
pub fn replace_lines(tx: &mut Tx<'_>, cart: Id<CartKind>, lines: &[Line]) -> Result<(), StoreError> {
    tx.execute("delete from cart_line where cart_id = $1", params![cart])?;
    lines.iter().try_for_each(|line| add_to_line(tx, cart, line))
}

/// Writes the quantity of a line; false when there is no such line.
///
/// # Errors
/// What the store says.
pub fn set_quantity(
    tx: &mut Tx<'_>,
    cart: Id<CartKind>,
    line: Id<CartLine>,
    quantity: i64,
) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update cart_line set quantity = $3 where cart_id = $1 and line_id = $2",
        params![cart, line, quantity],
    )?;
    Ok(touched == 1)
}

/// Takes a line out; false when there is no such line.
///
/// # Errors
/// What the store says.
pub fn remove_line(tx: &mut Tx<'_>, cart: Id<CartKind>, line: Id<CartLine>) -> Result<bool, StoreError> {
    let touched =
        tx.execute("delete from cart_line where cart_id = $1 and line_id = $2", params![cart, line])?;
    Ok(touched == 1)
}

/// The carts in a state whose time ran out, the longest ago first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn due(tx: &mut Tx<'_>, state: State, now: Instant, limit: i64) -> Result<Vec<Id<CartKind>>, StoreError> {
    tx.rows(
        "select cart_id from cart where state = $1 and expires_at <= $2 order by expires_at limit $3",
        params![state.code(), now, limit],
        |row| row.id(),
    )
}

/// Writes where an ordered cart goes, after its order was changed; the order is locked.
///
/// # Errors
/// What the store says.
pub fn redirect(
    tx: &mut Tx<'_>,
    cart: Id<CartKind>,
    destination: Option<&Destination>,
) -> Result<(), StoreError> {
    tx.execute(
        "update cart set country = $2, region = $3, postal_area = $4 where cart_id = $1",
        params![
            cart,
            destination.map(|to| to.country.code()),
            destination.and_then(|to| to.region.as_ref()),
            destination.and_then(|to| to.postal_area.as_ref())
        ],
    )?;
    Ok(())
}
