"""The token endpoint: verifies a service account's RS256 assertion and issues bearer tokens that expire.

Owns keys and tokens; the sandbox's other parts ask it whose token a request carries.
Source: reference/google-sheets.md section 1.4 (what google-auth sends and accepts; the `aud` trap).
"""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sheetsync.sandbox.wire import Request, Response, json_response

Json = dict[str, Any]

GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Refused(Exception):
    """An assertion that is not accepted; the argument is the description."""


class OAuth:
    """Public keys of service accounts, and the tokens given out to them."""

    def __init__(self, now: Callable[[], datetime], rng: random.Random) -> None:
        self._now = now
        self._rng = rng
        self.lifetime = timedelta(hours=1)
        self.token_uris: set[str] = {GOOGLE_AUDIENCE}
        self._keys: dict[str, list[tuple[int, int]]] = {}
        self._tokens: dict[str, tuple[str, datetime | None]] = {}

    def register(self, email: str, modulus: int, exponent: int = 65537, token_uri: str | None = None) -> None:
        """Lets a service account sign in with the private key belonging to this RSA public key."""
        self._keys.setdefault(email, []).append((modulus, exponent))
        if token_uri:
            self.token_uris.add(token_uri)

    def allow(self, token: str, email: str) -> None:
        """Makes a token valid for ever, for calls in process."""
        self._tokens[token] = (email, None)

    def email(self, authorization: str) -> str | None:
        """Whose valid token an Authorization header carries."""
        held = self._tokens.get(authorization[7:]) if authorization[:7].lower() == "bearer " else None
        if held is None or (held[1] is not None and held[1] <= self._now()):
            return None
        return held[0]

    def handle(self, request: Request) -> Response:
        """POST /token."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        if request.method != "POST" or form.get("grant_type") != GRANT_TYPE:
            return _refusal("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
        try:
            email = self._signer(form.get("assertion", ""))
        except Refused as refused:
            return _refusal("invalid_grant", str(refused))
        return json_response(self._issue(email), pretty=True)

    def _issue(self, email: str) -> Json:
        token = "ya29.c." + base64.urlsafe_b64encode(self._rng.randbytes(48)).decode()
        self._tokens[token] = (email, self._now() + self.lifetime)
        seconds = int(self.lifetime.total_seconds())
        return {"access_token": token, "expires_in": seconds, "token_type": "Bearer"}

    def _signer(self, assertion: str) -> str:
        header, claims, signature, signed = _parts(assertion)
        email = claims.get("iss")
        if header.get("alg") != "RS256" or not isinstance(email, str) or email not in self._keys:
            raise Refused("Invalid grant: account not found")
        # The signature comes before the audience: whoever cannot sign learns nothing of the URIs (reference 1.4).
        if not any(_signature_holds(signed, signature, *key) for key in self._keys[email]):
            raise Refused("Invalid JWT Signature.")
        if claims.get("aud") not in self.token_uris:
            raise Refused("Invalid JWT: Failed audience check.")
        return email

    def dump(self) -> Json:
        """Everything, as JSON."""
        tokens = {token: [email, end and end.isoformat()] for token, (email, end) in self._tokens.items()}
        keys = {email: [[hex(n), e] for n, e in held] for email, held in self._keys.items()}
        return {"keys": keys, "tokens": tokens, "token_uris": sorted(self.token_uris)}

    def restore(self, data: Json) -> None:
        """Takes over what `dump` gave."""
        self._keys = {email: [(int(n, 16), e) for n, e in held] for email, held in data["keys"].items()}
        ends = data["tokens"].items()
        self._tokens = {token: (email, datetime.fromisoformat(end) if end else None) for token, (email, end) in ends}
        self.token_uris = set(data["token_uris"])


def _parts(assertion: str) -> tuple[Json, Json, bytes, bytes]:
    signed, _, signature = assertion.rpartition(".")
    header, _, claims = signed.partition(".")
    try:
        return _object(header), _object(claims), _decoded(signature), signed.encode()
    except ValueError as error:
        raise Refused("Invalid JWT: not a JSON Web Token.") from error


def _object(text: str) -> Json:
    value = json.loads(_decoded(text))
    if not isinstance(value, dict):
        raise ValueError(text)
    return value


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _signature_holds(signed: bytes, signature: bytes, modulus: int, exponent: int) -> bool:
    """RS256: RSASSA-PKCS1-v1_5 with SHA-256."""
    try:
        key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _refusal(error: str, description: str) -> Response:
    return json_response({"error": error, "error_description": description}, 400, pretty=True)
