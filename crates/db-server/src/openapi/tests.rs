use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use super::*;
use crate::routes;

fn document_as_json() -> Value {
    serde_json::from_str(json()).unwrap()
}

/// Method in upper case, path, operation.
fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap();
            methods.iter().map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
        })
        .collect()
}

/// Every value under a key, at any depth.
fn under<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get(key));
            object.values().for_each(|value| under(value, key, found));
        }
        Value::Array(values) => values.iter().for_each(|value| under(value, key, found)),
        _ => {}
    }
}

#[test]
fn every_route_is_described_and_every_description_has_its_route() {
    let document = document_as_json();
    let described: BTreeSet<_> =
        operations(&document).iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let routes: BTreeSet<_> = routes::all().map(|(method, path)| format!("{method} {path}")).collect();
    assert_eq!(described, routes);
}

#[test]
fn the_committed_document_is_the_servers() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json"));
    let committed = fs::read_to_string(path).unwrap();
    assert!(committed == json(), "docs/openapi.json is out of date; `./dev openapi` writes it anew");
}

#[test]
fn every_component_that_is_named_is_there_and_every_one_is_used() {
    let document = document_as_json();
    let mut references = Vec::new();
    under(&document, "$ref", &mut references);
    let named: BTreeSet<_> = references.iter().map(|reference| reference.as_str().unwrap()).collect();
    let mut there = BTreeSet::new();
    for kind in ["schemas", "responses"] {
        let components = document["components"][kind].as_object().unwrap();
        there.extend(components.keys().map(|name| format!("#/components/{kind}/{name}")));
    }
    assert_eq!(named, there.iter().map(String::as_str).collect());
}

#[test]
fn an_operation_has_one_id_a_success_and_a_summary() {
    let document = document_as_json();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} is there twice");
        assert!(operation["summary"].is_string(), "{method} {path}");
        let succeeds =
            operation["responses"].as_object().unwrap().keys().any(|status| status.starts_with('2'));
        assert_eq!(succeeds, operation["summary"] != "Never offered", "{method} {path}");
    }
}

#[test]
fn every_part_of_a_path_is_a_parameter_that_must_be_given() {
    let document = document_as_json();
    for (method, path, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
        assert_eq!(in_path.count(), path.matches('{').count(), "{method} {path}");
    }
}

#[test]
fn every_body_has_an_example() {
    let document = document_as_json();
    for (method, path, operation) in operations(&document) {
        for (_, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            assert!(content["example"].is_object(), "{method} {path}");
        }
    }
}
