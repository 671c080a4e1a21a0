//! What each operation needs. This is looked at before anything of a request is read, so that whoever may do nothing learns nothing;
//! the command itself then asks again, for the place it is about.
//!
//! A test holds that every operation of the API has a line here.

use std::collections::HashMap;
use std::sync::OnceLock;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};

use crate::caller::SESSION_COOKIE;

/// What an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it is open to everybody, for this reason.
    Nothing(&'static str),
    /// Any credential: it tells or changes only what concerns who asks.
    Credential,
    /// One of these permissions, somewhere.
    OneOf(&'static [Permission]),
}

use Needs::{Credential, Nothing, OneOf};
use Permission::*;

/// Every operation: method, path, and what it needs.
pub const OPERATIONS: &[(&str, &str, Needs)] = &[
    ("GET", "/health/live", Nothing("tells only that the program runs")),
    ("GET", "/health/ready", Nothing("load balancers have no key, and it tells only how busy the shop is")),
    ("GET", "/metrics", OneOf(&[Operate])),
    ("GET", "/v1/api-keys", OneOf(&[ManageAccess])),
    ("POST", "/v1/api-keys", OneOf(&[ManageAccess])),
    ("GET", "/v1/api-keys/{id}", OneOf(&[ManageAccess])),
    ("POST", "/v1/api-keys/{id}/revoke", OneOf(&[ManageAccess])),
    ("GET", "/v1/attributes", OneOf(&[ReadCatalogue])),
    ("POST", "/v1/attributes", OneOf(&[EditCatalogue])),
    ("PATCH", "/v1/attributes/{id}", OneOf(&[EditCatalogue])),
    ("GET", "/v1/audit", OneOf(&[ReadEvents])),
    ("GET", "/v1/availability", OneOf(&[ReadCatalogue])),
    ("GET", "/v1/barcodes/{code}", OneOf(&[ReadCatalogue])),
    ("GET", "/v1/carriers", OneOf(&[ReadPlaces])),
    ("POST", "/v1/carriers", OneOf(&[EditPlaces])),
    ("GET", "/v1/carriers/{id}", OneOf(&[ReadPlaces])),
    ("PATCH", "/v1/carriers/{id}", OneOf(&[EditPlaces])),
    ("GET", "/v1/carriers/{id}/manifests", OneOf(&[ReadOrders])),
    ("POST", "/v1/carriers/{id}/manifests", OneOf(&[EditOrders])),
    (
        "POST",
        "/v1/carriers/{id}/webhooks",
        Nothing("the carrier signs what it sends, and the signature is checked"),
    ),
    ("GET", "/v1/carts", OneOf(&[ReadOrders])),
    ("POST", "/v1/carts", OneOf(&[Shop])),
    ("GET", "/v1/carts/{id}", OneOf(&[Shop, ReadOrders])),
    ("PATCH", "/v1/carts/{id}", OneOf(&[Shop])),
    ("POST", "/v1/carts/{id}/checkout", OneOf(&[Shop])),
    ("GET", "/v1/carts/{id}/contacts", OneOf(&[Shop])),
    ("POST", "/v1/carts/{id}/coupons", OneOf(&[Shop])),
    ("DELETE", "/v1/carts/{id}/coupons/{code}", OneOf(&[Shop])),
    ("POST", "/v1/carts/{id}/lines", OneOf(&[Shop])),
    ("DELETE", "/v1/carts/{id}/lines/{line}", OneOf(&[Shop])),
    ("PUT", "/v1/carts/{id}/lines/{line}", OneOf(&[Shop])),
    ("POST", "/v1/carts/{id}/merge", OneOf(&[Shop])),
    ("GET", "/v1/catalogue/products", OneOf(&[ReadCatalogue])),
    ("GET", "/v1/categories/{id}", OneOf(&[ReadCatalogue])),
    ("PATCH", "/v1/categories/{id}", OneOf(&[EditCatalogue])),
    ("GET", "/v1/category-trees", OneOf(&[ReadCatalogue])),
    ("POST", "/v1/category-trees", OneOf(&[EditCatalogue])),
    ("GET", "/v1/category-trees/{tree}/categories", OneOf(&[ReadCatalogue])),
    ("POST", "/v1/category-trees/{tree}/categories", OneOf(&[EditCatalogue])),
    ("GET", "/v1/channels", OneOf(&[ReadPlaces])),
    ("POST", "/v1/channels", OneOf(&[EditPlaces])),
    ("GET", "/v1/channels/{id}", OneOf(&[ReadPlaces])),
    ("PATCH", "/v1/channels/{id}", OneOf(&[EditPlaces])),
    ("GET", "/v1/channels/{id}/change-rule", OneOf(&[ReadPlaces])),
    ("PUT", "/v1/channels/{id}/change-rule", OneOf(&[EditPolicies])),
    ("GET", "/v1/channels/{id}/origins", OneOf(&[ReadPlaces])),
    ("PUT", "/v1/channels/{id}/origins", OneOf(&[EditPlaces])),
    ("DELETE", "/v1/channels/{id}/selling-rules", OneOf(&[EditPolicies])),
    ("GET", "/v1/channels/{id}/selling-rules", OneOf(&[ReadCatalogue])),
    ("PUT", "/v1/channels/{id}/selling-rules", OneOf(&[EditPolicies])),
    ("GET", "/v1/channels/{id}/routing-profile", OneOf(&[EditRouting])),
    ("PUT", "/v1/channels/{id}/routing-profile", OneOf(&[EditRouting])),
    ("POST", "/v1/contacts/find", OneOf(&[ReadContacts])),
    ("GET", "/v1/contacts/{id}", OneOf(&[ReadContacts])),
    ("POST", "/v1/contacts/{id}/erase", OneOf(&[EditCustomers])),
    ("POST", "/v1/counts", OneOf(&[PostCounts])),
    ("GET", "/v1/counts/{count}", OneOf(&[CountStock, PostCounts])),
    ("POST", "/v1/counts/{count}/cancel", OneOf(&[PostCounts])),
    ("POST", "/v1/counts/{count}/finish", OneOf(&[CountStock])),
    ("POST", "/v1/counts/{count}/post", OneOf(&[PostCounts])),
    ("POST", "/v1/counts/{count}/recount", OneOf(&[PostCounts])),
    ("POST", "/v1/counts/{count}/tally", OneOf(&[CountStock])),
    ("GET", "/v1/customers", OneOf(&[ReadContacts])),
    ("POST", "/v1/customers", OneOf(&[EditCustomers])),
    ("POST", "/v1/customers/bulk", OneOf(&[EditCustomers])),
    ("POST", "/v1/customers/find", OneOf(&[ReadContacts])),
    ("GET", "/v1/customers/{id}", OneOf(&[ReadContacts])),
    ("PATCH", "/v1/customers/{id}", OneOf(&[EditCustomers])),
    ("GET", "/v1/customers/{id}/contact", OneOf(&[ReadContacts])),
    ("POST", "/v1/customers/{id}/erase", OneOf(&[EditCustomers])),
    ("GET", "/v1/delivery-methods", OneOf(&[ReadPlaces])),
    ("POST", "/v1/delivery-methods", OneOf(&[EditPlaces])),
    ("GET", "/v1/delivery-methods/{id}", OneOf(&[ReadPlaces])),
    ("PATCH", "/v1/delivery-methods/{id}", OneOf(&[EditPlaces])),
    ("DELETE", "/v1/delivery-methods/{id}/sending", OneOf(&[EditPlaces])),
    ("GET", "/v1/delivery-methods/{id}/sending", OneOf(&[ReadPlaces])),
    ("PUT", "/v1/delivery-methods/{id}/sending", OneOf(&[EditPlaces])),
    ("POST", "/v1/delivery-quotes", OneOf(&[ReadPlaces])),
    ("GET", "/v1/events", OneOf(&[ReadEvents])),
    ("GET", "/v1/events/stream", OneOf(&[ReadEvents])),
    ("GET", "/v1/expected-goods", OneOf(&[ReadStock])),
    ("POST", "/v1/expected-goods", OneOf(&[MoveStock])),
    ("POST", "/v1/expected-goods/bulk", OneOf(&[MoveStock])),
    ("GET", "/v1/expected-goods/{id}", OneOf(&[ReadStock])),
    ("PATCH", "/v1/expected-goods/{id}", OneOf(&[MoveStock])),
    ("POST", "/v1/expected-goods/{id}/cancel", OneOf(&[MoveStock])),
    ("POST", "/v1/expected-goods/{id}/receive", OneOf(&[MoveStock])),
    ("POST", "/v1/exchanges", OneOf(&[EditOrders])),
    ("GET", "/v1/exchanges/{exchange}", OneOf(&[ReadOrders])),
    ("GET", "/v1/figures", OneOf(&[ReadOrders])),
    ("POST", "/v1/gift-cards", OneOf(&[GiveCredit])),
    ("POST", "/v1/gift-cards/find", OneOf(&[GiveCredit, TakePayments, Shop])),
    ("GET", "/v1/gift-cards/{card}", OneOf(&[GiveCredit])),
    ("POST", "/v1/gift-cards/{card}/adjust", OneOf(&[GiveCredit])),
    ("POST", "/v1/gift-cards/{card}/block", OneOf(&[GiveCredit])),
    ("POST", "/v1/gift-cards/{card}/code", OneOf(&[GiveCredit])),
    ("GET", "/v1/gift-cards/{card}/movements", OneOf(&[GiveCredit])),
    ("POST", "/v1/gift-cards/{card}/unblock", OneOf(&[GiveCredit])),
    ("GET", "/v1/imports", OneOf(&[Import])),
    ("POST", "/v1/imports", OneOf(&[Import])),
    ("GET", "/v1/imports/{id}", OneOf(&[Import])),
    ("GET", "/v1/imports/{id}/errors", OneOf(&[Import])),
    ("POST", "/v1/invitations", Nothing("whoever holds the invitation sets the password with it")),
    ("GET", "/v1/jobs", OneOf(&[Operate])),
    ("POST", "/v1/jobs/{id}/retry", OneOf(&[Operate])),
    ("GET", "/v1/label-layouts", OneOf(&[ReadCatalogue])),
    ("PUT", "/v1/label-layouts/{prefix}", OneOf(&[EditCatalogue])),
    ("GET", "/v1/locations", OneOf(&[ReadPlaces])),
    ("POST", "/v1/locations", OneOf(&[EditPlaces])),
    ("POST", "/v1/locations/bulk", OneOf(&[EditPlaces])),
    ("GET", "/v1/locations/{id}", OneOf(&[ReadPlaces])),
    ("PATCH", "/v1/locations/{id}", OneOf(&[EditPlaces])),
    ("GET", "/v1/locations/{id}/stock-rule", OneOf(&[ReadStock])),
    ("PUT", "/v1/locations/{id}/stock-rule", OneOf(&[EditPlaces])),
    ("GET", "/v1/locations/{id}/transfer-orders", OneOf(&[MoveTransfers, ApproveTransfers])),
    ("GET", "/v1/locations/{id}/write-offs", OneOf(&[WriteOff])),
    ("GET", "/v1/locations/{id}/count-accuracy", OneOf(&[PostCounts])),
    ("GET", "/v1/locations/{id}/count-rule", OneOf(&[CountStock, PostCounts])),
    ("PUT", "/v1/locations/{id}/count-rule", OneOf(&[EditPlaces])),
    ("GET", "/v1/locations/{id}/counts", OneOf(&[CountStock, PostCounts])),
    ("GET", "/v1/locations/{id}/fulfilment-orders", OneOf(&[ReadOrders])),
    ("GET", "/v1/locations/{id}/offers", OneOf(&[ReadOrders])),
    ("GET", "/v1/locations/{id}/opening", OneOf(&[ReadPlaces])),
    ("GET", "/v1/locations/{id}/pick-waves", OneOf(&[ReadOrders])),
    ("POST", "/v1/locations/{id}/pick-waves", OneOf(&[EditOrders])),
    ("GET", "/v1/locations/{id}/tour", OneOf(&[ReadOrders])),
    ("GET", "/v1/manifests/{id}", OneOf(&[ReadOrders])),
    ("GET", "/v1/markets", OneOf(&[ReadPlaces])),
    ("POST", "/v1/markets", OneOf(&[EditPlaces])),
    ("GET", "/v1/markets/{id}", OneOf(&[ReadPlaces])),
    ("PATCH", "/v1/markets/{id}", OneOf(&[EditPlaces])),
    ("GET", "/v1/networks", OneOf(&[ReadPlaces])),
    ("POST", "/v1/networks", OneOf(&[EditPlaces])),
    ("GET", "/v1/networks/{id}", OneOf(&[ReadPlaces])),
    ("PATCH", "/v1/networks/{id}", OneOf(&[EditPlaces])),
    ("GET", "/v1/networks/{id}/routing-profile", OneOf(&[EditRouting])),
    ("PUT", "/v1/networks/{id}/routing-profile", OneOf(&[EditRouting])),
    ("GET", "/v1/openapi.json", Nothing("the description is the same for everybody and names no data")),
    ("GET", "/v1/order-status/{token}", Nothing("whoever holds the link was given it by the shop")),
    ("GET", "/v1/order-status/{token}/stream", Nothing("whoever holds the link was given it by the shop")),
    ("GET", "/v1/orders", OneOf(&[ReadOrders])),
    ("POST", "/v1/orders/searches", OneOf(&[ReadOrders])),
    ("GET", "/v1/orders/{order}", OneOf(&[ReadOrders, Shop])),
    ("POST", "/v1/orders/{order}/cancel", OneOf(&[EditOrders])),
    ("GET", "/v1/orders/{order}/changes", OneOf(&[ReadOrders, Shop])),
    ("POST", "/v1/orders/{order}/changes", OneOf(&[EditOrders, Shop])),
    ("GET", "/v1/orders/{order}/changes/{change}", OneOf(&[ReadOrders, Shop])),
    ("POST", "/v1/orders/{order}/changes/{change}/confirm", OneOf(&[EditOrders, Shop])),
    ("POST", "/v1/orders/{order}/changes/{change}/decline", OneOf(&[EditOrders, Shop])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/arrive", OneOf(&[ReadOrders, Shop])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/claim", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/deliver", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/hand-over", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/hold", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/offer", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/pack", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/parcels", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/pick", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/place", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/ready", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/reject", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/release", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/scan", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/ship", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/short-pick", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/start-picking", OneOf(&[EditOrders])),
    (
        "POST",
        "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/on-the-way",
        OneOf(&[ReadOrders, Shop]),
    ),
    ("GET", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/visit", OneOf(&[ReadOrders, Shop])),
    ("GET", "/v1/orders/{order}/exchanges", OneOf(&[ReadOrders, Shop])),
    (
        "GET",
        "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/visit/code.png",
        OneOf(&[EditOrders, ReadOrders, Shop]),
    ),
    (
        "GET",
        "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/visit/code.svg",
        OneOf(&[EditOrders, ReadOrders, Shop]),
    ),
    (
        "PUT",
        "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/visit/collector",
        OneOf(&[ReadOrders, Shop]),
    ),
    ("POST", "/v1/orders/{order}/fulfilment-orders/{fulfilment_order}/substitute", OneOf(&[EditOrders])),
    ("GET", "/v1/orders/{order}/parcels", OneOf(&[ReadOrders, Shop])),
    ("GET", "/v1/orders/{order}/parcels/{parcel}", OneOf(&[ReadOrders, Shop])),
    ("POST", "/v1/orders/{order}/parcels/{parcel}/attempt", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/parcels/{parcel}/label", OneOf(&[EditOrders])),
    ("GET", "/v1/orders/{order}/parcels/{parcel}/label.zpl", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/parcels/{parcel}/ship", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/parcels/{parcel}/unpack", OneOf(&[EditOrders])),
    ("GET", "/v1/orders/{order}/parcels/{parcel}/slip", OneOf(&[EditOrders])),
    ("GET", "/v1/orders/{order}/payments", OneOf(&[ReadOrders])),
    ("POST", "/v1/orders/{order}/payments", OneOf(&[Shop])),
    ("GET", "/v1/orders/{order}/returns", OneOf(&[ReadOrders, Shop])),
    ("POST", "/v1/orders/{order}/returns", OneOf(&[EditOrders])),
    ("GET", "/v1/orders/{order}/status", OneOf(&[ReadOrders, Shop])),
    ("GET", "/v1/orders/{order}/status/stream", OneOf(&[ReadOrders, Shop])),
    ("DELETE", "/v1/orders/{order}/status-links", OneOf(&[EditOrders])),
    ("POST", "/v1/orders/{order}/status-links", OneOf(&[EditOrders])),
    ("GET", "/v1/payment-accounts", OneOf(&[ReadPlaces])),
    ("POST", "/v1/payment-accounts", OneOf(&[EditPlaces])),
    ("GET", "/v1/payment-accounts/{id}", OneOf(&[ReadPlaces])),
    ("PATCH", "/v1/payment-accounts/{id}", OneOf(&[EditPlaces])),
    ("POST", "/v1/payment-accounts/{id}/webhooks", Nothing("the payment account signs its messages")),
    (
        "POST",
        "/v1/payments/webhooks/test",
        Nothing("the provider signs what it sends, and the signature is checked"),
    ),
    ("GET", "/v1/orders/{order}/routing-decisions", OneOf(&[ReadOrders])),
    ("GET", "/v1/orders/{order}/routing-decisions/{decision}/reasons", OneOf(&[ReadOrders])),
    ("PUT", "/v1/orders/{order}/substitution", OneOf(&[ReadOrders, Shop])),
    ("GET", "/v1/payments/{payment}", OneOf(&[ReadOrders])),
    ("POST", "/v1/payments/{payment}/capture", OneOf(&[TakePayments])),
    ("POST", "/v1/payments/{payment}/receipt", OneOf(&[TakePayments])),
    ("POST", "/v1/payments/{payment}/refund", OneOf(&[TakePayments])),
    ("POST", "/v1/payments/{payment}/void", OneOf(&[TakePayments])),
    ("GET", "/v1/permissions", Credential),
    ("GET", "/v1/postal-areas", OneOf(&[ReadPlaces])),
    ("POST", "/v1/postal-areas/bulk", OneOf(&[EditPlaces])),
    ("GET", "/v1/postal-areas/find", OneOf(&[ReadPlaces])),
    ("DELETE", "/v1/postal-areas/{country}/{prefix}", OneOf(&[EditPlaces])),
    ("GET", "/v1/pick-waves/{id}", OneOf(&[ReadOrders])),
    ("POST", "/v1/pick-waves/{id}/finish", OneOf(&[EditOrders])),
    ("POST", "/v1/pick-waves/{id}/scan", OneOf(&[EditOrders])),
    ("POST", "/v1/pick-waves/{id}/short-pick", OneOf(&[EditOrders])),
    ("POST", "/v1/pick-waves/{id}/start", OneOf(&[EditOrders])),
    ("GET", "/v1/price-lists", OneOf(&[ReadCatalogue])),
    ("POST", "/v1/price-lists", OneOf(&[EditCatalogue])),
    ("GET", "/v1/price-lists/{id}", OneOf(&[ReadCatalogue])),
    ("PATCH", "/v1/price-lists/{id}", OneOf(&[EditCatalogue])),
    ("POST", "/v1/prices", OneOf(&[EditCatalogue])),
    ("POST", "/v1/prices/bulk", OneOf(&[EditCatalogue])),
    ("GET", "/v1/products", OneOf(&[ReadCatalogue])),
    ("POST", "/v1/products", OneOf(&[EditCatalogue])),
    ("POST", "/v1/products/bulk", OneOf(&[EditCatalogue])),
    ("GET", "/v1/products/{id}", OneOf(&[ReadCatalogue])),
    ("PATCH", "/v1/products/{id}", OneOf(&[EditCatalogue])),
    ("POST", "/v1/products/{id}/variants", OneOf(&[EditCatalogue])),
    ("GET", "/v1/promotions", OneOf(&[ReadCatalogue])),
    ("POST", "/v1/promotions", OneOf(&[EditPromotions])),
    ("GET", "/v1/promotions/{id}", OneOf(&[ReadCatalogue])),
    ("PATCH", "/v1/promotions/{id}", OneOf(&[EditPromotions])),
    ("POST", "/v1/promotions/{id}/activate", OneOf(&[EditPromotions])),
    ("POST", "/v1/promotions/{id}/coupon-batches", OneOf(&[EditPromotions])),
    ("GET", "/v1/promotions/{id}/coupons", OneOf(&[EditPromotions])),
    ("POST", "/v1/promotions/{id}/coupons", OneOf(&[EditPromotions])),
    ("POST", "/v1/promotions/{id}/end", OneOf(&[EditPromotions])),
    ("POST", "/v1/promises", OneOf(&[ReadCatalogue])),
    ("GET", "/v1/reasons", Credential),
    ("PUT", "/v1/reasons/{code}", OneOf(&[EditPolicies])),
    ("GET", "/v1/return-policies", OneOf(&[ReadOrders])),
    ("POST", "/v1/return-policies", OneOf(&[EditPolicies])),
    ("GET", "/v1/return-policies/{policy}", OneOf(&[ReadOrders])),
    ("PUT", "/v1/return-policies/{policy}", OneOf(&[EditPolicies])),
    ("GET", "/v1/returns", OneOf(&[ReadOrders])),
    ("POST", "/v1/returns", OneOf(&[EditOrders])),
    ("POST", "/v1/returns/quotes", OneOf(&[ReadOrders, Shop])),
    ("POST", "/v1/returns/requests", OneOf(&[ReadOrders, Shop])),
    ("POST", "/v1/returns/{return}/approve", OneOf(&[EditOrders])),
    ("POST", "/v1/returns/{return}/close", OneOf(&[EditOrders, Shop])),
    ("POST", "/v1/returns/{return}/decline", OneOf(&[EditOrders])),
    ("POST", "/v1/returns/{return}/inspect", OneOf(&[EditOrders])),
    ("POST", "/v1/returns/{return}/receive", OneOf(&[EditOrders])),
    ("POST", "/v1/returns/{return}/refund", OneOf(&[EditOrders])),
    ("GET", "/v1/returns/{return}", OneOf(&[ReadOrders])),
    ("GET", "/v1/roles", OneOf(&[ManageAccess])),
    ("POST", "/v1/roles", OneOf(&[ManageAccess])),
    ("GET", "/v1/roles/{id}", OneOf(&[ManageAccess])),
    ("PUT", "/v1/roles/{id}", OneOf(&[ManageAccess])),
    ("GET", "/v1/routing-profiles", OneOf(&[EditRouting])),
    ("POST", "/v1/routing-profiles", OneOf(&[EditRouting])),
    ("GET", "/v1/routing-profiles/{id}/versions", OneOf(&[EditRouting])),
    ("POST", "/v1/routing-profiles/{id}/versions", OneOf(&[EditRouting])),
    ("GET", "/v1/routing-profiles/{id}/versions/{version}", OneOf(&[EditRouting])),
    ("PUT", "/v1/routing-profiles/{id}/versions/{version}", OneOf(&[EditRouting])),
    ("POST", "/v1/routing-profiles/{id}/versions/{version}/activate", OneOf(&[EditRouting])),
    ("POST", "/v1/routing-profiles/{id}/versions/{version}/retire", OneOf(&[EditRouting])),
    ("GET", "/v1/routing-simulations", OneOf(&[EditRouting])),
    ("POST", "/v1/routing-simulations", OneOf(&[EditRouting])),
    ("GET", "/v1/routing-simulations/{id}", OneOf(&[EditRouting])),
    ("DELETE", "/v1/session", Credential),
    ("GET", "/v1/session", Credential),
    ("POST", "/v1/session", Nothing("nobody can be signed in before; attempts are bounded")),
    ("PUT", "/v1/session/password", Credential),
    ("POST", "/v1/setup", Nothing("whoever holds the set-up link becomes the owner, once")),
    ("GET", "/v1/staff", OneOf(&[ManageAccess])),
    ("POST", "/v1/staff", OneOf(&[ManageAccess])),
    ("GET", "/v1/staff/{id}", OneOf(&[ManageAccess])),
    ("POST", "/v1/staff/{id}/activate", OneOf(&[ManageAccess])),
    ("POST", "/v1/staff/{id}/deactivate", OneOf(&[ManageAccess])),
    ("POST", "/v1/staff/{id}/invite", OneOf(&[ManageAccess])),
    ("PUT", "/v1/staff/{id}/roles", OneOf(&[ManageAccess])),
    ("POST", "/v1/stock/adjustments", OneOf(&[MoveStock, WriteOff])),
    ("POST", "/v1/stock/holds", OneOf(&[MoveStock])),
    ("POST", "/v1/stock/holds/{variant}/{hold}/release", OneOf(&[MoveStock])),
    ("PUT", "/v1/stock/levels", OneOf(&[MoveStock])),
    ("POST", "/v1/stock/moves", OneOf(&[MoveStock])),
    ("POST", "/v1/stock/receipts", OneOf(&[MoveStock])),
    ("PUT", "/v1/stock/values/{variant}", OneOf(&[EditCatalogue])),
    ("POST", "/v1/stock/write-offs", OneOf(&[WriteOff])),
    ("POST", "/v1/stock/write-offs/{id}/approve", OneOf(&[WriteOff])),
    ("POST", "/v1/stock/write-offs/{id}/decline", OneOf(&[WriteOff])),
    ("GET", "/v1/stock/{variant}", OneOf(&[ReadStock])),
    ("PUT", "/v1/stock/{variant}/{location}", OneOf(&[MoveStock])),
    ("GET", "/v1/stock/{variant}/{location}/history", OneOf(&[ReadStock])),
    ("GET", "/v1/store-credits", OneOf(&[GiveCredit])),
    ("POST", "/v1/store-credits", OneOf(&[GiveCredit])),
    ("GET", "/v1/store-credits/{credit}", OneOf(&[GiveCredit])),
    ("POST", "/v1/store-credits/{credit}/adjust", OneOf(&[GiveCredit])),
    ("GET", "/v1/store-credits/{credit}/movements", OneOf(&[GiveCredit])),
    ("GET", "/v1/tax-classes", OneOf(&[ReadPlaces])),
    ("POST", "/v1/tax-classes", OneOf(&[EditPlaces])),
    ("GET", "/v1/tax-zones", OneOf(&[ReadPlaces])),
    ("POST", "/v1/tax-zones", OneOf(&[EditPlaces])),
    ("GET", "/v1/tax-zones/{id}", OneOf(&[ReadPlaces])),
    ("PUT", "/v1/tax-zones/{id}", OneOf(&[EditPlaces])),
    ("GET", "/v1/tax-zones/{id}/rates", OneOf(&[ReadPlaces])),
    ("PUT", "/v1/tax-zones/{id}/rates", OneOf(&[EditPlaces])),
    ("POST", "/v1/tax-zones/{id}/rates/bulk", OneOf(&[EditPlaces])),
    ("POST", "/v1/transfer-orders", OneOf(&[MoveTransfers])),
    ("GET", "/v1/transfer-orders/{transfer}", OneOf(&[MoveTransfers, ApproveTransfers])),
    ("POST", "/v1/transfer-orders/{transfer}/approve", OneOf(&[ApproveTransfers])),
    ("POST", "/v1/transfer-orders/{transfer}/cancel", OneOf(&[MoveTransfers])),
    ("POST", "/v1/transfer-orders/{transfer}/close", OneOf(&[ApproveTransfers])),
    ("PUT", "/v1/transfer-orders/{transfer}/lines", OneOf(&[MoveTransfers])),
    ("POST", "/v1/transfer-orders/{transfer}/pick", OneOf(&[MoveTransfers])),
    ("POST", "/v1/transfer-orders/{transfer}/receive", OneOf(&[MoveTransfers])),
    ("POST", "/v1/transfer-orders/{transfer}/request", OneOf(&[MoveTransfers])),
    ("POST", "/v1/transfer-orders/{transfer}/ship", OneOf(&[MoveTransfers])),
    ("POST", "/v1/transfer-orders/{transfer}/short-pick", OneOf(&[MoveTransfers])),
    ("GET", "/v1/variants/{id}", OneOf(&[ReadCatalogue])),
    ("PATCH", "/v1/variants/{id}", OneOf(&[EditCatalogue])),
    ("GET", "/v1/variants/{id}/price", OneOf(&[ReadCatalogue])),
    ("GET", "/v1/variants/{id}/price-changes", OneOf(&[ReadCatalogue])),
    ("GET", "/v1/variants/{id}/prices", OneOf(&[ReadCatalogue])),
    ("GET", "/v1/waiting-fulfilment-orders", OneOf(&[ReadOrders])),
    ("GET", "/v1/variants/{id}/substitutes", OneOf(&[ReadCatalogue])),
    ("PUT", "/v1/variants/{id}/substitutes", OneOf(&[EditPolicies])),
];

/// What the operation needs; `None` when it is not in the list.
pub fn needs_of(method: &str, path: &str) -> Option<Needs> {
    static BY_OPERATION: OnceLock<HashMap<(&str, &str), Needs>> = OnceLock::new();
    let by_operation = BY_OPERATION
        .get_or_init(|| OPERATIONS.iter().map(|(method, path, needs)| ((*method, *path), *needs)).collect());
    by_operation.get(&(method, path)).copied()
}

/// Refuses who has none of what the operation needs at any place.
///
/// # Errors
/// As [`Actor::may_somewhere`], naming the first of the permissions.
pub fn admit(actor: &Actor, needs: Needs) -> Result<(), Refusal> {
    let OneOf(permissions) = needs else { return Ok(()) };
    let mut outcome = Ok(());
    for permission in permissions.iter().rev() {
        outcome = actor.may_somewhere(*permission);
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

/// Writes into the description which operations need a credential, of what kind, and which permissions.
pub(crate) fn describe(api: &mut OpenApi) {
    let mut key = Http::new(HttpAuthScheme::Bearer);
    key.description = Some("An API key: `Authorization: Bearer key_…`.".into());
    let cookie = ApiKey::Cookie(ApiKeyValue::with_description(
        SESSION_COOKIE,
        "A session; changes also need the header `X-CSRF-Token`.",
    ));
    let components = api.components.get_or_insert_default();
    components.add_security_scheme("key", SecurityScheme::Http(key));
    components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    for (method, path, needs) in OPERATIONS {
        let item = api.paths.paths.get_mut(*path);
        let Some(operation) = item.and_then(|item| operation_of(item, method)) else { continue };
        let either =
            || ["key", "session"].map(|name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []));
        operation.security = Some(if matches!(needs, Nothing(_)) { Vec::new() } else { either().to_vec() });
        if let OneOf(permissions) = needs {
            let names: Vec<String> =
                permissions.iter().map(|permission| format!("`{}`", permission.text())).collect();
            let told = operation.description.take().map_or_else(String::new, |told| told + "\n\n");
            operation.description = Some(format!("{told}Needs the permission {}.", names.join(" or ")));
        }
    }
}

fn operation_of<'a>(item: &'a mut PathItem, method: &str) -> Option<&'a mut Operation> {
    let operation = match method {
        "GET" => &mut item.get,
        "PUT" => &mut item.put,
        "POST" => &mut item.post,
        "PATCH" => &mut item.patch,
        _ => &mut item.delete,
    };
    operation.as_mut()
}
