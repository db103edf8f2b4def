"""PayPal's official server SDK against the sandbox alone, with nothing changed but the base URL."""

import base64
import concurrent.futures
import json
import uuid
import zlib
from datetime import datetime, timedelta

import pytest
import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from paypalserversdk.configuration import Configuration, Environment, Server
from paypalserversdk.exceptions.error_exception import ErrorException
from paypalserversdk.exceptions.o_auth_provider_exception import OAuthProviderException
from paypalserversdk.exceptions.search_error_exception import SearchErrorException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

import sandbox as alone

VISA = {"number": "4012888888881881", "expiry": "2030-12", "security_code": "123"}
RETURN = {"return_url": "https://shop.example/return?order=1", "cancel_url": "https://shop.example/cancel"}
REPRESENTATION = "return=representation"


def connect(sandbox, monkeypatch_environments, secret=alone.PAYPAL["client_secret"]):
    """An SDK's client. Its environments are fixed in its code, so the sandbox's URL takes one's place."""
    monkeypatch_environments.setitem(Configuration.environments[Environment.SANDBOX], Server.DEFAULT, sandbox.paypal)
    credentials = ClientCredentialsAuthCredentials(alone.PAYPAL["client_id"], secret)
    return PaypalServersdkClient(environment=Environment.SANDBOX, client_credentials_auth_credentials=credentials)


@pytest.fixture
def paypal(sandbox, monkeypatch):
    """The SDK's client, and no fault or webhook of another test."""
    sandbox.control("DELETE", "/faults")
    sandbox.control("DELETE", "/webhooks")
    sandbox.control("PUT", "/paypal/tokens", {"expires_in": 32400})
    return connect(sandbox, monkeypatch)


def key():
    """A request id that nobody else has."""
    return str(uuid.uuid4())


def order(amount="10.00", currency="EUR", intent="CAPTURE", source=None, **unit):
    """What is asked for."""
    body = {
        "intent": intent,
        "purchase_units": [{"amount": {"currency_code": currency, "value": amount}, **unit}],
    }
    if source:
        body["payment_source"] = source
    else:
        body["application_context"] = RETURN
    return body


def create(paypal, *arguments, request_id=None, prefer=REPRESENTATION, **fields):
    """Creates an order and gives it."""
    options = {"body": order(*arguments, **fields), "prefer": prefer, "paypal_request_id": request_id or key()}
    return paypal.orders.create_order(options).body


def link(resource, rel):
    """The only link of this kind."""
    [href] = [link.href for link in resource.links if link.rel == rel]
    return href


def choose(page, choice="approve"):
    """Plays the payer on PayPal's page; gives where the shop gets the payer back."""
    assert f'id="{choice}"' in requests.get(page, timeout=10).text
    token = page.rpartition("=")[2]
    base = page.partition("/paypal/")[0]
    answer = requests.post(
        f"{base}/paypal/checkoutnow",
        params={"token": token, "choice": choice},
        allow_redirects=False,
        timeout=10,
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def approved(paypal, *arguments, choice="approve", **fields):
    """An order that its payer has approved."""
    made = create(paypal, *arguments, **fields)
    choose(link(made, "approve"), choice)
    return made.id


def captured(paypal, *arguments, request_id=None, **fields):
    """The capture of an order that was approved and captured."""
    made = approved(paypal, *arguments, **fields)
    paid = paypal.orders.capture_order({"id": made, "paypal_request_id": request_id or key()}).body
    return paid.purchase_units[0].payments.captures[0]


def authorized(paypal, *arguments, choice="approve", **fields):
    """The authorization of an order that was approved and authorized."""
    made = approved(paypal, *arguments, intent="AUTHORIZE", choice=choice, **fields)
    paid = paypal.orders.authorize_order({"id": made, "paypal_request_id": key(), "prefer": REPRESENTATION}).body
    return paid.purchase_units[0].payments.authorizations[0]


def issue(call, options):
    """The HTTP status and the issue of a refusal."""
    with pytest.raises(ErrorException) as refused:
        call(options)
    error = refused.value
    assert error.debug_id and error.message and error.name
    return error.response_code, error.details[0].issue


def money(amount):
    """An amount as text."""
    return f"{amount.value} {amount.currency_code}"


# Access tokens


def test_a_wrong_secret_gets_no_token(sandbox, paypal, monkeypatch):
    other = connect(sandbox, monkeypatch, secret="dummy-wrong-secret")
    with pytest.raises(OAuthProviderException) as refused:
        other.o_auth_authorization.request_token({"authorization": "Basic " + base64.b64encode(b"a:b").decode()})
    assert (refused.value.response_code, refused.value.error) == (401, "invalid_client")


def test_a_token_ends_and_can_be_taken_back(sandbox, paypal):
    made = create(paypal)
    read = f"{sandbox.paypal}/v2/checkout/orders/{made.id}"
    answer = requests.post(
        f"{sandbox.paypal}/v1/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(alone.PAYPAL["client_id"], alone.PAYPAL["client_secret"]),
        timeout=10,
    ).json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 32400)
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    assert requests.get(read, headers=headers, timeout=10).status_code == 200
    sandbox.control("DELETE", "/paypal/tokens")
    refused = requests.get(read, headers=headers, timeout=10)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    missing = requests.get(read, timeout=10)
    assert (missing.status_code, missing.json()["name"]) == (401, "AUTHENTICATION_FAILURE")
    with pytest.raises(ErrorException) as stale:
        paypal.orders.get_order({"id": made.id})
    assert stale.value.response_code == 401


