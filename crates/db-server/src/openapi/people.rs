//! `/login/`, `/services/whoami/` and `/services/proxy/`: who calls, and where the door leads.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    field::{Record, key, list_of, long_text, required_key, url},
    operation::{get, post, switch},
};

pub(super) fn part() -> Part {
    let example = json!({"username": "Alice", "password": "dummy-password"});
    Part {
        tag: "people",
        about: "People and their tokens, and the door `/proxy/`, which is no part of this document: it takes every \
                method, and answers what its target answers.",
        schemas: schemas(),
        operations: vec![
            post("/login/", "log_in", "A token for a name and its password")
                .open()
                .notes("Unknown names, wrong passwords and users who are locked out are told alike.")
                .takes("Credentials", example)
                .answers(
                    "200",
                    "A token for `Authorization: Bearer`, good for an hour unless set otherwise.",
                    "LoggedIn",
                )
                .refuses("401", "Name and password do not belong together.", &["Detail"])
                .refuses("429", "The user has sent too many requests.", &["Detail"])
                .refuses("501", "`login.key` is not set.", &["Detail"]),
            get("/services/whoami/", "get_whoami", "The name and the roles of whoever calls")
                .for_role("")
                .notes("Every proof is taken, and besides the token that a target of the door was given.")
                .answers("200", "Who calls, or on whose behalf.", "Whoami")
                .for_example("200", json!({"name": "Alice", "roles": ["ROLE_USER"]})),
            get("/services/proxy/", "get_door", "Where the door leads")
                .for_role("admin")
                .answers("200", "Where it leads.", "Door")
                .for_example("200", json!({"url": null})),
            switch("/services/proxy/", "switch_door", "Switches the door")
                .for_role("admin")
                .notes("The URL must be on the operator's list, `door.allowed`; null switches the door off.")
                .takes("DoorSwitch", json!({"url": null}))
                .answers("200", "Where it leads now, at every instance within 5 s.", "Door"),
        ],
    }
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let credentials = Record::new("What somebody logs in with.")
        .has("username", required_key())
        .has("password", long_text().about("At most 1024 bytes, and not empty."));
    let user = Record::new("Who has logged in.")
        .has("username", key())
        .has("role", long_text().about("The first role."))
        .holds("roles", list_of(long_text().build()));
    let logged_in =
        Record::new("A token, and whose it is.").has("token", long_text()).holds("user", user.build());
    let whoami = Record::new("Who calls.")
        .has("name", long_text().about("The client's key or the user's name; `anonymousUser` for nobody."))
        .holds("roles", list_of(long_text().about("Such as `ROLE_READ`.").build()));
    let door =
        Record::new("Where the door leads.").has("url", long_text().or_null().about("Null when it is off."));
    let to = Record::new("Where the door is to lead.").has("url", url().or_blank().or_null());
    vec![
        ("Credentials", credentials.build()),
        ("LoggedIn", logged_in.build()),
        ("Whoami", whoami.build()),
        ("Door", door.build()),
        ("DoorSwitch", to.build()),
    ]
}
