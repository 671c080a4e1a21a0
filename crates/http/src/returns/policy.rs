//! Return policies over the API: written by the retailer, each change a new version.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::catalogue::short_code;
use domain::returns::policy::{DeliveryRefund, FEES_MAX, Fee, Limits, Scope, Terms, When};
use domain::returns::{Condition, Means};
use domain::value::id::{self, Category, Channel};
use domain::value::{Id, Rate, Reference, text};
use domain::{Code, Refusal};
use engine::returns::policy::{self, Draft, Policy};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::claim::terms::ClaimTermsShape;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The most characters of a name, group, code or value.
const LENGTH_MAX: usize = 120;

/// The routes of return policies.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_return_policies, create_return_policy))
        .routes(routes!(read_return_policy, replace_return_policy))
}

/// A fee for taking goods back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnFee, example = json!({"reason": "changed_mind", "fixed": 0, "rate_ppm": 100000}))]
struct FeeShape {
    /// For this reason only; for every reason when absent. The first fee that fits counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 120)]
    reason: Option<String>,
    /// A fixed part for each line, in minor units.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    fixed: i64,
    /// A part of the goods' value in parts per million: 100000 is 10 %.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    rate_ppm: i64,
}

/// Limits against abuse, for one customer over a period.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnLimits, example = json!({"days": 90, "returns_max": 10}))]
struct LimitsShape {
    /// The period, in days.
    #[schema(minimum = 0, maximum = 366)]
    days: i64,
    /// The most returns in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    returns_max: Option<i64>,
    /// The most that is given back in it, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_max: Option<i64>,
    /// The most that is given back without a receipt in it, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreceipted_max: Option<i64>,
}

/// What a policy says. What is left out is as where no policy is written: allowed, and free.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReturnTerms, example = json!({"window_days": 28, "means": ["original", "gift_card"], "fees": [{"reason": "changed_mind", "rate_ppm": 100000}]}))]
struct TermsShape {
    /// How many days after the customer got the goods they may come back; for ever when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    window_days: Option<i64>,
    /// Nothing comes back.
    #[serde(default)]
    final_sale: bool,
    /// Nothing comes back whose attribute of this code has this value: code and value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 2, max_items = 2)]
    final_attribute: Option<Vec<String>>,
    /// Nothing comes back that was sold for less than this part of what the list says now, in parts per million.
    #[serde(skip_serializing_if = "Option::is_none")]
    final_below_list_ppm: Option<i64>,
    /// The conditions in which goods are taken: `resellable`, `inspect`, `damaged`, `scrap`, `kept`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 5)]
    conditions: Option<Vec<String>>,
    /// Is the order needed?
    #[serde(default)]
    receipt_needed: bool,
    /// The fees, at most 50.
    #[serde(default)]
    #[schema(max_items = 50)]
    fees: Vec<FeeShape>,
    /// What the customer pays for the label when goods come back by post, in minor units.
    #[serde(default)]
    postage: i64,
    /// When the delivery charge is given back: `never`, `first` or `last`.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<String>,
    /// How the money may be given back, the usual way first: `original`, `store_credit`, `gift_card`, `cash`, `exchange`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 5)]
    means: Option<Vec<String>>,
    /// The same for goods whose order is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 5)]
    means_without_receipt: Option<Vec<String>>,
    /// When the money is given back: `before_receipt`, `after_receipt` or `after_inspection`.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<String>,
    /// Is a request approved by the rule? Else a colleague decides.
    #[serde(default)]
    by_rule: bool,
    /// Goods worth less than this the customer may keep, in minor units.
    #[serde(default)]
    kept_below: i64,
    /// The most that is paid out in cash for one return, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    cash_max: Option<i64>,
    /// Limits against abuse.
    #[serde(default)]
    limits: LimitsShape,
    /// What holds for claims.
    #[serde(default)]
    claims: ClaimTermsShape,
}

impl From<&Terms> for TermsShape {
    fn from(terms: &Terms) -> TermsShape {
        let means = |means: &[Means]| Some(means.iter().map(|means| means.text().to_owned()).collect());
        let fee = |fee: &Fee| FeeShape {
            reason: fee.reason.clone(),
            fixed: fee.fixed_minor,
            rate_ppm: fee.rate.parts_per_million(),
        };
        TermsShape {
            window_days: terms.window_days,
            final_sale: terms.final_sale,
            final_attribute: terms.final_attribute.clone().map(|(code, value)| vec![code, value]),
            final_below_list_ppm: terms.final_below_list.map(Rate::parts_per_million),
            conditions: Some(terms.conditions.iter().map(|one| one.text().to_owned()).collect()),
            receipt_needed: terms.receipt_needed,
            fees: terms.fees.iter().map(fee).collect(),
            postage: terms.postage_minor,
            delivery: Some(terms.delivery.text().to_owned()),
            means: means(&terms.means),
            means_without_receipt: means(&terms.means_without_receipt),
            when: Some(terms.when.text().to_owned()),
            by_rule: terms.by_rule,
            kept_below: terms.kept_below_minor,
            cash_max: terms.cash_minor_max,
            limits: LimitsShape {
                days: terms.limits.days,
                returns_max: terms.limits.returns_max,
                value_max: terms.limits.value_minor_max,
                unreceipted_max: terms.limits.unreceipted_minor_max,
            },
            claims: ClaimTermsShape::from(&terms.claims),
        }
    }
}

