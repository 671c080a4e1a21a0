//! The sign-ons of a retailer over the API: which other programs say who somebody is.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::Refusal;
use domain::sign_in::sign_on::Audience;
use domain::value::target::Target;
use domain::value::{Id, id, text};
use engine::sign_in::provider::{self, NewProvider, Provider, ProviderChange};
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
use crate::shape::{Fields, changed};

/// The most characters of what stands in a provider.
const WORDS_MAX: usize = 255;

/// The routes of sign-ons.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create_sign_on_provider, list_sign_on_providers))
        .routes(routes!(read_sign_on_provider, update_sign_on_provider))
}

/// A sign-on to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSignOnProvider, example = json!({"code": "acme", "name": "Acme", "issuer": "https://id.acme.example", "client_id": "shop",
    "client_secret": "5b8f2c9d1e7a"}))]
struct NewShape {
    /// The short word it goes by; unique, and never changed.
    #[schema(min_length = 1, max_length = 60)]
    code: String,
    /// What people call it; stands on the button.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Whom it lets in: `customers` (when absent) or `staff`; never changed.
    audience: Option<String>,
    /// Its address, as its tokens name it (`iss`); never changed. It publishes `/.well-known/openid-configuration` below it.
    #[schema(max_length = 255)]
    issuer: String,
    /// Who we are to it.
    #[schema(min_length = 1, max_length = 255)]
    client_id: String,
    /// What we share with it, if anything; never shown.
    #[schema(max_length = 1000)]
    client_secret: Option<String>,
    /// What we ask it for; `openid email profile` when absent.
    #[schema(max_length = 255)]
    scopes: Option<String>,
    /// What it calls an e-mail address; `email` when absent.
    #[schema(max_length = 255)]
    email_claim: Option<String>,
    /// What it calls a name; `name` when absent.
    #[schema(max_length = 255)]
    name_claim: Option<String>,
    /// Its addresses are those of its people, though it does not say `email_verified`: only for a sign-on that hands out the addresses itself.
    #[serde(default)]
    trusts_email: bool,
}

/// What of a sign-on changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignOnProviderChange, example = json!({"name": "Acme account", "active": true}))]
struct ChangeShape {
    /// What people call it.
    name: Option<String>,
    /// Who we are to it.
    client_id: Option<String>,
    /// What we share with it; `null` for nothing.
    #[serde(default, deserialize_with = "changed")]
    client_secret: Option<Option<String>>,
    /// What we ask it for.
    scopes: Option<String>,
    /// What it calls an e-mail address.
    email_claim: Option<String>,
    /// What it calls a name.
    name_claim: Option<String>,
    /// Its addresses are those of its people.
    trusts_email: Option<bool>,
    /// People may sign in by it.
    active: Option<bool>,
}

/// Another program that says who somebody is. What we share with it is never shown.
#[derive(Serialize, ToSchema)]
#[schema(as = SignOnProvider, example = json!({"id": "sop_01jd0000000000000000000000", "code": "acme", "name": "Acme", "audience": "customers",
    "issuer": "https://id.acme.example", "client_id": "shop", "has_secret": true, "scopes": "openid email profile", "email_claim": "email",
    "name_claim": "name", "trusts_email": false, "active": true, "version": 1}))]
