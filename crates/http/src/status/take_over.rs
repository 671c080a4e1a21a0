//! Putting an order that was nobody's into a customer's file, by its link or receipt.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::value::Reference;
use domain::value::id::{Customer, Order};
use engine::external;
use engine::status::take_over::{self, Proof};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::order::named;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(take_over_order))
}

/// Which order, and by what it is known to be the customer's: one of both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OrderTakenOver, example = json!({"link": "5f2c4d1e0b9a8877665544332211ffeeddccbbaa99887766554433221100ffee"}))]
struct AskedShape {
    /// The token of the order's status link, as in the code on its receipt.
    #[schema(min_length = 1, max_length = 64)]
    link: Option<String>,
    /// The order's id or external id, for colleagues who have seen its receipt; needs `orders:write`.
    #[schema(min_length = 1, max_length = 255)]
    order: Option<String>,
}

/// An order that is the customer's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderOfCustomer, example = json!({"order": "ord_01hgw2n3q4r5s6t7v8w9x0y1z2", "number": "7KQ-2M4-9XD",
    "customer": "cus_01hgw2n3q4r5s6t7v8w9x0y1z2"}))]
struct OwnedShape {
    /// The order.
    order: String,
    /// Its number.
    number: String,
    /// Whose it is.
    customer: String,
}

/// By what the order is named.
enum Named {
    Link(String),
    Order(Reference<Order>),
}

impl AskedShape {
    fn read(self) -> Result<Named, Refusal> {
        let mut fields = Fields::new();
        let named = match (self.link, self.order) {
            (Some(link), None) => Some(Named::Link(link)),
            (None, Some(order)) => Some(Named::Order(named(&order))),
            _ => {
                fields.refuse("link", "give either \"link\" or \"order\"");
                None
            }
        };
        fields.done(named)
    }
}

/// Put an order into a customer's file
///
/// A guest's order, or a sale at a till without a name: from now on it is the customer's, who may return it without its receipt, and it earns
/// points where the programme lets receipts be brought so late (`receipt_days`). Doing it again changes nothing; an order of another customer's is
/// refused.
#[utoipa::path(post, path = "/v1/customers/{id}/orders", operation_id = "take_over_order", tag = "status", request_body = AskedShape,
    params(("id" = String, Path, description = "The customer's id or external id")),
    responses((status = 200, body = OwnedShape), Problems))]
async fn take_over_order(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<AskedShape>,
) -> Result<Response, Problem> {
    let customer: Reference<Customer> = Reference::read(&id);
    let asked = command.body.read()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let customer = external::resolve(tx, &customer)?;
        let proof = match &asked {
            Named::Link(token) => Proof::Link(token.clone()),
            Named::Order(order) => Proof::Seen(external::resolve(tx, order)?),
        };
        let order = take_over::take_over(tx, actor, world, (customer, &proof))?;
        Reply::json(&OwnedShape {
            order: order.id.to_string(),
            number: order.number,
            customer: customer.to_string(),
        })
    })
    .await
}