def test_a_token_ends_by_itself(sandbox, paypal, monkeypatch):
    sandbox.control("PUT", "/paypal/tokens", {"expires_in": 60})
    assert create(paypal).status == "CREATED"
    sandbox.control("POST", "/paypal/clock", {"seconds": 61})
    with pytest.raises(ErrorException) as refused:
        create(paypal)
    assert refused.value.response_code == 401
    assert create(connect(sandbox, monkeypatch)).status == "CREATED"


# Orders


def test_an_order_is_approved_captured_and_read(sandbox, paypal):
    reference, request_id = key(), key()
    made = create(paypal, "12.5", custom_id=reference, invoice_id=reference, description="A book")
    assert (made.status, made.intent, money(made.purchase_units[0].amount)) == ("CREATED", "CAPTURE", "12.50 EUR")
    assert issue(paypal.orders.capture_order, {"id": made.id}) == (422, "ORDER_NOT_APPROVED")
    waiting = [item for item in sandbox.waiting() if item["id"] == made.id]
    assert [(item["amount"], item["text"]) for item in waiting] == [("12.50", f"Approval of {reference}")]
    back = choose(link(made, "approve"))
    assert back == f"https://shop.example/return?order=1&token={made.id}&PayerID=QYR5Z8XDVJNXQ"
    assert paypal.orders.get_order({"id": made.id}).body.status == "APPROVED"
    answer = paypal.orders.capture_order({"id": made.id, "paypal_request_id": request_id})
    paid = answer.body.purchase_units[0].payments.captures[0]
    assert (answer.status_code, answer.body.status, paid.status) == (201, "COMPLETED", "COMPLETED")
    assert (money(paid.amount), paid.custom_id, paid.invoice_id) == ("12.50 EUR", reference, reference)
    assert answer.body.payment_source.paypal.email_address == "payer@example.com"
    shown = paypal.payments.get_captured_payment({"capture_id": paid.id}).body
    assert (shown.final_capture, money(shown.seller_receivable_breakdown.paypal_fee)) == (True, "0.37 EUR")
    assert shown.supplementary_data.related_ids.order_id == made.id
    [line] = sandbox.ledger(provider="paypal", id=paid.id)
    assert (line["kind"], line["amount"], line["currency"]) == ("charge", "12.50", "EUR")
    assert line["reference"] == request_id
    assert issue(paypal.orders.capture_order, {"id": made.id}) == (422, "ORDER_ALREADY_CAPTURED")


def test_a_payer_who_goes_back_leaves_the_order_as_it_is(paypal):
    made = create(paypal)
    assert choose(link(made, "approve"), "cancel") == f"https://shop.example/cancel?token={made.id}"
    assert paypal.orders.get_order({"id": made.id}).body.status == "CREATED"


def test_an_order_with_a_wallet_asks_for_the_payer(paypal):
    made = create(paypal, source={"paypal": {"experience_context": RETURN}})
    assert made.status == "PAYER_ACTION_REQUIRED"
    assert "PayerID=" in choose(link(made, "payer-action"))
    assert paypal.orders.capture_order({"id": made.id, "paypal_request_id": key()}).body.status == "COMPLETED"


def test_a_minimal_answer_holds_less_than_the_representation(paypal):
    small = create(paypal, prefer="return=minimal")
    assert small.id and small.status == "CREATED" and not hasattr(small, "purchase_units")
    assert create(paypal).purchase_units[0].reference_id == "default"


def test_a_person_can_decide_on_the_sandbox_s_page(sandbox, paypal):
    made = create(paypal, intent="AUTHORIZE")
    sandbox.decide("paypal", made.id, "approve")
    assert paypal.orders.authorize_order({"id": made.id}).body.status == "COMPLETED"
    other = create(paypal)
    sandbox.decide("paypal", other.id, "decline")
    assert paypal.orders.get_order({"id": other.id}).body.status == "VOIDED"
    assert issue(paypal.orders.capture_order, {"id": other.id}) == (422, "ORDER_NOT_APPROVED")


