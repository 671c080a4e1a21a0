//! Passkeys over the API. Questions and answers are written as browsers read and write them (`parseRequestOptionsFromJSON`, `toJSON`).

use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::market::origin::Origin;
use domain::sign_in::passkey::{Algorithm, CHALLENGE_SECONDS};
use domain::value::{Id, Reference, id};
use domain::{Code, Refusal};
use engine::external;
use engine::sign_in::passkey::{self, Assertion, Challenge, Invitation, Passkey, Registration};
use engine::sign_in::{Entrance, Opened};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::SignedInShape;
use crate::App;
use crate::app::{Reply, document};
use crate::caller::Caller;
use crate::command::Command;
use crate::observe::address_of;
use crate::page::Page;
use crate::problem::{Problem, Problems};
use crate::shape::Fields;

/// The most bytes of what a browser or an authenticator says.
const SAID_BYTES_MAX: usize = 64 << 10;

/// The routes of passkeys.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(challenge_passkey))
        .routes(routes!(sign_in_by_passkey))
        .routes(routes!(invite_passkey))
        .routes(routes!(register_passkey, list_passkeys))
        .routes(routes!(rename_passkey))
        .routes(routes!(remove_passkey))
        .routes(routes!(read_passkey_domain, set_passkey_domain))
}

/// The page that asks.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyAsked, example = json!({"origin": "https://shop.example"}))]
struct AskedShape {
    /// Scheme, host and port of the page that asks; as the browser sends it (`Origin`) when absent. It is an origin of an active channel.
    #[schema(max_length = 270)]
    origin: Option<String>,
}

/// The page that asks, and ours.
fn pages(app: &App, headers: &HeaderMap, said: Option<&str>) -> Result<(Origin, Option<Origin>), Refusal> {
    let own = own_origin(app);
    let sent = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let origin = match said.or(sent) {
        Some(text) => Origin::parse(text)?,
        None => own.clone().ok_or_else(|| {
            Refusal::invalid("origin", "name the page that asks, such as https://shop.example")
        })?,
    };
    Ok((origin, own))
}

/// The origin of our own pages, where the settings say how the shop is reached.
pub(super) fn own_origin(app: &App) -> Option<Origin> {
    Origin::parse(app.edge.settings.public_address.trim_end_matches('/')).ok()
}

/// A question to passkeys.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyChallenge, example = json!({"public_key": {"challenge": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA", "rpId": "shop.example",
    "timeout": 300_000, "userVerification": "required", "allowCredentials": []}, "expires_at": "2026-11-21T09:35:00Z"}))]
pub(super) struct ChallengeShape {
    /// What `navigator.credentials` takes, in JSON.
    #[schema(value_type = Object)]
    public_key: Value,
    /// From when on an answer comes too late.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<&Challenge> for ChallengeShape {
    fn from(challenge: &Challenge) -> ChallengeShape {
        let public_key = json!({
            "challenge": URL_SAFE_NO_PAD.encode(challenge.bytes),
            "rpId": challenge.domain,
            "timeout": CHALLENGE_SECONDS * 1000,
            "userVerification": "required",
            "allowCredentials": [],
        });
        ChallengeShape { public_key, expires_at: challenge.expires_at.to_string() }
    }
}

impl From<&Invitation> for ChallengeShape {
    fn from(invitation: &Invitation) -> ChallengeShape {
        let challenge = &invitation.challenge;
        let algorithm = |one: &Algorithm| json!({ "type": "public-key", "alg": one.code() });
        let known = |id: &Vec<u8>| json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(id) });
        let public_key = json!({
            "rp": { "id": challenge.domain, "name": challenge.domain },
            "user": { "id": URL_SAFE_NO_PAD.encode(invitation.customer.bytes()), "name": invitation.label, "displayName": invitation.label },
            "challenge": URL_SAFE_NO_PAD.encode(challenge.bytes),
            "pubKeyCredParams": Algorithm::ALL.iter().map(algorithm).collect::<Vec<_>>(),
            "timeout": CHALLENGE_SECONDS * 1000,
            "excludeCredentials": invitation.known.iter().map(known).collect::<Vec<_>>(),
            "authenticatorSelection": { "residentKey": "required", "requireResidentKey": true, "userVerification": "required" },
            "attestation": "none",
        });
        ChallengeShape { public_key, expires_at: challenge.expires_at.to_string() }
    }
}

