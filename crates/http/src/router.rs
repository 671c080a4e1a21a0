//! The table of contents of the whole API, grouped by capability, and its OpenAPI description.

use std::collections::BTreeMap;

use utoipa::OpenApi;
use utoipa::openapi::{Ref, RefOr, Response};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    App, access, actor, address, archive, behaviour, cart, catalogue, change, checkout, company, consent,
    contact, count, customer, delivery, detail, event, fulfilment, health, identity, import, insight, job,
    location, loyalty, market, merging, message, order, payment, price, privacy, promise, promotion, returns,
    routing, segment, sign_in, status, stock, storefront, tax, timeline, transfer, webhook,
};

/// The description's fixed part.
#[derive(OpenApi)]
#[openapi(info(
    title = "Tandem",
    description = "Unified commerce: stock, baskets, orders, payments and customers of all channels in one set of books.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Description;

/// Every route, with its description.
pub fn routes() -> OpenApiRouter<App> {
    let mut routes = OpenApiRouter::with_openapi(Description::openapi())
        .merge(health::routes())
        .merge(event::routes())
        .merge(job::routes())
        .merge(actor::routes())
        .merge(contact::routes())
        .merge(location::routes())
        .merge(market::routes())
        .merge(catalogue::routes())
        .merge(stock::routes())
        .merge(count::routes())
        .merge(transfer::routes())
        .merge(customer::routes())
        .merge(identity::routes())
        .merge(consent::routes())
        .merge(message::routes())
        .merge(detail::routes())
        .merge(address::routes())
        .merge(tax::routes())
        .merge(price::routes())
        .merge(promotion::routes())
        .merge(loyalty::routes())
        .merge(delivery::routes())
        .merge(cart::routes())
        .merge(company::routes())
        .merge(payment::routes())
        .merge(order::routes())
        .merge(routing::routes())
        .merge(fulfilment::routes())
        .merge(promise::routes())
        .merge(checkout::routes())
        .merge(returns::routes())
        .merge(change::routes())
        .merge(sign_in::routes())
        .merge(status::routes())
        .merge(merging::routes())
        .merge(behaviour::routes())
        .merge(timeline::routes())
        .merge(archive::routes())
        .merge(segment::routes())
        .merge(privacy::routes())
        .merge(storefront::routes())
        .merge(webhook::routes())
        .merge(import::routes())
        .merge(insight::routes());
    access::describe(routes.get_openapi_mut());
    routes
}

/// The description of the whole API as JSON. A problem that many operations may answer alike is described once and referred to.
pub fn description() -> String {
    let mut description = routes().into_openapi();
    let mut shared: BTreeMap<String, RefOr<Response>> = BTreeMap::new();
    for item in description.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            for (status, response) in &mut operation.responses.responses {
                share(status, response, &mut shared);
            }
        }
    }
    description.components.get_or_insert_default().responses.extend(shared);
    description.to_pretty_json().unwrap_or_default() + "\n"
}

/// Replaces a problem by a reference to the same one under its status, unless it is described in words of its own.
fn share(status: &str, response: &mut RefOr<Response>, shared: &mut BTreeMap<String, RefOr<Response>>) {
    let RefOr::T(described) = &*response else { return };
    if !described.content.contains_key("application/problem+json") {
        return;
    }
    let name = format!("Problem{status}");
    let known = shared.entry(name.clone()).or_insert_with(|| response.clone());
    if known == response {
        *response = RefOr::Ref(Ref::from_response_name(name));
    }
}
