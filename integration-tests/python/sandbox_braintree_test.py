"""Braintree's official SDK, unmodified, against the sandbox: every operation, with only the environment's server changed."""

import base64
import json
import urllib.parse
import uuid
from datetime import timedelta
from decimal import Decimal

import braintree
import pytest
import requests
from braintree.exceptions.authentication_error import AuthenticationError
from braintree.exceptions.invalid_signature_error import InvalidSignatureError
from braintree.exceptions.not_found_error import NotFoundError
from braintree.exceptions.server_error import ServerError
from braintree.exceptions.upgrade_required_error import UpgradeRequiredError
from braintree.test.nonces import Nonces

import sandbox as alone

Status = braintree.Transaction.Status
Codes = braintree.ErrorCodes


@pytest.fixture
def gateway(sandbox):
    """The SDK with the sandbox as its environment; what it calls the port is what follows the host."""
    made = connect(sandbox)
    yield made
    made.config.close()


def connect(sandbox, **changed):
    """A gateway with the sandbox's keys, or others."""
    host, rest = sandbox.braintree.removeprefix("http://").split(":")
    environment = braintree.Environment("local", host, rest, "", False, None)
    keys = alone.BRAINTREE | changed
    configuration = braintree.Configuration(environment, keys["merchant_id"], keys["public_key"], keys["private_key"])
    return braintree.BraintreeGateway(configuration)


@pytest.fixture
def panel(sandbox):
    """Switches in the Control Panel, and back."""
    before = sandbox.control("GET", "/braintree/control_panel")
    yield lambda **changed: sandbox.control("PUT", "/braintree/control_panel", before | changed)
    sandbox.control("PUT", "/braintree/control_panel", before)


def order():
    """An order id that nobody else has, as our attempts are."""
    return str(uuid.uuid4())


def sell(gateway, amount="10.00", submit=True, **fields):
    """A sale."""
    wanted = {
        "amount": amount,
        "payment_method_nonce": Nonces.Transactable,
        "order_id": order(),
        "options": {"submit_for_settlement": submit},
    }
    return gateway.transaction.sale({name: value for name, value in (wanted | fields).items() if value is not None})


def settled(gateway, amount="10.00"):
    """A sale that has been settled."""
    sale = sell(gateway, amount).transaction
    return gateway.testing.settle_transaction(sale.id).transaction


def codes(result, *objects):
    """The codes of the errors of an object."""
    errors = result.errors
    for name in objects:
        errors = errors.for_object(name)
    return {error.attribute: error.code for error in errors.deep_errors}


def customer(gateway):
    """A customer."""
    return gateway.customer.create({"first_name": "Zoë", "email": "zoe@example.test"}).customer


def stored(gateway, nonce=Nonces.Transactable, **options):
    """A payment method of a new customer."""
    wanted = {"customer_id": customer(gateway).id, "payment_method_nonce": nonce, "options": options}
    return gateway.payment_method.create(wanted)


def plan(gateway, **fields):
    """A plan."""
    wanted = {"name": "Monthly", "price": "5.00", "billing_frequency": 1, "currency_iso_code": "USD"}
    return gateway.plan.create(wanted | fields).plan


def typed(sandbox, number, **fields):
    """The nonce of a card that a payer types in."""
    return sandbox.control("POST", "/braintree/nonces", {"number": number} | fields)["nonce"]


# Who may come in.


def test_other_keys_are_not_let_in(sandbox):
    for changed in ({"private_key": "other"}, {"public_key": "other"}, {"merchant_id": "other"}):
        with pytest.raises(AuthenticationError):
            connect(sandbox, **changed).customer.create({})


def test_an_old_version_of_the_api_is_refused(gateway, monkeypatch):
    monkeypatch.setattr(braintree.Configuration, "api_version", staticmethod(lambda: "5"))
    with pytest.raises(UpgradeRequiredError):
        gateway.customer.create({})


# Sales.


def test_a_sale_is_authorized_and_found(gateway, sandbox):
    result = sell(gateway, "10.50", submit=False)
    assert result.is_success
    made = result.transaction
    assert (made.status, made.amount, made.type) == (Status.Authorized, Decimal("10.50"), "sale")
    assert (made.currency_iso_code, made.merchant_account_id) == ("USD", "sandbox_usd")
    assert (made.processor_response_code, made.processor_response_text) == ("1000", "Approved")
    assert (made.credit_card_details.card_type, made.credit_card_details.masked_number) == ("Visa", "411111******1111")
    assert made.payment_instrument_type == braintree.PaymentInstrumentType.CreditCard
    found = gateway.transaction.find(made.id)
    assert (found.order_id, found.created_at) == (made.order_id, made.created_at)
    assert [event.status for event in found.status_history] == [Status.Authorized]
    assert sandbox.ledger(reference=made.order_id) == []


