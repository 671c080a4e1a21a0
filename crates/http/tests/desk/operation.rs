//! Every operation of the description, with its example, ready to be asked.

use serde_json::Value;

use super::{Answer, Desk};

/// Samples for ids in paths, by the part of the path before them, where an external id is not taken.
const IDS: &[(&str, &str)] = &[
    ("api-keys", "key_01jd0000000000000000000000"),
    ("exchanges", "exg_01jd0000000000000000000000"),
    ("gift-cards", "gft_01jd0000000000000000000000"),
    ("jobs", "job_01jd0000000000000000000000"),
    ("matches", "mat_01jd0000000000000000000000"),
    ("merges", "mrg_01jd0000000000000000000000"),
    ("passkeys", "pky_01jd0000000000000000000000"),
    ("privacy-requests", "pvr_01jd0000000000000000000000"),
    ("return-policies", "rpo_01jd0000000000000000000000"),
    ("roles", "rol_01jd0000000000000000000000"),
    ("routing-decisions", "rdc_01jd0000000000000000000000"),
    ("routing-profiles", "rpf_01jd0000000000000000000000"),
    ("routing-simulations", "rsm_01jd0000000000000000000000"),
    ("sign-on-providers", "sop_01jd0000000000000000000000"),
    ("staff", "stf_01jd0000000000000000000000"),
    ("store-credits", "scr_01jd0000000000000000000000"),
];

/// An operation of the description, ready to be asked.
#[derive(Clone)]
pub struct Operation {
    /// Its id.
    pub name: String,
    /// The method.
    pub method: String,
    /// The path as in the description.
    pub route: String,
    /// The path with samples filled in.
    pub path: String,
    /// The names of all that its query may have.
    pub query: Vec<String>,
    /// The example of its body, if it has one.
    pub body: Option<Value>,
}

impl Operation {
    /// Asks it with its example.
    pub fn ask(&self, desk: &Desk, token: Option<&str>) -> Answer {
        self.ask_under(&self.name, desk, token)
    }

    /// Asks it under this idempotency key.
    pub fn ask_under(&self, key: &str, desk: &Desk, token: Option<&str>) -> Answer {
        let bearer = format!("Bearer {}", token.unwrap_or_default());
        let mut headers = vec![("idempotency-key", key), ("if-match", "\"1\"")];
        if token.is_some() {
            headers.push(("authorization", &bearer));
        }
        desk.send(&self.method, &self.path, &headers, self.body.clone())
    }
}

/// The operations of the description, with examples filled in.
pub fn operations(description: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let name = operation["operationId"].as_str().expect("an operation id").to_owned();
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let body = (!body.is_null()).then(|| example(description, body, &name));
            let (route, path) = (path.clone(), filled(path, operation));
            let query =
                in_query(operation).filter_map(|one| one["name"].as_str()).map(str::to_owned).collect();
            found.push(Operation { name, method: method.to_uppercase(), route, path, query, body });
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
    let query: Vec<String> = in_query(operation)
        .filter(|one| one["required"] == true)
        .map(|one| {
            let sample = one["example"].as_str().unwrap_or("1");
            format!("{}={sample}", one["name"].as_str().unwrap_or_default())
        })
        .collect();
    format!("{}?{}", filled.join("/"), query.join("&"))
}

fn in_query(operation: &Value) -> impl Iterator<Item = &Value> {
    operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "query")
}

/// The description as it is served.
pub fn description(desk: &Desk) -> Value {
    desk.send("GET", "/v1/openapi.json", &[], None).json
}
