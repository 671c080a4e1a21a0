//! Customers who sign in over the API: a code by mail, a session, and the basket that comes along.

mod page;
mod passkey;
mod provider;
mod sign_on;
mod staff;

use axum::extract::State;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::actor::Who;
use domain::value::{Email, Id, Language, Reference, id};
use domain::{Code, Refusal, sign_in as rules};
use engine::actor::staff::email_hash;
use engine::sign_in::{self, Left, Opened, SignIn};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::app::{Reply, document};
use crate::caller::{CUSTOMER_PREFIX, Caller, customer_token};
use crate::command::Command;
use crate::observe::address_of;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(mail_sign_in_code))
        .routes(routes!(sign_in_customer, read_customer_session, sign_out_customer))
        .merge(passkey::routes())
        .merge(sign_on::routes())
        .merge(provider::routes())
        .merge(staff::routes())
        .merge(page::routes())
}

/// Where a code is mailed to.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignInCodeAsked, example = json!({"email": "ada@example.com", "language": "en"}))]
struct AskedShape {
    /// The address.
    #[schema(max_length = 254)]
    email: String,
    /// The language to write in; the shop's own when absent.
    #[schema(max_length = 10)]
    language: Option<String>,
}

/// A code is on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = SignInCodeMailed, example = json!({"expires_at": "2026-11-21T09:40:00Z"}))]
struct MailedShape {
    /// Until when it works.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Mail a code to sign in with
///
/// Six digits that work once, for ten minutes; only the newest works. Whether the address is known is not told: who is new becomes a customer by
/// signing in. At most five an hour to one address.
#[utoipa::path(post, path = "/v1/customer-session/codes", operation_id = "mail_sign_in_code", tag = "customer", request_body = AskedShape,
    responses((status = 202, body = MailedShape), Problems))]
async fn mail_sign_in_code(
    State(app): State<App>,
    extensions: Extensions,
    headers: HeaderMap,
    command: Command<AskedShape>,
) -> Result<Response, Problem> {
    let mut fields = Fields::new();
    let email = fields.take("email", Email::parse(&command.body.email));
    let language = fields.take_if("language", command.body.language.as_deref(), Language::parse);
    let read = email.zip(language);
    let (email, language) = fields.done(read)?;
    count(&app, &email, (&extensions, &headers))?;
    app.perform(command.unkeyed().request, StatusCode::ACCEPTED, move |tx, actor, world| {
        let expires_at = sign_in::ask(tx, actor, world, (&email, language))?;
        Reply::json(&MailedShape { expires_at: expires_at.to_string() })
    })
    .await
}

fn count(app: &App, email: &Email, (extensions, headers): (&Extensions, &HeaderMap)) -> Result<(), Problem> {
    let address = address_of(extensions, headers, app.edge.settings.behind_proxy);
    app.edge.limits.count_sign_in(email_hash(&app.shop.keyring, email), address)
}

/// A code that came by mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CustomerSignIn, example = json!({"email": "ada@example.com", "code": "481 516", "channel": "web"}))]
struct SignInShape {
    /// The address it was mailed to.
    #[schema(max_length = 254)]
    email: String,
    /// The six digits; spaces do not matter.
    #[schema(max_length = 20)]
    code: String,
    /// The channel the customer comes through: its id or external id.
    #[schema(min_length = 1, max_length = 255)]
    channel: String,
    /// The basket filled before: it becomes the customer's, or its lines go into the one he has in this channel. One that cannot is left as it is
    /// and keeps nobody out; `cart_left` tells why.
    #[schema(max_length = 64)]
    cart: Option<String>,
    /// What to call somebody who is new.
    #[schema(max_length = 200)]
    name: Option<String>,
}

/// A customer who signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomerSignedIn, example = json!({"token": "customer_5f2c4d1e0b9a8877665544332211ffeeddccbbaa99887766554433221100ffee",
    "customer": "cus_01jd0000000000000000000000", "is_new": false, "cart": "cart_01jd0000000000000000000000", "ends_at": "2027-05-22T09:30:00Z"}))]
