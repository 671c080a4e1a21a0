//! What the forms of an order's page ask for, done by the same commands as over the API, under the key that stands in the form.

use axum::http::StatusCode;
use domain::actor::key::hexadecimal;
use domain::actor::{Actor, Who};
use domain::order::CancelReason;
use domain::returns::Way;
use domain::value::id::{FulfilmentOrder, Order, OrderChange, OrderLine};
use domain::value::{Id, Quantity, text};
use engine::change::{self, Action, Confirm};
use engine::checkout::Cancel;
use engine::fulfilment::visit;
use engine::returns::judge;
use engine::returns::request::{self, Request as ReturnRequest};
use engine::returns::{LINES_MAX, Wish as ReturnWish};
use engine::status::page;
use engine::{Answer, Failure, Key, Request, World};
use sha2::{Digest, Sha256};
use store::Tx;

use crate::App;
use crate::app::Reply;
use crate::problem::Problem;

/// The most characters of the key in a form.
const KEY_CHARS_MAX: usize = 64;
/// The most characters of a reason.
const REASON_CHARS_MAX: usize = 200;

/// What a form does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Says that the customer is on the way.
    Come,
    /// Says that the customer is there.
    Arrive,
    /// Cancels all that has not left.
    Cancel,
    /// Asks to bring or send something back.
    Return,
    /// Shows what would change.
    Change,
    /// Says yes to it.
    Confirm,
    /// Says no.
    Decline,
}

impl Deed {
    /// The deed of this name.
    pub(super) fn named(name: &str) -> Option<Deed> {
        use Deed::*;
        [Come, Arrive, Cancel, Return, Change, Confirm, Decline].into_iter().find(|deed| deed.text() == name)
    }

    /// What it is called in the address of its form.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Deed::Come => "come",
            Deed::Arrive => "arrive",
            Deed::Cancel => "cancel",
            Deed::Return => "return",
            Deed::Change => "change",
            Deed::Confirm => "confirm",
            Deed::Decline => "decline",
        }
    }

    /// What the page says when it was done, by a word of ours.
    pub(super) const fn done(self) -> &'static str {
        match self {
            Deed::Come => "did_come",
            Deed::Arrive => "did_arrive",
            Deed::Cancel => "did_cancel",
            Deed::Return => "did_return",
            Deed::Change => "did_change",
            Deed::Confirm => "did_confirm",
            Deed::Decline => "did_decline",
        }
    }
}

/// What is asked for, as it was read.
#[derive(Clone)]
pub(super) enum Wish {
    Come(Id<FulfilmentOrder>),
    Arrive(Id<FulfilmentOrder>, Option<String>),
    Cancel,
    Return { lines: Vec<judge::Asked>, way: Way, reason: String },
    Change(Vec<Action>),
    Confirm(Id<OrderChange>, i64),
    Decline(Id<OrderChange>),
}

type Field = (String, String);

fn field<'f>(fields: &'f [Field], name: &str) -> Option<&'f str> {
    let found = fields.iter().find(|(known, _)| known == name)?;
    Some(found.1.trim()).filter(|value| !value.is_empty())
}

/// What a form of this deed asks for; none when something of it is missing or makes no sense.
pub(super) fn read(deed: Deed, fields: &[Field]) -> Option<Wish> {
    let part = || Id::parse(field(fields, "part")?).ok();
    let asked_change = || Id::parse(field(fields, "change")?).ok();
    Some(match deed {
        Deed::Come => Wish::Come(part()?),
        Deed::Arrive => Wish::Arrive(part()?, field(fields, "bay").map(str::to_owned)),
        Deed::Cancel => Wish::Cancel,
        Deed::Return => {
            let asked = |(line, quantity): (Id<OrderLine>, Quantity)| judge::Asked {
                line,
                quantity: quantity.units(),
                condition: None,
            };
            let way = Way::parse(field(fields, "way")?).ok().filter(|way| *way != Way::Counter)?;
            let reason = text::bounded("reason", field(fields, "reason")?, 1, REASON_CHARS_MAX).ok()?;
            Wish::Return { lines: lines(fields)?.into_iter().map(asked).collect(), way, reason }
        }
        Deed::Change => {
            let remove = |(line, quantity)| Action::Remove(line, quantity);
            Wish::Change(lines(fields)?.into_iter().map(remove).collect())
        }
        Deed::Confirm => Wish::Confirm(asked_change()?, field(fields, "difference")?.parse().ok()?),
        Deed::Decline => Wish::Decline(asked_change()?),
    })
}

