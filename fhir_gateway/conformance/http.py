"""Calls to a target: one origin, no redirect followed, bounded in size and time, never raising.

A target's credentials go to its own origin and nowhere else: an address elsewhere is not called.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Self
from urllib.parse import urlsplit

import httpx

from fhir_gateway import __version__
from fhir_gateway.conformance.exchange import Answer, Exchange, Sent
from fhir_gateway.errors import GatewayError

MAX_ANSWER = 10_000_000
TIMEOUT = 30.0
_GRACE = 0.25
AGENT = f"fhir-gateway-conformance/{__version__}"
_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of an address."""
    split = urlsplit(url)
    return (split.scheme, (split.hostname or "").lower(), split.port or _PORTS.get(split.scheme))


class Caller:
    """Sends requests to one target. `timeout`: seconds for a whole call. Safe to close twice."""

    def __init__(
        self,
        base: str,
        *,
        auth: httpx.Auth | None = None,
        verify: ssl.SSLContext | bool = True,
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.base = base.rstrip("/")
        self._auth = auth
        self._timeout = timeout
        self._monotonic = monotonic
        self._http = httpx.Client(
            verify=verify,
            timeout=timeout,
            follow_redirects=False,
            transport=transport,
            headers={"User-Agent": AGENT},
        )

    @property
    def identifies(self) -> bool:
        """Whether calls show credentials."""
        return self._auth is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, and those to where tokens come from."""
        self._http.close()
        close = getattr(self._auth, "close", None)
        if close is not None:
            close()

    def send(self, sent: Sent) -> Exchange:
        """Send a request; what goes wrong is in `problem`.

        A header `Authorization` in the request stands instead of the target's credentials; of the
        value `none` it is left out, for tests of what a server does without.
        """
        started, start = datetime.now(UTC), self._monotonic()
        if origin(sent.url) != origin(self.base):
            problem = f"not called: {sent.url[:200]} is on another host than {self.base}"
            return Exchange(sent, None, started, 0.0, problem)
        try:
            response, body = self._call(sent, start + self._timeout)
        except (_TooMuch, GatewayError) as error:  # or the token could not be fetched
            problem = str(error)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, ValueError, OSError) as error:
            problem = f"no answer ({type(error).__name__}: {str(error)[:300]})"
        else:
            went, answer = _as_sent(sent, response.request), _answer(response, body)
            return Exchange(went, answer, started, self._monotonic() - start)
        return Exchange(sent, None, started, self._monotonic() - start, problem)

    def _call(self, sent: Sent, until: float) -> tuple[httpx.Response, bytes]:
        """The answer and its body. It is waited for in a thread of its own: a server that sends a
        byte now and then never meets the timeouts of single reads."""
        done: list[tuple[httpx.Response, bytes]] = []
        failed: list[Exception] = []

        def work() -> None:
            try:
                done.append(self._exchange(sent, until))
            except Exception as error:  # it is raised where it is waited for
                failed.append(error)

        thread = threading.Thread(target=work, name="conformance-call", daemon=True)
        thread.start()
        # The timeouts of single reads come first, as they say more.
        thread.join(max(0.0, until + _GRACE - self._monotonic()))
        if failed:
            raise failed[0]
        if not done:
            raise _TooMuch(f"the answer took longer than {self._timeout:g} seconds")
        return done[0]

    def _exchange(self, sent: Sent, until: float) -> tuple[httpx.Response, bytes]:
        given = sent.header("Authorization")
        headers = [(k, v) for k, v in sent.headers if (k.lower(), v) != ("authorization", "none")]
        request = self._http.build_request(
            sent.method, sent.url, headers=headers, content=sent.body or None
        )
        auth = httpx.Auth() if given is not None or self._auth is None else self._auth
        response = self._http.send(request, auth=auth, stream=True)
        try:
            return response, self._read(response, until)
        finally:
            response.close()

    def _read(self, response: httpx.Response, until: float) -> bytes:
        parts, size = [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER:
                raise _TooMuch(f"the answer is larger than {MAX_ANSWER} bytes")
            if self._monotonic() > until:
                raise _TooMuch(f"the answer took longer than {self._timeout:g} seconds")
        return b"".join(parts)


class _TooMuch(Exception):
    """An answer beyond the bounds."""


def _as_sent(sent: Sent, request: httpx.Request) -> Sent:
    """With the address and headers that really went out."""
    headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw)
    return Sent(sent.body, sent.media_type, headers, sent.method, str(request.url))


def _answer(response: httpx.Response, body: bytes) -> Answer:
    headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in response.headers.raw)
    media = response.headers.get("content-type", "")
    reason = response.reason_phrase
    return Answer(
        body, media, headers, response.status_code, reason, response.http_version or "HTTP/1.1"
    )
