"""What SMART clients find: the discovery document, and what the CapabilityStatement says of
security. https://hl7.org/fhir/smart-app-launch/conformance.html"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from fhir_gateway.auth.assertions_checked import ALGORITHMS
from fhir_gateway.fhir.types import Element

WELL_KNOWN = "/.well-known/smart-configuration"
TOKEN_PATH = "/auth/token"  # noqa: S105 - a path
_OAUTH = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SERVICES = "http://terminology.hl7.org/CodeSystem/restful-security-service"


def configuration(base_url: str) -> dict[str, object]:
    """The discovery document. `base_url`: of the FHIR API, without a slash at the end."""
    return {
        "token_endpoint": f"{base_url}{TOKEN_PATH}",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": ["system/*.cruds", "system/*.rs", "system/*.read", "system/*.write"],
        "capabilities": [
            "client-confidential-asymmetric",
            "permission-v1",
            "permission-v2",
        ],
    }


def security(base_url: str) -> Element:
    """CapabilityStatement.rest.security."""
    token = {"url": "token", "valueUri": f"{base_url}{TOKEN_PATH}"}
    return {
        "extension": [{"url": _OAUTH, "extension": [token]}],
        "service": [{"coding": [{"system": _SERVICES, "code": "SMART-on-FHIR"}]}],
        "description": "SMART Backend Services. Published definitions need no token.",
    }


def route(base: str, base_url: str) -> Route:
    """The discovery document below `base`, a path ("" for the root of the host)."""
    document = configuration(base_url)

    async def answer(request: Request) -> JSONResponse:
        del request
        headers = {"Cache-Control": "public, max-age=300", "X-Content-Type-Options": "nosniff"}
        return JSONResponse(document, headers=headers)

    return Route(f"{base}{WELL_KNOWN}", answer, methods=["GET"])
