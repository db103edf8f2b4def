"""The examples in /openapi.json work, each after those that it builds on."""

import pytest
import requests

import pair as local

# What is created first, so that the others have something to name; the rest follows in the document's order.
FIRST = [
    "create_buyer",
    "confirm_pin",
    "verify_pin",
    "create_seller",
    "create_product",
    "create_transaction",
    "create_reference_seller",
    "create_reference_product",
]
# A signature cannot be written down beforehand, and what is never offered has no example.
REFUSED = {
    "receive_reference_notice": 403,
    # Nobody is a user yet.
    "log_in": 401,
    "delete_reference_seller": 403,
    "delete_reference_product": 403,
    "delete_reference_terms": 403,
}
METHODS = ["post", "get", "put", "patch", "delete"]
# What must have happened before: a reset is begun by a change, and nothing follows a closing.
LAST = ["confirm_pin_reset", "close_buyer"]


@pytest.fixture(scope="module")
def fresh():
    """A pair whose keys begin at 1, as those of the examples do."""
    with local.running() as running:
        yield running


def operations(document):
    """Method, path and operation of each, in the order in which they work."""
    found = [
        (method, path, operation)
        for method in METHODS
        for path, item in document["paths"].items()
        for name, operation in item.items()
        if name == method
    ]
    rank = {name: place for place, name in enumerate(FIRST)} | {name: 1000 + place for place, name in enumerate(LAST)}
    return sorted(found, key=lambda one: rank.get(one[2]["operationId"], len(FIRST)))


def example(operation):
    """Content type and body."""
    for content_type, content in operation.get("requestBody", {}).get("content", {}).items():
        return content_type, content["example"]
    return None, None


def send(client, method, path, operation):
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            path = path.replace("{%s}" % parameter["name"], str(parameter["example"]))
    content_type, body = example(operation)
    form = content_type == "application/x-www-form-urlencoded"
    return client.request(method, path, **{"data" if form else "json": body})


def play(pair):
    """Sends every example, and gives those whose answer is not the documented success."""
    document = requests.get(f"{pair.db_server}/openapi.json").json()
    client = pair.client()
    failed = []
    for method, path, operation in operations(document):
        name = operation["operationId"]
        expected = [int(status) for status in operation["responses"] if status.startswith("2")]
        answer = send(client, method, path, operation)
        if answer.status_code not in ([REFUSED[name]] if name in REFUSED else expected):
            failed.append(f"{name}: {answer.status_code} {answer.text[:300]}")
    return failed


def test_every_example_is_answered_with_success(fresh):
    assert play(fresh) == []
