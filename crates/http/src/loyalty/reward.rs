//! Rewards over the API: offered for points, given to members, taken back.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::catalogue::short_code;
use domain::loyalty::reward::{Gives, Kind, Terms};
use domain::promotion::limit::Period;
use domain::value::id::{self, Customer, Redemption as RedemptionKind, Reward as RewardKind};
use domain::value::{Id, Reference, text};
use engine::loyalty::member::{self, Member};
use engine::loyalty::programme;
use engine::loyalty::reward::{self, Redemption, Reward};
use engine::{Failure, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::named;
use super::programme::NAME_LENGTH_MAX;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, MoneyShape};

/// The routes of rewards.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_rewards, create_reward))
        .routes(routes!(read_reward, replace_reward))
        .routes(routes!(list_redemptions, redeem_reward))
        .routes(routes!(take_back_reward))
}

/// What is said of a reward.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RewardTerms, example = json!({"name": "Five pounds", "kind": "store_credit", "amount": {"amount": 500, "currency": "GBP"}, "points": 500}))]
struct TermsShape {
    /// What people call it.
    #[schema(max_length = 120)]
    name: String,
    /// What is given: `coupon` (of a promotion, for one order: an amount off, a free article), `gift_card` or `store_credit`.
    kind: String,
    /// What a coupon opens: the promotion's id. It must need a coupon.
    #[serde(skip_serializing_if = "Option::is_none")]
    promotion: Option<String>,
    /// How much is on the gift card or given as store credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<MoneyShape>,
    /// For how many points.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    points: i64,
    /// How many there are in all; any number when absent. What is taken back can be given again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    given_max: Option<i64>,
    /// How many one member has in a period; any number when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    member_max: Option<i64>,
    /// The period, by the clock of the programme: `day`, `week`, `month`, `year` or `ever`; `ever` when absent.
    #[serde(default = "ever")]
    period: String,
    /// The code of the tier from which on it is given; to every member when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    tier: Option<String>,
    /// Is it given now? Yes when absent.
    #[serde(default = "yes")]
    active: bool,
}

fn ever() -> String {
    Period::Ever.text().to_owned()
}

const fn yes() -> bool {
    true
}

impl From<&Terms> for TermsShape {
    fn from(terms: &Terms) -> TermsShape {
        let (promotion, amount) = match terms.gives {
            Gives::Coupon(promotion) => (Some(promotion.to_string()), None),
            Gives::GiftCard(money) | Gives::StoreCredit(money) => (None, Some(money.into())),
        };
        TermsShape {
            name: terms.name.clone(),
            kind: terms.gives.kind().text().to_owned(),
            promotion,
            amount,
            points: terms.points,
            given_max: terms.given_max,
            member_max: terms.member_max,
            period: terms.period.text().to_owned(),
            tier: terms.tier.clone(),
            active: terms.active,
        }
    }
}

impl TermsShape {
    fn read(&self, fields: &mut Fields) -> Option<Terms> {
        let name = fields.take("name", text::bounded("name", &self.name, 1, NAME_LENGTH_MAX));
        let kind = fields.take("kind", Kind::parse(&self.kind));
        let gives = match kind {
            Some(Kind::Coupon) => self.promotion(fields).map(Gives::Coupon),
            Some(Kind::GiftCard) => self.money(fields).map(Gives::GiftCard),
            Some(Kind::StoreCredit) => self.money(fields).map(Gives::StoreCredit),
            None => None,
        };
        let period = fields.take("period", Period::parse(&self.period));
        let tier = fields.take_if("tier", self.tier.as_deref(), short_code);
        Some(Terms {
            name: name?,
            gives: gives?,
            points: self.points,
            given_max: self.given_max,
            member_max: self.member_max,
            period: period?,
            tier: tier?,
            active: self.active,
        })
    }

    fn promotion(&self, fields: &mut Fields) -> Option<Id<id::Promotion>> {
        if self.amount.is_some() {
            fields.refuse("amount", "a coupon gives what its promotion says; leave the amount out");
        }
        let Some(promotion) = &self.promotion else {
            fields.refuse("promotion", "name the promotion the coupon opens");
            return None;
        };
        fields.id("promotion", promotion)
    }

    fn money(&self, fields: &mut Fields) -> Option<domain::value::Money> {
        if self.promotion.is_some() {
            fields.refuse("promotion", "only a coupon opens a promotion; leave it out");
        }
        let Some(amount) = &self.amount else {
            fields.refuse("amount", "say how much is given");
            return None;
        };
        fields.money("amount", amount)
    }
}

/// A reward: what is given for points.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reward)]
struct RewardShape {
    /// Its id.
    id: String,
    /// The programme.
    programme: String,
    /// The short word it goes by.
    code: String,
    /// What is said of it.
    terms: TermsShape,
    /// How many were given and not taken back.
    given: i64,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// Rises with every change.
    version: i64,
}

