"""Is a QuestionnaireResponse valid: every rule, one pass, no exception whatever the JSON.

Rules of R4 and of SDC 4.0 (https://hl7.org/fhir/uv/sdc/validation.html); where known validators
differ, docs/questionnaires.md says which side this one takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from fhir_gateway.fhir.outcome import outcome
from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.response import MAX_NODES, ResponseTree, emit
from fhir_gateway.questionnaire.rules import constraints, occurrence, structure, values

MAX_ISSUES = 500


def validate_response(
    questionnaire: Any,
    response: Any,
    *,
    resources: Iterable[Resource] = (),
    now: datetime | None = None,
) -> Resource:
    """An OperationOutcome dict for plain FHIR JSON; `information` when all is well.

    `resources`: value sets and code systems the options need. `now`: the clock of expressions
    (None: the system's). Never raises on any JSON.
    """
    if not isinstance(questionnaire, dict) or not isinstance(response, dict):
        bad = Issue(Code.NOT_A_RESPONSE, "fatal", "not a FHIR resource", "")
        return outcome([bad.as_outcome_issue()])
    definition = Definition(questionnaire, Registry(resources))
    return outcome(issue.as_outcome_issue() for issue in issues(definition, response, now=now))


def issues(
    definition: Definition, response: Resource, *, now: datetime | None = None
) -> list[Issue]:
    """Everything wrong with a response, in document order within each family of rules."""
    found = _header(definition, response)
    if any(issue.severity == "fatal" for issue in found):
        return found
    tree = ResponseTree(definition, response)
    enablement = Enablement(tree, now=now)
    final = response.get("status") in occurrence.FINAL_STATUSES
    found.extend(islice(structure.check(definition, response), MAX_ISSUES))
    found.extend(islice(_tree_issues(tree, enablement, final=final), MAX_ISSUES))
    if sum(1 for _ in islice(tree.nodes(), MAX_NODES)) >= MAX_NODES:
        found.append(_too_large())
    return found


def _header(definition: Definition, response: Resource) -> list[Issue]:
    if response.get("resourceType") != "QuestionnaireResponse":
        return [Issue(Code.NOT_A_RESPONSE, "fatal", "not a QuestionnaireResponse", "resourceType")]
    canonical = as_str(response.get("questionnaire"))
    place = "QuestionnaireResponse.questionnaire"
    if not canonical:
        return [Issue(Code.NO_QUESTIONNAIRE, "information", "no questionnaire is named", place)]
    url, _, version = canonical.partition("|")
    contained = url.startswith("#")
    differs = url != definition.url or (version and version != definition.version)
    if definition.url and differs and not contained:
        return [
            Issue(
                Code.OTHER_QUESTIONNAIRE,
                "error",
                "the response names another Questionnaire than the one it is checked against",
                place,
            )
        ]
    return []


def _tree_issues(tree: ResponseTree, enablement: Enablement, *, final: bool) -> Iterator[Issue]:
    scope = enablement.scope()
    yield from occurrence.check(tree.roots, enablement, final=final)
    for node in tree.nodes():
        if node.children:
            yield from occurrence.check(node.children, enablement, final=final)
        if not enablement.is_enabled(node):
            continue
        if node.item.is_question:
            yield from values.check(node, tree.definition)
        if constraints.constraints_of(node.item.raw):
            emitted = emit([node], enablement.is_enabled)
            element = emitted[0] if emitted else {"linkId": node.item.link_id}
            yield from constraints.check(node, element, scope)


def _too_large() -> Issue:
    return Issue(
        Code.TOO_LARGE, "error", f"more than {MAX_NODES} items", "QuestionnaireResponse.item"
    )
