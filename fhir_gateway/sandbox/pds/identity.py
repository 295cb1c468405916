"""The token endpoint of the NHS API platform, for the sandbox: signed JWT authentication of
applications, with the checks and the words of the real one.

https://digital.nhs.uk/developer/guides-and-documentation/security-and-authorisation/
application-restricted-restful-apis-signed-jwt-authentication
"""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

import httpx
from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from fhir_gateway.auth.assertion import ASSERTION_TYPE
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import as_dict, as_list, as_str

TOKEN_PATH = "/oauth2/token"  # noqa: S105  # a path, no password
LIFE = 599
_MOST_AHEAD = 300
_CLOCKS_DIFFER = 10
_JTI_KEPT = 30 * 24 * 3600
_IN_JWT = "in client_assertion JWT"
_MAX_BYTES = 100_000
_MOST_TOKENS = 1000

#: Where the keys of an application are: a key set, the address of one, or None for none at all.
KeySource = Mapping[str, Any] | str | None


class TokenError(Exception):
    """What the endpoint says no with."""

    def __init__(self, status: int, description: str, error: str = "invalid_request") -> None:
        super().__init__(description)
        self.status, self.description, self.error = status, description, error


class Applications:
    """Registered applications, the tokens they have, and the jti they used. Safe between threads.

    `registered`: API key to the application's keys. Without any, every token is taken for good.
    `algorithms`: of assertions; the NHS API platform takes RS512 alone.
    """

    def __init__(
        self,
        registered: Mapping[str, KeySource] | None = None,
        *,
        clock: Callable[[], float] = time.time,
        algorithms: Sequence[str] = ("RS512",),
    ) -> None:
        self._registered = dict(registered or {})
        self._algorithms = list(algorithms)
        self._clock = clock
        self._tokens: dict[str, float] = {}
        self._used: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def knows(self, token: str) -> bool:
        """Whether a token is good now."""
        if not self._registered:
            return True
        with self._lock:
            return self._tokens.get(token, 0.0) > self._clock()

    def issue(self, form: Mapping[str, str], token_url: str) -> dict[str, str]:
        """A token for a token request. Raises TokenError."""
        client_id = self._authenticated(form, token_url)
        now = self._clock()
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens = {t: end for t, end in self._tokens.items() if end > now}
            self._tokens[token] = now + LIFE
            while len(self._tokens) > _MOST_TOKENS:
                self._tokens.pop(next(iter(self._tokens)))
        del client_id
        return {
            "access_token": token,
            "expires_in": str(LIFE),
            "token_type": "Bearer",
            "issued_at": str(int(now * 1000)),
        }

    def _authenticated(self, form: Mapping[str, str], token_url: str) -> str:
        assertion = _assertion_of(form)
        header, claims = _read(assertion)
        _check_header(header, self._algorithms)
        client_id = self._client(claims)
        self._check_claims(claims, token_url)
        self._check_signature(assertion, header, client_id)
        self._use(client_id, claims["jti"])
        return client_id

    def _client(self, claims: Mapping[str, Any]) -> str:
        issuer, subject = claims.get("iss"), claims.get("sub")
        if not issuer or issuer != subject:
            raise TokenError(400, f"Missing or non-matching 'iss'/'sub' claims {_IN_JWT}")
        if issuer not in self._registered:
            raise TokenError(401, f"Invalid 'iss'/'sub' claims {_IN_JWT}")
        return as_str(issuer)

    def _check_claims(self, claims: Mapping[str, Any], token_url: str) -> None:
        if "jti" not in claims:
            raise TokenError(400, f"Missing 'jti' claim {_IN_JWT}")
        if not isinstance(claims["jti"], str):
            said = "must be a unique string value such as a GUID"
            raise TokenError(400, f"Invalid 'jti' claim {_IN_JWT} - {said}")
        if claims.get("aud") != token_url:
            raise TokenError(401, f"Missing or invalid 'aud' claim {_IN_JWT}")
        if "exp" not in claims:
            raise TokenError(400, f"Missing 'exp' claim {_IN_JWT}")
        ends, now = claims["exp"], self._clock()
        if not isinstance(ends, int) or isinstance(ends, bool):
            raise TokenError(400, f"Invalid 'exp' claim {_IN_JWT} - must be an integer")
        if ends <= now - _CLOCKS_DIFFER:
            raise TokenError(400, f"Invalid 'exp' claim {_IN_JWT} - JWT has expired")
        if ends > now + _MOST_AHEAD + _CLOCKS_DIFFER:
            said = "more than 5 minutes in future"
            raise TokenError(400, f"Invalid 'exp' claim {_IN_JWT} - {said}")

    def _check_signature(self, assertion: str, header: Mapping[str, Any], client_id: str) -> None:
        keys = _keys(self._registered[client_id])
        known = [key for key in as_list(keys.get("keys")) if key.get("kid") == header["kid"]]
        if not known:
            raise TokenError(401, f"Invalid 'kid' header {_IN_JWT} - no matching public key")
        try:
            key_set = KeySet.import_key_set({"keys": known})
            jws.deserialize_compact(assertion, key_set, algorithms=self._algorithms)
        except (JoseError, ValueError):
            said = "JWT signature verification failed"
            raise TokenError(401, said, "public_key error") from None

    def _use(self, client_id: str, jti: str) -> None:
        now = self._clock()
        with self._lock:
            self._used = {k: end for k, end in self._used.items() if end > now}
            if (client_id, jti) in self._used:
                raise TokenError(400, f"Non-unique 'jti' claim {_IN_JWT}")
            self._used[client_id, jti] = now + _JTI_KEPT


