"""Buyers and their PINs: confirmation, verification, lock-out, reset, closing."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from pair import unique

PIN, OTHER = "1234", "9876"


@pytest.fixture
def buyer(client):
    """A buyer of the test's own, with a PIN."""
    return client.create("/generic/buyer/", uuid=unique("buyer"), email="jill@example.test", pin=PIN)


@pytest.fixture
def confirmed(client, buyer):
    """The same, with its PIN confirmed."""
    assert ask(client, "confirm_pin", buyer)["confirmed"] is True
    return buyer


def ask(client, path, buyer, pin=PIN):
    answer = client.post(f"/generic/{path}/", json={"uuid": buyer["uuid"], "pin": pin})
    assert answer.status_code == 200, answer.text
    assert answer.json()["uuid"] == buyer["uuid"]
    return answer.json()


def verdict(client, buyer, pin=PIN):
    answer = ask(client, "verify_pin", buyer, pin)
    return answer["valid"], answer["locked"]


def lock_out(client, buyer):
    for _ in range(5):
        assert ask(client, "verify_pin", buyer, OTHER)["valid"] is False
    assert client.show(buyer["resource_uri"])["pin_is_locked_out"] is True


def codes(answer):
    assert answer.status_code == 422, answer.text
    return {field: [error["code"] for error in errors] for field, errors in answer.json()["mozilla"].items()}


def test_a_new_buyer_is_active_and_its_pin_is_never_shown(client, buyer):
    assert (buyer["active"], buyer["authenticated"], buyer["pin"], buyer["new_pin"]) == (True, True, True, False)
    state = [buyer[name] for name in ("pin_confirmed", "needs_pin_reset", "pin_is_locked_out", "pin_was_locked_out")]
    assert (state, buyer["pin_failures"]) == ([False] * 4, 0)
    shown = client.show(buyer["resource_uri"])
    assert (shown["pin"], shown["email"]) == (True, "jill@example.test")


def test_a_buyer_is_found_by_uuid_by_email_and_by_being_active(client, buyer):
    email = f"{unique('x')}@example.test"
    assert client.patch(buyer["resource_uri"], json={"email": email}).status_code == 200
    for query in [{"uuid": buyer["uuid"]}, {"email": email}, {"email": email, "active": "true"}]:
        found = client.get("/generic/buyer/", params=query).json()["objects"]
        assert [one["resource_pk"] for one in found] == [buyer["resource_pk"]], query
    assert client.get("/generic/buyer/", params={"email": email, "active": "false"}).json()["objects"] == []
    assert client.get("/generic/buyer/", params={"mail": email}).status_code == 400


def test_a_buyer_has_one_uuid_and_it_is_unique(client, buyer):
    assert codes(client.post("/generic/buyer/", json={})) == {"uuid": ["required"]}
    assert codes(client.post("/generic/buyer/", json={"uuid": buyer["uuid"]})) == {"uuid": ["not_unique"]}


def test_a_pin_is_four_digits(client, buyer):
    for pin in ["123", "12345", "12a4", "١٢٣٤"]:
        assert codes(client.post("/generic/buyer/", json={"uuid": unique("b"), "pin": pin})) == {"pin": ["invalid"]}
        guess = {"uuid": buyer["uuid"], "pin": pin}
        assert codes(client.post("/generic/verify_pin/", json=guess)) == {"pin": ["invalid"]}


def test_an_unknown_buyer_is_404(client):
    for path in ["confirm_pin", "verify_pin", "reset_confirm_pin"]:
        assert client.post(f"/generic/{path}/", json={"uuid": unique("nobody"), "pin": PIN}).status_code == 404


def test_a_match_confirms_the_pin_and_a_mismatch_clears_that(client, buyer):
    def is_confirmed():
        return client.show(buyer["resource_uri"])["pin_confirmed"]

    assert ask(client, "confirm_pin", buyer)["confirmed"] is True
    assert is_confirmed() is True
    assert ask(client, "confirm_pin", buyer, OTHER)["confirmed"] is False
    assert is_confirmed() is False


def test_only_a_confirmed_pin_can_verify(client, buyer):
    assert verdict(client, buyer) == (False, False)
    ask(client, "confirm_pin", buyer)
    assert verdict(client, buyer) == (True, False)


def test_a_success_clears_the_misses(client, confirmed):
    for _ in range(4):
        assert verdict(client, confirmed, OTHER) == (False, False)
    assert client.show(confirmed["resource_uri"])["pin_failures"] == 4
    assert verdict(client, confirmed) == (True, False)
    assert client.show(confirmed["resource_uri"])["pin_failures"] == 0


def test_five_misses_lock_the_buyer_out_even_with_the_right_pin(client, confirmed):
    lock_out(client, confirmed)
    shown = client.show(confirmed["resource_uri"])
    assert (shown["pin_failures"], shown["pin_was_locked_out"]) == (5, True)
    assert verdict(client, confirmed) == (False, True)


def test_guesses_at_the_same_time_are_each_counted_and_never_more_than_five(pair, client, confirmed):
    def guess(_):
        return verdict(pair.client(), confirmed, OTHER)

    with ThreadPoolExecutor(8) as several:
        answers = list(several.map(guess, range(16)))
    assert not any(valid for valid, _ in answers)
    assert client.show(confirmed["resource_uri"])["pin_failures"] == 5
    assert verdict(client, confirmed) == (False, True)


def test_a_reset_gives_a_new_pin(client, confirmed):
    path = confirmed["resource_uri"]
    assert client.patch(path, json={"needs_pin_reset": True}).json()["needs_pin_reset"] is True
    assert client.patch(path, json={"new_pin": OTHER}).json()["new_pin"] is True
    assert ask(client, "reset_confirm_pin", confirmed, "0000")["confirmed"] is False
    assert ask(client, "reset_confirm_pin", confirmed, OTHER)["confirmed"] is True
    shown = client.show(path)
    assert (shown["needs_pin_reset"], shown["new_pin"], shown["pin_confirmed"]) == (False, False, True)
    assert verdict(client, confirmed, OTHER) == (True, False)
    assert verdict(client, confirmed, PIN) == (False, False)


def test_there_is_no_reset_while_the_buyer_is_locked_out(client, confirmed):
    client.patch(confirmed["resource_uri"], json={"needs_pin_reset": True, "new_pin": OTHER})
    lock_out(client, confirmed)
    assert ask(client, "reset_confirm_pin", confirmed, OTHER)["confirmed"] is False
    assert client.show(confirmed["resource_uri"])["new_pin"] is True


def test_a_closed_buyer_is_anonymous_and_cannot_be_closed_again(client, buyer):
    close = buyer["resource_uri"] + "close/"
    assert client.post(close).status_code == 204
    shown = client.show(buyer["resource_uri"])
    assert (shown["active"], shown["email"]) == (False, None)
    assert re.fullmatch(r"anonymised-uuid:[0-9a-f-]{36}", shown["uuid"])
    assert client.post(close).status_code == 404
    assert client.get(f"/generic/buyer/?uuid={buyer['uuid']}").json()["objects"] == []


def test_a_card_number_is_refused_wherever_text_goes(client, seller):
    # A number for tests that the card networks publish.
    pan = "4111 1111 1111 1111"
    for path, fields in [
        ("/generic/buyer/", {"uuid": unique("b"), "locale": pan}),
        ("/generic/seller/", {"uuid": pan}),
        ("/generic/transaction/", {"notes": f"the card is {pan}."}),
    ]:
        found = codes(client.post(path, json=fields))
        assert list(found.values()) == [["card_number"]], path
