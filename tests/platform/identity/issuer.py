"""An identity provider on the loopback: discovery, keys, tokens. It says who was asked for."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT = "steerway"


@dataclass
class Issuer:
    """What it claims, and what it was sent for a token."""

    url: str
    claims: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)


@contextmanager
def issuing() -> Iterator[Issuer]:
    """The provider, for as long as the block lasts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/jwks": _jwks(key), "/userinfo": issuer.claims}
            self._send(known.get(self.path, _discovery(issuer.url)))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            issuer.asked = {name: values[0] for name, values in parse_qs(body).items()}
            now = int(time.time())
            claims = {"iss": issuer.url, "aud": CLIENT, "iat": now, "exp": now + 60}
            signed = jwt.encode({**claims, **issuer.claims}, key, "RS256", headers={"kid": "1"})
            self._send({"access_token": "opaque", "token_type": "Bearer", "id_token": signed})

        def _send(self, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        issuer = Issuer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()


def _discovery(url: str) -> dict[str, Any]:
    return {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "jwks_uri": f"{url}/jwks",
        "userinfo_endpoint": f"{url}/userinfo",
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }


def _jwks(key: rsa.RSAPrivateKey) -> dict[str, Any]:
    numbers = key.public_key().public_numbers()

    def text(number: int) -> str:
        raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    one = {"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig"}
    return {"keys": [{**one, "n": text(numbers.n), "e": text(numbers.e)}]}
