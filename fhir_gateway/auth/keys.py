"""Signing keys, and the key set (JWKS) that neighbours check signatures by.

A key is a PEM file with an RSA private key, as NHS England's guide has one make it, or one on P-384
for EPRs that take ES384; its kid is the file's name without the ending (https://digital.nhs.uk/developer/guides-and-documentation/
security-and-authorisation/application-restricted-restful-apis-signed-jwt-authentication).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from fhir_gateway.errors import Refused

#: NHS England asks for 4096 bits for its own examples; 2048 is the least that is accepted here.
BITS = 4096
_LEAST_BITS = 2048


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One private key. `kid` names it in the key set and in the header of what it signs.

    `algorithm`: what it signs by: RS512 for NHS England, RS384 or ES384 for an EPR (SMART).
    """

    kid: str
    key: RSAKey | ECKey
    algorithm: str = "RS512"

    def public(self) -> dict[str, Any]:
        """The public half as a JWK."""
        public = self.key.as_dict(private=False)
        return {**public, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def detached(self, content: bytes) -> str:
        """A detached JWS over `content`: its middle is empty (RFC 7515 appendix F)."""
        header = {"alg": self.algorithm, "kid": self.kid}
        whole = jws.serialize_compact(header, content, self.key, algorithms=[self.algorithm])
        head, _, signature = whole.split(".")
        return f"{head}..{signature}"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys in order: the first signs, all are published. To rotate, put the new key behind the old
    one, wait until neighbours have it (NHS England caches a key set for an hour), put it first."""

    keys: tuple[SigningKey, ...]

    @property
    def signing(self) -> SigningKey:
        """The key that signs."""
        return self.keys[0]

    def named(self, kid: str) -> SigningKey:
        """The key with this kid. Raises Refused when there is none."""
        for key in self.keys:
            if key.kid == kid:
                return key
        raise Refused(f"There is no signing key '{kid}' among signing_keys.", code="no-key")

    def for_smart(self, kids: Collection[str]) -> KeyRing:
        """The same keys, where those that sign for EPRs do so by an algorithm of SMART."""
        return KeyRing(
            tuple(
                replace(key, algorithm="RS384")
                if key.kid in kids and isinstance(key.key, RSAKey)
                else key
                for key in self.keys
            )
        )

    def key_set(self) -> dict[str, Any]:
        """The JWKS with the public halves of all keys."""
        return {"keys": [key.public() for key in self.keys]}


def read_key_ring(files: Sequence[Path]) -> KeyRing:
    """The keys of these PEM files. Raises Refused, with what is wrong, never with what is in it."""
    ring = KeyRing(tuple(_read(file) for file in files))
    if not ring.keys:
        raise Refused("There is no signing key.", code="no-key")
    if len({key.kid for key in ring.keys}) != len(ring.keys):
        raise Refused("Two signing keys have the same name.", code="key-name")
    return ring


def make_key_file(file: Path, *, bits: int = BITS) -> None:
    """Make a key in a new file that only its owner can read. Raises FileExistsError."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)


def _read(file: Path) -> SigningKey:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Refused(
            f"The signing key {file} cannot be read ({type(error).__name__}).", code="key-file"
        ) from None
    try:
        private = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError):
        raise Refused(
            f"{file} is no PEM file with an unencrypted private key.", code="key-file"
        ) from None
    if isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP384R1):
        return SigningKey(file.stem, ECKey.import_key(content), "ES384")
    if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < _LEAST_BITS:
        raise Refused(f"{file} holds no RSA key of {_LEAST_BITS} bits or more.", code="key-kind")
    return SigningKey(file.stem, RSAKey.import_key(content))
