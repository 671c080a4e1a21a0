//! The rows of expected goods: what is to arrive where, how many of it, and when.

use domain::stock::expected::State;
use domain::value::id::{self, Location, Variant};
use domain::value::{Id, Instant};

use crate::{Param, Row, StoreError, Tx, params};

/// Goods of one variant that are to arrive at a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedGoods {
    /// Their identity.
    pub id: Id<id::ExpectedGoods>,
    /// The variant.
    pub variant: Id<Variant>,
    /// Where they arrive.
    pub location: Id<Location>,
    /// How many are expected altogether.
    pub quantity: i64,
    /// How many have arrived, in whatever condition.
    pub arrived: i64,
    /// When they are to arrive.
    pub due_at: Instant,
    /// The retailer's paper, such as the number of a purchase order.
    pub reference: Option<String>,
    /// Where they stand.
    pub state: State,
    /// When they were announced.
    pub made_at: Instant,
    /// Rises with every change.
    pub version: i64,
}

impl ExpectedGoods {
    /// How many are still to come.
    pub fn to_come(&self) -> i64 {
        if self.state == State::Open { (self.quantity - self.arrived).max(0) } else { 0 }
    }
}

fn goods(row: &mut Row<'_>) -> Result<ExpectedGoods, StoreError> {
    Ok(ExpectedGoods {
        id: row.id()?,
        variant: row.id()?,
        location: row.id()?,
        quantity: row.int()?,
        arrived: row.int()?,
        due_at: row.instant()?,
        reference: row.text_or_null()?,
        state: row.word(State::coded)?,
        made_at: row.instant()?,
        version: row.int()?,
    })
}

/// Adds expected goods, as version 1.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, new: &ExpectedGoods) -> Result<(), StoreError> {
    tx.execute(
        "insert into expected_goods (expected_goods_id, variant_id, location_id, quantity, arrived, due_at, reference, state, made_at, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)",
        params![
            new.id, new.variant, new.location, new.quantity, new.arrived, new.due_at, new.reference.as_ref(),
            new.state.code(), new.made_at
        ],
    )?;
    Ok(())
}

/// Writes expected goods and raises their version. They are locked.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, goods: &mut ExpectedGoods) -> Result<(), StoreError> {
    tx.execute(
        "update expected_goods set quantity = $2, arrived = $3, due_at = $4, reference = $5, state = $6, version = version + 1
         where expected_goods_id = $1",
        params![
            goods.id,
            goods.quantity,
            goods.arrived,
            goods.due_at,
            goods.reference.as_ref(),
            goods.state.code()
        ],
    )?;
    goods.version += 1;
    Ok(())
}

/// The expected goods with this id.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<id::ExpectedGoods>) -> Result<Option<ExpectedGoods>, StoreError> {
    tx.one(
        "select expected_goods_id, variant_id, location_id, quantity, arrived, due_at, reference, state, made_at, version
         from expected_goods where expected_goods_id = $1",
        params![id],
        goods,
    )
}

/// As [`find`]; nobody else can change them until the commit.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, id: Id<id::ExpectedGoods>) -> Result<Option<ExpectedGoods>, StoreError> {
    tx.one("select version from expected_goods where expected_goods_id = $1 {lock}", params![id], |row| {
        row.int()
    })?;
    find(tx, id)
}

/// What is still to come of variants, the earliest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn to_come_of(
    tx: &mut Tx<'_>,
    variants: &[Id<Variant>],
    limit: i64,
) -> Result<Vec<ExpectedGoods>, StoreError> {
    let keys: Vec<[u8; 16]> = variants.iter().map(|variant| variant.bytes()).collect();
    tx.rows(
        "select expected_goods_id, variant_id, location_id, quantity, arrived, due_at, reference, state, made_at, version
         from expected_goods where variant_id {in ids $1} and state = 1 order by due_at, expected_goods_id limit $2",
        &[Param::Ids(&keys), limit.into()],
        goods,
    )
}

/// Expected goods at a location after some, in the order they were announced, at most `limit`: those still to come, or all.
///
/// # Errors
/// What the store says.
pub fn at(
    tx: &mut Tx<'_>,
    (location, state): (Id<Location>, Option<State>),
    after: Id<id::ExpectedGoods>,
    limit: i64,
) -> Result<Vec<ExpectedGoods>, StoreError> {
    tx.rows(
        "select expected_goods_id, variant_id, location_id, quantity, arrived, due_at, reference, state, made_at, version
         from expected_goods
         where location_id = $1 and expected_goods_id > $2 and state = coalesce(cast($3 as {int}), state)
         order by expected_goods_id limit $4",
        params![location, after, state.map(State::code), limit],
        goods,
    )
}

/// A variant at a location: what the books expect there, and what open expected goods say.
pub type Unequal = (Id<Variant>, Id<Location>, i64, i64);

/// Where books and open expected goods do not say the same.
///
/// # Errors
/// What the store says.
pub fn unequal(tx: &mut Tx<'_>) -> Result<Vec<Unequal>, StoreError> {
    tx.rows(
        "select variant_id, place, cast(sum(booked) as {int}), cast(sum(open) as {int}) from (
            select book_id as variant_id, place, amount as booked, 0 as open from account where state = 10
            union all
            select variant_id, location_id as place, 0 as booked, quantity - arrived as open from expected_goods
            where state = 1 and quantity > arrived
         ) both_sides group by variant_id, place having sum(booked) <> sum(open)",
        &[],
        |row| Ok((row.id()?, row.id()?, row.int()?, row.int()?)),
    )
}
