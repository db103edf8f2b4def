"""A purchase through the reference provider, up to the payer's confirmation or refusal."""

import subprocess
import sys

import pytest
import requests

from pair import REPOSITORY, unique

PENDING, COMPLETED, FAILED = 0, 1, 4
REFERENCE = 2


@pytest.fixture
def started(pair, client, seller, product):
    """Our transaction, and the provider's."""
    account = client.create(
        "/provider/reference/sellers/",
        seller=seller["resource_uri"],
        uuid=unique("seller"),
        name="Jack",
        email="jack@example.test",
        status="ACTIVE",
    )
    terms = f"/provider/reference/terms/{account['id']}/"
    assert client.show(terms)["reference"]["agreement"] is None
    agreed = client.put(terms, json={"agreement": "2026-01-02"})
    assert agreed.json()["reference"]["agreement"] == "2026-01-02"
    listed = client.create(
        "/provider/reference/products/",
        seller_product=product["resource_uri"],
        seller_reference=account["resource_uri"],
        uuid=unique("product"),
        name="Sword",
    )
    transaction = client.create(
        "/generic/transaction/",
        amount="0.99",
        currency="EUR",
        seller=seller["resource_uri"],
        seller_product=product["resource_uri"],
    )
    webhook = f"{pair.db_server}/webhooks/reference/"
    payment = client.create(
        "/provider/reference/transactions/",
        product_id=listed["reference"]["resource_pk"],
        ext_transaction_id=transaction["uuid"],
        price="0.99",
        currency="EUR",
        pay_method="CARD",
        region="123",
        carrier="USA_TMOBILE",
        callback_success_url=webhook,
        callback_error_url=webhook,
        success_url="https://shop.example.test/paid",
        error_url="https://shop.example.test/failed",
    )
    return transaction, payment


def pay(pair, payment, outcome):
    path = f"{pair.sandbox}/_sandbox/reference/transactions/{payment['token']}/pay"
    answer = requests.post(path, json={"outcome": outcome})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_started_payment_is_pending_and_linked(client, started):
    transaction, payment = started
    shown = client.show(transaction["resource_uri"])
    assert (shown["status"], shown["provider"], shown["uid_pay"]) == (PENDING, REFERENCE, payment["resource_pk"])


def test_the_payers_confirmation_completes_the_transaction(pair, client, started):
    transaction, payment = started
    assert pay(pair, payment, "success")["notice"]["status"] == 200
    assert client.show(transaction["resource_uri"])["status"] == COMPLETED


def test_the_payers_refusal_fails_the_transaction_with_its_reason(pair, client, started):
    transaction, payment = started
    pay(pair, payment, "CC_ERROR")
    shown = client.show(transaction["resource_uri"])
    assert (shown["status"], shown["status_reason"]) == (FAILED, "CC_ERROR")


def test_a_forged_notice_is_not_believed(pair, client, started):
    transaction, _ = started
    forged = f"ext_transaction_id={transaction['uuid']}&price=0.99&currency=EUR&sig=0:{'0' * 64}"
    answer = requests.post(f"{pair.db_server}/webhooks/reference/", data={"signed_notice": forged})
    assert answer.status_code == 403
    checked = client.post("/provider/reference/notices/", json={"qs": forged})
    assert checked.json() == {"result": "FAIL", "reason": "signature mismatch"}
    assert client.show(transaction["resource_uri"])["status"] == PENDING


def test_a_seller_at_the_provider_is_found_and_cannot_be_deleted(client, seller, started):
    found = client.show(f"/provider/reference/sellers/?seller__uuid={seller['uuid']}")["objects"]
    assert [one["seller"] for one in found] == [seller["resource_uri"]]
    assert client.delete(found[0]["resource_uri"]).status_code == 403


def test_the_product_names_the_sellers_uuid_at_the_provider(client, product, started):
    uuids = client.show(product["resource_uri"])["seller_uuids"]
    assert uuids["reference"].startswith("seller-")


def example(pair, name):
    """Runs an example of the documentation, and gives the lines that it prints."""
    file = REPOSITORY / "docs/examples" / name
    ended = subprocess.run([sys.executable, file, pair.file], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


def test_the_example_in_the_documentation_makes_a_purchase(pair):
    assert example(pair, "purchase.py")[-1].endswith("is completed")


def test_the_example_of_payments_takes_a_part_gives_back_and_hears_of_a_checkout(pair):
    printed = example(pair, "payment.py")
    assert any(line.endswith("is captured: 8.00 taken, 2.50 given back") for line in printed), printed
    assert " is captured; the events are read up to " in printed[-1]