def test_a_sale_that_is_submitted_is_a_charge(gateway, sandbox):
    made = sell(gateway, "10.50").transaction
    assert made.status == Status.SubmittedForSettlement
    (line,) = sandbox.ledger(reference=made.order_id)
    wanted = {"provider": "braintree", "kind": "charge", "id": made.id, "amount": "10.50", "currency": "USD"}
    assert wanted.items() <= line.items()


def test_a_merchant_account_decides_the_currency(gateway):
    euro = sell(gateway, "10.00", merchant_account_id="sandbox_eur").transaction
    yen = sell(gateway, "120", merchant_account_id="sandbox_jpy").transaction
    assert (euro.currency_iso_code, yen.currency_iso_code, yen.amount) == ("EUR", "JPY", Decimal("120"))
    assert codes(sell(gateway, merchant_account_id="none")) == {
        "merchant_account_id": Codes.Transaction.MerchantAccountIdIsInvalid
    }


def test_a_card_in_the_request_is_charged_and_not_repeated(gateway):
    card = {"number": "5555555555554444", "expiration_date": "12/2031", "cvv": "123"}
    made = sell(gateway, payment_method_nonce=None, credit_card=card).transaction
    assert (made.credit_card_details.card_type, made.credit_card_details.expiration_date) == ("MasterCard", "12/2031")
    refused = sell(gateway, amount="", payment_method_nonce=None, credit_card=card)
    assert refused.params["transaction"]["credit_card"] == {"expiration_date": "12/2031"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"amount": None}, {"amount": Codes.Transaction.AmountIsRequired}),
        ({"amount": "ten"}, {"amount": Codes.Transaction.AmountIsInvalid}),
        ({"amount": "1.001"}, {"amount": Codes.Transaction.AmountIsInvalid}),
        ({"amount": "-1.00"}, {"amount": Codes.Transaction.AmountCannotBeNegative}),
        ({"amount": "0.00"}, {"amount": Codes.Transaction.AmountMustBeGreaterThanZero}),
        ({"amount": "99999999999999"}, {"amount": Codes.Transaction.AmountIsTooLarge}),
        ({"order_id": "x" * 256}, {"order_id": Codes.Transaction.OrderIdIsTooLong}),
        ({"payment_method_nonce": None}, {"base": Codes.Transaction.CreditCardIsRequired}),
        ({"payment_method_nonce": "none"}, {"payment_method_nonce": Codes.Transaction.PaymentMethodNonceUnknown}),
        (
            {"payment_method_nonce": Nonces.Consumed},
            {"payment_method_nonce": Codes.Transaction.PaymentMethodNonceConsumed},
        ),
        ({"payment_method_nonce": Nonces.LuhnInvalid}, {"number": Codes.CreditCard.NumberIsInvalid}),
        (
            {"payment_method_nonce": None, "payment_method_token": "none"},
            {"payment_method_token": Codes.Transaction.PaymentMethodTokenIsInvalid},
        ),
        ({"payment_method_token": "both"}, {"base": Codes.Transaction.PaymentMethodConflict}),
        (
            {"payment_method_nonce": None, "customer_id": "none"},
            {"customer_id": Codes.Transaction.CustomerIdIsInvalid},
        ),
    ],
)
def test_a_sale_that_is_wrong_says_what_is(gateway, fields, expected):
    result = sell(gateway, **fields)
    assert not result.is_success
    assert codes(result, "transaction") == expected
    assert result.message
    assert result.transaction is None
    assert result.params["transaction"]["type"] == "sale"


@pytest.mark.parametrize(
    ("amount", "status", "code", "text"),
    [
        ("2000.00", Status.ProcessorDeclined, "2000", "Do Not Honor"),
        ("2001.50", Status.ProcessorDeclined, "2001", "Insufficient Funds"),
        ("2999.99", Status.ProcessorDeclined, "2999", "Processor Declined"),
        ("3000.99", Status.Failed, "3000", "Processor Network Unavailable - Try Again"),
    ],
)
def test_an_amount_decides_what_the_processor_says(gateway, sandbox, amount, status, code, text):
    result = sell(gateway, amount)
    assert not result.is_success
    made = result.transaction
    assert (made.status, made.processor_response_code, made.processor_response_text) == (status, code, text)
    assert result.message == text
    assert len(result.errors) == 0
    assert gateway.transaction.find(made.id).status == status
    assert sandbox.ledger(reference=made.order_id) == []


@pytest.mark.parametrize(
    ("nonce", "status", "reason"),
    [
        (Nonces.ProcessorDeclinedVisa, Status.ProcessorDeclined, None),
        (Nonces.ProcessorFailureJCB, Status.Failed, None),
        (Nonces.GatewayRejectedFraud, Status.GatewayRejected, "fraud"),
        (Nonces.GatewayRejectedRiskThreshold, Status.GatewayRejected, "risk_threshold"),
    ],
)
def test_a_nonce_decides_what_becomes_of_a_sale(gateway, nonce, status, reason):
    made = sell(gateway, payment_method_nonce=nonce).transaction
    assert (made.status, made.gateway_rejection_reason) == (status, reason)


