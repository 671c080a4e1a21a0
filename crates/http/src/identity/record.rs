//! Which sources of files know a customer, and under which numbers.

use axum::extract::{Path, State};
use axum::response::Response;
use domain::identity::Part;
use domain::value::Reference;
use engine::customer::record::{self, Record};
use engine::external;
use engine::identity::reading::Whom;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::Reply;
use crate::command::Command;
use crate::page::Page;
use crate::problem::{Problem, Problems};

/// The routes of records.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_customer_records))
}

/// That a source of files knows a customer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CustomerRecord, example = json!({"source": "web", "external_id": "1017", "customer": "cus_01jd0000000000000000000000", "said_at": "2026-11-21T09:30:00Z"}))]
struct RecordShape {
    /// The source's code.
    source: String,
    /// The number it knows the customer by; absent where it only has an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// The customer the record was put to: this one, or one that was merged into it.
    customer: String,
    /// When the source said last what it says.
    #[schema(format = DateTime)]
    said_at: String,
}

impl From<&Record> for RecordShape {
    fn from(one: &Record) -> RecordShape {
        RecordShape {
            source: one.source.clone(),
            external_id: one.external_id.clone(),
            customer: one.customer.to_string(),
            said_at: one.said_at.to_string(),
        }
    }
}

/// List the sources that know a customer, at most 200
///
/// Each reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/customers/{id}/records", operation_id = "list_customer_records", tag = "customer",
    params(("id" = String, Path, description = "the customer's id or external id")),
    responses((status = 200, body = Page<RecordShape>), Problems))]
async fn list_customer_records(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    app.show(command.unkeyed().request, Part::Records, move |tx, actor, _| {
        let id = external::resolve(tx, &reference)?;
        let found = record::list(tx, actor, id)?;
        let items = found.iter().map(RecordShape::from).collect();
        Ok((Whom::Customer(id), Reply::json(&Page { items, next_cursor: None })?))
    })
    .await
}
