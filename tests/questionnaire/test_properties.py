"""For random forms and answers: everybody agrees on what is enabled, nothing disabled leaves, and
nothing that nobody could see blocks anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.questionnaire import enabled_items
from fhir_gateway.questionnaire.completion import completed
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.paging import pages
from fhir_gateway.questionnaire.response import Node, ResponseTree
from fhir_gateway.questionnaire.validation import issues
from tests.questionnaire.making import ask, code, form, having, hold, options, reply

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ANSWERS: dict[str, st.SearchStrategy[Element]] = {
    "boolean": st.builds(lambda v: {"valueBoolean": v}, st.booleans()),
    "integer": st.builds(lambda v: {"valueInteger": v}, st.integers(0, 3)),
    "string": st.builds(lambda v: {"valueString": v}, st.sampled_from("abc")),
    "choice": st.sampled_from([code("x"), code("y")]),
}


@st.composite
def conditions(draw: st.DrawFn, earlier: list[tuple[str, str]]) -> dict[str, Any]:
    """Up to two enableWhen on any items of the form."""
    found = []
    for _ in range(draw(st.integers(0, 2)) if earlier else 0):
        link_id, kind = draw(st.sampled_from(earlier))
        ordered = [">", "<="] if kind in ("integer", "string") else []
        operator = draw(st.sampled_from(["exists", "=", "!=", *ordered]))
        if operator == "exists":
            expected: Element = {"answerBoolean": draw(st.booleans())}
        else:
            answer = draw(ANSWERS[kind])
            expected = {f"answer{k.removeprefix('value')}": v for k, v in answer.items()}
        found.append({"question": link_id, "operator": operator, **expected})
    if not found:
        return {}
    return {"enableWhen": found, "enableBehavior": draw(st.sampled_from(["all", "any"]))}


@st.composite
def items(draw: st.DrawFn, known: list[tuple[str, str]], prefix: str, depth: int) -> list[Element]:
    made = []
    for number in range(draw(st.integers(1, 3))):
        link_id = f"{prefix}{number}"
        kinds = [*ANSWERS, "group"] if depth < 2 else list(ANSWERS)
        kind = draw(st.sampled_from(kinds))
        more: dict[str, Any] = draw(conditions(known))
        if draw(st.booleans()):
            more["required"] = True
        if draw(st.integers(0, 5)) == 0:
            more["extension"] = having("questionnaire-hidden", "Boolean", True)
        if kind == "choice":
            more["answerOption"] = options("x", "y")
        if kind == "group":
            more["repeats"] = draw(st.booleans())
            below = draw(items(known, f"{link_id}.", depth + 1))
            made.append(ask(link_id, kind, *below, **more))
        else:
            known.append((link_id, kind))
            made.append(ask(link_id, kind, **more))
    return made


@st.composite
def filled(draw: st.DrawFn, asked: list[Element]) -> list[Element]:
    """Answers to most items, disabled ones as well."""
    found = []
    for item in asked:
        if draw(st.integers(0, 3)) == 0:
            continue
        if item["type"] == "group":
            times = draw(st.integers(1, 2)) if item["repeats"] else 1
            for _ in range(times):
                found.append(hold(item["linkId"], *draw(filled(item["item"]))))
        else:
            found.append({"linkId": item["linkId"], "answer": [draw(ANSWERS[item["type"]])]})
    return found


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Resource, Resource]:
    asked = draw(items([], "q", 0))
    return form(*asked), reply(*draw(filled(asked)), status="in-progress")


def _is_empty_instance(node: Node) -> bool:
    group = node.item.type == "group" and node.item.repeats
    return group and not any(n.answers for n in node.walk())


@settings(max_examples=150, deadline=None)
@given(pairs())
def test_everybody_agrees_on_what_is_enabled(pair: tuple[Resource, Resource]) -> None:
    asked, draft = pair
    definition = Definition(asked)
    enablement = Enablement(ResponseTree(definition, draft))
    enabled = list(dict.fromkeys(node.item.link_id for node in enablement.enabled()))
    assert enabled_items(asked, draft) == enabled
    # What leaves is enabled, and enabling it again changes nothing: resuming is stable.
    sent = completed(definition, draft, now=NOW)
    again = Enablement(ResponseTree(definition, sent))
    still = list(dict.fromkeys(n.item.link_id for n in again.enabled()))
    # An instance of a repeating group in which nothing was answered does not leave, and what only
    # it enabled goes with it.
    assert set(still) <= set(enabled)
    if not any(_is_empty_instance(node) for node in enablement.tree.nodes()):
        assert still == enabled
    assert completed(definition, sent, now=NOW) == sent
    # Pages show nothing else.
    shown = {n.item.link_id for page in pages(enablement) for n in page.nodes}
    assert shown <= set(enabled)


@settings(max_examples=150, deadline=None)
@given(pairs())
def test_no_answer_to_what_is_disabled_ever_leaves(pair: tuple[Resource, Resource]) -> None:
    asked, draft = pair
    definition = Definition(asked)
    sent = completed(definition, draft, now=NOW)
    assert "disabled" not in {issue.code for issue in issues(definition, sent)}
    tree = ResponseTree(definition, sent)
    enablement = Enablement(tree)
    assert all(enablement.is_enabled(node) for node in tree.nodes() if node.answers)


@settings(max_examples=150, deadline=None)
@given(pairs())
def test_nothing_that_nobody_could_see_blocks_anybody(pair: tuple[Resource, Resource]) -> None:
    asked, draft = pair
    definition = Definition(asked)
    sent = completed(definition, draft, now=NOW)
    enablement = Enablement(ResponseTree(definition, sent))
    enabled = {node.item.link_id for node in enablement.enabled()}
    for issue in issues(definition, sent):
        if issue.severity == "error" and issue.code in ("required", "group-required"):
            assert issue.link_id in enabled
            assert not definition.by_link_id[issue.link_id].hidden
