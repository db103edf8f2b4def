"""One pair of servers for all tests of a run."""

import pytest

import pair as local


@pytest.fixture(scope="session")
def pair():
    """Both servers, the sandbox and Postgres."""
    with local.running() as running:
        yield running


@pytest.fixture
def client(pair):
    """A client that may do everything."""
    return pair.client()


@pytest.fixture
def seller(client):
    """A seller of the test's own."""
    return client.create("/generic/seller/", uuid=local.unique("seller"))


@pytest.fixture
def product(client, seller):
    """A product of the test's own."""
    return client.create(
        "/generic/product/",
        seller=seller["resource_uri"],
        external_id=local.unique("external"),
        public_id=local.unique("public"),
        secret="dummy-secret",
    )
