//! Substitutes over the API: the retailer's rules, what a customer allows, and the picker who puts one in the place of what is not there.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::fulfilment::substitute::Allowed;
use domain::value::id::{Order, OrderLine, Variant};
use domain::value::{Id, Reference};
use engine::fulfilment::substitute::{self as rules, CONSENTS_MAX, Consent, SUBSTITUTES_MAX, Swap};
use engine::{Failure, catalogue, checkout, external};
use serde::{Deserialize, Serialize};
use store::Tx;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::shape::OrderShape;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::{Command, KeyRequired};
use crate::fulfilment::{PartPath, step};
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes of substitutes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read_substitutes, set_substitutes))
        .routes(routes!(allow_substitutes))
        .routes(routes!(substitute_line))
}

/// What may take the place of a variant.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Substitutes, example = json!({"substitutes": ["22424", "22425"]}))]
struct SubstitutesShape {
    /// Other variants of the same unit and tax class, the best first: ids, external ids or SKUs.
    #[schema(max_items = 20)]
    substitutes: Vec<String>,
}

fn variants_of(
    tx: &mut Tx<'_>,
    field: &str,
    named: &[Reference<Variant>],
) -> Result<Vec<Id<Variant>>, Failure> {
    let find = |(place, variant)| catalogue::resolve_variant(tx, &format!("{field}.{place}"), variant);
    named.iter().enumerate().map(find).collect()
}

fn references(named: &[String]) -> Vec<Reference<Variant>> {
    named.iter().map(|text| Reference::read(text)).collect()
}

/// Read what may take the place of a variant, the best first
#[utoipa::path(get, path = "/v1/variants/{id}/substitutes", operation_id = "read_substitutes", tag = "fulfilment",
    params(("id" = String, Path, description = "Id, external id or SKU")), responses((status = 200, body = SubstitutesShape), Problems))]
async fn read_substitutes(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let variant = Reference::<Variant>::read(&id);
    let found = app
        .read(move |tx| {
            let variant = catalogue::resolve_variant(tx, "id", &variant)?;
            rules::of_variant(tx, &actor, variant)
        })
        .await?;
    document(&SubstitutesShape { substitutes: found.iter().map(ToString::to_string).collect() }, None)
}

/// Set what may take the place of a variant when it is not there, the best first
#[utoipa::path(put, path = "/v1/variants/{id}/substitutes", operation_id = "set_substitutes", tag = "fulfilment", request_body = SubstitutesShape,
    params(("id" = String, Path, description = "Id, external id or SKU")), responses((status = 200, body = SubstitutesShape), Problems))]
async fn set_substitutes(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<SubstitutesShape>,
) -> Result<Response, Problem> {
    let variant = Reference::<Variant>::read(&id);
    if command.body.substitutes.len() > SUBSTITUTES_MAX {
        return Err(Refusal::invalid("substitutes", format!("name at most {SUBSTITUTES_MAX}")).into());
    }
    let named = references(&command.body.substitutes);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let variant = catalogue::resolve_variant(tx, "id", &variant)?;
        let substitutes = variants_of(tx, "substitutes", &named)?;
        rules::set(tx, actor, world, variant, &substitutes)?;
        Reply::json(&SubstitutesShape { substitutes: substitutes.iter().map(ToString::to_string).collect() })
    })
    .await
}

/// What the customer allows when something is not there.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Substitution, example = json!({"allowed": "none", "lines": [{"variant": "22423", "allowed": "similar"}]}))]
pub(super) struct SubstitutionShape {
    /// For everything that is not named in `lines`: `none` or `similar`.
    allowed: String,
    /// For single variants.
    #[serde(default)]
    #[schema(max_items = 499)]
    lines: Vec<AllowedShape>,
}

/// What the customer allows for one variant.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubstitutionLine)]
struct AllowedShape {
    /// The variant ordered: id, external id or SKU.
    variant: String,
    /// `none`, `similar`, or `named`: only what is named.
    allowed: String,
    /// What may take its place, for `named`.
    #[serde(default)]
    #[schema(max_items = 20)]
    named: Vec<String>,
}

/// What a customer allows, before the variants are looked up.
#[derive(Clone)]
pub(super) struct Wanted {
    others: Allowed,
    lines: Vec<(Reference<Variant>, Allowed, Vec<Reference<Variant>>)>,
}

