"""Checking the signed JWT by which a client says who it is (private_key_jwt): the other side of
assertion.py. https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fhir_gateway.auth import claims as claim
from fhir_gateway.auth import signed
from fhir_gateway.auth.signed import BadToken, Unverified

ALGORITHMS = ("ES384", "RS384")
LONGEST = timedelta(minutes=5)
MAX_JTI = 200


@dataclass(frozen=True, slots=True)
class Asserted:
    """What is believed of an assertion. Its `jti` may be used once until `ends`."""

    client_id: str
    jti: str
    ends: datetime


def read(assertion: str) -> Unverified:
    """Take it apart, to know whose keys it is to be checked with. Raises BadToken."""
    unverified = signed.read(assertion, ALGORITHMS)
    if not unverified.kid:
        raise BadToken("Its header has no kid.")
    return unverified


def claimed_client(unverified: Unverified) -> str:
    """Which client it says it is from. Raises BadToken."""
    return claim.text(unverified.claims, "iss", longest=100)


def check(
    unverified: Unverified,
    keys: Iterable[Mapping[str, Any]],
    *,
    key_set_url: str | None,
    token_url: str,
    now: datetime,
) -> Asserted:
    """Check signature and claims. `key_set_url`: the registered one, which a `jku` must be. Raises
    BadToken with what is wrong."""
    jku = unverified.header.get("jku")
    if jku is not None and jku != key_set_url:
        raise BadToken("Its jku is not the address of the key set that is registered.")
    signed.verify(unverified, keys)
    client_id = claimed_client(unverified)
    if unverified.claims.get("sub") != client_id:
        raise BadToken("The claims iss and sub must both be the client's id.")
    claim.check_audience(unverified.claims, token_url)
    ends = claim.check_times(unverified.claims, now=now, longest=LONGEST)
    jti = claim.text(unverified.claims, "jti", longest=MAX_JTI)
    return Asserted(client_id, jti, ends + claim.CLOCKS)