def token_routes(applications: Applications) -> APIRouter:
    """`POST /oauth2/token`."""
    router = APIRouter()

    @router.post(TOKEN_PATH)
    async def token(request: Request) -> JSONResponse:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        url = str(request.base_url).rstrip("/") + TOKEN_PATH
        try:
            return JSONResponse(await to_thread.run_sync(applications.issue, form, url))
        except TokenError as error:
            body = {
                "error": error.error,
                "error_description": error.description,
                "message_id": str(uuid.uuid4()),
            }
            return JSONResponse(body, status_code=error.status)

    return router


def _assertion_of(form: Mapping[str, str]) -> str:
    if "grant_type" not in form:
        raise TokenError(400, "grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise TokenError(400, "grant_type is invalid", "unsupported_grant_type")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        said = f"Missing or invalid client_assertion_type - must be '{ASSERTION_TYPE}'"
        raise TokenError(400, said)
    if not form.get("client_assertion"):
        raise TokenError(400, "Missing client_assertion")
    return form["client_assertion"]


def _read(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        found = jws.extract_compact(assertion.encode())
        claims = fhir_json.parse(found.payload, max_bytes=_MAX_BYTES)
    except (JoseError, ValueError, fhir_json.JsonRefused):
        raise TokenError(400, "Malformed JWT in client_assertion") from None
    return dict(found.headers()), as_dict(claims)


def _check_header(header: Mapping[str, Any], algorithms: Sequence[str]) -> None:
    if header.get("alg") not in algorithms:
        said = f"unsupported JWT algorithm - must be '{' or '.join(algorithms)}'"
        raise TokenError(400, f"Invalid 'alg' header {_IN_JWT} - {said}")
    if not header.get("kid"):
        raise TokenError(400, f"Missing 'kid' header {_IN_JWT}")
    if header.get("typ") != "JWT":
        raise TokenError(400, f"Invalid 'typ' header {_IN_JWT} - must be 'JWT'")


def _keys(source: KeySource) -> Mapping[str, Any]:
    if source is None:
        said = "You need to register a public key to use this authentication method"
        said += " - please contact support to configure"
        raise TokenError(403, said, "public_key error")
    if not isinstance(source, str):
        return source
    try:
        answer = httpx.get(source, timeout=5, follow_redirects=False)
        answer.raise_for_status()
        return as_dict(fhir_json.parse(answer.content, max_bytes=_MAX_BYTES))
    except (httpx.HTTPError, fhir_json.JsonRefused):
        said = "The JWKS endpoint, for your client_assertion can't be reached"
        raise TokenError(403, said, "public_key error") from None