def test_a_declined_instrument_sends_the_payer_back(paypal):
    made = approved(paypal, choice="declined")
    with pytest.raises(ErrorException) as declined:
        paypal.orders.capture_order({"id": made, "paypal_request_id": key()})
    error = declined.value
    assert (error.response_code, error.name) == (422, "UNPROCESSABLE_ENTITY")
    assert error.details[0].issue == "INSTRUMENT_DECLINED"
    [page] = [link.href for link in error.links if link.rel == "redirect"]
    choose(page)
    assert paypal.orders.capture_order({"id": made, "paypal_request_id": key()}).body.status == "COMPLETED"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"intent": "PAY"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"intent": None}, (400, "MISSING_REQUIRED_PARAMETER")),
        ({"purchase_units": []}, (400, "MISSING_REQUIRED_PARAMETER")),
        ({"purchase_units": [{"amount": {"currency_code": "EUR", "value": "1.005"}}]}, (422, "DECIMAL_PRECISION")),
        ({"purchase_units": [{"amount": {"currency_code": "JPY", "value": "1.50"}}]}, (422, "DECIMALS_NOT_SUPPORTED")),
        ({"purchase_units": [{"amount": {"currency_code": "KWD", "value": "1"}}]}, (422, "INVALID_CURRENCY_CODE")),
        ({"purchase_units": [{"amount": {"currency_code": "EUR", "value": "0"}}]}, (422, "CANNOT_BE_ZERO_OR_NEGATIVE")),
        ({"purchase_units": [{"amount": {"currency_code": "EUR", "value": "-1"}}]}, (422, "CANNOT_BE_ZERO_OR_NEGATIVE")),
        ({"purchase_units": [{"amount": {"currency_code": "EUR", "value": "ten"}}]}, (400, "INVALID_PARAMETER_SYNTAX")),
    ],
)
def test_a_wrong_order_is_refused_with_its_issue(paypal, change, expected):
    assert issue(paypal.orders.create_order, {"body": order() | change}) == expected


def test_an_intent_must_be_followed(paypal):
    made = approved(paypal)
    assert issue(paypal.orders.authorize_order, {"id": made}) == (422, "ACTION_DOES_NOT_MATCH_INTENT")


def test_what_is_not_there_is_not_found(paypal):
    for call, options in [
        (paypal.orders.get_order, {"id": "0"}),
        (paypal.orders.capture_order, {"id": "0"}),
        (paypal.payments.get_captured_payment, {"capture_id": "0"}),
        (paypal.payments.get_authorized_payment, {"authorization_id": "0"}),
        (paypal.payments.get_refund, {"refund_id": "0"}),
        (paypal.payments.refund_captured_payment, {"capture_id": "0"}),
        (paypal.payments.void_payment, {"authorization_id": "0"}),
    ]:
        assert issue(call, options) == (404, "INVALID_RESOURCE_ID")


def test_an_invoice_is_paid_once(paypal):
    invoice = key()
    captured(paypal, invoice_id=invoice)
    made = approved(paypal, invoice_id=invoice)
    assert issue(paypal.orders.capture_order, {"id": made}) == (422, "DUPLICATE_INVOICE_ID")


# The same call again


def test_a_replay_is_a_200_with_the_latest_status(sandbox, paypal):
    request_id = key()
    options = {"body": order(), "paypal_request_id": request_id}
    first = paypal.orders.create_order(options)
    choose(link(first.body, "approve"))
    again = paypal.orders.create_order(options)
    assert (first.status_code, first.body.status) == (201, "CREATED")
    assert (again.status_code, again.body.status, again.body.id) == (200, "APPROVED", first.body.id)
    execute = {"id": first.body.id, "paypal_request_id": request_id}
    paid, replayed = paypal.orders.capture_order(execute), paypal.orders.capture_order(execute)
    assert (paid.status_code, replayed.status_code) == (201, 200)
    one, two = (answer.body.purchase_units[0].payments.captures for answer in (paid, replayed))
    assert [capture.id for capture in one] == [capture.id for capture in two]
    assert len(sandbox.ledger(reference=request_id)) == 1


def test_a_key_is_forgotten_after_its_time(sandbox, paypal):
    options = {"body": order(), "paypal_request_id": key()}
    first = paypal.orders.create_order(options).body
    sandbox.control("POST", "/paypal/clock", {"seconds": 6 * 3600 - 60})
    assert paypal.orders.create_order(options).body.id == first.id
    sandbox.control("POST", "/paypal/clock", {"seconds": 61})
    assert paypal.orders.create_order(options).body.id != first.id


def test_a_refused_call_does_not_use_up_its_key(paypal):
    made, request_id = create(paypal), key()
    execute = {"id": made.id, "paypal_request_id": request_id}
    assert issue(paypal.orders.capture_order, execute) == (422, "ORDER_NOT_APPROVED")
    choose(link(made, "approve"))
    assert paypal.orders.capture_order(execute).status_code == 201


