//! The rows of identity: profiles, the keyed hashes they are known by, the links between these, and the versions of the rules.

use domain::identity::graph::{Key, Link};
use domain::identity::{Kind, Trust};
use domain::value::id::{Customer, Person, Profile};
use domain::value::{Id, Instant};

use crate::check::FINDINGS_MAX;
use crate::dialect::Engine;
use crate::{Param, Row, StoreError, Tx, params};

/// An identifier with the profile that is its own, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its keyed hash.
    pub key: Key,
    /// What sort of thing it is.
    pub kind: Kind,
    /// The profile that was made for it.
    pub profile: Id<Profile>,
    /// The profile that stands for the whole person.
    pub root: Id<Profile>,
    /// The customer it names, if it names one.
    pub customer: Option<Id<Customer>>,
    /// The customer the whole person is.
    pub root_customer: Option<Id<Customer>>,
    /// Was that customer changed since the profile was brought up to date?
    pub outdated: bool,
    /// The most trusted who told of it.
    pub trust: Trust,
    /// When it was seen first.
    pub first_seen: Instant,
    /// When it was seen last, to the day.
    pub last_seen: Instant,
}

fn known(row: &mut Row<'_>) -> Result<Known, StoreError> {
    Ok(Known {
        key: row.key()?,
        kind: row.word(Kind::coded)?,
        profile: row.id()?,
        root: row.id()?,
        customer: row.id_or_null()?,
        root_customer: row.id_or_null()?,
        outdated: row.yes()?,
        trust: row.word(Trust::coded)?,
        first_seen: row.instant()?,
        last_seen: row.instant()?,
    })
}

/// The identifiers with these hashes, in the order of their hashes.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, keys: &[Key]) -> Result<Vec<Known>, StoreError> {
    tx.rows(
        "select i.hash, i.kind, i.profile_id, p.root_id, p.customer_id, r.customer_id,
                cast(case when c.version <> r.customer_version then 1 else 0 end as bigint), i.trust, i.first_seen, i.last_seen
         from identifier i join profile p on p.profile_id = i.profile_id join profile r on r.profile_id = p.root_id
         left join customer c on c.customer_id = r.customer_id
         where i.hash {in ids $1} order by i.hash",
        &[Param::Ids(keys)],
        known,
    )
}

/// The addresses of mail that these persons are known by: the profile that stands for each, and the address's keyed hash.
///
/// # Errors
/// What the store says.
pub fn addresses_of(tx: &mut Tx<'_>, roots: &[[u8; 16]]) -> Result<Vec<(Id<Profile>, Key)>, StoreError> {
    tx.rows(
        "select p.root_id, i.hash from profile p join identifier i on i.profile_id = p.profile_id
         where p.root_id {in ids $1} and i.kind = $2",
        &[Param::Ids(roots), Kind::Email.code().into()],
        |row| Ok((row.id()?, row.key()?)),
    )
}

/// The identifiers of a whole person after a profile, in the order of their profiles, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_root(
    tx: &mut Tx<'_>,
    root: Id<Profile>,
    after: Id<Profile>,
    limit: i64,
) -> Result<Vec<Known>, StoreError> {
    tx.rows(
        "select i.hash, i.kind, i.profile_id, p.root_id, p.customer_id, r.customer_id,
                cast(case when c.version <> r.customer_version then 1 else 0 end as bigint), i.trust, i.first_seen, i.last_seen
         from profile p join identifier i on i.profile_id = p.profile_id join profile r on r.profile_id = p.root_id
         left join customer c on c.customer_id = r.customer_id
         where p.root_id = $1 and p.profile_id > $2 order by p.profile_id limit $3",
        params![root, after, limit],
        known,
    )
}

/// The profile that stands for the whole person of a profile.
///
/// # Errors
/// What the store says.
pub fn root_of(tx: &mut Tx<'_>, profile: Id<Profile>) -> Result<Option<Id<Profile>>, StoreError> {
    tx.one("select root_id from profile where profile_id = $1", params![profile], |row| row.id())
}

/// What a profile was made for; nothing once that is forgotten.
///
/// # Errors
/// What the store says.
pub fn of_profile(tx: &mut Tx<'_>, profile: Id<Profile>) -> Result<Option<Known>, StoreError> {
    let key =
        tx.one("select hash from identifier where profile_id = $1", params![profile], |row| row.key())?;
    Ok(key.map(|key| find(tx, &[key])).transpose()?.and_then(|mut found| found.pop()))
}

