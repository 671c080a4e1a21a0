//! The retailer's rules of identity, of which every version is kept.

use domain::actor::{Actor, Permission};
use domain::identity::Kind;
use domain::identity::rule::{Rule, Rules};
use domain::{Code, Refusal};
use serde_json::{Value, json};
use store::{StoreError, Tx, identity as rows};

use crate::event::emit;
use crate::{Failure, World};

/// The rules in force and the number of their version, 0 for those of a shop that wrote none.
///
/// # Errors
/// [`Code::Forbidden`] without the permission.
pub fn read(tx: &mut Tx<'_>, actor: &Actor) -> Result<(i64, Rules), Failure> {
    actor.may_somewhere(Permission::EditIdentity)?;
    Ok(current(tx)?)
}

pub(crate) fn current(tx: &mut Tx<'_>) -> Result<(i64, Rules), StoreError> {
    let Some((version, text, _)) = rows::rules(tx)? else { return Ok((0, Rules::usual())) };
    let document: Option<Value> = serde_json::from_str(&text).ok();
    let rules = document.and_then(|document| {
        let each = document["rules"].as_array()?.iter().map(of_json).collect::<Option<Vec<Rule>>>()?;
        let rules = Rules::new(each, document["public_links"].as_i64()).ok()?;
        Some(rules.with_card_orders(document["card_orders"].as_bool()?))
    });
    let rules =
        rules.ok_or_else(|| StoreError::Corrupt(format!("version {version} of the rules of identity")))?;
    Ok((version, rules))
}

/// Writes a new version of the rules. They hold for whoever is seen from now on; who was put together before stays so until then.
///
/// # Errors
/// [`Code::Stale`] when they are not at the version given.
pub fn set(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    read: i64,
    rules: Rules,
) -> Result<(i64, Rules), Failure> {
    actor.may(Permission::EditIdentity, None)?;
    let stale = || {
        let why = "the rules of identity were changed meanwhile; read them again and repeat the change";
        Refusal::new(Code::Stale, why)
    };
    let (version, last) = current(tx)?;
    if version != read {
        return Err(stale().into());
    }
    if last == rules {
        return Ok((version, rules));
    }
    let own: Vec<Value> = rules.each().filter(|rule| rule.kind != Kind::Customer).map(to_json).collect();
    let document =
        json!({ "rules": own, "public_links": rules.public_links(), "card_orders": rules.card_orders() });
    if !rows::add_rules(tx, version + 1, &document.to_string(), world.now())? {
        return Err(stale().into());
    }
    emit(tx, actor, world, "identity_rules", "identity_rules.set", json!({ "version": version + 1 }));
    Ok((version + 1, rules))
}

fn to_json(rule: &Rule) -> Value {
    json!({ "kind": rule.kind.text(), "limit": rule.limit, "window_days": rule.window_days, "priority": rule.priority,
        "joins": rule.joins, "blocked": rule.blocked })
}

fn of_json(value: &Value) -> Option<Rule> {
    let blocked = value["blocked"].as_array()?.iter();
    Some(Rule {
        kind: Kind::named(value["kind"].as_str()?)?,
        limit: value["limit"].as_i64()?,
        window_days: value["window_days"].as_i64(),
        priority: value["priority"].as_i64()?,
        joins: value["joins"].as_bool()?,
        blocked: blocked.map(|one| one.as_str().map(str::to_owned)).collect::<Option<_>>()?,
    })
}
