"""A service account for the sandbox: a key file as Google writes it, and its public half registered for signing in.

Owns making the key. Does not own signing in (oauth.py). Source: reference/google-sheets.md section 1.4.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sheetsync.sandbox.google.oauth import OAuth

EMAIL = "sheetsync@sandbox.iam.gserviceaccount.com"


def write_service_account(oauth: OAuth, path: Path, token_uri: str, email: str = EMAIL) -> None:
    """Make a key, write it to a file that only its owner can read, and let its holder sign in."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    numbers = key.public_key().public_numbers()
    oauth.register(email, numbers.n, numbers.e, token_uri)
    text = json.dumps(_file(pem, f"{numbers.n % 16**40:040x}", token_uri, email), indent=2) + "\n"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _file(pem: str, key_id: str, token_uri: str, email: str) -> dict[str, str]:
    return {
        "type": "service_account",
        "project_id": "sandbox",
        "private_key_id": key_id,
        "private_key": pem,
        "client_email": email,
        "client_id": "100000000000000000001",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_uri,
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/{email.replace('@', '%40')}",
        "universe_domain": "googleapis.com",
    }
