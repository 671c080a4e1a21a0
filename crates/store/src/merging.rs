//! The rows of merges: who was merged into whom, and what went along, so that it can go back.

pub mod training;

use domain::merging::{Cause, Part};
use domain::promotion::limit::{Period, Scope, Used};
use domain::value::id::{Customer, Merge as MergeKind};
use domain::value::{Id, Instant};

use crate::check::FINDINGS_MAX;
use crate::promotion::Counter;
use crate::{Row, StoreError, Tx, params};

/// One customer was merged into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merge {
    /// Its identity.
    pub id: Id<MergeKind>,
    /// Who stays.
    pub winner: Id<Customer>,
    /// Who was merged.
    pub loser: Id<Customer>,
    /// What made them one.
    pub cause: Cause,
    /// Why, in words.
    pub why: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: Instant,
    /// When it was undone.
    pub undone_at: Option<Instant>,
    /// Who undid it.
    pub undone_by: Option<String>,
}

fn merge(row: &mut Row<'_>) -> Result<Merge, StoreError> {
    Ok(Merge {
        id: row.id()?,
        winner: row.id()?,
        loser: row.id()?,
        cause: row.word(Cause::coded)?,
        why: row.text()?,
        actor: row.text()?,
        at: row.instant()?,
        undone_at: row.instant_or_null()?,
        undone_by: row.text_or_null()?,
    })
}

/// Notes a merge.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Merge) -> Result<(), StoreError> {
    tx.execute(
        "insert into merge_record (merge_id, winner_id, loser_id, cause, why, actor, at) values ($1, $2, $3, $4, $5, $6, $7)",
        params![one.id, one.winner, one.loser, one.cause.code(), &one.why, &one.actor, one.at],
    )?;
    for customer in [one.winner, one.loser] {
        tx.execute(
            "insert into merge_of_customer (customer_id, merge_id) values ($1, $2)",
            params![customer, one.id],
        )?;
    }
    Ok(())
}

/// Notes that a merge was undone; false when it was undone before.
///
/// # Errors
/// What the store says.
pub fn end(tx: &mut Tx<'_>, id: Id<MergeKind>, now: Instant, by: &str) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update merge_record set undone_at = $2, undone_by = $3 where merge_id = $1 and undone_at is null",
        params![id, now, by],
    )?;
    Ok(touched == 1)
}

/// A merge.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<MergeKind>) -> Result<Option<Merge>, StoreError> {
    tx.one(
        "select merge_id, winner_id, loser_id, cause, why, actor, at, undone_at, undone_by from merge_record where merge_id = $1",
        params![id],
        merge,
    )
}

/// The merges before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, before: Id<MergeKind>, limit: i64) -> Result<Vec<Merge>, StoreError> {
    tx.rows(
        "select merge_id, winner_id, loser_id, cause, why, actor, at, undone_at, undone_by from merge_record
         where merge_id < $1 order by merge_id desc limit $2",
        params![before, limit],
        merge,
    )
}

/// The merges a customer had part in before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_customer(
    tx: &mut Tx<'_>,
    customer: Id<Customer>,
    before: Id<MergeKind>,
    limit: i64,
) -> Result<Vec<Merge>, StoreError> {
    tx.rows(
        "select m.merge_id, m.winner_id, m.loser_id, m.cause, m.why, m.actor, m.at, m.undone_at, m.undone_by
         from merge_of_customer c join merge_record m on m.merge_id = c.merge_id
         where c.customer_id = $1 and c.merge_id < $2 order by c.merge_id desc limit $3",
        params![customer, before, limit],
        merge,
    )
}

/// Notes that something went along, with what is to be known to take it back.
///
/// # Errors
/// What the store says.
pub fn note(
    tx: &mut Tx<'_>,
    id: Id<MergeKind>,
    (part, key): (Part, [u8; 16]),
    before: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(
        "insert into merge_moved (merge_id, kind, key, before) values ($1, $2, $3, $4)",
        params![id, part.code(), key, before],
    )?;
    Ok(())
}

/// Something that went along, and what is to be known to take it back.
pub type Moved = ([u8; 16], Option<String>);

