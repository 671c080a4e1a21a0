//! Gift cards, store credit and points over the API: given, corrected, stopped, and what is on them.

mod household;
mod points;
mod programme;
mod referral;
mod reward;
mod sale;
mod store_credit;
mod terms;
mod tier;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::actor::Actor;
use domain::loyalty::CardState;
use domain::value;
use domain::value::id::Transfer;
use domain::value::{Currency, Id, Instant, Kind, Money};
use engine::Failure;
use engine::loyalty::gift_card::{self, GiftCard};
use engine::loyalty::{self, Credit};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::ledger::HistoryLine;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::{Fields, MoneyShape};

/// The most characters of a note.
const NOTE_LENGTH_MAX: usize = 200;
/// The most characters of a code that is looked for.
const CODE_LENGTH_MAX: usize = 64;

/// The routes of gift cards, store credit, loyalty programmes and points.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(issue_gift_card))
        .routes(routes!(find_gift_card))
        .routes(routes!(read_gift_card))
        .routes(routes!(show_gift_card_code))
        .routes(routes!(block_gift_card))
        .routes(routes!(unblock_gift_card))
        .routes(routes!(adjust_gift_card))
        .routes(routes!(list_gift_card_movements))
        .merge(sale::routes())
        .merge(store_credit::routes())
        .merge(programme::routes())
        .merge(points::routes())
        .merge(household::routes())
        .merge(referral::routes())
        .merge(tier::routes())
        .merge(reward::routes())
}

/// A gift card.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GiftCard, example = json!({"id": "gft_01jd0000000000000000000000", "last_four": "C1R8", "state": "active", "balance": {"amount": 2500, "currency": "GBP"},
    "held": {"amount": 0, "currency": "GBP"}, "made_at": "2026-11-21T09:30:00Z", "version": 1}))]
struct CardShape {
    /// Its id.
    id: String,
    /// The last four letters and digits of its code.
    last_four: String,
    /// Whether it can be spent: `active` or `blocked`.
    state: &'static str,
    /// What is free to be spent.
    balance: MoneyShape,
    /// What is held for orders that are not placed yet.
    held: MoneyShape,
    /// From when on it cannot be spent any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When its code was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    code_shown_at: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// Rises with every change.
    version: i64,
}

/// The money of an account: what the books keep is within bounds.
fn money(minor: i64, currency: Currency) -> MoneyShape {
    Money::new(minor, currency).unwrap_or_else(|_| Money::zero(currency)).into()
}

impl CardShape {
    fn of(tx: &mut Tx<'_>, card: &GiftCard) -> Result<CardShape, Failure> {
        let credit = gift_card::credit(card);
        let (free, held) = loyalty::balance(tx, &credit)?;
        Ok(CardShape {
            id: card.id.to_string(),
            last_four: card.last_four.clone(),
            state: card.state.text(),
            balance: money(free, card.currency),
            held: money(held, card.currency),
            expires_at: card.expires_at.map(|at| at.to_string()),
            code_shown_at: card.code_shown_at.map(|at| at.to_string()),
            made_at: card.made_at.to_string(),
            version: card.version,
        })
    }
}

/// What is known by its id only.
pub(crate) fn named<K: Kind>(text: &str) -> Result<Id<K>, Problem> {
    Id::parse(text).map_err(|_| Refusal::not_found(K::NAME, text).into())
}

/// A gift card to be sold or given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewGiftCard, example = json!({"amount": {"amount": 2500, "currency": "GBP"}, "expires_at": "2028-12-31T23:59:59Z"}))]
struct NewCardShape {
    /// What is on it.
    amount: MoneyShape,
    /// From when on it cannot be spent any more; never when not given.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Issue a gift card
///
/// Its code is not in the answer: ask for it with `POST /v1/gift-cards/{card}/code`, once.
#[utoipa::path(post, path = "/v1/gift-cards", operation_id = "issue_gift_card", tag = "loyalty", request_body = NewCardShape,
    params(KeyRequired), responses((status = 201, body = CardShape), Problems))]
async fn issue_gift_card(
    State(app): State<App>,
    command: Command<NewCardShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    let amount = fields.money("amount", &command.body.amount);
    let expires_at = fields.take_if("expires_at", command.body.expires_at.as_deref(), Instant::parse);
    let (amount, expires_at) = fields.done(amount.zip(expires_at))?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let card = gift_card::issue(tx, actor, world, amount, expires_at)?;
        Reply::versioned(&CardShape::of(tx, &card)?, card.version)
    })
    .await
}

