//! Payment accounts over the API: where the retailer has payments taken, and what those who take them tell.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::actor::Actor;
use domain::payment::account::{Kind, Scope};
use domain::value::id::{Channel, PaymentAccount};
use domain::value::target::Target;
use domain::value::{self, Currency, Reference};
use domain::{Code, Refusal};
use engine::payment::account::{self, Account, AccountChange, NewAccount};
use engine::payment::{self, stripe};
use engine::{Key, Request, external};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
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

/// The most characters of a code or an address.
const WORDS_MAX: usize = 200;

/// The routes of payment accounts.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_payment_account, list_payment_accounts))
        .routes(routes!(get_payment_account, change_payment_account))
        .routes(routes!(hear_from_stripe))
}

/// A payment account to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPaymentAccount, example = json!({"code": "stripe-gb", "name": "Stripe, United Kingdom", "kind": "stripe",
    "secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "webhook_secret": "whsec_5b8f2c", "currency": "GBP"}))]
struct NewShape {
    /// The short word it goes by; unique, and never changed.
    #[schema(min_length = 1, max_length = 200)]
    code: String,
    /// What people call it.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The id another system knows it by.
    external_id: Option<String>,
    /// Whose account it is: `stripe`; never changed.
    kind: String,
    /// Where it is asked, if not where Stripe always is: `https://…`, or `http://` on this machine.
    url: Option<String>,
    /// What we ask with, such as `sk_live_…` or a restricted `rk_live_…`; never shown.
    secret_key: String,
    /// What signs its messages to us, such as `whsec_…`; never shown. Without it none is heard, and we ask from time to time.
    webhook_secret: Option<String>,
    /// It only takes payments of this channel: id or external id; never changed.
    channel: Option<String>,
    /// It only takes payments in this currency; never changed.
    currency: Option<String>,
}

/// What of a payment account changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentAccountChange, example = json!({"webhook_secret": "whsec_9d1e7a"}))]
struct ChangeShape {
    /// What people call it.
    name: Option<String>,
    /// Where it is asked. The secret key must be given with it, so that it goes nowhere its owner did not send it.
    url: Option<String>,
    /// What we ask with.
    secret_key: Option<String>,
    /// What signs its messages to us.
    webhook_secret: Option<String>,
    /// New payments are taken by it.
    active: Option<bool>,
}

/// A secret key is only sent over an encrypted connection, or to this machine where the operator allows it.
fn url(app: &App, text: &str) -> Result<String, String> {
    let local = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    let known = text.starts_with("https://") || local.iter().any(|begin| text.starts_with(begin));
    let clean = text.len() <= WORDS_MAX
        && text.chars().all(|letter| letter.is_ascii_graphic() && !"@?#".contains(letter));
    if !known || !clean {
        let expected =
            "give an address that begins with https://, or with http://127.0.0.1: for one on this machine";
        return Err(expected.into());
    }
    let refused = Target::parse(text)?.why_private();
    match refused.filter(|_| !app.edge.settings.payments_to_private_addresses) {
        Some(why) => Err(why.into()),
        None => Ok(text.trim_end_matches('/').to_owned()),
    }
}

impl NewShape {
    fn read(self, app: &App) -> Result<(NewAccount, Option<Reference<Channel>>), Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", value::text::bounded("code", &self.code, 1, WORDS_MAX));
        let name = fields.take("name", value::text::Name::new("name", &self.name));
        let external_id = fields.take_if("external_id", self.external_id, |text| {
            value::reference::external_id::<PaymentAccount>(&text)
        });
        let kind = fields.take("kind", Kind::named(&self.kind).ok_or("give stripe"));
        let url = fields.take_if("url", self.url.as_deref(), |text| url(app, text));
        let currency = fields.take_if("currency", self.currency.as_deref(), Currency::parse);
        let channel = self.channel.as_deref().map(Reference::read);
        let (secret_key, webhook_secret) = (self.secret_key, self.webhook_secret);
        let read = code.zip(name).zip(external_id).zip(kind).zip(url).zip(currency);
        let new = read.map(|(((((code, name), external_id), kind), url), currency)| NewAccount {
            code,
            name: name.as_str().to_owned(),
            external_id,
            kind,
            url,
            secret_key,
            webhook_secret,
            scope: Scope { channel: None, currency },
        });
        Ok((fields.done(new)?, channel))
    }
}

impl ChangeShape {
    fn read(self, app: &App) -> Result<AccountChange, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take_if("name", self.name, |text| value::text::Name::new("name", &text));
        let url = fields.take_if("url", self.url.as_deref(), |text| url(app, text));
        let (secret_key, webhook_secret, active) = (self.secret_key, self.webhook_secret, self.active);
        let change = name.zip(url).map(|(name, url)| AccountChange {
            name: name.map(|name| name.as_str().to_owned()),
            url,
            secret_key,
            webhook_secret,
            active,
        });
        fields.done(change)
    }
}

/// Where the retailer has payments taken. The secrets are never shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentAccount)]
struct AccountShape {
    /// Its id.
    id: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// Whose account it is: `stripe`.
    kind: &'static str,
    /// Where it is asked.
    url: String,
    /// Messages from it are heard.
    hears: bool,
    /// It only takes payments of this channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// It only takes payments in this currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'static str>,
    /// New payments are taken by it.
    active: bool,
    /// Rises with every change.
    version: i64,
}