/// What of one sort went along.
///
/// # Errors
/// What the store says.
pub fn moved(tx: &mut Tx<'_>, id: Id<MergeKind>, part: Part) -> Result<Vec<Moved>, StoreError> {
    tx.rows(
        "select key, before from merge_moved where merge_id = $1 and kind = $2 order by key",
        params![id, part.code()],
        |row| Ok((row.key()?, row.text_or_null()?)),
    )
}

/// How many of each sort went along.
///
/// # Errors
/// What the store says.
pub fn counts(tx: &mut Tx<'_>, id: Id<MergeKind>) -> Result<Vec<(Part, i64)>, StoreError> {
    tx.rows(
        "select kind, count(*) from merge_moved where merge_id = $1 group by kind order by kind",
        params![id],
        |row| Ok((row.word(Part::coded)?, row.int()?)),
    )
}

/// Locks the carts of customers that have not ended, and the orders of one of them, in the order of their ids; answers both.
///
/// # Errors
/// What the store says.
pub fn lock(
    tx: &mut Tx<'_>,
    (winner, loser): (Id<Customer>, Id<Customer>),
) -> Result<Vec<[u8; 16]>, StoreError> {
    let mut locked = tx.rows(
        "select cart_id from cart where customer_id in ($1, $2) and order_id is null and merged_into is null order by cart_id {lock}",
        params![winner, loser],
        |row| row.key(),
    )?;
    locked.extend(tx.rows(
        "select h.order_id from order_head h where h.order_id in (select o.order_id from order_of_customer o where o.customer_id = $1)
         order by h.order_id {lock}",
        params![loser],
        |row| row.key(),
    )?);
    Ok(locked)
}

/// Locks the orders that went along, in the order of their ids.
///
/// # Errors
/// What the store says.
pub fn lock_moved(tx: &mut Tx<'_>, id: Id<MergeKind>) -> Result<(), StoreError> {
    tx.rows(
        "select cart_id from cart where cart_id in (select m.key from merge_moved m where m.merge_id = $1 and m.kind in ($2, $3))
         order by cart_id {lock}",
        params![id, Part::Cart.code(), Part::UnitedCart.code()],
        |row| row.key(),
    )?;
    tx.rows(
        "select h.order_id from order_head h where h.order_id in (select m.key from merge_moved m where m.merge_id = $1 and m.kind = $2)
         order by h.order_id {lock}",
        params![id, Part::Order.code()],
        |row| row.key(),
    )
    .map(drop)
}

