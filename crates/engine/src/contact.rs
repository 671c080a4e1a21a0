//! Keeping and showing what is known of people: sealed under each person's own key, found by keyed hash, read only with
//! a line in the audit trail, and unreadable for ever once the person's key is destroyed.

use domain::actor::{Actor, Permission};
use domain::contact::{Card, Draft};
use domain::value::Id;
use domain::value::id::{Contact, Person};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::{StoreError, Tx, contact as rows};

pub use store::contact::Known;

use crate::event::emit;
use crate::keyring::DataKey;
use crate::{Failure, Keyring, World};

/// A contact to be kept.
#[derive(Clone, Debug)]
pub struct NewContact {
    /// Whose it is; somebody new when `None`.
    pub person: Option<Id<Person>>,
    /// What was typed and checked.
    pub card: Card,
}

/// Keeps a snapshot, sealed under the person's key. What it is for is up to the caller, who also asks for the permission.
///
/// # Errors
/// [`Code::WrongState`] when the person was erased.
pub fn save(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    new: NewContact,
) -> Result<Id<Contact>, Failure> {
    let (person, key) = match new.person {
        Some(person) => (person, key_of(tx, world, person)?),
        None => new_person(tx, world)?,
    };
    let id: Id<Contact> = world.id();
    let sealed = key.seal(world.bytes(), written(&new.card).to_string().as_bytes(), &id.bytes());
    rows::add(tx, id, person, &sealed, world.now())?;
    for hash in
        [email_hash(world.keyring(), &new.card), phone_hash(world.keyring(), &new.card)].iter().flatten()
    {
        rows::add_lookup(tx, hash, person, id)?;
    }
    emit(tx, actor, world, id, "contact.saved", json!({ "person": person.to_string() }));
    Ok(id)
}

/// Reads a contact and notes in the audit trail who did.
///
/// # Errors
/// [`Code::NotFound`] when there is none or the person was erased.
pub fn read(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id: Id<Contact>) -> Result<Card, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    open(tx, actor, world, id)
}

/// As [`read`], for a caller that has made sure that the contact is the actor's own or may be shown to it.
///
/// # Errors
/// As [`read`].
pub(crate) fn open(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<Contact>,
) -> Result<Card, Failure> {
    let missing = || Failure::from(Refusal::not_found("contact", id));
    let row = rows::find(tx, id)?.ok_or_else(missing)?;
    let wrapped = row.wrapped_key.ok_or_else(missing)?;
    let key = unwrap(world.keyring(), &wrapped, row.person)?;
    let text = key.open(&row.sealed, &id.bytes());
    let read = text.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let read = read.ok_or_else(|| StoreError::Corrupt(format!("contact {id} cannot be opened")))?;
    emit(tx, actor, world, id, "contact.read", json!({ "person": row.person.to_string() }));
    Ok(card(&read))
}

/// A sealed contact opened outside a transaction, for a call that shows it to somebody; whoever calls notes that it was read. None when
/// the person was erased.
pub fn unsealed(keyring: &Keyring, id: Id<Contact>, row: &rows::Sealed) -> Option<Card> {
    let key = keyring.unwrap_data_key(row.wrapped_key.as_ref()?, &row.person.bytes())?;
    let text = key.open(&row.sealed, &id.bytes())?;
    Some(card(&serde_json::from_slice::<Value>(&text).ok()?))
}

/// The person a contact is of.
///
/// # Errors
/// [`Code::NotFound`] when there is no such contact.
pub fn person_of(tx: &mut Tx<'_>, id: Id<Contact>) -> Result<Id<Person>, Failure> {
    let row = rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("contact", id))?;
    Ok(row.person)
}

/// What people are found by.
#[derive(Clone)]
pub enum Sought {
    /// An e-mail address in its look-up form.
    Email(String),
    /// A phone number in E.164.
    Phone(String),
}

/// The people known by an e-mail address or phone number, each with the newest contact, after a person. Somebody who
/// bought as a guest three times is three people, because nobody has proved that the address is theirs.
///
/// # Errors
/// What the store says.
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    sought: &Sought,
    (after, limit): (Id<Person>, i64),
) -> Result<Vec<Known>, Failure> {
    actor.may_somewhere(Permission::ReadContacts)?;
    Ok(rows::find_people(tx, &sought.hash(world.keyring()), after, limit)?)
}

/// Erases a person: the key is destroyed, so that no snapshot opens any more, in backups made since neither; and the person is no
/// longer found. Erasing twice is the same as once.
///
/// # Errors
/// [`Code::Forbidden`] without the permission to change customers.
pub fn erase(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, person: Id<Person>) -> Result<(), Failure> {
    actor.may(Permission::EditCustomers, None)?;
    if rows::erase(tx, person, world.now())? {
        emit(tx, actor, world, person, "person.erased", json!({}));
    }
    Ok(())
}

impl Sought {
    /// The keyed hash to look under.
    pub(crate) fn hash(&self, keyring: &Keyring) -> [u8; 32] {
        match self {
            Sought::Email(email) => keyring.lookup_hash("email", email),
            Sought::Phone(phone) => keyring.lookup_hash("phone", phone),
        }
    }
}