/// A gift card's code as it was typed or scanned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GiftCardCode, example = json!({"code": "ZW00-20C4-0M2G-C1R8"}))]
struct CodeShape {
    /// The code, with or without gaps.
    #[schema(min_length = 16, max_length = 64)]
    code: String,
}

/// Find a gift card by its code
///
/// In the body, so that the code stands in no log. Whoever holds the code may know what is on the card.
#[utoipa::path(post, path = "/v1/gift-cards/find", operation_id = "find_gift_card", tag = "loyalty", request_body = CodeShape,
    responses((status = 200, body = CardShape), Problems))]
async fn find_gift_card(State(app): State<App>, command: Command<CodeShape>) -> Result<Response, Problem> {
    let command = command.unkeyed();
    let mut fields = Fields::new();
    let code = fields.take("code", value::text::bounded("code", &command.body.code, 1, CODE_LENGTH_MAX));
    let code = fields.done(code)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let card = gift_card::by_code(tx, actor, world, &code)?;
        Reply::versioned(&CardShape::of(tx, &card)?, card.version)
    })
    .await
}

/// Read a gift card
#[utoipa::path(get, path = "/v1/gift-cards/{card}", operation_id = "read_gift_card", tag = "loyalty",
    params(("card" = String, Path, description = "Its id.")), responses((status = 200, body = CardShape), Problems))]
async fn read_gift_card(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(card): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&card)?;
    let read = move |tx: &mut Tx<'_>| {
        let card = gift_card::read(tx, &actor, id)?;
        CardShape::of(tx, &card).map(|shape| (shape, card.version))
    };
    let (shape, version) = app.read(read).await?;
    document(&shape, Some(version))
}

/// A gift card's code, shown once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ShownGiftCardCode, example = json!({"code": "ZW00-20C4-0M2G-C1R8"}))]
pub(crate) struct ShownCodeShape {
    /// The code.
    pub(crate) code: String,
}

/// Show a gift card's code, once
///
/// Not kept for repetition: an `Idempotency-Key` is ignored here, so that no code is stored. Who lost the answer blocks the card and issues another.
#[utoipa::path(post, path = "/v1/gift-cards/{card}/code", operation_id = "show_gift_card_code", tag = "loyalty",
    params(("card" = String, Path, description = "Its id.")), responses((status = 200, body = ShownCodeShape), Problems))]
async fn show_gift_card_code(
    State(app): State<App>,
    Path(card): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let id = named(&card)?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&ShownCodeShape { code: gift_card::show_code(tx, actor, world, id)? })
    })
    .await
}

/// Stop a gift card
#[utoipa::path(post, path = "/v1/gift-cards/{card}/block", operation_id = "block_gift_card", tag = "loyalty",
    params(("card" = String, Path, description = "Its id.")), responses((status = 200, body = CardShape), Problems))]
async fn block_gift_card(
    State(app): State<App>,
    Path(card): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    set_state(app, &card, command, CardState::Blocked).await
}

/// Let a gift card be spent again
#[utoipa::path(post, path = "/v1/gift-cards/{card}/unblock", operation_id = "unblock_gift_card", tag = "loyalty",
    params(("card" = String, Path, description = "Its id.")), responses((status = 200, body = CardShape), Problems))]
async fn unblock_gift_card(
    State(app): State<App>,
    Path(card): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    set_state(app, &card, command, CardState::Active).await
}

async fn set_state(
    app: App,
    card: &str,
    command: Command<()>,
    state: CardState,
) -> Result<Response, Problem> {
    let id = named(card)?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let card = gift_card::set_state(tx, actor, world, id, state)?;
        Reply::versioned(&CardShape::of(tx, &card)?, card.version)
    })
    .await
}

/// A correction by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditAdjustment, example = json!({"change": -500, "note": "paid out in cash"}))]
struct AdjustShape {
    /// More (positive) or less (negative), in minor units.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    change: i64,
    /// Why, without personal data: 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    note: String,
}

impl AdjustShape {
    fn read(&self) -> Result<(i64, String), Refusal> {
        let mut fields = Fields::new();
        if self.change == 0 {
            fields.refuse("change", "give more or less than 0");
        }
        let note = fields.take("note", value::text::bounded("note", &self.note, 1, NOTE_LENGTH_MAX));
        fields.done(note.map(|note| (self.change, note)))
    }
}

