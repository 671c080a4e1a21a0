//! The rows of return policies: the present version of each, and every version there was. Their terms are a document.

use domain::returns::policy::{DeliveryRefund, Fee, Limits, Scope, Terms, When};
use domain::returns::{Condition, Means, claim};
use domain::value::id::ReturnPolicy;
use domain::value::{Id, Instant, Rate};
use serde_json::{Value, json};

use crate::{Row, StoreError, Tx, params};

/// What the retailer wrote about goods that come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its identity.
    pub id: Id<ReturnPolicy>,
    /// The short word it goes by.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// For what it is.
    pub scope: Scope,
    /// Is it asked?
    pub active: bool,
    /// What it says.
    pub terms: Terms,
    /// Counts its changes, from 1.
    pub version: i64,
}

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(format!("the {what} of a return policy cannot be read"))
}

fn written(terms: &Terms) -> String {
    let words = |means: &[Means]| means.iter().map(|means| means.text()).collect::<Vec<_>>();
    let fee = |fee: &Fee| json!([fee.reason, fee.fixed_minor, fee.rate.parts_per_million()]);
    let limits = terms.limits;
    json!({
        "window_days": terms.window_days, "final_sale": terms.final_sale, "final_attribute": terms.final_attribute,
        "final_below_list": terms.final_below_list.map(Rate::parts_per_million),
        "conditions": terms.conditions.iter().map(|condition| condition.text()).collect::<Vec<_>>(),
        "receipt_needed": terms.receipt_needed, "fees": terms.fees.iter().map(fee).collect::<Vec<_>>(), "postage": terms.postage_minor,
        "delivery": terms.delivery.text(), "means": words(&terms.means), "means_without_receipt": words(&terms.means_without_receipt),
        "when": terms.when.text(), "by_rule": terms.by_rule, "kept_below": terms.kept_below_minor, "cash_max": terms.cash_minor_max,
        "limits": [Some(limits.days), limits.returns_max, limits.value_minor_max, limits.unreceipted_minor_max],
        "claims": written_claims(&terms.claims),
    })
    .to_string()
}

fn written_claims(terms: &claim::Terms) -> Value {
    let kinds = terms.kinds.iter().map(|one| json!([one.kind.text(), one.window_days, one.needs_evidence]));
    json!({ "kinds": kinds.collect::<Vec<_>>(), "approved_up_to": terms.approved_up_to_minor, "kept_up_to": terms.kept_up_to_minor })
}

fn read_claims(from: &Value) -> Option<claim::Terms> {
    let kind = |value: &Value| {
        let kind = claim::Kind::named(value[0].as_str()?)?;
        Some(claim::KindTerms { kind, window_days: value[1].as_i64(), needs_evidence: value[2].as_bool()? })
    };
    Some(claim::Terms {
        kinds: from["kinds"].as_array()?.iter().map(kind).collect::<Option<_>>()?,
        approved_up_to_minor: from["approved_up_to"].as_i64()?,
        kept_up_to_minor: from["kept_up_to"].as_i64(),
    })
}

fn read(text: &str) -> Option<Terms> {
    let from: Value = serde_json::from_str(text).ok()?;
    let rate = |value: &Value| Rate::from_parts_per_million(value.as_i64()?).ok();
    let means = |value: &Value| {
        value.as_array()?.iter().map(|word| Means::named(word.as_str()?)).collect::<Option<Vec<_>>>()
    };
    let fee = |value: &Value| {
        let reason = value[0].as_str().map(str::to_owned);
        Some(Fee { reason, fixed_minor: value[1].as_i64()?, rate: rate(&value[2])? })
    };
    let conditions = from["conditions"].as_array()?.iter();
    let limits = &from["limits"];
    Some(Terms {
        window_days: from["window_days"].as_i64(),
        final_sale: from["final_sale"].as_bool()?,
        final_attribute: serde_json::from_value(from["final_attribute"].clone()).ok()?,
        final_below_list: rate(&from["final_below_list"]),
        conditions: conditions.map(|word| Condition::named(word.as_str()?)).collect::<Option<_>>()?,
        receipt_needed: from["receipt_needed"].as_bool()?,
        fees: from["fees"].as_array()?.iter().map(fee).collect::<Option<_>>()?,
        postage_minor: from["postage"].as_i64()?,
        delivery: DeliveryRefund::named(from["delivery"].as_str()?)?,
        means: means(&from["means"])?,
        means_without_receipt: means(&from["means_without_receipt"])?,
        when: When::named(from["when"].as_str()?)?,
        by_rule: from["by_rule"].as_bool()?,
        kept_below_minor: from["kept_below"].as_i64()?,
        cash_minor_max: from["cash_max"].as_i64(),
        limits: Limits {
            days: limits[0].as_i64()?,
            returns_max: limits[1].as_i64(),
            value_minor_max: limits[2].as_i64(),
            unreceipted_minor_max: limits[3].as_i64(),
        },
        claims: read_claims(&from["claims"])?,
    })
}

