//! What is known of many people at once, read by the keys it lies under: each answer names whom it is of.

use domain::consent::{Cell, Held, Medium, Status};
use domain::loyalty::State as Points;
use domain::loyalty::points::{MemberKind, MemberState};
use domain::order::State as OrderState;
use domain::value::id::{Category, Channel, Location, LoyaltyProgramme, Product, Variant};
use domain::value::{Coordinates, Country, Currency, Id, Instant};

use super::Segment;
use crate::tx::Ask;
use crate::{Param, Row, StoreError, Tx, params};

/// An id as it lies in the database.
pub type Key = [u8; 16];

/// A customer: its id, whom it was merged into, since when it is one, and whether it was erased.
pub type Person = (Key, Option<Key>, Instant, bool);

/// Customers and what they are known by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customers {
    /// These customers, and those who were merged into them.
    pub people: Vec<Person>,
    /// A customer, among those who were merged into them, and each profile of its root.
    pub profiles: Vec<(Key, Key)>,
}

const PEOPLE: &str =
    "select customer_id, merged_into, made_at, erased_at from customer where customer_id {in ids $1}
     union all
     select customer_id, merged_into, made_at, erased_at from customer where merged_into {in ids $1}";
const PROFILES: &str =
    "select p.customer_id, q.profile_id from profile p join profile q on q.root_id = p.root_id
     where p.customer_id {in ids $1}
     union all
     select c.customer_id, q.profile_id from customer c join profile p on p.customer_id = c.customer_id
     join profile q on q.root_id = p.root_id where c.merged_into {in ids $1}";

fn person(row: &mut Row<'_>) -> Result<Person, StoreError> {
    let merged = |row: &mut Row<'_>| row.id_or_null::<domain::value::id::Customer>();
    let (id, into) = (row.key()?, merged(row)?.map(Id::bytes));
    Ok((id, into, row.instant()?, row.instant_or_null()?.is_some()))
}

/// These customers with what they are known by, and these segments: read at once, as none needs the other.
///
/// # Errors
/// What the store says.
pub fn customers(
    tx: &mut Tx<'_>,
    customers: &[Key],
    segments: &[Key],
) -> Result<(Customers, Vec<Segment>), StoreError> {
    let (mut found, mut named) = (Customers::default(), Vec::new());
    let (whom, which) = ([Param::Ids(customers)], [Param::Ids(segments)]);
    let mut people = |row: &mut Row<'_>| person(row).map(|one| found.people.push(one));
    let mut profiles = |row: &mut Row<'_>| {
        found.profiles.push((row.key()?, row.key()?));
        Ok(())
    };
    let mut rest = |row: &mut Row<'_>| super::segment(row).map(|one| named.push(one));
    let mut asks = vec![
        Ask { sql: PEOPLE, params: &whom, read: &mut people },
        Ask { sql: PROFILES, params: &whom, read: &mut profiles },
    ];
    if !segments.is_empty() {
        asks.push(Ask { sql: super::FIND, params: &which, read: &mut rest });
    }
    tx.ask(&mut asks)?;
    drop(asks);
    Ok((found, named))
}

/// The profiles of these roots: the root, and each of its profiles.
///
/// # Errors
/// What the store says.
pub fn profiles_of_roots(tx: &mut Tx<'_>, roots: &[Key]) -> Result<Vec<(Key, Key)>, StoreError> {
    tx.rows(
        "select root_id, profile_id from profile where root_id {in ids $1}",
        &[Param::Ids(roots)],
        |row| Ok((row.key()?, row.key()?)),
    )
}

/// The profile that stands for the person of each of these, and the customer it is of.
///
/// # Errors
/// What the store says.
pub fn roots(tx: &mut Tx<'_>, profiles: &[Key]) -> Result<Vec<(Key, Key, Option<Key>)>, StoreError> {
    tx.rows(
        "select p.profile_id, r.profile_id, r.customer_id from profile p join profile r on r.profile_id = p.root_id
         where p.profile_id {in ids $1}",
        &[Param::Ids(profiles)],
        |row| {
            let (profile, root) = (row.key()?, row.key()?);
            Ok((profile, root, row.id_or_null::<domain::value::id::Customer>()?.map(Id::bytes)))
        },
    )
}

