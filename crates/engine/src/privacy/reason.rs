//! Why a request about data is refused or takes longer, in words for who asked (regulation (EU) 2016/679, article 12, paragraphs 3 and 4): sealed
//! under the person's key, told in a message, and opened only there, in the archive, and for who may read the request.

use domain::Refusal;
use domain::message::Template;
use domain::value::Id;
use domain::value::id::PrivacyRequest as RequestKind;
use store::Tx;

use super::Request;
use crate::consent::subscriber::{self, Subscriber};
use crate::message::send;
use crate::{Failure, World, contact};

/// Seals a reason with the message that tells it, so that neither opens as another or as the note.
pub(super) fn seal(
    tx: &mut Tx<'_>,
    world: &mut World,
    (one, reason): (&Subscriber, &str),
    (template, id): (Template, Id<RequestKind>),
) -> Result<Vec<u8>, Failure> {
    contact::seal(tx, world, one.person, reason.as_bytes(), &send::context(template, &id.to_string()))
}

/// Refuses to close a request without the reason that the person has a right to, or with one that nobody would read.
pub(super) fn must_fit(is_refused: bool, reason: Option<&str>) -> Result<(), Refusal> {
    match (is_refused, reason) {
        (true, None) => {
            Err(Refusal::invalid("reason", "say why, in words for who asked: it is sent to them"))
        }
        (false, Some(_)) => Err(Refusal::invalid("reason", "give it only when the request is refused")),
        _ => Ok(()),
    }
}

/// Why a request is refused, and why it took longer, as who asked was told; for a caller that has read the request. `None` when nothing was
/// said, or the person was erased.
///
/// # Errors
/// What the store says.
pub fn told(
    tx: &mut Tx<'_>,
    world: &World,
    request: &Request,
) -> Result<(Option<String>, Option<String>), Failure> {
    let Some(one) = subscriber::find(tx, request.subscriber)? else { return Ok((None, None)) };
    let mut open = |template: Template, sealed: &Option<Vec<u8>>| -> Result<Option<String>, Failure> {
        let Some(sealed) = sealed else { return Ok(None) };
        let context = send::context(template, &request.id.to_string());
        let text = contact::unseal(tx, world, one.person, sealed, &context)?;
        Ok(text.and_then(|text| String::from_utf8(text).ok()))
    };
    let refusal = open(Template::PrivacyRefused, &request.reason)?;
    Ok((refusal, open(Template::PrivacyExtended, &request.extension_reason)?))
}
