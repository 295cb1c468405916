"""Who may use the page: those who know the operators' token.

A signed cookie that ends, so that no process has to remember who signed in.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "conformance-session"
PATH = "/conformance"
SECONDS = 8 * 3600


class Access:
    """Sign-in by a token. `secure`: whether the gateway is reached over TLS."""

    def __init__(self, token: str, *, secure: bool) -> None:
        self._token = token.encode()
        self._secure = secure

    def knows(self, given: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token)

    def allows(self, request: Request, now: datetime) -> bool:
        """Whether a request comes from someone who signed in, or has the token as its bearer."""
        bearer = request.headers.get("authorization", "")
        if bearer:
            return self.knows(bearer.removeprefix("Bearer "))
        ends, _, signature = request.cookies.get(COOKIE, "").partition(".")
        if not ends.isascii() or not ends.isdigit() or len(ends) > 12:  # noqa: PLR2004
            return False
        good = hmac.compare_digest(signature.encode("utf-8", "replace"), self._sign(ends).encode())
        return good and int(ends) > now.timestamp()

    def admit(self, response: Response, now: datetime) -> None:
        """Sign in."""
        ends = str(int(now.timestamp()) + SECONDS)
        response.set_cookie(
            COOKIE,
            f"{ends}.{self._sign(ends)}",
            max_age=SECONDS,
            path=PATH,
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def _sign(self, text: str) -> str:
        return hmac.new(self._token, f"{COOKIE}:{text}".encode(), hashlib.sha256).hexdigest()


def dismiss(response: Response) -> None:
    """Sign out."""
    response.delete_cookie(COOKIE, path=PATH)


def is_from_elsewhere(request: Request) -> bool:
    """Whether the browser says that a page of another site sent this form.

    https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
    """
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