fn policy(row: &mut Row<'_>) -> Result<Policy, StoreError> {
    Ok(Policy {
        id: row.id()?,
        code: row.text()?,
        name: row.text()?,
        scope: Scope {
            category: row.id_or_null()?,
            customer_group: row.text_or_null()?,
            channel: row.id_or_null()?,
        },
        active: row.yes()?,
        terms: read(&row.text()?).ok_or_else(|| corrupt("terms"))?,
        version: row.int()?,
    })
}

/// Adds a policy with its first version.
///
/// # Errors
/// What the store says.
pub fn add(tx: &mut Tx<'_>, one: &Policy, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "insert into return_policy (return_policy_id, code, name, category_id, customer_group, channel_id, active, terms, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![
            one.id, &one.code, &one.name, one.scope.category, one.scope.customer_group.as_ref(), one.scope.channel, one.active,
            &written(&one.terms), one.version
        ],
    )?;
    note(tx, one, now)
}

/// Writes a policy as its next version, if it still has the one before; false when it has not.
///
/// # Errors
/// What the store says.
pub fn update(tx: &mut Tx<'_>, one: &Policy, now: Instant) -> Result<bool, StoreError> {
    let touched = tx.execute(
        "update return_policy set name = $3, category_id = $4, customer_group = $5, channel_id = $6, active = $7, terms = $8, version = $2
         where return_policy_id = $1 and version = $2 - 1",
        params![
            one.id, one.version, &one.name, one.scope.category, one.scope.customer_group.as_ref(), one.scope.channel, one.active,
            &written(&one.terms)
        ],
    )?;
    if touched == 1 {
        note(tx, one, now)?;
    }
    Ok(touched == 1)
}

fn note(tx: &mut Tx<'_>, one: &Policy, now: Instant) -> Result<(), StoreError> {
    tx.execute(
        "insert into return_policy_version (return_policy_id, version, terms, at) values ($1, $2, $3, $4)",
        params![one.id, one.version, &written(&one.terms), now],
    )?;
    Ok(())
}

/// A policy.
///
/// # Errors
/// What the store says.
pub fn find(tx: &mut Tx<'_>, id: Id<ReturnPolicy>) -> Result<Option<Policy>, StoreError> {
    tx.one(
        "select return_policy_id, code, name, category_id, customer_group, channel_id, active, terms, version from return_policy where return_policy_id = $1",
        params![id],
        policy,
    )
}

/// The terms of a policy as they stood in a version.
///
/// # Errors
/// What the store says.
pub fn terms_at(tx: &mut Tx<'_>, id: Id<ReturnPolicy>, version: i64) -> Result<Option<Terms>, StoreError> {
    let found = tx.one(
        "select terms from return_policy_version where return_policy_id = $1 and version = $2",
        params![id, version],
        |row| row.text(),
    )?;
    found.map(|text| read(&text).ok_or_else(|| corrupt("terms"))).transpose()
}

/// The policies, in the order they were made, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn list(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Policy>, StoreError> {
    tx.rows(
        "select return_policy_id, code, name, category_id, customer_group, channel_id, active, terms, version from return_policy
         order by return_policy_id limit $1",
        params![limit],
        policy,
    )
}
