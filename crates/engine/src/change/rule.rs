//! What a channel allows of changes, as data.

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::change::{self as rules, Rule};
use domain::value::Id;
use domain::value::id::Channel;
use serde_json::json;
use store::{Tx, change as rows};

use crate::event::emit;
use crate::{Failure, World};

/// The rule of a channel that was loaded.
pub(super) fn of_channel(tx: &mut Tx<'_>, channel: Id<Channel>) -> Result<Rule, Failure> {
    Ok(rows::rule(tx, channel)?.unwrap_or_else(Rule::usual))
}

/// The rule of a channel.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, channel: Id<Channel>) -> Result<Rule, Failure> {
    actor.may_somewhere(Permission::ReadPlaces)?;
    known(tx, channel)?;
    of_channel(tx, channel)
}

/// Sets the rule of a channel; setting the same again is no harm.
///
/// # Errors
/// [`domain::Code::NotFound`], or [`domain::Code::Invalid`] naming the field at fault.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (channel, rule): (Id<Channel>, Rule),
) -> Result<Rule, Failure> {
    actor.may(Permission::EditPolicies, None)?;
    known(tx, channel)?;
    let rule = rules::rule(rule)?;
    rows::set_rule(tx, channel, &rule)?;
    let body = json!({
        "customers": rule.customers, "delivery_anew": rule.delivery_anew, "added_at": rule.added_at.text(),
        "preview_minutes": rule.preview_minutes, "correction_most": rule.correction_most.parts_per_million(),
        "correction_most_minor": rule.correction_most_minor
    });
    emit(tx, actor, world, channel, "change_rule.set", body);
    Ok(rule)
}

fn known(tx: &mut Tx<'_>, channel: Id<Channel>) -> Result<(), Failure> {
    match store::market::find_channel(tx, channel)? {
        Some(_) => Ok(()),
        None => Err(Refusal::not_found("channel", channel).into()),
    }
}
