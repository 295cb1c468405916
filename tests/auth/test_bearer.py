from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import respx

from fhir_gateway.auth.bearer import FixedBearer, TokenBearer
from fhir_gateway.auth.keys import KeyRing
from fhir_gateway.auth.tokens import Application, TokenSource

TOKENS = "https://api.example/oauth2/token"
API = "https://api.example/thing"


def bearers(route: respx.Route) -> list[str]:
    return [call.request.headers["authorization"] for call in route.calls]


@respx.mock
def test_a_fixed_token_is_added() -> None:
    route = respx.get(API).respond(200)
    httpx.get(API, auth=FixedBearer("fixed"))
    assert bearers(route) == ["Bearer fixed"]


@pytest.fixture
def auth(keys: KeyRing) -> Iterator[TokenBearer]:
    source = TokenSource(Application("app", TOKENS), keys)
    yield TokenBearer(source)
    source.close()


@respx.mock
def test_a_refused_token_is_replaced_once_in_the_same_call(auth: TokenBearer) -> None:
    answers = iter(["one", "two"])
    respx.post(TOKENS).mock(
        side_effect=lambda _: httpx.Response(200, json={"access_token": next(answers)})
    )
    route = respx.get(API).mock(side_effect=[httpx.Response(401), httpx.Response(200)])
    answer = httpx.get(API, auth=auth, headers={"X-Request-ID": "same"})
    assert answer.status_code == 200
    assert bearers(route) == ["Bearer one", "Bearer two"]
    assert {call.request.headers["x-request-id"] for call in route.calls} == {"same"}


@respx.mock
def test_a_second_refusal_is_final(auth: TokenBearer) -> None:
    respx.post(TOKENS).respond(json={"access_token": "t"})
    route = respx.get(API).respond(401)
    assert httpx.get(API, auth=auth).status_code == 401
    assert route.call_count == 2
