//! Events in the form of PostHog. It sends one id, which is a browser's before anybody signed in and a person's afterwards.

use domain::behaviour::{Call, Fault, happened_at};
use domain::identity::Kind;
use domain::value::Instant;
use engine::behaviour::{Incoming, incoming};
use serde_json::{Map, Value};

use super::segment::{CARDS, as_it_came, shortened, too_large};
use super::wire::{Ids, instant_of, text_of};

/// The events of a body: one, a list, or a batch. `asked` is when the address says it was sent.
pub(super) fn events(body: &Value, asked: Option<Instant>, received: Instant) -> Vec<Incoming> {
    let sent = instant_of(&body["sent_at"]).or(asked);
    let mut ids = Ids::default();
    match body["batch"].as_array().or_else(|| body.as_array()) {
        Some(batch) => batch.iter().map(|one| event(one, sent, received, &mut ids)).collect(),
        None => vec![event(body, sent, received, &mut ids)],
    }
}

fn event(one: &Value, sent: Option<Instant>, received: Instant, ids: &mut Ids) -> Incoming {
    let name = text_of(&one["event"]);
    let (call, name) = match name.as_deref() {
        Some("$pageview") => (Call::Page, text_of(&one["properties"]["title"])),
        Some("$screen") => (Call::Screen, text_of(&one["properties"]["$screen_name"])),
        Some("$identify" | "$set") => (Call::Identify, None),
        Some("$create_alias") => (Call::Alias, None),
        Some("$groupidentify") => (Call::Group, None),
        _ => (Call::Track, name),
    };
    let stamped = instant_of(&one["timestamp"]).or_else(|| {
        let ago = one["offset"].as_i64()?.checked_mul(1_000)?;
        Some(Instant::from_micros(received.micros().checked_sub(ago)?))
    });
    let fault = too_large(one)
        .or_else(|| (!one.is_object()).then(|| (Fault::Unreadable, "an event is an object".to_owned())));
    let told = text_of(&one["uuid"]).or_else(|| text_of(&one["properties"]["$insert_id"]));
    let timed = instant_of(&one["timestamp"]).is_some();
    let message = told.unwrap_or_else(|| ids.id_of(one, (!timed).then_some(sent.unwrap_or(received))));
    Incoming {
        call,
        name: name.and_then(|name| shortened(&name)),
        message: Some(message),
        identifiers: identifiers(one, call),
        at: happened_at(received, sent, stamped),
        body: fault.as_ref().map_or_else(|| body(one), |(fault, _)| as_it_came(one, *fault)),
        fault,
    }
}

/// Whom it is about. The device is not taken for a browser: it stays when another person signs in.
fn identifiers(one: &Value, call: Call) -> Vec<(Kind, Option<String>, String)> {
    let properties = &one["properties"];
    let mut found = Vec::new();
    let ids = [&one["distinct_id"], &one["$distinct_id"], &properties["distinct_id"]];
    if let Some(id) = ids.into_iter().find_map(text_of) {
        let told = ["$is_identified", "$process_person_profile"];
        let of_browser = told.iter().any(|name| properties[*name] == Value::Bool(false))
            || (call != Call::Identify && text_of(&properties["$device_id"]).as_ref() == Some(&id));
        found.push((if of_browser { Kind::AnonymousId } else { Kind::UserId }, None, id));
    }
    for before in [&properties["$anon_distinct_id"], &one["$anon_distinct_id"]] {
        found.extend(text_of(before).map(|id| (Kind::AnonymousId, None, id)));
    }
    if call == Call::Alias {
        found.extend(text_of(&properties["alias"]).map(|id| (Kind::AnonymousId, None, id)));
    }
    for traits in [&one["$set"], &properties["$set"], &properties["$set_once"]] {
        found.extend(text_of(&traits["email"]).map(|mail| (Kind::Email, None, mail)));
        found.extend(text_of(&traits["phone"]).map(|phone| (Kind::Phone, None, phone)));
        for (kind, name) in CARDS.iter().flat_map(|(kind, names)| names.map(|name| (*kind, name))) {
            found.extend(text_of(&traits[name]).map(|number| (kind, None, number)));
        }
    }
    found
}

fn body(one: &Value) -> Value {
    let mut properties = one["properties"].as_object().cloned().unwrap_or_default();
    let mut traits = Map::new();
    for name in ["$set_once", "$set"] {
        let given = [one.get(name).cloned(), properties.remove(name)];
        for (name, value) in given.into_iter().flatten().filter_map(|one| one.as_object().cloned()).flatten()
        {
            traits.insert(name, value);
        }
    }
    properties.remove("token");
    incoming::body(Some(Value::Object(properties)), Some(Value::Object(traits)), None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RECEIVED: Instant = Instant::from_micros(1_780_308_000_000_000);

    #[test]
    fn a_browsers_id_becomes_a_persons() {
        let body = json!({ "api_key": "k", "batch": [
            { "event": "$pageview", "uuid": "1", "properties": { "distinct_id": "d1", "$device_id": "d1", "title": "Home", "token": "k" } },
            { "event": "$identify", "uuid": "2", "distinct_id": "u1",
              "properties": { "$anon_distinct_id": "d1", "$device_id": "d1", "$set": { "email": "a@b.co", "plan": "gold", "loyalty_number": 7 } } },
            { "event": "Bought", "uuid": "3", "distinct_id": "u1", "properties": { "$device_id": "d1" }, "offset": 60_000 } ] });
        let events = events(&body, None, RECEIVED);
        assert_eq!((events[0].call, events[0].name.as_deref()), (Call::Page, Some("Home")));
        assert_eq!(events[0].identifiers, [(Kind::AnonymousId, None, "d1".to_owned())]);
        assert_eq!(
            events[1].identifiers,
            [
                (Kind::UserId, None, "u1".to_owned()),
                (Kind::AnonymousId, None, "d1".to_owned()),
                (Kind::Email, None, "a@b.co".to_owned()),
                (Kind::LoyaltyNumber, None, "7".to_owned())
            ]
        );
        assert_eq!(
            events[1].body["traits"],
            json!({ "email": "a@b.co", "plan": "gold", "loyalty_number": 7 })
        );
        assert_eq!(events[2].identifiers, [(Kind::UserId, None, "u1".to_owned())]);
        assert_eq!(events[2].at.micros(), RECEIVED.micros() - 60_000_000);
        assert_eq!(
            events[0].body["properties"],
            json!({ "distinct_id": "d1", "$device_id": "d1", "title": "Home" })
        );
    }
}
