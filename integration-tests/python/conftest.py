"""One pair of servers for all tests of a run, and one sandbox for each module that drives it alone."""

import pytest

import pair as local
import sandbox as alone


@pytest.fixture(scope="session")
def pair():
    """Both servers, the sandbox and Postgres."""
    with local.running() as running:
        yield running


@pytest.fixture(scope="module")
def sandbox():
    """A sandbox of the module's own, without the servers."""
    with alone.running() as running:
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
