"""Finding mistakes in a mapping before a request does.

Unknown linkIds, anchors, variables and functions; types that an item's answers never have; elements
that a resource does not have, or must have and never gets; codes that are not in their code system.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_gateway.fhir.path_facts import Mention, facts
from fhir_gateway.fhir.path_functions import functions as own_functions
from fhir_gateway.fhir.path_parser import PathSyntaxError
from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import as_dict, as_list, as_str
from fhir_gateway.mapping.extensions import EXTRACT_CONTEXT, EXTRACT_VALUE
from fhir_gateway.mapping.lint_structure import structure
from fhir_gateway.mapping.scope import fhirpath_of
from fhir_gateway.mapping.target import Target, TemplateUse
from fhir_gateway.questionnaire.definition import CHOICE_TYPES, Definition, Item

#: Launch context (docs/mappings.md), and what SDC and FHIR define.
VARIABLES = frozenset(
    "request identity submittedPatient submittedRequester service organisation gateway document "
    "eprPatient resource rootResource context questionnaire qitem ucum sct loinc".split()
)
_ANSWER_TYPES = {
    "boolean": {"boolean"},
    "decimal": {"decimal"},
    "integer": {"integer"},
    "date": {"date"},
    "dateTime": {"dateTime"},
    "time": {"time"},
    "string": {"string"},
    "text": {"string"},
    "url": {"uri"},
    "choice": {"Coding", "string", "integer", "date", "time", "Reference"},
    "open-choice": {"Coding", "string"},
    "attachment": {"Attachment"},
    "reference": {"Reference"},
    "quantity": {"Quantity"},
}
_CODED_STEPS = frozenset({"code", "system", "display"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: `error` or `warning`, where, and what is wrong."""

    severity: str
    place: str
    text: str


def lint(target: Target, definitions: Iterable[Definition]) -> list[Finding]:
    """The mistakes of a target. `definitions`: the Questionnaires it applies to."""
    known = list(definitions)
    found = [*_anchors(target, known)]
    for use in target.templates:
        name = as_str(use.resource.get("id"))
        allocated = {*target.allocate, *(n for each in target.templates for n in each.allocate)}
        scope = {*VARIABLES, *allocated, *target.concept_maps, *_named(use)}
        for place, expression in _expressions(use, name):
            found.extend(_expression(expression, place, scope, known))
        found.extend(Finding(*line) for line in structure(use.resource, known))
    for concept_map in target.concept_maps.values():
        found.extend(_concept_map(concept_map, known))
    if not target.examples:
        found.append(Finding("warning", "examples", "the mapping has no golden example"))
    return list(dict.fromkeys(found))


def _anchors(target: Target, known: list[Definition]) -> Iterator[Finding]:
    for use in target.templates:
        if use.anchor and not any(use.anchor in d.by_link_id for d in known):
            text = f"the anchor '{use.anchor}' is a linkId of none of its questionnaires"
            yield Finding("error", f"{use.resource.get('id')}.anchor", text)


def _named(use: TemplateUse) -> set[str]:
    """The variables that contexts of a template name."""
    found = set()
    for element in _objects(use.resource):
        for extension in map(as_dict, as_list(element.get("extension"))):
            if extension.get("url") == EXTRACT_CONTEXT:
                found.add(as_str(as_dict(extension.get("valueExpression")).get("name")))
    return found - {""}


def _expressions(use: TemplateUse, name: str) -> Iterator[tuple[str, str]]:
    """Place and text of each expression of a template and its request."""
    for key, expression in use.parts.items():
        yield f"{name}.{key}", expression
    yield from _in(use.resource, name)


