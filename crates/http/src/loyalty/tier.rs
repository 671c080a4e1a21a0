//! Tiers over the API: what a programme says of them, and where a member stands.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::catalogue::short_code;
use domain::customer::GROUP_CHARS_MAX;
use domain::loyalty::tier::{Downgrade, Ladder, Mark, Measure, Span, TIERS_MAX, Tier};
use domain::value::id::Customer;
use domain::value::{Currency, Rate, Reference, text};
use engine::external;
use engine::loyalty::member;
use engine::loyalty::tier::{self, Change, Next, Reached};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::named;
use super::programme::NAME_LENGTH_MAX;
use crate::App;
use crate::app::document;
use crate::caller::Caller;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// All of something, in parts per million.
pub(super) const RATE_WHOLE: i64 = Rate::WHOLE;

/// The routes of tiers.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_member_tier)).routes(routes!(list_member_tier_changes))
}

/// How much of something is enough.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TierMark, example = json!({"measure": "spend", "currency": "GBP", "at_least": 50000}))]
struct MarkShape {
    /// What is measured: `points` (earned by orders, on occasions, by hand), `spend` (money for which points are earned, in minor units) or `visits`
    /// (orders of which something is kept). Orders count once all their goods have left.
    measure: String,
    /// The currency of `spend`.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// How much at least.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    at_least: i64,
    /// Within how many months: what counts does so to the end of the same day so many months later. Within the calendar year when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 36)]
    months: Option<i64>,
}

/// A tier.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Tier, example = json!({"code": "gold", "name": "Gold", "entry": {"measure": "points", "at_least": 500}, "rate_ppm": 1_500_000, "group": "gold"}))]
struct TierShape {
    /// The short word it goes by.
    code: String,
    /// What people call it.
    #[schema(max_length = 120)]
    name: String,
    /// What is enough to reach it.
    entry: MarkShape,
    /// What is enough to keep it, beside what is enough to reach it; the same when absent. What counted in a calendar year keeps a tier to the end of the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    keep: Option<MarkShape>,
    /// How much of what others earn its members earn, in parts per million; as much when absent.
    #[serde(default = "all")]
    #[schema(minimum = 0, maximum = 10_000_000)]
    rate_ppm: i64,
    /// The customer group its members belong to beside their own: member prices and promotions ask for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 60)]
    group: Option<String>,
    /// By how many days it lengthens the windows of returns.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 366)]
    return_days: i64,
}

const fn all() -> i64 {
    RATE_WHOLE
}

/// The tiers of a loyalty programme.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Tiers, example = json!({"tiers": [{"code": "gold", "name": "Gold", "entry": {"measure": "points", "at_least": 500}}], "grace_days": 30, "downgrade": "one_tier"}))]
pub(super) struct LadderShape {
    /// The tiers, the lowest first.
    #[schema(min_items = 1, max_items = 10)]
    tiers: Vec<TierShape>,
    /// How many days a tier is held that is not kept any more; none when absent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 366)]
    grace_days: i64,
    /// How far a member falls: `earned` (to the highest tier that is earned or kept) or `one_tier` (to the one below, for another time like the one that is over).
    downgrade: String,
    /// The code of the tier below which nobody falls who reached it.
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<String>,
}

impl From<&Mark> for MarkShape {
    fn from(mark: &Mark) -> MarkShape {
        MarkShape {
            measure: mark.measure.text().to_owned(),
            currency: mark.currency.map(|one| one.code().to_owned()),
            at_least: mark.at_least,
            months: match mark.span {
                Span::Year => None,
                Span::Months(months) => Some(months),
            },
        }
    }
}

impl From<&Ladder> for LadderShape {
    fn from(ladder: &Ladder) -> LadderShape {
        let tier = |one: &Tier| TierShape {
            code: one.code.clone(),
            name: one.name.clone(),
            entry: MarkShape::from(&one.entry),
            keep: (one.keep != one.entry).then(|| MarkShape::from(&one.keep)),
            rate_ppm: one.rate.parts_per_million(),
            group: one.group.clone(),
            return_days: one.return_days,
        };
        LadderShape {
            tiers: ladder.tiers.iter().map(tier).collect(),
            grace_days: ladder.grace_days,
            downgrade: ladder.downgrade.text().to_owned(),
            floor: ladder.floor.clone(),
        }
    }
}

impl MarkShape {
    fn read(&self, fields: &mut Fields) -> Option<Mark> {
        let measure = fields.take("measure", Measure::parse(&self.measure));
        let currency = fields.take_if("currency", self.currency.as_deref(), Currency::parse);
        let span = self.months.map_or(Span::Year, Span::Months);
        Some(Mark { measure: measure?, currency: currency?, at_least: self.at_least, span })
    }
}

impl TierShape {
    fn read(&self, fields: &mut Fields) -> Option<Tier> {
        let code = fields.take("code", short_code(&self.code));
        let name = fields.take("name", text::bounded("name", &self.name, 1, NAME_LENGTH_MAX));
        let entry = fields.within("entry", |fields| self.entry.read(fields));
        let keep = match &self.keep {
            Some(keep) => fields.within("keep", |fields| keep.read(fields)),
            None => entry,
        };
        let rate = fields.take("rate_ppm", Rate::from_parts_per_million(self.rate_ppm));
        let group = |group: &str| text::bounded("group", group, 1, GROUP_CHARS_MAX);
        let group = fields.take_if("group", self.group.as_deref(), group);
        Some(Tier {
            code: code?,
            name: name?,
            entry: entry?,
            keep: keep?,
            rate: rate?,
            group: group?,
            return_days: self.return_days,
        })
    }
}