def test_of_two_calls_at_the_same_time_the_second_is_in_conflict(sandbox, paypal):
    capture, request_id = captured(paypal), key()
    options = {"capture_id": capture.id, "paypal_request_id": request_id, "prefer": REPRESENTATION}
    path = f"/paypal/v2/payments/captures/{capture.id}/refund"
    sandbox.faults({"path": path, "fault": {"delay_ms": 2000, "during": True}})
    with concurrent.futures.ThreadPoolExecutor() as threads:
        slow = threads.submit(paypal.payments.refund_captured_payment, options)
        while not sandbox.control("GET", "/requests")["counts"].get(f"POST {path}"):
            pass
        assert issue(paypal.payments.refund_captured_payment, options) == (409, "PREVIOUS_REQUEST_IN_PROGRESS")
        assert slow.result().status_code == 201
    assert paypal.payments.refund_captured_payment(options).status_code == 200
    assert len(sandbox.ledger(kind="refund", reference=request_id)) == 1


def test_a_key_has_at_most_108_characters(paypal):
    assert paypal.orders.create_order({"body": order(), "paypal_request_id": "k" * 108}).status_code == 201
    too_long = {"body": order(), "paypal_request_id": "k" * 109}
    assert issue(paypal.orders.create_order, too_long) == (400, "INVALID_STRING_LENGTH")


def test_an_order_with_a_payment_source_needs_a_key(paypal):
    options = {"body": order(source={"card": VISA})}
    assert issue(paypal.orders.create_order, options) == (400, "PAYPAL_REQUEST_ID_REQUIRED")


# Authorizations


def test_an_authorization_is_captured_in_parts(sandbox, paypal):
    reference = key()
    made = authorized(paypal, "30.00", custom_id=reference)
    assert (made.status, money(made.amount), made.custom_id) == ("CREATED", "30.00 EUR", reference)
    ids = []
    for value, final, status in [("10.00", False, "PARTIALLY_CAPTURED"), ("5.00", True, "CAPTURED")]:
        ids.append(key())
        body = {
            "amount": {"currency_code": "EUR", "value": value},
            "invoice_id": ids[-1],
            "final_capture": final,
            "note_to_payer": "Thank you",
        }
        options = {"authorization_id": made.id, "body": body, "paypal_request_id": ids[-1], "prefer": REPRESENTATION}
        taken = paypal.payments.capture_authorized_payment(options)
        assert (taken.status_code, taken.body.status, money(taken.body.amount)) == (201, "COMPLETED", f"{value} EUR")
        assert (taken.body.final_capture, taken.body.custom_id) == (final, reference)
        assert taken.body.supplementary_data.related_ids.authorization_id == made.id
        assert paypal.payments.capture_authorized_payment(options).status_code == 200
        assert paypal.payments.get_authorized_payment({"authorization_id": made.id}).body.status == status
    lines = [line for line in sandbox.ledger(kind="charge") if line["reference"] in ids]
    assert [line["amount"] for line in lines] == ["10.00", "5.00"]
    one_more = {"authorization_id": made.id, "body": {"amount": {"currency_code": "EUR", "value": "1.00"}}}
    already = (422, "AUTHORIZATION_ALREADY_CAPTURED")
    assert issue(paypal.payments.capture_authorized_payment, one_more) == already
    assert issue(paypal.payments.void_payment, {"authorization_id": made.id}) == (422, "PREVIOUSLY_CAPTURED")


def test_no_more_is_captured_than_is_left_and_in_no_other_currency(paypal):
    made = authorized(paypal)
    for value, currency, expected in [
        ("10.01", "EUR", "MAX_CAPTURE_AMOUNT_EXCEEDED"),
        ("1.00", "USD", "AUTH_CAPTURE_CURRENCY_MISMATCH"),
    ]:
        body = {"amount": {"currency_code": currency, "value": value}}
        options = {"authorization_id": made.id, "body": body}
        assert issue(paypal.payments.capture_authorized_payment, options) == (422, expected)
    minimal = paypal.payments.capture_authorized_payment({"authorization_id": made.id, "body": {}}).body
    assert minimal.status == "COMPLETED" and not hasattr(minimal, "amount")
    assert money(paypal.payments.get_captured_payment({"capture_id": minimal.id}).body.amount) == "10.00 EUR"


