//! Events in the form of Segment, which RudderStack and Jitsu share.

use domain::behaviour::{Call, EVENT_BYTES_MAX, Fault, NAME_CHARS_MAX, happened_at};
use domain::identity::Kind;
use domain::value::Instant;
use engine::behaviour::{Incoming, incoming};
use serde_json::{Map, Value, json};

use super::wire::{Ids, instant_of, text_of};

/// How much of an event that is too large is kept.
const CUT_CHARS: usize = EVENT_BYTES_MAX / 4;

/// The call that a path names, whole or by its first letter.
pub(super) fn call_of(word: &str) -> Option<Call> {
    Call::named(word).or_else(|| Call::ALL.iter().copied().find(|call| word == &call.text()[..1]))
}

/// The events of a body: a single one, or a batch whose context is shared.
pub(super) fn events(body: &Value, call: Option<Call>, received: Instant) -> Vec<Incoming> {
    let times = (instant_of(&body["sentAt"]), received);
    let mut ids = Ids::default();
    match body["batch"].as_array().or_else(|| body.as_array()) {
        Some(batch) => {
            let shared = body.get("context");
            batch.iter().map(|one| event(one, call, shared, times, &mut ids)).collect()
        }
        None => vec![event(body, call, None, times, &mut ids)],
    }
}

fn event(
    one: &Value,
    call: Option<Call>,
    shared: Option<&Value>,
    (sent, received): (Option<Instant>, Instant),
    ids: &mut Ids,
) -> Incoming {
    let named = one["type"].as_str().and_then(call_of).or(call);
    let stamped = instant_of(&one["originalTimestamp"]).or_else(|| instant_of(&one["timestamp"]));
    let timed = stamped.or_else(|| instant_of(&one["sentAt"]));
    let message = text_of(&one["messageId"])
        .unwrap_or_else(|| ids.id_of(one, timed.is_none().then_some(sent.unwrap_or(received))));
    let sent = instant_of(&one["sentAt"]).or(sent);
    let call = named.unwrap_or(Call::Track);
    let fault = fault_of(one, named);
    let context = one.get("context").or(shared);
    let name = text_of(&one[if call == Call::Track { "event" } else { "name" }]);
    Incoming {
        call,
        name: name.and_then(|name| shortened(&name)),
        message: Some(message),
        identifiers: identifiers(one, call, context),
        at: happened_at(received, sent, stamped),
        body: fault.as_ref().map_or_else(|| body(one, call, context), |(fault, _)| as_it_came(one, *fault)),
        fault,
    }
}

fn fault_of(one: &Value, named: Option<Call>) -> Option<(Fault, String)> {
    if let Some(large) = too_large(one) {
        return Some(large);
    }
    if !one.is_object() {
        return Some((Fault::Unreadable, "an event is an object".into()));
    }
    if named.is_none() {
        return Some((
            Fault::Unreadable,
            "give a type: identify, track, page, screen, group or alias".into(),
        ));
    }
    None
}

/// What cannot be read, as it came; of what is too large the beginning.
pub(super) fn as_it_came(one: &Value, fault: Fault) -> Value {
    match fault {
        Fault::TooLarge => json!({ "cut": one.to_string().chars().take(CUT_CHARS).collect::<String>() }),
        _ => json!({ "sent": one }),
    }
}

/// That an event is larger than allowed.
pub(super) fn too_large(one: &Value) -> Option<(Fault, String)> {
    let bytes = one.to_string().len();
    (bytes > EVENT_BYTES_MAX).then(|| {
        (Fault::TooLarge, format!("the event has {bytes} bytes, at most {EVENT_BYTES_MAX} are taken"))
    })
}

/// A name as it can be kept: not too long, and without the character that no database keeps in a text.
pub(super) fn shortened(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|character| *character != '\0').take(NAME_CHARS_MAX).collect();
    (!name.is_empty()).then_some(name)
}

/// What a person's cards are called among traits and ids of other systems; believed of programs with a secret key alone.
pub(super) const CARDS: [(Kind, [&str; 2]); 2] = [
    (Kind::LoyaltyNumber, ["loyaltyNumber", "loyalty_number"]),
    (Kind::CardToken, ["cardToken", "card_token"]),
];

fn identifiers(one: &Value, call: Call, context: Option<&Value>) -> Vec<(Kind, Option<String>, String)> {
    let context = context.unwrap_or(&Value::Null);
    let mut found = Vec::new();
    let mut add = |kind: Kind, value: &Value| found.extend(text_of(value).map(|value| (kind, None, value)));
    add(Kind::UserId, &one["userId"]);
    add(Kind::AnonymousId, &one["anonymousId"]);
    if call == Call::Alias {
        add(Kind::AnonymousId, &one["previousId"]);
    }
    add(Kind::DeviceId, &context["device"]["id"]);
    for traits in [&one["traits"], &context["traits"]] {
        if call != Call::Group || std::ptr::eq(traits, &context["traits"]) {
            add(Kind::Email, &traits["email"]);
            add(Kind::Phone, &traits["phone"]);
            for (kind, name) in CARDS.iter().flat_map(|(kind, names)| names.map(|name| (*kind, name))) {
                add(kind, &traits[name]);
            }
        }
    }
    for other in context["externalIds"].as_array().into_iter().flatten() {
        let users = other["collection"].as_str().is_none_or(|collection| collection == "users");
        if let (Some(system), Some(id), true) = (text_of(&other["type"]), text_of(&other["id"]), users) {
            let card = CARDS.iter().find(|(_, names)| names.contains(&system.as_str()));
            let (kind, system) = card.map_or((Kind::External, Some(system)), |(kind, _)| (*kind, None));
            found.push((kind, system, id));
        }
    }
    found
}

