"""The sandbox alone, as a process of its own, for the providers' official SDKs."""

import contextlib
import os
import pathlib
import tempfile
from dataclasses import dataclass

import requests

from child import child

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
READY = "listening on http://"

STRIPE = {"secret_key": "sk_test_dummy", "webhook_secret": "whsec_dummy"}
PAYPAL = {"client_id": "dummy-client", "client_secret": "dummy-client-secret", "webhook_id": "WH-DUMMY"}
BRAINTREE = {"merchant_id": "dummymerchant", "public_key": "dummy_public", "private_key": "dummy_private"}
REFERENCE = {"reference-key": "dummy-key", "reference-secret": "dummy-secret", "reference-realm": "solitude"}


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, and what a test asks of its own side."""

    url: str

    @property
    def stripe(self):
        """The base URL of Stripe's API, without /v1."""
        return f"{self.url}/stripe"

    @property
    def paypal(self):
        """The base URL of PayPal's API, without /v1 or /v2."""
        return f"{self.url}/paypal"

    @property
    def braintree(self):
        """The base URL of Braintree's API, without /merchants."""
        return f"{self.url}/braintree"

    def control(self, method, path, body=None, **query):
        """Asks the sandbox's own side; gives the JSON of its answer, or None."""
        answer = requests.request(method, f"{self.url}/_sandbox{path}", json=body, params=query, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def ledger(self, **fits):
        """The lines of the ledger with this provider, kind, id or reference."""
        return self.control("GET", "/ledger", **fits)

    def faults(self, *faults):
        """Asks for faults."""
        self.control("POST", "/faults", list(faults))

    def waiting(self):
        """What waits for a person."""
        return self.control("GET", "/waiting")

    def decide(self, provider, item, decision):
        """Approves or declines what waits."""
        return self.control("POST", f"/waiting/{provider}/{item}/{decision}")

    def deliveries(self):
        """The webhooks that were delivered, once none is on its way."""
        return self.control("GET", "/webhooks", wait="true")["deliveries"]

    def webhook(self, event_id):
        """The headers and the body of a webhook, signed now."""
        message = self.control("GET", f"/webhooks/events/{event_id}")
        return dict(message["headers"]), message["body"]


@contextlib.contextmanager
def running():
    """Runs a sandbox on a free port until the end of the block."""
    program = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / "provider-sandbox"
    accounts = [("stripe", STRIPE), ("paypal", PAYPAL), ("braintree", BRAINTREE)]
    words = [f"--{name}={value}" for name, value in REFERENCE.items()]
    words += [f"--{of}-{key.replace('_', '-')}={value}" for of, account in accounts for key, value in account.items()]
    with tempfile.TemporaryDirectory(prefix="solitude-sandbox-") as folder:
        file = pathlib.Path(folder) / "address"
        command = [program, "--listen", "127.0.0.1:0", "--notice-key", "0:dummy-notice-key", "--address-file", file]
        with child("the sandbox", command + words, READY, patience=30):
            yield Sandbox(f"http://{file.read_text().strip()}")