def test_an_authorization_is_voided_once(sandbox, paypal):
    made, request_id = authorized(paypal), key()
    answer = paypal.payments.void_payment({"authorization_id": made.id, "paypal_request_id": request_id})
    assert answer.status_code == 204
    again = {"authorization_id": made.id, "paypal_request_id": request_id, "prefer": REPRESENTATION}
    replay = paypal.payments.void_payment(again)
    assert (replay.status_code, replay.body.status) == (200, "VOIDED")
    assert issue(paypal.payments.void_payment, {"authorization_id": made.id}) == (422, "PREVIOUSLY_VOIDED")
    capture = {"authorization_id": made.id, "body": {}}
    assert issue(paypal.payments.capture_authorized_payment, capture) == (422, "AUTHORIZATION_VOIDED")
    assert [line["kind"] for line in sandbox.ledger(id=made.id)] == ["void"]


def test_an_authorization_is_made_again_after_three_days_and_ends_after_29(sandbox, paypal, monkeypatch):
    made = authorized(paypal)
    options = {"authorization_id": made.id, "body": {"amount": {"currency_code": "EUR", "value": "8.00"}}}
    assert issue(paypal.payments.reauthorize_payment, options) == (422, "REAUTHORIZATION_TOO_SOON")
    other = authorized(paypal)
    sandbox.control("POST", "/paypal/clock", {"seconds": 4 * 86400})
    paypal = connect(sandbox, monkeypatch)
    again = paypal.payments.reauthorize_payment(options | {"prefer": REPRESENTATION})
    assert (again.status_code, again.body.status, money(again.body.amount)) == (201, "CREATED", "8.00 EUR")
    assert again.body.id != made.id
    gone = {"authorization_id": made.id, "body": {}}
    assert issue(paypal.payments.capture_authorized_payment, gone) == (422, "AUTHORIZATION_VOIDED")
    late = {"authorization_id": other.id, "body": {}}
    sandbox.control("POST", "/paypal/clock", {"seconds": 26 * 86400})
    paypal = connect(sandbox, monkeypatch)
    assert issue(paypal.payments.capture_authorized_payment, late) == (422, "AUTHORIZATION_EXPIRED")


def test_an_authorization_can_be_pending(sandbox, paypal):
    made = authorized(paypal, choice="review")
    assert (made.status, made.status_details.reason) == ("PENDING", "PENDING_REVIEW")
    sandbox.control("POST", f"/paypal/authorizations/{made.id}/settle", {"status": "declined"})
    shown = paypal.payments.get_authorized_payment({"authorization_id": made.id}).body
    assert shown.status == "DENIED"


# Captures and refunds


def test_a_capture_is_refunded_in_parts_and_then_no_more(sandbox, paypal):
    capture, ids = captured(paypal, "10.00"), []
    for value, status, total in [("4.00", "PARTIALLY_REFUNDED", "4.00"), ("6.00", "REFUNDED", "10.00")]:
        ids.append(key())
        body = {"amount": {"currency_code": "EUR", "value": value}, "custom_id": ids[-1], "invoice_id": ids[-1]}
        options = {"capture_id": capture.id, "body": body, "paypal_request_id": ids[-1], "prefer": REPRESENTATION}
        made = paypal.payments.refund_captured_payment(options)
        assert (made.status_code, made.body.status, money(made.body.amount)) == (201, "COMPLETED", f"{value} EUR")
        assert made.body.custom_id == ids[-1]
        assert money(made.body.seller_payable_breakdown.total_refunded_amount) == f"{total} EUR"
        assert paypal.payments.refund_captured_payment(options).status_code == 200
        assert paypal.payments.get_refund({"refund_id": made.body.id}).body.status == "COMPLETED"
        assert paypal.payments.get_captured_payment({"capture_id": capture.id}).body.status == status
        if value == "4.00":
            more = {"capture_id": capture.id, "body": {"amount": {"currency_code": "EUR", "value": "6.01"}}}
            assert issue(paypal.payments.refund_captured_payment, more) == (422, "REFUND_AMOUNT_EXCEEDED")
    refunded = (422, "CAPTURE_FULLY_REFUNDED")
    assert issue(paypal.payments.refund_captured_payment, {"capture_id": capture.id}) == refunded
    lines = [line for line in sandbox.ledger(kind="refund") if line["reference"] in ids]
    assert [line["amount"] for line in lines] == ["4.00", "6.00"]


def test_an_empty_refund_is_the_whole_of_it(paypal):
    capture = captured(paypal, "7.00", "USD")
    made = paypal.payments.refund_captured_payment({"capture_id": capture.id, "prefer": REPRESENTATION}).body
    assert money(made.amount) == "7.00 USD"


