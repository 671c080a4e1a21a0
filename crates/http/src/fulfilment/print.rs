//! What is printed for goods that leave or wait: labels for parcels and for bags, and packing slips, as PDF, as pages, and in ZPL.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use domain::actor::Actor;
use domain::fulfilment::label::code_128;
use domain::value::id::Order;
use domain::value::{Id, Kind, Reference};
use engine::fulfilment::label::{self, Bag, Slip};
use engine::{Failure, World, external};
use serde_json::json;
use store::Tx;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ParcelPath, PartPath};
use crate::App;
use crate::asset::page;
use crate::caller::Caller;
use crate::paper::{Column, Paper, labelled, printed};
use crate::problem::{Problem, Problems};

/// The routes of what is printed.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(print_label))
        .routes(routes!(print_label_as_pdf))
        .routes(routes!(print_slip))
        .routes(routes!(print_slip_as_pdf))
        .routes(routes!(print_pickup_label))
}

/// What stands on a paper for a thing that belongs to an order; reading it leaves a line in the audit trail.
async fn written<K: Kind, T: Send + 'static>(
    app: &App,
    actor: Actor,
    (order, id): (Reference<Order>, Id<K>),
    read: impl Fn(&mut Tx<'_>, &Actor, &mut World, (Id<Order>, Id<K>)) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    app.write(move |tx, world| {
        let order = external::resolve(tx, &order)?;
        read(tx, &actor, world, (order, id))
    })
    .await
}

/// Print the label of a parcel in ZPL, as often as needed
///
/// Whom the parcel goes to is read from the contact, and the reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/orders/{order}/parcels/{parcel}/label.zpl", operation_id = "print_label", tag = "fulfilment",
    params(ParcelPath), responses((status = 200, content_type = "text/plain", body = String), Problems))]
async fn print_label(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(path): Path<ParcelPath>,
) -> Result<Response, Problem> {
    let label = written(&app, actor, path.read()?, label::label).await?;
    Ok(printed("text/plain; charset=utf-8", label.zpl().into_bytes()))
}

/// Print the packing slip of a parcel, on as many sheets as it takes
///
/// A page for the printer. The name and address stand on it for who may read contacts, and the reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/orders/{order}/parcels/{parcel}/slip", operation_id = "print_slip", tag = "fulfilment",
    params(ParcelPath), responses((status = 200, content_type = "text/html", body = String), Problems))]
async fn print_slip(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(path): Path<ParcelPath>,
) -> Result<Response, Problem> {
    let slip = written(&app, actor, path.read()?, label::slip).await?;
    let (bars, width) = bars(slip.tracking.as_deref().unwrap_or_default());
    let mut made = page(
        "slip.html",
        json!({ "reference": slip.reference, "from": slip.from, "to": slip.to, "tracking": slip.tracking, "lines": slip.lines,
            "bars": bars, "width": width }),
    )?;
    made.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(made)
}

/// Print the label of a parcel as PDF, on 4 by 6 inches
///
/// Whom the parcel goes to is read from the contact, and the reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/orders/{order}/parcels/{parcel}/label.pdf", operation_id = "print_label_as_pdf", tag = "fulfilment",
    params(ParcelPath), responses((status = 200, content_type = "application/pdf", body = Vec<u8>), Problems))]
async fn print_label_as_pdf(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(path): Path<ParcelPath>,
) -> Result<Response, Problem> {
    labelled(&written(&app, actor, path.read()?, label::label).await?).answer()
}

/// Print the packing slip of a parcel as PDF, on as many sheets of A4 as it takes
///
/// The name and address stand on it for who may read contacts, and the reading is noted in the audit trail.
#[utoipa::path(get, path = "/v1/orders/{order}/parcels/{parcel}/slip.pdf", operation_id = "print_slip_as_pdf", tag = "fulfilment",
    params(ParcelPath), responses((status = 200, content_type = "application/pdf", body = Vec<u8>), Problems))]
async fn print_slip_as_pdf(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(path): Path<ParcelPath>,
) -> Result<Response, Problem> {
    slip_paper(&written(&app, actor, path.read()?, label::slip).await?).answer()
}

/// Print the label for goods that are collected as PDF, on 4 by 6 inches
///
/// The customer's name stands on it for who may read contacts; the pickup code does not.
#[utoipa::path(get, path = "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/label.pdf", operation_id = "print_pickup_label", tag = "fulfilment",
    params(PartPath), responses((status = 200, content_type = "application/pdf", body = Vec<u8>), Problems))]
async fn print_pickup_label(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(path): Path<PartPath>,
) -> Result<Response, Problem> {
    bag_paper(&written(&app, actor, path.read()?, label::bag).await?).answer()
}

fn slip_paper(slip: &Slip) -> Paper {
    let mut paper = Paper::a4(&format!("Packing slip {}", slip.reference));
    paper.words(18.0, &format!("Packing slip {}", slip.reference));
    paper.gap(8.0);
    slip.from.iter().for_each(|line| paper.words(9.0, line));
    paper.rule();
    slip.to.iter().for_each(|line| paper.words(12.0, line));
    paper.gap(10.0);
    if let Some(tracking) = &slip.tracking {
        paper.barcode(&code_128(tracking).unwrap_or_default(), 36.0, tracking);
        paper.gap(10.0);
    }
    let columns = [Column("SKU", 0.25, false), Column("What", 0.6, false), Column("Pieces", 0.15, true)];
    let row = |(sku, title, pieces): &(String, String, i64)| [sku.clone(), title.clone(), pieces.to_string()];
    paper.table(&columns, &slip.lines.iter().map(row).collect::<Vec<_>>());
    paper
}

fn bag_paper(bag: &Bag) -> Paper {
    let mut paper = Paper::label(&format!("Pickup {}", bag.number));
    paper.words(11.0, &bag.place);
    paper.rule();
    paper.words(34.0, &bag.number);
    bag.name.iter().for_each(|name| paper.words(20.0, name));
    paper.rule();
    paper.words(14.0, &format!("Pieces: {}", bag.pieces));
    bag.collect_by.iter().for_each(|day| paper.words(14.0, &format!("Collect by {day}")));
    paper.gap(12.0);
    paper.barcode(&code_128(&bag.number).unwrap_or_default(), 70.0, &bag.number);
    paper
}

/// The bars of a tracking number: where each begins and how wide it is, and how wide all are together.
fn bars(tracking: &str) -> (Vec<(u32, u8)>, u32) {
    let widths = code_128(tracking).filter(|_| !tracking.is_empty()).unwrap_or_default();
    let (mut bars, mut at) = (Vec::new(), 0);
    for (place, width) in widths.into_iter().enumerate() {
        if place % 2 == 0 {
            bars.push((at, width));
        }
        at += u32::from(width);
    }
    (bars, at)
}
