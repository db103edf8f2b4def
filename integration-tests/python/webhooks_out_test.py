"""Webhooks out, as a receiver with the official library of the Standard Webhooks gets them."""

import base64
import http.server
import queue
import threading
import uuid

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

import pair as local

CURRENT, PREVIOUS, OTHER = ("whsec_" + base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2, 3))
PATIENCE = 30


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes every message."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.messages.put((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def receiver():
    """Listens on a free port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.messages = queue.Queue()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def told(receiver):
    """A pair that tells the receiver of events, in the middle of a rotation of its secret."""
    settings = f"""
    [webhooks.shop]
    url = "http://127.0.0.1:{receiver.server_port}/hook"
    private = true
    secret = {{ current = "{CURRENT}", previous = "{PREVIOUS}" }}
    """
    with local.running(settings) as running:
        running.client().create("/webhook-endpoints/", name="shop")
        yield running


def buy(client):
    """A captured payment with a card at Stripe."""
    seller = client.create("/generic/seller/", uuid=local.unique("seller"))
    product = client.create(
        "/generic/product/",
        seller=seller["resource_uri"],
        external_id=local.unique("external"),
        public_id=local.unique("public"),
    )
    order = {
        "provider": "stripe",
        "amount": "9.99",
        "currency": "EUR",
        "seller_product": product["resource_uri"],
        "nonce": "pm_card_visa",
    }
    answer = client.post("/payments/", json=order, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_the_official_library_verifies_each_event_with_either_secret(told, receiver):
    client = told.client()
    payment = buy(client)
    events = client.show("/events/")["objects"]
    assert events and events[-1]["type"] == "payment.captured"
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert {event["payment"] for event in events} == {payment["resource_uri"]}
    for event in events:
        headers, body = receiver.messages.get(timeout=PATIENCE)
        for secret in (CURRENT, PREVIOUS):
            message = Webhook(secret).verify(body, headers)
            assert message == event
        with pytest.raises(WebhookVerificationError):
            Webhook(OTHER).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(CURRENT).verify(body.replace(b"9.99", b"0.01"), headers)
        assert headers["webhook-id"] == f"msg_1_{event['id']}"
    assert receiver.messages.empty()