def test_an_amount_is_rejected_by_the_gateway(gateway):
    made = sell(gateway, "5001.00").transaction
    assert (made.status, made.gateway_rejection_reason) == (Status.GatewayRejected, "application_incomplete")
    assert made.processor_response_code is None


def test_a_wrong_security_code_is_rejected_by_the_rules(gateway, sandbox, panel):
    rejected = sell(gateway, payment_method_nonce=typed(sandbox, "4111111111111111", cvv="200"))
    assert rejected.message == "Gateway Rejected: cvv"
    assert rejected.transaction.gateway_rejection_reason == braintree.Transaction.GatewayRejectionReason.Cvv
    assert rejected.transaction.cvv_response_code == "N"
    panel(cvv_rules=False)
    assert sell(gateway, payment_method_nonce=typed(sandbox, "4111111111111111", cvv="200")).is_success


def test_a_paypal_account_is_charged(gateway):
    made = sell(gateway, payment_method_nonce=Nonces.PayPalOneTimePayment).transaction
    assert made.payment_instrument_type == braintree.PaymentInstrumentType.PayPalAccount
    assert made.paypal_details.payer_email == "jane.doe@paypal.com"


# Nonces.


def test_an_issued_nonce_is_good_once(gateway, sandbox):
    nonce = typed(sandbox, "4111111111111111")
    assert sell(gateway, payment_method_nonce=nonce).is_success
    again = sell(gateway, payment_method_nonce=nonce)
    assert codes(again) == {"payment_method_nonce": Codes.Transaction.PaymentMethodNonceConsumed}


def test_a_nonce_expires(gateway, sandbox):
    nonce = typed(sandbox, "4111111111111111")
    sandbox.control("DELETE", f"/braintree/nonces/{nonce}")
    expired = sell(gateway, payment_method_nonce=nonce)
    assert codes(expired) == {"payment_method_nonce": Codes.Transaction.PaymentMethodNonceUnknown}


def client(gateway, sandbox, path, **body):
    """Asks the API for the payer's side with a client token."""
    token = json.loads(base64.b64decode(gateway.client_token.generate()))
    body |= {"authorizationFingerprint": token["authorizationFingerprint"]}
    return requests.post(f"{token['clientApiUrl']}/v1/payment_methods/{path}", json=body, timeout=30)


def test_a_client_token_lets_the_payer_s_side_make_a_nonce(gateway, sandbox):
    card = {"number": "4111111111111111", "expirationMonth": "12", "expirationYear": "2031", "cvv": "123"}
    answer = client(gateway, sandbox, "credit_cards", credit_card=card)
    assert answer.status_code == 202
    (made,) = answer.json()["creditCards"]
    assert made["details"]["cardType"] == "Visa"
    assert sell(gateway, payment_method_nonce=made["nonce"]).transaction.cvv_response_code == "M"
    assert client(gateway, sandbox, "credit_cards", credit_card=card | {"number": "4111"}).status_code == 422


def test_a_client_token_is_not_made_up(sandbox, gateway):
    token = json.loads(base64.b64decode(gateway.client_token.generate({"customer_id": customer(gateway).id})))
    body = {"authorizationFingerprint": "0|" + token["authorizationFingerprint"], "credit_card": {}}
    body["credit_card"] = {"number": "4111111111111111", "expirationMonth": "12", "expirationYear": "2031"}
    url = f"{token['clientApiUrl']}/v1/payment_methods/credit_cards"
    assert requests.post(url, json=body, timeout=30).status_code == 401
    with pytest.raises(ValueError, match="does not exist"):
        gateway.client_token.generate({"customer_id": "nobody"})


# 3-D Secure.


REQUIRED = {"submit_for_settlement": True, "three_d_secure": {"required": True}}


def test_a_sale_that_requires_3d_secure_is_rejected_without_it(gateway):
    rejected = sell(gateway, options=REQUIRED)
    reason = braintree.Transaction.GatewayRejectionReason.ThreeDSecure
    assert rejected.transaction.gateway_rejection_reason == reason
    failed = sell(gateway, payment_method_nonce=Nonces.ThreeDSecureVisaFailedAuthentication, options=REQUIRED)
    assert failed.transaction.gateway_rejection_reason == reason
    assert failed.transaction.three_d_secure_info.status == "authenticate_failed"


def test_a_sale_that_requires_3d_secure_is_made_with_it(gateway):
    made = sell(gateway, payment_method_nonce=Nonces.ThreeDSecureVisaFullAuthentication, options=REQUIRED).transaction
    info = made.three_d_secure_info
    assert (info.status, info.liability_shifted, info.enrolled) == ("authenticate_successful", True, "Y")