/// What a list says when none is given, and how each of its words is read.
type Reading<T> = (Vec<T>, fn(&str) -> Result<T, String>);

/// Words of a list, each refused by its place; `usual` when none are given.
fn words<T>(
    fields: &mut Fields,
    field: &str,
    given: Option<&Vec<String>>,
    (usual, parse): Reading<T>,
) -> Option<Vec<T>> {
    let Some(given) = given else { return Some(usual) };
    let mut read = Vec::with_capacity(given.len().min(5));
    if given.len() > 5 {
        fields.refuse(field, "give at most 5, each once");
        return None;
    }
    for (place, word) in given.iter().enumerate() {
        read.extend(fields.take(&format!("{field}.{place}"), parse(word)));
    }
    (read.len() == given.len()).then_some(read)
}

impl TermsShape {
    fn read(&self, fields: &mut Fields) -> Option<Terms> {
        let open = Terms::open();
        let rate = |fields: &mut Fields, field: &str, parts: i64| {
            fields.take(field, Rate::from_parts_per_million(parts))
        };
        if self.fees.len() > FEES_MAX {
            fields.refuse("fees", format!("give at most {FEES_MAX} fees"));
            return None;
        }
        let fees = fields.each("fees", &self.fees, |fields, fee| {
            let reason = fields.take_if("reason", fee.reason.as_deref(), |text| short("reason", text));
            let rate = rate(fields, "rate_ppm", fee.rate_ppm);
            Some(Fee { reason: reason?, fixed_minor: fee.fixed, rate: rate? })
        });
        let below = self.final_below_list_ppm.map(|parts| rate(fields, "final_below_list_ppm", parts));
        let attribute =
            fields.take_if("final_attribute", self.final_attribute.as_deref(), |pair| match pair {
                [code, value] => Ok((short("final_attribute", code)?, short("final_attribute", value)?)),
                _ => Err("give the attribute's code and the value".to_owned()),
            });
        let given = self.conditions.as_ref();
        let conditions = words(fields, "conditions", given, (open.conditions.clone(), Condition::parse));
        let means = words(fields, "means", self.means.as_ref(), (open.means.clone(), Means::parse));
        let usual = (open.means_without_receipt.clone(), Means::parse as fn(&str) -> _);
        let blind = words(fields, "means_without_receipt", self.means_without_receipt.as_ref(), usual);
        let delivery = fields.take_if("delivery", self.delivery.as_deref(), DeliveryRefund::parse);
        let when = fields.take_if("when", self.when.as_deref(), When::parse);
        let limits = Limits {
            days: self.limits.days,
            returns_max: self.limits.returns_max,
            value_minor_max: self.limits.value_max,
            unreceipted_minor_max: self.limits.unreceipted_max,
        };
        let claims = fields.within("claims", |fields| self.claims.read(fields));
        if matches!(below, Some(None)) {
            return None;
        }
        Some(Terms {
            window_days: self.window_days,
            final_sale: self.final_sale,
            final_attribute: attribute?,
            final_below_list: below.flatten(),
            conditions: conditions?,
            receipt_needed: self.receipt_needed,
            fees: fees?,
            postage_minor: self.postage,
            delivery: delivery?.unwrap_or(open.delivery),
            means: means?,
            means_without_receipt: blind?,
            when: when?.unwrap_or(open.when),
            by_rule: self.by_rule,
            kept_below_minor: self.kept_below,
            cash_minor_max: self.cash_max,
            limits,
            claims: claims?,
        })
    }
}

fn short(field: &'static str, text: &str) -> Result<String, String> {
    text::bounded(field, text, 1, LENGTH_MAX).map_err(|error| error.to_string())
}

