#!/usr/bin/env python3
"""One purchase through the reference provider, as a client of Solitude makes it.

    pip install requests-oauthlib
    ./dev up                                      # in another terminal
    python3 docs/examples/purchase.py             # or: purchase.py path/to/pair.json

Against servers of your own the URL, key and secret come from their settings instead, and the payer from the provider.
"""

import json
import sys
import uuid

import requests
from requests_oauthlib import OAuth1Session

with open(sys.argv[1] if len(sys.argv) > 1 else ".local/pair.json") as file:
    pair = json.load(file)
solitude = pair["db_server"]
client = OAuth1Session(pair["client"]["key"], client_secret=pair["client"]["secret"])


def send(method, path, body=None):
    """Asks Solitude, and stops at the first error: its body says what is wrong."""
    answer = client.request(method, solitude + path, json=body)
    print(f"{method} {path} {answer.status_code}")
    if not answer.ok:
        sys.exit(answer.text)
    return answer.json()


# Once for each seller: who sells, here and at the provider, and that the provider's terms are agreed to.
seller = send("POST", "/generic/seller/", {"uuid": str(uuid.uuid4())})
account = send(
    "POST",
    "/provider/reference/sellers/",
    {
        "seller": seller["resource_uri"],
        "uuid": str(uuid.uuid4()),
        "name": "Jack",
        "email": "jack@example.test",
        "status": "ACTIVE",
    },
)
send("PUT", f"/provider/reference/terms/{account['id']}/", {"agreement": "2026-01-02"})

# Once for each product.
product = send(
    "POST",
    "/generic/product/",
    {"seller": seller["resource_uri"], "external_id": "sword", "public_id": str(uuid.uuid4())},
)
listed = send(
    "POST",
    "/provider/reference/products/",
    {
        "seller_product": product["resource_uri"],
        "seller_reference": account["resource_uri"],
        "uuid": str(uuid.uuid4()),
        "name": "Sword",
    },
)

# For each purchase: our transaction first, then the provider's under the same uuid.
transaction = send(
    "POST",
    "/generic/transaction/",
    {
        "amount": "0.99",
        "currency": "EUR",
        "seller": seller["resource_uri"],
        "seller_product": product["resource_uri"],
    },
)
started = send(
    "POST",
    "/provider/reference/transactions/",
    {
        "product_id": listed["reference"]["resource_pk"],
        "ext_transaction_id": transaction["uuid"],
        "price": "0.99",
        "currency": "EUR",
        "pay_method": "CARD",
        "region": "123",
        "carrier": "USA_TMOBILE",
        "callback_success_url": f"{solitude}/webhooks/reference/",
        "callback_error_url": f"{solitude}/webhooks/reference/",
        "success_url": "https://shop.example.test/paid",
        "error_url": "https://shop.example.test/failed",
    },
)

# The payer would open the provider's page with the token. The sandbox plays the payer, and the provider's notice too.
paid = requests.post(
    f"{pair['sandbox']}/_sandbox/reference/transactions/{started['token']}/pay", json={"outcome": "success"}
)
paid.raise_for_status()

transaction = send("GET", transaction["resource_uri"])
COMPLETED = 1
if transaction["status"] != COMPLETED:
    sys.exit(f"the transaction is not completed: {transaction}")
print(f"transaction {transaction['uuid']} is completed")
