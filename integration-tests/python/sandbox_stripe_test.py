"""Stripe's official SDK against the sandbox, with nothing changed but the base address."""

import hashlib
import hmac
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe

from pair import unique
from sandbox import STRIPE

AUTOMATIC = {"enabled": True, "allow_redirects": "never"}
RETURN = "https://shop.example.test/back"


@pytest.fixture(scope="module")
def api(sandbox):
    """The official client. It repeats nothing by itself, so that a test sees each answer."""
    return client(sandbox, STRIPE["secret_key"])


def client(sandbox, key, retries=0):
    addresses = {"api": sandbox.stripe}
    return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=retries).v1


@pytest.fixture
def customer(api):
    return api.customers.create({"email": "jill@example.test", "metadata": {"buyer": "buyer:1"}})


@pytest.fixture
def price(api):
    product = api.products.create({"name": "Brick"})
    terms = {"product": product.id, "unit_amount": 1000, "currency": "eur", "recurring": {"interval": "month"}}
    return api.prices.create(terms)


@pytest.fixture
def endpoint(sandbox):
    """Takes webhooks; gives a list that grows with them: (headers, body)."""
    arrived = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            arrived.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    sandbox.control("DELETE", "/webhooks")
    sandbox.control("POST", "/webhooks", {"provider": "stripe", "url": f"http://127.0.0.1:{server.server_port}/"})
    yield arrived
    sandbox.control("DELETE", "/webhooks")
    server.shutdown()
    thread.join()
    server.server_close()


def pay(api, method="pm_card_visa", key=None, **more):
    terms = {"amount": 1000, "currency": "eur", "payment_method": method, "confirm": True}
    terms["automatic_payment_methods"] = AUTOMATIC
    return api.payment_intents.create(terms | more, {"idempotency_key": key} if key else {})


def authorize(api, **more):
    options = {"card": {"request_multicapture": "if_available"}}
    return pay(api, capture_method="manual", payment_method_options=options, **more)


def refusal(kind, *arguments, **more):
    with pytest.raises(kind) as caught:
        arguments[0](*arguments[1:], **more)
    return caught.value


def renew(sandbox, subscription):
    return sandbox.control("POST", f"/stripe/subscriptions/{subscription}/renew")


# ---- the door ------------------------------------------------------------------------------------------------------


def test_only_the_secret_key_is_let_in(sandbox, api):
    for key in ["sk_test_wrong", STRIPE["secret_key"] + "x"]:
        error = refusal(stripe.AuthenticationError, client(sandbox, key).customers.list)
        assert (error.http_status, error.error.type) == (401, "invalid_request_error")
        assert key not in str(error)
    basic = requests.get(f"{sandbox.stripe}/v1/balance", auth=(STRIPE["secret_key"], ""), timeout=20)
    assert (basic.status_code, basic.json()["object"]) == (200, "balance")
    for authorization in [None, "Basic c2tfdGVzdA==", "Token x", "Bearer"]:
        headers = {"Authorization": authorization} if authorization else {}
        answer = requests.get(f"{sandbox.stripe}/v1/balance", headers=headers, timeout=20)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error"), authorization
    assert api.balance.retrieve().object == "balance"


def test_a_version_is_a_date_and_the_name_of_a_release(sandbox):
    def ask(version):
        headers = {"Authorization": f"Bearer {STRIPE['secret_key']}", "Stripe-Version": version}
        return requests.get(f"{sandbox.stripe}/v1/balance", headers=headers, timeout=20)

    for version in ["2026-10-28.endive", "2024-06-20"]:
        answer = ask(version)
        assert (answer.status_code, answer.headers["Stripe-Version"]) == (200, version)
        assert answer.headers["Request-Id"].startswith("req_")
    for version in ["latest", "2024-13-01", "2024-06-20.", "2024-06-20.x1"]:
        assert ask(version).status_code == 400, version