/// How many customers an identifier is said to be, up to two, whether it is believed or not.
///
/// # Errors
/// What the store says.
pub fn count_customers(tx: &mut Tx<'_>, key: Key) -> Result<i64, StoreError> {
    let found = tx.one(
        "select count(*) from (select o.hash from identifier_link l join identifier o on o.hash = l.other_hash
             where l.hash = $1 and o.kind = $2 limit 2) c",
        params![key, Kind::Customer.code()],
        |row| row.int(),
    )?;
    Ok(found.unwrap_or(0))
}

/// Holds identifiers until the commit, in their order; true when others may have written before they were held.
///
/// # Errors
/// What the store says.
pub fn lock(tx: &mut Tx<'_>, keys: &[Key]) -> Result<bool, StoreError> {
    if tx.engine() == Engine::Sqlite {
        return Ok(false);
    }
    tx.rows(
        "select hash from identifier where hash {in ids $1} order by hash {lock}",
        &[Param::Ids(keys)],
        |row| row.key(),
    )?;
    Ok(true)
}

/// An identifier that is new, with a profile of its own, and the version of its customer if it is one's.
pub type New = (Known, Option<i64>);

/// Adds identifiers, each with a profile of its own; false when somebody else just added one of them.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, all: &[New], now: Instant) -> Result<bool, StoreError> {
    let identifier = |(new, _): &New| {
        let of = params![new.key, new.kind.code(), new.profile];
        [of, params![new.trust.code(), new.first_seen, new.last_seen]].concat()
    };
    let made = tx.execute_each(
        "insert into identifier (hash, kind, profile_id, trust, first_seen, last_seen) values ($1, $2, $3, $4, $5, $6)
         on conflict (hash) do nothing",
        &all.iter().map(identifier).collect::<Vec<_>>(),
    )?;
    if made.contains(&0) {
        return Ok(false);
    }
    let profile = |(new, version): &New| params![new.profile, new.customer, *version, now].to_vec();
    tx.execute_each(
        "insert into profile (profile_id, root_id, customer_id, customer_version, made_at) values ($1, $1, $2, $3, $4)",
        &all.iter().map(profile).collect::<Vec<_>>(),
    )?;
    Ok(true)
}

/// That an identifier was seen: by whom, how far trusted, when first and when last.
pub type Sighting = (Key, Trust, (Instant, Instant));

