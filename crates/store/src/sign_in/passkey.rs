//! The rows of passkeys, and of challenges that wait for an answer.

use domain::market::origin::Origin;
use domain::sign_in::passkey::{Algorithm, Purpose};
use domain::value::id::{Customer, Merge, Passkey as PasskeyKind, Person};
use domain::value::{Id, Instant};

use crate::{Row, StoreError, Tx, params};

/// A key pair of which we know the public half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its identity.
    pub id: Id<PasskeyKind>,
    /// Whose it is, as it was registered: who was merged since keeps their own.
    pub customer: Id<Customer>,
    /// The person under whose key the name is sealed.
    pub person: Id<Person>,
    /// The id its authenticator gave it.
    pub credential: Vec<u8>,
    /// The domain it was made for.
    pub domain: String,
    /// How it signs.
    pub algorithm: Algorithm,
    /// What its signatures are checked with.
    pub public_key: Vec<u8>,
    /// How often it has signed, as it said last; 0 when it does not count.
    pub sign_count: i64,
    /// Is it kept on several devices?
    pub is_copied: bool,
    /// What its owner calls it, sealed.
    pub name: Vec<u8>,
    /// When it was registered.
    pub made_at: Instant,
    /// When somebody last signed in by it.
    pub used_at: Option<Instant>,
}

/// A challenge that was given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// What for.
    pub purpose: Purpose,
    /// Who registers.
    pub customer: Option<Id<Customer>>,
    /// The page that asked.
    pub origin: Origin,
    /// The domain whose passkeys answer.
    pub domain: String,
    /// From when on an answer comes too late.
    pub expires_at: Instant,
}

fn passkey(row: &mut Row<'_>) -> Result<Passkey, StoreError> {
    Ok(Passkey {
        id: row.id()?,
        customer: row.id()?,
        person: row.id()?,
        credential: row.bytes()?,
        domain: row.text()?,
        algorithm: row.word(Algorithm::coded)?,
        public_key: row.bytes()?,
        sign_count: row.int()?,
        is_copied: row.yes()?,
        name: row.bytes()?,
        made_at: row.instant()?,
        used_at: row.instant_or_null()?,
    })
}

/// Adds a passkey; false when its credential is known already.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, hash: &[u8; 32], one: &Passkey) -> Result<bool, StoreError> {
    let claimed = tx.execute(
        "insert into passkey_credential (hash, customer_id, passkey_id) values ($1, $2, $3) on conflict (hash) do nothing",
        params![&hash[..], one.customer, one.id],
    )?;
    if claimed == 0 {
        return Ok(false);
    }
    tx.execute(
        "insert into passkey (customer_id, passkey_id, credential, domain, algorithm, public_key, sign_count, is_copied, name, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            one.customer, one.id, &one.credential, &one.domain, one.algorithm.code(), &one.public_key, one.sign_count, one.is_copied,
            &one.name, one.made_at
        ],
    )?;
    Ok(true)
}

/// The passkey whose credential has this hash, unless its customer was erased.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Passkey>, StoreError> {
    tx.one(
        "select p.passkey_id, p.customer_id, c.person_id, p.credential, p.domain, p.algorithm, p.public_key, p.sign_count, p.is_copied,
         p.name, p.made_at, p.used_at from passkey_credential k
         join passkey p on p.customer_id = k.customer_id and p.passkey_id = k.passkey_id
         join customer c on c.customer_id = p.customer_id where k.hash = $1 and c.erased_at is null",
        params![&hash[..]],
        passkey,
    )
}

/// The passkeys of a customer and of whoever was merged into them, the oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, customer: Id<Customer>, limit: i64) -> Result<Vec<Passkey>, StoreError> {
    tx.rows(
        "select p.passkey_id, p.customer_id, c.person_id, p.credential, p.domain, p.algorithm, p.public_key, p.sign_count, p.is_copied,
         p.name, p.made_at, p.used_at from passkey p join customer c on c.customer_id = p.customer_id
         where p.customer_id = $1 or p.customer_id in (select m.customer_id from customer m where m.merged_into = $1)
         order by p.passkey_id limit $2",
        params![customer, limit],
        passkey,
    )
}

/// Notes that a passkey signed; false when it says that it signed less often than it did.
///
/// # Errors
/// What the store says.
pub fn note_use(
    tx: &mut Tx<'_>,
    one: &Passkey,
    (count, is_copied): (i64, bool),
    now: Instant,
) -> Result<bool, StoreError> {
    let noted = tx.execute(
        "update passkey set sign_count = $3, is_copied = $4, used_at = $5
         where customer_id = $1 and passkey_id = $2 and (sign_count < $3 or (sign_count = 0 and $3 = 0))",
        params![one.customer, one.id, count, is_copied, now],
    )?;
    Ok(noted == 1)
}

/// Calls a passkey something else.
///
/// # Errors
/// What the store says.
pub fn rename(tx: &mut Tx<'_>, one: &Passkey, name: &[u8]) -> Result<(), StoreError> {
    let sql = "update passkey set name = $3 where customer_id = $1 and passkey_id = $2";
    tx.execute(sql, params![one.customer, one.id, name])?;
    Ok(())
}

