"""Who is at the browser: the session cookie, and the token that proves a form is ours.

The cookie is random and says nothing. Before a request is begun it is known to nobody but the
browser; the form token is its keyed hash, so forms need no state on the server (double submit,
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from fhir_gateway.journey import tokens
from fhir_gateway.store.seal import Sealer, same

FORM_TOKEN = "form_token"  # noqa: S105 - the name of a field
#: Cookies that browsers only take over TLS, for this host alone, need this name.
_SECURE_PREFIX = "__Host-"
_NAME = "visit"
_MAX_COOKIE = 100


def cookie_name(base_url: str) -> str:
    """The cookie's name; on plain http (a demo on one's own machine) without the prefix."""
    return f"{_SECURE_PREFIX}{_NAME}" if base_url.startswith("https:") else _NAME


def read_cookie(request: Request, base_url: str) -> str:
    """The visitor's token, or '' when there is none that could be ours."""
    value = request.cookies.get(cookie_name(base_url), "")
    return value if len(value) <= _MAX_COOKIE and value.isascii() else ""


def write_cookie(response: Response, base_url: str, token: str) -> None:
    """Set the session cookie (ASVS 3.3): for this browser session, host and site only."""
    response.set_cookie(
        cookie_name(base_url),
        token,
        secure=base_url.startswith("https:"),
        httponly=True,
        samesite="lax",
        path="/",
    )


def new_token() -> str:
    """A fresh visitor's token."""
    return tokens.session_token()


def form_token(sealer: Sealer, visitor: str) -> str:
    """The token that this visitor's forms carry."""
    return sealer.mac("form-token", visitor)


def is_own_form(request: Request, sealer: Sealer, base_url: str, visitor: str, token: str) -> bool:
    """Whether a POST comes from a form of ours in this browser.

    Where the browser says where it comes from (Sec-Fetch-Site, Origin), that must be here; the
    token must fit the cookie in any case.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    # Browsers send `null` where the referrer policy hides the origin.
    if origin not in (None, "null") and not _is_here(origin, request, base_url):
        return False
    return bool(visitor) and same(token, form_token(sealer, visitor))


def _is_here(origin: str, request: Request, base_url: str) -> bool:
    given = urlsplit(origin)
    return given.netloc in (urlsplit(base_url).netloc, request.headers.get("host"))
