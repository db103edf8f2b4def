//! `/provider/NAME/RESOURCE/[UUID/]`: other implementations of the reference provider's API.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    field::{Record, anything, either, list_of, named},
    operation::{Operation, delete, get, post, switch},
};

const LIST: &str = "/provider/{name}/{resource}/";
const ONE: &str = "/provider/{name}/{resource}/{uuid}/";

pub(super) fn part() -> Part {
    let operations = [(LIST, "resources"), (ONE, "resource")].into_iter().flat_map(|(path, id)| {
        let id = |verb: &str| format!("{verb}_implementation_{id}");
        let summary = "Passed through to an implementation";
        let example = json!({"uuid": "seller-1", "name": "Jack"});
        [
            passed(get(path, &id("get"), summary)),
            passed(post(path, &id("post"), summary).may_take("ImplementationFields", example.clone())),
            passed(switch(path, &id("put"), summary).may_take("ImplementationFields", example)),
            passed(delete(path, &id("delete"), summary).takes_nothing()),
        ]
    });
    Part {
        tag: "implementations",
        about: "Other implementations of the reference provider's API, which `proxy.implementations` names.",
        schemas: schemas(),
        operations: operations.collect(),
    }
}

fn passed(operation: Operation) -> Operation {
    operation
        .notes("What comes back has our own path as `resource_uri`, and its `resource_pk` also as `id`.")
        .refuses(
            "404",
            "There is no implementation of this name, or it has no such resource.",
            &["Detail", "ProviderRefusal"],
        )
        .refuses("422", "A text holds a card number.", &["FormErrors", "ProviderRefusal"])
        .asks_the_provider()
        .answers("2XX", "Its own answer.", "ImplementationAnswer")
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let object = || Record::open("What the implementation holds.").may("id", anything()).build();
    vec![
        ("ImplementationFields", Record::open("Fields of the implementation's own.").build()),
        (
            "ImplementationAnswer",
            either([named("ImplementationObject"), list_of(named("ImplementationObject"))]),
        ),
        ("ImplementationObject", object()),
    ]
}
