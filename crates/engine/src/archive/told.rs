//! Of an archive: what the person said, was sent and asked, and what colleagues noted.

use domain::actor::Actor;
use domain::detail::{Kind, NOTES_MAX};
use domain::value::Id;
use serde_json::{Value, json};
use store::consent::subscriber::links_of;
use store::{Tx, consent as consents, message as messages, privacy as requests};

use super::{LAST, MANY_MAX, Whole, written};
use crate::address::{self, Holder};
use crate::company::member;
use crate::consent::link::Deed;
use crate::customer::record;
use crate::detail::{note, preference};
use crate::{Failure, World, consent, privacy};

pub(super) fn said(tx: &mut Tx<'_>, world: &World, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for one in &whole.subscribers {
        for said in whole.all(consents::history(tx, one.id, Id::from_bytes(LAST), MANY_MAX)?) {
            let evidence = consent::evidence_of(tx, world, one, &said)?;
            all.push(json!({ "id": said.id.to_string(), "purpose": said.cell.purpose, "medium": said.cell.medium.text(),
                "topic": said.cell.topic, "language": one.language.to_string(), "status": said.status.text(), "source": said.source.text(), "wording": said.wording,
                "at": said.at.to_string(), "expires_at": said.expires_at.map(|at| at.to_string()), "evidence": evidence }));
        }
    }
    Ok(Value::Array(all))
}

pub(super) fn sent(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for one in &whole.subscribers {
        for message in whole.all(messages::list(tx, one.id, Id::from_bytes(LAST), MANY_MAX)?) {
            all.push(json!({ "id": message.id.to_string(), "medium": message.medium.text(), "kind": message.kind.text(),
                "template": message.template.text(), "state": message.state.text(), "made_at": message.made_at.to_string() }));
        }
    }
    Ok(Value::Array(all))
}

pub(super) fn asked(tx: &mut Tx<'_>, world: &World, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for one in &whole.subscribers {
        for request in whole.all(requests::of_subscriber(tx, one.id, MANY_MAX)?) {
            let (reason, extension_reason) = privacy::reason::told(tx, world, &request)?;
            all.push(json!({ "id": request.id.to_string(), "kind": request.kind.text(), "state": request.state.text(),
                "made_at": request.made_at.to_string(), "due_at": request.due_at.to_string(),
                "note": privacy::note_of(tx, world, &request)?, "reason": reason, "extension_reason": extension_reason }));
        }
    }
    Ok(Value::Array(all))
}

pub(super) fn companies(tx: &mut Tx<'_>, actor: &Actor, whole: &Whole) -> Result<Value, Failure> {
    let found = member::of_customer(tx, actor, whole.customers[0])?;
    let shape = |one: &member::Member| {
        json!({ "company": one.company.to_string(), "role": one.role.text(), "since": one.since.to_string(),
            "limit": one.limit.map(|limit| json!({ "amount": limit.minor, "currency": limit.currency.code() })) })
    };
    Ok(found.iter().map(shape).collect())
}

pub(super) fn addresses(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    whole: &Whole,
) -> Result<Value, Failure> {
    let found = address::list(tx, actor, world, Holder::Customer(whole.customers[0]))?;
    let shape = |one: &address::Shown| {
        let mut shape = written(&one.card);
        shape["id"] = json!(one.address.row.id.to_string());
        shape["label"] = json!(one.label);
        shape["for_delivery"] = json!(one.address.for_delivery);
        shape["for_billing"] = json!(one.address.for_billing);
        shape
    };
    Ok(found.iter().map(shape).collect())
}

pub(super) fn preferences(tx: &mut Tx<'_>, actor: &Actor, whole: &Whole) -> Result<Value, Failure> {
    let held = preference::read(tx, actor, whole.customers[0])?;
    let of = |kind: Kind| -> Vec<Value> {
        let said = held.others.iter().filter(|one| one.kind == kind);
        said.map(|one| json!({ "about": one.key, "brand": one.brand, "scale": one.scale, "said": one.value }))
            .collect()
    };
    Ok(
        json!({ "language": held.language.map(|language| language.to_string()), "store": held.store.map(|id| id.to_string()),
        "medium": held.medium.map(|medium| medium.text()), "answers": of(Kind::Answer), "sizes": of(Kind::Size) }),
    )
}

pub(super) fn notes(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    whole: &Whole,
) -> Result<Value, Failure> {
    let page = (Id::from_bytes(LAST), NOTES_MAX);
    let found = note::list(tx, actor, world, (whole.customers[0], false), page)?;
    let shape = |(one, text): &(note::Note, Option<String>)| {
        json!({ "id": one.id.to_string(), "text": text, "by": one.author, "at": one.made_at.to_string(),
            "follow_up_at": one.follow_up_at.map(|at| at.to_string()) })
    };
    Ok(found.iter().map(shape).collect())
}

/// What files of other systems say: which system, under which number, when, and what.
pub(super) fn records(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    whole: &Whole,
) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for one in record::list(tx, actor, whole.customers[0])? {
        let said = record::said(tx, world, &one)?;
        let says = said.map(|said| {
            let mut says = written(&said.card);
            says["groups"] = json!(said.groups);
            says
        });
        all.push(json!({ "source": one.source, "external_id": one.external_id, "at": one.said_at.to_string(), "says": says }));
    }
    Ok(Value::Array(all))
}

/// The links that were given out: what for, and until when they work.
pub(super) fn links(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for one in &whole.subscribers {
        for (link, made_at) in whole.all(links_of(tx, one.id, MANY_MAX)?) {
            all.push(json!({ "id": link.id.to_string(), "for": Deed::coded(link.deed).map(Deed::text), "made_at": made_at.to_string(),
                "expires_at": link.expires_at.to_string() }));
        }
    }
    Ok(Value::Array(all))
}

/// Since when, and why, the law forbids to forget the person.
pub(super) fn holds(tx: &mut Tx<'_>, whole: &Whole) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for id in &whole.customers {
        let held = requests::hold(tx, *id)?;
        all.extend(held.map(|(reason, since)| json!({ "since": since.to_string(), "reason": reason })));
    }
    Ok(Value::Array(all))
}