/// Something somebody did: the profile, when, the event, its name, and all that names nobody as a document.
pub type Done = (Key, Instant, Key, String, String);

/// What these profiles did after an instant under these names, the latest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn events(
    tx: &mut Tx<'_>,
    profiles: &[Key],
    names: &[String],
    after: Instant,
    limit: i64,
) -> Result<Vec<Done>, StoreError> {
    tx.rows(
        "select profile_id, at, event_id, name, body from behaviour_event
         where profile_id {in ids $1} and at > $3 and name {in texts $2} order by at desc, event_id desc limit $4",
        &[Param::Ids(profiles), Param::Texts(names), after.into(), limit.into()],
        |row| Ok((row.key()?, row.instant()?, row.key()?, row.text()?, row.text()?)),
    )
}

/// An order that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// Whose.
    pub customer: Key,
    /// The order.
    pub order: Key,
    /// When it was placed.
    pub at: Instant,
    /// In which channel.
    pub channel: Id<Channel>,
    /// The currency.
    pub currency: Currency,
    /// What is left of its total.
    pub worth: i64,
}

/// The orders of these customers that were placed and not cancelled whole, the latest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn orders(tx: &mut Tx<'_>, customers: &[Key], limit: i64) -> Result<Vec<Ordered>, StoreError> {
    tx.rows(
        "select c.customer_id, h.order_id, h.placed_at, h.channel_id, h.currency, h.gross - h.cancelled - h.returned
         from order_of_customer c join order_head h on h.order_id = c.order_id
         where c.customer_id {in ids $1} and h.state in ($2, $3) order by h.placed_at desc, h.order_id desc limit $4",
        &[
            Param::Ids(customers),
            OrderState::Placed.code().into(),
            OrderState::Completed.code().into(),
            limit.into(),
        ],
        |row| {
            Ok(Ordered {
                customer: row.key()?,
                order: row.key()?,
                at: row.instant()?,
                channel: row.id()?,
                currency: row.value(Currency::parse)?,
                worth: row.int()?,
            })
        },
    )
}

/// A line of an order: the order, the variant, its product, ordered, what is left of it, and the line's amount.
pub type Line = (Key, Id<Variant>, Id<Product>, i64, i64, i64);

/// What the customers have of these orders.
///
/// # Errors
/// What the store says.
pub fn lines(tx: &mut Tx<'_>, orders: &[Key]) -> Result<Vec<Line>, StoreError> {
    tx.rows(
        "select l.order_id, l.variant_id, v.product_id, l.quantity, l.quantity - l.cancelled - l.returned, l.gross
         from order_line l join variant v on v.variant_id = l.variant_id
         where l.order_id {in ids $1} and l.quantity > l.cancelled + l.returned",
        &[Param::Ids(orders)],
        |row| Ok((row.key()?, row.id()?, row.id()?, row.int()?, row.int()?, row.int()?)),
    )
}

/// A product, and a category it is in.
pub type InCategory = (Id<Product>, Id<Category>);

/// The categories these products are in, and those above them.
///
/// # Errors
/// What the store says.
pub fn categories(tx: &mut Tx<'_>, products: &[Key]) -> Result<Vec<InCategory>, StoreError> {
    tx.rows(
        "with recursive above(product_id, category_id, parent_id) as (
            select p.product_id, c.category_id, c.parent_id from product_category p
            join category c on c.category_id = p.category_id where p.product_id {in ids $1}
            union
            select a.product_id, c.category_id, c.parent_id from above a join category c on c.category_id = a.parent_id
         ) select product_id, category_id from above",
        &[Param::Ids(products)],
        |row| Ok((row.id()?, row.id()?)),
    )
}

/// How a customer takes part: the customer, the programme, the tier, when it is lost, and points to spend.
pub type Takes = (Key, Id<LoyaltyProgramme>, Option<String>, Option<Instant>, i64);

