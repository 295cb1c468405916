"""Access tokens for an application: fetched with a signed JWT, kept until shortly before they end.

NHS England, application-restricted APIs, signed JWT authentication. One token is kept for each
environment and application; of many threads that need a new one, one fetches it.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from fhir_gateway.auth.assertion import ASSERTION_TYPE, client_assertion
from fhir_gateway.auth.keys import KeyRing
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.http import retry_after
from fhir_gateway.fhir.types import as_dict, as_str

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
#: A token is replaced this long before it ends, or after half its life where that is shorter.
EARLY = 60.0
#: 401 and 403 heal by themselves when a key was just registered: key sets are cached for an hour.
_RETRYABLE = frozenset({401, 403, 408, 425, 429, 500, 502, 503, 504})
_DEFAULT_LIFE = 300.0
_MAX_BODY = 100_000


@dataclass(frozen=True, slots=True)
class Application:
    """Who asks where. `scope`: for servers that want one (SMART); NHS England wants none.
    `secret`: for servers that take a client secret instead of a signed JWT."""

    client_id: str
    token_url: str
    algorithm: str = "RS512"
    scope: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str
    good_until: float


class TokenSource:
    """The token of one application in one environment. Safe between threads."""

    def __init__(
        self,
        application: Application,
        keys: KeyRing | None,
        *,
        transport: httpx.BaseTransport | None = None,
        verify: ssl.SSLContext | bool = True,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application = application
        self._keys = keys
        self._http = httpx.Client(
            timeout=TIMEOUT, transport=transport, verify=verify, follow_redirects=False
        )
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: _Kept | None = None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def token(self, *, instead_of: str | None = None) -> str:
        """A token that is good now. `instead_of`: one that was refused.

        Raises Refused (what was sent is wrong), TryLater.
        """
        # While one thread fetches, the others wait here and then find what it fetched.
        with self._lock:
            kept = self._kept
            if kept and self._monotonic() < kept.good_until and kept.token != instead_of:
                return kept.token
            self._kept = self._fetch()
            return self._kept.token

    def _fetch(self) -> _Kept:
        asked_at = self._monotonic()
        try:
            response = self._http.post(
                self._application.token_url, data=self._form(), auth=self._basic()
            )
        except httpx.HTTPError as error:
            raise TryLater(
                f"The token endpoint could not be reached ({type(error).__name__})",
                code="token-unreachable",
            ) from None
        body = _json(response)
        if not response.is_success:
            raise _error(response, body)
        token = as_str(body.get("access_token"))
        if not token or not token.isascii() or not token.isprintable():
            raise TryLater("The token endpoint answered without a token", code="token-missing")
        life = _seconds(body.get("expires_in"))
        return _Kept(token, asked_at + life - min(EARLY, life / 2))

    def _basic(self) -> httpx.Auth:
        application = self._application
        if not application.secret:
            return httpx.Auth()  # adds nothing
        return httpx.BasicAuth(application.client_id, application.secret)

    def _form(self) -> dict[str, str]:
        application = self._application
        if application.secret or self._keys is None:
            scope = {"scope": application.scope} if application.scope else {}
            return {"grant_type": "client_credentials", **scope}
        assertion = client_assertion(
            self._keys.signing,
            client_id=application.client_id,
            token_url=application.token_url,
            now=self._clock(),
            algorithm=application.algorithm,
        )
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        return {**form, "scope": application.scope} if application.scope else form


def _seconds(value: Any) -> float:
    """`expires_in`: NHS England sends it as a string."""
    try:
        return max(float(value), 0.0)
    except (TypeError, ValueError):
        return _DEFAULT_LIFE


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        return as_dict(fhir_json.parse(response.content, max_bytes=_MAX_BODY))
    except fhir_json.JsonRefused:
        return {}


def _error(response: httpx.Response, body: dict[str, Any]) -> Refused | TryLater:
    # The description names what is wrong with the assertion, and no secret; it is for operators.
    said = as_str(body.get("error_description")) or as_str(body.get("error")) or "no reason"
    message = f"The token endpoint answered {response.status_code}: {said[:200]}"
    code = f"token-{response.status_code}"
    if response.status_code in _RETRYABLE:
        return TryLater(message, code=code, after=retry_after(response.headers.get("retry-after")))
    return Refused(message, code=code)