/// How many carts, orders and returns a customer has.
///
/// # Errors
/// What the store says.
pub fn extent(tx: &mut Tx<'_>, of: Id<Customer>) -> Result<i64, StoreError> {
    let found = tx.one(
        "select (select count(*) from cart where customer_id = $1) + (select count(*) from order_of_customer where customer_id = $1)
             + (select count(*) from return_of_customer where customer_id = $1)",
        params![of],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}

/// Notes all carts, orders, returns and claims of a customer as going along.
///
/// # Errors
/// What the store says.
pub fn note_all(tx: &mut Tx<'_>, id: Id<MergeKind>, of: Id<Customer>) -> Result<(), StoreError> {
    tx.execute(
        "insert into merge_moved (merge_id, kind, key)
         select cast($1 as {bytes}), cast($2 as {int}), cart_id from cart where customer_id = $3",
        params![id, Part::Cart.code(), of],
    )?;
    tx.execute(
        "insert into merge_moved (merge_id, kind, key)
         select cast($1 as {bytes}), cast($2 as {int}), order_id from order_of_customer where customer_id = $3",
        params![id, Part::Order.code(), of],
    )?;
    tx.execute(
        "insert into merge_moved (merge_id, kind, key)
         select cast($1 as {bytes}), cast($2 as {int}), return_id from return_of_customer where customer_id = $3",
        params![id, Part::Return.code(), of],
    )?;
    tx.execute(
        "insert into merge_moved (merge_id, kind, key)
         select cast($1 as {bytes}), cast($2 as {int}), c.claim_id from claim_of_order o join claim c on c.claim_id = o.claim_id
         where c.customer_id = $3 and o.order_id in (select order_id from order_of_customer where customer_id = $3)",
        params![id, Part::Claim.code(), of],
    )?;
    Ok(())
}

/// Hands the carts, orders, returns and claims that go along from one customer to another.
///
/// # Errors
/// What the store says.
pub fn hand_over(
    tx: &mut Tx<'_>,
    id: Id<MergeKind>,
    (from, to): (Id<Customer>, Id<Customer>),
) -> Result<(), StoreError> {
    tx.execute(
        "update cart set customer_id = $4
         where customer_id = $3 and cart_id in (select m.key from merge_moved m where m.merge_id = $1 and m.kind = $2)",
        params![id, Part::Cart.code(), from, to],
    )?;
    tx.execute(
        "update order_head set customer_id = $4
         where customer_id = $3 and order_id in (select m.key from merge_moved m where m.merge_id = $1 and m.kind = $2)",
        params![id, Part::Order.code(), from, to],
    )?;
    tx.execute(
        "update order_of_customer set customer_id = $4
         where customer_id = $3 and order_id in (select m.key from merge_moved m where m.merge_id = $1 and m.kind = $2)",
        params![id, Part::Order.code(), from, to],
    )?;
    tx.execute(
        "update return_of_goods set customer_id = $4
         where customer_id = $3 and return_id in (select m.key from merge_moved m where m.merge_id = $1 and m.kind = $2)",
        params![id, Part::Return.code(), from, to],
    )?;
    tx.execute(
        "update return_of_customer set customer_id = $4
         where customer_id = $3 and return_id in (select m.key from merge_moved m where m.merge_id = $1 and m.kind = $2)",
        params![id, Part::Return.code(), from, to],
    )?;
    tx.execute(
        "update claim set customer_id = $4
         where customer_id = $3 and claim_id in (select m.key from merge_moved m where m.merge_id = $1 and m.kind = $2)",
        params![id, Part::Claim.code(), from, to],
    )?;
    Ok(())
}

/// Hands over what the orders that go along used of promotions per customer, so that both together have used what each of them did.
///
/// # Errors
/// What the store says.
pub fn hand_over_uses(
    tx: &mut Tx<'_>,
    id: Id<MergeKind>,
    (from, to): (Id<Customer>, Id<Customer>),
) -> Result<(), StoreError> {
    let used = tx.rows(
        "select u.promotion_id, u.period, u.begins, sum(case when u.released = 0 then 1 else 0 end),
             cast(sum(case when u.released = 0 then u.minor else 0 end) as {int})
         from promotion_use u where u.holder = $3 and u.scope = 3
             and u.order_id in (select m.key from merge_moved m where m.merge_id = $1 and m.kind = $2)
         group by u.promotion_id, u.period, u.begins order by u.promotion_id, u.period, u.begins",
        params![id, Part::Order.code(), from],
        |row| {
            let (promotion, period) = (row.id()?, row.word(Period::coded)?);
            let counter = Counter {
                promotion,
                scope: Scope::Customer,
                period,
                holder: from.bytes(),
                begins: row.int()?,
            };
            Ok((counter, Used { uses: row.int()?, minor: row.int()? }))
        },
    )?;
    tx.execute(
        "update promotion_use set holder = $4 where holder = $3 and scope = 3
             and order_id in (select m.key from merge_moved m where m.merge_id = $1 and m.kind = $2)",
        params![id, Part::Order.code(), from, to],
    )?;
    for (counter, used) in used {
        add_used(tx, &counter, (-used.uses, -used.minor))?;
        add_used(tx, &Counter { holder: to.bytes(), ..counter }, (used.uses, used.minor))?;
    }
    Ok(())
}

/// Adds to a counter or takes from it; one that counts nothing that any order used is taken away.
fn add_used(tx: &mut Tx<'_>, own: &Counter, (uses, minor): (i64, i64)) -> Result<(), StoreError> {
    let key =
        params![own.promotion, own.scope.code(), own.period.code(), own.holder, own.begins, uses, minor];
    let touched = tx.execute(
        "update promotion_used set uses = uses + $6, minor = minor + $7
         where promotion_id = $1 and scope = $2 and period = $3 and holder = $4 and begins = $5",
        key,
    )?;
    if touched == 0 {
        tx.execute(
            "insert into promotion_used (promotion_id, scope, period, holder, begins, uses, minor) values ($1, $2, $3, $4, $5, $6, $7)",
            key,
        )?;
    }
    tx.execute(
        "delete from promotion_used where promotion_id = $1 and scope = $2 and period = $3 and holder = $4 and begins = $5
             and uses = 0 and minor = 0 and not exists (select 1 from promotion_use u where u.holder = $4 and u.scope = 3
                 and u.promotion_id = $1 and u.period = $3 and u.begins = $5)",
        &key[..5],
    )?;
    Ok(())
}

/// Writes whom a customer was merged into, if anybody.
///
/// # Errors
/// What the store says.
pub fn set_merged_into(
    tx: &mut Tx<'_>,
    loser: Id<Customer>,
    winner: Option<Id<Customer>>,
) -> Result<(), StoreError> {
    tx.execute(
        "update customer set merged_into = $2, version = version + 1 where customer_id = $1",
        params![loser, winner],
    )?;
    Ok(())
}

/// Writes the groups of a customer.
///
/// # Errors
/// What the store says.
pub fn set_groups(tx: &mut Tx<'_>, customer: Id<Customer>, labels: &[String]) -> Result<(), StoreError> {
    tx.execute("delete from customer_group where customer_id = $1", params![customer])?;
    for (place, label) in (0i64..).zip(labels) {
        tx.execute(
            "insert into customer_group (customer_id, place, label) values ($1, $2, $3)",
            params![customer, place, label],
        )?;
    }
    tx.execute("update customer set version = version + 1 where customer_id = $1", params![customer])?;
    Ok(())
}

/// What lies with customers who were merged into another though it belongs to that one, and merges that lead nowhere: whose, and what.
///
/// # Errors
/// What the store says.
pub fn astray(tx: &mut Tx<'_>) -> Result<Vec<(Id<Customer>, String)>, StoreError> {
    tx.rows(
        "select c.customer_id, 'a cart' from customer c join cart k on k.customer_id = c.customer_id where c.merged_into is not null
         union all
         select c.customer_id, 'an order' from customer c join order_of_customer o on o.customer_id = c.customer_id
            where c.merged_into is not null
         union all
         select o.customer_id, 'an order that says it is another customer''s' from order_of_customer o
            join order_head h on h.order_id = o.order_id where h.customer_id is null or h.customer_id <> o.customer_id
         union all
         select c.customer_id, 'a return' from customer c join return_of_customer r on r.customer_id = c.customer_id
            where c.merged_into is not null
         union all
         select c.customer_id, 'what was used of a promotion' from customer c join promotion_used u on u.holder = c.customer_id
            where c.merged_into is not null and u.scope = 3 and (u.uses <> 0 or u.minor <> 0)
         union all
         select c.customer_id, 'a store credit that goes nowhere' from customer c
            join store_credit s on s.customer_id = c.customer_id where c.merged_into is not null and s.pool_id is null
         union all
         select c.customer_id, 'a membership that goes nowhere' from customer c
            join member_of_customer o on o.customer_id = c.customer_id join member m on m.member_id = o.member_id
            where c.merged_into is not null and c.erased_at is null and m.pool_id is null
         union all
         select c.customer_id, 'a merge into nobody' from customer c where c.merged_into is not null
            and not exists (select 1 from customer w where w.customer_id = c.merged_into and w.merged_into is null)
         union all
         select c.customer_id, 'no record of his merge' from customer c where c.merged_into is not null
            and not exists (select 1 from merge_of_customer o join merge_record m on m.merge_id = o.merge_id
                where o.customer_id = c.customer_id and m.loser_id = c.customer_id and m.undone_at is null)
         limit $1",
        params![FINDINGS_MAX],
        |row| Ok((row.id()?, row.text()?)),
    )
}