def test_what_is_wrong_with_a_request_is_said_with_its_parameter(api):
    def wrong(**changes):
        terms = {"amount": 1000, "currency": "eur"} | changes
        error = refusal(stripe.InvalidRequestError, api.payment_intents.create, terms)
        assert error.http_status == 400
        return error.param, error.code

    assert wrong(amount=0) == ("amount", "parameter_invalid_integer")
    assert wrong(amount=-1) == ("amount", "parameter_invalid_integer")
    assert wrong(amount="1.5") == ("amount", "parameter_invalid_integer")
    assert wrong(amount=49) == ("amount", "amount_too_small")
    assert wrong(amount=100_000_000) == ("amount", "amount_too_large")
    assert wrong(amount="") == ("amount", "parameter_invalid_empty")
    assert wrong(amount=None) == ("amount", "parameter_missing")
    assert wrong(currency="xyz") == ("currency", None)
    assert wrong(prize=1) == ("prize", "parameter_unknown")
    assert wrong(metadata={"x": "y" * 501}) == ("metadata[x]", None)
    assert wrong(customer="cus_nobody") == ("customer", "resource_missing")
    assert wrong(payment_method="pm_nothing") == ("payment_method", "resource_missing")
    assert wrong(capture_method="later")[0] == "capture_method"
    error = refusal(stripe.InvalidRequestError, api.payment_intents.retrieve, "pi_nothing")
    assert (error.http_status, error.code) == (404, "resource_missing")
    error = refusal(stripe.InvalidRequestError, api.payment_intents.create, {"amount": 1001, "currency": "kwd"})
    assert error.param == "amount"


# ---- payments ------------------------------------------------------------------------------------------------------


def test_a_payment_is_made_in_one_call_and_stands_in_the_ledger(sandbox, api):
    attempt = str(uuid.uuid4())
    paid = pay(api, key=attempt, metadata={"attempt": attempt}, expand=["latest_charge", "payment_method"])
    assert (paid.status, paid.amount_received, paid.currency) == ("succeeded", 1000, "eur")
    charge = paid.latest_charge
    assert (charge.captured, charge.amount_captured, charge.payment_method_details.card.last4) == (True, 1000, "4242")
    assert (paid.payment_method.card.brand, paid.payment_method.id[:3]) == ("visa", "pm_")
    [line] = sandbox.ledger(reference=attempt)
    assert (line["provider"], line["kind"], line["id"]) == ("stripe", "charge", charge.id)
    assert (line["amount"], line["currency"]) == ("10.00", "EUR")
    again = api.payment_intents.retrieve(paid.id)
    assert (again.latest_charge, again.metadata["attempt"]) == (charge.id, attempt)


def test_a_payment_is_created_first_and_confirmed_then(api):
    made = api.payment_intents.create({"amount": 500, "currency": "usd", "payment_method_types": ["card"]})
    assert (made.status, made.payment_method_types) == ("requires_payment_method", ["card"])
    error = refusal(stripe.InvalidRequestError, api.payment_intents.confirm, made.id)
    assert (error.code, error.param) == ("payment_intent_unexpected_state", "payment_method")
    done = api.payment_intents.confirm(made.id, {"payment_method": "pm_card_mastercard"})
    assert done.status == "succeeded"
    error = refusal(stripe.InvalidRequestError, api.payment_intents.confirm, made.id)
    assert (error.code, error.error.payment_intent.id) == ("payment_intent_unexpected_state", made.id)


def test_a_payment_of_all_methods_needs_a_way_back(api):
    terms = {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    assert refusal(stripe.InvalidRequestError, api.payment_intents.create, terms).param == "return_url"
    assert api.payment_intents.create(terms | {"return_url": RETURN}).status == "succeeded"


def test_an_authorization_is_captured_in_parts(sandbox, api):
    held = authorize(api)
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 1000, 0)
    first, last = unique("capture"), unique("capture")
    part = {"amount_to_capture": 300, "final_capture": False}
    some = api.payment_intents.capture(held.id, part, {"idempotency_key": first})
    assert (some.status, some.amount_capturable, some.amount_received) == ("requires_capture", 700, 300)
    error = refusal(stripe.InvalidRequestError, api.payment_intents.capture, held.id, {"amount_to_capture": 701})
    assert (error.code, error.param) == ("amount_too_large", "amount_to_capture")
    rest = api.payment_intents.capture(held.id, {"amount_to_capture": 200}, {"idempotency_key": last})
    assert (rest.status, rest.amount_capturable, rest.amount_received) == ("succeeded", 0, 500)
    error = refusal(stripe.InvalidRequestError, api.payment_intents.capture, held.id)
    assert error.code == "payment_intent_unexpected_state"
    lines = [sandbox.ledger(reference=one)[0]["amount"] for one in (first, last)]
    assert lines == ["3.00", "2.00"]


