"""QuestionnaireResponse/$extract (https://hl7.org/fhir/uv/sdc/extraction.html): what a response
becomes by the extraction that its Questionnaire carries. Nothing is stored and nothing is sent."""

from __future__ import annotations

from typing import Any

from fhir_gateway.fhir.outcome import has_errors
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.mapping import extract
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest.operations.inputs import stored_resource
from fhir_gateway.rest.problem import BAD_REQUEST, UNPROCESSABLE, Problem
from fhir_gateway.rest.registry import Answer, Call, Level, Operation, Registry

OPERATION = "http://hl7.org/fhir/uv/sdc/OperationDefinition/QuestionnaireResponse-extract"


def register(registry: Registry, catalogue: Catalogue) -> None:
    """Serve the operation."""

    def handler(call: Call) -> Answer:
        given = call.resource or {}
        if call.id and given.get("resourceType") in (None, "Parameters"):
            given = _with_stored(given, stored_resource(registry, call))
        return _extract(catalogue, given)

    levels = frozenset({Level.TYPE, Level.INSTANCE})
    registry.operation(
        Operation("extract", OPERATION, handler, "QuestionnaireResponse", levels, get_one=True)
    )
    registry.type("QuestionnaireResponse")


def _with_stored(given: Resource, response: Resource) -> Resource:
    """Parameters with the response that the address names."""
    others = [
        part
        for part in map(as_dict, as_list(given.get("parameter")))
        if part.get("name") != "questionnaire-response"
    ]
    named = {"name": "questionnaire-response", "resource": response}
    return {"resourceType": "Parameters", "parameter": [named, *others]}


def _extract(catalogue: Catalogue, given: Resource) -> Answer:
    """Takes a QuestionnaireResponse, or Parameters with `questionnaire-response` and, when it is
    not published here, `questionnaire`. Gives the Bundle, or Parameters with `return` and `issues`
    when there is something to say; an OperationOutcome with 422 when extraction failed."""
    response, questionnaire = _asked(given)
    if response is None:
        raise Problem(
            BAD_REQUEST,
            "required",
            "The body is no QuestionnaireResponse, nor Parameters with one.",
        )
    if questionnaire is None:
        questionnaire = _published(catalogue, response)
    if questionnaire is None:
        raise Problem(
            UNPROCESSABLE,
            "not-found",
            "The Questionnaire is not published here: give it as the parameter 'questionnaire'.",
        )
    extraction = extract(questionnaire, response)
    if has_errors(extraction.outcome):
        return Answer(extraction.outcome, UNPROCESSABLE)
    if all(issue["severity"] == "information" for issue in extraction.outcome["issue"]):
        return Answer(extraction.bundle)
    both = [
        {"name": "return", "resource": extraction.bundle},
        {"name": "issues", "resource": extraction.outcome},
    ]
    return Answer({"resourceType": "Parameters", "parameter": both})


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