/// Correct what is on a gift card
#[utoipa::path(post, path = "/v1/gift-cards/{card}/adjust", operation_id = "adjust_gift_card", tag = "loyalty", request_body = AdjustShape,
    params(("card" = String, Path, description = "Its id."), KeyRequired), responses((status = 200, body = CardShape), Problems))]
async fn adjust_gift_card(
    State(app): State<App>,
    Path(card): Path<String>,
    command: Command<AdjustShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let (id, adjustment) = (named(&card)?, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let card = gift_card::read(tx, actor, id)?;
        loyalty::adjust(tx, actor, world, &gift_card::credit(&card), adjustment.clone())?;
        Reply::versioned(&CardShape::of(tx, &card)?, card.version)
    })
    .await
}

/// Something that came onto a gift card or store credit, or went from it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditMovement, example = json!({"transfer": "trf_01jd0000000000000000000000", "at": "2026-11-21T09:30:00Z", "amount": {"amount": 2500, "currency": "GBP"},
    "balance": {"amount": 2500, "currency": "GBP"}, "reason": "issued", "actor": "staff:stf_01jd0000000000000000000000"}))]
struct MovementShape {
    /// The transfer.
    transfer: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// How much came (positive) or went (negative).
    amount: MoneyShape,
    /// What was free to be spent right after.
    balance: MoneyShape,
    /// Why: `issued`, `refunded`, `adjusted`, `held`, `hold_posted`, `hold_released`, `hold_expired`, `unspent`, `taken_back` or `expired`.
    reason: String,
    /// The kind of thing that caused it, such as `return`.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause_kind: Option<String>,
    /// Its id in text.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    /// Who did it.
    actor: String,
    /// Where the next page begins.
    #[serde(skip)]
    key: String,
}

impl MovementShape {
    fn of(line: &HistoryLine, currency: Currency) -> MovementShape {
        MovementShape {
            transfer: line.transfer.to_string(),
            at: line.at.to_string(),
            amount: money(line.amount, currency),
            balance: money(line.balance, currency),
            reason: line.reason.clone(),
            cause_kind: line.cause_kind.clone(),
            cause: line.cause_id.clone(),
            actor: line.actor.clone(),
            key: format!("{} {}", line.at.micros(), line.transfer),
        }
    }
}

/// List what came onto a gift card and went from it, the newest first
#[utoipa::path(get, path = "/v1/gift-cards/{card}/movements", operation_id = "list_gift_card_movements", tag = "loyalty",
    params(("card" = String, Path, description = "Its id."), PageQuery), responses((status = 200, body = Page<MovementShape>), Problems))]
async fn list_gift_card_movements(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(card): Path<String>,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let id = named(&card)?;
    let find = move |tx: &mut Tx<'_>, actor: &Actor| {
        gift_card::read(tx, actor, id).map(|card| (gift_card::credit(&card), card.currency))
    };
    movements(app, actor, page, find).await
}

async fn movements(
    app: App,
    actor: Actor,
    page: PageQuery,
    find: impl Fn(&mut Tx<'_>, &Actor) -> Result<(Credit, Currency), Failure> + Send + 'static,
) -> Result<Response, Problem> {
    let (limit, before) = (page.limit()?, point(&page.after()?)?);
    let read = move |tx: &mut Tx<'_>| {
        let (credit, currency) = find(tx, &actor)?;
        let lines = loyalty::statement(tx, &actor, &credit, before, limit)?;
        Ok(lines.iter().map(|line| MovementShape::of(line, currency)).collect::<Vec<_>>())
    };
    let lines = app.read(read).await?;
    document(&Page::new(lines, limit, |line: &MovementShape| line.key.clone()), None)
}

/// The point before which a page begins: the end of time at the start.
fn point(text: &str) -> Result<(Instant, Id<Transfer>), Problem> {
    if text.is_empty() {
        return Ok((Instant::from_micros(i64::MAX), Id::from_bytes([255; 16])));
    }
    let point = text
        .split_once(' ')
        .and_then(|(at, id)| Some((Instant::from_micros(at.parse().ok()?), Id::parse(id).ok()?)));
    point.ok_or_else(|| Problem::unreadable("the cursor belongs to another list; begin without a cursor"))
}