/// Notes that identifiers were seen: the earliest, the latest, the most trusted.
///
/// # Errors
/// What the store says.
pub fn note_seen(tx: &mut Tx<'_>, all: &[Sighting]) -> Result<(), StoreError> {
    let row = |(key, trust, (first, last)): &Sighting| params![*key, trust.code(), *first, *last].to_vec();
    tx.execute_each(
        "update identifier set trust = case when trust < $2 then $2 else trust end,
                first_seen = case when first_seen > $3 then $3 else first_seen end,
                last_seen = case when last_seen < $4 then $4 else last_seen end
         where hash = $1",
        &all.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

fn link(row: &mut Row<'_>) -> Result<Link, StoreError> {
    let (one, other, leads) = (row.key()?, row.key()?, row.yes()?);
    let trust = row.word(Trust::coded)?;
    let ends = if leads || (trust != Trust::Decided && one < other) { (one, other) } else { (other, one) };
    Ok(Link { ends, trust, first_at: row.instant()? })
}

/// The links of these identifiers to any other, each once for each end that was asked for.
///
/// # Errors
/// What the store says.
pub fn links(tx: &mut Tx<'_>, keys: &[Key]) -> Result<Vec<Link>, StoreError> {
    links_said(tx, keys, Trust::Public)
}

/// The same of links that were said with at least this trust.
///
/// # Errors
/// What the store says.
pub fn links_said(tx: &mut Tx<'_>, keys: &[Key], least: Trust) -> Result<Vec<Link>, StoreError> {
    tx.rows(
        "select hash, other_hash, leads, trust, first_at from identifier_link where hash {in ids $1} and trust >= $2",
        &[Param::Ids(keys), Param::Int(least.code())],
        link,
    )
}

/// All identifiers of the persons whose these are.
///
/// # Errors
/// What the store says.
pub fn together(tx: &mut Tx<'_>, keys: &[Key]) -> Result<Vec<Key>, StoreError> {
    tx.rows(
        "select k.hash from profile p join identifier k on k.profile_id = p.profile_id where p.root_id in
             (select o.root_id from identifier i join profile o on o.profile_id = i.profile_id where i.hash {in ids $1})",
        &[Param::Ids(keys)],
        |row| row.key(),
    )
}

/// The links between two sets of identifiers.
///
/// # Errors
/// What the store says.
pub fn links_between(tx: &mut Tx<'_>, ones: &[Key], others: &[Key]) -> Result<Vec<Link>, StoreError> {
    tx.rows(
        "select hash, other_hash, leads, trust, first_at from identifier_link
         where hash {in ids $1} and other_hash {in ids $2}",
        &[Param::Ids(ones), Param::Ids(others)],
        link,
    )
}

/// How many links an identifier has: said by anybody, and in all.
pub type Extent = (Key, (i64, i64));

/// How many links each of these has that has any.
///
/// # Errors
/// What the store says.
pub fn count_links(tx: &mut Tx<'_>, keys: &[Key]) -> Result<Vec<Extent>, StoreError> {
    tx.rows(
        "select hash, cast(sum(case when trust = $2 then 1 else 0 end) as bigint), count(*) from identifier_link
         where hash {in ids $1} group by hash",
        &[Param::Ids(keys), Param::Int(Trust::Public.code())],
        |row| Ok((row.key()?, (row.int()?, row.int()?))),
    )
}

/// Writes links, each under both of its ends; of what is there already the most trusted and the earliest stays.
///
/// # Errors
/// What the store says.
pub fn write_links<'l>(tx: &mut Tx<'_>, links: impl IntoIterator<Item = &'l Link>) -> Result<(), StoreError> {
    let rows = |link: &Link| {
        let (one, other) = link.ends;
        let (trust, leads) = (link.trust.code(), link.trust == Trust::Decided);
        let row =
            |key: Key, other: Key, leads: bool| params![key, other, trust, leads, link.first_at].to_vec();
        [row(one, other, leads), row(other, one, false)]
    };
    tx.execute_each(
        "insert into identifier_link (hash, other_hash, trust, leads, first_at) values ($1, $2, $3, $4, $5)
         on conflict (hash, other_hash) do update set leads = excluded.leads,
             trust = case when excluded.trust > identifier_link.trust then excluded.trust else identifier_link.trust end,
             first_at = case when excluded.first_at < identifier_link.first_at then excluded.first_at
                 else identifier_link.first_at end",
        &links.into_iter().flat_map(rows).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// Takes a link away from under both of its ends.
///
/// # Errors
/// What the store says.
pub fn remove_link(tx: &mut Tx<'_>, (one, other): (Key, Key)) -> Result<(), StoreError> {
    for (key, other) in [(one, other), (other, one)] {
        tx.execute("delete from identifier_link where hash = $1 and other_hash = $2", params![key, other])?;
    }
    Ok(())
}

/// Lets another profile stand for the person of each of these: the profile, and the one that stands for it.
///
/// # Errors
/// What the store says.
pub fn set_roots(tx: &mut Tx<'_>, all: &[(Id<Profile>, Id<Profile>)]) -> Result<(), StoreError> {
    tx.execute_each(
        "update profile set root_id = $2 where profile_id = $1",
        &all.iter().map(|(profile, root)| params![*profile, *root].to_vec()).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// Notes up to which version of their customers profiles were brought.
///
/// # Errors
/// What the store says.
pub fn note_versions(tx: &mut Tx<'_>, all: &[(Id<Profile>, i64)]) -> Result<(), StoreError> {
    tx.execute_each(
        "update profile set customer_version = $2 where profile_id = $1",
        &all.iter().map(|(profile, version)| params![*profile, *version].to_vec()).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// A profile, the person whose key seals what is personal in its events, and that key, wrapped.
pub type Keyed = (Id<Profile>, Option<Id<Person>>, Option<Vec<u8>>);

/// The persons of these profiles with their wrapped keys.
///
/// # Errors
/// What the store says.
pub fn persons(tx: &mut Tx<'_>, profiles: &[[u8; 16]]) -> Result<Vec<Keyed>, StoreError> {
    tx.rows(
        "select p.profile_id, p.person_id, k.wrapped_key from profile p left join person k on k.person_id = p.person_id
         where p.profile_id {in ids $1} order by p.profile_id",
        &[Param::Ids(profiles)],
        |row| Ok((row.id()?, row.id_or_null()?, row.bytes_or_null()?)),
    )
}

/// Gives profiles their people; false when one of them has one.
///
/// # Errors
/// What the store says.
pub fn give_persons(tx: &mut Tx<'_>, all: &[(Id<Profile>, Id<Person>)]) -> Result<bool, StoreError> {
    let rows: Vec<_> = all.iter().map(|(profile, person)| params![*profile, *person].to_vec()).collect();
    let touched = tx.execute_each(
        "update profile set person_id = $2 where profile_id = $1 and person_id is null",
        &rows,
    )?;
    Ok(touched.into_iter().all(|rows| rows == 1))
}

/// The profiles of a whole person, the oldest first, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn profiles_of(tx: &mut Tx<'_>, root: Id<Profile>, limit: i64) -> Result<Vec<Id<Profile>>, StoreError> {
    tx.rows(
        "select profile_id from profile where root_id = $1 order by profile_id limit $2",
        params![root, limit],
        |row| row.id(),
    )
}

/// The profiles that are the same person as one of these customers, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn of_customers(
    tx: &mut Tx<'_>,
    customers: &[[u8; 16]],
    limit: i64,
) -> Result<Vec<Id<Profile>>, StoreError> {
    tx.rows(
        "select p.profile_id from profile p where p.root_id in (select r.root_id from profile r where r.customer_id {in ids $1})
         order by p.profile_id limit $2",
        &[Param::Ids(customers), Param::Int(limit)],
        |row| row.id(),
    )
}

/// Forgets an identifier with all its links; its profile stays, known by nothing.
///
/// # Errors
/// What the store says.
pub fn forget(tx: &mut Tx<'_>, key: Key) -> Result<(), StoreError> {
    for link in links(tx, &[key])? {
        remove_link(tx, link.ends)?;
    }
    tx.execute("delete from identifier where hash = $1", params![key])?;
    Ok(())
}

/// Removes a profile that is known by nothing and with which nothing stays.
///
/// # Errors
/// What the store says.
pub fn remove_unused(tx: &mut Tx<'_>, profile: Id<Profile>) -> Result<(), StoreError> {
    tx.execute(
        "delete from profile where profile_id = $1 and root_id = $1 and person_id is null
            and not exists (select 1 from identifier i where i.profile_id = $1)
            and not exists (select 1 from profile p where p.root_id = $1 and p.profile_id <> $1)
            and not exists (select 1 from behaviour_event e where e.profile_id = $1)",
        params![profile],
    )?;
    Ok(())
}

/// A version of the rules: its number, the rules as a document, and since when.
pub type RulesRow = (i64, String, Instant);

/// The newest version of the rules; none when none was written.
///
/// # Errors
/// What the store says.
pub fn rules(tx: &mut Tx<'_>) -> Result<Option<RulesRow>, StoreError> {
    tx.one("select version, rules, since from identity_rules order by version desc limit 1", &[], |row| {
        Ok((row.int()?, row.text()?, row.instant()?))
    })
}

/// Adds a version of the rules; false when there is one of this number.
///
/// # Errors
/// What the store says.
pub fn add_rules(tx: &mut Tx<'_>, version: i64, rules: &str, now: Instant) -> Result<bool, StoreError> {
    let made = tx.execute(
        "insert into identity_rules (version, rules, since) values ($1, $2, $3) on conflict (version) do nothing",
        params![version, rules, now],
    )?;
    Ok(made == 1)
}

/// Profiles that cannot be with whom they are said to be, a bounded number of them: which, and what is wrong.
///
/// # Errors
/// What the store says.
pub fn astray(tx: &mut Tx<'_>) -> Result<Vec<(Id<Profile>, String)>, StoreError> {
    tx.rows(
        "select p.profile_id, 'with a profile that stands for nobody' from profile p
            where not exists (select 1 from profile r where r.profile_id = p.root_id and r.root_id = r.profile_id)
         union all
         select i.profile_id, 'known by something and yet not there' from identifier i
            where not exists (select 1 from profile p where p.profile_id = i.profile_id)
         union all
         select p.profile_id, 'with others though nobody said that they are one person' from profile p
            join identifier i on i.profile_id = p.profile_id
            where exists (select 1 from profile o join identifier k on k.profile_id = o.profile_id
                where o.root_id = p.root_id and o.profile_id <> p.profile_id)
            and not exists (select 1 from identifier_link l join identifier k on k.hash = l.other_hash
                join profile o on o.profile_id = k.profile_id where l.hash = i.hash and o.root_id = p.root_id)
         union all
         select i.profile_id, 'tied to another who is not tied to it' from identifier_link l
            join identifier i on i.hash = l.hash
            where not exists (select 1 from identifier_link b where b.hash = l.other_hash and b.other_hash = l.hash)
         limit $1",
        params![FINDINGS_MAX],
        |row| Ok((row.id()?, row.text()?)),
    )
}
