"""Adding credentials to calls, as httpx wants it."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from fhir_gateway.auth.tokens import TokenSource


class FixedBearer(httpx.Auth):
    """A fixed bearer token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class TokenBearer(httpx.Auth):
    """A token from a TokenSource; one that is refused (401) is replaced once, and the same call,
    with the same X-Request-ID, is made again."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source

    def close(self) -> None:
        """Close the connections of the source."""
        self._source.close()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add a good token. Raises Refused, TryLater from fetching one."""
        token = self._source.token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            fresh = self._source.token(instead_of=token)
            request.headers["Authorization"] = f"Bearer {fresh}"
            yield request
