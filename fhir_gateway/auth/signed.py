"""Reading JWTs that others signed, strictly: which key and which algorithm is never theirs to say.

The algorithm must be one that the caller takes, and fit the key it is checked with; `none`, shared
secrets and keys within the token are out by construction (RFC 8725).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as strict_json

MAX_LENGTH = 16_000
LEAST_RSA_BITS = 2048
#: What an algorithm needs of a key: its type and, for elliptic curves, its curve.
_KEYS = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
}
_PART = re.compile(r"[A-Za-z0-9_-]+")
#: Keys with the same kid are tried, but not without end.
_TRIES = 4


class BadToken(Refused):
    """The token is not to be believed; the message says why, and quotes nothing of it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="bad-token")


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says of itself, before anything of it is believed."""

    token: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def kid(self) -> str:
        """Which key it says it was signed by; "" when it does not say."""
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else ""


def read(token: str, algorithms: Collection[str], types: Collection[str] = ("jwt",)) -> Unverified:
    """Take a token apart. Raises BadToken when it is no compact JWS, signed by another algorithm,
    or of another type (`typ`, in lower case) than these; a token without `typ` is taken."""
    parts = token.split(".")
    if len(token) > MAX_LENGTH or len(parts) != 3 or not all(map(_PART.fullmatch, parts)):  # noqa: PLR2004 - head, claims, signature
        raise BadToken("It is no signed JWT in the compact form.")
    header, claims = _object(parts[0]), _object(parts[1])
    if header.get("alg") not in algorithms:
        raise BadToken(f"Its algorithm (alg) must be {' or '.join(sorted(algorithms))}.")
    if "crit" in header or "b64" in header:
        raise BadToken("It asks for extensions (crit) that are not known here.")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in types:
        raise BadToken("It is a token of another kind (typ).")
    return Unverified(token, header, claims)


def verify(unverified: Unverified, keys: Iterable[Mapping[str, Any]]) -> None:
    """Check the signature with the public JWKs that have the token's kid. Raises BadToken."""
    algorithm = str(unverified.header["alg"])
    named = [key for key in keys if key.get("kid") == unverified.kid and unverified.kid]
    fitting = [key for key in named if fits(key, algorithm)]
    if not fitting:
        raise BadToken(
            "The key set has no key with this kid."
            if not named
            else f"The key with this kid is not for {algorithm}."
        )
    if not any(_is_signed(unverified.token, key, algorithm) for key in fitting[:_TRIES]):
        raise BadToken("Its signature is not by the key with this kid.")


def fits(key: Mapping[str, Any], algorithm: str) -> bool:
    """Whether a JWK may check signatures of an algorithm: type, curve, size and its own `use`,
    `alg` and `key_ops`."""
    kind, curve = _KEYS[algorithm]
    if key.get("kty") != kind or (curve and key.get("crv") != curve):
        return False
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        return False
    operations = key.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return False
    return kind != "RSA" or _bits(key.get("n")) >= LEAST_RSA_BITS


def _is_signed(token: str, key: Mapping[str, Any], algorithm: str) -> bool:
    bare = {name: key[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in key}
    kind = RSAKey if bare["kty"] == "RSA" else ECKey
    try:
        jws.deserialize_compact(token, kind.import_key(bare), algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):
        return False
    return True


def _object(part: str) -> dict[str, Any]:
    try:
        found = strict_json.parse(_decoded(part), max_bytes=MAX_LENGTH, max_depth=10)
    except (binascii.Error, strict_json.JsonRefused):
        raise BadToken("It is no signed JWT in the compact form.") from None
    if not isinstance(found, dict):
        raise BadToken("It is no signed JWT in the compact form.")
    return found


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _bits(number: Any) -> int:
    """How many bits a base64url number has."""
    if not isinstance(number, str) or not _PART.fullmatch(number):
        return 0
    try:
        return int.from_bytes(_decoded(number), "big").bit_length()
    except binascii.Error:
        return 0