/// Ask for a passkey to sign in with
///
/// The answer is what `navigator.credentials.get` takes. Nobody says who they are: whoever keeps the passkey does. It can be answered once, within
/// five minutes.
#[utoipa::path(post, path = "/v1/customer-session/passkey-challenges", operation_id = "challenge_passkey", tag = "customer", request_body = AskedShape,
    responses((status = 200, body = ChallengeShape), Problems))]
async fn challenge_passkey(
    State(app): State<App>,
    headers: HeaderMap,
    command: Command<AskedShape>,
) -> Result<Response, Problem> {
    let (origin, own) = pages(&app, &headers, command.body.origin.as_deref())?;
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let challenge = passkey::ask(tx, actor, world, (&origin, own.as_ref()))?;
        Reply::json(&ChallengeShape::from(&challenge))
    })
    .await
}

/// What a browser answers, as `PublicKeyCredential.toJSON` writes it.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyAssertion)]
pub(super) struct AssertionShape {
    /// The credential, in base64url as all of it.
    #[schema(max_length = 1364)]
    id: String,
    /// What was signed.
    response: AssertedShape,
}

/// What was signed.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyAsserted)]
struct AssertedShape {
    /// What the browser says it did.
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    /// What the authenticator says.
    #[serde(rename = "authenticatorData")]
    authenticator_data: String,
    /// Its signature of both.
    signature: String,
    /// Whose passkey it is.
    #[serde(rename = "userHandle")]
    user_handle: Option<String>,
}

impl AssertionShape {
    pub(super) fn read(&self, fields: &mut Fields) -> Option<Assertion> {
        let credential = fields.take("id", bytes(&self.id));
        let response = &self.response;
        let client_data = fields.take("response.clientDataJSON", bytes(&response.client_data));
        let said = fields.take("response.authenticatorData", bytes(&response.authenticator_data));
        let signature = fields.take("response.signature", bytes(&response.signature));
        let owner = fields.take_if("response.userHandle", response.user_handle.as_deref(), bytes);
        Some(Assertion {
            credential: credential?,
            client_data: client_data?,
            said: said?,
            signature: signature?,
            // Some browsers write an empty one where there is none.
            owner: owner?.filter(|owner| !owner.is_empty()),
        })
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, &'static str> {
    let read = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    read.ok().filter(|bytes| bytes.len() <= SAID_BYTES_MAX).ok_or("give bytes in base64url")
}

/// A passkey's answer, and where to go on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeySignIn, example = json!({"credential": {"id": "AQID", "rawId": "AQID", "type": "public-key", "response": {"clientDataJSON": "e30",
    "authenticatorData": "AQID", "signature": "AQID", "userHandle": "AQID"}}, "channel": "web"}))]
struct PasskeySignInShape {
    /// What the browser answered.
    credential: AssertionShape,
    /// The channel the customer comes through: its id or external id.
    #[schema(min_length = 1, max_length = 255)]
    channel: String,
    /// The basket filled before: it becomes the customer's, or its lines go into the one he has in this channel.
    #[schema(max_length = 64)]
    cart: Option<String>,
}

/// Sign a customer in by a passkey
///
/// As by a code, into the same session. A challenge is used up by its first answer, right or wrong. A passkey that signed less often than it did
/// before was copied, and is not let in.
#[utoipa::path(post, path = "/v1/customer-session/passkeys", operation_id = "sign_in_by_passkey", tag = "customer", request_body = PasskeySignInShape,
    responses((status = 200, body = SignedInShape), Problems))]
async fn sign_in_by_passkey(
    State(app): State<App>,
    extensions: Extensions,
    headers: HeaderMap,
    command: Command<PasskeySignInShape>,
) -> Result<Response, Problem> {
    let command = command.unkeyed();
    let (actor, asked) = (command.request.actor, command.body);
    let mut fields = Fields::new();
    let given = fields.within("credential", |fields| asked.credential.read(fields));
    let cart = fields.take_if("cart", asked.cart.as_deref(), Id::<id::Cart>::parse);
    let entrance = cart.map(|cart| Entrance { channel: Reference::read(&asked.channel), cart });
    let (given, entrance) = fields.done(given.zip(entrance))?;
    let address = address_of(&extensions, &headers, app.edge.settings.behind_proxy);
    app.edge.limits.count_sign_in(Sha256::digest(&given.credential).into(), address)?;
    // A challenge that was answered wrongly is used up, so it must not come back as after a refusal.
    let opened = app.write(move |tx, world| passkey::open(tx, &actor, world, (&given, &entrance))).await?;
    let opened: Opened = opened.ok_or_else(|| misfit(Code::SignInFailed))?;
    document(&SignedInShape::from(opened), None)
}