/// How these customers take part in loyalty programmes. Whoever shares a book of points has what is in it.
///
/// # Errors
/// What the store says.
pub fn memberships(tx: &mut Tx<'_>, customers: &[Key]) -> Result<Vec<Takes>, StoreError> {
    tx.rows(
        "select o.customer_id, m.loyalty_programme_id, t.tier, t.falls_at, coalesce(a.amount, 0)
         from member_of_customer o join member m on m.member_id = o.member_id
         left join member_tier t on t.member_id in (m.member_id, m.pool_id)
         left join account a on a.book_id = coalesce(m.pool_id, m.member_id)
             and a.place = coalesce(m.pool_id, m.member_id) and a.state = $2
         where o.customer_id {in ids $1} and m.kind = $3 and m.state = $4 order by o.customer_id, m.member_id",
        &[
            Param::Ids(customers),
            Points::Balance.code().into(),
            MemberKind::Person.code().into(),
            MemberState::Active.code().into(),
        ],
        |row| Ok((row.key()?, row.id()?, row.text_or_null()?, row.instant_or_null()?, row.int()?)),
    )
}

/// Whoever a member is: a customer, or all who share the points of a household, or were merged.
///
/// # Errors
/// What the store says.
pub fn sharing(
    tx: &mut Tx<'_>,
    member: Id<domain::value::id::Member>,
) -> Result<Vec<Id<domain::value::id::Customer>>, StoreError> {
    tx.rows(
        "select customer_id from member where member_id = $1 or pool_id = $1 order by customer_id",
        params![member],
        |row| row.id(),
    )
}

/// What these customers agreed to.
///
/// # Errors
/// What the store says.
pub fn consents(tx: &mut Tx<'_>, customers: &[Key]) -> Result<Vec<(Key, Held)>, StoreError> {
    tx.rows(
        "select subscriber_id, purpose, medium, topic, status, expires_at from consent_now
         where subscriber_id {in ids $1}",
        &[Param::Ids(customers)],
        |row| {
            let customer = row.key()?;
            let cell = Cell { purpose: row.text()?, medium: row.word(Medium::coded)?, topic: row.text()? };
            let (status, expires_at) = (row.word(Status::coded)?, row.instant_or_null()?);
            Ok((customer, Held { cell, status, expires_at }))
        },
    )
}

/// The groups of these customers, with those their tiers bring at an instant.
///
/// # Errors
/// What the store says.
pub fn groups(tx: &mut Tx<'_>, customers: &[Key]) -> Result<Vec<(Key, String)>, StoreError> {
    tx.rows(
        "select customer_id, label from customer_group where customer_id {in ids $1}",
        &[Param::Ids(customers)],
        |row| Ok((row.key()?, row.text()?)),
    )
}

/// The languages these customers wish to be written to in.
///
/// # Errors
/// What the store says.
pub fn languages(tx: &mut Tx<'_>, customers: &[Key]) -> Result<Vec<(Key, String)>, StoreError> {
    tx.rows(
        "select subscriber_id, language from subscriber where subscriber_id {in ids $1}",
        &[Param::Ids(customers)],
        |row| Ok((row.key()?, row.text()?)),
    )
}

/// Where an order went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Went {
    /// The order.
    pub order: Key,
    /// The country and the postal area it was sent to.
    pub sent: Option<(Country, Option<String>)>,
    /// The country of the location it was bought at or collected from, and the point there.
    pub handed_over: (Option<Country>, Option<Coordinates>),
}

/// Where these orders went.
///
/// # Errors
/// What the store says.
pub fn destinations(tx: &mut Tx<'_>, orders: &[Key]) -> Result<Vec<Went>, StoreError> {
    let country = |text: Option<String>| text.map(|text| Country::parse(&text)).transpose();
    let unknown = |_| StoreError::Corrupt("an order went to a country that is none".into());
    tx.rows(
        "select h.order_id, c.country, c.postal_area, l.country, l.latitude_micro, l.longitude_micro from order_head h
         join cart c on c.cart_id = h.cart_id
         left join location l on l.location_id = coalesce(h.location_id, c.pickup_location_id) where h.order_id {in ids $1}",
        &[Param::Ids(orders)],
        |row| {
            let (order, to) = (row.key()?, country(row.text_or_null()?).map_err(unknown)?);
            let area = row.text_or_null()?;
            let there = country(row.text_or_null()?).map_err(unknown)?;
            let handed_over = (there, crate::location::coordinates(row)?);
            Ok(Went { order, sent: to.map(|to| (to, area)), handed_over })
        },
    )
}

