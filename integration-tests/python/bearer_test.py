"""Clients that do not sign: with a bearer key, and people with the token of a log-in."""

import pytest
import requests

from pair import Bearer, unique

PASSWORD = "abcdef123456"


@pytest.fixture(scope="module")
def bearer_key(pair):
    """The key of a client that may read and write."""
    printed = pair.command("client", "add", "batch", "--role", "read", "--role", "write", "--bearer")
    return dict(line.split(": ", 1) for line in printed.splitlines())["bearer"]


@pytest.fixture(scope="module")
def token(pair):
    """The token of a user who may read."""
    name = unique("reader").replace("-", ".")
    pair.command("user", "add", name, "--role", "read", given=PASSWORD)
    answer = requests.post(f"{pair.db_server}/login/", json={"username": name, "password": PASSWORD}, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()["token"]


def test_a_client_with_a_bearer_key_creates_reads_and_changes(pair, bearer_key):
    session = requests.Session()
    session.auth = Bearer(bearer_key)
    key, _ = bearer_key.rsplit(".", 1)
    assert session.get(f"{pair.db_server}/services/request/").json() == {"authenticated": key}
    created = session.post(f"{pair.db_server}/generic/seller/", json={"uuid": unique("seller")})
    assert created.status_code == 201
    uri = pair.db_server + created.json()["resource_uri"]
    assert session.get(uri).json() == created.json()
    assert session.patch(uri, json={"active": False}).json()["counter"] == 1
    # What it has no role for.
    assert session.get(f"{pair.db_server}/services/settings/").status_code == 403


def test_a_wrong_bearer_key_is_told_nothing(pair, bearer_key):
    for wrong in [bearer_key[:-1], bearer_key + "x", "batch-0123456789ab.x", "sk_test_x"]:
        answer = requests.get(f"{pair.db_server}/services/request/", auth=Bearer(wrong), timeout=20)
        assert answer.status_code == 401
        assert answer.json() == {"detail": "Authentication credentials were not accepted."}


def test_the_token_of_a_log_in_reads_and_no_more(pair, token):
    read = requests.get(f"{pair.db_server}/generic/seller/", auth=Bearer(token), timeout=20)
    assert read.status_code == 200
    write = requests.post(f"{pair.db_server}/generic/seller/", json={"uuid": "x"}, auth=Bearer(token), timeout=20)
    assert write.status_code == 403
    forged = token[:-4] + "AAAA"
    refused = requests.get(f"{pair.db_server}/generic/seller/", auth=Bearer(forged), timeout=20)
    assert (refused.status_code, refused.json()) == (401, {"detail": "Invalid token"})


def test_a_log_in_says_what_is_missing_and_not_what_is_wrong(pair):
    def said(**body):
        answer = requests.post(f"{pair.db_server}/login", json=body, timeout=20)
        return answer.status_code, answer.json()

    status, fields = said(username="Alice")
    assert (status, list(fields)) == (400, ["password"])
    assert said(username="nobody.at.all", password="x") == (401, {"detail": "Invalid username or password"})