impl From<&Account> for AccountShape {
    fn from(account: &Account) -> AccountShape {
        AccountShape {
            id: account.id.to_string(),
            code: account.code.clone(),
            name: account.name.clone(),
            kind: account.kind.text(),
            url: account.url.clone().unwrap_or_else(|| account.kind.url().to_owned()),
            hears: account.webhook_secret.is_some(),
            channel: account.scope.channel.map(|channel| channel.to_string()),
            currency: account.scope.currency.map(|currency| currency.code()),
            active: account.active,
            version: account.version,
        }
    }
}

/// Make a payment account
#[utoipa::path(post, path = "/v1/payment-accounts", operation_id = "create_payment_account", tag = "payment", request_body = NewShape,
    responses((status = 201, body = AccountShape), Problems))]
async fn create_payment_account(
    State(app): State<App>,
    command: Command<NewShape>,
) -> Result<Response, Problem> {
    let (new, channel) = command.body.read(&app)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let mut new = new.clone();
        let known = channel.as_ref().map(|channel| external::known_at(tx, "channel", channel));
        new.scope.channel = known.transpose()?;
        let account = account::create(tx, actor, world, new)?;
        Reply::versioned(&AccountShape::from(&account), account.version)
    })
    .await
}

/// List payment accounts
#[utoipa::path(get, path = "/v1/payment-accounts", operation_id = "list_payment_accounts", tag = "payment", params(PageQuery),
    responses((status = 200, body = Page<AccountShape>), Problems))]
async fn list_payment_accounts(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| account::list(tx, &actor, after, limit)).await?;
    let items = found.iter().map(AccountShape::from).collect();
    document(&Page::new(items, limit, |one: &AccountShape| one.id.clone()), None)
}

/// Read a payment account
#[utoipa::path(get, path = "/v1/payment-accounts/{id}", operation_id = "get_payment_account", tag = "payment",
    params(("id" = String, Path, description = "Id or external id")), responses((status = 200, body = AccountShape), Problems))]
async fn get_payment_account(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = Reference::read(&id);
    let found = app.read(move |tx| account::read(tx, &actor, &id)).await?;
    document(&AccountShape::from(&found), Some(found.version))
}

/// Change a payment account
///
/// New secrets are used from the next call on, also for payments that were made before.
#[utoipa::path(patch, path = "/v1/payment-accounts/{id}", operation_id = "change_payment_account", tag = "payment", request_body = ChangeShape,
    params(("id" = String, Path, description = "Id or external id"), ("If-Match" = String, Header, description = "The version that was read")),
    responses((status = 200, body = AccountShape), Problems))]
async fn change_payment_account(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ChangeShape>,
) -> Result<Response, Problem> {
    let (id, version, change) = (Reference::read(&id), command.if_match, command.body.read(&app)?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &id)?;
        let account = account::change(tx, actor, world, (id, version), change.clone())?;
        Reply::versioned(&AccountShape::from(&account), account.version)
    })
    .await
}

/// An event as Stripe sends it. What is not about a payment of ours is heard and left.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = StripeEvent, example = json!({"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"object": "payment_intent",
    "id": "pi_1", "status": "succeeded", "metadata": {"payment": "pay_01jd0000000000000000000000"}}}}))]
struct EventShape {
    /// Stripe's own id of the event; the same is heard once.
    id: String,
    /// What it tells, and of what.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    rest: serde_json::Map<String, serde_json::Value>,
}

/// Hear from Stripe what became of a payment or a refund
///
/// The message is signed as Stripe signs them, with the webhook secret of the account; the signature is the credential. Messages may come
/// repeated and in any order.
#[utoipa::path(post, path = "/v1/payment-accounts/{id}/webhooks", operation_id = "hear_from_stripe", tag = "payment",
    params(("id" = String, Path, description = "The account's id or external id"),
        ("stripe-signature" = String, Header, description = "`t=` when it is signed, in seconds since 1970, within five minutes of our clock; `v1=` the HMAC-SHA-256 of that and the body, in hexadecimal digits; several `v1=` while the secret changes.")),
    request_body = EventShape, responses((status = 204, description = "It was heard."), Problems))]
async fn hear_from_stripe(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Nobody learns which accounts there are: an unknown one has a secret nobody knows.
    let unknown = || Refusal::new(Code::SignInFailed, "the webhook is not accepted: no signature fits");
    let reference = Reference::<PaymentAccount>::read(&id);
    let found = app.read(move |tx| account::read(tx, &Actor::system(), &reference)).await;
    let found = found.map_err(|_| Problem::from(unknown()))?;
    let secret = account::webhook_secret(&app.shop.keyring, &found).ok_or_else(unknown)?;
    stripe::verify(&secret, signature, &body, app.shop.source.now())?;
    let event: EventShape = serde_json::from_slice(&body)
        .map_err(|error| Problem::unreadable(format!("the body is not as agreed: {error}")))?;
    let told = stripe::told(&serde_json::Value::Object(event.rest));
    let key =
        Key { text: format!("webhook {} {}", found.id, event.id), input_hash: Sha256::digest(&body).into() };
    let request = Request { actor: Actor::system(), key: Some(key) };
    app.perform(request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        if let Some((payment, operation, verdict)) = &told {
            payment::provider::heard(tx, actor, world, found.id, (*payment, *operation, verdict))?;
        }
        Reply::json(&())
    })
    .await
}
