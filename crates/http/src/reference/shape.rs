//! How the reference shows a shape: its fields with their kinds and bounds, and an example.

use serde_json::{Value, json};

/// Nested so deep, an example ends.
const DEPTH_MAX: usize = 6;

/// A named shape with its fields.
pub(super) fn shown(name: &str, schema: &Value) -> Value {
    let required = |field: &str| {
        schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one.as_str() == Some(field)))
    };
    let mut fields = Vec::new();
    for part in std::iter::once(schema).chain(schema["allOf"].as_array().into_iter().flatten()) {
        for (field, about) in part["properties"].as_object().into_iter().flatten() {
            fields.push(json!({
                "name": field,
                "type": kind(about),
                "required": required(field) || part["required"].as_array().is_some_and(|all| all.contains(&json!(field))),
                "about": about["description"],
            }));
        }
    }
    let named = |one: &Value| reference(one).is_some().then(|| kind(one));
    let parts: Vec<Value> = ["allOf", "oneOf", "anyOf"]
        .iter()
        .flat_map(|word| schema[*word].as_array().into_iter().flatten())
        .filter_map(named)
        .collect();
    json!({
        "name": name,
        "about": schema["description"],
        "type": kind(schema),
        "fields": fields,
        "parts": parts,
        "example": schema.get("example").map(pretty),
    })
}

/// What a value is, in words, with the name of the shape it leads to: `{"text": "list of", "shape": "Money"}`.
pub(super) fn kind(schema: &Value) -> Value {
    let (text, shape) = words(schema);
    json!({ "text": text, "shape": shape })
}

fn words(schema: &Value) -> (String, Option<String>) {
    if let Some(name) = reference(schema) {
        return (String::new(), Some(name.to_owned()));
    }
    let choices = ["oneOf", "anyOf", "allOf"].iter().find_map(|word| schema[*word].as_array());
    if let Some(choices) = choices {
        let is_null = |one: &&Value| one["type"] == "null";
        let shape = choices.iter().find(|one| !is_null(one)).map(words);
        let (text, shape) = shape.unwrap_or_default();
        let none = if choices.iter().any(|one| is_null(&one)) { "or null" } else { "" };
        return ([none, &text].join(" ").trim().to_owned(), shape);
    }
    if let Some(words_allowed) = schema["enum"].as_array() {
        let all: Vec<&str> = words_allowed.iter().filter_map(Value::as_str).collect();
        return (format!("one of {}", all.join(", ")), None);
    }
    let names: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => vec!["anything"],
    };
    if names.contains(&"array") {
        let (text, shape) = words(&schema["items"]);
        let many = bounds(schema, "minItems", "maxItems", "items");
        return ([format!("list of {text}").trim(), &many].join(" ").trim().to_owned(), shape);
    }
    let size = match names[0] {
        "integer" | "number" => bounds(schema, "minimum", "maximum", ""),
        _ => bounds(schema, "minLength", "maxLength", "characters"),
    };
    ([names.join(" or "), size].join(" ").trim().to_owned(), None)
}

/// `1 to 200 characters`, as far as it is bounded.
fn bounds(schema: &Value, least: &str, most: &str, unit: &str) -> String {
    let number =
        |name: &str| schema[name].as_i64().or_else(|| schema[name].as_f64().map(|float| float as i64));
    let text = match (number(least), number(most)) {
        (Some(least), Some(most)) => format!("{least} to {most} {unit}"),
        (Some(least), None) => format!("at least {least} {unit}"),
        (None, Some(most)) => format!("at most {most} {unit}"),
        (None, None) => String::new(),
    };
    text.trim().to_owned()
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// An example of a value, its own or put together from those of its parts.
pub(super) fn example(api: &Value, schema: &Value) -> Option<String> {
    let found = made(api, schema, DEPTH_MAX);
    (!found.is_null()).then(|| pretty(&found))
}

fn made(api: &Value, schema: &Value, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    if let Some(given) = schema.get("example") {
        return given.clone();
    }
    if let Some(name) = reference(schema) {
        return made(api, &api["components"]["schemas"][name], depth - 1);
    }
    if let Some(all) = schema["allOf"].as_array() {
        let mut whole = serde_json::Map::new();
        for part in all {
            if let Value::Object(fields) = made(api, part, depth - 1) {
                whole.extend(fields);
            }
        }
        return Value::Object(whole);
    }
    if let Some(fields) = schema["properties"].as_object() {
        let examples = fields.iter().map(|(name, field)| (name.clone(), made(api, field, depth - 1)));
        return Value::Object(examples.filter(|(_, value)| !value.is_null()).collect());
    }
    if schema["type"] == "array" {
        let item = made(api, &schema["items"], depth - 1);
        return Value::Array(if item.is_null() { Vec::new() } else { vec![item] });
    }
    Value::Null
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