def reported(sandbox, paypal, **wanted):
    """What the search finds around PayPal's own time, which other tests have put forward."""
    now = datetime.fromisoformat(sandbox.control("POST", "/paypal/clock", {"seconds": 0})["now"])
    written = {name: (now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
               for name, days in [("start_date", -1), ("end_date", 1)]}
    return paypal.transaction_search.search_transactions(written | wanted).body


def test_captures_and_refunds_are_found_by_the_transaction_search(sandbox, paypal):
    sandbox.control("PUT", "/paypal/reporting", {})
    capture = captured(paypal, "10.00")
    body = {"amount": {"currency_code": "EUR", "value": "4.00"}, "custom_id": key()}
    refund = paypal.payments.refund_captured_payment({"capture_id": capture.id, "body": body}).body

    def found(made, **more):
        details = reported(sandbox, paypal, transaction_id=made.id, **more).transaction_details
        return [one.transaction_info for one in details]

    info, = found(capture)
    assert (info.transaction_event_code, info.transaction_status, money(info.transaction_amount)) == (
        "T0006", "S", "10.00 EUR")
    assert money(info.fee_amount) == "-0.30 EUR"
    info, = found(refund)
    assert (info.transaction_event_code, money(info.transaction_amount), info.custom_field) == (
        "T1107", "-4.00 EUR", body["custom_id"])
    assert (info.paypal_reference_id, info.paypal_reference_id_type) == (capture.id, "TXN")
    assert found(refund, transaction_type="T0006") == found(refund, transaction_currency="USD") == []
    page = reported(sandbox, paypal, page_size=1, page=2)
    assert (page.page, len(page.transaction_details), page.total_pages) == (2, 1, page.total_items)
    sandbox.control("PUT", "/paypal/reporting", {"lag_seconds": 10_800})
    assert found(capture) == []
    sandbox.control("PUT", "/paypal/reporting", {"most": 1})
    with pytest.raises(SearchErrorException) as refused:
        reported(sandbox, paypal)
    assert (refused.value.response_code, "RESULTSET_TOO_LARGE" in refused.value.response.text) == (400, True)
    sandbox.control("PUT", "/paypal/reporting", {})


@pytest.mark.parametrize("wanted", [
    {"start_date": "yesterday"}, {"start_date": "2020-01-01T00:00:00Z"}, {"page_size": 501}, {"page": 0},
    {"balance_affecting_records_only": "yes"}, {"fields": "everything"}])
def test_a_search_that_is_none_is_refused(sandbox, paypal, wanted):
    with pytest.raises(SearchErrorException) as refused:
        reported(sandbox, paypal, **wanted)
    assert refused.value.response_code == 400


def test_what_an_order_came_to_is_in_it(paypal):
    made = approved(paypal, "10.00")
    paid = paypal.orders.capture_order({"id": made}).body
    capture = paid.purchase_units[0].payments.captures[0]
    body = {"amount": {"currency_code": "EUR", "value": "1.00"}, "custom_id": "a-refund"}
    paypal.payments.refund_captured_payment({"capture_id": capture.id, "body": body})
    payments = paypal.orders.get_order({"id": made}).body.purchase_units[0].payments
    assert [capture.status for capture in payments.captures] == ["PARTIALLY_REFUNDED"]
    assert [refund.custom_id for refund in payments.refunds] == ["a-refund"]


@pytest.mark.parametrize(("settled", "status", "lines"), [("completed", "COMPLETED", 1), ("declined", "DECLINED", 0)])
def test_a_pending_capture_ends_later(sandbox, paypal, settled, status, lines):
    capture = captured(paypal, choice="echeck")
    assert (capture.status, capture.status_details.reason) == ("PENDING", "ECHECK")
    assert sandbox.ledger(id=capture.id) == []
    assert issue(paypal.payments.refund_captured_payment, {"capture_id": capture.id}) == (422, "PENDING_CAPTURE")
    sandbox.control("POST", f"/paypal/captures/{capture.id}/settle", {"status": settled})
    assert paypal.payments.get_captured_payment({"capture_id": capture.id}).body.status == status
    assert len(sandbox.ledger(id=capture.id)) == lines


def test_a_refund_can_be_pending_and_fail(sandbox, paypal):
    capture = captured(paypal, choice="echeck")
    sandbox.control("POST", f"/paypal/captures/{capture.id}/settle", {"status": "completed"})
    made = paypal.payments.refund_captured_payment({"capture_id": capture.id, "prefer": REPRESENTATION}).body
    assert (made.status, made.status_details.reason) == ("PENDING", "ECHECK")
    sandbox.control("POST", f"/paypal/refunds/{made.id}/settle", {"status": "declined"})
    assert paypal.payments.get_refund({"refund_id": made.id}).body.status == "FAILED"
    assert paypal.payments.get_captured_payment({"capture_id": capture.id}).body.status == "COMPLETED"
    assert sandbox.ledger(id=made.id) == []


# Cards


def test_a_card_is_charged_in_one_step(sandbox, paypal):
    request_id = key()
    made = create(paypal, source={"card": VISA}, request_id=request_id)
    paid = made.purchase_units[0].payments.captures[0]
    assert (made.status, paid.status, paid.processor_response.response_code) == ("COMPLETED", "COMPLETED", "0000")
    card = made.payment_source.card
    assert (card.brand, card.last_digits, card.expiry) == ("VISA", "1881", "2030-12")
    assert [line["id"] for line in sandbox.ledger(reference=request_id)] == [paid.id]


@pytest.mark.parametrize(("name", "code"), [("CCREJECT-REFUSED", "0500"), ("CCREJECT-IF", "5120"), ("CCREJECT-EC", "5400")])
def test_a_card_is_declined_by_its_name(sandbox, paypal, name, code):
    made = create(paypal, source={"card": VISA | {"name": name}})
    declined = made.purchase_units[0].payments.captures[0]
    assert (made.status, declined.status, declined.processor_response.response_code) == ("COMPLETED", "DECLINED", code)
    assert sandbox.ledger(id=declined.id) == []
    held = create(paypal, intent="AUTHORIZE", source={"card": VISA | {"name": name}})
    assert held.purchase_units[0].payments.authorizations[0].status == "DENIED"


@pytest.mark.parametrize(("choice", "status", "shift"), [("approve", "COMPLETED", "POSSIBLE"), ("declined", "DECLINED", "NO")])
def test_a_card_asks_for_3d_secure(paypal, choice, status, shift):
    card = VISA | {"experience_context": RETURN, "attributes": {"verification": {"method": "SCA_ALWAYS"}}}
    made = create(paypal, source={"card": card})
    assert made.status == "PAYER_ACTION_REQUIRED"
    assert issue(paypal.orders.capture_order, {"id": made.id}) == (422, "PAYER_ACTION_REQUIRED")
    assert f"liability_shift={shift}" in choose(link(made, "payer-action"), choice)
    shown = paypal.orders.get_order({"id": made.id}).body
    result = shown.payment_source.card.authentication_result
    assert (shown.status, result.liability_shift) == ("APPROVED", shift)
    paid = paypal.orders.capture_order({"id": made.id, "paypal_request_id": key()}).body
    assert paid.purchase_units[0].payments.captures[0].status == status


# The vault


def vaulted(sandbox, paypal, **card):
    """A stored card: the payer fills it in, as PayPal's script does."""
    body = {"payment_source": {"card": {}}, "customer": {"merchant_customer_id": key()}}
    setup = paypal.vault.create_setup_token({"body": body, "paypal_request_id": key()})
    assert (setup.status_code, setup.body.status) == (201, "PAYER_ACTION_REQUIRED")
    source = {"payment_source": {"token": {"id": setup.body.id, "type": "SETUP_TOKEN"}}}
    assert issue(paypal.vault.create_payment_token, {"body": source}) == (422, "SETUP_TOKEN_NOT_APPROVED")
    sandbox.control("POST", f"/paypal/setup-tokens/{setup.body.id}/card", {**VISA, **card})
    assert paypal.vault.get_setup_token(setup.body.id).body.status == "APPROVED"
    options = {"body": source, "paypal_request_id": key()}
    made = paypal.vault.create_payment_token(options)
    assert made.status_code == 201
    assert paypal.vault.create_payment_token(options).body.id == made.body.id
    assert issue(paypal.vault.create_payment_token, {"body": source}) == (404, "TOKEN_NOT_FOUND")
    return made.body


def test_a_stored_card_is_listed_charged_and_deleted(sandbox, paypal):
    token = vaulted(sandbox, paypal, name="A Person")
    assert token.payment_source.card.last_digits == "1881"
    listed = paypal.vault.list_customer_payment_tokens({"customer_id": token.customer.id, "total_required": True}).body
    assert ([item.id for item in listed.payment_tokens], listed.total_items) == ([token.id], 1)
    source = {"card": {"vault_id": token.id}}
    assert create(paypal, source=source).status == "COMPLETED"
    assert paypal.vault.get_payment_token(token.id).body.customer.id == token.customer.id
    assert paypal.vault.delete_payment_token(token.id).status_code == 204
    assert paypal.vault.delete_payment_token(token.id).status_code == 204
    assert issue(paypal.vault.get_payment_token, token.id) == (404, "INVALID_RESOURCE_ID")
    options = {"body": order(source=source), "paypal_request_id": key()}
    assert issue(paypal.orders.create_order, options) == (422, "VAULT_ID_NOT_FOUND")


def test_a_stored_wallet_pays_without_being_asked(paypal):
    wallet = {"paypal": {"usage_type": "MERCHANT", "experience_context": RETURN}}
    setup = paypal.vault.create_setup_token({"body": {"payment_source": wallet}}).body
    assert "approval_token_id=" in choose(link(setup, "approve"))
    source = {"payment_source": {"token": {"id": setup.id, "type": "SETUP_TOKEN"}}}
    token = paypal.vault.create_payment_token({"body": source}).body
    assert token.payment_source.paypal.email_address == "payer@example.com"
    assert create(paypal, source={"paypal": {"vault_id": token.id}}).status == "COMPLETED"


# Negative testing


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [
        ("INSTRUMENT_DECLINED", 422, "UNPROCESSABLE_ENTITY"),
        ("DUPLICATE_INVOICE_ID", 422, "UNPROCESSABLE_ENTITY"),
        ("TRANSACTION_REFUSED", 422, "UNPROCESSABLE_ENTITY"),
        ("PERMISSION_DENIED", 403, "NOT_AUTHORIZED"),
        ("INTERNAL_SERVER_ERROR", 500, "INTERNAL_SERVER_ERROR"),
    ],
)
def test_a_mock_answer_is_given_when_asked_for(sandbox, paypal, code, status, name):
    made = approved(paypal)
    mock = json.dumps({"mock_application_codes": code})
    with pytest.raises(ErrorException) as refused:
        paypal.orders.capture_order({"id": made, "paypal_mock_response": mock})
    assert (refused.value.response_code, refused.value.name) == (status, name)
    if status != 500:
        assert refused.value.details[0].issue == code
    assert paypal.orders.get_order({"id": made}).body.status == "APPROVED"


