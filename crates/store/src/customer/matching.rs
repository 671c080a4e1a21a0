//! The rows of matching: keyed keys of customers, models, and pairs that may be one person.

use domain::customer::matching::Band;
use domain::customer::matching::review::{Found, Held, ReviewState, band_code, band_coded};
use domain::value::id::{Contact, Customer, MatchReview, Merge};
use domain::value::{Id, Instant};

use crate::contact::Sealed;
use crate::{Param, Row, StoreError, Tx, params};

/// A pair that may be one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Its identity.
    pub id: Id<MatchReview>,
    /// The one, who was there first.
    pub one: Id<Customer>,
    /// The other.
    pub other: Id<Customer>,
    /// How it was found.
    pub found_by: Found,
    /// The score, in thousandths of a bit; 0 where nothing was compared.
    pub score: i32,
    /// What the model says is to be done.
    pub band: Band,
    /// Which model it was.
    pub model: i64,
    /// How the score came about: a document of steps with their weights.
    pub steps: String,
    /// What was decided.
    pub state: ReviewState,
    /// When it was found.
    pub at: Instant,
    /// When the contacts were as they were compared.
    pub scored_at: Instant,
    /// Why it was not joined at once though the model is sure, also in words.
    pub held: Option<(Held, String)>,
    /// When it was decided.
    pub decided_at: Option<Instant>,
    /// Who decided.
    pub decided_by: Option<String>,
    /// The merge that followed.
    pub merge: Option<Id<Merge>>,
}

/// What the retailer says of matching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The model; the built-in one when `None`.
    pub model: Option<i64>,
    /// Which was in force before, to go back to; 0 is the built-in one.
    pub before: i64,
    /// Is what the model is sure of merged without a look?
    pub automatic: bool,
    /// Counts the changes.
    pub version: i64,
}

/// A model that was learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learnt {
    /// Counts the models, from 1.
    pub number: i64,
    /// What it is made of: a document.
    pub parts: String,
    /// Of how many customers it was learnt.
    pub customers: i64,
    /// When.
    pub made_at: Instant,
}

/// A customer with the sealed contact.
pub type SealedCustomer = (Id<Customer>, Id<Contact>, Sealed);

/// Writes the keys of a customer anew.
///
/// # Errors
/// What the store says.
pub fn put_keys(tx: &mut Tx<'_>, customer: Id<Customer>, keys: &[i64]) -> Result<(), StoreError> {
    forget_keys(tx, customer)?;
    for key in keys {
        tx.execute(
            "insert into match_key (key, customer_id) values ($1, $2) on conflict (key, customer_id) do nothing",
            params![*key, customer],
        )?;
    }
    Ok(())
}

/// Notes whether the contact of a customer is what he wrote of himself, which nobody checked.
///
/// # Errors
/// What the store says.
pub fn put_own_word(tx: &mut Tx<'_>, customer: Id<Customer>, is_own: bool) -> Result<(), StoreError> {
    let text = if is_own {
        "insert into match_own_word (customer_id) values ($1) on conflict (customer_id) do nothing"
    } else {
        "delete from match_own_word where customer_id = $1"
    };
    tx.execute(text, params![customer])?;
    Ok(())
}

/// Those of some customers whose contact is what they wrote of themselves.
///
/// # Errors
/// What the store says.
pub fn own_words(tx: &mut Tx<'_>, customers: &[Id<Customer>]) -> Result<Vec<Id<Customer>>, StoreError> {
    let ids: Vec<_> = customers.iter().map(|id| id.bytes()).collect();
    tx.rows(
        "select customer_id from match_own_word where customer_id {in ids $1} order by customer_id",
        &[Param::Ids(&ids)],
        |row| row.id(),
    )
}

/// Did the contact of one of some customers change after an instant?
///
/// # Errors
/// What the store says.
pub fn changed_since(tx: &mut Tx<'_>, customers: &[Id<Customer>], at: Instant) -> Result<bool, StoreError> {
    let ids: Vec<_> = customers.iter().map(|id| id.bytes()).collect();
    let found = tx.one(
        "select count(*) from customer c join contact k on k.contact_id = c.contact_id where c.customer_id {in ids $1} and k.made_at > $2",
        &[Param::Ids(&ids), Param::from(at)],
        |row| row.int(),
    )?;
    Ok(found.is_some_and(|many| many > 0))
}

/// Forgets the keys of a customer.
///
/// # Errors
/// What the store says.
pub fn forget_keys(tx: &mut Tx<'_>, customer: Id<Customer>) -> Result<(), StoreError> {
    tx.execute("delete from match_key where customer_id = $1", params![customer])?;
    Ok(())
}

/// The customers who have a key, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn with_key(tx: &mut Tx<'_>, key: i64, limit: i64) -> Result<Vec<Id<Customer>>, StoreError> {
    tx.rows(
        "select customer_id from match_key where key = $1 order by customer_id limit $2",
        params![key, limit],
        |row| row.id(),
    )
}

