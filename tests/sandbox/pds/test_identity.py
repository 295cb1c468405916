"""The sandbox's token endpoint, case by case as the real one answers."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from fhir_gateway.sandbox.pds.app import BASE_PATH, create_app
from fhir_gateway.sandbox.pds.population import create_population
from tests.serving import serve

VARIABLE = "FHIR_GATEWAY_REFERENCE_DATA"
KEY = RSAKey.generate_key(2048)
OTHER = RSAKey.generate_key(2048)
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
OWN = {"X-Request-ID": "60E0B220-8136-4CA5-AE46-1D97EF59D068"}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    keys = {"keys": [{**KEY.as_dict(private=False), "kid": "k1"}]}
    registered: dict[str, Any] = {
        "app": keys,
        "keyless": None,
        "unreachable": "http://127.0.0.1:9/jwks.json",
    }
    with serve(create_app(population=create_population(0), applications=registered)) as url:
        yield url


def form(base: str, *, key: Any = KEY, **changes: Any) -> dict[str, str]:
    """A token request. `header_…`, `claim_…` and `form_…` change a part; ... takes it away."""
    parts: dict[str, dict[str, Any]] = {
        "header": {"alg": "RS512", "typ": "JWT", "kid": "k1"},
        "claim": {
            "iss": "app",
            "sub": "app",
            "aud": f"{base}/oauth2/token",
            "jti": str(uuid.uuid4()),
            "exp": int(time.time()) + 200,
        },
        "form": {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER},
    }
    for name, value in changes.items():
        part, _, field = name.partition("_")
        parts[part][field] = value
    header, claims, sent = (
        {k: v for k, v in parts[part].items() if v is not ...}
        for part in ("header", "claim", "form")
    )
    if "client_assertion" not in parts["form"]:
        signed = jwt.encode(header, claims, key, algorithms=[header["alg"]])
        sent["client_assertion"] = signed
    return sent


def ask(base: str, **changes: Any) -> httpx.Response:
    return httpx.post(f"{base}/oauth2/token", data=form(base, **changes))


#: How each case of the reference is made.
WAYS: dict[str, dict[str, Any]] = {
    "alg other than RS512 (RS256/384, PS*, HS*)": {"header_alg": "RS384"},
    "missing kid": {"header_kid": ...},
    "kid not in JWKS": {"header_kid": "k2"},
    "typ not 'JWT' or null": {"header_typ": "at+jwt"},
    "iss and sub equal but unknown": {"claim_iss": "nobody", "claim_sub": "nobody"},
    "iss != sub or either missing": {"claim_iss": ...},
    "jti not a string": {"claim_jti": 5},
    "missing jti": {"claim_jti": ...},
    "reused jti": {"claim_jti": "used-before"},
    "missing or wrong aud": {"claim_aud": "http://elsewhere/oauth2/token"},
    "exp not an integer": {"claim_exp": "soon"},
    "exp in the past": {"claim_exp": int(time.time()) - 100},
    "exp more than 5 min ahead": {"claim_exp": int(time.time()) + 4000},
    "missing exp": {"claim_exp": ...},
    "missing/invalid client_assertion_type": {"form_client_assertion_type": ...},
    "client_assertion not a JWT": {"form_client_assertion": "not.a.jwt"},
    "missing client_assertion": {"form_client_assertion": ...},
    "invalid grant_type": {"form_grant_type": "password"},
    "missing grant_type": {"form_grant_type": ...},
    "no JWKS registered for the app": {"claim_iss": "keyless", "claim_sub": "keyless"},
    "registered JWKS URL unreachable": {"claim_iss": "unreachable", "claim_sub": "unreachable"},
    "JWKS key does not verify the signature": {"key": OTHER},
}


def cases() -> list[dict[str, Any]]:
    file = (
        Path(os.environ.get(VARIABLE, "/none")) / "nhs-auth" / "nhs_apim_token_endpoint_cases.json"
    )
    return list(json.loads(file.read_text())["errors"]) if file.is_file() else []


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["case"])
def test_each_mistake_has_the_answer_of_the_real_endpoint(base: str, case: dict[str, Any]) -> None:
    ask(base, claim_jti="used-before")
    answer = ask(base, **WAYS[case["case"]])
    assert answer.status_code == (case["status"] or 400)
    body = answer.json()
    assert body.pop("message_id")
    assert body == case["body"]


@pytest.mark.parametrize("way", WAYS)
def test_no_mistake_gets_a_token(base: str, way: str) -> None:
    ask(base, claim_jti="used-before")
    answer = ask(base, **WAYS[way])
    assert answer.status_code in (400, 401, 403)
    assert "access_token" not in answer.json()


def test_a_token_has_the_shape_of_the_real_one_and_opens_the_api(base: str) -> None:
    issued = ask(base).json()
    assert issued.keys() == {"access_token", "expires_in", "token_type", "issued_at"}
    assert issued["expires_in"] == "599"
    url = f"{base}{BASE_PATH}/Patient/9990001006"
    good = {**OWN, "Authorization": f"Bearer {issued['access_token']}"}
    assert httpx.get(url, headers=good).status_code == 200
    bad = httpx.get(url, headers={**OWN, "Authorization": "Bearer invented"})
    assert bad.status_code == 401
    assert bad.json()["issue"][0]["diagnostics"] == "Invalid Access Token"


def test_a_secret_signs_nothing(base: str) -> None:
    secret = OctKey.import_key("a secret that everybody could know, such as a public key")
    assert ask(base, key=secret, header_alg="HS256").status_code == 400


def test_clocks_may_differ_a_little(base: str) -> None:
    assert ask(base, claim_exp=int(time.time()) - 5).status_code == 200
    assert ask(base, claim_exp=int(time.time()) + 305).status_code == 200
