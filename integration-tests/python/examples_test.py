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
    "create_braintree_customer",
    "store_braintree_paymethod",
    "create_paymethod",
    "start_braintree_subscription",
    "create_subscription",
    # Stripe's, which the examples give back at once; a sale of Braintree's is a payment as well, and the second one.
    "create_payment",
    "sell_through_braintree",
    "change_subscription",
    "change_braintree_subscription_paymethod",
    "cancel_braintree_subscription",
]
# A signature cannot be written down beforehand, and what is never offered has no example.
REFUSED = {
    "receive_reference_notice": 403,
    "receive_webhook": 403,
    "hand_on_braintree_webhook": 403,
    # The provider of the example asks no question.
    "answer_webhook_challenge": 400,
    # The pair has no other implementation of the reference provider.
    **{
        f"{method}_implementation_{what}": 404
        for method in ("get", "post", "put", "delete")
        for what in ("resource", "resources")
    },
    # The payment of the example is captured at once.
    "capture_payment": 409,
    "cancel_payment": 409,
    # Nobody is a user yet.
    "log_in": 401,
    "delete_reference_seller": 403,
    "delete_reference_product": 403,
    "delete_reference_terms": 403,
}
# Braintree's question, and the merchant that the pair is.
CHALLENGE = "20f9f8ed05f77439fe955c977e4c8a53"
MERCHANT = "localmerchant"
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


def plan(pair, name):
    """Has the sandbox's Braintree offer a plan; subscriptions name one."""
    key = [pair.file.parent.joinpath("secrets", f"braintree-{half}-key").read_text().strip() for half in ("public", "private")]
    fields = {"id": name, "name": name, "price": "9.99", "currency-iso-code": "USD", "billing-frequency": "1"}
    body = "".join(f"<{field}>{value}</{field}>" for field, value in fields.items())
    url = f"{pair.sandbox}/braintree/merchants/{MERCHANT}/plans"
    headers = {"Content-Type": "application/xml", "X-ApiVersion": "6"}
    answer = requests.post(url, f"<plan>{body}</plan>", auth=tuple(key), headers=headers)
    assert answer.status_code == 201, answer.text


def send(client, method, path, operation):
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            path = path.replace("{%s}" % parameter["name"], str(parameter["example"]))
    content_type, body = example(operation)
    form = content_type == "application/x-www-form-urlencoded"
    headers = {one["name"]: one["example"] for one in operation.get("parameters", []) if one["in"] == "header" and "example" in one}
    query = {one["name"]: CHALLENGE for one in operation.get("parameters", []) if one["name"] == "bt_challenge"}
    return client.request(method, path, params=query, headers=headers, **{"data" if form else "json": body})


def play(pair):
    """Sends every example, and gives those whose answer is not the documented success."""
    document = requests.get(f"{pair.db_server}/openapi.json").json()
    client = pair.client()
    for name in ("shop:sword", "gold"):
        plan(pair, name)
    failed = []
    for method, path, operation in operations(document):
        name = operation["operationId"]
        answer = send(client, method, path, operation)
        status = str(answer.status_code)
        documented = {status, f"{status[0]}XX"} & operation["responses"].keys()
        expected = answer.status_code == REFUSED[name] if name in REFUSED else documented and status[0] == "2"
        if not expected:
            failed.append(f"{name}: {answer.status_code} {answer.text[:300]}")
    return failed


def test_every_example_is_answered_with_success(fresh):
    assert play(fresh) == []
