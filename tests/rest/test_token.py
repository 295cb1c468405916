"""The token endpoint over HTTP: every claim that can be wrong, replays, keys that roll over."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from fhir_gateway.rest import smart
from fhir_gateway.rest.app import BASE
from fhir_gateway.rest.settings import ApiLimits
from fhir_gateway.store import clients
from fhir_gateway.store.database import Database
from tests.rest.clients_world import (
    BASE_URL,
    EC,
    RSA,
    STRANGER,
    TOKEN_URL,
    World,
    assertion,
    key_set,
    moments,
    now,
    unchecked,
    world,
)
from tests.serving import serve


@pytest.fixture
def here(either: Database) -> Iterator[World]:
    with world(either) as opened:
        yield opened


@pytest.fixture
def sqlite(tmp_path: Any) -> Iterator[World]:
    from tests.databases import migrated

    database = migrated(f"sqlite:///{tmp_path / 'test.db'}")
    with world(database) as opened:
        yield opened
    database.close()


def refused(answer: httpx.Response, error: str, status: int = 401) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["error"] == error
    return str(body["error_description"])


def test_a_client_gets_a_short_lived_token_and_is_let_in(here: World) -> None:
    client = here.client()
    answer = here.ask(assertion(client), "system/Task.rs")
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "bearer"
    assert (body["expires_in"], body["scope"]) == (300, "system/Task.rs")
    assert answer.headers["cache-control"] == "no-store"
    assert here.get("Task/a", body["access_token"]).status_code == 200


def test_discovery_names_the_endpoint_that_works(sqlite: World) -> None:
    found = sqlite.http.get(f"{BASE}{smart.WELL_KNOWN}").json()
    assert found["token_endpoint"] == TOKEN_URL
    assert set(found["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}
    assert {"client-confidential-asymmetric", "permission-v2"} <= set(found["capabilities"])
    statement = sqlite.http.get(f"{BASE}/metadata").json()
    (extension,) = statement["rest"][0]["security"]["extension"]
    assert extension["extension"][0]["valueUri"] == f"{BASE_URL}{smart.TOKEN_PATH}"


def test_both_algorithms_of_smart_are_taken(sqlite: World) -> None:
    client = sqlite.client()
    assert sqlite.ask(assertion(client, RSA, "RS384")).status_code == 200
    assert sqlite.ask(assertion(client, EC, "ES384")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"iss": "somebody"}, "No client"),
        ({"iss": None}, "iss"),
        ({"iss": "a\x00b"}, "iss"),
        ({"iss": "a" * 101}, "iss"),
        ({"sub": "somebody"}, "iss and sub"),
        ({"sub": None}, "iss and sub"),
        ({"aud": "https://elsewhere.example/token"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": TOKEN_URL + "/"}, "audience"),
        ({"exp": None}, "exp is missing"),
        ({"exp": timedelta(seconds=-60)}, "expired"),
        ({"exp": timedelta(seconds=3600)}, "5 minutes"),
        ({"exp": "soon"}, "seconds since 1970"),
        ({"exp": True}, "seconds since 1970"),
        ({"exp": 1e300}, "seconds since 1970"),
        ({"nbf": timedelta(seconds=200)}, "nbf"),
        ({"iat": timedelta(seconds=200)}, "iat"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": "x" * 201}, "jti"),
        ({"jti": ["a"]}, "jti"),
    ],
    ids=str,
)
def test_each_claim_must_be_right(sqlite: World, changes: dict[str, Any], said: str) -> None:
    client = sqlite.client()
    description = refused(sqlite.ask(assertion(client, **moments(changes))), "invalid_client")
    assert said in description


def test_an_audience_among_others_is_right(sqlite: World) -> None:
    assert sqlite.ask(assertion(sqlite.client(), aud=[TOKEN_URL])).status_code == 200


def test_a_key_that_is_not_registered_signs_nothing(sqlite: World) -> None:
    client = sqlite.client()
    said = refused(sqlite.ask(assertion(client, STRANGER)), "invalid_client")
    assert "signature" in said
    unknown = RSAKey.generate_key(2048, {"kid": "other"})
    said = refused(sqlite.ask(assertion(client, unknown)), "invalid_client")
    assert "no key with this kid" in said


def test_a_changed_token_is_refused(sqlite: World) -> None:
    head, body, signature = assertion(sqlite.client()).split(".")
    other = assertion(sqlite.client("another")).split(".")[1]
    refused(sqlite.ask(f"{head}.{other}.{signature}"), "invalid_client")
    assert body != other


def test_algorithms_cannot_be_confused(sqlite: World) -> None:
    client = sqlite.client()
    claimed = {"iss": client.id, "sub": client.id, "aud": TOKEN_URL, "jti": "1"}
    none = unchecked({"alg": "none", "kid": "rsa-1"}, claimed, RSA)
    refused(sqlite.ask(none), "invalid_client")
    refused(sqlite.ask(none.rpartition(".")[0] + "."), "invalid_client")
    for algorithm, digest in (("HS256", "sha256"), ("HS384", "sha384")):
        # The public key, taken as if it were a shared secret.
        head, body, _ = unchecked({"alg": algorithm, "kid": "rsa-1"}, claimed, RSA).split(".")
        mac = hmac.digest(RSA.as_pem(private=False), f"{head}.{body}".encode(), digest)
        shared = f"{head}.{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
        assert "alg" in refused(sqlite.ask(shared), "invalid_client")
    for algorithm in ("RS256", "RS512", "PS384"):
        refused(sqlite.ask(assertion(client, RSA, algorithm)), "invalid_client")
    # A header that says ES384 about an RSA key.
    said = refused(
        sqlite.ask(assertion(client, EC, "ES384", header={"kid": "rsa-1"})), "invalid_client"
    )
    assert "not for ES384" in said


@pytest.mark.parametrize(
    "header",
    [
        {"kid": None},
        {"kid": ""},
        {"typ": "at+jwt"},
        {"jku": "https://attacker.example/keys"},
        {"crit": ["exp"]},
        {"b64": False},
    ],
    ids=str,
)
def test_headers_that_ask_for_more_are_refused(sqlite: World, header: dict[str, Any]) -> None:
    refused(sqlite.ask(assertion(sqlite.client(), header=header)), "invalid_client")


def test_a_key_in_the_header_is_never_used(sqlite: World) -> None:
    jwk = {**STRANGER.as_dict(private=False)}
    refused(sqlite.ask(assertion(sqlite.client(), STRANGER, header={"jwk": jwk})), "invalid_client")


@pytest.mark.parametrize(
    "signed", ["", "x", "a.b", "a.b.c.d", "é.b.c", "!!.b.c", "eyJ9.eyJ9.x", "a" * 20_000]
)
def test_what_is_no_jwt_is_refused_with_a_sentence(sqlite: World, signed: str) -> None:
    assert refused(sqlite.ask(signed), "invalid_client").endswith(".")


def test_an_assertion_is_good_once(here: World) -> None:
    client = here.client()
    signed = assertion(client)
    assert here.ask(signed).status_code == 200
    assert "used before" in refused(here.ask(signed), "invalid_client")
    again = assertion(client, jti="mine")
    assert here.ask(again).status_code == 200
    # Of another client the same jti is another one.
    assert here.ask(assertion(here.client("other"), jti="mine")).status_code == 200


def test_of_many_at_once_in_two_processes_one_gets_a_token(either: Database) -> None:
    with world(either) as one, world(Database(either.url, either.sealer)) as two:
        signed = assertion(one.client())
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: (one, two)[n % 2].ask(signed), range(16)))
        two.database.close()
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 15


def test_a_refused_assertion_is_not_used_up(sqlite: World) -> None:
    client = sqlite.client(scopes="system/Task.r")
    signed = assertion(client)
    refused(sqlite.ask(signed, "system/Patient.r"), "invalid_scope", 400)
    assert sqlite.ask(signed, "system/Task.r").status_code == 200


def test_a_revoked_client_is_out_at_once(here: World) -> None:
    client = here.client()
    token = here.token(client)
    assert here.get("Task/a", token).status_code == 200
    with here.database.transaction() as tx:
        assert clients.revoke(tx, client.id, now=now())
        assert not clients.revoke(tx, client.id, now=now())
    answer = here.get("Task/a", token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    refused(here.ask(assertion(client)), "invalid_client")


def test_a_token_ends_after_five_minutes(either: Database) -> None:
    moment = [now()]
    with world(either, clock=lambda: moment[0]) as here:
        token = here.token(here.client())
        moment[0] += timedelta(seconds=299)
        assert here.get("Task/a", token).status_code == 200
        moment[0] += timedelta(seconds=2)
        assert here.get("Task/a", token).status_code == 401


def test_only_what_is_registered_is_granted(sqlite: World) -> None:
    client = sqlite.client(scopes="system/Task.ru system/AuditEvent.rs")

    def granted(asked: str) -> str:
        return str(sqlite.ask(assertion(client), asked).json()["scope"])

    assert granted("system/*.cruds") == "system/AuditEvent.rs system/Task.ru"
    assert granted("system/Task.read system/Patient.read") == "system/Task.r"
    assert granted("system/AuditEvent.read") == "system/AuditEvent.read"
    for asked in ("", "openid", "user/Task.r", "system/Patient.r", "system/Task.r?status=x"):
        refused(sqlite.ask(assertion(client), asked), "invalid_scope", 400)


def test_what_is_no_form_of_this_grant_is_refused(sqlite: World) -> None:
    client = sqlite.client()
    path = f"{BASE}{smart.TOKEN_PATH}"
    refused(
        sqlite.ask(assertion(client), grant_type="authorization_code"),
        "unsupported_grant_type",
        400,
    )
    refused(sqlite.ask(assertion(client), grant_type=""), "invalid_request", 400)
    refused(sqlite.ask(assertion(client), client_assertion_type="x"), "invalid_client")
    refused(sqlite.http.post(path, json={"grant_type": "x"}), "invalid_request", 400)
    twice = "grant_type=client_credentials&grant_type=client_credentials"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(sqlite.http.post(path, content=twice, headers=form), "invalid_request", 400)
    refused(sqlite.http.post(path, content=b"\xff=\xfe", headers=form), "invalid_request", 400)
    refused(
        sqlite.http.post(path, content="a=" + "b" * 40_000, headers=form), "invalid_request", 400
    )
    assert sqlite.http.get(path).status_code == 405


def test_many_tries_from_one_address_are_told_to_wait(either: Database) -> None:
    with world(either, limits=ApiLimits(tokens_per_address=3)) as here:
        client = here.client()
        answers = [here.ask(assertion(client)) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 0


class KeyServer:
    """Where a client keeps its key set."""

    def __init__(self) -> None:
        self.content = key_set(RSA)
        self.asked = 0
        self.answer: Response | None = None

    def app(self) -> Starlette:
        async def keys(request: Request) -> Response:
            self.asked += 1
            return self.answer or JSONResponse(json.loads(self.content))

        return Starlette(routes=[Route("/keys", keys)])


def test_keys_by_address_are_fetched_kept_and_followed_when_they_roll(sqlite: World) -> None:
    server = KeyServer()
    with serve(server.app()) as address:
        client = sqlite.client(jwks=None, jwks_url=f"{address}/keys")
        assert sqlite.ask(assertion(client)).status_code == 200
        assert sqlite.ask(assertion(client)).status_code == 200
        assert server.asked == 1
        # A kid that is not known is looked for, but not again and again.
        server.content = key_set(EC)
        for number in range(5):
            other = RSAKey.generate_key(2048, {"kid": f"guess-{number}"}) if not number else RSA
            sqlite.ask(assertion(client, other, header={"kid": f"guess-{number}"}))
        assert server.asked == 1
    with world(sqlite.database) as later, serve(server.app()) as address:
        moved = later.client(jwks=None, jwks_url=f"{address}/keys")
        assert later.ask(assertion(moved, EC, "ES384")).status_code == 200
        assert later.ask(assertion(moved, RSA)).status_code == 401


def test_a_key_set_that_is_away_means_later_not_never(sqlite: World) -> None:
    client = sqlite.client(jwks=None, jwks_url="http://127.0.0.1:9/keys")
    answer = sqlite.ask(assertion(client))
    assert refused(answer, "temporarily_unavailable", 503)
    assert int(answer.headers["retry-after"]) > 0


def test_redirects_and_private_addresses_are_not_followed(either: Database) -> None:
    server = KeyServer()
    server.answer = RedirectResponse("http://127.0.0.1:1/keys")
    with serve(server.app()) as address, world(either) as here, world(either, hosts=()) as strict:
        moved = here.client(jwks=None, jwks_url=f"{address}/keys")
        assert here.ask(assertion(moved)).status_code == 503
        asked = server.asked
        assert strict.ask(assertion(moved)).status_code == 401
        private = here.client(jwks=None, jwks_url="https://127.0.0.1/keys")
        assert "private" in refused(strict.ask(assertion(private)), "invalid_client")
        assert server.asked == asked


def test_a_small_or_odd_key_checks_nothing(sqlite: World) -> None:
    odd = ECKey.generate_key("P-256", {"kid": "small"})
    client = sqlite.client(jwks=key_set(RSA, odd))
    said = refused(
        sqlite.ask(assertion(client, EC, "ES384", header={"kid": "small"})), "invalid_client"
    )
    assert "not for ES384" in said
