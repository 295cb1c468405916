from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from joserfc import jwt

from fhir_gateway.auth.assertion import client_assertion
from fhir_gateway.auth.keys import KeyRing

URL = "https://int.api.service.nhs.uk/oauth2/token"
NOW = datetime(2026, 5, 4, 12, 0, 0, 654321, tzinfo=UTC)


def made(keys: KeyRing, algorithm: str = "RS512") -> jwt.Token:
    signed = client_assertion(
        keys.signing, client_id="app", token_url=URL, now=NOW, algorithm=algorithm
    )
    return jwt.decode(signed, keys.signing.key, algorithms=[algorithm])


def test_it_is_what_nhs_england_asks_for(keys: KeyRing) -> None:
    token = made(keys)
    assert token.header == {"alg": "RS512", "typ": "JWT", "kid": "gateway-1"}
    assert token.claims.keys() == {"iss", "sub", "aud", "jti", "exp"}
    assert token.claims["iss"] == token.claims["sub"] == "app"
    assert token.claims["aud"] == URL


def test_it_ends_within_five_minutes_in_whole_seconds(keys: KeyRing) -> None:
    ends = made(keys).claims["exp"]
    assert type(ends) is int
    assert 0 < ends - NOW.timestamp() <= 300


def test_no_two_have_the_same_jti(keys: KeyRing) -> None:
    ids = {made(keys).claims["jti"] for _ in range(20)}
    assert len(ids) == 20
    assert all(uuid.UUID(one).version == 4 for one in ids)


@pytest.mark.parametrize("algorithm", ["RS384", "RS512"])
def test_other_servers_want_other_algorithms(keys: KeyRing, algorithm: str) -> None:
    assert made(keys, algorithm).header["alg"] == algorithm
