//! Identity over the API: the rules by which traces are put together, and what a person is known by. The values themselves are asked for in
//! bodies only, and never answered.

mod record;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::identity::rule::{Rule, Rules};
use domain::identity::{Identifier, Kind, Part};
use domain::value::{Id, Reference, id};
use engine::identity::reading::Whom;
use engine::identity::{self, Whole, rules};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes of identity.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_identity_rules, set_identity_rules))
        .routes(routes!(find_profile))
        .routes(routes!(read_profile))
        .routes(routes!(read_customer_profile))
        .merge(record::routes())
}

/// How identifiers of one kind are believed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = IdentityRule, example = json!({"kind": "email", "limit": 5, "window_days": 365, "priority": 6, "joins": true,
    "blocked": ["shop@example.com"]}))]
struct RuleShape {
    /// `user_id`, `loyalty_number`, `external`, `card_token`, `email`, `phone`, `device_id` or `anonymous_id`; `customer` is only read.
    kind: String,
    /// How many of the kind one person has: 1 to 200. What would be one too many is not believed to be that person's.
    limit: i64,
    /// Within how many days that many were seen first; ever, when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    window_days: Option<i64>,
    /// Which of several in one event decides whose it is: the lowest, 2 to 100. Of what is equally trusted the highest is given up first when
    /// not all of it fits one person.
    priority: i64,
    /// Can a trusted source say by it that two customers are one?
    joins: bool,
    /// Values that stand for nobody, such as the shop's own mail address: at most 200.
    #[serde(default)]
    #[schema(max_items = 200)]
    blocked: Vec<String>,
}

impl From<&Rule> for RuleShape {
    fn from(rule: &Rule) -> RuleShape {
        RuleShape {
            kind: rule.kind.text().into(),
            limit: rule.limit,
            window_days: rule.window_days,
            priority: rule.priority,
            joins: rule.joins,
            blocked: rule.blocked.clone(),
        }
    }
}

/// The rules of all kinds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = IdentityRules, example = json!({"rules": [{"kind": "email", "limit": 5, "window_days": 365, "priority": 6, "joins": true,
    "blocked": []}], "public_links": 200, "card_orders": true, "version": 1}))]
struct RulesShape {
    /// One for each kind.
    rules: Vec<RuleShape>,
    /// How many browsers and devices public keys may hang on one identifier.
    public_links: i64,
    /// Is an order that names nobody told as the person's who alone is known by the card that paid it?
    card_orders: bool,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl RulesShape {
    fn of((version, rules): &(i64, Rules)) -> RulesShape {
        RulesShape {
            rules: rules.each().map(RuleShape::from).collect(),
            public_links: rules.public_links(),
            card_orders: rules.card_orders(),
            version: *version,
        }
    }
}

/// The rules that are to differ from the usual ones.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewIdentityRules, example = json!({"rules": [{"kind": "email", "limit": 3, "priority": 6, "joins": true,
    "blocked": ["shop@example.com"]}]}))]
struct NewRulesShape {
    /// At most one for each kind; a kind that is left out follows its usual rule.
    #[schema(max_items = 20)]
    rules: Vec<RuleShape>,
    /// How many browsers and devices public keys may hang on one identifier, the longest known giving way to new ones: 1 to 1000, 200 when
    /// left out. What a secret key or the shop itself says is never counted against it.
    #[schema(minimum = 1, maximum = 1000)]
    public_links: Option<i64>,
    /// Is an order that names nobody told as the person's who alone is known by the card that paid it? It is when left out.
    card_orders: Option<bool>,
}

impl NewRulesShape {
    fn read(self) -> Result<Rules, Refusal> {
        let mut fields = Fields::new();
        let mut rules = Vec::new();
        for (place, shape) in self.rules.into_iter().enumerate() {
            let Some(kind) = fields.take(&format!("rules.{place}.kind"), Kind::parse(&shape.kind)) else {
                continue;
            };
            let RuleShape { limit, window_days, priority, joins, blocked, .. } = shape;
            rules.push(Rule { kind, limit, window_days, priority, joins, blocked });
        }
        fields.done(Some(()))?;
        Ok(Rules::new(rules, self.public_links)?.with_card_orders(self.card_orders.unwrap_or(true)))
    }
}

/// What a person is known by.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SoughtIdentifier, example = json!({"kind": "email", "value": "ada@example.com"}))]
pub(crate) struct IdentifierShape {
    /// Of which kind.
    kind: String,
    /// The system whose id it is, where the kind is `external`.
    #[schema(min_length = 1, max_length = 60)]
    system: Option<String>,
    /// The value: 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255)]
    value: String,
}

impl IdentifierShape {
    pub(crate) fn read(&self) -> Result<Identifier, Refusal> {
        let mut fields = Fields::new();
        let kind = fields.take("kind", Kind::parse(&self.kind));
        let made = kind.map(|kind| Identifier::new(kind, self.system.as_deref(), &self.value));
        let identifier = made.and_then(|made| fields.take("value", made));
        fields.done(identifier)
    }
}

/// A person as recognised in every channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile, example = json!({"id": "prf_01jd0000000000000000000000", "customer": "cus_01jd0000000000000000000000",
    "identifiers": [{"profile": "prf_01jd0000000000000000000000", "kind": "anonymous_id", "trust": "public",
        "first_seen": "2026-06-01T10:00:00Z", "last_seen": "2026-06-01T10:00:00Z"}], "links": []}))]
