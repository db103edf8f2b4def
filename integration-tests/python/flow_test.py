"""What a client of Solitude relies on, with requests-oauthlib: sellers, products, transactions, versions, errors."""

import re
import time

import requests

from pair import signed_get, unique

PENDING, COMPLETED, FAILED, STARTED = 0, 1, 4, 6
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def version(answer):
    return answer.headers["ETag"]


# ---- who is calling ------------------------------------------------------------------------------------------------


def test_the_status_is_open_and_every_part_is_well(pair):
    answer = requests.get(f"{pair.db_server}/services/status/")
    expected = {"cache": True, "db": True, "proxies": True, "settings": True}
    assert (answer.status_code, answer.json()) == (200, expected)


def test_the_caller_is_told_its_key(pair, client):
    assert client.show("/services/request/") == {"authenticated": pair.key}


def test_a_request_without_signature_is_refused(pair):
    answer = requests.get(f"{pair.db_server}/generic/seller/")
    assert answer.status_code in (401, 403)
    assert list(answer.json()) == ["detail"]


def test_a_wrong_secret_and_a_wrong_key_are_refused_alike(pair):
    answers = [
        requests.Session().send(signed_get(f"{pair.db_server}/generic/seller/", key, secret))
        for key, secret in [(pair.key, "not-the-secret"), ("not-the-key", pair.secret)]
    ]
    assert {answer.status_code for answer in answers} <= {401, 403}
    assert answers[0].json() == answers[1].json()


def test_a_request_that_is_sent_again_is_refused(pair):
    request = signed_get(f"{pair.db_server}/generic/seller/", pair.key, pair.secret)
    with requests.Session() as session:
        assert session.send(request).status_code == 200
        assert session.send(request).status_code in (401, 403)


def test_a_stale_timestamp_is_refused(pair):
    def status(age):
        timestamp = str(int(time.time()) - age)
        request = signed_get(f"{pair.db_server}/generic/seller/", pair.key, pair.secret, timestamp=timestamp)
        return requests.Session().send(request).status_code

    assert status(0) == 200
    assert status(3600) in (401, 403)


def test_a_signature_covers_the_query_and_the_method(pair):
    request = signed_get(f"{pair.db_server}/generic/seller/?active=true", pair.key, pair.secret)
    request.url = request.url.replace("true", "false")
    assert requests.Session().send(request).status_code in (401, 403)


def test_a_realm_may_be_there_and_a_token_with_any_value(pair):
    url = f"{pair.db_server}/services/request/"
    for token in ["", "anything", "a token & more"]:
        request = signed_get(url, pair.key, pair.secret, realm="solitude", resource_owner_key=token)
        assert requests.Session().send(request).status_code == 200, token


# ---- resources -----------------------------------------------------------------------------------------------------


def test_a_resource_carries_its_key_path_times_and_counter(client, seller):
    assert seller["resource_uri"] == f"/generic/seller/{seller['resource_pk']}/"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", seller["created"])
    assert (seller["counter"], seller["active"], seller["bango"]) == (0, True, {})
    changed = client.patch(seller["resource_uri"], json={"active": False}).json()
    assert (changed["counter"], changed["active"]) == (1, False)


def test_a_path_is_the_same_without_its_last_slash(client, seller):
    assert client.show(seller["resource_uri"].rstrip("/")) == seller
    assert client.show("/generic/seller")["meta"]["page"] == 1


def test_what_is_not_there_is_404_with_a_detail(client):
    for path in ["/generic/seller/999999999/", "/generic/seller/x/", "/generic/nothing/"]:
        answer = client.get(path)
        assert (answer.status_code, list(answer.json())) == (404, ["detail"]), path


def test_what_a_resource_does_not_offer_is_405(client, seller):
    for method, path in [
        ("DELETE", seller["resource_uri"]),
        ("PUT", "/generic/seller/"),
        ("PUT", "/generic/transaction/1/"),
        ("DELETE", "/generic/transaction/1/"),
        ("POST", "/services/request/"),
    ]:
        answer = client.request(method, path)
        assert (answer.status_code, list(answer.json())) == (405, ["detail"]), f"{method} {path}"
        assert method not in answer.headers["Allow"]


def test_an_error_of_a_form_names_the_field(client, seller):
    missing = client.post("/generic/seller/", json={})
    assert (missing.status_code, list(missing.json())) == (400, ["uuid"])
    twice = client.post("/generic/seller/", json={"uuid": seller["uuid"]})
    assert (twice.status_code, list(twice.json())) == (400, ["uuid"])
    assert client.post("/generic/seller/", json={"uuid": "x" * 256}).status_code == 400
    assert client.post("/generic/seller/", data="{", headers={"Content-Type": "application/json"}).status_code == 400


def test_a_product_belongs_to_its_seller_and_keeps_its_secret(client, seller, product):
    shown = client.show(product["resource_uri"])
    assert (shown["seller"], shown["secret"], shown["access"]) == (seller["resource_uri"], "dummy-secret", 1)
    assert set(shown["seller_uuids"].values()) == {None}
    again = {"seller": seller["resource_uri"], "external_id": product["external_id"], "public_id": unique("public")}
    assert client.post("/generic/product/", json=again).status_code == 400
    dangling = dict(again, seller="/generic/seller/999999999/", external_id="other")
    assert list(client.post("/generic/product/", json=dangling).json()) == ["seller"]


# ---- lists ---------------------------------------------------------------------------------------------------------