@pytest.mark.parametrize(("decision", "succeeds"), [("approve", True), ("decline", False)])
def test_the_payer_is_asked_on_a_page(gateway, sandbox, decision, succeeds):
    first = typed(sandbox, "4000000000001091")
    found = client(gateway, sandbox, f"{first}/three_d_secure/lookup", amount="10.00").json()
    page = requests.get(found["lookup"]["acsUrl"], timeout=30)
    assert page.status_code == 200 and "10.00" in page.text
    (waiting,) = [one for one in sandbox.waiting() if one["id"] == found["lookup"]["md"]]
    assert (waiting["provider"], waiting["amount"]) == ("braintree", "10.00")
    sandbox.decide("braintree", waiting["id"], decision)
    result = sell(gateway, payment_method_nonce=found["paymentMethod"]["nonce"], options=REQUIRED)
    assert result.is_success == succeeds
    consumed = sell(gateway, payment_method_nonce=first)
    assert codes(consumed) == {"payment_method_nonce": Codes.Transaction.PaymentMethodNonceConsumed}


def test_a_card_can_prove_its_payer_without_a_question(gateway, sandbox):
    first = typed(sandbox, "4000000000001000")
    found = client(gateway, sandbox, f"{first}/three_d_secure/lookup", amount="10.00").json()
    assert found["lookup"] is None
    assert found["paymentMethod"]["threeDSecureInfo"]["liabilityShifted"] is True
    assert sell(gateway, payment_method_nonce=found["paymentMethod"]["nonce"], options=REQUIRED).is_success


# Duplicates.


def test_the_same_sale_shortly_after_is_a_duplicate(gateway, sandbox, panel):
    same = order()
    first = sell(gateway, order_id=same)
    second = sell(gateway, order_id=same)
    assert first.is_success
    assert second.transaction.gateway_rejection_reason == braintree.Transaction.GatewayRejectionReason.Duplicate
    assert sell(gateway, "11.00", order_id=same).is_success
    assert sell(gateway, order_id=same, payment_method_nonce=Nonces.TransactableMasterCard).is_success
    assert len(sandbox.ledger(reference=same)) == 3
    panel(duplicate_window=0)
    assert sell(gateway, order_id=same).is_success


def test_a_decline_is_no_earlier_sale(gateway):
    same = order()
    assert sell(gateway, "2001.00", order_id=same).transaction.status == Status.ProcessorDeclined
    assert sell(gateway, "2001.00", order_id=same).transaction.status == Status.ProcessorDeclined


def test_an_account_can_have_keys_for_at_most_once(gateway, sandbox, panel):
    same, key = order(), order()
    refused = sell(gateway, order_id=same, api_request_key=key)
    assert codes(refused) == {"api_request_key": Codes.Transaction.ApiRequestKeyNotAllowed}
    panel(api_request_keys=True)
    first = sell(gateway, order_id=same, api_request_key=key)
    again = sell(gateway, order_id=same, api_request_key=key)
    assert first.is_success and again.is_success
    assert first.transaction.id == again.transaction.id
    other = sell(gateway, "11.00", order_id=same, api_request_key=key)
    assert codes(other) == {"api_request_key": Codes.Transaction.ApiRequestKeyCanBeReusedOnlyWithTheSameRequest}
    failed = order()
    for expected in (None, Codes.Transaction.ApiRequestKeyWithFailedRequest):
        result = sell(gateway, "2000.00", order_id=same, api_request_key=failed)
        assert codes(result).get("api_request_key") == expected
    assert len(sandbox.ledger(reference=same)) == 1
    too_long = sell(gateway, api_request_key="x" * 256)
    assert codes(too_long) == {"api_request_key": Codes.Transaction.ApiRequestKeyTooLong}


# What is done with a sale afterwards.


def test_an_authorization_is_submitted_for_less(gateway, sandbox):
    made = sell(gateway, "10.00", submit=False).transaction
    too_much = gateway.transaction.submit_for_settlement(made.id, Decimal("10.01"))
    assert codes(too_much, "transaction") == {"amount": Codes.Transaction.SettlementAmountIsTooLarge}
    less = gateway.transaction.submit_for_settlement(made.id, Decimal("6.00")).transaction
    assert (less.status, less.amount) == (Status.SubmittedForSettlement, Decimal("6.00"))
    again = gateway.transaction.submit_for_settlement(made.id)
    assert codes(again, "transaction") == {"base": Codes.Transaction.CannotSubmitForSettlement}
    assert [line["amount"] for line in sandbox.ledger(id=made.id)] == ["6.00"]


def test_an_authorization_is_settled_in_parts(gateway, sandbox):
    made = sell(gateway, "10.00", submit=False).transaction
    parts = []
    for amount, more in (("4.00", {}), ("3.00", {"order_id": order()})):
        result = gateway.transaction.submit_for_partial_settlement(made.id, Decimal(amount), more)
        assert result.is_success
        part = result.transaction
        assert (part.amount, part.authorized_transaction_id) == (Decimal(amount), made.id)
        assert part.order_id == more.get("order_id", made.order_id)
        parts.append(part.id)
    parent = gateway.transaction.find(made.id)
    assert (parent.status, parent.partial_settlement_transaction_ids) == (Status.SettlementPending, parts)
    too_much = gateway.transaction.submit_for_partial_settlement(made.id, Decimal("3.01"))
    assert codes(too_much) == {"amount": Codes.Transaction.SettlementAmountIsTooLarge}
    of_part = gateway.transaction.submit_for_partial_settlement(parts[0], Decimal("1.00"))
    assert codes(of_part) == {"base": Codes.Transaction.CannotSubmitForPartialSettlement}
    last = gateway.transaction.submit_for_partial_settlement(made.id, Decimal("1.00"), {"final_capture": "true"})
    assert last.is_success
    after = gateway.transaction.submit_for_partial_settlement(made.id, Decimal("1.00"))
    assert codes(after) == {"base": Codes.Transaction.CannotSubmitForPartialSettlement}
    assert [sandbox.ledger(id=part)[0]["kind"] for part in parts] == ["charge", "charge"]


