"""The two services behind the shops: transactions, and inventory. Each wants a credential of its own.

    python targets.py --transactions-port 8001 --inventory-port 8002

The callers never have these credentials: provider-proxy adds them (provider-proxy.toml).
"""

import argparse
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# Dummies, as in provider-proxy.toml.
TRANSACTIONS_KEY = "transactions-dummy-key-123"
INVENTORY_TOKEN = "inventory-dummy-token-456"

TRANSACTIONS = {
    "WAL001": [{"id": 1, "amount": "19.99", "currency": "EUR"}, {"id": 2, "amount": "5.00", "currency": "EUR"}],
    "BBY001": [{"id": 3, "amount": "1.00", "currency": "EUR"}],
}
# Enough text that compressing it is worth it.
INVENTORY = {"items": [{"sku": f"sku-{number:04}", "name": "A sword of steel"} for number in range(500)]}


class Service(ThreadingHTTPServer):
    """A service on localhost; port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, handler, port=0):
        super().__init__(("127.0.0.1", port), handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """What both have in common."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        """Sends JSON."""
        text = json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        """Finds, for whoever has the credential."""
        if not self.is_allowed():
            return self.answer(HTTPStatus.UNAUTHORIZED, {"error": "wrong credential"})
        found = self.find(urlsplit(self.path).path.strip("/").split("/"))
        if found is None:
            return self.answer(HTTPStatus.NOT_FOUND, {"error": "not found"})
        return self.answer(HTTPStatus.OK, found)


class Transactions(Handler):
    """`/shops/SHOP/transactions` and `/shops/SHOP/transactions/ID`."""

    def is_allowed(self):
        """By a header of its own."""
        return self.headers.get("X-API-Key") == TRANSACTIONS_KEY

    def find(self, path):
        """Everything of a shop, or one of it."""
        match path:
            case ["shops", shop, "transactions"]:
                return TRANSACTIONS.get(shop)
            case ["shops", shop, "transactions", number]:
                found = [one for one in TRANSACTIONS.get(shop, []) if str(one["id"]) == number]
                return found[0] if found else None
        return None


class Inventory(Handler):
    """`/inventory`."""

    def is_allowed(self):
        """By a bearer token."""
        return self.headers.get("Authorization") == f"Bearer {INVENTORY_TOKEN}"

    def find(self, path):
        """The same for every shop."""
        return INVENTORY if path == ["inventory"] else None


def main():
    parser = argparse.ArgumentParser(description="The two services behind the shops.")
    parser.add_argument("--transactions-port", type=int, default=8001)
    parser.add_argument("--inventory-port", type=int, default=8002)
    arguments = parser.parse_args()
    for service in [Service(Transactions, arguments.transactions_port), Service(Inventory, arguments.inventory_port)]:
        print(f"listening on {service.url}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