/// Removes a passkey.
///
/// # Errors
/// What the store says.
pub fn remove(tx: &mut Tx<'_>, hash: &[u8; 32], one: &Passkey) -> Result<(), StoreError> {
    tx.execute("delete from passkey_credential where hash = $1", params![&hash[..]])?;
    tx.execute(
        "delete from passkey where customer_id = $1 and passkey_id = $2",
        params![one.customer, one.id],
    )?;
    Ok(())
}

/// Removes all passkeys of a customer.
///
/// # Errors
/// What the store says.
pub fn remove_all(tx: &mut Tx<'_>, customer: Id<Customer>) -> Result<(), StoreError> {
    tx.execute("delete from passkey_credential where customer_id = $1", params![customer])?;
    tx.execute("delete from passkey where customer_id = $1", params![customer])?;
    tx.execute("delete from passkey_challenge where customer_id = $1", params![customer])?;
    Ok(())
}

/// Removes the passkeys a customer got since a merge, and the challenges to register one; how many passkeys.
///
/// # Errors
/// What the store says.
pub fn remove_since(tx: &mut Tx<'_>, customer: Id<Customer>, merge: Id<Merge>) -> Result<u64, StoreError> {
    tx.execute("delete from passkey_challenge where customer_id = $1", params![customer])?;
    let sql = "delete from passkey_credential where customer_id = $1 and passkey_id > $2";
    tx.execute(sql, params![customer, merge])?;
    tx.execute("delete from passkey where customer_id = $1 and passkey_id > $2", params![customer, merge])
}

/// Keeps a challenge by its hash.
///
/// # Errors
/// What the store says.
pub fn add_challenge(tx: &mut Tx<'_>, hash: &[u8; 32], one: &Challenge) -> Result<(), StoreError> {
    tx.execute(
        "insert into passkey_challenge (hash, purpose, customer_id, origin, domain, expires_at) values ($1, $2, $3, $4, $5, $6)",
        params![
            &hash[..],
            one.purpose.code(),
            one.customer,
            one.origin.text(),
            &one.domain,
            one.expires_at
        ],
    )?;
    Ok(())
}

/// How many challenges of a customer who registers wait for an answer.
///
/// # Errors
/// What the store says.
pub fn challenges(tx: &mut Tx<'_>, customer: Id<Customer>, now: Instant) -> Result<i64, StoreError> {
    let sql = "select count(*) from passkey_challenge where customer_id = $1 and expires_at > $2";
    Ok(tx.one(sql, params![customer, now], |row| row.int())?.unwrap_or(0))
}

/// Takes a challenge, so that nobody answers it again; none when it was taken or never given out.
///
/// # Errors
/// What the store says.
pub fn take_challenge(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Challenge>, StoreError> {
    tx.one(
        "delete from passkey_challenge where hash = $1 returning purpose, customer_id, origin, domain, expires_at",
        params![&hash[..]],
        |row| {
            let purpose = row.word(Purpose::coded)?;
            let customer = row.id_or_null()?;
            let origin = row.text()?;
            let origin = Origin::parse(&origin)
                .map_err(|_| StoreError::Corrupt(format!("\"{origin}\" is no origin")))?;
            Ok(Challenge { purpose, customer, origin, domain: row.text()?, expires_at: row.instant()? })
        },
    )
}

/// Forgets challenges nobody answered in time, at most `limit`; how many.
///
/// # Errors
/// What the store says.
pub fn forget_challenges(tx: &mut Tx<'_>, before: Instant, limit: i64) -> Result<usize, StoreError> {
    let old: Vec<Vec<u8>> = tx.rows(
        "select hash from passkey_challenge where expires_at < $1 order by expires_at limit $2",
        params![before, limit],
        |row| row.bytes(),
    )?;
    for hash in &old {
        tx.execute("delete from passkey_challenge where hash = $1", params![&hash[..]])?;
    }
    Ok(old.len())
}

/// The domain all passkeys are made for, if one is set, and how often that was changed.
///
/// # Errors
/// What the store says.
pub fn domain(tx: &mut Tx<'_>) -> Result<(Option<String>, i64), StoreError> {
    let found = tx.one("select domain, version from passkey_domain where one = 1", params![], |row| {
        Ok((row.text_or_null()?, row.int()?))
    })?;
    Ok(found.unwrap_or((None, 0)))
}

/// Sets the domain all passkeys are made for; false when it was changed meanwhile.
///
/// # Errors
/// What the store says.
pub fn set_domain(tx: &mut Tx<'_>, domain: Option<&String>, version: i64) -> Result<bool, StoreError> {
    let set = if version == 0 {
        tx.execute(
            "insert into passkey_domain (one, domain, version) values (1, $1, 1) on conflict (one) do nothing",
            params![domain],
        )?
    } else {
        tx.execute(
            "update passkey_domain set domain = $1, version = version + 1 where one = 1 and version = $2",
            params![domain, version],
        )?
    };
    Ok(set == 1)
}