impl SubstitutionShape {
    pub(super) fn read(&self, fields: &mut Fields) -> Option<Wanted> {
        let known = Allowed::named(&self.allowed).filter(|allowed| *allowed != Allowed::Named);
        let others =
            fields.take("allowed", known.ok_or("give none or similar; name substitutes variant by variant"));
        if self.lines.len() >= CONSENTS_MAX {
            fields.refuse("lines", format!("name at most {} variants", CONSENTS_MAX - 1));
        }
        let lines = fields.each("lines", &self.lines, |fields, line| {
            let known = Allowed::named(&line.allowed);
            let allowed = fields.take("allowed", known.ok_or("give none, similar or named"))?;
            if line.named.len() > SUBSTITUTES_MAX {
                fields.refuse("named", format!("name at most {SUBSTITUTES_MAX}"));
            }
            Some((Reference::read(&line.variant), allowed, references(&line.named)))
        });
        others.zip(lines).map(|(others, lines)| Wanted { others, lines })
    }
}

impl Wanted {
    pub(super) fn find(&self, tx: &mut Tx<'_>) -> Result<Vec<Consent>, Failure> {
        let mut consents = vec![Consent { variant: None, allowed: self.others, named: Vec::new() }];
        for (place, (variant, allowed, named)) in self.lines.iter().enumerate() {
            let field = format!("lines.{place}");
            let variant = catalogue::resolve_variant(tx, &format!("{field}.variant"), variant)?;
            let named = variants_of(tx, &format!("{field}.named"), named)?;
            consents.push(Consent { variant: Some(variant), allowed: *allowed, named });
        }
        Ok(consents)
    }
}

/// Say what may take the place of what is not there; nothing, until it is said
#[utoipa::path(put, path = "/v1/orders/{order}/substitution", operation_id = "allow_substitutes", tag = "fulfilment", request_body = SubstitutionShape,
    params(("order" = String, Path, description = "Id or external id"), KeyRequired),
    responses((status = 200, body = OrderShape), Problems))]
async fn allow_substitutes(
    State(app): State<App>,
    Path(order): Path<String>,
    command: Command<SubstitutionShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let mut fields = Fields::new();
    let wanted = command.body.read(&mut fields);
    let wanted = fields.done(wanted)?;
    let order = Reference::<Order>::read(&order);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let order = external::resolve(tx, &order)?;
        let consents = wanted.find(tx)?;
        rules::allow(tx, actor, world, order, &consents)?;
        let whole = checkout::read(tx, actor, order)?;
        Reply::versioned(&OrderShape::from(&whole), whole.order.version)
    })
    .await
}

/// What takes the place of what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SubstituteLine, example = json!({"line": "oln_01jd0000000000000000000000", "variant": "22424", "quantity": 1, "missing": true}))]
struct SwapShape {
    /// The order line.
    line: String,
    /// What takes its place and is in the picker's hand: id, external id or SKU.
    variant: String,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// Nobody finds what was ordered; otherwise it stays on its shelf.
    #[serde(default)]
    missing: bool,
}

/// Put a substitute in the place of what is not there, as the customer allows
///
/// The line is cut and a new one made that is never dearer; the difference goes back to the customer.
#[utoipa::path(post, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/substitute", operation_id = "substitute_line", tag = "fulfilment", request_body = SwapShape,
    params(PartPath, KeyRequired), responses((status = 200, body = OrderShape), Problems))]
async fn substitute_line(
    State(app): State<App>,
    Path(path): Path<PartPath>,
    command: Command<SwapShape>,
) -> Result<Response, Problem> {
    let command = command.keyed()?;
    let SwapShape { line, variant, quantity, missing } = command.body;
    let mut fields = Fields::new();
    let line = fields.id::<OrderLine>("line", &line);
    let line = fields.done(line)?;
    let by = Reference::<Variant>::read(&variant);
    step(&app, path, command.request, move |tx, actor, world, which| {
        let by = catalogue::resolve_variant(tx, "variant", &by)?;
        let whole = checkout::substitute(tx, actor, world, which, &Swap { line, by, quantity, missing })?;
        Reply::versioned(&OrderShape::from(&whole), whole.order.version)
    })
    .await
}
