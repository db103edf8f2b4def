"""docs/examples/shop: two services with credentials of their own, behind provider-proxy, behind db-server's door."""

import pytest
import requests

import pair as local
from pair import REPOSITORY
from whoami_test import PASSWORD, add_user, leading_to, load

EXAMPLE = REPOSITORY / "docs/examples/shop"
targets = load(EXAMPLE / "targets.py")


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """A pair with the example's settings, and the example's services."""
    services = targets.Service(targets.Transactions), targets.Service(targets.Inventory)
    settings = (EXAMPLE / "provider-proxy.toml").read_text()
    for service, written in zip(services, ["http://127.0.0.1:8001", "http://127.0.0.1:8002"]):
        assert written in settings
        settings = settings.replace(written, service.url)
    with local.running(proxy_settings=settings) as pair, leading_to(pair, f"{pair.provider_proxy}/proxy"):
        add_user(pair, "WAL001", "user")
        add_user(pair, "CLERK", "clerk")
        yield pair
    for service in services:
        service.shutdown()
        service.server_close()


def token(pair, username):
    answer = requests.post(f"{pair.db_server}/login", json={"username": username, "password": PASSWORD}, timeout=20)
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def get(pair, path, headers):
    return requests.get(f"{pair.db_server}{path}", headers=headers, timeout=20)


def test_a_shop_sees_its_own_transactions_and_never_a_credential(shops):
    headers = token(shops, "WAL001")
    for path in ["/proxy/transactions", "/proxy/transactions?page=1"]:
        answer = get(shops, path, headers)
        assert (answer.status_code, answer.json()) == (200, targets.TRANSACTIONS["WAL001"])
    one = get(shops, "/proxy/transactions/2", headers)
    assert (one.status_code, one.json()) == (200, targets.TRANSACTIONS["WAL001"][1])
    assert targets.TRANSACTIONS_KEY not in str(one.headers)
    # Another shop's is not there, and no path leads to it.
    assert get(shops, "/proxy/transactions/3", headers).status_code == 404
    for path in ["/proxy/transactions/%2e%2e/%2e%2e/BBY001/transactions", "/proxy/transactions/..%2f..%2fBBY001"]:
        assert get(shops, path, headers).status_code in (400, 403), path


def test_the_other_service_has_another_credential_and_is_compressed(shops):
    headers = token(shops, "WAL001")
    answer = get(shops, "/proxy/inventory", headers)
    assert (answer.status_code, answer.json()) == (200, targets.INVENTORY)
    assert answer.headers["Content-Encoding"] == "gzip"
    plain = get(shops, "/proxy/inventory", dict(headers, **{"Accept-Encoding": "identity"}))
    assert "Content-Encoding" not in plain.headers
    assert plain.json() == targets.INVENTORY


def test_only_who_has_logged_in_with_the_role_is_let_through(shops):
    for headers in [{}, token(shops, "CLERK")]:
        answer = get(shops, "/proxy/transactions", headers)
        assert answer.status_code == 403, headers
        assert "X-Proxy-Error" in answer.headers
    assert get(shops, "/proxy/nothing", token(shops, "WAL001")).status_code == 404


def test_what_the_proxy_guards_is_guarded(shops):
    refused = requests.get(f"{shops.provider_proxy}/proxy/transactions", timeout=20)
    assert refused.status_code == 401
