"""`$validate`: is a resource right, by its structure, its profiles, and what this gateway knows of
Questionnaires (https://hl7.org/fhir/R4/resource-operation-validate.html). Nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import check
from fhir_gateway.fhir.outcome import issue, outcome
from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.fhir.types import Element, Resource, as_str
from fhir_gateway.questionnaire.assembly import NotAssembled, assemble
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.linting import lint
from fhir_gateway.questionnaire.validation import validate_response
from fhir_gateway.rest.operations.inputs import inputs_of, stored_resource
from fhir_gateway.rest.problem import BAD_REQUEST, Problem
from fhir_gateway.rest.registry import Answer, Call, Interaction, Level, Operation, Registry

OPERATION = "http://hl7.org/fhir/OperationDefinition/Resource-validate"
_CORE = "http://hl7.org/fhir/StructureDefinition/"
_MODES = ("create", "update", "delete", "profile")


def register(
    registry: Registry,
    catalogue: Catalogue,
    profiles: Profiles,
    clock: Callable[[], datetime],
) -> None:
    """Serve it at the base and on every type that is served by now."""
    validator = Validator(catalogue, profiles, clock)

    def handler(call: Call) -> Answer:
        return _validate(registry, validator, call)

    registry.operation(Operation("validate", OPERATION, handler, levels=frozenset({Level.SYSTEM})))
    for served in registry.types():
        levels = frozenset({Level.TYPE, Level.INSTANCE})
        registry.operation(
            Operation("validate", OPERATION, handler, served.resource_type, levels, get_one=True)
        )


@dataclass(frozen=True, slots=True)
class Validator:
    """What resources are checked by."""

    catalogue: Catalogue
    profiles: Profiles
    clock: Callable[[], datetime]

    def issues(self, resource: Resource, profile: str = "") -> list[Element]:
        """Everything that is wrong with a resource. `profile`: a canonical it is held against
        besides those that it claims."""
        found = check.problems(resource)
        found += self.profiles.problems(resource)
        if profile:
            found += self._profile(resource, profile)
        match resource.get("resourceType"):
            case "QuestionnaireResponse":
                found += self._response(resource)
            case "Questionnaire":
                found += questionnaire_issues(resource, self.catalogue)
        return found

    def _profile(self, resource: Resource, profile: str) -> Iterator[Element]:
        name = as_str(resource.get("resourceType"))
        if profile.partition("|")[0] in (f"{_CORE}{name}", f"{_CORE}Resource"):
            return  # what `check` has looked at
        known = self.profiles.problems(resource)
        for one in self.profiles.problems(resource, [profile]):
            if one in known:
                continue
            # Who names a profile wants it checked: that it could not be is no warning.
            yield {**one, "severity": "error"} if one["code"] == "not-found" else one

    def _response(self, response: Resource) -> list[Element]:
        canonical = as_str(response.get("questionnaire"))
        found = validate_response(
            _assembled(self.catalogue, canonical),
            response,
            resources=self.catalogue.registry.all(),
            now=self.clock(),
        )
        return [one for one in found["issue"] if one["code"] != "informational"]


def questionnaire_issues(
    questionnaire: Resource, catalogue: Catalogue, *, shown_types: Collection[str] | None = None
) -> list[Element]:
    """What lint finds in a Questionnaire, its modules in place, as issues. `shown_types`: the types
    of items that pages can show."""
    try:
        assembled = assemble(questionnaire, catalogue.registry.resolve)
    except NotAssembled as error:
        return [issue("error", "not-found", f"{error}.")]
    except RecursionError:
        return [issue("error", "too-costly", "It is nested too deeply.")]
    return [
        issue(
            finding.severity,
            "business-rule",
            f"{finding.code}: {finding.text}",
            expression=_place(finding.link_id),
        )
        for finding in lint(Definition(assembled, catalogue.registry), shown_types=shown_types)
    ]


def _place(link_id: str) -> list[str]:
    if not link_id or "'" in link_id or "\\" in link_id:
        return ["Questionnaire"]
    return [f"Questionnaire.repeat(item).where(linkId='{link_id}')"]


def _assembled(catalogue: Catalogue, canonical: str) -> Resource | None:
    """The published Questionnaire with its modules in place; None leaves it to the validator."""
    try:
        return catalogue.definition(canonical).raw if canonical else None
    except Refused:
        return None


def _validate(registry: Registry, validator: Validator, call: Call) -> Answer:
    given = inputs_of(call)
    mode = given.text("mode")
    if mode and mode not in _MODES:
        raise Problem(BAD_REQUEST, "code-invalid", f"mode is one of {', '.join(_MODES)}.")
    profile = given.text("profile")
    if mode == "profile" and not profile:
        raise Problem(BAD_REQUEST, "required", "The mode 'profile' needs the parameter 'profile'.")
    if mode == "delete":
        return _deletion(registry, call)
    resource = given.resource("resource")
    if resource is None:
        resource = stored_resource(registry, call)
    if call.resource_type and resource.get("resourceType") != call.resource_type:
        raise Problem(
            BAD_REQUEST,
            "invalid",
            f"{call.resource_type}/$validate takes a {call.resource_type}; other types go to their "
            "own address, or to $validate at the base.",
        )
    found = validator.issues(resource, profile)
    if call.id and mode == "update" and resource.get("id") != call.id:
        place = f"{call.resource_type}.id"
        text = "The id must be the one of the address for an update."
        found.append(issue("error", "value", text, expression=[place]))
    return Answer(outcome(found))


def _deletion(registry: Registry, call: Call) -> Answer:
    if not call.id:
        raise Problem(
            BAD_REQUEST, "required", "The mode 'delete' is for one resource: name its id."
        )
    stored_resource(registry, call)
    served = registry.find(call.resource_type)
    if served is not None and Interaction.DELETE in served.handlers:
        return Answer(outcome([]))
    text = f"{call.resource_type} cannot be deleted here."
    return Answer(outcome([issue("error", "not-supported", text)]))
