"""The sandbox PDS as a page: who is in it, and what PDS would answer about each of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.identifiers import spaced_nhs_number
from fhir_gateway.sandbox.pds.answers import fault_answer, search_answer
from fhir_gateway.sandbox.pds.faults import UNSUPPORTED_REQUEST, Fault
from fhir_gateway.sandbox.pds.outage import OUTAGE_PATH
from fhir_gateway.sandbox.pds.personas import Persona, people
from fhir_gateway.sandbox.pds.population import Population
from fhir_gateway.sandbox.pds.proxy import REQUEST_ID
from fhir_gateway.sandbox.pds.routes import BASE_PATH
from fhir_gateway.web.environment import create_environment

SERVICE_NAME = "Sandbox PDS"
FOOTER = "A sandbox for testing, not a service of the NHS"


def page_routes(population: Population) -> APIRouter:
    """The pages `/` and `/people/{key}`."""
    router = APIRouter()
    environment = create_environment(Path(__file__).parent / "templates")
    known = {p.key: p for p in people() if population.get(p.nhs_number)}

    def render(request: Request, template: str, values: Mapping[str, object]) -> Response:
        html = environment.get_template(template).render(
            service_name=SERVICE_NAME,
            footer_text=FOOTER,
            csp_nonce=request.state.csp_nonce,
            **values,
        )
        return HTMLResponse(html)

    @router.get("/")
    def everyone(request: Request) -> Response:
        values = {
            "people": [_shown(persona) for persona in known.values()],
            "others": len(population) - len(known),
            "api": _absolute(request, BASE_PATH),
            "outage": _absolute(request, OUTAGE_PATH),
        }
        return render(request, "people.jinja", values)

    @router.get("/people/{key}")
    def one(request: Request, key: str) -> Response:
        if key not in known:
            raise Fault(UNSUPPORTED_REQUEST, f"Unsupported path - '{request.url.path}'")
        return render(request, "person.jinja", _traced(request, population, known[key]))

    return router


def _traced(request: Request, population: Population, persona: Persona) -> dict[str, object]:
    """What the page of a persona shows: their search, and what PDS answers."""
    parameters = _trace(persona)
    try:
        answer = search_answer(population, parameters, datetime.now(UTC))
    except Fault as fault:
        answer = fault_answer(fault)
    return {
        "person": _shown(persona),
        "parameters": parameters,
        "url": _absolute(request, f"{BASE_PATH}/Patient?{urlencode(parameters)}"),
        "request_id_header": REQUEST_ID,
        "status": answer.status,
        "body": fhir_json.dump(answer.body, pretty=True).decode(),
    }


def _absolute(request: Request, path: str) -> str:
    """A path of this sandbox with the address the reader reached it by."""
    return f"{str(request.base_url).rstrip('/')}{path}"


def _trace(persona: Persona) -> list[tuple[str, str]]:
    """A search by what somebody says about themselves."""
    return [
        ("family", persona.family),
        ("given", persona.given),
        ("birthdate", f"eq{persona.birth_date}"),
        ("address-postalcode", persona.postcode),
        ("_max-results", "1"),
    ]


def _shown(persona: Persona) -> dict[str, str]:
    """A persona in the words and formats of the NHS service manual."""
    born = date.fromisoformat(persona.birth_date)
    return {
        "key": persona.key,
        "name": f"{persona.given} {persona.family}",
        "born": f"{born.day} {born:%B %Y}",
        "postcode": persona.postcode,
        "nhs_number": spaced_nhs_number(persona.nhs_number),
        "mobile": persona.mobile or "None",
        "story": persona.story,
    }
