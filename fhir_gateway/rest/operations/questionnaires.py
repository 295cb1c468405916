"""`Questionnaire/$populate` and `Questionnaire/$assemble` of SDC 4.0. Nothing is stored or fetched.

https://hl7.org/fhir/uv/sdc/OperationDefinition-Questionnaire-populate.html and
https://hl7.org/fhir/uv/sdc/OperationDefinition-Questionnaire-assemble.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.outcome import issue, outcome
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.questionnaire.assembly import NotAssembled, assemble
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.population import populated
from fhir_gateway.rest.operations.inputs import Inputs, inputs_of, parameters, value_of
from fhir_gateway.rest.problem import BAD_REQUEST, NOT_FOUND, UNPROCESSABLE, Problem, not_found
from fhir_gateway.rest.registry import Answer, Call, Level, Operation, Registry

_SDC = "http://hl7.org/fhir/uv/sdc/OperationDefinition/Questionnaire-"
_LEVELS = frozenset({Level.TYPE, Level.INSTANCE})
_MAX_CONTEXTS = 50


def register(registry: Registry, catalogue: Catalogue, clock: Callable[[], datetime]) -> None:
    """Serve both."""

    def populate(call: Call) -> Answer:
        given = inputs_of(call, bare={"Questionnaire"}, name="questionnaire")
        return _populate(catalogue, call, given, clock())

    def put_together(call: Call) -> Answer:
        given = inputs_of(call, bare={"Questionnaire"}, name="questionnaire")
        return Answer(_assemble(catalogue, _asked(catalogue, call, given)))

    for name, handler in (("populate", populate), ("assemble", put_together)):
        registry.operation(
            Operation(name, f"{_SDC}{name}", handler, "Questionnaire", _LEVELS, get=True)
        )


def _asked(catalogue: Catalogue, call: Call, given: Inputs) -> Resource:
    """The Questionnaire that is meant: by id, in the body, or by canonical."""
    if call.id:
        written = catalogue.registry.of_type("Questionnaire")
        found = [q for q in written if q.get("id") == call.id]
        if not found:
            raise not_found("Questionnaire")
        return found[-1]
    resource = given.resource("questionnaire")
    if resource is not None:
        if resource.get("resourceType") != "Questionnaire":
            raise Problem(BAD_REQUEST, "invalid", "'questionnaire' is no Questionnaire.")
        return resource
    canonical = given.text("canonical", "questionnaire_canonical", "url", "questionnaire")
    reference = as_str(as_dict(given.value("questionnaireRef")).get("reference"))
    canonical = canonical or reference
    if not canonical:
        raise Problem(
            BAD_REQUEST,
            "required",
            "Which Questionnaire? Give the parameter 'questionnaire' or 'canonical'.",
        )
    resolved = catalogue.registry.resolve(canonical)
    if resolved is None or resolved.get("resourceType") != "Questionnaire":
        raise Problem(NOT_FOUND, "not-found", "This Questionnaire is not published here.")
    return resolved


def _assemble(catalogue: Catalogue, questionnaire: Resource) -> Resource:
    try:
        return assemble(questionnaire, catalogue.registry.resolve)
    except NotAssembled as error:
        raise Problem(UNPROCESSABLE, "not-found", f"{error}.") from None
    except RecursionError:
        raise Problem(UNPROCESSABLE, "too-costly", "It is nested too deeply.") from None


def _populate(catalogue: Catalogue, call: Call, given: Inputs, now: datetime) -> Answer:
    questionnaire = _assemble(catalogue, _asked(catalogue, call, given))
    known, issues = _contexts(given)
    try:
        response = populated(Definition(questionnaire, catalogue.registry), known, now=now)
    except Refused as error:
        raise Problem(UNPROCESSABLE, "processing", f"{error}.") from None
    subject = as_dict(given.value("subject"))
    if subject and "subject" not in response:
        response = {**response, "subject": subject}
    parts: list[Element] = [{"name": "response", "resource": response}]
    if issues:
        parts.append({"name": "issues", "resource": outcome(issues)})
    return Answer(parameters(*parts))


def _contexts(given: Inputs) -> tuple[dict[str, Any], list[Element]]:
    """The launch contexts by name, and what could not be used of them."""
    known: dict[str, Any] = {}
    issues: list[Element] = []
    for context in list(given.named("context"))[:_MAX_CONTEXTS]:
        inner = Inputs([as_dict(part) for part in as_list(context.get("part"))])
        name = inner.text("name")
        content = inner.resource("content")
        if not name:
            issues.append(issue("warning", "required", "A context without a name is passed over."))
        elif content is not None:
            known[name] = content
        elif any(value_of(part) is not None for part in inner.named("content")):
            text = f"The context '{_plain(name)}' is a reference, and nothing is fetched: give it "
            issues.append(issue("warning", "not-supported", f"{text}as a resource."))
    return known, issues


def _plain(name: str) -> str:
    return name if name.isidentifier() else "?"
