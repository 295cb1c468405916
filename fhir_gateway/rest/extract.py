"""QuestionnaireResponse/$extract (https://hl7.org/fhir/uv/sdc/extraction.html): what a response
becomes by the extraction that its Questionnaire carries. Nothing is stored and nothing is sent."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.outcome import has_errors
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.mapping import extract
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest.answers import answer, refusal

#: What any request to the API may weigh (rest/app.py).
MAX_BYTES = 1_000_000
OPERATION = "http://hl7.org/fhir/uv/sdc/OperationDefinition/QuestionnaireResponse-extract"
UNPROCESSABLE = 422

router = APIRouter()


async def _read(request: Request) -> bytes:
    return await request.body()


Body = Annotated[bytes, Depends(_read)]


@router.post("/QuestionnaireResponse/$extract", name="extract")
def extract_response(request: Request, body: Body, _pretty: bool = False) -> Response:
    """Takes a QuestionnaireResponse, or Parameters with `questionnaire-response` and, when it is
    not published here, `questionnaire`. Gives the Bundle, or Parameters with `return` and `issues`
    when there is something to say; an OperationOutcome with 422 when extraction failed."""
    try:
        given = as_dict(fhir_json.parse(body, max_bytes=MAX_BYTES))
    except fhir_json.JsonRefused as error:
        return refusal(400, "structure", str(error))
    response, questionnaire = _asked(given)
    if response is None:
        return refusal(
            400, "required", "The body is no QuestionnaireResponse, nor Parameters with one."
        )
    if questionnaire is None:
        questionnaire = _published(request.app.state.catalogue, response)
    if questionnaire is None:
        return refusal(
            UNPROCESSABLE,
            "not-found",
            "The Questionnaire is not published here: give it as the parameter 'questionnaire'.",
        )
    extraction = extract(questionnaire, response)
    if has_errors(extraction.outcome):
        return answer(extraction.outcome, status=UNPROCESSABLE, pretty=_pretty)
    if all(issue["severity"] == "information" for issue in extraction.outcome["issue"]):
        return answer(extraction.bundle, pretty=_pretty)
    both = [
        {"name": "return", "resource": extraction.bundle},
        {"name": "issues", "resource": extraction.outcome},
    ]
    return answer({"resourceType": "Parameters", "parameter": both}, pretty=_pretty)


def _asked(given: Resource) -> tuple[Resource | None, Resource | None]:
    """The response and the Questionnaire in a body."""
    if given.get("resourceType") == "QuestionnaireResponse":
        return given, None
    named: dict[str, Any] = {}
    if given.get("resourceType") == "Parameters":
        named = {
            as_str(part.get("name")): as_dict(part.get("resource"))
            for part in map(as_dict, as_list(given.get("parameter")))
        }
    response = named.get("questionnaire-response")
    return response or None, named.get("questionnaire") or None


def _published(catalogue: Catalogue, response: Resource) -> Resource | None:
    canonical = as_str(response.get("questionnaire"))
    for questionnaire in catalogue.questionnaires():
        url = as_str(questionnaire.get("url"))
        if url and canonical in (url, f"{url}|{as_str(questionnaire.get('version'))}"):
            return questionnaire
    return None
