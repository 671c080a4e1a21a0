//! Every operation of the API has a line in the list of what it needs. An operation without one fails the test; so does one that answers
//! somebody who lacks what it needs, or refuses somebody who has it.

mod desk;

use std::collections::{BTreeMap, BTreeSet};

use desk::{Answer, Desk, key_for};
use domain::actor::Permission;
use serde_json::Value;
use sim::shop::TestShop;
use tandem_http::access::Needs::{Credential, Nothing, OneOf};
use tandem_http::access::{Needs, OPERATIONS, needs_of};

/// Samples for ids in paths, by the part of the path before them, where an external id is not taken.
const IDS: &[(&str, &str)] = &[
    ("api-keys", "key_01jd0000000000000000000000"),
    ("jobs", "job_01jd0000000000000000000000"),
    ("roles", "rol_01jd0000000000000000000000"),
    ("staff", "stf_01jd0000000000000000000000"),
];

/// An operation of the description, ready to be asked.
struct Operation {
    name: String,
    method: String,
    /// The path as in the description.
    route: String,
    /// The path with samples filled in.
    path: String,
    body: Option<Value>,
}

impl Operation {
    /// What it needs; a missing line is told by the test of names.
    fn needs(&self) -> Needs {
        needs_of(&self.method, &self.route).unwrap_or(Credential)
    }

    fn ask(&self, desk: &Desk, token: Option<&str>) -> Answer {
        let bearer = format!("Bearer {}", token.unwrap_or_default());
        let mut headers = vec![("idempotency-key", self.name.as_str()), ("if-match", "\"1\"")];
        if token.is_some() {
            headers.push(("authorization", &bearer));
        }
        desk.send(&self.method, &self.path, &headers, self.body.clone())
    }
}

/// The operations of the description, with examples filled in.
fn operations(description: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let name = operation["operationId"].as_str().expect("an operation id").to_owned();
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = (!body.is_null()).then(|| example(description, body, &name));
            let (route, path) = (path.clone(), filled(path, operation));
            found.push(Operation { name, method: method.to_uppercase(), route, path, body });
        }
    }
    found
}

/// The example of a body; put together from its parts where it has none itself, as bodies with many rows.
fn example(description: &Value, schema: &Value, name: &str) -> Value {
    let reference = schema["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    let schema = reference.and_then(|pointer| description.pointer(pointer)).unwrap_or(schema);
    if let Some(given) = schema["examples"].get(0).or_else(|| schema.get("example")) {
        return given.clone();
    }
    let first = ["enum", "oneOf", "allOf"].iter().find_map(|word| schema[word].get(0));
    match (schema["type"].as_str(), first) {
        (Some("string"), Some(word)) => word.clone(),
        (_, Some(part)) => example(description, part, name),
        (Some("array"), _) => Value::Array(vec![example(description, &schema["items"], name)]),
        (Some("object"), _) => {
            let needed = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let part =
                |field: &str| example(description, &schema["properties"][field], &format!("{name}.{field}"));
            needed.map(|field| (field.to_owned(), part(field))).collect()
        }
        _ => panic!("the body of {name} has no example"),
    }
}

/// The path with samples for its parameters and for what the query must have.
fn filled(path: &str, operation: &Value) -> String {
    let mut filled: Vec<&str> = Vec::new();
    for part in path.split('/') {
        let before = filled.last().copied().unwrap_or_default();
        let sample = IDS.iter().find(|(word, _)| *word == before).map_or("SAMPLE-1", |(_, id)| id);
        filled.push(if part.starts_with('{') { sample } else { part });
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let needed = parameters.filter(|one| one["in"] == "query" && one["required"] == true);
    let query: Vec<String> = needed
        .map(|one| {
            let sample = one["example"].as_str().unwrap_or("1");
            format!("{}={sample}", one["name"].as_str().unwrap_or_default())
        })
        .collect();
    format!("{}?{}", filled.join("/"), query.join("&"))
}

fn description(desk: &Desk) -> Value {
    desk.send("GET", "/v1/openapi.json", &[], None).json
}

#[test]
fn every_operation_says_what_it_needs() {
    let shop = TestShop::on_sqlite(1);
    let described = operations(&description(&Desk::of(&shop)));
    let described: BTreeSet<(String, String)> =
        described.into_iter().map(|one| (one.method, one.route)).collect();
    let listed = OPERATIONS.iter().map(|(method, route, _)| ((*method).to_owned(), (*route).to_owned()));
    let listed: BTreeSet<(String, String)> = listed.collect();
    assert_eq!(listed.len(), OPERATIONS.len(), "an operation has two lines");
    let (missing, gone): (Vec<_>, Vec<_>) =
        (described.difference(&listed).collect(), listed.difference(&described).collect());
    assert!(missing.is_empty(), "say in http/src/access.rs what these need: {missing:#?}");
    assert!(gone.is_empty(), "these are gone from the API, remove them from http/src/access.rs: {gone:#?}");
}

#[test]
fn whoever_gives_no_credential_is_asked_for_one() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let mut wrong = Vec::new();
    for operation in operations(&description(&desk)) {
        let answer = operation.ask(&desk, None);
        let open = matches!(operation.needs(), Nothing(_));
        if !open && (answer.status != 401 || answer.code() != "sign_in_needed") {
            wrong.push(format!("{}: {} {}", operation.name, answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "answered without a credential:\n{}", wrong.join("\n"));
}

#[test]
fn whoever_lacks_the_permission_is_refused() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let mut keys: BTreeMap<Vec<&str>, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    for operation in operations(&description(&desk)) {
        let OneOf(needed) = operation.needs() else { continue };
        let names: Vec<&str> = needed.iter().map(|permission| permission.text()).collect();
        let others =
            || Permission::ALL.iter().copied().filter(|one| !needed.contains(one)).collect::<Vec<_>>();
        let key = keys.entry(names.clone()).or_insert_with(|| key_for(&shop, &others()));
        let answer = operation.ask(&desk, Some(key));
        let told = answer.json["detail"].as_str().unwrap_or_default();
        let named = told.contains(&format!("\"{}\"", names[0]));
        if answer.status != 403 || answer.code() != "forbidden" || !named {
            wrong.push(format!("{} without {names:?}: {} {}", operation.name, answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "not refused:\n{}", wrong.join("\n"));
}

#[test]
fn whoever_has_the_permission_is_let_in() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let mut wrong = Vec::new();
    for operation in operations(&description(&desk)) {
        let OneOf(needed) = operation.needs() else { continue };
        // A stream goes on for ever; its own story opens it.
        if operation.name == "stream_events" {
            continue;
        }
        for permission in needed {
            // Who manages access gives away only what he has.
            let held = if *permission == Permission::ManageAccess { Permission::ALL } else { &[*permission] };
            let answer = operation.ask(&desk, Some(&key_for(&shop, held)));
            if answer.status == 401 || answer.status == 403 || answer.status.is_server_error() {
                wrong.push(format!(
                    "{} with {}: {} {}",
                    operation.name,
                    permission.text(),
                    answer.status,
                    answer.text
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "not let in:\n{}", wrong.join("\n"));
}

#[test]
fn an_open_operation_says_why() {
    for (_, route, needs) in OPERATIONS {
        if let Nothing(why) = needs {
            assert!(why.len() > 20, "{route}: say why it is open to everybody");
        }
    }
}