struct ProviderShape {
    /// Its id.
    id: String,
    /// The short word it goes by.
    code: String,
    /// What people call it.
    name: String,
    /// Whom it lets in: `customers` or `staff`.
    audience: &'static str,
    /// Its address.
    issuer: String,
    /// Who we are to it.
    client_id: String,
    /// We share a secret with it.
    has_secret: bool,
    /// What we ask it for.
    scopes: String,
    /// What it calls an e-mail address.
    email_claim: String,
    /// What it calls a name.
    name_claim: String,
    /// Its addresses are those of its people.
    trusts_email: bool,
    /// People may sign in by it.
    active: bool,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl From<&Provider> for ProviderShape {
    fn from(one: &Provider) -> ProviderShape {
        ProviderShape {
            id: one.id.to_string(),
            code: one.code.clone(),
            name: one.name.clone(),
            audience: one.audience.text(),
            issuer: one.issuer.clone(),
            client_id: one.client_id.clone(),
            has_secret: one.secret.is_some(),
            scopes: one.scopes.clone(),
            email_claim: one.email_claim.clone(),
            name_claim: one.name_claim.clone(),
            trusts_email: one.trusts_email,
            active: one.active,
            version: one.version,
        }
    }
}

/// An issuer is called by https, or in a private network where the operator allows it.
fn issuer(app: &App, text: &str) -> Result<String, String> {
    let target = Target::parse(text)?;
    if text.len() > WORDS_MAX || text.contains('?') {
        return Err(format!("give the issuer's address without ?, of at most {WORDS_MAX} characters"));
    }
    match target.why_private().filter(|_| !app.edge.settings.sign_on_to_private_addresses) {
        Some(why) => Err(why.into()),
        None => Ok(text.to_owned()),
    }
}

fn word(text: &str) -> Result<String, String> {
    text::bounded("text", text, 1, WORDS_MAX).map_err(|error| error.to_string())
}

impl NewShape {
    fn read(&self, app: &App) -> Result<NewProvider, Refusal> {
        let mut fields = Fields::new();
        let code = fields.take("code", text::bounded("code", &self.code, 1, crate::location::CODE_CHARS_MAX));
        let name = fields.take("name", text::Name::new("name", &self.name));
        let audience = fields.take_if("audience", self.audience.as_deref(), Audience::parse);
        let issuer = fields.take("issuer", issuer(app, &self.issuer));
        let client_id = fields.take("client_id", word(&self.client_id));
        let scopes = fields.take("scopes", word(self.scopes.as_deref().unwrap_or("openid email profile")));
        let email_claim = fields.take("email_claim", word(self.email_claim.as_deref().unwrap_or("email")));
        let name_claim = fields.take("name_claim", word(self.name_claim.as_deref().unwrap_or("name")));
        let read = (|| {
            Some(NewProvider {
                code: code?,
                name: name?.as_str().to_owned(),
                audience: audience?.unwrap_or(Audience::Customers),
                issuer: issuer?,
                client_id: client_id?,
                secret: self.client_secret.clone(),
                scopes: scopes?,
                email_claim: email_claim?,
                name_claim: name_claim?,
                trusts_email: self.trusts_email,
            })
        })();
        fields.done(read)
    }
}

impl ChangeShape {
    fn read(self) -> Result<ProviderChange, Refusal> {
        let mut fields = Fields::new();
        let name = fields.take_if("name", self.name, |name| text::Name::new("name", &name));
        let client_id = fields.take_if("client_id", self.client_id.as_deref(), word);
        let scopes = fields.take_if("scopes", self.scopes.as_deref(), word);
        let email_claim = fields.take_if("email_claim", self.email_claim.as_deref(), word);
        let name_claim = fields.take_if("name_claim", self.name_claim.as_deref(), word);
        let (secret, trusts_email, active) = (self.client_secret, self.trusts_email, self.active);
        let read = (|| {
            Some(ProviderChange {
                name: name?.map(|name| name.as_str().to_owned()),
                client_id: client_id?,
                secret,
                scopes: scopes?,
                email_claim: email_claim?,
                name_claim: name_claim?,
                trusts_email,
                active,
            })
        })();
        fields.done(read)
    }
}

fn named(text: &str) -> Result<Id<id::SignOnProvider>, Problem> {
    Id::parse(text).map_err(|_| Refusal::not_found("sign-on provider", text).into())
}

/// Make a sign-on
///
/// An OpenID Connect provider by which customers, or members of staff, sign in. Making one for staff needs the permission to manage access.
#[utoipa::path(post, path = "/v1/sign-on-providers", operation_id = "create_sign_on_provider", tag = "customer", request_body = NewShape,
    responses((status = 201, body = ProviderShape), Problems))]
async fn create_sign_on_provider(
    State(app): State<App>,
    command: Command<NewShape>,
) -> Result<Response, Problem> {
    let new = command.body.read(&app)?;
    app.perform(command.request, StatusCode::CREATED, move |tx, actor, world| {
        let made = provider::create(tx, actor, world, new.clone())?;
        Reply::versioned(&ProviderShape::from(&made), made.version)
    })
    .await
}

/// List sign-ons
#[utoipa::path(get, path = "/v1/sign-on-providers", operation_id = "list_sign_on_providers", tag = "customer", params(PageQuery),
    responses((status = 200, body = Page<ProviderShape>), Problems))]
async fn list_sign_on_providers(
    State(app): State<App>,
    Caller(actor): Caller,
    Asked(page): Asked<PageQuery>,
) -> Result<Response, Problem> {
    let (limit, after) = (page.limit()?, page.after_id()?);
    let found = app.read(move |tx| provider::list(tx, &actor, after, limit)).await?;
    let items = found.iter().map(ProviderShape::from).collect();
    document(&Page::new(items, limit, |one: &ProviderShape| one.id.clone()), None)
}

/// Read a sign-on
#[utoipa::path(get, path = "/v1/sign-on-providers/{id}", operation_id = "read_sign_on_provider", tag = "customer",
    params(("id" = String, Path, description = "its id")), responses((status = 200, body = ProviderShape), Problems))]
async fn read_sign_on_provider(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = named(&id)?;
    let found = app.read(move |tx| provider::read(tx, &actor, id)).await?;
    document(&ProviderShape::from(&found), Some(found.version))
}

/// Change a sign-on
#[utoipa::path(patch, path = "/v1/sign-on-providers/{id}", operation_id = "update_sign_on_provider", tag = "customer", request_body = ChangeShape,
    params(("id" = String, Path, description = "its id"), ("If-Match" = String, Header, description = "the `ETag` it was read with")),
    responses((status = 200, body = ProviderShape), Problems))]
async fn update_sign_on_provider(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<ChangeShape>,
) -> Result<Response, Problem> {
    let (id, read, change) = (named(&id)?, command.if_match, command.body.read()?);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let one = provider::change(tx, actor, world, (id, read), change.clone())?;
        Reply::versioned(&ProviderShape::from(&one), one.version)
    })
    .await
}