struct SignedInShape {
    /// To be sent as `Authorization: Bearer …`; it is shown this once. It ends after thirty days without a request.
    token: String,
    /// Who.
    customer: String,
    /// Was the customer made just now?
    is_new: bool,
    /// The basket to go on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    cart: Option<String>,
    /// The basket filled before, if it could not come along: it stays as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    cart_left: Option<LeftShape>,
    /// When the session ends in any case.
    #[schema(format = DateTime)]
    ends_at: String,
}

/// A basket that could not come along.
#[derive(Serialize, ToSchema)]
#[schema(as = CartLeft, example = json!({"cart": "cart_01jd0000000000000000000001", "code": "currency_mismatch",
    "message": "one cart is in EUR, the other in GBP"}))]
struct LeftShape {
    /// Which.
    cart: String,
    /// The code of the problem.
    code: &'static str,
    /// Why.
    message: String,
}

impl From<Left> for LeftShape {
    fn from(left: Left) -> LeftShape {
        LeftShape {
            cart: left.cart.to_string(),
            code: left.why.code().text(),
            message: left.why.message().to_owned(),
        }
    }
}

impl From<Opened> for SignedInShape {
    fn from(opened: Opened) -> SignedInShape {
        SignedInShape {
            token: format!("{CUSTOMER_PREFIX}{}", opened.token),
            customer: opened.customer.to_string(),
            is_new: opened.is_new,
            cart: opened.cart.map(|cart| cart.to_string()),
            cart_left: opened.left.map(LeftShape::from),
            ends_at: opened.ends_at.to_string(),
        }
    }
}

impl SignInShape {
    fn read(self) -> Result<SignIn, Refusal> {
        let mut fields = Fields::new();
        let email = fields.take("email", Email::parse(&self.email));
        let code = fields.take("code", rules::read_code(&self.code));
        let cart = fields.take_if("cart", self.cart.as_deref(), Id::<id::Cart>::parse);
        let read = (|| {
            Some(SignIn {
                email: email?,
                code: code?,
                channel: Reference::read(&self.channel),
                cart: cart?,
                name: self.name,
            })
        })();
        fields.done(read)
    }
}

/// Sign a customer in
///
/// By the code that was mailed. The token is then sent in place of an API key: the customer may fill carts, order, and see and change what is his
/// own. The answer is not kept under an idempotency key, because it holds a secret.
#[utoipa::path(post, path = "/v1/customer-session", operation_id = "sign_in_customer", tag = "customer", request_body = SignInShape,
    responses((status = 200, body = SignedInShape), Problems))]
async fn sign_in_customer(
    State(app): State<App>,
    extensions: Extensions,
    headers: HeaderMap,
    command: Command<SignInShape>,
) -> Result<Response, Problem> {
    let command = command.unkeyed();
    let (actor, asked) = (command.request.actor, command.body.read()?);
    count(&app, &asked.email, (&extensions, &headers))?;
    // A wrong code is counted, so it must not be undone as a refusal is.
    let opened = app.write(move |tx, world| sign_in::open(tx, &actor, world, &asked)).await?;
    let opened = opened.ok_or_else(sign_in::wrong)?;
    document(&SignedInShape::from(opened), None)
}

/// The customer who asks.
#[derive(Serialize, ToSchema)]
#[schema(as = CustomerSession, example = json!({"customer": "cus_01jd0000000000000000000000", "channel": "chn_01jd0000000000000000000000"}))]
struct SessionShape {
    /// Who.
    customer: String,
    /// Through which channel.
    channel: Option<String>,
}

/// Which customer am I?
#[utoipa::path(get, path = "/v1/customer-session", operation_id = "read_customer_session", tag = "customer",
    responses((status = 200, body = SessionShape), Problems))]
async fn read_customer_session(Caller(actor): Caller) -> Result<Response, Problem> {
    let Who::Customer(customer) = actor.who else {
        return Err(Refusal::new(Code::SignInNeeded, "sign in as a customer; this is somebody else").into());
    };
    let channel = actor.channel.map(|channel| channel.to_string());
    document(&SessionShape { customer: customer.to_string(), channel }, None)
}

/// Sign a customer out
#[utoipa::path(delete, path = "/v1/customer-session", operation_id = "sign_out_customer", tag = "customer", responses((status = 204), Problems))]
async fn sign_out_customer(
    State(app): State<App>,
    Caller(actor): Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = customer_token(&headers) {
        app.write(move |tx, world| sign_in::sign_out(tx, &actor, world, &token)).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
