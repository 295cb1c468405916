"""Who is let in: tokens, scopes, providers, limits; over HTTP, on both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fhir_gateway.auth.issuers import ExternalIssuer
from fhir_gateway.fhir import check
from fhir_gateway.rest.app import BASE
from fhir_gateway.rest.settings import ApiLimits
from fhir_gateway.store.database import Database
from tests.rest.clients_world import (
    BASE_URL,
    RSA,
    STRANGER,
    World,
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


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    assert check.problems(outcome) == []
    return str(outcome["issue"][0]["diagnostics"])


def test_without_a_token_nothing_but_the_published_is_open(here: World) -> None:
    answer = here.get("Task/a")
    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert here.get("metadata").status_code == 200
    assert here.get("Questionnaire").status_code == 200


@pytest.mark.parametrize("shown", ["x", "a.b.c", "ü", "x" * 20_000, "Bearer"])
def test_a_token_that_is_not_good_opens_nothing(here: World, shown: str) -> None:
    answer = here.http.get(
        f"{BASE}/Task/a", headers={"Authorization": f"Bearer {shown}".encode("latin-1")}
    )
    refused(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_other_ways_to_sign_in_are_no_token(here: World) -> None:
    token = here.token(here.client())
    for shown in (f"Basic {token}", token, f"Bearer: {token}"):
        answer = here.http.get(f"{BASE}/Task/a", headers={"Authorization": shown})
        refused(answer, 401)
    answer = here.http.get(f"{BASE}/Task/a?access_token={token}")
    refused(answer, 401)
    assert here.http.get(f"{BASE}/Task/a", headers={"Authorization": f"bearer {token}"}).is_success


def test_scopes_decide_what_may_be_done(here: World) -> None:
    token = here.token(here.client(scopes="system/Task.r"))
    assert here.get("Task/a", token).status_code == 200
    answer = here.get("Task", token)
    assert "search Task" in refused(answer, 403)
    assert "insufficient_scope" in answer.headers["www-authenticate"]


def test_a_token_of_another_provider_gives_nothing(here: World) -> None:
    mine = here.token(here.client(providers=["RA1"]))
    theirs = here.token(here.client(providers=["RB2"]))
    both = here.token(here.client(providers=["RA1", "RB2"]))
    everybody = here.token(here.client(providers=[], admin=True))
    assert here.get("Task/a", mine).status_code == 200
    hidden, missing = here.get("Task/a", theirs), here.get("Task/zzz", theirs)
    refused(hidden, 404)
    assert hidden.content == missing.content

    def found(token: str) -> list[str]:
        bundle = here.get("Task", token).json()
        return [entry["resource"]["id"] for entry in bundle["entry"]]

    assert (found(mine), found(theirs)) == (["a"], ["b"])
    assert found(both) == found(everybody) == ["b", "a"]


def test_only_administrators_write_what_providers_share(here: World) -> None:
    resource = {"resourceType": "HealthcareService"}
    provider = here.token(here.client(providers=["RA1"]))
    admin = here.token(here.client(providers=[], admin=True))

    def create(token: str) -> httpx.Response:
        return here.http.post(
            f"{BASE}/HealthcareService",
            json=resource,
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/fhir+json",
            },
        )

    assert "administrator" in refused(create(provider), 403)
    assert create(admin).status_code == 201


def test_taking_a_scope_away_counts_for_tokens_that_are_out(here: World) -> None:
    from fhir_gateway.store.access_tables import ClientRow

    client = here.client()
    token = here.token(client)
    with here.database.transaction() as tx:
        row = tx.session.get(ClientRow, client.id)
        assert row is not None
        row.scopes = "system/Patient.r"
    refused(here.get("Task/a", token), 403)


def test_a_client_that_calls_too_often_waits_whatever_process_it_asks(either: Database) -> None:
    limits = ApiLimits(per_client=4)
    with (
        world(either, limits=limits) as one,
        world(Database(either.url, either.sealer), limits=limits) as two,
    ):
        token, other = one.token(one.client()), one.token(one.client())
        answers = [(one, two)[n % 2].get("Task/a", token) for n in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 4 + [429] * 2
        assert "Wait" in refused(answers[-1], 429)
        assert int(answers[-1].headers["retry-after"]) > 0
        assert two.get("Task/a", other).status_code == 200
        two.database.close()


def test_without_a_token_an_address_has_its_limit(either: Database) -> None:
    with world(either, limits=ApiLimits(per_address=3)) as here:
        token = here.token(here.client())
        answers = [
            here.get("Questionnaire"),
            here.get("Task/a"),
            here.get("Task/a", "guess"),
            here.get("Questionnaire"),
            here.get("Task/a", "another-guess"),
        ]
        assert [answer.status_code for answer in answers] == [200, 401, 401, 429, 429]
        assert here.get("Task/a", token).status_code == 200
        assert here.get("metadata").status_code == 200


def test_counts_of_long_ago_are_forgotten(either: Database) -> None:

    from sqlalchemy import text

    moment = [now()]
    with world(either, clock=lambda: moment[0]) as here:
        for _ in range(3):
            here.get("Questionnaire")
            moment[0] += timedelta(minutes=10)
        with either.engine.connect() as connection:
            (count,) = connection.execute(text("SELECT count(*) FROM counter")).one()
    assert count == 1


ISSUER = "https://login.trust.example"


def external(**changes: Any) -> ExternalIssuer:
    return ExternalIssuer(
        **{
            "issuer": ISSUER,
            "audience": BASE_URL,
            "scope_map": {"pifu.read": "system/*.rs", "pifu.admin": "system/*.cruds"},
            "provider_claim": "org",
            "admin_scope": "pifu.admin",
            **changes,
        }
    )


def issued(key: Any = RSA, alg: str = "RS256", typ: str = "at+jwt", **changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": BASE_URL,
        "sub": "app-1",
        "exp": int(time.time()) + 300,
        "scope": "pifu.read other",
        "org": ["RA1"],
        **changes,
    }
    return jwt.encode(
        {"alg": alg, "kid": key.kid, "typ": typ},
        {name: value for name, value in claims.items() if value is not None},
        key,
        algorithms=[alg],
    )


@pytest.fixture
def trust(either: Database) -> Iterator[World]:
    """An API that takes tokens of an issuer, whose key set is served over HTTP."""
    import json

    async def keys(request: Request) -> JSONResponse:
        return JSONResponse(json.loads(key_set(RSA)))

    with (
        serve(Starlette(routes=[Route("/keys", keys)])) as address,
        world(either, issuers=(external(jwks_url=f"{address}/keys"),)) as opened,
    ):
        yield opened


def test_a_token_of_an_issuer_opens_what_its_claims_say(trust: World) -> None:
    token = issued()
    assert trust.get("Task/a", token).status_code == 200
    refused(trust.get("Task/b", token), 404)
    (newest, *_) = trust.audit(agent=f"{ISSUER}#app-1")
    assert newest["agent"][0]["who"]["identifier"]["value"] == f"{ISSUER}#app-1"
    admin = issued(scope="pifu.admin", org=None)
    assert trust.get("Task/b", admin).status_code == 200
    assert trust.get("Task/a", issued(typ="JWT", alg="RS384")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"iss": "https://other.example"}, 401),
        ({"iss": None}, 401),
        ({"aud": "https://other.example"}, 401),
        ({"aud": None}, 401),
        ({"exp": timedelta(seconds=-60)}, 401),
        ({"exp": None}, 401),
        ({"nbf": timedelta(seconds=300)}, 401),
        ({"sub": None}, 401),
        ({"org": None}, 401),
        ({"org": ["not a code"]}, 401),
        ({"typ": "id_token"}, 401),
        ({"typ": "logout+jwt"}, 401),
        ({"key": "a stranger's"}, 401),
        ({"key": "of no kid"}, 401),
        ({"alg": "RS512"}, 401),
        ({"alg": "PS256"}, 401),
        ({"scope": "other"}, 403),
        ({"scope": None}, 403),
        ({"scope": "system/*.cruds"}, 403),
    ],
    ids=str,
)
def test_each_claim_of_an_issuer_must_be_right(
    trust: World, changes: dict[str, Any], status: int
) -> None:
    keys = {"a stranger's": STRANGER, "of no kid": RSAKey.generate_key(2048, {"kid": "new"})}
    given = {name: keys[value] if name == "key" else value for name, value in changes.items()}
    refused(trust.get("Task/a", issued(**moments(given))), status)


def test_an_issuer_s_algorithm_cannot_be_confused(trust: World) -> None:
    import base64
    import hmac

    claims = {"iss": ISSUER, "aud": BASE_URL, "sub": "x", "exp": int(time.time()) + 60}
    none = unchecked({"alg": "none", "kid": "rsa-1"}, claims, RSA)
    refused(trust.get("Task/a", none), 401)
    head, body, _ = unchecked({"alg": "HS256", "kid": "rsa-1"}, claims, RSA).split(".")
    mac = hmac.digest(RSA.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    shared = base64.urlsafe_b64encode(mac).decode().rstrip("=")
    refused(trust.get("Task/a", f"{head}.{body}.{shared}"), 401)


def test_an_issuer_whose_keys_cannot_be_had_means_later(either: Database) -> None:
    given = external(jwks_url="http://127.0.0.1:9/keys")
    with world(either, issuers=(given,)) as here:
        answer = here.get("Task/a", issued())
        refused(answer, 503)
        assert int(answer.headers["retry-after"]) > 0


def test_without_an_issuer_a_jwt_is_no_token(here: World) -> None:
    refused(here.get("Task/a", issued()), 401)