def test_only_a_payment_that_asked_for_it_is_captured_in_parts(api):
    held = pay(api, capture_method="manual")
    part = {"amount_to_capture": 300, "final_capture": False}
    assert refusal(stripe.InvalidRequestError, api.payment_intents.capture, held.id, part).param == "final_capture"
    assert api.payment_intents.capture(held.id, {"amount_to_capture": 300}).amount_received == 300


def test_an_authorization_is_given_up(sandbox, api):
    held = authorize(api)
    gone = api.payment_intents.cancel(held.id, {"cancellation_reason": "requested_by_customer"})
    assert (gone.status, gone.cancellation_reason, gone.amount_capturable) == ("canceled", "requested_by_customer", 0)
    [line] = sandbox.ledger(id=held.id)
    assert (line["kind"], line["amount"]) == ("void", "10.00")
    assert sandbox.ledger(id=held.latest_charge) == []
    for change in [api.payment_intents.cancel, api.payment_intents.capture, api.payment_intents.confirm]:
        assert refusal(stripe.InvalidRequestError, change, held.id).code == "payment_intent_unexpected_state"


DECLINES = [
    ("4000000000000002", "pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("4000000000009995", "pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("4000000000009987", "pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("4000000000009979", "pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("4000000000000069", "pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ("4000000000000127", "pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
    ("4000000000000119", "pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
]


@pytest.mark.parametrize(("number", "token", "code", "decline_code"), DECLINES)
def test_a_card_is_declined_by_number_and_by_token(sandbox, api, number, token, code, decline_code):
    card = {"type": "card", "card": {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}}
    terms = {"amount": 1000, "currency": "eur", "confirm": True, "automatic_payment_methods": AUTOMATIC}
    for how in [{"payment_method_data": card}, {"payment_method": token}]:
        error = refusal(stripe.CardError, api.payment_intents.create, terms | how)
        assert (error.http_status, error.code, error.error.decline_code) == (402, code, decline_code)
        intent = error.error.payment_intent
        assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
        assert intent.last_payment_error.decline_code == decline_code
        assert error.error.payment_method.card.last4 == number[-4:]
        assert api.charges.retrieve(error.error.charge).failure_code == code
        assert sandbox.ledger(id=error.error.charge) == []
    # The same payment can still be paid by another card.
    paid = api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)


def test_no_number_but_a_test_card_is_taken_and_none_is_repeated(api):
    for number, code in [("4111111111111111", "card_declined"), ("42", "incorrect_number")]:
        card = {"number": number, "exp_month": 12, "exp_year": 2040}
        error = refusal(stripe.CardError, api.payment_methods.create, {"type": "card", "card": card})
        assert (error.code, number in str(error.json_body)) == (code, False)
    old = {"number": "4242424242424242", "exp_month": 1, "exp_year": 2020}
    error = refusal(stripe.CardError, api.payment_methods.create, {"type": "card", "card": old})
    assert error.code == "invalid_expiry_year"


# ---- 3-D Secure and what else waits --------------------------------------------------------------------------------


def strong(api, card="pm_card_authenticationRequired"):
    asked = pay(api, card, automatic_payment_methods=None, payment_method_types=["card"], return_url=RETURN)
    assert (asked.status, asked.next_action.type) == ("requires_action", "redirect_to_url")
    return asked, asked.next_action.redirect_to_url.url


def choose(page, decision):
    assert requests.get(page, timeout=20).text.count("<form") == 2
    answer = requests.post(page, data={"decision": decision}, allow_redirects=False, timeout=20)
    assert answer.status_code == 303
    back = urlsplit(answer.headers["Location"])
    assert back._replace(query="").geturl() == RETURN
    return {name: value for name, [value] in parse_qs(back.query).items()}


def test_a_payer_approves_on_the_page_of_the_bank(sandbox, api):
    asked, page = strong(api)
    assert sandbox.ledger(id=asked.id) == []
    back = choose(page, "approve")
    assert (back["payment_intent"], back["redirect_status"]) == (asked.id, "succeeded")
    assert back["payment_intent_client_secret"] == asked.client_secret
    paid = api.payment_intents.retrieve(asked.id)
    assert (paid.status, paid.next_action) == ("succeeded", None)
    assert len(sandbox.ledger(id=paid.latest_charge)) == 1
    # The page is there once.
    assert requests.get(page, timeout=20).status_code == 404
    assert requests.post(page, data={"decision": "approve"}, timeout=20).status_code == 404


def test_a_payer_declines_on_the_page_of_the_bank(api):
    asked, page = strong(api)
    assert choose(page, "decline")["redirect_status"] == "failed"
    left = api.payment_intents.retrieve(asked.id)
    assert (left.status, left.amount_received) == ("requires_payment_method", 0)
    assert left.last_payment_error.code == "payment_intent_authentication_failure"


def test_a_card_may_be_declined_after_its_payer_has_approved(sandbox, api):
    asked, _ = strong(api, "pm_card_threeDSecureRequiredChargeDeclined")
    assert [one["amount"] for one in sandbox.waiting() if one["id"] == asked.id] == ["10.00"]
    sandbox.decide("stripe", asked.id, "approve")
    left = api.payment_intents.retrieve(asked.id)
    assert (left.status, left.last_payment_error.code) == ("requires_payment_method", "card_declined")


def test_without_a_payer_a_card_that_asks_for_one_is_declined(api):
    error = refusal(stripe.CardError, pay, api, "pm_card_authenticationRequired", off_session=True)
    assert (error.code, error.error.decline_code) == ("authentication_required",) * 2
    script = pay(api, "pm_card_authenticationRequired")
    assert (script.status, script.next_action.type) == ("requires_action", "use_stripe_sdk")


def test_a_bank_debit_is_processing_until_the_bank_has_answered(sandbox, api):
    for decision, status in [("approve", "succeeded"), ("decline", "requires_payment_method")]:
        debit = pay(api, "pm_usBankAccount_success", currency="usd")
        assert debit.status == "processing"
        sandbox.decide("stripe", debit.id, decision)
        assert api.payment_intents.retrieve(debit.id).status == status


# ---- refunds -------------------------------------------------------------------------------------------------------


def test_a_payment_is_refunded_in_parts_and_never_beyond_what_was_captured(sandbox, api):
    paid, attempt = pay(api), unique("refund")
    part = {"payment_intent": paid.id, "amount": 300, "metadata": {"attempt": attempt}}
    first = api.refunds.create(part, {"idempotency_key": attempt})
    assert (first.status, first.amount, first.charge) == ("succeeded", 300, paid.latest_charge)
    error = refusal(stripe.InvalidRequestError, api.refunds.create, {"payment_intent": paid.id, "amount": 701})
    assert (error.http_status, error.param) == (400, "amount")
    rest = api.refunds.create({"charge": paid.latest_charge, "reason": "requested_by_customer"})
    assert rest.amount == 700
    error = refusal(stripe.InvalidRequestError, api.refunds.create, {"payment_intent": paid.id})
    assert error.code == "charge_already_refunded"
    assert [one.id for one in api.refunds.list({"payment_intent": paid.id}).data] == [rest.id, first.id]
    charge = api.charges.retrieve(paid.latest_charge)
    assert (charge.refunded, charge.amount_refunded) == (True, 1000)
    [line] = sandbox.ledger(kind="refund", reference=attempt)
    assert (line["id"], line["amount"]) == (first.id, "3.00")
    assert api.refunds.retrieve(first.id).metadata["attempt"] == attempt


def test_what_was_not_captured_is_not_refunded(api):
    held = authorize(api)
    error = refusal(stripe.InvalidRequestError, api.refunds.create, {"payment_intent": held.id})
    assert error.code == "charge_not_refundable"
    api.payment_intents.capture(held.id, {"amount_to_capture": 400})
    error = refusal(stripe.InvalidRequestError, api.refunds.create, {"payment_intent": held.id, "amount": 401})
    assert error.param == "amount"
    assert api.refunds.create({"payment_intent": held.id}).amount == 400


def test_a_refund_may_be_pending_or_fail(sandbox, api):
    for decision, status in [("approve", "succeeded"), ("decline", "failed")]:
        refund = api.refunds.create({"payment_intent": pay(api, "pm_card_pendingRefund").id})
        assert (refund.status, sandbox.ledger(id=refund.id)) == ("pending", [])
        sandbox.decide("stripe", refund.id, decision)
        assert api.refunds.retrieve(refund.id).status == status
        assert len(sandbox.ledger(id=refund.id)) == (1 if status == "succeeded" else 0)
    lost = api.refunds.create({"payment_intent": pay(api, "pm_card_refundFail").id})
    assert api.refunds.retrieve(lost.id).status == "failed"


# ---- idempotency ---------------------------------------------------------------------------------------------------


def test_a_repeated_request_gives_the_same_answer_and_charges_once(sandbox, api):
    key = str(uuid.uuid4())
    first, second = pay(api, key=key), pay(api, key=key)
    assert first.id == second.id
    headers = second.last_response.headers
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == first.last_response.request_id != second.last_response.request_id
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert len(sandbox.ledger(reference=key)) == 1


def test_a_decline_is_repeated_as_it_was(sandbox, api):
    key = str(uuid.uuid4())
    first, second = (refusal(stripe.CardError, pay, api, "pm_card_visa_chargeDeclined", key) for _ in range(2))
    assert first.error.charge == second.error.charge
    assert second.headers["Idempotent-Replayed"] == "true"


def test_a_key_is_good_for_one_request_only(api):
    key = str(uuid.uuid4())
    paid = pay(api, key=key)
    for error in [
        refusal(stripe.IdempotencyError, pay, api, key=key, amount=999),
        refusal(stripe.IdempotencyError, api.refunds.create, {"payment_intent": paid.id}, {"idempotency_key": key}),
        refusal(stripe.IdempotencyError, pay, api, key="k" * 256),
    ]:
        assert (error.http_status, error.error.type) == (400, "idempotency_error")


def test_what_failed_validation_leaves_its_key_free(api):
    key = str(uuid.uuid4())
    assert refusal(stripe.InvalidRequestError, pay, api, key=key, amount=1).code == "amount_too_small"
    assert pay(api, key=key, amount=100).status == "succeeded"


def test_the_same_key_at_the_same_time_is_a_conflict(sandbox, api):
    key, done = str(uuid.uuid4()), []
    sandbox.control("POST", "/stripe/interference", {"hold": True})
    thread = threading.Thread(target=lambda: done.append(pay(api, key=key)))
    thread.start()
    assert sandbox.control("GET", "/stripe/interference/held")["held"] == 1
    error = refusal(stripe.APIError, pay, api, key=key)
    assert (error.http_status, error.error.type) == (409, "idempotency_error")
    assert (error.error.code, error.headers["Stripe-Should-Retry"]) == ("idempotency_key_in_use", "true")
    sandbox.control("POST", "/stripe/release")
    thread.join()
    assert pay(api, key=key).id == done[0].id
    assert len(sandbox.ledger(reference=key)) == 1


def test_one_object_is_changed_by_one_request_at_a_time(sandbox, api):
    held, done = authorize(api), []
    sandbox.control("POST", "/stripe/interference", {"hold": True})
    thread = threading.Thread(target=lambda: done.append(api.payment_intents.capture(held.id)))
    thread.start()
    sandbox.control("GET", "/stripe/interference/held")
    error = refusal(stripe.RateLimitError, api.payment_intents.cancel, held.id)
    assert (error.http_status, error.error.code) == (429, "lock_timeout")
    sandbox.control("POST", "/stripe/release")
    thread.join()
    assert done[0].status == "succeeded"


@pytest.mark.parametrize(("when", "charges"), [("before", 0), ("after", 1)])
def test_a_500_is_kept_whether_or_not_the_work_was_done(sandbox, api, when, charges):
    key = str(uuid.uuid4())
    sandbox.control("POST", "/stripe/interference", {"fail": when})
    first, second = (refusal(stripe.APIError, pay, api, key=key) for _ in range(2))
    assert (first.http_status, second.http_status) == (500, 500)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.ledger(reference=key)) == charges


def test_the_sdk_repeats_by_itself_what_was_lost_on_the_way_and_charges_once(sandbox):
    key = str(uuid.uuid4())
    sandbox.faults({"method": "POST", "path": "/stripe/v1/payment_intents", "fault": "drop_after"})
    paid = pay(client(sandbox, STRIPE["secret_key"], retries=2), key=key)
    assert paid.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.ledger(reference=key)) == 1


# ---- customers and what they pay with ------------------------------------------------------------------------------


def test_a_customer_is_made_read_changed_found_and_deleted(api, customer):
    assert api.customers.retrieve(customer.id).metadata["buyer"] == "buyer:1"
    changed = api.customers.update(customer.id, {"name": "Jill", "metadata": {"buyer": "", "x": "1"}})
    assert (changed.name, changed.metadata.to_dict()) == ("Jill", {"x": "1"})
    email = f"{unique('x')}@example.test"
    api.customers.update(customer.id, {"email": email})
    assert [one.id for one in api.customers.list({"email": email}).data] == [customer.id]
    assert refusal(stripe.InvalidRequestError, api.customers.create, {"email": "nobody"}).code == "email_invalid"
    assert api.customers.delete(customer.id).deleted is True
    assert api.customers.retrieve(customer.id).deleted is True
    assert refusal(stripe.InvalidRequestError, api.customers.delete, customer.id).http_status == 404
    assert refusal(stripe.InvalidRequestError, pay, api, customer=customer.id).param == "customer"


def test_a_payment_method_is_attached_used_by_its_owner_and_detached(api, customer):
    kept = api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    assert (kept.customer, kept.card.last4) == (customer.id, "4242")
    assert [one.id for one in api.customers.payment_methods.list(customer.id).data] == [kept.id]
    assert [one.id for one in api.payment_methods.list({"customer": customer.id, "type": "card"}).data] == [kept.id]
    for _ in range(2):
        assert pay(api, kept.id, customer=customer.id).customer == customer.id
    assert refusal(stripe.InvalidRequestError, pay, api, kept.id).param == "payment_method"
    other = api.customers.create()
    assert refusal(stripe.InvalidRequestError, pay, api, kept.id, customer=other.id).param == "payment_method"
    error = refusal(stripe.InvalidRequestError, api.payment_methods.attach, kept.id, {"customer": other.id})
    assert error.code == "payment_method_unexpected_state"
    assert api.payment_methods.detach(kept.id).customer is None
    error = refusal(stripe.InvalidRequestError, pay, api, kept.id)
    assert error.code == "payment_method_unexpected_state"


def test_a_payment_method_without_an_owner_is_good_once(api):
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040}
    method = api.payment_methods.create({"type": "card", "card": card})
    assert pay(api, method.id).status == "succeeded"
    assert refusal(stripe.InvalidRequestError, pay, api, method.id).code == "payment_method_unexpected_state"


