"""What the NHS API platform's proxy checks before PDS sees a request, and how fast it may come."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from fhir_gateway.sandbox.pds.faults import (
    ACCESS_DENIED,
    INVALID_VALUE,
    MISSING_VALUE,
    TOO_MANY_ASKED_FOR,
    TOO_MANY_REQUESTS,
    Fault,
)

REQUEST_ID = "X-Request-ID"
CORRELATION_ID = "X-Correlation-ID"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BEARER = re.compile(r"Bearer \S+")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,4}")


def mirrored(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request that its answer repeats, right or wrong."""
    return {name: headers[name] for name in (REQUEST_ID, CORRELATION_ID) if headers.get(name)}


def check_headers(headers: Mapping[str, str], is_good: Callable[[str], bool]) -> bool:
    """A request id there must be, and it must be a UUID; a token may be missing in the sandbox.
    Whether there was one: then the caller is an application, in restricted access.

    `is_good`: whether a token is.

    Raises Fault MISSING_VALUE, INVALID_VALUE or ACCESS_DENIED.
    """
    request_id = headers.get(REQUEST_ID)
    if not request_id:
        raise Fault(
            MISSING_VALUE,
            f"Invalid request with error - {REQUEST_ID} header must be supplied to access this"
            " resource",
        )
    if not _UUID.fullmatch(request_id):
        raise Fault(INVALID_VALUE, f"Invalid value - '{request_id}' in header '{REQUEST_ID}'")
    authorization = headers.get("Authorization")
    if authorization is None:
        return False
    if not authorization.strip():
        raise Fault(ACCESS_DENIED, "Empty Authorization header")
    if not _BEARER.fullmatch(authorization):
        raise Fault(ACCESS_DENIED, "Missing access token")
    if not is_good(authorization.removeprefix("Bearer ")):
        raise Fault(ACCESS_DENIED, "Invalid Access Token")
    return True


def check_max_results(parameters: Sequence[tuple[str, str]]) -> None:
    """Application-restricted access asks for one result at most. Raises Fault (403).

    A value that is no number is left to PDS, which refuses it in its own words.
    """
    asked = next((value for name, value in parameters if name == "_max-results"), "")
    if _WHOLE_NUMBER.fullmatch(asked) and int(asked) > 1:
        raise Fault(
            TOO_MANY_ASKED_FOR,
            "Your app has insufficient permissions to perform this search. Please contact support.",
        )


class RateLimit:
    """At most `per_second` requests, over any window; below one a second, one per 1/`per_second`.

    For all callers together: without tokens the sandbox cannot tell applications apart.
    """

    def __init__(self, per_second: float) -> None:
        if per_second <= 0:
            raise ValueError("requests_per_second must be more than 0")
        self._most = max(1, int(per_second))
        self._window = self._most / per_second
        self._recent: deque[float] = deque()
        self._lock = threading.Lock()

    def check(self) -> None:
        """Count one request. Raises Fault TOO_MANY_REQUESTS when there were too many."""
        with self._lock:
            now = time.monotonic()
            while self._recent and now - self._recent[0] >= self._window:
                self._recent.popleft()
            if len(self._recent) < self._most:
                self._recent.append(now)
                return
        raise Fault(TOO_MANY_REQUESTS, _SPIKE)


_SPIKE = (
    "Your application, sandbox, has created a spike in traffic and is being rate limited. Please"
    " reduce the frequency of your requests. Please see: https://digital.nhs.uk/developer/"
    "guides-and-documentation/reference-guide#rate-limits for more details."
)
