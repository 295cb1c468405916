"""Key sets by address: kept, followed when keys roll over, fetched no more often than need be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fhir_gateway.auth.key_sets import MAX_AGE, REST, STALE, KeySets
from fhir_gateway.errors import Refused, TryLater
from tests.serving import serve

ALGORITHMS = ("RS384", "ES384")
FIRST = RSAKey.generate_key(2048, {"kid": "first"})
SECOND = RSAKey.generate_key(2048, {"kid": "second"})


class Host:
    """A client's server, a clock, and the key sets that watch both."""

    def __init__(self) -> None:
        self.keys: list[Any] = [FIRST]
        self.asked = 0
        self.seconds = 0.0
        self.answer: Response | None = None
        self.url = ""
        self.sets = KeySets(ALGORITHMS, ("127.0.0.1",), ticks=lambda: self.seconds)

    async def serve(self, request: Request) -> Response:
        self.asked += 1
        listed = [{**key.as_dict(private=False), "kid": key.kid} for key in self.keys]
        return self.answer or JSONResponse({"keys": listed})

    def kids(self, kid: str) -> list[str]:
        return [key["kid"] for key in self.sets.keys(self.url, kid)]


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    with serve(Starlette(routes=[Route("/keys", made.serve)])) as address:
        made.url = f"{address}/keys"
        yield made


def test_a_new_key_is_followed_but_guesses_are_not(host: Host) -> None:
    assert host.kids("first") == ["first"]
    host.keys = [SECOND]
    for guess in range(20):
        assert host.kids(f"guess-{guess}") == ["first"]
    assert host.asked == 1
    host.seconds += REST
    assert host.kids("second") == ["second"]
    assert host.asked == 2


def test_keys_are_fetched_again_when_they_are_old(host: Host) -> None:
    host.kids("first")
    host.seconds += MAX_AGE
    host.kids("first")
    assert host.asked == 1
    host.seconds += 1
    host.keys = [SECOND]
    # A key that was taken away is good for an hour at the most.
    assert host.kids("first") == ["second"]


def test_a_host_that_fails_is_believed_for_a_day(host: Host) -> None:
    host.kids("first")
    host.answer = Response(status_code=503)
    host.seconds += MAX_AGE + 1
    assert host.kids("first") == ["first"]
    asked = host.asked
    host.seconds += 1
    assert host.kids("first") == ["first"]
    assert host.asked == asked
    host.seconds += STALE
    with pytest.raises(TryLater):
        host.kids("first")


@pytest.mark.parametrize(
    "answer",
    [
        Response(b"x" * 200_000),
        Response(b"not json"),
        JSONResponse({"keys": []}),
        JSONResponse({"keys": [{"kty": "RSA", "kid": "a", "n": "AQAB", "e": "AQAB"}]}),
        JSONResponse({"keys": [{"kty": "RSA"}] * 51}),
        JSONResponse({"keys": [{**FIRST.as_dict(private=True), "kid": "first"}]}),
        Response(b'{"keys": [], "keys": []}'),
    ],
    ids=["long", "text", "empty", "small", "many", "private", "twice"],
)
def test_what_is_no_key_set_is_refused(host: Host, answer: Response) -> None:
    host.answer = answer
    with pytest.raises(Refused):
        host.kids("first")


def test_redirects_are_not_followed(host: Host) -> None:
    host.answer = Response(status_code=302, headers={"location": f"{host.url}?again"})
    with pytest.raises(TryLater):
        host.kids("first")
    assert host.asked == 1


def test_keys_for_encryption_or_another_algorithm_do_not_count(host: Host) -> None:
    public = json.loads(json.dumps(FIRST.as_dict(private=False)))
    for change in ({"use": "enc"}, {"alg": "RS512"}, {"key_ops": ["encrypt"]}):
        host.answer = JSONResponse({"keys": [{**public, "kid": "first", **change}]})
        with pytest.raises(Refused):
            host.sets.fetch(host.url)