# Webhooks


@pytest.fixture
def hooks(sandbox, paypal):
    """Keeps every event back, and gives those that were announced since."""
    sandbox.control("PUT", "/webhooks/handling", {"hold": True})

    def announced():
        held = sandbox.control("GET", "/webhooks")["held"]
        return [(item["event"], item["event_id"]) for item in held if item["provider"] == "paypal"]

    return announced


def signed(headers, body):
    """What is signed, and with what."""
    checksum = zlib.crc32(body.encode()) & 0xFFFFFFFF
    parts = [headers["PAYPAL-TRANSMISSION-ID"], headers["PAYPAL-TRANSMISSION-TIME"], alone.PAYPAL["webhook_id"]]
    return "|".join([*parts, str(checksum)]).encode(), base64.b64decode(headers["PAYPAL-TRANSMISSION-SIG"])


def test_a_payment_is_told_in_signed_events(sandbox, paypal, hooks):
    reference = key()
    capture = captured(paypal, "10.00", custom_id=reference)
    paypal.payments.refund_captured_payment({"capture_id": capture.id})
    sandbox.control("POST", f"/paypal/captures/{capture.id}/dispute", {"event": "created"})
    events = hooks()
    expected = ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REFUNDED"]
    assert [event for event, _ in events] == [*expected, "CUSTOMER.DISPUTE.CREATED"]
    headers, body = sandbox.webhook(events[1][1])
    event = json.loads(body)
    assert (event["id"], event["event_type"]) == (events[1][1], "PAYMENT.CAPTURE.COMPLETED")
    assert (event["resource"]["id"], event["resource"]["custom_id"]) == (capture.id, reference)
    certificate = requests.get(headers["PAYPAL-CERT-URL"], timeout=10).content
    public = x509.load_pem_x509_certificate(certificate).public_key()
    message, signature = signed(headers, body)
    public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(signature, message + b"0", padding.PKCS1v15(), hashes.SHA256())


