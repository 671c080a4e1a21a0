//! The API reference for people: one readable page made from the description of the API, so that it can never say something else.

mod shape;

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;

use crate::App;
use crate::asset::page;
use crate::problem::Problem;

/// The methods an operation may have, in the order they are shown.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The route of the reference; a page, not part of the API.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().route("/docs", get(read_reference))
}

async fn read_reference(State(app): State<App>) -> Result<Response, Problem> {
    let made = || {
        let description = app.edge.description.get_or_init(crate::router::description);
        contents(&serde_json::from_str(description).unwrap_or_default())
    };
    page("docs.html", app.edge.reference.get_or_init(made))
}

/// What the page shows: operations by what they are about, then the shapes they speak in.
fn contents(api: &Value) -> Value {
    let mut groups: Vec<(String, Vec<Value>)> = Vec::new();
    let nothing = serde_json::Map::new();
    for (path, methods) in api["paths"].as_object().unwrap_or(&nothing) {
        for method in METHODS {
            let Some(operation) = methods.get(method) else { continue };
            let tag = operation["tags"][0].as_str().unwrap_or("other").to_owned();
            let shown = operation_shown(api, path, method, operation);
            match groups.iter_mut().find(|(name, _)| *name == tag) {
                Some((_, operations)) => operations.push(shown),
                None => groups.push((tag, vec![shown])),
            }
        }
    }
    groups.sort_by(|(one, _), (other, _)| one.cmp(other));
    let shapes = api["components"]["schemas"].as_object().unwrap_or(&nothing);
    let shapes: Vec<Value> = shapes.iter().map(|(name, schema)| shape::shown(name, schema)).collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "about": api["info"]["description"],
        "count": groups.iter().map(|(_, operations)| operations.len()).sum::<usize>(),
        "groups": groups.into_iter().map(|(name, operations)| json!({ "name": name, "operations": operations })).collect::<Vec<_>>(),
        "shapes": shapes,
    })
}

fn operation_shown(api: &Value, path: &str, method: &str, operation: &Value) -> Value {
    let parameter = |one: &Value| {
        json!({
            "name": one["name"],
            "place": one["in"],
            "required": one["required"],
            "type": shape::kind(&one["schema"]),
            "about": one["description"],
        })
    };
    let parameters: Option<Vec<Value>> =
        operation["parameters"].as_array().map(|all| all.iter().map(parameter).collect());
    let body = content(&operation["requestBody"]);
    let answers = operation["responses"].as_object().into_iter().flatten();
    let answers: Vec<Value> = answers
        .filter(|(status, _)| status.starts_with('2'))
        .map(|(status, answer)| json!({ "status": status, "about": answer["description"], "shape": content(answer).map(shape::kind), "example": content(answer).and_then(|schema| shape::example(api, schema)) }))
        .collect();
    json!({
        "id": operation["operationId"],
        "method": method.to_uppercase(),
        "path": path,
        "summary": operation["summary"],
        "about": operation["description"],
        "parameters": parameters.unwrap_or_default(),
        "body": body.map(shape::kind),
        "body_example": body.and_then(|schema| shape::example(api, schema)),
        "answers": answers,
    })
}

/// The schema of a body, whatever its media type.
fn content(part: &Value) -> Option<&Value> {
    part["content"].as_object()?.values().next().map(|media| &media["schema"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_description_is_on_the_page() {
        let api: Value = serde_json::from_str(&crate::router::description()).unwrap();
        let shown = contents(&api);
        let methods = api["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len());
        assert_eq!(shown["count"], json!(methods.sum::<usize>()));
        let text = shown.to_string();
        for name in api["components"]["schemas"].as_object().unwrap().keys() {
            assert!(text.contains(&format!("\"name\":\"{name}\"")), "{name}");
        }
    }
}