def test_filters_find_and_an_unknown_one_is_refused_by_name(client, seller, product):
    def found(path, **query):
        return [one["resource_pk"] for one in client.get(path, params=query).json()["objects"]]

    assert found("/generic/seller/", uuid=seller["uuid"]) == [seller["resource_pk"]]
    assert found("/generic/seller/", uuid=seller["uuid"], active="false") == []
    for query in [
        {"external_id": product["external_id"]},
        {"public_id": product["public_id"]},
        {"seller": seller["resource_pk"]},
        {"seller__uuid": seller["uuid"], "seller__active": "true"},
    ]:
        assert found("/generic/product/", **query) == [product["resource_pk"]], query
    answer = client.get("/generic/seller/", params={"uiud": "x"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Incorrect query parameters: uiud"})


def test_a_list_is_newest_first_in_pages(client, seller):
    made = [
        client.create("/generic/product/", seller=seller["resource_uri"], external_id=str(n), public_id=unique("p"))
        for n in range(3)
    ]
    path = f"/generic/product/?seller={seller['resource_pk']}&limit=2"
    pages = []
    while path:
        page = client.show(path)
        pages.append([product["resource_pk"] for product in page["objects"]])
        assert page["meta"]["total_count"] == 3
        path = page["meta"]["next"]
    keys = [product["resource_pk"] for product in reversed(made)]
    assert pages == [keys[:2], keys[2:]]
    assert page["meta"]["page"] == 2
    assert client.show(page["meta"]["prev"])["meta"]["page"] == 1


def test_without_a_limit_a_page_has_twenty(client, seller):
    for n in range(21):
        client.create("/generic/product/", seller=seller["resource_uri"], external_id=str(n), public_id=unique("p"))
    assert len(client.show(f"/generic/product/?seller={seller['resource_pk']}")["objects"]) == 20


# ---- versions ------------------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_304_and_what_has_is_200(client, seller):
    path = seller["resource_uri"]
    first = version(client.get(path))
    unchanged = client.get(path, headers={"If-None-Match": first})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    client.patch(path, json={"active": False})
    assert client.get(path, headers={"If-None-Match": first}).status_code == 200


def test_a_list_has_a_version_too(client, seller):
    path = f"/generic/seller/?uuid={seller['uuid']}"
    first = version(client.get(path))
    assert client.get(path, headers={"If-None-Match": first}).status_code == 304
    client.patch(seller["resource_uri"], json={"active": False})
    assert client.get(path, headers={"If-None-Match": first}).status_code == 200


def test_a_change_to_a_stale_version_is_412_and_changes_nothing(client, seller):
    path = seller["resource_uri"]
    first = version(client.get(path))
    assert client.patch(path, json={"active": False}, headers={"If-Match": first}).status_code == 200
    for change in (client.patch, client.put):
        stale = change(path, json={"uuid": unique("other"), "active": True}, headers={"If-Match": first})
        assert stale.status_code == 412
    assert client.show(path)["counter"] == 1


# ---- transactions --------------------------------------------------------------------------------------------------


def create_transaction(client, seller, product, **more):
    fields = {"amount": "0.99", "currency": "EUR", "seller": seller["resource_uri"], **more}
    return client.create("/generic/transaction/", seller_product=product["resource_uri"], **fields)


def test_a_transaction_is_started_with_a_uuid_and_a_decimal_amount(client, seller, product):
    transaction = create_transaction(client, seller, product)
    assert re.fullmatch(f"solitude:{UUID4}", transaction["uuid"])
    assert (transaction["status"], transaction["type"], transaction["provider"]) == (STARTED, 0, None)
    assert (transaction["amount"], transaction["currency"], transaction["relations"]) == ("0.99", "EUR", [])
    found = client.show(f"/generic/transaction/?uuid={transaction['uuid']}")["objects"]
    assert [one["resource_pk"] for one in found] == [transaction["resource_pk"]]


def test_an_amount_has_the_decimals_of_its_currency(client):
    for amount, currency, status in [
        ("100", "JPY", 201),
        ("1.00", "JPY", 400),
        ("1.234", "KWD", 201),
        ("1.234", "EUR", 400),
        ("-1.00", "EUR", 400),
        (0.99, "EUR", 400),
        ("99999999999", "EUR", 400),
    ]:
        answer = client.post("/generic/transaction/", json={"amount": amount, "currency": currency})
        assert answer.status_code == status, (amount, currency, answer.text)


def test_only_some_fields_of_a_transaction_may_change(client, seller, product):
    path = create_transaction(client, seller, product)["resource_uri"]
    refused = client.patch(path, json={"amount": "2.00", "notes": "x"})
    assert refused.status_code == 400
    assert "Cannot alter fields: amount" in refused.text
    assert client.patch(path, json={"notes": "x", "uid_pay": unique("pay"), "provider": 1}).status_code == 200
    assert client.patch(path, json={"provider": 2}).status_code == 400


def test_a_final_status_stays(client, seller, product):
    path = create_transaction(client, seller, product, provider=1)["resource_uri"]
    assert client.patch(path, json={"status": FAILED, "status_reason": "declined"}).status_code == 200
    assert client.patch(path, json={"status": COMPLETED}).status_code == 400
    assert client.show(path)["status"] == FAILED


def test_a_status_needs_its_provider_and_product(client):
    path = client.create("/generic/transaction/", amount="1.00", currency="EUR")["resource_uri"]
    assert client.patch(path, json={"status": COMPLETED}).status_code == 400


def test_a_transaction_lists_those_that_relate_to_it(client, seller, product):
    payment = create_transaction(client, seller, product)
    refund = create_transaction(client, seller, product, type=1, related=payment["resource_uri"])
    related = client.show(payment["resource_uri"])["relations"]
    assert [one["resource_uri"] for one in related] == [refund["resource_uri"]]
    assert client.show(refund["resource_uri"])["related"] == payment["resource_uri"]
