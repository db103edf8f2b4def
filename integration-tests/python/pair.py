"""A pair of servers of its own, started by `./dev up` as anyone would start it."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import uuid
from dataclasses import dataclass

import requests
from requests_oauthlib import OAuth1, OAuth1Session

from child import child

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
READY = "Solitude is up."
# What a pair for tests has over the usual one: the page of settings is open to its client.
SETTINGS = """
[services]
cleansed_settings_access = true
"""


@dataclass(frozen=True)
class Pair:
    """Where the servers are, and the client that may do everything."""

    db_server: str
    provider_proxy: str
    sandbox: str
    key: str
    secret: str
    file: pathlib.Path

    def client(self):
        """A client with its key and secret."""
        return Client(self.db_server, self.key, self.secret)

    def command(self, *arguments, given=""):
        """Runs db-server with a command and a line on its standard input; gives what it prints."""
        folder = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target") / "debug"
        command = [folder / "db-server", "--config", self.file.parent / "db-server.toml", *arguments]
        done = subprocess.run(command, input=f"{given}\n", text=True, capture_output=True, env={}, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout


class Bearer(requests.auth.AuthBase):
    """Sends a key or token with each request."""

    def __init__(self, key):
        self.key = key

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.key}"
        return request


class Client(OAuth1Session):
    """A client of Solitude: signs with its key and secret, and takes paths."""

    def __init__(self, url, key, secret):
        super().__init__(key, client_secret=secret)
        self.url = url

    def request(self, method, url, *arguments, **more):
        """Asks for a path."""
        return super().request(method, self.url + url, *arguments, **more)

    def create(self, path, **fields):
        """Creates a resource and gives it as it is shown."""
        answer = self.post(path, json=fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def show(self, path):
        """Gives a resource as it is shown."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def signed_get(url, key, secret, **oauth):
    """A signed request that has not been sent; the rest goes into its OAuth parameters."""
    return requests.Request("GET", url, auth=OAuth1(key, client_secret=secret, **oauth)).prepare()


def unique(name):
    """An id that nobody else has."""
    return f"{name}-{uuid.uuid4()}"


@contextlib.contextmanager
def running(proxy_settings=""):
    """Runs a pair on free ports, and takes everything away again. The text is TOML over provider-proxy's settings."""
    # Told to end, everything is still taken away.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="solitude-python-") as folder:
        # Postgres, which runs as another user when this is root, walks through it.
        os.chmod(folder, 0o711)
        state, settings = pathlib.Path(folder) / "state", pathlib.Path(folder) / "settings.toml"
        settings.write_text(SETTINGS)
        of_proxy = pathlib.Path(folder) / "proxy-settings.toml"
        of_proxy.write_text(proxy_settings)
        files = ["--db-settings", settings, "--proxy-settings", of_proxy]
        ports = [word for name in ("db", "proxy", "sandbox") for word in (f"--{name}-port", "0")]
        command = [REPOSITORY / "dev", "up", "--state", state, *files, *ports]
        with child("the pair", command, READY, patience=60):
            yield _read(state / "pair.json")


def _read(file):
    pair = json.loads(file.read_text())
    client = pair["client"]
    return Pair(pair["db_server"], pair["provider_proxy"], pair["sandbox"], client["key"], client["secret"], file)
