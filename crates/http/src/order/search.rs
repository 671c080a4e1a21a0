//! Finding orders when the receipt is lost, over the API: what is looked for stands in the body, so that it stands in no log.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use engine::order::search::{Clue, search};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::HeadShape;
use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::contact::SoughtShape;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The most characters of an order's number.
const NUMBER_LENGTH_MAX: usize = 60;

/// The routes of finding orders.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(search_orders))
}

/// What is known of an order; give one of the three.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderSearch, example = json!({"card_last_four": "4242"}))]
struct SearchShape {
    /// Its number.
    #[schema(max_length = 60)]
    number: Option<String>,
    /// The last four digits of a card that paid it.
    #[schema(min_length = 4, max_length = 4)]
    card_last_four: Option<String>,
    /// The customer's e-mail address or phone number: for who may also see contacts; every look is noted.
    customer: Option<SoughtShape>,
}

impl SearchShape {
    fn read(&self) -> Result<Clue, Refusal> {
        let mut fields = Fields::new();
        let number = fields.take_if("number", self.number.as_deref(), |text| {
            domain::value::text::bounded("number", text, 1, NUMBER_LENGTH_MAX)
        });
        let card = fields.take_if("card_last_four", self.card_last_four.as_deref(), |text| {
            let is_card = text.len() == 4 && text.bytes().all(|digit| digit.is_ascii_digit());
            is_card.then(|| text.to_owned()).ok_or("give exactly the last four digits")
        });
        let person = self.customer.as_ref().map(SoughtShape::read);
        let person = person.map(|sought| fields.part("customer", sought));
        let clue = match (number.flatten(), card.flatten(), person) {
            (Some(number), None, None) => Some(Clue::Number(number.to_ascii_uppercase())),
            (None, Some(card), None) => Some(Clue::Card(card)),
            (None, None, Some(sought)) => sought.map(Clue::Person),
            _ => None,
        };
        let given = [self.number.is_some(), self.card_last_four.is_some(), self.customer.is_some()];
        if given.iter().filter(|given| **given).count() != 1 {
            fields.refuse("number", "give a number, the last four digits of a card, or a customer");
        }
        fields.done(clue)
    }
}

/// Find orders by number, card, e-mail address or phone number, the newest first
///
/// At most 50; nothing of it is kept for repetition.
#[utoipa::path(post, path = "/v1/orders/searches", operation_id = "search_orders", tag = "order", request_body = SearchShape,
    responses((status = 200, body = Page<HeadShape>), Problems))]
async fn search_orders(State(app): State<App>, command: Command<SearchShape>) -> Result<Response, Problem> {
    let command = command.unkeyed();
    let clue = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let found = search(tx, actor, world, &clue)?;
        Reply::json(&Page { items: found.iter().map(HeadShape::from).collect(), next_cursor: None })
    })
    .await
}