impl LadderShape {
    /// What it says.
    pub(super) fn read(&self, fields: &mut Fields) -> Option<Ladder> {
        if self.tiers.len() > TIERS_MAX {
            fields.refuse("tiers", format!("give at most {TIERS_MAX}"));
            return None;
        }
        let tiers = fields.each("tiers", &self.tiers, |fields, one| one.read(fields));
        let downgrade = fields.take("downgrade", Downgrade::parse(&self.downgrade));
        let (grace_days, floor) = (self.grace_days, self.floor.clone());
        Some(Ladder { tiers: tiers?, grace_days, downgrade: downgrade?, floor })
    }
}

/// A tier by name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TierName)]
struct NameShape {
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
}

/// The next tier, and what is missing for it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NextTier)]
struct NextShape {
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// What is enough to reach it.
    entry: MarkShape,
    /// How much counts now.
    measured: i64,
    /// How much is missing.
    missing: i64,
}

impl From<Next> for NextShape {
    fn from(next: Next) -> NextShape {
        NextShape {
            code: next.code,
            name: next.name,
            entry: MarkShape::from(&next.entry),
            measured: next.measured,
            missing: (next.entry.at_least - next.measured).max(0),
        }
    }
}

/// Where a member stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MemberTier, example = json!({"tier": {"code": "silver", "name": "Silver"}, "since": "2026-11-21T09:30:00Z",
    "next": {"code": "gold", "name": "Gold", "entry": {"measure": "points", "at_least": 500}, "measured": 320, "missing": 180}}))]
struct ReachedShape {
    /// The tier; absent as long as none is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<NameShape>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    since: Option<String>,
    /// When it is lost, unless enough counts by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    falls_at: Option<String>,
    /// The tier after it; absent at the highest.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<NextShape>,
}

impl From<Reached> for ReachedShape {
    fn from(one: Reached) -> ReachedShape {
        ReachedShape {
            tier: one.tier.map(|(code, name)| NameShape { code, name }),
            since: one.since.map(|at| at.to_string()),
            falls_at: one.falls_at.map(|at| at.to_string()),
            next: one.next.map(NextShape::from),
        }
    }
}

/// Read a member's tier, and what is missing for the next one
#[utoipa::path(get, path = "/v1/customers/{id}/points/{member}/tier", operation_id = "read_member_tier", tag = "loyalty",
    params(("id" = String, Path, description = "The customer's id or external id."), ("member" = String, Path, description = "The member's id.")),
    responses((status = 200, body = ReachedShape), Problems))]
async fn read_member_tier(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((customer, member)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (id, customer) = (named(&member)?, Reference::<Customer>::read(&customer));
    let now = app.shop.source.now();
    let read = move |tx: &mut Tx<'_>| {
        let customer = external::resolve(tx, &customer)?;
        let one = member::read(tx, &actor, customer, id)?;
        tier::reached(tx, &one, now)
    };
    document(&ReachedShape::from(app.read(read).await?), None)
}

fn unreadable() -> Problem {
    Problem::unreadable("the cursor belongs to another list; begin without a cursor")
}

/// A change of a member's tier.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TierChange, example = json!({"at": "2026-11-21T09:30:00Z", "version": 1, "after": "silver", "why": "reached"}))]
struct ChangeShape {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// By which version of the programme.
    version: i64,
    /// The tier before; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// The tier after; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// Why: `reached`, `fell`, or `rules` when another version says otherwise.
    why: &'static str,
    /// Where the next page begins.
    #[serde(skip)]
    place: i64,
}

impl From<&Change> for ChangeShape {
    fn from(one: &Change) -> ChangeShape {
        ChangeShape {
            at: one.at.to_string(),
            version: one.number,
            before: one.before.clone(),
            after: one.after.clone(),
            why: one.why.text(),
            place: one.place,
        }
    }
}

/// List the changes of a member's tier, the newest first
#[utoipa::path(get, path = "/v1/customers/{id}/points/{member}/tier/changes", operation_id = "list_member_tier_changes", tag = "loyalty",
    params(("id" = String, Path, description = "The customer's id or external id."), ("member" = String, Path, description = "The member's id."), PageQuery),
    responses((status = 200, body = Page<ChangeShape>), Problems))]
async fn list_member_tier_changes(
    State(app): State<App>,
    Caller(actor): Caller,
    Path((customer, member)): Path<(String, String)>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (id, customer) = (named(&member)?, Reference::<Customer>::read(&customer));
    let (limit, after) = (page.limit()?, page.after()?);
    let before = if after.is_empty() { i64::MAX } else { after.parse().map_err(|_| unreadable())? };
    let read = move |tx: &mut Tx<'_>| {
        let customer = external::resolve(tx, &customer)?;
        let one = member::read(tx, &actor, customer, id)?;
        let found = tier::history(tx, &one, before, limit)?;
        Ok(found.iter().map(ChangeShape::from).collect::<Vec<_>>())
    };
    let found = app.read(read).await?;
    document(&Page::new(found, limit, |one: &ChangeShape| one.place.to_string()), None)
}
