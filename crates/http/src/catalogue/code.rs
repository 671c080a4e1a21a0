//! Finding a variant by what a scanner read, and how the shop's scales lay out the codes they print.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::catalogue::Layout;
use domain::catalogue::label::Weighed;
use domain::value::gtin::variable::Measure;
use engine::catalogue::{self, variant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::VariantShape;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::problem::{Problem, Problems};

/// The routes of codes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_barcode))
        .routes(routes!(list_label_layouts))
        .routes(routes!(set_label_layout))
}

/// What a scanned code means.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScannedCode)]
struct ScannedShape {
    /// The variant.
    variant: VariantShape,
    /// What the piece in hand weighs in grams, when the label of a scale says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_grams: Option<u32>,
    /// What the piece in hand costs in minor units of the shop's currency, when the label of a scale says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    price_minor: Option<u32>,
}

impl ScannedShape {
    fn of(variant: VariantShape, weighed: Option<&Weighed>) -> ScannedShape {
        let value = |measure| {
            weighed
                .filter(|weighed| weighed.measured.measure == measure)
                .map(|weighed| weighed.measured.value)
        };
        ScannedShape { variant, weight_grams: value(Measure::Weight), price_minor: value(Measure::Price) }
    }
}

/// How the scales lay out the codes of one prefix: prefix, item number, check digit of the value if there is one, value, check digit.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LabelLayout, example = json!({"prefix": "21", "item_digits": 4, "value_digits": 5, "measure": "weight", "verified": true}))]
struct LayoutShape {
    /// The first two digits.
    prefix: String,
    /// Digits of the item number. A variant is found by the internal barcode made of prefix and item number.
    item_digits: i64,
    /// Digits of price or weight.
    value_digits: i64,
    /// What the value says.
    measure: MeasureShape,
    /// Does a check digit of its own stand before the value?
    verified: bool,
}

/// How the scales shall lay out the codes of the prefix that the path names.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewLabelLayout, example = json!({"item_digits": 4, "value_digits": 5, "measure": "weight", "verified": true}))]
struct NewLayoutShape {
    /// Digits of the item number. A variant is found by the internal barcode made of prefix and item number.
    #[schema(minimum = 1, maximum = 9)]
    item_digits: i64,
    /// Digits of price or weight.
    #[schema(minimum = 1, maximum = 9)]
    value_digits: i64,
    /// What the value says.
    measure: MeasureShape,
    /// Does a check digit of its own stand before the value?
    verified: bool,
}

/// What the value of a scale's code says.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LabelMeasure)]
enum MeasureShape {
    /// Minor units of the shop's currency.
    Price,
    /// Grams.
    Weight,
}

impl From<&Layout> for LayoutShape {
    fn from(layout: &Layout) -> LayoutShape {
        let measure = match layout.measure {
            Measure::Price => MeasureShape::Price,
            Measure::Weight => MeasureShape::Weight,
        };
        let Layout { prefix, item_digits, value_digits, verified, .. } = layout.clone();
        LayoutShape { prefix, item_digits, value_digits, measure, verified }
    }
}

/// Find a variant by what was scanned
///
/// A barcode with or without leading zeros, the label of one of the shop's scales, or a SKU; in that order.
#[utoipa::path(get, path = "/v1/barcodes/{code}", operation_id = "read_barcode", tag = "catalogue",
    params(("code" = String, Path, description = "what the scanner read")),
    responses((status = 200, body = ScannedShape), Problems))]
async fn read_barcode(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let (found, weighed) = app.read(move |tx| catalogue::variant_by_code(tx, &actor, &code)).await?;
    document(&ScannedShape::of(VariantShape::from(&found), weighed.as_ref()), None)
}

/// List how the shop's scales lay out their codes
#[utoipa::path(get, path = "/v1/label-layouts", operation_id = "list_label_layouts", tag = "catalogue",
    responses((status = 200, body = [LayoutShape]), Problems))]
async fn list_label_layouts(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    let layouts = app.read(move |tx| variant::list_layouts(tx, &actor)).await?;
    document(&layouts.iter().map(LayoutShape::from).collect::<Vec<_>>(), None)
}

/// Set how the shop's scales lay out the codes of a prefix
#[utoipa::path(put, path = "/v1/label-layouts/{prefix}", operation_id = "set_label_layout", tag = "catalogue", request_body = NewLayoutShape,
    params(("prefix" = String, Path, description = "`02`, or `20` to `29`")),
    responses((status = 200, body = LayoutShape), Problems))]
async fn set_label_layout(
    State(app): State<App>,
    Path(prefix): Path<String>,
    command: Command<NewLayoutShape>,
) -> Result<Response, Problem> {
    let NewLayoutShape { item_digits, value_digits, measure, verified } = command.body;
    let measure = match measure {
        MeasureShape::Price => Measure::Price,
        MeasureShape::Weight => Measure::Weight,
    };
    let layout = Layout { prefix, item_digits, value_digits, measure, verified };
    let layout = layout.checked()?;
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        Reply::json(&LayoutShape::from(&variant::set_layout(tx, actor, world, layout.clone())?))
    })
    .await
}
