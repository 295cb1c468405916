"""The gateway's key set over HTTP, for neighbours that check its signatures."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from fhir_gateway.auth.keys import KeyRing

PATH = "/.well-known/jwks.json"
#: Seconds; NHS England keeps a key set for an hour whatever is said here.
_MAX_AGE = 3600


def create_jwks_app(keys: KeyRing | None) -> FastAPI:
    """Answers at PATH with the public keys: none of them when the gateway signs nothing."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    content = keys.key_set() if keys else {"keys": []}

    @app.get(PATH)
    def key_set() -> JSONResponse:
        headers = {"Cache-Control": f"public, max-age={_MAX_AGE}"}
        return JSONResponse(content, headers={**headers, "X-Content-Type-Options": "nosniff"})

    return app
