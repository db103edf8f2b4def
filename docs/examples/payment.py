#!/usr/bin/env python3
"""A payment by card and a checkout at /payments/, as a client of Solitude makes them.

    pip install requests-oauthlib
    ./dev up                                      # in another terminal
    python3 docs/examples/payment.py              # or: payment.py path/to/pair.json

Against servers of your own the URL, key and secret come from their settings instead, and the payer from the provider.
"""

import json
import sys
import time
import uuid

import requests
from requests_oauthlib import OAuth1Session

with open(sys.argv[1] if len(sys.argv) > 1 else ".local/pair.json") as file:
    pair = json.load(file)
solitude = pair["db_server"]
client = OAuth1Session(pair["client"]["key"], client_secret=pair["client"]["secret"])


def send(method, path, body=None, key=None):
    """Asks Solitude, and stops at the first error: its body says what is wrong.

    Under one key a request is carried out once: without an answer, told to wait, or after a 5xx that does not show what
    was asked for, the same is sent again.
    """
    headers = {"Idempotency-Key": key} if key else {}
    for _ in range(10):
        try:
            answer = client.request(method, solitude + path, json=body, headers=headers, timeout=60)
        except (requests.ConnectionError, requests.Timeout):
            continue
        print(f"{method} {path} {answer.status_code}")
        if answer.ok:
            return answer.json()
        undone = answer.status_code >= 500 and "resource_uri" not in answer.text
        if not undone and "Retry-After" not in answer.headers:
            sys.exit(answer.text)
        time.sleep(int(answer.headers.get("Retry-After", 1)))
    sys.exit(f"no answer to {method} {path}")


def new_key(name):
    """A key of its own for each thing to do; keep it with the order until there is an answer."""
    return f"{name}-{uuid.uuid4()}"


def wait_for(payment, status, after):
    """Reads the events from a position on, until the payment has the status; gives where to go on."""
    for _ in range(10):
        page = send("GET", f"/events/?after={after}&wait=30")
        after = page["meta"]["after"]
        for event in page["objects"]:
            print(f"    {event['id']} {event['type']} of {event['payment']}")
        if any(event["payment"] == payment and event["status"] == status for event in page["objects"]):
            return after
    sys.exit(f"{payment} is not {status}")


# Once for each seller and product.
seller = send("POST", "/generic/seller/", {"uuid": str(uuid.uuid4())})
product = send(
    "POST",
    "/generic/product/",
    {"seller": seller["resource_uri"], "external_id": "sword", "public_id": str(uuid.uuid4())},
)

# Where the events end now; a real client has kept the position that it has read to.
position = 0
while True:
    page = send("GET", f"/events/?after={position}&limit=1000")
    position = page["meta"]["after"]
    if not page["objects"]:
        break

# A card: the amount is held, a part of it is taken when the goods leave, and a part of that is given back. The nonce is
# what the provider's script in the payer's browser gives for a card; this one is of Stripe's test cards.
order = {
    "provider": "stripe",
    "amount": "10.00",
    "currency": "EUR",
    "seller_product": product["resource_uri"],
    "nonce": "pm_card_visa",
    "capture": False,
    "metadata": {"order": "6735"},
}
key = new_key("order")
payment = send("POST", "/payments/", order, key)
# Not sure that it has arrived? The same again, under the same key, is the same payment.
again = send("POST", "/payments/", order, key)
assert again == payment
path = payment["resource_uri"]
captured = send("POST", f"{path}capture/", {"amount": "8.00", "last": True}, new_key("capture"))
refund = send("POST", f"{path}refunds/", {"amount": "2.50"}, new_key("refund"))
print(f"{path} is {captured['status']}: {captured['captured_amount']} taken, {refund['amount']} given back")

# A checkout: the payer goes to a page of the provider, and comes back to the shop.
checkout = send(
    "POST",
    "/payments/",
    {
        "provider": "paypal",
        "amount": "20.00",
        "currency": "EUR",
        "seller_product": product["resource_uri"],
        "checkout": {
            "return_url": "https://shop.example.test/back",
            "cancel_url": "https://shop.example.test/cancelled",
        },
    },
    new_key("order"),
)
# The sandbox plays the payer, who is sent to this page and agrees there.
page = requests.post(checkout["next_action"]["url"], params={"choice": "approve"}, allow_redirects=False)
page.raise_for_status()
send("POST", f"{checkout['resource_uri']}complete/", {}, new_key("complete"))

# What has happened, in order, whether or not this program was there to see it.
position = wait_for(checkout["resource_uri"], "captured", position)
print(f"payment {checkout['uuid']} is captured; the events are read up to {position}")