def test_what_is_not_settled_is_voided(gateway, sandbox):
    for submit in (False, True):
        made = sell(gateway, submit=submit).transaction
        assert gateway.transaction.void(made.id).transaction.status == Status.Voided
        kinds = [line["kind"] for line in sandbox.ledger(id=made.id)]
        assert kinds == (["charge", "void"] if submit else ["void"])
        assert codes(gateway.transaction.void(made.id)) == {"base": Codes.Transaction.CannotBeVoided}
    assert codes(gateway.transaction.void(settled(gateway).id)) == {"base": Codes.Transaction.CannotBeVoided}


def test_a_settled_sale_is_refunded_in_parts(gateway, sandbox):
    made = settled(gateway, "10.00")
    reference = order()
    first = gateway.transaction.refund(made.id, {"amount": "4.00", "order_id": reference}).transaction
    assert (first.type, first.amount, first.refunded_transaction_id) == ("credit", Decimal("4.00"), made.id)
    assert (first.order_id, first.status) == (reference, Status.SubmittedForSettlement)
    too_much = gateway.transaction.refund(made.id, "6.01")
    assert codes(too_much) == {"amount": Codes.Transaction.RefundAmountIsTooLarge}
    second = gateway.transaction.refund(made.id).transaction
    assert second.amount == Decimal("6.00")
    assert gateway.transaction.find(made.id).refund_ids == [first.id, second.id]
    assert codes(gateway.transaction.refund(made.id)) == {"base": Codes.Transaction.HasAlreadyBeenRefunded}
    assert codes(gateway.transaction.refund(first.id)) == {"base": Codes.Transaction.CannotRefundCredit}
    (line,) = sandbox.ledger(reference=reference)
    assert (line["kind"], line["amount"], line["id"]) == ("refund", "4.00", first.id)


def test_only_what_is_settled_is_refunded(gateway):
    made = sell(gateway).transaction
    assert codes(gateway.transaction.refund(made.id)) == {"base": Codes.Transaction.CannotRefundUnlessSettled}


def test_a_refund_can_be_declined(gateway, sandbox):
    made = settled(gateway, "9000.00")
    hard = gateway.transaction.refund(made.id, Decimal("2004.00"))
    assert not hard.is_success
    assert (hard.transaction.status, hard.transaction.additional_processor_response) == (
        Status.ProcessorDeclined,
        "2004 : Expired Card",
    )
    soft = gateway.transaction.refund(made.id, Decimal("2046.00"))
    assert (soft.is_success, soft.transaction.additional_processor_response) == (True, "2046 : Declined")
    assert [line["amount"] for line in sandbox.ledger(id=soft.transaction.id)] == ["2046.00"]


def test_settlement_is_simulated(gateway, sandbox):
    assert settled(gateway).status == Status.Settled
    made = sell(gateway).transaction
    declined = gateway.testing.settlement_decline_transaction(made.id).transaction
    assert declined.status == Status.SettlementDeclined
    assert (declined.processor_settlement_response_code, declined.processor_settlement_response_text) == (
        "4001",
        "Settlement Declined",
    )
    by_amount = sell(gateway, "4001.50").transaction
    assert gateway.testing.settle_transaction(by_amount.id).transaction.status == Status.SettlementDeclined
    assert [line["kind"] for line in sandbox.ledger(id=by_amount.id)] == ["charge", "void"]
    confirmed = gateway.testing.settlement_confirm_transaction(sell(gateway).transaction.id).transaction
    assert confirmed.status == Status.SettlementConfirmed
    pending = gateway.testing.settlement_pending_transaction(sell(gateway).transaction.id).transaction
    assert pending.status == Status.SettlementPending
    early = gateway.testing.settle_transaction(sell(gateway, submit=False).transaction.id)
    assert codes(early) == {"base": Codes.Transaction.CannotSimulateTransactionSettlement}


def test_a_transaction_that_is_not_there_is_not_found(gateway):
    for ask in (
        gateway.transaction.find,
        gateway.transaction.void,
        gateway.transaction.refund,
        gateway.transaction.submit_for_settlement,
        gateway.testing.settle_transaction,
    ):
        with pytest.raises(NotFoundError):
            ask("nothing")


# Searches.