/// How many of which lines: each a field of the line's name. Some of at least one.
fn lines(fields: &[Field]) -> Option<Vec<(Id<OrderLine>, Quantity)>> {
    let mut lines = Vec::new();
    for (name, said) in fields.iter().take(LINES_MAX) {
        let Some(line) = name.strip_prefix("line.") else { continue };
        let said = said.trim();
        if !said.is_empty() && said != "0" {
            lines.push((Id::parse(line).ok()?, Quantity::new(said.parse().ok()?).ok()?));
        }
    }
    (!lines.is_empty()).then_some(lines)
}

/// Does it as the order's customer, once for each form that was shown.
pub(super) async fn perform(app: &App, token: &str, fields: &[Field], wish: Wish) -> Result<Answer, Problem> {
    let actor = Actor { who: Who::Guest, channel: None, grants: Vec::new() };
    let request = Request { actor, key: key(token, fields) };
    let token = token.to_owned();
    app.answered(request, StatusCode::OK, move |tx, _, world| {
        let (order, holder) = page::holder(tx, &token, world.now())?;
        done(tx, &holder, world, order, wish.clone())?;
        Reply::json(&())
    })
    .await
}

/// The key of a form belongs to whoever holds the link.
fn key(token: &str, fields: &[Field]) -> Option<Key> {
    let said = field(fields, "key").filter(|key| key.len() <= KEY_CHARS_MAX)?;
    let holder = hexadecimal(&Sha256::digest(token).into());
    let mut asked = Sha256::new();
    for (name, value) in fields {
        asked.update(name);
        asked.update([0]);
        asked.update(value);
        asked.update([0]);
    }
    Some(Key { text: format!("page:{}:{said}", &holder[..32]), input_hash: asked.finalize().into() })
}

fn done(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: Id<Order>,
    wish: Wish,
) -> Result<(), Failure> {
    match wish {
        Wish::Come(part) => visit::come(tx, actor, world, (order, part), None).map(drop),
        Wish::Arrive(part, bay) => visit::arrive(tx, actor, world, (order, part), bay).map(drop),
        Wish::Cancel => {
            let all = Cancel { order, lines: None, part: None, reason: CancelReason::Customer };
            change::cancel(tx, actor, world, all).map(drop)
        }
        Wish::Return { lines, way, reason } => {
            let wish = ReturnWish::default();
            let asked = ReturnRequest { order, way, location: None, reason, lines, wish, external_id: None };
            request::request(tx, actor, world, asked).map(drop)
        }
        Wish::Change(actions) => {
            let asked = change::Asked { order, actions, reason: None };
            change::preview(tx, actor, world, asked).map(drop)
        }
        Wish::Confirm(id, expected_difference) => {
            let yes = Confirm { which: (order, id), expected_difference, tenders: Vec::new() };
            change::confirm(tx, actor, world, yes).map(drop)
        }
        Wish::Decline(id) => change::decline(tx, actor, world, (order, id)).map(drop),
    }
}

/// Why something was refused, by a word of ours: what the shop says to programs is not for customers.
pub(super) fn why(problem: Problem) -> &'static str {
    match (problem.status(), problem.into_shape().code()) {
        (_, "policy_refuses") => "refused_policy",
        (StatusCode::UNPROCESSABLE_ENTITY, _) => "refused_values",
        (StatusCode::CONFLICT | StatusCode::NOT_FOUND | StatusCode::FORBIDDEN, _) => "refused_state",
        _ => "refused_other",
    }
}