def _in(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from _in(part, f"{place}[{index}]")
    elif isinstance(value, dict):
        for extension in map(as_dict, as_list(value.get("extension"))):
            if extension.get("url") in (EXTRACT_CONTEXT, EXTRACT_VALUE):
                given = extension.get("valueString") or extension.get("valueExpression")
                yield place, fhirpath_of(given)[0]
        for key, part in value.items():
            yield from _in(part, f"{place}.{key.removeprefix('_')}")


def _expression(
    expression: str, place: str, scope: set[str], known: list[Definition]
) -> Iterator[Finding]:
    try:
        mentioned = facts(expression)
    except PathSyntaxError as error:
        yield Finding("error", place, f"not FHIRPath: {error}: {expression}")
        return
    for variable in sorted(mentioned.variables - scope):
        if not variable.startswith(("vs-", "ext-")):
            yield Finding("error", place, f"there is no variable %{variable}")
    if "trace" in mentioned.functions:
        yield Finding("error", place, "trace() is not allowed: it would write answers to a log")
    for function in sorted(mentioned.functions - _functions()):
        yield Finding("error", place, f"there is no function {function}()")
    for mention in mentioned.mentions:
        items = [d.by_link_id[mention.link_id] for d in known if mention.link_id in d.by_link_id]
        if not items:
            text = f"linkId '{mention.link_id}' is in none of its questionnaires"
            yield Finding("error", place, text)
            continue
        why = {_never(item, mention) for item in items}
        if "" not in why:
            yield Finding("error", place, f"'{mention.link_id}': {sorted(why)[0]}")
        yield from _codes(mention, place, known)


def _never(item: Item, mention: Mention) -> str:
    """Why a chain from an item never finds anything; '' when it may."""
    steps = [s for s in mention.steps if s not in ("first()", "last()", "single()")]
    if steps[:1] == ["answer"] and not item.is_question:
        return f"is a {item.type}, which has no answers"
    if steps[:1] == ["item"] and item.is_question:
        return "is a question; items below it are within its answers (answer.item)"
    if steps[:2] != ["answer", "value"] or len(steps) < len(("answer", "value", "x")):
        return ""
    third, types = steps[2], _ANSWER_TYPES.get(item.type, set())
    wanted = third.removeprefix("ofType(").removesuffix(")").rpartition(".")[2]
    if third.startswith("ofType(") and wanted not in types:
        return f"answers of type {item.type} are never {wanted}"
    if third in _CODED_STEPS and item.type not in CHOICE_TYPES:
        return f"answers of type {item.type} have no {third}"
    return ""


def _codes(mention: Mention, place: str, known: list[Definition]) -> Iterator[Finding]:
    """Codes that an answer is compared with and that are not among its options."""
    if mention.steps[-1:] != ("code",) or not mention.compared_with:
        return
    options = {code for d in known for code in _options(d, mention.link_id)}
    for code in mention.compared_with:
        if options and code not in options:
            text = f"'{code}' is no code of the options of '{mention.link_id}'"
            yield Finding("error", place, text)


def _options(definition: Definition, link_id: str) -> Iterator[str]:
    item = definition.by_link_id.get(link_id)
    if item is None or item.type not in CHOICE_TYPES:
        return
    for option in map(as_dict, as_list(item.raw.get("answerOption"))):
        yield as_str(as_dict(option.get("valueCoding")).get("code"))
    if item.raw.get("answerValueSet"):
        try:
            yield from (as_str(coding.get("code")) for coding in definition.value_set(item))
        except NotExpandable:
            return


def _concept_map(concept_map: Mapping[str, Any], known: list[Definition]) -> Iterator[Finding]:
    """Source codes that their code system does not have."""
    name = as_str(concept_map.get("id"))
    for group in map(as_dict, as_list(concept_map.get("group"))):
        source = as_str(group.get("source"))
        listed = next((d.registry.resolve(source) for d in known), None)
        codes = {as_str(as_dict(c).get("code")) for c in as_list(as_dict(listed).get("concept"))}
        for element in map(as_dict, as_list(group.get("element"))):
            if codes and element.get("code") not in codes:
                yield Finding("error", name, f"'{element.get('code')}' is no code of {source}")


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from _objects(part)


def _functions() -> set[str]:
    from datetime import UTC, datetime

    from fhirpathpy.engine.invocations import invocation_registry

    return {*invocation_registry, *own_functions(datetime(2000, 1, 1, tzinfo=UTC))}