def test_a_sale_is_found_by_its_order(gateway):
    made = sell(gateway).transaction
    found = list(gateway.transaction.search(braintree.TransactionSearch.order_id == made.order_id).items)
    assert [one.id for one in found] == [made.id]
    assert gateway.transaction.search(braintree.TransactionSearch.order_id == order()).maximum_size == 0


def test_a_search_has_several_terms(gateway):
    same = order()
    sale = sell(gateway, order_id=same).transaction
    gateway.testing.settle_transaction(sale.id)
    gateway.transaction.refund(sale.id, {"order_id": same})
    search = braintree.TransactionSearch
    by_order = gateway.transaction.search(search.order_id.starts_with(same))
    assert by_order.maximum_size == 2
    both = gateway.transaction.search([search.order_id == same, search.type == braintree.Transaction.Type.Credit])
    assert [one.refunded_transaction_id for one in both.items] == [sale.id]
    status = gateway.transaction.search([search.order_id == same, search.status.in_list([Status.Settled])])
    assert status.ids == [sale.id]


def test_transactions_are_found_by_when_they_were_made(gateway):
    same = order()
    made = sell(gateway, order_id=same).transaction
    search, second = braintree.TransactionSearch, timedelta(seconds=1)
    at = made.created_at

    def found(term):
        return gateway.transaction.search([search.order_id == same, term]).ids

    for term in [search.created_at.between(at - second, at + second), search.created_at.between(at, at),
                 search.created_at >= at, search.created_at <= at, search.created_at == at]:
        assert found(term) == [made.id]
    for term in [search.created_at >= at + second, search.created_at <= at - second,
                 search.created_at.between(at + second, at + 2 * second)]:
        assert found(term) == []


# Customers and payment methods.


def test_a_customer_is_made_found_and_deleted(gateway):
    made = gateway.customer.create({"id": order(), "first_name": "Zoë <&>", "email": "zoe@example.test"}).customer
    found = gateway.customer.find(made.id)
    assert (found.first_name, found.email, found.payment_methods) == ("Zoë <&>", "zoe@example.test", [])
    taken = gateway.customer.create({"id": made.id})
    assert codes(taken, "customer") == {"id": Codes.Customer.IdIsInUse}
    assert gateway.customer.delete(made.id).is_success
    with pytest.raises(NotFoundError):
        gateway.customer.find(made.id)
    with pytest.raises(NotFoundError):
        gateway.customer.delete(made.id)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id": "a b"}, {"id": Codes.Customer.IdIsInvalid}),
        ({"id": "x" * 37}, {"id": Codes.Customer.IdIsTooLong}),
        ({"id": "all"}, {"id": Codes.Customer.IdIsNotAllowed}),
        ({"email": "nowhere"}, {"email": Codes.Customer.EmailFormatIsInvalid}),
    ],
)
def test_a_customer_that_is_wrong_says_what_is(gateway, fields, expected):
    assert codes(gateway.customer.create(fields), "customer") == expected


def test_a_card_is_verified_stored_charged_and_deleted(gateway):
    token = order()
    owner = customer(gateway)
    result = gateway.payment_method.create(
        {
            "customer_id": owner.id,
            "payment_method_nonce": Nonces.TransactableVisa,
            "token": token,
            "options": {"verify_card": True},
        }
    )
    assert result.is_success
    card = result.payment_method
    assert isinstance(card, braintree.CreditCard)
    assert (card.token, card.last_4, card.card_type, card.default) == (token, "1881", "Visa", True)
    assert card.verification.status == braintree.CreditCardVerification.Status.Verified
    assert gateway.payment_method.find(token).customer_id == owner.id
    assert [one.token for one in gateway.customer.find(owner.id).payment_methods] == [token]
    sale = sell(gateway, payment_method_nonce=None, payment_method_token=token).transaction
    assert (sale.credit_card_details.token, sale.customer_details.id) == (token, owner.id)
    by_customer = sell(gateway, "11.00", payment_method_nonce=None, customer_id=owner.id).transaction
    assert by_customer.credit_card_details.token == token
    assert gateway.payment_method.delete(token).is_success
    for ask in (gateway.payment_method.find, gateway.payment_method.delete):
        with pytest.raises(NotFoundError):
            ask(token)
    without = sell(gateway, "12.00", payment_method_nonce=None, customer_id=owner.id)
    assert codes(without) == {"base": Codes.Transaction.CustomerDoesNotHaveCreditCard}


def test_a_paypal_account_is_stored(gateway):
    account = stored(gateway, Nonces.PayPalBillingAgreement).payment_method
    assert isinstance(account, braintree.PayPalAccount)
    assert gateway.payment_method.find(account.token).email == "jane.doe@paypal.com"


def test_a_card_that_is_not_verified_is_not_stored(gateway, sandbox):
    result = stored(gateway, Nonces.ProcessorDeclinedVisa, verify_card=True)
    assert not result.is_success
    verification = result.credit_card_verification
    assert (verification.status, verification.processor_response_code) == ("processor_declined", "2000")
    assert result.message == "Do Not Honor"
    wrong = stored(gateway, typed(sandbox, "4111111111111111", cvv="200"), verify_card=True)
    assert wrong.credit_card_verification.gateway_rejection_reason == "cvv"
    assert stored(gateway, Nonces.ProcessorDeclinedVisa).is_success


