"""Sealing what could identify a patient: encryption at rest, and keyed hashes.

The key never is in the database. From one master key, HKDF (RFC 5869) derives a key per purpose;
sealing is Fernet (AES-128-CBC with HMAC-SHA256, authenticated) of the cryptography package.
Older master keys can follow the first, so that keys rotate without downtime.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fhir_gateway.errors import Defect, Refused
from fhir_gateway.fhir import json as fhir_json

MIN_KEY_BYTES = 32
#: A stored response is bounded by the page limits; this bounds what is read back.
_MAX_SEALED = 16_000_000


class KeyRefused(Refused):
    """A configured secret key is too short to protect anything."""

    def __init__(self) -> None:
        super().__init__(
            f"Each of secret_keys must have at least {MIN_KEY_BYTES} bytes.", code="key-refused"
        )


class Sealer:
    """Seals and opens JSON, and makes keyed hashes.

    `keys`: master keys, the current one first, each at least 32 bytes; else KeyRefused.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) < MIN_KEY_BYTES for key in keys):
            raise KeyRefused
        self._fernet = MultiFernet(
            [Fernet(base64.urlsafe_b64encode(_derive(key, b"seal"))) for key in keys]
        )
        self._keys = tuple(keys)

    def seal(self, value: Any) -> bytes:
        """Encrypt a JSON value."""
        return self._fernet.encrypt(fhir_json.dump(value))

    def open(self, sealed: bytes) -> Any:
        """Decrypt what `seal` made; raises Defect when no key fits."""
        try:
            return fhir_json.parse(self._fernet.decrypt(sealed), max_bytes=_MAX_SEALED)
        except InvalidToken:
            raise Defect(
                "Stored data cannot be decrypted with the configured secret key.",
                code="seal-broken",
            ) from None

    def mac(self, purpose: str, *parts: str) -> str:
        """A keyed hash of `parts` for one purpose, as 64 hexadecimal digits.

        The same parts give the same hash, so numbers can be counted without being stored.
        """
        return self.macs(purpose)[0](*parts)

    def macs(self, purpose: str) -> list[Callable[..., str]]:
        """`mac` of one purpose, for many values: by the current key, then by each older one, for
        hashes that were made before keys were changed."""

        def by(key: bytes) -> Callable[..., str]:
            derived = _derive(key, b"mac:" + purpose.encode())

            def mac(*parts: str) -> str:
                return hmac.new(derived, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()

            return mac

        return [by(key) for key in self._keys]


def token_hash(token: str) -> str:
    """How an unguessable token is kept: a plain hash is enough for 128 bits of randomness."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Compare two hashes in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=None, info=b"fhir-gateway:" + purpose).derive(key)
