"""The token endpoint of SMART Backend Services: a signed assertion in, a short-lived token out.

https://hl7.org/fhir/smart-app-launch/backend-services.html
Errors are those of RFC 6749 section 5.2.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fhir_gateway.audit import sign_in
from fhir_gateway.audit.codes import CLIENT
from fhir_gateway.audit.event import Party
from fhir_gateway.auth import assertions_checked, scopes
from fhir_gateway.auth.assertion import ASSERTION_TYPE
from fhir_gateway.auth.key_sets import KeySets
from fhir_gateway.auth.signed import BadToken
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.rest import rates
from fhir_gateway.rest.gatekeeper import address
from fhir_gateway.rest.problem import Problem
from fhir_gateway.rest.settings import ApiLimits
from fhir_gateway.store import clients
from fhir_gateway.store.clients import Client
from fhir_gateway.store.database import Database

LIFE = timedelta(minutes=5)
MAX_BYTES = 32_000
_FORM = "application/x-www-form-urlencoded"
_BAD, _UNAUTHORISED, _NOT_ALLOWED, _TOO_MANY, _UNAVAILABLE = 400, 401, 405, 429, 503
#: Of a form, what may be kept in the audit: no assertion, nothing that is not of this grant.
_RECORDED = ("grant_type", "scope", "client_assertion_type")
_log = structlog.get_logger("token")


class TokenRefused(Exception):
    """No token. `error`: a code of RFC 6749 section 5.2; `client` where it is known."""

    def __init__(
        self, error: str, description: str, *, status: int = _BAD, client: Client | None = None
    ) -> None:
        super().__init__(description)
        self.error, self.description, self.status, self.client = error, description, status, client


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, and what it is for."""

    client: Client
    token: str
    scope: str


