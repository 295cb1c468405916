"""Who may use the FHIR server: those with a token, given by hand or by SMART Backend Services.

https://hl7.org/fhir/smart-app-launch/backend-services.html. What the server is and where its tokens
are (/metadata, /.well-known/smart-configuration) is for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_gateway.fhir.outcome import single
from fhir_gateway.sandbox.epr.fhir_http import FHIR_PATH, answer
from fhir_gateway.sandbox.epr.injected.access import OWN_TOKEN
from fhir_gateway.sandbox.pds.identity import TOKEN_PATH, Applications, KeySource, token_routes

_UNAUTHORISED = 401
_SMART_PATH = f"{FHIR_PATH}/.well-known/smart-configuration"
_PUBLIC = (f"{FHIR_PATH}/metadata", _SMART_PATH)
_ALGORITHMS = ("RS384", "ES384")


class Access:
    """The tokens that are good: `tokens`, and those of `clients` (id to keys)."""

    def __init__(self, tokens: Iterable[str] = (), clients: Mapping[str, KeySource] | None = None):
        self._tokens = frozenset((*tokens, OWN_TOKEN))
        self._applications = (
            # Without a client it would take every token for good.
            Applications(clients, algorithms=_ALGORITHMS) if clients else None
        )

    def knows(self, authorization: str) -> bool:
        """Whether an Authorization header holds a good token."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        return token in self._tokens or bool(self._applications and self._applications.knows(token))

    def routes(self) -> APIRouter:
        """Where tokens are, and the endpoint that gives them."""
        router = APIRouter()
        router.add_api_route(_SMART_PATH, _configuration, methods=["GET"])
        if self._applications:
            router.include_router(token_routes(self._applications))
        return router


class Gate:
    """ASGI middleware: 401 for whoever has no good token."""

    def __init__(self, app: ASGIApp, *, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, or turn away."""
        if scope["type"] != "http" or self._lets_in(Request(scope)):
            await self._app(scope, receive, send)
            return
        outcome = single("error", "login", "A bearer token is needed, and it must be a good one.")
        headers = {"WWW-Authenticate": 'Bearer realm="sandbox EPR"'}
        refusal = answer(Request(scope), _UNAUTHORISED, outcome, headers)
        await refusal(scope, receive, send)

    def _lets_in(self, request: Request) -> bool:
        path = request.url.path
        if not path.startswith(f"{FHIR_PATH}/") and path != FHIR_PATH:
            return True
        return path in _PUBLIC or self._access.knows(request.headers.get("authorization", ""))


def _configuration(request: Request) -> JSONResponse:
    """https://hl7.org/fhir/smart-app-launch/conformance.html"""
    return JSONResponse(
        {
            "token_endpoint": f"{str(request.base_url).rstrip('/')}{TOKEN_PATH}",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(_ALGORITHMS),
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": ["system/*.cruds"],
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
        }
    )