impl From<&Reward> for RewardShape {
    fn from(one: &Reward) -> RewardShape {
        RewardShape {
            id: one.id.to_string(),
            programme: one.programme.to_string(),
            code: one.code.clone(),
            terms: TermsShape::from(&one.terms),
            given: one.given,
            made_at: one.made_at.to_string(),
            version: one.version,
        }
    }
}

/// A reward to be offered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReward, example = json!({"programme": "club", "code": "a-mug", "terms": {"name": "A mug for nothing", "kind": "coupon",
    "promotion": "pro_01jd0000000000000000000000", "points": 500}}))]
struct NewRewardShape {
    /// The programme's id or code.
    #[schema(max_length = 64)]
    programme: String,
    /// The short word it goes by; it cannot be changed later.
    code: String,
    /// What is said of it.
    terms: TermsShape,
}

/// Offer a reward for points
///
/// A reward that is money needs `credit:write` besides.
#[utoipa::path(post, path = "/v1/rewards", operation_id = "create_reward", tag = "loyalty", request_body = NewRewardShape,
    responses((status = 201, body = RewardShape), Problems))]
async fn create_reward(
    State(app): State<App>,
    command: Command<NewRewardShape>,
) -> Result<Response, Problem> {
    let (mut fields, asked) = (Fields::new(), &command.body);
    let code = fields.take("code", short_code(&asked.code));
    let terms = fields.within("terms", |fields| asked.terms.read(fields));
    let (code, terms) = fields.done(code.zip(terms))?;
    let name = asked.programme.clone();
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let programme = joined(tx, &name)?;
        let made = reward::create(tx, actor, world, (programme, code.clone()), terms.clone());
        let one = made.map_err(in_terms)?;
        Reply::versioned(&RewardShape::from(&one), one.version)
    })
    .await
}

fn joined(tx: &mut Tx<'_>, name: &str) -> Result<Id<id::LoyaltyProgramme>, Failure> {
    let found = programme::joined(tx, name)?;
    let unknown = || Refusal::invalid("programme", "no loyalty programme has this id or code");
    Ok(found.ok_or_else(unknown)?.id)
}

/// Bad terms are named where they stand in the request.
fn in_terms(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) if refusal.code() == domain::Code::Invalid => {
            refusal.within("terms").into()
        }
        other => other,
    }
}

/// What a reward shall be from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RewardChange)]
struct ChangeShape {
    /// What is said of it.
    terms: TermsShape,
}

/// Say something else of a reward
///
/// What was given stays as it was. A reward that is money needs `credit:write` besides.
#[utoipa::path(put, path = "/v1/rewards/{reward}", operation_id = "replace_reward", tag = "loyalty", request_body = ChangeShape,
    params(("reward" = String, Path, description = "Its id.")), responses((status = 200, body = RewardShape), Problems))]
async fn replace_reward(
    State(app): State<App>,
    Path(one): Path<String>,
    command: Command<ChangeShape>,
) -> Result<Response, Problem> {
    let (id, read): (Id<RewardKind>, _) = (named(&one)?, command.version()?);
    let mut fields = Fields::new();
    let terms = fields.within("terms", |fields| command.body.terms.read(fields));
    let terms = fields.done(terms)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let changed = reward::change(tx, actor, world, (id, Some(read)), terms.clone());
        let one = changed.map_err(in_terms)?;
        Reply::versioned(&RewardShape::from(&one), one.version)
    })
    .await
}

/// Read a reward
#[utoipa::path(get, path = "/v1/rewards/{reward}", operation_id = "read_reward", tag = "loyalty",
    params(("reward" = String, Path, description = "Its id.")), responses((status = 200, body = RewardShape), Problems))]
async fn read_reward(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(one): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&one)?;
    let one = app.read(move |tx| reward::read(tx, &actor, id)).await?;
    document(&RewardShape::from(&one), Some(one.version))
}

/// Whose rewards are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RewardsQuery {
    /// The programme: its id or code.
    programme: String,
}

/// List the rewards of a loyalty programme, in the order they were made
#[utoipa::path(get, path = "/v1/rewards", operation_id = "list_rewards", tag = "loyalty", params(RewardsQuery),
    responses((status = 200, body = Page<RewardShape>), Problems))]
async fn list_rewards(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(query): Asked<RewardsQuery>,
) -> Result<Response, Problem> {
    let read = move |tx: &mut Tx<'_>| {
        let programme = joined(tx, &query.programme)?;
        reward::list(tx, &actor, programme)
    };
    let found = app.read(read).await?;
    document(&Page { items: found.iter().map(RewardShape::from).collect(), next_cursor: None }, None)
}

/// Points of a member exchanged for a reward.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Redemption, example = json!({"id": "rdm_01jd0000000000000000000000", "reward": "rwd_01jd0000000000000000000000", "kind": "coupon", "outcome": "cpn_01jd0000000000000000000000",
    "code": "R-8KQ4-M2XD-77PT", "points": 500, "state": "given", "made_at": "2026-11-21T09:30:00Z"}))]
