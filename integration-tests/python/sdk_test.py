"""The official SDKs of Stripe and Braintree, unmodified: dummy keys, and a base URL that leads through both servers."""

import uuid
from decimal import Decimal

import braintree
import pytest
import requests
import stripe

import pair as local
import provider
from whoami_test import leading_to

TARGETS = """
[passthrough]
enabled = true

[targets.stripe]
url = "{stripe}"
private = true
allow = ["POST /v1/customers", "GET /v1/customers/*", "POST /v1/payment_intents"]
credential = {{ kind = "bearer", token = "{stripe_key}" }}

[targets.braintree]
url = "{braintree}"
private = true
allow = ["POST /merchants/*/customers", "POST /merchants/*/transactions", "GET /merchants/*/transactions/*"]
credential = {{ kind = "basic", username = "{public_key}", password = "{private_key}" }}
"""
# What a caller of the door has: nothing that is worth anything.
DUMMY = "dummy-key-of-the-caller"


@pytest.fixture(scope="module")
def providers():
    """Both stand-ins."""
    with provider.running(provider.Stripe()) as first, provider.running(provider.Braintree()) as second:
        yield first, second


@pytest.fixture(scope="module")
def door(providers):
    """The URL of db-server's door, with both targets behind it."""
    first, second = providers
    public_key, private_key = provider.BRAINTREE_KEYS
    targets = TARGETS.format(
        stripe=first.url,
        stripe_key=provider.STRIPE_KEY,
        braintree=second.url,
        public_key=public_key,
        private_key=private_key,
    )
    with local.running(proxy_settings=targets) as pair, leading_to(pair, f"{pair.provider_proxy}/proxy"):
        yield f"{pair.db_server}/proxy"


@pytest.fixture
def stripe_client(door):
    """Stripe's SDK with another base URL."""
    return stripe.StripeClient(DUMMY, base_addresses={"api": f"{door}/stripe"}, max_network_retries=0)


@pytest.fixture
def braintree_gateway(door):
    """Braintree's SDK with another base URL; what it calls the port is what follows the host."""
    host, rest = door.removeprefix("http://").split(":")
    environment = braintree.Environment("local", host, f"{rest}/braintree", "", False, None)
    made = braintree.Configuration(environment, provider.MERCHANT, DUMMY, DUMMY)
    gateway = braintree.BraintreeGateway(made)
    yield gateway
    made.close()


@pytest.fixture
def stripe_provider(providers):
    return providers[0]


@pytest.fixture
def braintree_provider(providers):
    return providers[1]


def test_stripe_creates_and_retrieves_a_customer(stripe_client, stripe_provider):
    made = stripe_client.v1.customers.create({"name": "Ümläut & Co", "metadata": {"order": "a=b&c"}})
    shown = stripe_client.v1.customers.retrieve(made.id)
    assert shown.name == "Ümläut & Co"
    assert shown.metadata["order"] == "a=b&c"
    assert stripe_provider.last["Stripe-Version"] == stripe.api_version
    assert "Stripe/v1 PythonBindings" in stripe_provider.last["User-Agent"]
    assert shown.last_response.headers["Request-Id"] == f"req_{len(stripe_provider.requests)}"


def test_stripe_keeps_the_key_that_makes_a_payment_idempotent(stripe_client, stripe_provider):
    key = str(uuid.uuid4())
    wanted = {"amount": 1099, "currency": "eur"}
    first = stripe_client.v1.payment_intents.create(wanted, {"idempotency_key": key})
    again = stripe_client.v1.payment_intents.create(wanted, {"idempotency_key": key})
    other = stripe_client.v1.payment_intents.create(wanted, {"idempotency_key": str(uuid.uuid4())})
    assert (first.amount, first.status) == (1099, "requires_payment_method")
    assert first.id == again.id != other.id
    assert stripe_provider.requests[-2]["Idempotency-Key"] == key


def test_stripe_s_decline_stays_stripe_s(stripe_client):
    wanted = {"amount": 1099, "currency": "eur", "payment_method": "pm_card_visa_chargeDeclined", "confirm": True}
    with pytest.raises(stripe.CardError) as declined:
        stripe_client.v1.payment_intents.create(wanted)
    assert declined.value.http_status == 402
    assert (declined.value.code, declined.value.error.decline_code) == ("card_declined", "generic_decline")


def test_stripe_s_not_found_is_not_the_proxy_s(stripe_client):
    with pytest.raises(stripe.InvalidRequestError) as missing:
        stripe_client.v1.customers.retrieve("cus_nobody")
    assert missing.value.code == "resource_missing"
    assert "X-Proxy-Error" not in requests.structures.CaseInsensitiveDict(missing.value.headers)


def test_what_is_not_allowed_never_reaches_stripe(stripe_client, stripe_provider):
    before = len(stripe_provider.requests)
    with pytest.raises(stripe.PermissionError) as refused:
        stripe_client.v1.refunds.create({"payment_intent": "pi_1"})
    headers = requests.structures.CaseInsensitiveDict(refused.value.headers)
    assert headers["X-Proxy-Error"] == "not_allowed"
    assert len(stripe_provider.requests) == before


def test_braintree_creates_a_customer(braintree_gateway, braintree_provider):
    result = braintree_gateway.customer.create({"first_name": "Zoë <&>"})
    assert result.is_success
    assert result.customer.first_name == "Zoë <&>"
    assert braintree_provider.last["User-Agent"].startswith("Braintree Python ")


def test_braintree_sells_and_finds_the_sale(braintree_gateway):
    order = local.unique("order")
    result = braintree_gateway.transaction.sale(
        {
            "amount": "10.50",
            "payment_method_nonce": "fake-valid-nonce",
            "order_id": order,
            "options": {"submit_for_settlement": True},
        }
    )
    assert result.is_success
    found = braintree_gateway.transaction.find(result.transaction.id)
    assert (found.amount, found.order_id) == (Decimal("10.50"), order)
    assert found.status == braintree.Transaction.Status.SubmittedForSettlement


def test_braintree_s_decline_stays_braintree_s(braintree_gateway):
    result = braintree_gateway.transaction.sale({"amount": "2000.00", "payment_method_nonce": "fake-valid-nonce"})
    assert not result.is_success
    assert result.message == "Do Not Honor"
    assert result.transaction.processor_response_code == "2000"


def test_braintree_s_validation_stays_braintree_s(braintree_gateway):
    result = braintree_gateway.transaction.sale({"amount": "10.00"})
    assert [error.code for error in result.errors.deep_errors] == ["91508"]


def test_braintree_s_not_found_is_found_missing(braintree_gateway):
    with pytest.raises(braintree.exceptions.NotFoundError):
        braintree_gateway.transaction.find("nothing")


def test_what_the_caller_calls_its_keys_reaches_nobody(
    stripe_client, braintree_gateway, stripe_provider, braintree_provider
):
    stripe_client.v1.customers.create({"name": "a"})
    braintree_gateway.customer.create({"first_name": "a"})
    for one in (stripe_provider, braintree_provider):
        assert one.requests
        for headers in one.requests:
            assert headers.get_all("Authorization") == [one.authorization]
            assert DUMMY not in str(headers)