/// A return policy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnPolicy)]
struct PolicyShape {
    /// Its id.
    id: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// For goods of this category and those below; for all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// For customers of this group; for all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_group: Option<String>,
    /// For orders of this channel; for all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// Is it asked?
    active: bool,
    /// What it says.
    terms: TermsShape,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Policy> for PolicyShape {
    fn from(one: &Policy) -> PolicyShape {
        PolicyShape {
            id: one.id.to_string(),
            code: one.code.clone(),
            name: one.name.clone(),
            category: one.scope.category.map(|id| id.to_string()),
            customer_group: one.scope.customer_group.clone(),
            channel: one.scope.channel.map(|id| id.to_string()),
            active: one.active,
            terms: TermsShape::from(&one.terms),
            version: one.version,
        }
    }
}

/// A return policy as it shall be. Who names more of category, customer group and channel wins; among those who name as many, category
/// before customer group before channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReturnPolicy, example = json!({"code": "standard", "name": "Standard", "terms": {"window_days": 28}}))]
struct DraftShape {
    /// The short word it goes by; it cannot be changed later.
    code: String,
    /// What people call it.
    #[schema(max_length = 120)]
    name: String,
    /// For goods of this category and those below: id or external id.
    category: Option<String>,
    /// For customers of this group.
    #[schema(max_length = 120)]
    customer_group: Option<String>,
    /// For orders of this channel: id or external id.
    channel: Option<String>,
    /// Is it asked? Yes when not given.
    active: Option<bool>,
    /// What it says.
    terms: TermsShape,
}

/// A policy that was read, its category and channel still by reference.
#[derive(Clone)]
struct Asked {
    code: String,
    draft: Draft,
    category: Option<Reference<Category>>,
    channel: Option<Reference<Channel>>,
}

impl DraftShape {
    fn read(&self) -> Result<Asked, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", short_code(&self.code));
        let name = fields.take("name", short("name", &self.name));
        let group = fields
            .take_if("customer_group", self.customer_group.as_deref(), |text| short("customer_group", text));
        let terms = fields.within("terms", |fields| self.terms.read(fields));
        let read = code.zip(name).zip(group).zip(terms);
        let (((code, name), customer_group), terms) = fields.done(read)?;
        let scope = Scope { category: None, customer_group, channel: None };
        let draft = Draft { name, scope, active: self.active.unwrap_or(true), terms };
        let category = self.category.as_deref().map(Reference::read);
        Ok(Asked { code, draft, category, channel: self.channel.as_deref().map(Reference::read) })
    }
}

impl Asked {
    fn of(&self, tx: &mut Tx<'_>) -> Result<Draft, Failure> {
        let mut draft = self.draft.clone();
        draft.scope.category =
            self.category.as_ref().map(|one| external::known_at(tx, "category", one)).transpose()?;
        draft.scope.channel =
            self.channel.as_ref().map(|one| external::known_at(tx, "channel", one)).transpose()?;
        Ok(draft)
    }
}

fn known(text: &str) -> Result<Id<id::ReturnPolicy>, Problem> {
    Id::parse(text).map_err(|_| Refusal::new(Code::NotFound, format!("no return policy \"{text}\"")).into())
}

/// Write a return policy
#[utoipa::path(post, path = "/v1/return-policies", operation_id = "create_return_policy", tag = "returns", request_body = DraftShape,
    responses((status = 201, body = PolicyShape), Problems))]
async fn create_return_policy(
    State(app): State<App>,
    command: Command<DraftShape>,
) -> Result<Response, Problem> {
    let asked = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let draft = asked.of(tx)?;
        let one = policy::create(tx, actor, world, asked.code.clone(), draft)?;
        Reply::versioned(&PolicyShape::from(&one), one.version)
    })
    .await
}

/// Write the next version of a return policy
#[utoipa::path(put, path = "/v1/return-policies/{policy}", operation_id = "replace_return_policy", tag = "returns", request_body = DraftShape,
    params(("policy" = String, Path, description = "Its id.")), responses((status = 200, body = PolicyShape), Problems))]
async fn replace_return_policy(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<DraftShape>,
) -> Result<Response, Problem> {
    let (id, read) = (known(&one)?, command.version()?);
    let asked = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let draft = asked.of(tx)?;
        let one = policy::change(tx, actor, world, (id, Some(read)), draft)?;
        Reply::versioned(&PolicyShape::from(&one), one.version)
    })
    .await
}

/// List the return policies, in the order they were written
#[utoipa::path(get, path = "/v1/return-policies", operation_id = "list_return_policies", tag = "returns",
    responses((status = 200, body = Page<PolicyShape>), Problems))]
async fn list_return_policies(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    let found = app.read(move |tx| policy::list(tx, &actor)).await?;
    document(&Page { items: found.iter().map(PolicyShape::from).collect(), next_cursor: None }, None)
}

/// Read a return policy
#[utoipa::path(get, path = "/v1/return-policies/{policy}", operation_id = "read_return_policy", tag = "returns",
    params(("policy" = String, Path, description = "Its id.")), responses((status = 200, body = PolicyShape), Problems))]
async fn read_return_policy(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(one): Path<String>,
) -> Result<Response, Problem> {
    let id = known(&one)?;
    let found = app.read(move |tx| policy::read(tx, &actor, id)).await?;
    document(&PolicyShape::from(&found), Some(found.version))
}