class TokenDesk:
    """Issues tokens. `token_url`: the endpoint's own address, which assertions must be for."""

    def __init__(
        self,
        database: Database,
        key_sets: KeySets,
        limits: ApiLimits,
        *,
        token_url: str,
        observer: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._key_sets, self._limits = database, key_sets, limits
        self._token_url, self._observer, self._clock = token_url, observer, clock

    def route(self, path: str) -> Route:
        """The endpoint at a path."""

        async def answer(request: Request) -> Response:
            if request.method != "POST":
                return _error("invalid_request", "Send a POST.", _NOT_ALLOWED, {"Allow": "POST"})
            body = await request.body()
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            form = body if kind == _FORM and len(body) <= MAX_BYTES else b""
            return await run_in_threadpool(self._answer, form, address(request))

        return Route(path, answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])

    def _answer(self, body: bytes, at: str) -> Response:
        now = self._clock()
        form: Mapping[str, str] = {}
        try:
            with self._database.transaction() as tx:
                rates.count(tx, "token", at, self._limits.tokens_per_address, now=now)
            form = _form(body)
            granted = self.grant(form, at, now=now)
        except Problem as problem:
            return _error(
                "temporarily_unavailable", problem.diagnostics, _TOO_MANY, problem.headers
            )
        except TryLater as error:
            wait = {"Retry-After": str(math.ceil(error.after or rates.RETRY_AFTER))}
            return _error("temporarily_unavailable", str(error), _UNAVAILABLE, wait)
        except TokenRefused as refused:
            self._record_refusal(form, refused, at, now)
            return _error(refused.error, refused.description, refused.status)
        return _json(
            {
                "access_token": granted.token,
                "token_type": "bearer",
                "expires_in": int(LIFE.total_seconds()),
                "scope": granted.scope,
            }
        )

    def grant(self, form: Mapping[str, str], at: str, *, now: datetime) -> Granted:
        """A token for a form. Raises TokenRefused; TryLater where its keys cannot be had."""
        if not form.get("grant_type"):
            # https://www.rfc-editor.org/rfc/rfc6749#section-5.2
            raise TokenRefused("invalid_request", "grant_type is missing.")
        if form["grant_type"] != "client_credentials":
            raise TokenRefused("unsupported_grant_type", "grant_type must be client_credentials.")
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise TokenRefused(
                "invalid_client",
                f"client_assertion_type must be {ASSERTION_TYPE}.",
                status=_UNAUTHORISED,
            )
        client, asserted = self._checked(form.get("client_assertion", ""), now)
        asked = form.get("scope", "")
        allowed = scopes.parse(asked) & scopes.parse(client.scopes)
        if not allowed:
            raise TokenRefused(
                "invalid_scope",
                "None of the scopes asked for is registered for this client."
                if asked
                else "Say which scopes you need, such as system/Task.rs.",
                client=client,
            )
        scope = scopes.as_granted(asked, allowed)
        with self._database.transaction() as tx:
            fresh = clients.use_assertion(tx, client.id, asserted.jti, ends=asserted.ends, now=now)
            if not fresh:
                raise TokenRefused(
                    "invalid_client",
                    "This assertion (jti) was used before.",
                    status=_UNAUTHORISED,
                    client=client,
                )
            token = clients.issue(tx, client.id, str(allowed), expires_at=now + LIFE, now=now)
            self._record(tx, form, client, at, "", now)
        return Granted(client, token, scope)

    def _checked(self, assertion: str, now: datetime) -> tuple[Client, assertions_checked.Asserted]:
        """Whose assertion it is, and what it says, all checked."""
        client = None
        try:
            unverified = assertions_checked.read(assertion)
            client_id = assertions_checked.claimed_client(unverified)
            with self._database.transaction() as tx:
                client = clients.find(tx, client_id)
            if client is None or client.revoked_at is not None:
                raise BadToken("No client with this id (iss) is registered, or it was revoked.")
            asserted = assertions_checked.check(
                unverified,
                self._keys(client, unverified.kid),
                key_set_url=client.jwks_url,
                token_url=self._token_url,
                now=now,
            )
        except BadToken as error:
            raise TokenRefused(
                "invalid_client",
                f"client_assertion: {error}",
                status=_UNAUTHORISED,
                client=client,
            ) from None
        return client, asserted

    def _keys(self, client: Client, kid: str) -> list[dict[str, Any]]:
        if client.jwks is not None:
            found: list[dict[str, Any]] = json.loads(client.jwks)["keys"]
            return found
        try:
            return self._key_sets.keys(client.jwks_url or "", kid)
        except Refused as error:
            raise BadToken(f"The registered key set cannot be used. {error}") from None

    def _record_refusal(
        self, form: Mapping[str, str], refused: TokenRefused, at: str, now: datetime
    ) -> None:
        with self._database.transaction() as tx:
            self._record(tx, form, refused.client, at, refused.description, now)
        _log.warning("token refused", code=refused.error)

    def _record(
        self,
        tx: Any,
        form: Mapping[str, str],
        client: Client | None,
        at: str,
        refused: str,
        now: datetime,
    ) -> None:
        party = Party(client.id if client else "unknown", CLIENT, client.name if client else "", at)
        sign_in.of_token(
            tx,
            party,
            asked=urlencode([(name, form[name][:1000]) for name in _RECORDED if name in form]),
            refused=refused,
            providers=client.providers if client else (),
            token_url=self._token_url,
            observer=self._observer,
            now=now,
        )


def _form(body: bytes) -> dict[str, str]:
    """The form's fields. Raises TokenRefused for one that comes twice, or no form at all."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError:
        pairs = []
    fields = dict(pairs)
    if not fields or len(fields) != len(pairs):
        raise TokenRefused(
            "invalid_request",
            f"Send a form ({_FORM}), each field once, {MAX_BYTES} bytes at the most.",
        )
    return fields


def _error(
    error: str, description: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    return _json({"error": error, "error_description": description}, status, headers)


def _json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    fixed = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return JSONResponse(content, status, {**fixed, **(headers or {})})