struct ProfileShape {
    /// The profile that stands for the whole person.
    id: String,
    /// The customer the person is, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// What the person is known by, the oldest first, at most 500. The values are kept nowhere.
    identifiers: Vec<KnownShape>,
    /// Why: who said that two of these are one person's, and what was said and is not believed.
    links: Vec<LinkShape>,
}

/// An identifier of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProfileIdentifier)]
struct KnownShape {
    /// The profile that was made for it, with which its events stay.
    profile: String,
    /// Of which kind.
    kind: String,
    /// The most trusted who told of it: `public`, `authenticated` or `internal`.
    trust: String,
    /// When it was seen first.
    #[schema(format = DateTime)]
    first_seen: String,
    /// When it was seen last, to the day.
    #[schema(format = DateTime)]
    last_seen: String,
}

/// That two identifiers are one person's, as somebody said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProfileLink)]
struct LinkShape {
    /// The two profiles.
    between: [String; 2],
    /// The most trusted who said it; `decided` when somebody merged two customers.
    trust: String,
    /// When it was said first.
    #[schema(format = DateTime)]
    since: String,
    /// Is it believed? It is not where a person would have more of a kind than the rules allow, or be two customers.
    holds: bool,
}

impl From<&Whole> for ProfileShape {
    fn from(whole: &Whole) -> ProfileShape {
        let known = whole.identifiers.iter().map(|known| KnownShape {
            profile: known.profile.to_string(),
            kind: known.kind.text().into(),
            trust: known.trust.text().into(),
            first_seen: known.first_seen.to_string(),
            last_seen: known.last_seen.to_string(),
        });
        let links = whole.links.iter().map(|said| LinkShape {
            between: [said.between.0.to_string(), said.between.1.to_string()],
            trust: said.trust.text().into(),
            since: said.first_at.to_string(),
            holds: said.holds,
        });
        ProfileShape {
            id: whole.root.to_string(),
            customer: whole.customer.map(|id| id.to_string()),
            identifiers: known.collect(),
            links: links.collect(),
        }
    }
}

/// Read the rules of identity
#[utoipa::path(get, path = "/v1/identity-rules", operation_id = "read_identity_rules", tag = "identity",
    responses((status = 200, body = RulesShape), Problems))]
async fn read_identity_rules(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    let found = app.read(move |tx| rules::read(tx, &actor)).await?;
    document(&RulesShape::of(&found), Some(found.0))
}

/// Set the rules of identity
///
/// They hold for whoever is seen from now on.
#[utoipa::path(put, path = "/v1/identity-rules", operation_id = "set_identity_rules", tag = "identity", request_body = NewRulesShape,
    params(("If-Match" = String, Header, description = "the `ETag` they were read with")),
    responses((status = 200, body = RulesShape), Problems))]
async fn set_identity_rules(
    State(app): State<App>,
    command: Command<NewRulesShape>,
) -> Result<Response, Problem> {
    let version = command.version()?;
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let set = rules::set(tx, actor, world, version, input.clone())?;
        Reply::versioned(&RulesShape::of(&set), set.0)
    })
    .await
}

/// Find a profile by what the person is known by
///
/// Each reading is noted in the audit trail.
#[utoipa::path(post, path = "/v1/profiles/find", operation_id = "find_profile", tag = "identity", request_body = IdentifierShape,
    responses((status = 200, body = ProfileShape), Problems))]
async fn find_profile(
    State(app): State<App>,
    command: Command<IdentifierShape>,
) -> Result<Response, Problem> {
    let identifier = command.body.read()?;
    app.show(command.unkeyed().request, Part::Profile, move |tx, actor, world| {
        let root = identity::find(tx, actor, world, &identifier)?;
        shown(tx, actor, root)
    })
    .await
}

/// The whole person of a profile.
fn shown(tx: &mut Tx<'_>, actor: &Actor, profile: Id<id::Profile>) -> Result<(Whom, Reply), Failure> {
    let whole = identity::read(tx, actor, profile)?;
    Ok((Whom::Profile(whole.root), Reply::json(&ProfileShape::from(&whole))?))
}

/// Read a profile
///
/// The whole person is answered, whichever of the person's profiles is asked for. Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/profiles/{profile}", operation_id = "read_profile", tag = "identity",
    params(("profile" = String, Path, description = "its id")),
    responses((status = 200, body = ProfileShape), Problems))]
async fn read_profile(
    State(app): State<App>,
    Path(profile): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let profile = Id::<id::Profile>::parse(&profile).map_err(|_| Refusal::not_found("profile", &profile))?;
    app.show(command.unkeyed().request, Part::Profile, move |tx, actor, _| shown(tx, actor, profile)).await
}

/// Read the profile of a customer
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/profile", operation_id = "read_customer_profile", tag = "identity",
    params(("id" = String, Path, description = "its id or external id")),
    responses((status = 200, body = ProfileShape), Problems))]
async fn read_customer_profile(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    app.show(command.unkeyed().request, Part::Profile, move |tx, actor, world| {
        actor.may_somewhere(Permission::ReadBehaviour)?;
        let id = external::resolve(tx, &reference)?;
        let root = identity::customer::of_customer(tx, actor, world, id)?;
        shown(tx, actor, root)
    })
    .await
}