struct RedemptionShape {
    /// Its id.
    id: String,
    /// The reward.
    reward: String,
    /// What was given: `coupon`, `gift_card` or `store_credit`.
    kind: &'static str,
    /// The coupon, gift card or store credit: its id. The code of a gift card is shown once by the card itself.
    outcome: String,
    /// The code of the coupon.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// For how many points.
    points: i64,
    /// What became of it: `given` or `taken_back`.
    state: &'static str,
    /// When.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    taken_back_at: Option<String>,
}

impl From<(Redemption, Option<String>)> for RedemptionShape {
    fn from((one, code): (Redemption, Option<String>)) -> RedemptionShape {
        let outcome = match one.kind {
            Kind::Coupon => Id::<id::Coupon>::from_bytes(one.outcome).to_string(),
            Kind::GiftCard => Id::<id::GiftCard>::from_bytes(one.outcome).to_string(),
            Kind::StoreCredit => Id::<id::StoreCredit>::from_bytes(one.outcome).to_string(),
        };
        RedemptionShape {
            id: one.id.to_string(),
            reward: one.reward.to_string(),
            kind: one.kind.text(),
            outcome,
            code,
            points: one.points,
            state: one.state.text(),
            made_at: one.made_at.to_string(),
            taken_back_at: one.taken_back_at.map(|at| at.to_string()),
        }
    }
}

/// The reward a member wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRedemption, example = json!({"reward": "rwd_01jd0000000000000000000000"}))]
struct WantedShape {
    /// The reward's id.
    reward: String,
}

/// The membership a path names.
fn of(
    tx: &mut Tx<'_>,
    actor: &domain::actor::Actor,
    (customer, id): &(Reference<Customer>, Id<id::Member>),
) -> Result<Member, Failure> {
    let customer = external::resolve(tx, customer)?;
    member::read(tx, actor, customer, *id)
}

/// Exchange points for a reward
///
/// Staff who give a reward that is money need `credit:write` besides. All of it in one step: the points are held, the reward is given, and they are spent. As many as ask at once, there are no more rewards
/// than points.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/redemptions", operation_id = "redeem_reward", tag = "loyalty", request_body = WantedShape,
    params(("id" = String, Path, description = "The customer's id or external id."), ("member" = String, Path, description = "The member's id."), KeyRequired),
    responses((status = 201, body = RedemptionShape), Problems))]
async fn redeem_reward(
    State(app): State<App>,
    Path((customer, member)): Path<(String, String)>,
    command: Command<WantedShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let whose = (Reference::<Customer>::read(&customer), named(&member)?);
    let mut fields = Fields::new();
    let wanted = fields.id("reward", &command.body.reward);
    let wanted = fields.done(wanted)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let member = of(tx, actor, &whose)?;
        let one = reward::redeem(tx, actor, world, &member, wanted)?;
        Reply::json(&RedemptionShape::from(reward::with_code(tx, one)?))
    })
    .await
}

/// List what a member was given for points, the newest first
#[utoipa::path(get, path = "/v1/customers/{id}/points/{member}/redemptions", operation_id = "list_redemptions", tag = "loyalty",
    params(("id" = String, Path, description = "The customer's id or external id."), ("member" = String, Path, description = "The member's id."), PageQuery),
    responses((status = 200, body = Page<RedemptionShape>), Problems))]
async fn list_redemptions(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((customer, member)): Path<(String, String)>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let whose = (Reference::<Customer>::read(&customer), named(&member)?);
    let (limit, before) = (page.limit()?, page.before_id::<RedemptionKind>()?);
    let read = move |tx: &mut Tx<'_>| {
        let member = of(tx, &actor, &whose)?;
        reward::redemptions(tx, &member, before, limit)
    };
    let found: Vec<_> = app.read(read).await?.into_iter().map(RedemptionShape::from).collect();
    document(&Page::new(found, limit, |one: &RedemptionShape| one.id.clone()), None)
}

/// Take a reward back of which nothing was used
///
/// The points return with the expiry they had. Doing it twice is the same as once.
#[utoipa::path(post, path = "/v1/customers/{id}/points/{member}/redemptions/{redemption}/take-back", operation_id = "take_back_reward", tag = "loyalty",
    params(("id" = String, Path, description = "The customer's id or external id."), ("member" = String, Path, description = "The member's id."),
        ("redemption" = String, Path, description = "The redemption's id."), KeyRequired),
    responses((status = 200, body = RedemptionShape), Problems))]
async fn take_back_reward(
    State(app): State<App>,
    Path((customer, member, redemption)): Path<(String, String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let whose = (Reference::<Customer>::read(&customer), named(&member)?);
    let id: Id<RedemptionKind> = named(&redemption)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let member = of(tx, actor, &whose)?;
        let one = reward::take_back(tx, actor, world, &member, id)?;
        Reply::json(&RedemptionShape::from(reward::with_code(tx, one)?))
    })
    .await
}
