"""Stand-ins for Stripe and Braintree on loopback: they check the credential and answer the few calls of sdk_test.py."""

import base64
import contextlib
import itertools
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree
from xml.sax.saxutils import escape

STRIPE_KEY = "dummy-stripe-key-of-the-operator"
BRAINTREE_KEYS = ("dummy-public-key-of-the-operator", "dummy-private-key-of-the-operator")
MERCHANT = "solitude_merchant"


class Provider:
    """What one stand-in keeps: the headers of the requests that it was sent, and the objects that it made."""

    def __init__(self, authorization):
        self.authorization = authorization
        self.requests = []
        self.objects = {}
        self.answers = {}
        self._numbers = itertools.count(1)
        self.url = None

    def new_id(self, prefix):
        """An id that nobody else has."""
        return f"{prefix}{next(self._numbers)}"

    @property
    def last(self):
        """The headers of the last request."""
        return self.requests[-1]


class Stripe(Provider):
    """The calls of https://docs.stripe.com/api that are used here."""

    def __init__(self):
        super().__init__(f"Bearer {STRIPE_KEY}")

    def refuse(self):
        """Without the credential."""
        return self.error(401, type="invalid_request_error", message="Invalid API Key provided")

    def error(self, status, **fields):
        """An error object."""
        return status, "application/json", json.dumps({"error": fields})

    def answer(self, method, path, headers, body):
        """Status, content type and body."""
        key = headers.get("Idempotency-Key")
        if method == "POST" and key in self.answers:
            return self.answers[key]
        form = dict(urllib.parse.parse_qsl(body.decode()))
        match (method, path.split("/")[2:]):
            case ("POST", ["customers"]):
                metadata = {name[9:-1]: form[name] for name in form if name.startswith("metadata[")}
                answer = self.create("customer", "cus_", name=form["name"], metadata=metadata)
            case ("GET", [_, name]) if name in self.objects:
                answer = self.show(name)
            case ("GET", [kind, name]):
                message = f"No such {kind.removesuffix('s')}: '{name}'"
                answer = self.error(404, type="invalid_request_error", code="resource_missing", message=message)
            case ("POST", ["payment_intents"]) if form.get("payment_method") == "pm_card_visa_chargeDeclined":
                answer = self.error(
                    402,
                    type="card_error",
                    code="card_declined",
                    decline_code="generic_decline",
                    message="Your card was declined.",
                )
            case ("POST", ["payment_intents"]):
                amount, status = int(form["amount"]), "requires_payment_method"
                answer = self.create("payment_intent", "pi_", amount=amount, currency=form["currency"], status=status)
        self.answers[key] = answer
        return answer

    def create(self, kind, prefix, **fields):
        """Makes an object and shows it."""
        name = self.new_id(prefix)
        self.objects[name] = {"id": name, "object": kind, **fields}
        return self.show(name)

    def show(self, name):
        """An object as it is."""
        return 200, "application/json", json.dumps(self.objects[name])


class Braintree(Provider):
    """The calls of Braintree's gateway that are used here."""

    def __init__(self):
        pair = base64.b64encode(":".join(BRAINTREE_KEYS).encode()).decode()
        super().__init__(f"Basic {pair}")

    def refuse(self):
        """Without the credential."""
        return 401, "application/xml", ""

    def answer(self, method, path, headers, body):
        """Status, content type and body."""
        assert headers["X-ApiVersion"] == "6"
        root = f"/merchants/{MERCHANT}/"
        assert path.startswith(root)
        match (method, path.removeprefix(root).split("/")):
            case ("POST", ["customers"]):
                asked = ElementTree.fromstring(body)
                return self.create("customer", {"first-name": asked.findtext("first_name")})
            case ("POST", ["transactions"]):
                return self.sell(ElementTree.fromstring(body))
            case ("GET", [kind, name]) if name in self.objects:
                return 200, "application/xml", element(kind.removesuffix("s"), self.objects[name])
            case ("GET", [_, _]):
                return 404, "application/xml", ""

    def sell(self, asked):
        """A sale: Braintree's sandbox declines amounts from 2000 to 2999.99 with that code."""
        amount, nonce = asked.findtext("amount"), asked.findtext("payment_method_nonce")
        if nonce is None:
            error = {"code": "91508", "attribute": "base", "message": "Cannot determine payment method."}
            listed = f'<errors type="array">{element("error", error)}</errors>'
            errors = f'<errors><errors type="array"/><transaction>{listed}</transaction></errors>'
            return self.refused(errors, error["message"])
        submit = asked.findtext("options/submit_for_settlement")
        made = {"type": "sale", "amount": amount, "order-id": asked.findtext("order_id")}
        if 2000 <= float(amount) < 3000:
            made |= {"id": self.new_id("t"), "status": "processor_declined", "processor-response-code": amount[:4]}
            return self.refused('<errors><errors type="array"/></errors>', "Do Not Honor", element("transaction", made))
        made["status"] = "submitted_for_settlement" if submit == "true" else "authorized"
        return self.create("transaction", made)

    def refused(self, errors, message, more=""):
        """An api-error-response."""
        body = f"<api-error-response>{errors}{element('message', message)}{more}</api-error-response>"
        return 422, "application/xml", body

    def create(self, kind, fields):
        """Makes an object and shows it."""
        name = self.new_id(kind[0])
        self.objects[name] = {"id": name, **fields}
        return 201, "application/xml", element(kind, self.objects[name])


def element(name, content):
    """XML of a text, or of an element for each entry."""
    if isinstance(content, dict):
        return f"<{name}>{''.join(element(*entry) for entry in content.items())}</{name}>"
    return f'<{name} nil="true"/>' if content is None else f"<{name}>{escape(content)}</{name}>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # One write for an answer, not one for each of its parts.
    wbufsize = -1

    def answer(self):
        provider = self.server.provider
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        provider.requests.append(self.headers)
        if self.headers.get_all("Authorization") != [provider.authorization]:
            status, content_type, text = provider.refuse()
        else:
            status, content_type, text = provider.answer(self.command, self.path, self.headers, body)
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Request-Id", f"req_{len(provider.requests)}")
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        """Says nothing: pytest shows what failed."""


@contextlib.contextmanager
def running(provider):
    """Serves a stand-in on a free port of loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.provider = provider
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