/// What is said of every answer that does not fit, whatever the reason.
pub(super) fn misfit(code: Code) -> Refusal {
    let why = "the passkey is not known here, or its answer does not fit; ask for a new challenge, or sign in by a code";
    Refusal::new(code, why).at("credential")
}

/// Ask for a passkey to be made
///
/// The answer is what `navigator.credentials.create` takes. Only the customer who is signed in may ask.
#[utoipa::path(post, path = "/v1/customers/{id}/passkey-challenges", operation_id = "invite_passkey", tag = "customer", request_body = AskedShape,
    params(("id" = String, Path, description = "its id or external id")), responses((status = 200, body = ChallengeShape), Problems))]
async fn invite_passkey(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
    command: Command<AskedShape>,
) -> Result<Response, Problem> {
    let (origin, own) = pages(&app, &headers, command.body.origin.as_deref())?;
    let reference = Reference::read(&id);
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let invitation = passkey::invite(tx, actor, world, id, (&origin, own.as_ref()))?;
        Reply::json(&ChallengeShape::from(&invitation))
    })
    .await
}

/// A passkey that was made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPasskey, example = json!({"credential": {"id": "AQID", "rawId": "AQID", "type": "public-key", "response": {"clientDataJSON": "e30",
    "attestationObject": "AQID"}}, "name": "My phone"}))]
struct NewPasskeyShape {
    /// What the browser answered.
    credential: AttestationShape,
    /// What its owner calls it: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// What a browser answers, as `PublicKeyCredential.toJSON` writes it.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyAttestation)]
pub(super) struct AttestationShape {
    /// What was made.
    response: AttestedShape,
}

impl AttestationShape {
    pub(super) fn read(&self, name: &str) -> Result<Registration, Refusal> {
        let mut fields = Fields::new();
        let client_data =
            fields.take("credential.response.clientDataJSON", bytes(&self.response.client_data));
        let attestation =
            fields.take("credential.response.attestationObject", bytes(&self.response.attestation));
        let read = client_data.zip(attestation);
        let (client_data, attestation) = fields.done(read)?;
        Ok(Registration { client_data, attestation, name: name.to_owned() })
    }
}

/// What was made.
#[derive(Deserialize, ToSchema)]
#[schema(as = PasskeyAttested)]
struct AttestedShape {
    /// What the browser says it did, in base64url as all of it.
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    /// What the authenticator says.
    #[serde(rename = "attestationObject")]
    attestation: String,
}

/// A passkey of a customer.
#[derive(Serialize, ToSchema)]
#[schema(as = Passkey, example = json!({"id": "pky_01jd0000000000000000000000", "name": "My phone", "domain": "shop.example", "copied": true,
    "made_at": "2026-11-21T09:30:00Z", "used_at": "2026-11-22T18:05:00Z"}))]
struct PasskeyShape {
    /// Its id.
    id: String,
    /// What its owner calls it.
    name: String,
    /// The domain it opens.
    domain: String,
    /// It is kept on several devices of its owner.
    copied: bool,
    /// When it was registered.
    #[schema(format = DateTime)]
    made_at: String,
    /// When somebody last signed in by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    used_at: Option<String>,
}

impl From<&Passkey> for PasskeyShape {
    fn from(one: &Passkey) -> PasskeyShape {
        PasskeyShape {
            id: one.id.to_string(),
            name: one.name.clone(),
            domain: one.domain.clone(),
            copied: one.is_copied,
            made_at: one.made_at.to_string(),
            used_at: one.used_at.map(|at| at.to_string()),
        }
    }
}

/// Register a passkey
///
/// The customer signs in by it from now on; the mailed code stays. At most 20.
#[utoipa::path(post, path = "/v1/customers/{id}/passkeys", operation_id = "register_passkey", tag = "customer", request_body = NewPasskeyShape,
    params(("id" = String, Path, description = "its id or external id")), responses((status = 201, body = PasskeyShape), Problems))]
async fn register_passkey(
    State(app): State<App>,
    Path(id): Path<String>,
    command: Command<NewPasskeyShape>,
) -> Result<Response, Problem> {
    let given = command.body.credential.read(&command.body.name)?;
    let reference = Reference::read(&id);
    app.perform(command.unkeyed().request, StatusCode::CREATED, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        let made = passkey::register(tx, actor, world, id, &given)?;
        Reply::json(&PasskeyShape::from(&made.ok_or_else(|| misfit(Code::Invalid))?))
    })
    .await
}