def test_a_payment_method_that_is_wrong_says_what_is(gateway):
    result = gateway.payment_method.create({})
    assert codes(result, "payment_method") == {
        "customer_id": Codes.PaymentMethod.CustomerIdIsRequired,
        "payment_method_nonce": Codes.PaymentMethod.NonceIsRequired,
    }
    of_nobody = gateway.payment_method.create({"customer_id": "none", "payment_method_nonce": Nonces.Transactable})
    assert codes(of_nobody) == {"customer_id": Codes.PaymentMethod.CustomerIdIsInvalid}
    assert codes(stored(gateway, Nonces.Consumed)) == {
        "payment_method_nonce": Codes.PaymentMethod.PaymentMethodNonceConsumed
    }
    assert codes(stored(gateway, "none")) == {
        "payment_method_nonce": Codes.PaymentMethod.PaymentMethodNonceUnknown
    }
    token = stored(gateway).payment_method.token
    wanted = {"customer_id": customer(gateway).id, "payment_method_nonce": Nonces.Transactable, "token": token}
    assert codes(gateway.payment_method.create(wanted)) == {"token": Codes.CreditCard.TokenIsInUse}


# Plans and subscriptions.


def test_plans_are_made_and_listed(gateway):
    made = plan(gateway, id=order())
    assert (gateway.plan.find(made.id).price, made.currency_iso_code) == ("5.00", "USD")
    assert made.id in [one.id for one in gateway.plan.all()]
    with pytest.raises(NotFoundError):
        gateway.plan.find("nothing")


def test_a_subscription_is_charged_changed_and_cancelled(gateway, sandbox):
    token, named = stored(gateway).payment_method.token, order()
    wanted = {"id": named, "payment_method_token": token, "plan_id": plan(gateway).id, "price": "7.00"}
    result = gateway.subscription.create(wanted)
    assert result.is_success
    made = result.subscription
    assert (made.status, made.price, made.next_billing_period_amount) == (
        braintree.Subscription.Status.Active,
        Decimal("7.00"),
        Decimal("7.00"),
    )
    (charge,) = made.transactions
    assert (charge.status, charge.subscription_id, charge.amount) == (
        Status.SubmittedForSettlement,
        named,
        Decimal("7.00"),
    )
    assert made.billing_period_end_date < made.next_billing_date
    (line,) = sandbox.ledger(reference=named)
    assert (line["kind"], line["amount"]) == ("charge", "7.00")
    assert codes(gateway.subscription.create(wanted)) == {"id": Codes.Subscription.IdIsInUse}
    other = stored(gateway, Nonces.TransactableMasterCard).payment_method.token
    changed = gateway.subscription.update(named, {"payment_method_token": other}).subscription
    assert changed.payment_method_token == other
    assert gateway.subscription.cancel(named).subscription.status == braintree.Subscription.Status.Canceled
    assert gateway.subscription.find(named).status == braintree.Subscription.Status.Canceled
    again = gateway.subscription.cancel(named)
    assert codes(again, "subscription") == {"status": Codes.Subscription.StatusIsCanceled}
    edited = gateway.subscription.update(named, {"price": "8.00"})
    assert codes(edited) == {"base": Codes.Subscription.CannotEditCanceledSubscription}


def test_a_trial_is_not_charged(gateway, sandbox):
    trial = plan(gateway, trial_period=True, trial_duration=7, trial_duration_unit="day")
    token = stored(gateway).payment_method.token
    made = gateway.subscription.create({"payment_method_token": token, "plan_id": trial.id}).subscription
    assert (made.status, made.transactions, made.trial_period) == ("Active", [], True)
    assert sandbox.ledger(reference=made.id) == []


def test_a_subscription_whose_first_charge_is_declined_is_none(gateway):
    token = stored(gateway).payment_method.token
    result = gateway.subscription.create(
        {"id": "declined", "payment_method_token": token, "plan_id": plan(gateway).id, "price": "2001.00"}
    )
    assert (result.is_success, result.message) == (False, "Insufficient Funds")
    assert result.transaction.processor_response_code == "2001"
    with pytest.raises(NotFoundError):
        gateway.subscription.find("declined")


def test_a_subscription_that_is_wrong_says_what_is(gateway):
    token = stored(gateway).payment_method.token
    for fields, expected in (
        ({"payment_method_token": "none"}, {"payment_method_token": Codes.Subscription.PaymentMethodTokenIsInvalid}),
        ({"plan_id": "none"}, {"plan_id": Codes.Subscription.PlanIdIsInvalid}),
        ({"price": "x"}, {"price": Codes.Subscription.PriceFormatIsInvalid}),
        ({"merchant_account_id": "x"}, {"merchant_account_id": Codes.Subscription.MerchantAccountIdIsInvalid}),
        ({"merchant_account_id": "sandbox_eur"}, {"base": Codes.Subscription.MismatchCurrencyISOCode}),
    ):
        wanted = {"payment_method_token": token, "plan_id": plan(gateway).id} | fields
        assert codes(gateway.subscription.create(wanted), "subscription") == expected


