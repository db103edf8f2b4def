"""A target of db-server's door, /proxy/: it tells whoever calls who they are.

    python server.py --public-key identity-public.pem --port 1991
    PUT /services/proxy/ {"url": "http://localhost:1991"}      as a client of db-server with the role admin
    GET /proxy/whoami?mode=jwt                                 at db-server, by anyone

It needs PyJWT[crypto] and nothing else. GET /whoami has two modes: `jwt` believes the token that came with the request,
after checking it; `session` asks db-server, with that token. POST gives back what it was sent.
"""

import argparse
import json
import pathlib
import urllib.error
import urllib.request
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt

# RS512 with an RSA key, EdDSA with an Ed25519 key. Never take the algorithm from the token itself.
ALGORITHMS = ["RS512", "EdDSA"]


class Refused(Exception):
    """The caller is not told more than the status."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


class Target(ThreadingHTTPServer):
    """Listens on localhost; port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, public_key, port=0, issuer="db-server"):
        super().__init__(("localhost", port), Handler)
        self.public_key = public_key
        self.issuer = issuer

    @property
    def url(self):
        """What the door has to be switched to, and what a token for this target has as its audience."""
        return f"http://localhost:{self.server_port}"

    def user(self, token):
        """Name and roles in a token that is db-server's, for this target, and not over."""
        try:
            claims = jwt.decode(
                token,
                key=self.public_key,
                algorithms=ALGORITHMS,
                audience=self.url,
                issuer=self.issuer,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.InvalidTokenError as error:
            raise Refused(HTTPStatus.UNAUTHORIZED) from error
        return claims["sub"], claims["authorities"]


class Handler(BaseHTTPRequestHandler):
    """One request of the door."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """`/whoami?mode=jwt` and `/whoami?mode=session`."""
        target = urlsplit(self.path)
        if target.path != "/whoami":
            return self.answer(HTTPStatus.NOT_FOUND)
        try:
            name, roles = self.whoami(parse_qs(target.query).get("mode"))
        except Refused as refused:
            return self.answer(refused.status)
        body = json.dumps({"name": name, "roles": roles}).encode()
        return self.answer(HTTPStatus.OK, body, {"Content-Type": "application/json"})

    def do_POST(self):
        """Gives the body back, with a header of its own."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(HTTPStatus.OK, body, {"X-Custom-Header": "lorem ipsum"})

    def whoami(self, mode):
        """Name and roles of whoever calls."""
        if mode == ["jwt"]:
            # A real service refuses whoever lacks the role that it asks for, ROLE_USER for instance.
            return self.server.user(self.token())
        if mode == ["session"]:
            return self.ask_db_server()
        raise Refused(HTTPStatus.BAD_REQUEST)

    def token(self):
        """The token that the door has sent in the place of the caller's own proof."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            raise Refused(HTTPStatus.UNAUTHORIZED)
        return token

    def ask_db_server(self):
        """Asks the server that the request came through; where that is, it has said itself."""
        # Without this check anyone who reaches this port could send it, and the token, anywhere.
        self.server.user(self.token())
        session = f"{self.headers['X-Forwarded-Proto']}://{self.headers['X-Forwarded-Host']}"
        request = urllib.request.Request(
            f"{session}/services/whoami/", headers={"Authorization": self.headers["Authorization"]}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                user = json.load(answer)
        except (urllib.error.URLError, ValueError) as error:
            raise Refused(HTTPStatus.FORBIDDEN) from error
        return user["name"], sorted(user["roles"])

    def answer(self, status, body=b"", headers=()):
        """Sends a whole answer."""
        self.send_response_only(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main():
    parser = argparse.ArgumentParser(description="A target of db-server's door.")
    parser.add_argument("--public-key", type=pathlib.Path, required=True, help="PEM; of proxy.identity.private_key")
    parser.add_argument("--port", type=int, default=1991)
    parser.add_argument("--issuer", default="db-server", help="as proxy.identity.issuer")
    arguments = parser.parse_args()
    with Target(arguments.public_key.read_text(), arguments.port, arguments.issuer) as target:
        print(f"listening on {target.url}", flush=True)
        target.serve_forever()


if __name__ == "__main__":
    main()
