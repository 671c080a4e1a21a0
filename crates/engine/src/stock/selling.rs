//! Selling what is not there: the rules of a channel, how much of a demand they allow beyond what is there, and what becomes of goods that
//! were sold so.

use std::collections::{BTreeMap, HashMap};

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::stock::selling::{self as rules, Later, Rule};
use domain::stock::{self, State};
use domain::value::id::{Channel as ChannelKind, Network, Variant};
use domain::value::{Id, Reference};
use serde_json::json;
use store::market::Channel;
use store::stock::selling as rows;
use store::{Tx, ledger as books};

use super::availability::{Picture, Reach, picture};
use super::{Movement, book_of, hold, never_short, post_movement};
use crate::event::emit;
use crate::{Failure, World, catalogue, external};

pub use store::stock::selling::ALL;

/// Sets what a channel does when nothing is left of a variant, or of any variant without a rule of its own.
///
/// # Errors
/// [`domain::Code::Invalid`] naming the field at fault.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (channel, variant): (&Reference<ChannelKind>, Option<&Reference<Variant>>),
    rule: Rule,
) -> Result<(Id<ChannelKind>, Id<Variant>), Failure> {
    actor.may(Permission::EditPolicies, None)?;
    let (channel, variant) = named(tx, channel, variant)?;
    let rule = rules::rule(rule)?;
    rows::set(tx, (variant, channel), &rule)?;
    let body = json!({ "variant": told(variant), "when_out": rule.when_out.text(), "cap": rule.cap, "lead_days": rule.lead_days });
    emit(tx, actor, world, channel, "selling_rule.set", body);
    Ok((channel, variant))
}

/// Takes a rule away; the one for all variants holds then.
///
/// # Errors
/// [`domain::Code::NotFound`] when there is none.
pub fn remove(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (channel, variant): (&Reference<ChannelKind>, Option<&Reference<Variant>>),
) -> Result<(), Failure> {
    actor.may(Permission::EditPolicies, None)?;
    let (channel, variant) = named(tx, channel, variant)?;
    if !rows::remove(tx, (variant, channel))? {
        let key = told(variant).unwrap_or_else(|| "all variants".into());
        return Err(Refusal::not_found("selling rule for", key).into());
    }
    emit(tx, actor, world, channel, "selling_rule.removed", json!({ "variant": told(variant) }));
    Ok(())
}

fn named(
    tx: &mut Tx<'_>,
    channel: &Reference<ChannelKind>,
    variant: Option<&Reference<Variant>>,
) -> Result<(Id<ChannelKind>, Id<Variant>), Failure> {
    let channel = external::known_at(tx, "channel", channel)?;
    let Some(variant) = variant else { return Ok((channel, ALL)) };
    let variant = catalogue::resolve_variant(tx, "variant", variant)?;
    super::must_be_stocked(tx, variant)?;
    Ok((channel, variant))
}

/// The variant's id, unless it stands for all.
fn told(variant: Id<Variant>) -> Option<String> {
    (variant != ALL).then(|| variant.to_string())
}

/// The rules of a channel after one variant's, the one for all variants first.
///
/// # Errors
/// [`domain::Code::NotFound`] for the channel.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    channel: &Reference<ChannelKind>,
    after: Option<Id<Variant>>,
    limit: i64,
) -> Result<Vec<(Id<Variant>, Rule)>, Failure> {
    actor.may_somewhere(Permission::ReadCatalogue)?;
    let channel = external::resolve(tx, channel)?;
    Ok(rows::list(tx, channel, after, limit)?)
}

/// What holds for each of these variants in a channel; those of which no more is sold are left out.
///
/// # Errors
/// What the store says.
pub fn of(
    tx: &mut Tx<'_>,
    channel: Id<ChannelKind>,
    variants: &[Id<Variant>],
) -> Result<HashMap<Id<Variant>, Rule>, Failure> {
    let keys: Vec<[u8; 16]> = variants.iter().chain([&ALL]).map(|variant| variant.bytes()).collect();
    let set: HashMap<_, _> = rows::among(tx, channel, &keys)?.into_iter().collect();
    let rule_of = |variant: &Id<Variant>| {
        let rule = set.get(variant).or_else(|| set.get(&ALL)).copied()?;
        rule.later().map(|_| (*variant, rule))
    };
    Ok(variants.iter().filter_map(rule_of).collect())
}