fn sealed(row: &mut Row<'_>) -> Result<SealedCustomer, StoreError> {
    let (customer, contact) = (row.id()?, row.id()?);
    Ok((
        customer,
        contact,
        Sealed { person: row.id()?, sealed: row.bytes()?, wrapped_key: row.bytes_or_null()? },
    ))
}

/// The sealed contacts of customers, of those who were neither merged nor erased.
///
/// # Errors
/// What the store says.
pub fn contacts(tx: &mut Tx<'_>, customers: &[Id<Customer>]) -> Result<Vec<SealedCustomer>, StoreError> {
    let ids: Vec<_> = customers.iter().map(|id| id.bytes()).collect();
    tx.rows(
        "select c.customer_id, c.contact_id, k.person_id, k.sealed, p.wrapped_key from customer c
         join contact k on k.contact_id = c.contact_id join person p on p.person_id = k.person_id
         where c.customer_id {in ids $1} and c.merged_into is null and c.erased_at is null order by c.customer_id",
        &[Param::Ids(&ids)],
        sealed,
    )
}

/// The sealed contacts of the customers after one who were neither merged nor erased, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn contacts_after(
    tx: &mut Tx<'_>,
    after: Id<Customer>,
    limit: i64,
) -> Result<Vec<SealedCustomer>, StoreError> {
    tx.rows(
        "select c.customer_id, c.contact_id, k.person_id, k.sealed, p.wrapped_key from customer c
         join contact k on k.contact_id = c.contact_id join person p on p.person_id = k.person_id
         where c.customer_id > $1 and c.merged_into is null and c.erased_at is null order by c.customer_id limit $2",
        params![after, limit],
        sealed,
    )
}

/// What the retailer says of matching, if anything was said; it stays so until the commit.
///
/// # Errors
/// What the store says.
pub fn rule(tx: &mut Tx<'_>) -> Result<Option<Rule>, StoreError> {
    tx.one("select number, before_number, automatic, version from match_rule where place = 1", &[], |row| {
        Ok(Rule { model: row.int_or_null()?, before: row.int()?, automatic: row.yes()?, version: row.int()? })
    })
}

/// Writes what the retailer says of matching, if it still has the version before; false when it has not.
///
/// # Errors
/// What the store says.
pub fn put_rule(tx: &mut Tx<'_>, rule: &Rule, now: Instant) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "insert into match_rule (place, number, before_number, automatic, version, changed_at) values (1, $1, $2, $3, $4, $5)
         on conflict (place) do update set number = excluded.number, before_number = excluded.before_number, automatic = excluded.automatic,
             version = excluded.version, changed_at = excluded.changed_at where match_rule.version = excluded.version - 1",
        params![rule.model, rule.before, rule.automatic, rule.version, now],
    )?;
    Ok(touched == 1)
}

/// Keeps a model that was learnt.
///
/// # Errors
/// What the store says.
pub fn add_model(tx: &mut Tx<'_>, one: &Learnt) -> Result<(), StoreError> {
    tx.execute(
        "insert into match_model (number, parts, customers, made_at) values ($1, $2, $3, $4)",
        params![one.number, &one.parts, one.customers, one.made_at],
    )?;
    Ok(())
}

/// Keeps how often a value is seen among those a model was learnt of.
///
/// # Errors
/// What the store says.
pub fn add_value(tx: &mut Tx<'_>, number: i64, key: i64, times: u32) -> Result<(), StoreError> {
    tx.execute(
        "insert into match_value (number, key, times) values ($1, $2, $3) on conflict (number, key) do nothing",
        params![number, key, i64::from(times)],
    )?;
    Ok(())
}

/// How often a value is seen among those a model was learnt of, if it is frequent.
///
/// # Errors
/// What the store says.
pub fn times(tx: &mut Tx<'_>, number: i64, key: i64) -> Result<Option<u32>, StoreError> {
    tx.one("select times from match_value where number = $1 and key = $2", params![number, key], |row| {
        row.int().map(|times| u32::try_from(times).unwrap_or(u32::MAX))
    })
}

/// The models before a number, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn models(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<Vec<Learnt>, StoreError> {
    tx.rows(
        "select number, parts, customers, made_at from match_model where number < $1 order by number desc limit $2",
        params![before, limit],
        |row| Ok(Learnt { number: row.int()?, parts: row.text()?, customers: row.int()?, made_at: row.instant()? }),
    )
}

fn review(row: &mut Row<'_>) -> Result<Review, StoreError> {
    Ok(Review {
        id: row.id()?,
        one: row.id()?,
        other: row.id()?,
        found_by: row.word(Found::coded)?,
        score: i32::try_from(row.int()?).unwrap_or(i32::MAX),
        band: row.word(band_coded)?,
        model: row.int()?,
        steps: row.text()?,
        state: row.word(ReviewState::coded)?,
        at: row.instant()?,
        scored_at: row.instant()?,
        held: row.word_or_null(Held::coded)?.zip(row.text_or_null()?),
        decided_at: row.instant_or_null()?,
        decided_by: row.text_or_null()?,
        merge: row.id_or_null()?,
    })
}

