//! Whose trace is this? What is seen of people in every channel is put together by what they are known by, in the transaction that
//! keeps what was seen, and the same whatever was seen first.

pub mod customer;
pub(crate) mod look;
pub(crate) mod person;
pub mod reading;
mod room;
pub mod rules;
mod settle;
mod sight;
pub(crate) mod trace;

use domain::actor::{Actor, Permission};
use domain::identity::graph::{Key, Link};
use domain::identity::{Identifier, Kind, Trust};
use domain::value::id::{Customer, Profile};
use domain::value::{Id, Instant};
use domain::{Code, Refusal};
use store::{Tx, identity as rows};

pub use store::identity::Known;

use crate::{Failure, World};
use settle::settle;
use sight::{Heard, Plan};

/// The most identifiers of a profile that are shown.
pub const SHOWN_MAX: i64 = 500;

/// What somebody said belongs to one person.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What the person is known by.
    pub identifiers: Vec<Identifier>,
    /// How far who says it is trusted.
    pub trust: Trust,
    /// When it was so.
    pub at: Instant,
}

/// Whose trace it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The profile that what happened stays with.
    pub profile: Id<Profile>,
    /// The profile that stands for the whole person, as known now.
    pub root: Id<Profile>,
    /// The customer the person is, if it is one.
    pub customer: Option<Id<Customer>>,
    /// Of which kinds an identifier was not believed to be this person's.
    pub dropped: Vec<Kind>,
    /// Customers who are one person, as a trusted source says: for who may merge them.
    pub same: Vec<Same>,
}

/// Two customers who are one person, as a trusted source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Same {
    /// The two.
    pub customers: (Id<Customer>, Id<Customer>),
    /// By which of their identifiers.
    pub kinds: (Kind, Kind),
}

impl Same {
    /// Why, in words that name nobody.
    pub fn reason(&self) -> String {
        let (one, other) = (self.kinds.0.text(), self.kinds.1.text());
        format!(
            "a trusted source says that the {one} of the one and the {other} of the other are one person's"
        )
    }
}

/// Puts what was seen onto profiles, all of it at once. What stands for nobody, or what its sender may not say, is passed over; where
/// nothing is left there is no resolution.
///
/// # Errors
/// What the store says.
pub fn resolve(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    seen: &[Seen],
) -> Result<Vec<Option<Resolution>>, Failure> {
    let (_, rules) = rules::current(tx)?;
    let mut heard: Vec<Heard> = seen.iter().map(|one| Heard::of(world.keyring(), &rules, one)).collect();
    customer::recognise_own_ids(tx, world, &rules, &mut heard)?;
    let mut plan = Plan::default();
    for one in &heard {
        plan.hear(one);
    }
    customer::add_all_meant(tx, world, &mut plan, &heard)?;
    let known = settle(tx, actor, world, &rules, &plan)?;
    let answer = |one: &Heard| -> Option<Resolution> {
        let mut met = one.told.iter().filter_map(|told| known.get(&told.key));
        let first = met.next()?;
        let mut resolution = Resolution {
            profile: first.profile,
            root: first.root,
            customer: first.root_customer,
            dropped: Vec::new(),
            same: Vec::new(),
        };
        for other in met.filter(|other| other.root != first.root) {
            resolution.dropped.push(other.kind);
            let ties = one.trust > Trust::Public && rules.of(first.kind).joins && rules.of(other.kind).joins;
            if let (true, Some(ours), Some(theirs)) = (ties, first.root_customer, other.root_customer) {
                resolution.same.push(Same { customers: (ours, theirs), kinds: (first.kind, other.kind) });
            }
        }
        Some(resolution)
    };
    Ok(heard.iter().map(answer).collect())
}

/// The profile of a card by what its terminal calls it; none when the token stands for nobody.
///
/// # Errors
/// What the store says.
pub(crate) fn of_card(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    token: &str,
) -> Result<Option<Id<Profile>>, Failure> {
    let identifiers = Identifier::new(Kind::CardToken, None, token).into_iter().collect();
    let seen = Seen { identifiers, trust: Trust::Authenticated, at: world.now() };
    let resolved = resolve(tx, actor, world, &[seen])?;
    Ok(resolved.into_iter().flatten().next().map(|one| one.profile))
}

/// Is exactly one customer known by the card with this profile, and are orders told as his that it paid?
///
/// # Errors
/// What the store says.
pub(crate) fn is_ones_card(tx: &mut Tx<'_>, card: Id<Profile>) -> Result<bool, Failure> {
    let Some(known) = rows::of_profile(tx, card)? else { return Ok(false) };
    let told = rules::current(tx)?.1.card_orders() && known.root_customer.is_some();
    Ok(told && rows::count_customers(tx, known.key)? < 2)
}

/// All that is known of what a person is known by. The values themselves are kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The profile that stands for the whole person.
    pub root: Id<Profile>,
    /// The customer the person is.
    pub customer: Option<Id<Customer>>,
    /// Each identifier with its own profile, the oldest first, at most [`SHOWN_MAX`].
    pub identifiers: Vec<Known>,
    /// Who said that two of them are one person's, and whether it is believed.
    pub links: Vec<Said>,
}

/// That two profiles are one person's, as somebody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// The two profiles.
    pub between: (Id<Profile>, Id<Profile>),
    /// The most trusted who said it.
    pub trust: Trust,
    /// When it was said first.
    pub first_at: Instant,
    /// Are they one person's?
    pub holds: bool,
}

/// The whole person behind a profile.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, profile: Id<Profile>) -> Result<Whole, Failure> {
    actor.may_somewhere(Permission::ReadBehaviour)?;
    let root = rows::root_of(tx, profile)?.ok_or_else(|| Refusal::not_found("profile", profile))?;
    let identifiers = rows::of_root(tx, root, Id::from_bytes([0; 16]), SHOWN_MAX)?;
    let keys: Vec<Key> = identifiers.iter().map(|known| known.key).collect();
    let links = settle::each_once(rows::links(tx, &keys)?);
    let ends: Vec<Key> = links.values().flat_map(|link| [link.ends.0, link.ends.1]).collect();
    let met = settle::by_key(rows::find(tx, &ends)?);
    let said = |link: &Link| {
        let (one, other) = (met.get(&link.ends.0)?, met.get(&link.ends.1)?);
        let holds = one.root == other.root;
        let between = (one.profile, other.profile);
        Some(Said { between, trust: link.trust, first_at: link.first_at, holds })
    };
    let links = links.values().filter_map(said).collect();
    let customer = identifiers.first().and_then(|known| known.root_customer);
    Ok(Whole { root, customer, identifiers, links })
}

/// The profile that stands for the person who is known by this.
///
/// # Errors
/// [`Code::NotFound`] when nobody is.
pub fn find(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    identifier: &Identifier,
) -> Result<Id<Profile>, Failure> {
    actor.may_somewhere(Permission::ReadBehaviour)?;
    let key = sight::key(world.keyring(), identifier);
    let known = rows::find(tx, &[key])?.pop();
    let nobody = || {
        let why = format!("nobody is known by this {}", identifier.kind().text());
        Refusal::new(Code::NotFound, why)
    };
    Ok(known.ok_or_else(nobody)?.root)
}