def test_a_bad_card_is_not_attached_and_one_that_fails_later_is(api, customer):
    owner = {"customer": customer.id}
    error = refusal(stripe.CardError, api.payment_methods.attach, "pm_card_visa_chargeDeclined", owner)
    assert error.code == "card_declined"
    kept = api.payment_methods.attach("pm_card_chargeCustomerFail", owner)
    assert refusal(stripe.CardError, pay, api, kept.id, customer=customer.id).code == "card_declined"


def test_a_setup_intent_keeps_a_card_for_later(sandbox, api, customer):
    made = api.setup_intents.create({"customer": customer.id, "usage": "off_session"})
    assert (made.status, made.client_secret.startswith(made.id)) == ("requires_payment_method", True)
    done = api.setup_intents.confirm(made.id, {"payment_method": "pm_card_visa"})
    assert done.status == "succeeded"
    assert pay(api, done.payment_method, customer=customer.id, off_session=True).status == "succeeded"
    strict = {"payment_method": "pm_card_authenticationRequired", "confirm": True, "return_url": RETURN}
    for decision, status in [("approve", "succeeded"), ("decline", "requires_payment_method")]:
        asked = api.setup_intents.create({"customer": customer.id, "payment_method_types": ["card"]} | strict)
        assert asked.status == "requires_action"
        assert choose(asked.next_action.redirect_to_url.url, decision)["setup_intent"] == asked.id
        assert api.setup_intents.retrieve(asked.id).status == status
    error = refusal(stripe.CardError, api.setup_intents.create, {"confirm": True, "payment_method": DECLINES[0][1]})
    assert error.error.setup_intent.status == "requires_payment_method"
    assert api.setup_intents.cancel(asked.id).status == "canceled"


