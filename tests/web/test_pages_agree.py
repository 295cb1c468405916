"""Property tests: whatever the Questionnaire and the answers, pages, resuming, submitting and the
validator agree on what is enabled; nothing disabled leaves; nothing that is not shown blocks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from starlette.datastructures import FormData

from fhir_gateway.journey.flow import CHECK, Flow, Step, StepKind
from fhir_gateway.journey.requests import tried
from fhir_gateway.questionnaire import enabled_items, validate_response
from fhir_gateway.questionnaire.completion import completed
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.population import populated
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.store.drafts import Progress
from fhir_gateway.web import turn as turns
from fhir_gateway.web.components import Part
from fhir_gateway.web.drawn import draw
from fhir_gateway.web.fields import Sheet, field_name, is_shown
from fhir_gateway.web.fields.names import SHOWN, count_name, has_slots
from tests.web.forms import CORE, control, form, item, options
from tests.web.previewing import NOW

MAX_TURNS, MAX_DEPTH = 40, 3
#: Without shrinking, which takes minutes on random forms; the seed is printed.
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
KINDS = ("boolean", "choice", "string", "integer", "date", "open-choice", "display")


@st.composite
def conditions(draw_: st.DrawFn, sources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """enableWhens on items that came before."""
    found = []
    for source in draw_(st.lists(st.sampled_from(sources), max_size=2)) if sources else []:
        condition: dict[str, Any] = {"question": source["linkId"]}
        if draw_(st.booleans()):
            condition |= {"operator": "exists", "answerBoolean": draw_(st.booleans())}
        elif source["type"] == "boolean":
            operator = draw_(st.sampled_from(["=", "!="]))
            condition |= {"operator": operator, "answerBoolean": draw_(st.booleans())}
        elif source["type"] in ("choice", "open-choice"):
            coding = {"system": "https://example.org/cs", "code": draw_(st.sampled_from("ab"))}
            operator = draw_(st.sampled_from(["=", "!="]))
            condition |= {"operator": operator, "answerCoding": coding}
        else:
            condition |= {"operator": "exists", "answerBoolean": True}
        found.append(condition)
    return found


def kinds_of(depth: int) -> tuple[str, ...]:
    return (*KINDS, "group") if depth < MAX_DEPTH else KINDS


@st.composite
def traits(draw_: st.DrawFn, kind: str) -> dict[str, Any]:
    """What an item of a type can be besides: required, repeating, hidden, with options."""
    one: dict[str, Any] = {}
    if kind != "display":
        one["required"] = draw_(st.booleans())
    if kind in ("choice", "open-choice"):
        one["answerOption"] = options("a", "b")
    if kind not in ("display", "boolean"):
        one["repeats"] = draw_(st.sampled_from([False, False, True]))
    if draw_(st.integers(0, 9)) == 0 and kind != "group":
        one["extension"] = [{"url": f"{CORE}/questionnaire-hidden", "valueBoolean": True}]
    return one


@st.composite
def items(
    draw_: st.DrawFn, number: Iterator[int], sources: list[dict[str, Any]], depth: int
) -> list[dict[str, Any]]:
    """Some items, which depend on those before them."""
    found = []
    for _ in range(draw_(st.integers(1, 4))):
        kind = draw_(st.sampled_from(kinds_of(depth)))
        one = item(f"q{next(number)}", kind)
        enable = draw_(conditions(sources))
        if enable:
            one["enableWhen"] = enable
            one["enableBehavior"] = draw_(st.sampled_from(["all", "any"]))
        one |= draw_(traits(kind))
        if kind == "group":
            one["item"] = draw_(items(number, sources, depth + 1))
            if draw_(st.booleans()):
                one["extension"] = [control("page")]
        elif kind != "display":
            if depth < 3 and draw_(st.integers(0, 4)) == 0:
                one["item"] = draw_(items(number, [*sources, one], 3))
            sources.append(one)
        found.append(one)
    return found


@st.composite
def questionnaires(draw_: st.DrawFn) -> dict[str, Any]:
    return form(*draw_(items(iter(range(1, 1000)), [], 1)))


def flow_of(definition: Definition, progress: Progress) -> Flow:
    return Flow(definition, progress, now=NOW)


def begun(questionnaire: dict[str, Any]) -> Flow:
    definition = Definition(questionnaire)
    return flow_of(definition, Progress(response=populated(definition, now=NOW)))


def open_names(parts: list[Part]) -> set[str]:
    """The questions that a page shows without scripts."""
    names = set()
    for part in parts:
        if part.macro == "hidden" and part.params["name"] == SHOWN:
            names.add(part.params["value"])
        if part.macro != "reveal" or part.params["open"]:
            names |= open_names(part.inner)
    return names


Choose = Callable[[list[Any]], Any]


def filled(choose: Choose, flow: Flow, step: Step, *, eager: bool = True) -> FormData:
    """What somebody posts for a page. `eager`: every question is answered."""
    pairs: list[tuple[str, str]] = []
    for top in step.page.nodes if step.page else ():
        for node in top.walk():
            if node.item.type == "group" and node.item.repeats:
                pairs.append((count_name(node), str(node.index + 1)))
            if is_shown(node) and flow.enablement.is_enabled(node):
                pairs.append((SHOWN, field_name(node)))
                if eager or choose([True, False]):
                    pairs.extend(answer(choose, node))
    return FormData(pairs)


def answer(choose: Choose, node: Node) -> list[tuple[str, str]]:
    name = field_name(node) + ("~0" if has_slots(node.item) else "")
    match node.item.type:
        case "boolean":
            return [(name, choose(["true", "false"]))]
        case "choice" | "open-choice":
            return [(name, choose(["a", "b"]))]
        case "date":
            return [(f"{name}-day", "1"), (f"{name}-month", "2"), (f"{name}-year", "2020")]
        case _:
            return [(name, choose(["1", "22"]))]


def enabled_names(flow: Flow, step: Step) -> set[str]:
    nodes = step.page.questions if step.page else []
    known = set(enabled_items(flow.definition.raw, flow.progress.response))
    return {
        field_name(node)
        for node in nodes
        if is_shown(node) and flow.enablement.is_enabled(node) and node.item.link_id in known
    }


def assert_nothing_disabled_leaves(flow: Flow) -> None:
    response = completed(flow.definition, flow.progress.response, now=NOW)
    enabled = set(enabled_items(flow.definition.raw, response))

    def check(holder: dict[str, Any]) -> None:
        for element in holder.get("item", []):
            assert element["linkId"] in enabled
            check(element)
            for given_ in element.get("answer", []):
                check(given_)

    check(response)
    outcome = validate_response(flow.definition.raw, response, now=NOW)
    codes = [c["code"] for i in outcome["issue"] for c in i.get("details", {}).get("coding", [])]
    assert "disabled" not in codes


def assert_what_blocks_can_be_seen(flow: Flow) -> None:
    """Everything that is wrong belongs to a page on which somebody can mend it."""
    pages = [s.page for s in flow.steps if s.page]
    for issue in flow.issues:
        page = next((p for p in pages if issue in flow.page_issues(p.nodes)), None)
        assert page is not None, issue
        assert any(is_shown(n) and flow.enablement.is_enabled(n) for n in page.questions), issue


@pytest.mark.hazard("H21")
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(st.data())
def test_pages_resuming_and_submitting_agree_whatever_is_answered(data: st.DataObject) -> None:
    flow = begun(data.draw(questionnaires()))
    for _ in range(data.draw(st.integers(1, 12))):
        steps = [s for s in flow.steps if s.kind is StepKind.PAGE and flow.reachable(s)]
        if not steps:
            break
        step = data.draw(st.sampled_from(steps))
        shown_flow, sheet = turns.opened(flow, step)
        drawn = draw(shown_flow, step, sheet, {})
        assert open_names(drawn.parts) == enabled_names(flow, step)

        def choose(values: list[Any]) -> Any:
            return data.draw(st.sampled_from(values))

        turn = turns.take(flow, step, filled(choose, flow, step, eager=False))
        if not turn.again:
            flow = tried(turn.base, step, turn.answers)
        assert_nothing_disabled_leaves(flow)
        assert_what_blocks_can_be_seen(flow)
        kept = Progress(**json.loads(json.dumps(asdict(flow.progress))))
        resumed = flow_of(flow.definition, kept)
        assert [(s.kind, s.name) for s in resumed.steps] == [(s.kind, s.name) for s in flow.steps]
        assert resumed.first_open().name == flow.first_open().name


@pytest.mark.hazard("H21")
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(questionnaires(), st.integers(0, 2**32))
def test_whoever_answers_what_is_asked_gets_to_the_end_with_a_valid_response(
    questionnaire: dict[str, Any], seed: int
) -> None:
    chance = Random(seed)
    flow = begun(questionnaire)
    for _ in range(MAX_TURNS):
        step = flow.first_open()
        if step.kind is StepKind.CHECK:
            break
        turn = turns.take(flow, step, filled(chance.choice, flow, step))
        if turn.again:
            # A question appeared: it is answered in the next round, from the page as shown.
            shown = turn.flow.step(step.kind, step.name) or step
            turn = turns.take(flow, step, filled(chance.choice, turn.flow, shown))
        assert not turn.errors
        if not turn.again:
            flow = tried(turn.base, step, turn.answers)
    assert flow.first_open().kind is CHECK.kind
    response = completed(flow.definition, flow.progress.response, now=NOW)
    assert not flow.issues
    outcome = validate_response(flow.definition.raw, response, now=NOW)
    assert not [i for i in outcome["issue"] if i["severity"] in ("error", "fatal")]


def test_a_sheet_without_an_instance_moves_those_after_it_up() -> None:
    group = lambda index, *rest: (("g", index), *rest)  # noqa: E731 - an address, spelled short
    sheet = Sheet(
        {
            group(0, ("a", 0)): {"": ["x"]},
            group(1, ("a", 0)): {"": ["y"]},
            group(2, ("a", 0)): {"": ["z"]},
        },
        {group(0): 3, group(2, ("h", 0)): 2},
    )
    left = sheet.without(group(1))
    assert left.typed == {group(0, ("a", 0)): {"": ["x"]}, group(1, ("a", 0)): {"": ["z"]}}
    assert left.counts == {group(0): 2, group(1, ("h", 0)): 2}
