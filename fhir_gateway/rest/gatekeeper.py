"""Who may enter: tokens of the gateway's own clients and of external issuers, and how often."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from starlette.requests import Request

from fhir_gateway.audit import sign_in
from fhir_gateway.audit.codes import CLIENT
from fhir_gateway.audit.event import Party
from fhir_gateway.auth import scopes
from fhir_gateway.auth.issuers import Issuers
from fhir_gateway.auth.signed import BadToken
from fhir_gateway.errors import TryLater
from fhir_gateway.rest import rates
from fhir_gateway.rest.access import ALL, Access, nobody
from fhir_gateway.rest.problem import UNAUTHENTICATED, Problem
from fhir_gateway.rest.settings import ApiLimits
from fhir_gateway.store import clients
from fhir_gateway.store.clients import Issued
from fhir_gateway.store.database import Database, Transaction

_BEARER = "bearer "
_LONGEST = 16_000
#: A compact JWS has three parts; the gateway's own tokens have no dot.
_DOTS = 2


@dataclass(frozen=True, slots=True)
class Caller:
    """Who was let in: kept at `request.state.caller`, for the audit."""

    party: Party
    access: Access


class Gatekeeper:
    """Lets requests in. `observer`: the gateway's own address."""

    def __init__(
        self,
        database: Database,
        issuers: Issuers,
        limits: ApiLimits,
        *,
        observer: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._issuers, self._limits = database, issuers, limits
        self._observer, self._clock = observer, clock

    def authenticate(self, request: Request) -> Access:
        """The access of the request's token. Raises Problem: 401 without one or with one that is
        not good, 429 for too many calls; TryLater when an issuer's keys cannot be had."""
        request.state.authenticated = True
        token = _bearer(request)
        if token is None:
            self.admit(request)
            return nobody(request)
        now = self._clock()
        caller = self._own(request, token, now)
        if caller is None:
            try:
                caller = self._external(request, token, now)
            except BadToken as error:
                self._refuse(request, str(error), now)
        request.state.caller = caller
        return caller.access

    def recognise(self, request: Request) -> None:
        """Whose token it is, for a request that was answered without asking for one."""
        if getattr(request.state, "authenticated", False) or _bearer(request) is None:
            return
        with contextlib.suppress(Problem, TryLater):
            self.authenticate(request)

    def admit(self, request: Request) -> None:
        """Count a request without a good token. Raises Problem (429)."""
        with self._database.transaction() as tx:
            limit = self._limits.per_address
            rates.count(tx, "address", address(request), limit, now=self._clock())

    def _own(self, request: Request, token: str, now: datetime) -> Caller | None:
        """The caller of a token that the gateway issued; None when it did not."""
        with self._database.transaction() as tx:
            issued = clients.of_token(tx, token, now=now)
            if issued is None:
                return None
            caller = _caller(issued, address(request))
            request.state.caller = caller
            self._count(tx, request, issued.client.id, now)
        return caller

    def _external(self, request: Request, token: str, now: datetime) -> Caller:
        """The caller of a token of an external issuer. Raises BadToken, Problem, TryLater."""
        if token.count(".") != _DOTS or not self._issuers:
            raise BadToken("The token is unknown or has expired. Ask for a new one.")
        granted = self._issuers.check(token, now=now)
        providers = frozenset({ALL}) if granted.admin else granted.providers
        access = Access(granted.client_id, providers, granted.scopes)
        caller = Caller(Party(granted.client_id, CLIENT, address=address(request)), access)
        request.state.caller = caller
        with self._database.transaction() as tx:
            self._count(tx, request, granted.client_id, now)
        return caller

    def _count(self, tx: Transaction, request: Request, client_id: str, now: datetime) -> None:
        try:
            rates.count(tx, "client", client_id, self._limits.per_client, now=now)
        except Problem:
            request.state.throttled = True
            raise

    def _refuse(self, request: Request, why: str, now: datetime) -> NoReturn:
        """Count, record and refuse a token that is not good."""
        self.admit(request)
        party = Party("unknown", CLIENT, address=address(request))
        with self._database.transaction() as tx:
            sign_in.of_bad_token(tx, party, why=why, observer=self._observer, now=now)
        raise Problem(
            UNAUTHENTICATED,
            "login",
            why,
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )


def address(request: Request) -> str:
    """The network address that a request came from."""
    return request.client.host if request.client else "unknown"


def _caller(issued: Issued, at: str) -> Caller:
    client = issued.client
    providers = frozenset({ALL}) if client.admin else client.providers
    # What was granted then, as far as it still is now.
    granted = scopes.parse(issued.scopes) & scopes.parse(client.scopes)
    return Caller(Party(client.id, CLIENT, client.name, at), Access(client.id, providers, granted))


def _bearer(request: Request) -> str | None:
    shown = request.headers.get("authorization", "")
    if shown[: len(_BEARER)].lower() != _BEARER:
        return None
    return shown[len(_BEARER) :].strip()[:_LONGEST]
