//! The table of contents of the whole API, grouped by capability, and its OpenAPI description.

use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    App, access, actor, cart, catalogue, checkout, contact, customer, delivery, event, fulfilment, health,
    job, location, market, order, payment, price, returns, stock, storefront, tax,
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
        .merge(customer::routes())
        .merge(tax::routes())
        .merge(price::routes())
        .merge(delivery::routes())
        .merge(cart::routes())
        .merge(payment::routes())
        .merge(order::routes())
        .merge(fulfilment::routes())
        .merge(checkout::routes())
        .merge(returns::routes())
        .merge(storefront::routes());
    access::describe(routes.get_openapi_mut());
    routes
}

/// The description of the whole API as JSON.
pub fn description() -> String {
    routes().into_openapi().to_json().unwrap_or_default()
}
