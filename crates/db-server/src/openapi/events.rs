//! `/events/` and `/webhook-endpoints/`.

use serde_json::json;
use utoipa::openapi::{RefOr, Schema};

use super::{
    Part,
    errors::page_of,
    field::{
        Field, Record, between, flag, list_of, long_text, named, pk, position, required_key, text, time, uri,
        whole,
    },
    operation::{Operation, get, patch, post, remove},
};
use crate::uri::Kind;

const LIST: &str = "/webhook-endpoints/";
const ONE: &str = "/webhook-endpoints/{id}/";
const REPLAY: &str = "/webhook-endpoints/{id}/replay/";

pub(super) fn part() -> Part {
    Part {
        tag: "events",
        about: "What has happened to payments, and who is told of it. Errors of fields are 422 with codes.",
        schemas: schemas(),
        operations: operations(),
    }
}

fn operations() -> Vec<Operation> {
    let endpoint = json!({"name": "shop", "types": ["payment.captured", "refund.succeeded"]});
    vec![
        list_events(),
        get(LIST, "list_webhook_endpoints", "Who is told of events")
            .for_role("admin")
            .lists([])
            .answers("200", "A page of endpoints.", "WebhookEndpointPage"),
        post(LIST, "create_webhook_endpoint", "Has an endpoint told of events")
            .for_role("admin")
            .notes(
                "By the name of an endpoint in provider-proxy's settings, `[webhooks.NAME]`, where its URL and \
                 its secrets are. Messages are signed as the Standard Webhooks specification says, one after \
                 the other.",
            )
            .takes("NewWebhookEndpoint", endpoint)
            .answers("201", "The endpoint.", "WebhookEndpoint")
            .versioned("201"),
        get(ONE, "get_webhook_endpoint", "How an endpoint stands")
            .for_role("admin")
            .answers("200", "The endpoint.", "WebhookEndpoint")
            .versioned("200"),
        patch(ONE, "change_webhook_endpoint", "Enables or disables an endpoint, or changes its types of events")
            .for_role("admin")
            .notes("One that is enabled is tried at once, whatever failed before.")
            .may_take("WebhookEndpointChange", json!({"enabled": true}))
            .answers("200", "The endpoint.", "WebhookEndpoint")
            .versioned("200"),
        remove(ONE, "delete_webhook_endpoint", "Has an endpoint told no more")
            .for_role("admin")
            .answers_nothing("204", "It is told no more."),
        post(REPLAY, "replay_webhooks", "Has an endpoint told again")
            .for_role("admin")
            .notes("Either all events after one, in their order, or one event alone. The ids of messages stay.")
            .takes("WebhookReplay", json!({"after": 0}))
            .answers("200", "The endpoint.", "WebhookEndpoint")
            .versioned("200"),
    ]
}

fn list_events() -> Operation {
    let parameters = [
        ("after", position().default(0).about("The id of the last event that the client has seen.")),
        ("limit", between(1, 1000).default(100).about("How many events there are in the answer at most.")),
        ("wait", between(0, 30).default(0).about("How many seconds the answer may wait for an event.")),
    ];
    get("/events/", "list_events", "What has happened to payments")
        .notes("Oldest first, in one order for all readers and without gaps: ids grow by one.")
        .asks(parameters)
        .answers("200", "The events after that one.", "Events")
}

fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let meta = Record::new("Where to go on.")
        .has("after", position().about("The id of the last event here, or what was asked for."))
        .has("limit", between(1, 1000))
        .has("next", long_text().about("The path and query of what follows."));
    let event = Record::new(
        "Something that has happened to a payment; the same in lists and as the body of a webhook.",
    )
    .has("id", pk().about("Its position: one more than that of the event before."))
    .has("type", text().about("Such as `payment.captured`."))
    .has("timestamp", time().about("When it happened."))
    .has("payment", uri(Kind::Payment))
    .has("status", text().about("The payment's status since."))
    .holds(
        "data",
        Record::open("The payment as it was then, with the refund where it is about one.").build(),
    );
    let events = Record::new("Events, oldest first.")
        .holds("meta", meta.build())
        .holds("objects", list_of(named("Event")));
    vec![
        ("Event", event.build()),
        ("Events", events.build()),
        ("NewWebhookEndpoint", new_endpoint()),
        ("WebhookEndpointChange", change()),
        ("WebhookReplay", replay()),
        ("WebhookEndpoint", endpoint()),
        ("WebhookEndpointPage", page_of("WebhookEndpoint")),
    ]
}

fn types() -> RefOr<Schema> {
    list_of(text().about("Such as `payment.captured`.").build())
}

fn name() -> Field {
    required_key().about("Its name in provider-proxy's settings: letters, digits, `_` and `-`, at most 64.")
}

fn new_endpoint() -> RefOr<Schema> {
    Record::new("An endpoint to be told of events.")
        .has("name", name())
        .may("enabled", flag().default(true))
        .may_hold("types", types())
        .may("after", position().about("After which event it is told; of what is new when absent."))
        .build()
}

fn change() -> RefOr<Schema> {
    Record::new("What changes about an endpoint; as before where absent.")
        .may("enabled", flag())
        .may_hold("types", types())
        .ignores(&[])
        .build()
}

fn replay() -> RefOr<Schema> {
    Record::new("What is told again: either of these.")
        .may("after", position().about("All events after this one. Not later than it has been told."))
        .may("event", pk().about("This event alone, before all others."))
        .build()
}

fn endpoint() -> RefOr<Schema> {
    Record::new("Who is told of events, and how far that is.")
        .resource(Kind::WebhookEndpoint)
        .has("name", name())
        .has("enabled", flag())
        .has("disabled_reason", text().or_null().about("Why the server itself has disabled it."))
        .holds("types", types())
        .has("position", position().about("Up to which event it has been told."))
        .has("failures", whole(0).about("How often the endpoint has not taken the next event."))
        .has(
            "failing_since",
            time().or_null().about("Since when, without the time in which our own side did not try it."),
        )
        .has("next_attempt", time().or_null().about("Not before this is it tried again."))
        .has(
            "last_error",
            text().or_null().about(
                "Why the last attempt failed. What begins with `On our side:` is not held against the endpoint.",
            ),
        )
        .build()
}
