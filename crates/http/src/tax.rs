//! Taxes over the API: classes of goods that are taxed alike, zones and rates.

mod zone;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use engine::tax;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::page::{Page, PageQuery};
use crate::problem::{Problem, Problems};
use crate::query::Asked;
use crate::shape::Fields;

/// The routes of taxes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(create_tax_class, list_tax_classes)).merge(zone::routes())
}

/// A class of goods that are taxed alike.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaxClass, example = json!({"id": "txc_01jd0000000000000000000000", "code": "standard", "name": "Standard rate"}))]
struct TaxClassShape {
    /// Its id.
    id: String,
    /// The short word it goes by in files.
    code: String,
    /// What people call it.
    name: String,
}

impl From<&tax::Class> for TaxClassShape {
    fn from(class: &tax::Class) -> TaxClassShape {
        TaxClassShape { id: class.id.to_string(), code: class.code.clone(), name: class.name.clone() }
    }
}

/// A tax class to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTaxClass, example = json!({"code": "standard", "name": "Standard rate"}))]
struct NewTaxClassShape {
    /// The short word it goes by in files: 1 to 60 characters, the retailer's own.
    code: String,
    /// What people call it: 1 to 200 characters.
    name: String,
}

impl NewTaxClassShape {
    fn read(&self) -> Result<tax::NewClass, domain::Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", domain::tax::class_code(&self.code));
        let name = fields.take("name", domain::tax::class_name(&self.name));
        fields.done(code.zip(name).map(|(code, name)| tax::NewClass { code, name }))
    }
}

/// Make a tax class
#[utoipa::path(post, path = "/v1/tax-classes", operation_id = "create_tax_class", tag = "tax", request_body = NewTaxClassShape,
    responses((status = 201, body = TaxClassShape), Problems))]
async fn create_tax_class(
    State(app): State<App>,
    command: Command<NewTaxClassShape>,
) -> Result<Response, Problem> {
    let input = command.body.read()?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let class = tax::create_class(tx, actor, world, input.clone())?;
        Reply::json(&TaxClassShape::from(&class))
    })
    .await
}

/// List tax classes
#[utoipa::path(get, path = "/v1/tax-classes", operation_id = "list_tax_classes", tag = "tax", params(PageQuery),
    responses((status = 200, body = Page<TaxClassShape>), Problems))]
async fn list_tax_classes(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let classes = app.read(move |tx| tax::list_classes(tx, &actor, after, limit)).await?;
    document(
        &Page::new(classes.iter().map(TaxClassShape::from).collect(), limit, |class| class.id.clone()),
        None,
    )
}