# ---- lists and searches --------------------------------------------------------------------------------------------


def test_payments_are_listed_page_by_page(api, customer):
    made = [api.payment_intents.create({"amount": 100 + index, "currency": "eur", "customer": customer.id}).id
            for index in range(5)]
    page = api.payment_intents.list({"customer": customer.id, "limit": 2})
    assert ([one.id for one in page.data], page.has_more) == (made[:2:-1], True)
    assert [one.id for one in page.auto_paging_iter()] == made[::-1]
    later = api.payment_intents.list({"customer": customer.id, "created": {"gte": page.data[0].created + 60}})
    assert later.data == []


def test_charges_and_refunds_are_listed_with_what_they_did_to_the_balance(api, customer):
    paid = pay(api, customer=customer.id)
    held = pay(api, customer=customer.id, capture_method="manual")
    refund = api.refunds.create({"payment_intent": paid.id, "amount": 300})
    expand = {"expand": ["data.balance_transaction"]}
    charges = api.charges.list({"customer": customer.id, **expand}).data
    assert [one.payment_intent for one in charges] == [held.id, paid.id]
    assert (charges[0].balance_transaction, charges[0].amount_captured) == (None, 0)
    balance = charges[1].balance_transaction
    assert (balance.amount, balance.fee, balance.net, balance.type, balance.source) == (
        paid.amount, paid.amount * 29 // 1000, paid.amount - paid.amount * 29 // 1000, "charge", charges[1].id)
    assert api.balance_transactions.retrieve(balance.id) == balance
    balance = api.refunds.list({"payment_intent": paid.id, **expand}).data[0].balance_transaction
    assert (balance.amount, balance.fee, balance.source) == (-300, 0, refund.id)
    api.payment_intents.capture(held.id, {"amount_to_capture": 500})
    balance = api.charges.list({"payment_intent": held.id, **expand}).data[0].balance_transaction
    assert balance.amount == 500
    assert refusal(stripe.InvalidRequestError, api.balance_transactions.retrieve, "txn_1").code == "resource_missing"


def test_payments_are_searched_by_metadata_a_little_later_than_they_are_made(sandbox, api):
    attempt = str(uuid.uuid4())
    paid = pay(api, metadata={"attempt": attempt})
    query = {"query": f"metadata['attempt']:'{attempt}'"}
    assert [one.id for one in api.payment_intents.search(query).data] == [paid.id]
    sandbox.control("PUT", "/stripe/search", {"lag_seconds": 60})
    assert api.payment_intents.search(query).data == []
    listed = api.payment_intents.list({"created": {"gte": paid.created}, "limit": 100}).data
    assert paid.id in [one.id for one in listed]
    sandbox.control("PUT", "/stripe/search", {"lag_seconds": 0})


# ---- subscriptions -------------------------------------------------------------------------------------------------


def subscribe(api, customer, price, card="pm_card_visa", **more):
    kept = api.payment_methods.attach(card, {"customer": customer.id})
    terms = {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": kept.id}
    return api.subscriptions.create(terms | more)


def test_a_subscription_is_paid_changed_renewed_and_cancelled(sandbox, api, customer, price):
    attempt = unique("subscription")
    paths = ["latest_invoice.payments", "default_payment_method"]
    made = subscribe(api, customer, price, metadata={"attempt": attempt}, expand=paths)
    assert (made.status, made["items"].data[0].price.unit_amount) == ("active", 1000)
    item, invoice = made["items"].data[0], made.latest_invoice
    assert 28 <= (item.current_period_end - item.current_period_start) / 86_400 <= 31
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 1000, "subscription_create")
    intent = api.payment_intents.retrieve(invoice.payments.data[0].payment.payment_intent)
    assert (intent.status, len(sandbox.ledger(id=intent.latest_charge))) == ("succeeded", 1)
    other = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    changed = api.subscriptions.update(made.id, {"default_payment_method": other.id})
    assert changed.default_payment_method == other.id
    assert renew(sandbox, made.id)["status"] == "past_due"
    failed = api.invoices.list({"subscription": made.id}).data[0]
    assert (failed.status, failed.attempt_count) == ("open", 1)
    mended = api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    assert api.invoices.pay(failed.id, {"payment_method": mended.id}).status == "paid"
    assert api.subscriptions.retrieve(made.id).status == "active"
    assert api.subscriptions.cancel(made.id).status == "canceled"
    assert refusal(stripe.InvalidRequestError, api.subscriptions.cancel, made.id).http_status == 404
    assert api.subscriptions.list({"customer": customer.id}).data == []


def test_a_subscription_whose_first_payment_fails_is_incomplete_or_is_none(api, customer, price):
    made = subscribe(api, customer, price, "pm_card_chargeCustomerFail", expand=["latest_invoice.payments"])
    assert (made.status, made.latest_invoice.status) == ("incomplete", "open")
    intent = api.payment_intents.retrieve(made.latest_invoice.payments.data[0].payment.payment_intent)
    assert intent.last_payment_error.code == "card_declined"
    strict = {"payment_behavior": "error_if_incomplete"}
    error = refusal(stripe.CardError, subscribe, api, customer, price, "pm_card_chargeCustomerFail", **strict)
    assert error.code == "card_declined"


def test_a_subscription_may_wait_for_its_payer(sandbox, api, customer, price):
    made = subscribe(api, customer, price, "pm_card_authenticationRequired", expand=["latest_invoice.payments"])
    assert made.status == "incomplete"
    page = made.latest_invoice.hosted_invoice_url
    assert requests.post(page, data={"decision": "approve"}, timeout=20).status_code == 200
    assert api.subscriptions.retrieve(made.id).status == "active"


def test_a_subscription_needs_a_price_that_recurs_and_something_to_charge(api, customer, price):
    items = [{"price": price.id}]
    error = refusal(stripe.InvalidRequestError, api.subscriptions.create, {"customer": customer.id, "items": items})
    assert error.code == "resource_missing"
    once = api.prices.create({"product": price.product, "unit_amount": 5, "currency": "eur"})
    error = refusal(stripe.InvalidRequestError, subscribe, api, customer, once)
    assert error.param == "items[0][price]"
    data = {"currency": "eur", "unit_amount": 700, "product": price.product, "recurring": {"interval": "week"}}
    own = subscribe(api, customer, price, items=[{"price_data": data}])
    assert own["items"].data[0].price.unit_amount == 700


# ---- events --------------------------------------------------------------------------------------------------------


def told(sandbox, arrived, *kinds):
    """The events of these kinds that arrived, each verified by the SDK."""
    sandbox.deliveries()
    events = []
    for headers, body in arrived:
        events.append(stripe.Webhook.construct_event(body, headers["stripe-signature"], STRIPE["webhook_secret"]))
    return [event for event in events if event.type in kinds]


def test_events_are_signed_delivered_and_listed(sandbox, api, endpoint):
    attempt = str(uuid.uuid4())
    paid = pay(api, key=attempt, metadata={"attempt": attempt})
    [event] = told(sandbox, endpoint, "payment_intent.succeeded")
    assert (event.data.object.id, event.data.object.metadata["attempt"]) == (paid.id, attempt)
    assert (event.request.idempotency_key, event.api_version) == (attempt, stripe.api_version)
    assert api.events.retrieve(event.id).id == event.id
    assert event.id in [one.id for one in api.events.list({"type": "payment_intent.succeeded"}).data]
    headers, body = sandbox.webhook(event.id)
    assert json.loads(body)["id"] == event.id
    time, signature = (part.split("=")[1] for part in headers["stripe-signature"].split(","))
    mac = hmac.new(STRIPE["webhook_secret"].encode(), f"{time}.{body}".encode(), hashlib.sha256)
    assert signature == mac.hexdigest()
    for secret, text in [("whsec_other", body), (STRIPE["webhook_secret"], body + " ")]:
        refusal(stripe.SignatureVerificationError, stripe.Webhook.construct_event, text,
                headers["stripe-signature"], secret)


def test_every_turn_of_a_payment_is_an_event(sandbox, api, endpoint):
    held = authorize(api)
    api.payment_intents.cancel(held.id)
    refusal(stripe.CardError, pay, api, "pm_card_visa_chargeDeclined")
    strong(api)
    pay(api, "pm_usBankAccount_success", currency="usd")
    api.refunds.create({"payment_intent": pay(api, "pm_card_refundFail").id})
    disputed = pay(api, "pm_card_createDispute")
    error = refusal(stripe.InvalidRequestError, api.refunds.create, {"payment_intent": disputed.id})
    assert error.code == "charge_disputed"
    [dispute] = api.disputes.list({"payment_intent": disputed.id}).data
    api.disputes.close(dispute.id)
    kinds = {
        "payment_intent.amount_capturable_updated", "payment_intent.canceled", "payment_intent.payment_failed",
        "payment_intent.requires_action", "payment_intent.processing", "refund.created", "refund.updated",
        "refund.failed", "charge.dispute.created", "charge.dispute.closed",
    }
    assert {event.type for event in told(sandbox, endpoint, *kinds)} == kinds


def test_every_turn_of_a_subscription_is_an_event(sandbox, api, endpoint, customer, price):
    made = subscribe(api, customer, price)
    other = api.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    api.subscriptions.update(made.id, {"default_payment_method": other.id})
    renew(sandbox, made.id)
    api.subscriptions.cancel(made.id)
    kinds = {"customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
             "invoice.paid", "invoice.payment_failed"}
    events = told(sandbox, endpoint, *kinds)
    assert {event.type for event in events} == kinds
    paid = next(event.data.object for event in events if event.type == "invoice.paid")
    assert paid.parent.subscription_details.subscription == made.id
