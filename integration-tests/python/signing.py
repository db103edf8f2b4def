"""Signs every request that schemathesis makes, once it has been put together."""

import os

import requests
import schemathesis
from oauthlib.oauth1 import Client


class Signed(requests.auth.AuthBase):
    """OAuth 1.0a in the header. The body is not signed: it is JSON, even where the fuzzer says that it is a form."""

    def __init__(self, key, secret):
        self.client = Client(key, client_secret=secret)

    def __call__(self, request):
        _, headers, _ = self.client.sign(request.url, request.method)
        request.headers["Authorization"] = headers["Authorization"]
        return request


schemathesis.auth.set_from_requests(Signed(os.environ["SOLITUDE_KEY"], os.environ["SOLITUDE_SECRET"]))
