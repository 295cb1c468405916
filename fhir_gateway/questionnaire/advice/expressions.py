"""Expressions: that they can be read, what they ask for, and that they do not go in circles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str, extension_value
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.advice.finding import Finding, error, warning
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.expressions import item_names, launch_names, variables_of
from fhir_gateway.questionnaire.item import Item
from fhir_gateway.questionnaire.logic import Expression, expression_of
from fhir_gateway.questionnaire.rules.constraints import constraints_of

_BUILT_IN = frozenset("resource context questionnaire qitem ucum rootResource sct loinc".split())
_LINK_IDS = re.compile(r"linkId\s*=\s*'((?:[^'\\]|\\.)*)'")
_EXPRESSIONS = frozenset(
    {
        ext.ENABLE_WHEN_EXPRESSION,
        ext.CALCULATED_EXPRESSION,
        ext.INITIAL_EXPRESSION,
        ext.ANSWER_EXPRESSION,
        ext.CANDIDATE_EXPRESSION,
        ext.ITEM_POPULATION_CONTEXT,
        ext.VARIABLE,
        ext.CQF_EXPRESSION,
        ext.CQF_CALCULATED_VALUE,
    }
)


def root(definition: Definition) -> Iterator[Finding]:
    """Findings about the variables of the root."""
    seen: set[str] = set()
    for expression in _expressions_in(definition.raw.get("extension")):
        if expression.name and expression.name in seen:
            text = f"There are two variables '{expression.name}'."
            yield Finding("duplicate-variable", "error", "", text)
        seen.add(expression.name)
        problem = _problem(expression)
        if problem:
            yield Finding("bad-expression", "error", "", problem)
    yield from _circular_variables(definition)


def item(item: Item, definition: Definition) -> Iterator[Finding]:
    """Findings about the expressions of one item."""
    found = list(_expressions_of(item))
    if not found:
        return
    known = _known(item, definition)
    # What a module mentions may come with the whole that it is assembled into.
    whole = not as_str(extension_value(definition.raw, ext.ASSEMBLE_EXPECTATION)).endswith("child")
    for expression in dict.fromkeys(found):
        problem = _problem(expression)
        if problem:
            yield error("bad-expression", item, problem)
        elif expression.is_path:
            yield from _mentions(item, expression, known, definition) if whole else ()
        elif expression.language != "application/x-fhir-query":
            text = f"Expressions in {expression.language} are not evaluated."
            yield warning("expression-language", item, text)
    for constraint in constraints_of(item.raw):
        if not constraint.human:
            yield warning("no-human", item, f"Rule '{constraint.key}' has no words for people.")


def _known(item: Item, definition: Definition) -> set[str]:
    """The variables that expressions on an item can use."""
    known = {*_BUILT_IN, *launch_names(definition.raw), *variables_of(definition.raw)}
    known.update(item_names(item))
    for holder in (item, *item.ancestors()):
        context = holder.expression(ext.ITEM_POPULATION_CONTEXT)
        known.add(context.name if context else "")
    return known


def _mentions(
    item: Item, expression: Expression, known: set[str], definition: Definition
) -> Iterator[Finding]:
    for name in sorted(path.variables_in(expression.text) - known):
        yield warning("unknown-variable", item, f"There is no variable %{name}.")
    for link_id in _LINK_IDS.findall(expression.text):
        if link_id not in definition.by_link_id:
            yield warning("unknown-link-id", item, f"There is no item '{link_id}'.")


def circles(definition: Definition) -> Iterator[Finding]:
    """Items whose answers or enablement depend on themselves, through others."""
    needs = {link_id: _needs(i, definition) for link_id, i in definition.by_link_id.items()}
    for link_id, found in definition.by_link_id.items():
        trail = _circle(link_id, needs)
        if trail and (found.calculated or found.enable_expression or found.conditions):
            yield error("circular", found, f"It depends on itself: {' → '.join(trail)}.")


def _circle(start: str, needs: dict[str, set[str]]) -> list[str]:
    """A way from an item back to itself; [] when there is none."""
    came_from: dict[str, str] = {}
    pending = [start]
    while pending:
        here = pending.pop()
        for there in sorted(needs.get(here, ())):
            if there == start:
                trail = [start]
                while here != start:
                    trail.append(here)
                    here = came_from[here]
                return [start, *reversed(trail[1:]), start]
            if there not in came_from:
                came_from[there] = here
                pending.append(there)
    return []


def _needs(item: Item, definition: Definition) -> set[str]:
    """The linkIds that an item's answer and enablement depend on."""
    found: set[str] = set()
    for holder in (item, *item.ancestors()):
        found.update(condition.question for condition in holder.conditions)
        if holder.enable_expression:
            found |= _mentioned(holder.enable_expression, item, definition, ())
    if item.calculated is not None and item.calculated.is_path:
        found |= _mentioned(item.calculated.text, item, definition, ())
    return found


def _mentioned(
    expression: str, item: Item, definition: Definition, trail: tuple[str, ...]
) -> set[str]:
    found = set(_LINK_IDS.findall(expression))
    for name in path.variables_in(expression):
        if name not in trail:
            declared = _declared(name, item, definition)
            if declared is not None:
                found |= _mentioned(declared.text, item, definition, (*trail, name))
    return found


def _declared(name: str, item: Item | None, definition: Definition) -> Expression | None:
    if item is not None:
        for holder in (item, *item.ancestors()):
            for variable in holder.variables:
                if variable.name == name:
                    return variable
    return variables_of(definition.raw).get(name)


def _circular_variables(definition: Definition) -> Iterator[Finding]:
    variables = variables_of(definition.raw)
    needs = {name: set(path.variables_in(v.text)) for name, v in variables.items()}
    for name in variables:
        trail = _circle(name, needs)
        if trail:
            text = f"Variable %{name} depends on itself: {' → '.join(trail)}."
            yield Finding("circular", "error", "", text)


def _expressions_of(item: Item) -> Iterator[Expression]:
    yield from _expressions_in(item.raw.get("extension"))
    for key, sibling in item.raw.items():
        if key.startswith("_"):
            yield from _expressions_in(as_dict(sibling).get("extension"))
    yield from (Expression("", "", c.expression) for c in constraints_of(item.raw))


def _expressions_in(extensions: object, depth: int = 0) -> Iterator[Expression]:
    """The Expressions of these extensions, of those within them, and on their values."""
    for extension in map(as_dict, as_list(extensions)):
        value = extension.get("valueExpression")
        if value is not None and (as_str(extension.get("url")) in _EXPRESSIONS or depth):
            yield expression_of(value)
        if depth < 3:  # noqa: PLR2004
            yield from _expressions_in(extension.get("extension"), depth + 1)
            for sibling in _siblings(extension):
                yield from _expressions_in(sibling.get("extension"), depth + 1)


def _siblings(extension: Element) -> Iterable[Element]:
    return (as_dict(part) for key, part in extension.items() if key.startswith("_value"))


def _problem(expression: Expression) -> str:
    if not expression.is_path:
        return ""
    if not expression.text.strip():
        return "An expression is empty."
    try:
        path.compile_expression(expression.text)
    except path.PathRefused as problem:
        return f"{problem}."
    return ""