def test_a_signature_can_be_checked_by_paypal(sandbox, paypal, hooks):
    captured(paypal)
    headers, body = sandbox.webhook(hooks()[0][1])
    question = {
        "auth_algo": headers["PAYPAL-AUTH-ALGO"],
        "cert_url": headers["PAYPAL-CERT-URL"],
        "transmission_id": headers["PAYPAL-TRANSMISSION-ID"],
        "transmission_sig": headers["PAYPAL-TRANSMISSION-SIG"],
        "transmission_time": headers["PAYPAL-TRANSMISSION-TIME"],
        "webhook_id": alone.PAYPAL["webhook_id"],
    }

    secret = base64.b64encode(b"dummy-client:dummy-client-secret").decode()
    token = paypal.o_auth_authorization.request_token({"authorization": f"Basic {secret}"}).body.access_token

    def ask(event, **change):
        # The event byte for byte: what is checked is the checksum of its text.
        text = json.dumps(question | change)[:-1] + f', "webhook_event": {event}}}'
        answer = requests.post(
            f"{sandbox.paypal}/v1/notifications/verify-webhook-signature",
            data=text,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            timeout=10,
        )
        return answer.json()["verification_status"]

    assert ask(body) == "SUCCESS"
    assert ask(body.replace("10.00", "1.00")) == "FAILURE"
    assert ask(body, webhook_id="WH-OTHER") == "FAILURE"
    assert ask(body, transmission_time="2020-01-01T00:00:00Z") == "FAILURE"