/// List a customer's passkeys
#[utoipa::path(get, path = "/v1/customers/{id}/passkeys", operation_id = "list_passkeys", tag = "customer",
    params(("id" = String, Path, description = "its id or external id")), responses((status = 200, body = Page<PasskeyShape>), Problems))]
async fn list_passkeys(
    State(app): State<App>,
    Caller(actor): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let reference = Reference::read(&id);
    let found = app
        .write(move |tx, world| {
            let id = external::resolve(tx, &reference)?;
            passkey::list(tx, &actor, world, id)
        })
        .await?;
    document(&Page { items: found.iter().map(PasskeyShape::from).collect(), next_cursor: None }, None)
}

/// Another name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyName, example = json!({"name": "My tablet"}))]
struct NameShape {
    /// What its owner calls it: 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// Call a passkey something else
#[utoipa::path(post, path = "/v1/customers/{id}/passkeys/{passkey}/rename", operation_id = "rename_passkey", tag = "customer", request_body = NameShape,
    params(("id" = String, Path, description = "the customer's id or external id"), ("passkey" = String, Path, description = "its id")),
    responses((status = 200, body = PasskeyShape), Problems))]
async fn rename_passkey(
    State(app): State<App>,
    Path((id, passkey)): Path<(String, String)>,
    command: Command<NameShape>,
) -> Result<Response, Problem> {
    let (reference, passkey, name) = (Reference::read(&id), named(&passkey)?, command.body.name.clone());
    app.perform(command.unkeyed().request, StatusCode::OK, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        Reply::json(&PasskeyShape::from(&passkey::rename(tx, actor, world, (id, passkey), &name)?))
    })
    .await
}

/// Remove a passkey
///
/// Nobody signs in by it any more. Sessions that it opened go on.
#[utoipa::path(delete, path = "/v1/customers/{id}/passkeys/{passkey}", operation_id = "remove_passkey", tag = "customer",
    params(("id" = String, Path, description = "the customer's id or external id"), ("passkey" = String, Path, description = "its id")),
    responses((status = 204), Problems))]
async fn remove_passkey(
    State(app): State<App>,
    Path((id, passkey)): Path<(String, String)>,
    command: Command<()>,
) -> Result<Response, Problem> {
    let (reference, passkey) = (Reference::read(&id), named(&passkey)?);
    app.perform(command.request, StatusCode::NO_CONTENT, move |tx, actor, world| {
        let id = external::resolve(tx, &reference)?;
        passkey::remove(tx, actor, world, (id, passkey))?;
        Reply::json(&())
    })
    .await
}

fn named(text: &str) -> Result<Id<id::Passkey>, Problem> {
    Id::parse(text).map_err(|_| Refusal::not_found("passkey", text).into())
}

/// The domain passkeys are made for.
#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyDomain, example = json!({"domain": "shop.example", "version": 1}))]
struct DomainShape {
    /// They hold on every page below it; absent when they are made for the host of each page.
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

/// Read the domain passkeys are made for
#[utoipa::path(get, path = "/v1/passkey-domain", operation_id = "read_passkey_domain", tag = "customer",
    responses((status = 200, body = DomainShape), Problems))]
async fn read_passkey_domain(State(app): State<App>, Caller(actor): Caller) -> Result<Response, Problem> {
    let (domain, version) = app.read(move |tx| passkey::read_domain(tx, &actor)).await?;
    document(&DomainShape { domain, version }, Some(version))
}

/// The domain passkeys shall be made for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPasskeyDomain, example = json!({"domain": "shop.example"}))]
struct NewDomainShape {
    /// They hold on every page below it; none makes them for the host of each page.
    #[schema(max_length = 253)]
    domain: Option<String>,
}

/// Set the domain passkeys are made for
///
/// Passkeys of another domain are kept, and open again when theirs is set again.
#[utoipa::path(put, path = "/v1/passkey-domain", operation_id = "set_passkey_domain", tag = "customer", request_body = NewDomainShape,
    params(("If-Match" = String, Header, description = "the `ETag` it was read with")), responses((status = 200, body = DomainShape), Problems))]
async fn set_passkey_domain(
    State(app): State<App>,
    command: Command<NewDomainShape>,
) -> Result<Response, Problem> {
    let (domain, read) = (command.body.domain, command.if_match);
    app.perform(command.request, StatusCode::OK, move |tx, actor, world| {
        let (domain, version) = passkey::set_domain(tx, actor, world, (domain.clone(), read))?;
        Reply::versioned(&DomainShape { domain, version }, version)
    })
    .await
}
