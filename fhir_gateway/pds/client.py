"""PDS FHIR API: search for one record, read one record.

A repeated call has the X-Request-ID of the first, so that PDS can tell it is one
(https://digital.nhs.uk/developer/api-catalogue/personal-demographics-service-fhir#headers).
Search parameters are in the URL, as the API demands, and so no URL is ever logged.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import httpx

from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.http import retry_after
from fhir_gateway.fhir.identifiers import normalise_nhs_number
from fhir_gateway.fhir.types import as_dict, as_str
from fhir_gateway.pds.access import AccessMode, ApplicationRestricted
from fhir_gateway.pds.answers import Answer, Found, NotFound, is_no_example, of_search, spine_code
from fhir_gateway.pds.gate import BUSY, Gate, OpenGate

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
#: Tries of one call before it is left to the caller to come back.
TRIES = 3
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_PAUSE = 0.25
_MAX_BODY = 2_000_000


@runtime_checkable
class Closable(Protocol):
    """Credentials with connections of their own."""

    def close(self) -> None:
        """Close them."""
        ...


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: Any
    after: float | None


class PdsClient:
    """One application in one PDS environment. Safe between threads.

    `base_url`: up to `/FHIR/R4`. `auth`: adds the Authorization header; None for the open sandbox.
    `gate`: limiter and breaker of the application. `patience`: seconds that one call may spend
    waiting (for its turn, or before it is tried again); what would take longer raises TryLater.
    """

    def __init__(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        gate: Gate | None = None,
        mode: AccessMode | None = None,
        patience: float = 2.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.base_url,
            auth=auth,
            timeout=TIMEOUT,
            transport=transport,
            follow_redirects=False,
            headers={"Accept": "application/fhir+json"},
        )
        self._auth = auth
        self._gate = gate or OpenGate()
        self._mode = mode or ApplicationRestricted()
        self._patience = patience
        self._sleep = sleep
        self._rng = rng or random.SystemRandom()

    def close(self) -> None:
        """Close the connections, those of the credentials too."""
        self._http.close()
        if isinstance(self._auth, Closable):
            self._auth.close()

    def search(
        self, params: Sequence[tuple[str, str]], *, request_id: uuid.UUID, ods_code: str
    ) -> Answer:
        """One search. `request_id`: the same for every try of this search. `ods_code`: the
        organisation on whose behalf it is made.

        Raises Refused, TryLater.
        """
        self._mode.check_search(params)
        reply = self._call("/Patient", params, request_id, ods_code)
        if reply.status == httpx.codes.OK:
            answer = of_search(reply.body)
            if answer is not None:
                return answer
            if is_no_example(reply.body):
                raise Refused("The sandbox of PDS has no example of this", code="pds-no-example")
            raise Refused("PDS answered a search with something else", code="pds-shape")
        raise _error(reply)

    def read(self, nhs_number: str, *, request_id: uuid.UUID, ods_code: str) -> Answer:
        """The record of an NHS number; the record that superseded it, where one did.

        Raises Refused, TryLater.
        """
        self._mode.check_read(nhs_number)
        if normalise_nhs_number(nhs_number) != nhs_number:
            # It becomes a part of the path: nothing but ten digits may get there.
            return NotFound()
        reply = self._call(f"/Patient/{nhs_number}", [], request_id, ods_code)
        code = spine_code(reply.body)
        if reply.status == httpx.codes.OK:
            if as_dict(reply.body).get("resourceType") == "Patient":
                return Found(reply.body) if as_str(reply.body.get("id")) else NotFound()
            raise Refused("PDS answered a read with something else", code="pds-shape")
        if reply.status == httpx.codes.NOT_FOUND and code in (
            "RESOURCE_NOT_FOUND",
            "INVALIDATED_RESOURCE",
        ):
            return NotFound(invalidated=code == "INVALIDATED_RESOURCE")
        if reply.status == httpx.codes.BAD_REQUEST and code == "INVALID_RESOURCE_ID":
            return NotFound()
        raise _error(reply)

    def _call(
        self, path: str, params: Sequence[tuple[str, str]], request_id: uuid.UUID, ods_code: str
    ) -> _Reply:
        """Try, and try again where that may help, each time with the same X-Request-ID."""
        headers = {
            "X-Request-ID": str(request_id),
            "NHSD-End-User-Organisation-ODS": ods_code,
            **self._mode.headers,
        }
        left = self._patience
        for number in range(1, TRIES + 1):
            left -= self._wait(self._gate.admit(), left)
            try:
                reply = self._once(path, params, headers)
                if reply.status not in _RETRYABLE:
                    return reply
                raise _error(reply)
            except TryLater as error:
                pause = self._pause(number, error.after)
                if number == TRIES or pause > left:
                    raise
                left -= self._wait(pause, left)
        raise AssertionError("unreachable")

    def _once(
        self, path: str, params: Sequence[tuple[str, str]], headers: dict[str, str]
    ) -> _Reply:
        try:
            with self._http.stream("GET", path, params=tuple(params), headers=headers) as response:
                reply = _read(response)
        except httpx.HTTPError as error:
            self._gate.failed()
            # A GET changes nothing: whatever broke, it can be tried again.
            raise TryLater(
                f"PDS could not be reached ({type(error).__name__})", code="pds-unreachable"
            ) from None
        except TryLater:
            self._gate.failed()
            raise
        if reply.status in _RETRYABLE:
            self._gate.failed()
        else:
            self._gate.succeeded()
        return reply

    def _pause(self, number: int, after: float | None) -> float:
        """Seconds before the next try: what PDS asked for, else longer each time, with jitter."""
        if after is not None:
            return after
        most: float = _FIRST_PAUSE * 2**number
        return self._rng.uniform(most / 2, most)

    def _wait(self, seconds: float, left: float) -> float:
        if seconds > max(left, 0.0):
            raise TryLater("PDS is asked too often just now", code=BUSY, after=seconds)
        if seconds > 0:
            self._sleep(seconds)
        return seconds


def _read(response: httpx.Response) -> _Reply:
    """The answer, up to a limit. What is no JSON is nothing; with a 200, it is a broken answer."""
    content = b""
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > _MAX_BODY:
            raise TryLater("PDS answered with far too much", code="pds-broken")
    try:
        body = fhir_json.parse(content, max_bytes=_MAX_BODY)
    except fhir_json.JsonRefused:
        if response.is_success:
            raise TryLater("PDS answered with broken JSON", code="pds-broken") from None
        body = None
    after = retry_after(response.headers.get("retry-after"))
    return _Reply(response.status_code, body, after)


def _error(reply: _Reply) -> Refused | TryLater:
    code = spine_code(reply.body) or "none"
    message = f"PDS answered {reply.status} ({code})"
    if reply.status in _RETRYABLE:
        return TryLater(message, code=f"pds-{reply.status}", after=reply.after)
    return Refused(message, code=f"pds-{reply.status}")