/// The hash a card's e-mail is found by.
pub(crate) fn email_hash(keyring: &Keyring, card: &Card) -> Option<[u8; 32]> {
    card.email_lookup().map(|email| Sought::Email(email).hash(keyring))
}

/// The hash a card's phone is found by.
pub(crate) fn phone_hash(keyring: &Keyring, card: &Card) -> Option<[u8; 32]> {
    card.phone_lookup().map(|phone| Sought::Phone(phone).hash(keyring))
}

/// Seals what is known of a person beside the contacts, under the person's key; `context` must be given again to open it. Nobody erases the
/// person before the commit.
///
/// # Errors
/// [`Code::WrongState`] when the person was erased.
pub(crate) fn seal(
    tx: &mut Tx<'_>,
    world: &mut World,
    person: Id<Person>,
    text: &[u8],
    context: &[u8],
) -> Result<Vec<u8>, Failure> {
    let key = key_of(tx, world, person)?;
    Ok(key.seal(world.bytes(), text, context))
}

/// Opens what [`seal`] sealed; `None` when the person was erased.
///
/// # Errors
/// What the store says.
pub(crate) fn unseal(
    tx: &mut Tx<'_>,
    world: &World,
    person: Id<Person>,
    sealed: &[u8],
    context: &[u8],
) -> Result<Option<Vec<u8>>, Failure> {
    let Some(wrapped) = rows::lock_key(tx, person)? else { return Ok(None) };
    Ok(unwrap(world.keyring(), &wrapped, person)?.open(sealed, context))
}

/// Refuses when the person was erased; until the commit nobody erases them.
///
/// # Errors
/// [`Code::WrongState`].
pub(crate) fn must_live(tx: &mut Tx<'_>, person: Id<Person>) -> Result<(), Failure> {
    match rows::lock_key(tx, person)? {
        Some(_) => Ok(()),
        None => Err(erased(person).into()),
    }
}

fn erased(person: Id<Person>) -> Refusal {
    Refusal::new(Code::WrongState, format!("person {person} was erased; begin with a new contact"))
}

pub(crate) fn new_person(tx: &mut Tx<'_>, world: &mut World) -> Result<(Id<Person>, DataKey), Failure> {
    let (person, key, wrapped) = made_up(world);
    rows::add_persons(tx, &[(person, wrapped)], world.now())?;
    Ok((person, key))
}

/// So many people whom nobody knows yet, with a key for each.
pub(crate) fn new_persons(
    tx: &mut Tx<'_>,
    world: &mut World,
    many: usize,
) -> Result<Vec<(Id<Person>, DataKey)>, Failure> {
    let (mut people, mut wrapped) = (Vec::with_capacity(many), Vec::with_capacity(many));
    for _ in 0..many {
        let (person, key, sealed) = made_up(world);
        people.push((person, key));
        wrapped.push((person, sealed));
    }
    rows::add_persons(tx, &wrapped, world.now())?;
    Ok(people)
}

fn made_up(world: &mut World) -> (Id<Person>, DataKey, Vec<u8>) {
    let person: Id<Person> = world.id();
    let (chance, nonce) = (world.bytes(), world.bytes());
    let (key, wrapped) = world.keyring().new_data_key(chance, nonce, &person.bytes());
    (person, key, wrapped)
}

fn key_of(tx: &mut Tx<'_>, world: &World, person: Id<Person>) -> Result<DataKey, Failure> {
    let wrapped = rows::lock_key(tx, person)?.ok_or_else(|| erased(person))?;
    unwrap(world.keyring(), &wrapped, person)
}

/// The key of a person; none when the person was erased.
pub(crate) fn key_if_kept(
    tx: &mut Tx<'_>,
    world: &World,
    person: Id<Person>,
) -> Result<Option<DataKey>, Failure> {
    let wrapped = rows::lock_key(tx, person)?;
    wrapped.map(|wrapped| unwrap(world.keyring(), &wrapped, person)).transpose()
}

pub(crate) fn unwrap(keyring: &Keyring, wrapped: &[u8], person: Id<Person>) -> Result<DataKey, Failure> {
    keyring.unwrap_data_key(wrapped, &person.bytes()).ok_or_else(|| {
        let why = format!("the key of {person} was wrapped by another master key; start with the master key of this database");
        StoreError::Corrupt(why).into()
    })
}

/// The document that is sealed.
pub(crate) fn written(card: &Card) -> Value {
    let text = card.text();
    json!({
        "name": text.name, "company": text.company, "street": text.street, "city": text.city, "region": text.region,
        "postal_code": text.postal_code, "country": text.country, "email": text.email, "phone": text.phone, "note": text.note,
    })
}

pub(crate) fn card(read: &Value) -> Card {
    let text = |field: &str| read[field].as_str().map(str::to_owned);
    let street = read["street"].as_array().into_iter().flatten();
    Card::sealed_before(Draft {
        name: text("name"),
        company: text("company"),
        street: street.filter_map(|line| line.as_str().map(str::to_owned)).collect(),
        city: text("city"),
        region: text("region"),
        postal_code: text("postal_code"),
        country: text("country"),
        email: text("email"),
        phone: text("phone"),
        note: text("note"),
    })
}
