from __future__ import annotations

import httpx

from fhir_gateway.auth.jwks import PATH, create_jwks_app
from fhir_gateway.auth.keys import KeyRing
from tests.serving import serve


def test_the_key_set_is_published_with_how_long_it_may_be_kept(keys: KeyRing) -> None:
    with serve(create_jwks_app(keys)) as base:
        answer = httpx.get(base + PATH)
    assert answer.json() == keys.key_set()
    assert answer.headers["cache-control"] == "public, max-age=3600"


def test_a_gateway_that_signs_nothing_publishes_no_keys() -> None:
    with serve(create_jwks_app(None)) as base:
        assert httpx.get(base + PATH).json() == {"keys": []}
