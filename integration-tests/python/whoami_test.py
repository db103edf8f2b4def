"""docs/examples/whoami behind the door of a running pair: disabled, switched on, nobody, Alice, bytes, disabled."""

import contextlib
import importlib.util
import json
import os
import threading

import jwt
import pytest
import requests

from pair import REPOSITORY, unique

PASSWORD = "abcdef123456"


def load(path):
    """A module that is in no package."""
    spec = importlib.util.spec_from_file_location(path.parent.name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


whoami = load(REPOSITORY / "docs/examples/whoami/server.py")


@pytest.fixture(scope="module")
def target(pair):
    """The example, and the door leading to it."""
    public_key = json.loads(pair.file.read_text())["identity_public_key"]
    with open(public_key) as file, whoami.Target(file.read()) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with leading_to(pair, server.url):
            yield server
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def leading_to(pair, url):
    """The door leads there, and nowhere afterwards."""
    client = pair.client()
    assert client.put("/services/proxy/", json={"url": url}).json() == {"url": url}
    try:
        yield
    finally:
        assert client.put("/services/proxy/", json={"url": None}).json() == {"url": None}


@pytest.fixture(scope="module")
def alice(pair):
    """Name and password of a user with the roles of the original's Alice."""
    return add_user(pair, word("Alice"), "user", "wonderland")


def word(name):
    """A name that nobody else has, without digits: some of those would look like a card number."""
    letters = str.maketrans("0123456789-", "ghijklmnop.")
    return unique(name).translate(letters)


def add_user(pair, name, *roles):
    name = name[:60]
    pair.command("user", "add", name, *(word for role in roles for word in ("--role", role)), given=PASSWORD)
    return name, PASSWORD


def get(pair, path, **more):
    return requests.get(f"{pair.db_server}{path}", timeout=20, **more)


def test_the_door_is_disabled_by_default(pair):
    assert pair.client().show("/services/proxy/") == {"url": None}
    answer = get(pair, "/proxy")
    assert (answer.status_code, answer.text) == (501, "The proxy is disabled.")


def test_without_authentication_the_caller_is_nobody(pair, target):
    answer = get(pair, "/proxy/whoami?mode=jwt")
    assert (answer.status_code, answer.json()) == (200, {"name": "anonymousUser", "roles": ["ROLE_ANONYMOUS"]})
    assert get(pair, "/proxy/whoami?mode=session").status_code == 403


@pytest.mark.parametrize("mode", ["jwt", "session"])
def test_a_user_is_known_to_the_target_and_through_it_to_db_server(pair, target, alice, mode):
    answer = get(pair, f"/proxy/whoami?mode={mode}", auth=alice)
    assert answer.status_code == 200
    assert answer.json() == {"name": alice[0], "roles": ["ROLE_USER", "ROLE_WONDERLAND"]}


def test_a_token_of_a_log_in_does_as_well(pair, target, alice):
    username, password = alice
    answer = requests.post(f"{pair.db_server}/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    logged_in = answer.json()
    assert logged_in["user"] == {"username": username, "role": "user", "roles": ["user", "wonderland"]}
    answer = get(pair, "/proxy/whoami?mode=session", headers={"Authorization": f"Bearer {logged_in['token']}"})
    assert answer.json()["name"] == username
    forged = jwt.encode({"sub": username, "iss": "solitude-login"}, "another key of thirty-two bytes, or more", "HS256")
    answer = get(pair, "/proxy/whoami?mode=jwt", headers={"Authorization": f"Bearer {forged}"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token"})


def test_a_wrong_password_of_a_user_is_refused_and_that_of_another_service_is_nobodys(pair, target, alice):
    assert get(pair, "/proxy/whoami?mode=jwt", auth=(alice[0], "wrong-password")).status_code == 401
    answer = get(pair, "/proxy/whoami?mode=jwt", auth=("integration_public_key", "integration_private_key"))
    assert answer.json()["name"] == "anonymousUser"
    answer = get(pair, "/proxy/whoami?mode=jwt", headers={"Authorization": "Bearer sk_test_x"})
    assert answer.json()["name"] == "anonymousUser"


def test_an_unsupported_mode_is_the_targets_400_and_an_unhandled_path_its_404(pair, target):
    assert get(pair, "/proxy/whoami?mode=invalid").status_code == 400
    for path in ["/proxy", "/proxy/", "/proxy/nothing/here"]:
        assert get(pair, path).status_code == 404, path


def test_bytes_and_headers_come_through(pair, target):
    sent = os.urandom(100_000)
    for path in ["/proxy", "/proxy/some/path?foo=bar"]:
        answer = requests.post(f"{pair.db_server}{path}", data=sent, timeout=20)
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) == len(sent)
        assert answer.content == sent
        assert answer.headers["X-Custom-Header"] == "lorem ipsum"


def test_the_target_believes_nobody_but_the_door(pair, target):
    for token in ["", "Bearer x", "Bearer " + jwt.encode({"sub": "Alice"}, "x" * 32, "HS256")]:
        answer = requests.get(f"{target.url}/whoami?mode=jwt", headers={"Authorization": token}, timeout=20)
        assert answer.status_code == 401, token


def test_only_this_machine_is_on_the_operators_list_of_a_local_pair(pair, target):
    answer = pair.client().put("/services/proxy/", json={"url": "https://elsewhere.example.test"})
    assert (answer.status_code, list(answer.json())) == (400, ["url"])


def test_switched_off_the_door_is_disabled_again(pair):
    client = pair.client()
    with leading_to(pair, "http://localhost:1"):
        answer = get(pair, "/proxy")
        assert (answer.status_code, answer.headers["X-Proxy-Error"]) == (502, "connect")
    assert get(pair, "/proxy").status_code == 501
    assert client.show("/services/proxy/") == {"url": None}
