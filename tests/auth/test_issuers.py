"""What the claims of an external issuer's token open (tests/rest/test_gatekeeper.py has more)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fhir_gateway.auth.issuers import ExternalIssuer, Issuers, granted
from fhir_gateway.auth.scopes import Scopes
from fhir_gateway.auth.signed import BadToken
from fhir_gateway.errors import Refused
from fhir_gateway.rest.settings import ApiSettings, api_problems
from tests.serving import serve

KEY = ECKey.generate_key("P-256", {"kid": "k"})


def issuer(**given: Any) -> ExternalIssuer:
    return ExternalIssuer(**{"issuer": "https://login.example", "audience": "api", **given})


def test_scopes_of_smart_need_no_map_and_others_grant_nothing() -> None:
    found = granted(issuer(providers=("RA1",)), {"sub": "a", "scope": "system/Task.r openid"})
    assert found.scopes == Scopes.of([("Task", "r")])
    assert found.providers == {"RA1"}
    mapped = issuer(providers=("RA1",), scope_map={"read": "system/Task.r"})
    assert not granted(mapped, {"sub": "a", "scope": "system/*.cruds"}).scopes


def test_lists_and_other_claims_are_read() -> None:
    one = issuer(
        scope_claim="roles",
        scope_map={"Reader": "system/*.rs"},
        provider_claim="org",
        provider_map={"trust-a": "RA1"},
    )
    found = granted(one, {"azp": "app", "roles": ["Reader"], "org": ["trust-a", "RB2"]})
    assert found.client_id == "https://login.example#app"
    assert (found.providers, found.admin) == ({"RA1"}, False)


@pytest.mark.parametrize(
    "claims",
    [{}, {"sub": ""}, {"sub": 1}, {"sub": "a"}, {"sub": "a", "org": 5}, {"sub": "a", "org": "x"}],
    ids=str,
)
def test_without_a_client_or_a_provider_nothing_opens(claims: dict[str, Any]) -> None:
    with pytest.raises(BadToken):
        granted(issuer(provider_claim="org"), claims)


def test_settings_that_open_nothing_or_the_wrong_thing_are_said() -> None:
    wrong = ApiSettings(
        external_issuers=(issuer(scope_map={"a": "Task.read"}, provider_map={"x": "no code"}),)
    )
    said = [text for _, text, serious in api_problems(wrong) if serious]
    assert len(said) == 3
    assert list(api_problems(ApiSettings(external_issuers=(issuer(providers=("RA1",)),)))) == []


@pytest.fixture
def authority() -> Iterator[tuple[str, dict[str, Any]]]:
    """An authorization server's address, and its discovery document, to be changed."""
    document: dict[str, Any] = {}

    async def discovery(request: Request) -> JSONResponse:
        return JSONResponse(document)

    async def keys(request: Request) -> JSONResponse:
        return JSONResponse({"keys": [{**KEY.as_dict(private=False), "kid": "k"}]})

    routes = [Route("/.well-known/openid-configuration", discovery), Route("/keys", keys)]
    with serve(Starlette(routes=routes)) as address:
        document |= {"issuer": address, "jwks_uri": f"{address}/keys"}
        yield address, document


def token(address: str) -> str:
    claims = {"iss": address, "aud": "api", "sub": "a", "exp": int(time.time()) + 60}
    return jwt.encode({"alg": "ES256", "kid": "k"}, claims, KEY, algorithms=["ES256"])


def test_keys_are_found_by_discovery(authority: tuple[str, dict[str, Any]]) -> None:
    address, document = authority
    known = Issuers((issuer(issuer=address, providers=("RA1",)),), ("127.0.0.1",))
    assert known.check(token(address), now=datetime.now(UTC)).providers == {"RA1"}
    document["issuer"] = "https://somebody.else"
    fresh = Issuers((issuer(issuer=address, providers=("RA1",)),), ("127.0.0.1",))
    with pytest.raises(Refused):
        fresh.check(token(address), now=datetime.now(UTC))
