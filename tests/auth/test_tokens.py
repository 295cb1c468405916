"""The token client against the sandbox's endpoint over HTTP, and faults that no server makes."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from joserfc import jwt

from fhir_gateway.auth.keys import KeyRing, read_key_ring
from fhir_gateway.auth.tokens import Application, TokenSource
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.sandbox.pds.app import create_app
from fhir_gateway.sandbox.pds.population import create_population
from tests.serving import serve

URL = "https://api.example/oauth2/token"
VARIABLE = "FHIR_GATEWAY_REFERENCE_DATA"


_made: list[TokenSource] = []


def source_of(application: Application, keys: KeyRing, **given: Any) -> TokenSource:
    """A source that is closed when the test ends."""
    _made.append(TokenSource(application, keys, **given))
    return _made[-1]


@pytest.fixture(autouse=True)
def sources_are_closed() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def endpoint(keys: KeyRing) -> Iterator[str]:
    """The sandbox, where three applications are registered."""
    registered: dict[str, Any] = {
        "app": keys.key_set(),
        "keyless": None,
        "unreachable": "http://127.0.0.1:9/jwks.json",
    }
    app = create_app(population=create_population(0), applications=registered)
    with serve(app) as base:
        yield f"{base}/oauth2/token"


@pytest.fixture
def counted(endpoint: str, keys: KeyRing) -> Iterator[tuple[TokenSource, list[float], Clock]]:
    """A source that counts its calls, and its clock."""
    calls: list[float] = []
    clock = Clock()

    class Counting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            calls.append(time.monotonic())
            return super().handle_request(request)

    source = source_of(Application("app", endpoint), keys, transport=Counting(), monotonic=clock)
    yield source, calls, clock
    source.close()


def test_a_token_is_kept_and_renewed_a_minute_before_it_ends(
    counted: tuple[TokenSource, list[float], Clock],
) -> None:
    source, calls, clock = counted
    first = source.token()
    clock.now += 599 - 61
    assert source.token() == first
    assert len(calls) == 1
    clock.now += 2
    assert source.token() != first
    assert len(calls) == 2


def test_many_threads_that_need_one_fetch_one(
    counted: tuple[TokenSource, list[float], Clock],
) -> None:
    source, calls, _ = counted
    start = threading.Barrier(12)

    def get(_: int) -> str:
        start.wait()
        return source.token()

    with ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(get, range(12)))) == 1
    assert len(calls) == 1


def test_many_threads_whose_token_was_refused_fetch_one(
    counted: tuple[TokenSource, list[float], Clock],
) -> None:
    source, calls, _ = counted
    refused = source.token()
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: source.token(instead_of=refused), range(8)))
    assert len(tokens) == 1
    assert refused not in tokens
    assert len(calls) == 2


def test_after_a_rotation_the_new_key_signs(endpoint: str, key_files: list[Path]) -> None:
    source = source_of(Application("app", endpoint), read_key_ring(key_files[::-1]))
    assert source.token()
    source.close()


def test_each_application_has_a_token_of_its_own(endpoint: str, keys: KeyRing) -> None:
    sources = [source_of(Application("app", endpoint), keys) for _ in range(2)]
    assert len({source.token() for source in sources}) == 2
    for source in sources:
        source.close()


@pytest.mark.parametrize(
    ("client_id", "kind", "says"),
    [
        ("nobody", TryLater, "Invalid 'iss'/'sub' claims"),
        ("keyless", TryLater, "register a public key"),
        ("unreachable", TryLater, "can't be reached"),
        ("", Refused, "non-matching 'iss'/'sub'"),
    ],
)
def test_what_the_endpoint_refuses_is_said_to_operators(
    endpoint: str, keys: KeyRing, client_id: str, kind: type[Exception], says: str
) -> None:
    source = source_of(Application(client_id, endpoint), keys)
    with pytest.raises(kind, match=says):
        source.token()
    source.close()


@pytest.mark.parametrize(
    ("ahead", "says"),
    [(timedelta(minutes=-10), "has expired"), (timedelta(minutes=10), "more than 5 minutes")],
)
def test_a_clock_that_is_wrong_is_told(
    endpoint: str, keys: KeyRing, ahead: timedelta, says: str
) -> None:
    source = source_of(Application("app", endpoint), keys, clock=lambda: datetime.now(UTC) + ahead)
    with pytest.raises(Refused, match=says):
        source.token()
    source.close()


def token_cases() -> list[dict[str, Any]]:
    folder = os.environ.get(VARIABLE)
    file = Path(folder or "/none") / "nhs-auth" / "nhs_apim_token_endpoint_cases.json"
    if not file.is_file():
        return []
    return list(json.loads(file.read_text())["errors"])


@pytest.mark.parametrize("case", token_cases(), ids=lambda case: case["case"])
def test_every_error_of_the_real_endpoint_is_one_of_ours(
    case: dict[str, Any], keys: KeyRing
) -> None:
    """400 is our own fault and final; 401 and 403 heal when the key set is fetched again."""
    status = case["status"] or 400
    with respx.mock:
        respx.post(URL).respond(status, json={**case["body"], "message_id": "x"})
        source = source_of(Application("app", URL), keys)
        with pytest.raises(Refused if status == 400 else TryLater) as refused:
            source.token()
    assert refused.value.code == f"token-{status}"
    assert case["body"]["error_description"][:60] in str(refused.value)


def sent(route: respx.Route) -> list[dict[str, str]]:
    from urllib.parse import parse_qsl

    return [dict(parse_qsl(call.request.content.decode())) for call in route.calls]


@respx.mock
def test_every_try_has_a_jti_of_its_own(keys: KeyRing) -> None:
    route = respx.post(URL).respond(503, headers={"Retry-After": "7"})
    source = source_of(Application("app", URL), keys)
    for _ in range(3):
        with pytest.raises(TryLater) as later:
            source.token()
        assert later.value.after == 7
    forms = sent(route)
    key = keys.signing.key
    assertions = [jwt.decode(form["client_assertion"], key, ["RS512"]) for form in forms]
    assert len({one.claims["jti"] for one in assertions}) == 3
    assert {form["grant_type"] for form in forms} == {"client_credentials"}
    assert all("scope" not in form for form in forms)


@respx.mock
def test_a_server_that_wants_a_scope_gets_it(keys: KeyRing) -> None:
    route = respx.post(URL).respond(json={"access_token": "t", "expires_in": 300})
    source_of(Application("app", URL, "RS384", "system/Task.c"), keys).token()
    assert sent(route)[0]["scope"] == "system/Task.c"


@pytest.mark.parametrize(
    ("body", "life"),
    [
        ({"expires_in": "599"}, 539),
        ({"expires_in": 599}, 539),
        ({"expires_in": "60"}, 30),
        ({}, 240),
        ({"expires_in": "soon"}, 240),
    ],
)
def test_a_token_lives_as_long_as_is_said(keys: KeyRing, body: dict[str, Any], life: int) -> None:
    clock = Clock()
    source = source_of(Application("app", URL), keys, monotonic=clock)
    with respx.mock:
        route = respx.post(URL).respond(json={"access_token": "t", **body})
        source.token()
        clock.now += life - 1
        source.token()
        assert route.call_count == 1
        clock.now += 2
        source.token()
        assert route.call_count == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>login</html>"),
        httpx.Response(200, json={"token": "x"}),
        httpx.Response(200, json=["x"]),
        httpx.Response(200, json={"access_token": "a\r\nX-Evil: 1"}),
        httpx.Response(302, headers={"location": "http://169.254.169.254/"}),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_a_broken_answer_is_no_token(keys: KeyRing, answer: Any) -> None:
    with respx.mock:
        respx.post(URL).mock(side_effect=[answer])
        with pytest.raises((TryLater, Refused)):
            source_of(Application("app", URL), keys).token()