def test_a_payment_method_that_goes_takes_its_subscriptions_along(gateway):
    owner = customer(gateway)
    method = gateway.payment_method.create({"customer_id": owner.id, "payment_method_nonce": Nonces.Transactable})
    token = method.payment_method.token
    made = gateway.subscription.create({"payment_method_token": token, "plan_id": plan(gateway).id}).subscription
    assert [one.id for one in gateway.payment_method.find(token).subscriptions] == [made.id]
    gateway.customer.delete(owner.id)
    assert gateway.subscription.find(made.id).status == braintree.Subscription.Status.Canceled


# Webhooks.


@pytest.fixture
def told(sandbox, gateway):
    """What has been told since the test began, as the SDK reads it."""
    sandbox.control("DELETE", "/webhooks")
    sandbox.control("PUT", "/webhooks/handling", {"hold": True})

    def parse():
        held = sandbox.control("GET", "/webhooks")["held"]
        forms = [urllib.parse.parse_qs(sandbox.webhook(event["event_id"])[1]) for event in held]
        return [gateway.webhook_notification.parse(form["bt_signature"][0], form["bt_payload"][0]) for form in forms]

    yield parse
    sandbox.control("DELETE", "/webhooks")


def test_settlements_are_told(gateway, told):
    sale = settled(gateway)
    declined = sell(gateway).transaction
    gateway.testing.settlement_decline_transaction(declined.id)
    refund = gateway.transaction.refund(sale.id).transaction
    gateway.testing.settlement_decline_transaction(refund.id)
    expected = [
        ("transaction_settled", sale.id),
        ("transaction_settlement_declined", declined.id),
        ("refund_failed", refund.id),
    ]
    assert [(one.kind, one.transaction.id) for one in told()] == expected


def test_what_happens_to_a_subscription_is_told(gateway, sandbox, told):
    token = stored(gateway).payment_method.token
    made = gateway.subscription.create({"payment_method_token": token, "plan_id": plan(gateway).id}).subscription
    path = f"/braintree/subscriptions/{made.id}/charge"
    sandbox.control("POST", path)
    sandbox.control("POST", path, {"declined": 2001})
    sandbox.control("POST", path, {"declined": 2001})
    sandbox.control("POST", path)
    gateway.subscription.cancel(made.id)
    notifications = told()
    assert [one.kind for one in notifications] == [
        "subscription_charged_successfully",
        "subscription_charged_successfully",
        "subscription_charged_unsuccessfully",
        "subscription_went_past_due",
        "subscription_charged_unsuccessfully",
        "subscription_charged_successfully",
        "subscription_canceled",
    ]
    assert all(one.subscription.id == made.id for one in notifications)
    failed = notifications[2].subscription
    assert (failed.status, failed.transactions[0].processor_response_code) == ("Past Due", "2001")
    assert notifications[1].subscription.next_billing_date > made.next_billing_date
    assert len(sandbox.ledger(reference=made.id)) == 3


def test_disputes_and_checks_are_told(gateway, sandbox, told):
    sale = settled(gateway)
    for kind in ("opened", "won", "lost"):
        sandbox.control("POST", f"/braintree/transactions/{sale.id}/dispute", {"kind": kind})
    sandbox.control("POST", "/braintree/check")
    notifications = told()
    kinds = ["transaction_settled", "dispute_opened", "dispute_won", "dispute_lost", "check"]
    assert [one.kind for one in notifications] == kinds
    opened = notifications[1].dispute
    assert (opened.status, opened.transaction.id, opened.amount_disputed) == ("open", sale.id, Decimal("10.00"))


def test_another_s_signature_is_not_believed(gateway, sandbox, told):
    settled(gateway)
    (event,) = sandbox.control("GET", "/webhooks")["held"]
    form = urllib.parse.parse_qs(sandbox.webhook(event["event_id"])[1])
    stranger = connect(sandbox, private_key="other")
    with pytest.raises(InvalidSignatureError):
        stranger.webhook_notification.parse(form["bt_signature"][0], form["bt_payload"][0])


# Faults.


def test_a_sale_whose_answer_is_lost_is_found_by_its_order(gateway, sandbox):
    same = order()
    sandbox.faults({"method": "POST", "path": "/braintree/merchants", "fault": "drop_after"})
    with pytest.raises(requests.exceptions.ConnectionError):
        sell(gateway, order_id=same)
    found = gateway.transaction.search(braintree.TransactionSearch.order_id == same)
    assert [one.status for one in found.items] == [Status.SubmittedForSettlement]
    assert len(sandbox.ledger(reference=same)) == 1


def test_a_fault_can_answer_instead(gateway, sandbox):
    sandbox.faults({"path": "/braintree", "fault": {"status": 500}})
    with pytest.raises(ServerError):
        sell(gateway)