/// On which lists any of these stand.
///
/// # Errors
/// What the store says.
pub fn lists(
    tx: &mut Tx<'_>,
    atoms: &[Key],
) -> Result<Vec<(Key, Id<domain::value::id::CustomerList>)>, StoreError> {
    tx.rows(
        "select subject_id, customer_list_id from customer_list_entry where subject_id {in ids $1}",
        &[Param::Ids(atoms)],
        |row| Ok((row.key()?, row.id()?)),
    )
}

/// A variant, where it lies, and how many pieces are free there.
pub type Free = (Id<Variant>, Id<Location>, i64);

/// What of these variants lies free on shelves, beyond what a location keeps from orders, and where none is withheld.
///
/// # Errors
/// What the store says.
pub fn shelves(tx: &mut Tx<'_>, variants: &[Key], now: Instant) -> Result<Vec<Free>, StoreError> {
    tx.rows(
        "select a.book_id, a.place, a.amount - coalesce(l.safety, 0) from account a
         left join stock_level l on l.variant_id = a.book_id and l.location_id = a.place
         where a.book_id {in ids $1} and a.state = 1 and a.amount > coalesce(l.safety, 0)
             and (l.excluded_until is null or l.excluded_until <= $2)",
        &[Param::Ids(variants), now.into()],
        |row| Ok((row.id()?, row.id()?, row.int()?)),
    )
}

/// The variants with these SKUs.
///
/// # Errors
/// What the store says.
pub fn variants_by_sku(tx: &mut Tx<'_>, skus: &[String]) -> Result<Vec<(String, Id<Variant>)>, StoreError> {
    tx.rows("select sku, variant_id from sku where sku {in texts $1}", &[Param::Texts(skus)], |row| {
        Ok((row.text()?, row.id()?))
    })
}

/// Who there is: customers who were not merged, or profiles of people who are no customers, after one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn everybody(tx: &mut Tx<'_>, customers: bool, after: Key, limit: i64) -> Result<Vec<Key>, StoreError> {
    if customers {
        return tx.rows(
            "select customer_id from customer
             where customer_id > $1 and merged_into is null and erased_at is null order by customer_id limit $2",
            params![after, limit],
            |row| row.key(),
        );
    }
    tx.rows(
        "select profile_id from profile
         where profile_id > $1 and root_id = profile_id and customer_id is null order by profile_id limit $2",
        params![after, limit],
        |row| row.key(),
    )
}

/// The currency of most orders placed since an instant.
///
/// # Errors
/// What the store says.
pub fn most_used_currency(tx: &mut Tx<'_>, since: Instant) -> Result<Option<Currency>, StoreError> {
    tx.one(
        "select currency from order_head where placed_at > $1 and customer_id is not null and state in ($2, $3)
         group by currency order by count(*) desc, currency limit 1",
        params![since, OrderState::Placed.code(), OrderState::Completed.code()],
        |row| row.value(Currency::parse),
    )
}

/// Of each customer who ordered since an instant: the last order, how many, and what was spent in a currency.
///
/// # Errors
/// What the store says.
pub fn bought_since(
    tx: &mut Tx<'_>,
    since: Instant,
    currency: Currency,
) -> Result<Vec<(Instant, i64, i64)>, StoreError> {
    tx.rows(
        "select max(placed_at), count(*),
             cast(sum(case when currency = $2 then gross - cancelled - returned else 0 end) as {int})
         from order_head where placed_at > $1 and customer_id is not null and state in ($3, $4) group by customer_id",
        params![since, currency.code(), OrderState::Placed.code(), OrderState::Completed.code()],
        |row| Ok((row.instant()?, row.int()?, row.int()?)),
    )
}
