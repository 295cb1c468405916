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
from fhir_gateway.fhir.terminology import Expander
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.response import MAX_NODES, ResponseTree
from fhir_gateway.questionnaire.rules import (
    constraints,
    header,
    occurrence,
    read_only,
    structure,
    values,
)
from fhir_gateway.questionnaire.rules.context import Checking

MAX_ISSUES = 500


def validate_response(
    questionnaire: Any,
    response: Any,
    *,
    resources: Iterable[Resource] = (),
    now: datetime | None = None,
    expander: Expander | None = None,
) -> Resource:
    """An OperationOutcome dict for plain FHIR JSON; `information` when all is well.

    `questionnaire`: None to take the one that the response names, from what it contains or from
    `resources`. `resources`: value sets, code systems and Questionnaires. `now`: the clock of
    expressions (None: the system's). `expander`: asked for value sets that are not at hand. Never
    raises on any JSON.
    """
    registry = Registry(resources)
    try:
        found = _checked(questionnaire, response, registry, now, expander)
    except RecursionError:
        found = [Issue(Code.TOO_LARGE, "fatal", "nested too deeply", "QuestionnaireResponse")]
    return outcome(issue.as_outcome_issue() for issue in found)


def issues(
    definition: Definition,
    response: Resource,
    *,
    now: datetime | None = None,
    everything_asked: bool = True,
) -> list[Issue]:
    """Everything wrong with a response, in document order within each family of rules.

    `everything_asked`: whether somebody was asked all of it, as on pages: then what is required
    in an optional group is required even when the whole group was left empty. A response from
    elsewhere may leave such a group out (as R4 and the HL7 validator have it).
    """
    if response.get("resourceType") != "QuestionnaireResponse":
        return [Issue(Code.NOT_A_RESPONSE, "fatal", "not a QuestionnaireResponse", "resourceType")]
    found = list(header.check(definition, response))
    tree = ResponseTree(definition, response)
    enablement = Enablement(tree, now=now)
    checking = Checking(
        definition, enablement, final=as_str(response.get("status")) in occurrence.FINAL_STATUSES
    )
    found.extend(islice(structure.check(definition, response), MAX_ISSUES))
    rules = _tree_issues(tree, checking, everything_asked=everything_asked)
    found.extend(islice(rules, MAX_ISSUES))
    if tree.truncated or definition.truncated:
        found.append(_too_large())
    return found


def _checked(
    questionnaire: Any,
    response: Any,
    registry: Registry,
    now: datetime | None,
    expander: Expander | None,
) -> list[Issue]:
    if not isinstance(response, dict):
        return [Issue(Code.NOT_A_RESPONSE, "fatal", "not a FHIR resource", "")]
    if questionnaire is None:
        questionnaire = _named(response, registry)
    if not isinstance(questionnaire, dict):
        text = "the Questionnaire of the response is not at hand"
        place = "QuestionnaireResponse.questionnaire"
        return [Issue(Code.NOT_RESOLVED, "error", text, place)]
    definition = Definition(questionnaire, registry, expander=expander)
    return issues(definition, response, now=now, everything_asked=False)


def _named(response: Resource, registry: Registry) -> Resource | None:
    """The Questionnaire that the response names: contained in it, or among the resources."""
    canonical = as_str(response.get("questionnaire"))
    if canonical.startswith("#"):
        for contained in map(as_dict, as_list(response.get("contained"))):
            if contained.get("id") == canonical[1:]:
                others = [c for c in as_list(response["contained"]) if c is not contained]
                return {**contained, "contained": [*as_list(contained.get("contained")), *others]}
        return None
    found = registry.resolve(canonical)
    return found if found and found.get("resourceType") == "Questionnaire" else None


def _tree_issues(
    tree: ResponseTree, checking: Checking, *, everything_asked: bool
) -> Iterator[Issue]:
    if "extension" in tree.definition.raw:
        yield from _root_constraints(checking)
    yield from occurrence.check(tree.roots, checking, everything_asked=everything_asked)
    for node in tree.nodes():
        if node.children:
            yield from occurrence.check(node.children, checking, everything_asked=everything_asked)
        if not checking.enablement.is_enabled(node):
            continue
        item = node.item
        if node.answers and item.is_question:
            yield from values.check(node, checking)
            if item.read_only:
                yield from read_only.check(node, checking)
        if item.is_constrained:
            yield from constraints.check(node, checking.scope)


def _root_constraints(checking: Checking) -> Iterator[Issue]:
    if constraints.constraints_of(checking.definition.raw):
        yield from constraints.check_root(checking.definition, checking.scope)


def _too_large() -> Issue:
    return Issue(
        Code.TOO_LARGE,
        "error",
        f"more than {MAX_NODES} items, or more than the Questionnaire may have",
        "QuestionnaireResponse.item",
    )