fn body(one: &Value, call: Call, context: Option<&Value>) -> Value {
    let mut properties = one["properties"].as_object().cloned().unwrap_or_else(Map::new);
    let more: &[&str] = match call {
        Call::Group => &["groupId"],
        Call::Page | Call::Screen => &["category"],
        _ => &[],
    };
    for name in more {
        if let Some(value) = one.get(*name).filter(|value| !value.is_null()) {
            properties.entry((*name).to_owned()).or_insert_with(|| value.clone());
        }
    }
    incoming::body(Some(Value::Object(properties)), one.get("traits").cloned(), context.cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECEIVED: Instant = Instant::from_micros(1_780_308_000_000_000);

    #[test]
    fn a_batch_of_any_library_is_read() {
        let body = json!({ "sentAt": "2026-06-01T12:00:00Z", "context": { "library": { "name": "x" } }, "batch": [
            { "type": "track", "event": "Product Viewed", "userId": 7, "anonymousId": null, "messageId": "m1",
              "timestamp": "2026-06-01T11:59:00Z", "properties": { "sku": "T" } },
            { "type": "identify", "anonymousId": "b1", "context": { "traits": { "email": "a@b.co", "loyaltyNumber": "mbr 7" },
              "externalIds": [{ "type": "Shopify", "id": 9 }, { "type": "card_token", "id": "tok_7" }, { "type": "x", "id": "1", "collection": "accounts" }] } },
            { "type": "alias", "userId": "u1", "previousId": "b1" }, { "type": "nonsense" }, 7 ] });
        let events = events(&body, None, RECEIVED);
        let first = &events[0];
        assert_eq!(
            (first.call, first.name.as_deref(), first.message.as_deref()),
            (Call::Track, Some("Product Viewed"), Some("m1"))
        );
        assert_eq!(
            first.at,
            Instant::from_micros(RECEIVED.micros() - 60_000_000),
            "a minute before it was sent"
        );
        assert_eq!(first.identifiers, [(Kind::UserId, None, "7".to_owned())]);
        assert_eq!(
            first.body,
            json!({ "properties": { "sku": "T" }, "context": { "library": { "name": "x" } } })
        );
        assert_eq!(
            events[1].identifiers,
            [
                (Kind::AnonymousId, None, "b1".to_owned()),
                (Kind::Email, None, "a@b.co".to_owned()),
                (Kind::LoyaltyNumber, None, "mbr 7".to_owned()),
                (Kind::External, Some("Shopify".to_owned()), "9".to_owned()),
                (Kind::CardToken, None, "tok_7".to_owned())
            ]
        );
        assert_eq!(events[2].identifiers.len(), 2);
        let faults: Vec<_> = events.iter().map(|one| one.fault.as_ref().map(|(fault, _)| *fault)).collect();
        assert_eq!(faults, [None, None, None, Some(Fault::Unreadable), Some(Fault::Unreadable)]);
        assert_eq!(events[3].body, json!({ "sent": { "type": "nonsense" } }), "kept as it came");
    }

    #[test]
    fn one_letter_is_enough() {
        assert_eq!(
            ["i", "t", "p", "s", "g", "a"].map(call_of),
            ["identify", "track", "page", "screen", "group", "alias"].map(call_of)
        );
        let large = events(
            &json!({ "userId": "u", "event": "x", "properties": { "text": "y".repeat(EVENT_BYTES_MAX) } }),
            call_of("t"),
            RECEIVED,
        );
        let kept = large[0].body["cut"].as_str().map(str::len);
        assert!(matches!(large[0].fault, Some((Fault::TooLarge, _))) && kept == Some(CUT_CHARS));
    }

    #[test]
    fn two_clicks_without_an_id_are_two_and_sent_again_they_are_the_same() {
        let click = json!({ "type": "track", "event": "Clicked", "anonymousId": "b1" });
        let timed = json!({ "type": "track", "event": "Clicked", "anonymousId": "b1", "timestamp": "2026-06-01T11:59:00Z" });
        let ids = |body: &Value, received: Instant| -> Vec<_> {
            events(body, None, received).into_iter().map(|one| one.message).collect()
        };
        let later = Instant::from_micros(RECEIVED.micros() + 5_000_000);
        let sent = json!({ "sentAt": "2026-06-01T12:00:00Z", "batch": [click, click, timed, timed] });
        let first = ids(&sent, RECEIVED);
        assert!(first.iter().enumerate().all(|(place, id)| !first[..place].contains(id)), "{first:?}");
        assert_eq!(first, ids(&sent, later), "sent again");
        assert_eq!(first[2], ids(&json!({ "batch": [timed] }), later)[0], "in another batch");
        assert_ne!(
            ids(&json!({ "batch": [click] }), RECEIVED),
            ids(&json!({ "batch": [click] }), later),
            "nobody knows"
        );
    }
}