/// Notes a pair, unless it was found before; false then.
///
/// # Errors
/// What the store says.
pub fn add_review(tx: &mut Tx<'_>, one: &Review) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into match_pair (one_id, other_id, match_review_id) values ($1, $2, $3) on conflict (one_id, other_id) do nothing",
        params![one.one, one.other, one.id],
    )?;
    if made == 1 {
        tx.execute(
            "insert into match_review (match_review_id, one_id, other_id, found_by, score, band, number, steps, state, at, scored_at, held, held_why)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            params![
                one.id, one.one, one.other, one.found_by.code(), i64::from(one.score), band_code(one.band), one.model, &one.steps, one.state.code(), one.at,
                one.scored_at, one.held.as_ref().map(|(held, _)| held.code()), one.held.as_ref().map(|(_, why)| why)
            ],
        )?;
    }
    Ok(made == 1)
}

/// What is known of two customers, locked until the commit.
///
/// # Errors
/// What the store says.
pub fn lock_pair(
    tx: &mut Tx<'_>,
    one: Id<Customer>,
    other: Id<Customer>,
) -> Result<Option<Review>, StoreError> {
    let found = tx.one(
        "select match_review_id from match_pair where one_id = $1 and other_id = $2",
        params![one, other],
        |row| row.id(),
    )?;
    found.map_or(Ok(None), |id| lock_review(tx, id))
}

/// Writes what is known of a pair anew: how it was found, the score, whether it is open or withdrawn, and why it was not joined.
///
/// # Errors
/// What the store says.
pub fn rewrite(tx: &mut Tx<'_>, one: &Review) -> Result<(), StoreError> {
    tx.execute(
        "update match_review set found_by = $2, score = $3, band = $4, number = $5, steps = $6, state = $7, scored_at = $8, held = $9, held_why = $10
         where match_review_id = $1",
        params![
            one.id,
            one.found_by.code(),
            i64::from(one.score),
            band_code(one.band),
            one.model,
            &one.steps,
            one.state.code(),
            one.scored_at,
            one.held.as_ref().map(|(held, _)| held.code()),
            one.held.as_ref().map(|(_, why)| why)
        ],
    )?;
    Ok(())
}

/// With whom a customer is in a pair that waits to be decided, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn open_with(
    tx: &mut Tx<'_>,
    customer: Id<Customer>,
    limit: i64,
) -> Result<Vec<Id<Customer>>, StoreError> {
    tx.rows(
        "select other_id from match_review where one_id = $1 and state = 1
         union select one_id from match_review where other_id = $1 and state = 1 order by 1 limit $2",
        params![customer, limit],
        |row| row.id(),
    )
}

/// A pair, locked until the commit.
///
/// # Errors
/// What the store says.
pub fn lock_review(tx: &mut Tx<'_>, id: Id<MatchReview>) -> Result<Option<Review>, StoreError> {
    tx.one(
        "select match_review_id, one_id, other_id, found_by, score, band, number, steps, state, at, scored_at, held, held_why, decided_at,
             decided_by, merge_id
         from match_review where match_review_id = $1 {lock}",
        params![id],
        review,
    )
}

/// A pair.
///
/// # Errors
/// What the store says.
pub fn find_review(tx: &mut Tx<'_>, id: Id<MatchReview>) -> Result<Option<Review>, StoreError> {
    tx.one(
        "select match_review_id, one_id, other_id, found_by, score, band, number, steps, state, at, scored_at, held, held_why, decided_at,
             decided_by, merge_id
         from match_review where match_review_id = $1",
        params![id],
        review,
    )
}

/// Pairs in a state before one, the newest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn reviews(
    tx: &mut Tx<'_>,
    state: ReviewState,
    before: Id<MatchReview>,
    limit: i64,
) -> Result<Vec<Review>, StoreError> {
    tx.rows(
        "select match_review_id, one_id, other_id, found_by, score, band, number, steps, state, at, scored_at, held, held_why, decided_at,
             decided_by, merge_id
         from match_review where state = $1 and match_review_id < $2 order by match_review_id desc limit $3",
        params![state.code(), before, limit],
        review,
    )
}

/// Writes what was decided of a pair.
///
/// # Errors
/// What the store says.
pub fn decide(tx: &mut Tx<'_>, one: &Review) -> Result<(), StoreError> {
    tx.execute(
        "update match_review set state = $2, decided_at = $3, decided_by = $4, merge_id = $5 where match_review_id = $1",
        params![one.id, one.state.code(), one.decided_at, one.decided_by.as_ref(), one.merge],
    )?;
    Ok(())
}
