"""Tokens for an EPR: by SMART Backend Services or by a client secret.

The first request asks the EPR where its tokens come from; what it says is believed until a token is
refused. Wrong credentials never refuse a patient's request: it waits until they are mended.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Generator
from typing import Protocol

import httpx
from pydantic import SecretStr

from fhir_gateway.auth import smart
from fhir_gateway.auth.bearer import TokenBearer
from fhir_gateway.auth.keys import KeyRing
from fhir_gateway.auth.tokens import TIMEOUT, Application, TokenSource
from fhir_gateway.errors import Refused, TryLater

#: Seconds until credentials that were refused are tried again: a person must mend them.
PAUSE = 60.0


class Given(Protocol):
    """What an operator configured (credentials.EprCredentials)."""

    @property
    def base_url(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def client_secret(self) -> SecretStr | None: ...
    @property
    def token_url(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def key(self) -> str: ...


class EprBearer(httpx.Auth):
    """Adds tokens. Raises Refused at once when the key is not there, and TryLater later on."""

    def __init__(self, given: Given, keys: KeyRing | None, verify: ssl.SSLContext | bool) -> None:
        self._given = given
        self._verify = verify
        self._lock = threading.Lock()
        self._bearer: TokenBearer | None = None
        self._source: TokenSource | None = None
        self._keys: KeyRing | None = None
        if given.method == "smart":
            if keys is None:
                raise Refused("Credentials by SMART need signing_keys.", code="no-key")
            self._keys = KeyRing((keys.for_smart({given.key}).named(given.key),))

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Add a token."""
        try:
            yield from self._made().sync_auth_flow(request)
        except Refused as error:
            raise TryLater(
                f"{error}: check the credentials", code=error.code, after=PAUSE
            ) from None

    def _made(self) -> TokenBearer:
        """The bearer, made when it is first needed."""
        with self._lock:
            if self._bearer is None:
                source = TokenSource(self._application(), self._keys, verify=self._verify)
                self._source, self._bearer = source, TokenBearer(source)
            return self._bearer

    def close(self) -> None:
        """Close the connections to the token endpoint."""
        with self._lock:
            if self._source:
                self._source.close()
            self._source = self._bearer = None

    def _application(self) -> Application:
        given = self._given
        if self._keys is None:
            secret = given.client_secret.get_secret_value() if given.client_secret else ""
            return Application(given.client_id, given.token_url, "", given.scope, secret)
        algorithm = self._keys.signing.algorithm
        if given.token_url and given.scope:
            return Application(given.client_id, given.token_url, algorithm, given.scope)
        with httpx.Client(timeout=TIMEOUT, verify=self._verify, follow_redirects=False) as http:
            found = smart.discover(http, given.base_url)
        smart.check(found, algorithm)
        scope = given.scope or smart.scopes(found)
        url = given.token_url or found.token_endpoint
        return Application(given.client_id, url, algorithm, scope)