/// So many of a variant are sold though they are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beyond {
    /// The variant.
    pub variant: Id<Variant>,
    /// How many.
    pub quantity: i64,
    /// How they are served.
    pub later: Later,
    /// What allows it.
    pub rule: Rule,
}

/// What of a cart's demand is not there and is sold all the same. The books are locked and what the cart holds is used up, so that it stays
/// true until the commit. What is neither there nor allowed is left out: taking it refuses.
///
/// # Errors
/// What the store says.
pub(crate) fn beyond(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (channel, reach): (&Channel, &Reach),
    (cart, demand): (Id<domain::value::id::Cart>, &BTreeMap<Id<Variant>, i64>),
) -> Result<Vec<Beyond>, Failure> {
    let variants: Vec<_> = demand.keys().copied().collect();
    let allowed = of(tx, channel.id, &variants)?;
    if allowed.is_empty() {
        return Ok(Vec::new());
    }
    books::lock_books(tx, &mut variants.iter().map(|variant| book_of(*variant)).collect())?;
    hold::use_up(tx, actor, world, cart)?;
    let picture = picture(tx, reach, &variants)?;
    let missing = |(variant, asked): (&Id<Variant>, &i64)| {
        let rule = allowed.get(variant)?;
        let quantity = missing_of(&picture, rule, (*variant, *asked))?;
        Some(Beyond { variant: *variant, quantity, later: rule.later()?, rule: *rule })
    };
    Ok(demand.iter().filter_map(missing).collect())
}

/// How many of so many are not there, when the rule allows to sell them.
pub(super) fn missing_of(
    picture: &Picture,
    rule: &Rule,
    (variant, asked): (Id<Variant>, i64),
) -> Option<i64> {
    let missing = asked - picture.promisable(variant);
    (missing > 0 && missing <= rule.beyond(&picture.claims(variant))).then_some(missing)
}

/// Goods came for which pre-orders wait: so many of those become promises that what is there must serve, the longest waiting first. So
/// nobody else is sold what came for them. The book is locked.
///
/// # Errors
/// What the store says.
pub(crate) fn claim_arrived(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    variant: Id<Variant>,
    arrived: i64,
) -> Result<(), Failure> {
    let mut left = arrived;
    for (account, amount) in books::balances(tx, book_of(variant))? {
        let claimed = amount.min(left);
        if account.state != State::Preordered.code() || claimed < 1 {
            continue;
        }
        let network: Id<Network> = Id::from_bytes(account.place);
        let postings = stock::moving(account, stock::on(network, State::Backordered), claimed, 0);
        let movement = Movement { variant, reason: "arrived", cause: None, postings: postings.into() };
        post_movement(tx, actor, world, movement, never_short)?;
        left -= claimed;
    }
    Ok(())
}

/// Goods came that nobody had announced: pre-orders that no expected goods cover any more are served from them. Called before they are
/// put on the shelf.
///
/// # Errors
/// What the store says.
pub(super) fn claim_uncovered(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    variant: Id<Variant>,
    arriving: i64,
) -> Result<(), Failure> {
    let sum = |balances: &[(domain::ledger::AccountKey, i64)], state: State| -> i64 {
        balances.iter().filter(|(account, _)| account.state == state.code()).map(|(_, amount)| amount).sum()
    };
    if sum(&books::balances(tx, book_of(variant))?, State::Preordered) == 0 {
        return Ok(());
    }
    books::lock_books(tx, &mut vec![book_of(variant)])?;
    let balances = books::balances(tx, book_of(variant))?;
    let uncovered = sum(&balances, State::Preordered) - sum(&balances, State::Incoming);
    claim_arrived(tx, actor, world, variant, uncovered.min(arriving))
}
