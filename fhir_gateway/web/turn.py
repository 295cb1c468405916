"""One turn at a page: what the posted form says, and whether the page is done.

A turn ends with the page again (something is wrong, or a button of the page was pressed: add
another, remove, search, upload) or with answers to keep. Everything a page shows beside its kept
answers is in its form, so the server keeps nothing in between, and nothing that was typed is lost.
Pure but for `keep`, which takes files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from starlette.datastructures import FormData

from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.journey.flow import Flow, Step, StepKind
from fhir_gateway.journey.requests import tried, with_response
from fhir_gateway.questionnaire.instances import with_instances, without_instance
from fhir_gateway.questionnaire.response import Address, Node
from fhir_gateway.web import actions, fields, messages
from fhir_gateway.web.actions import first_of, is_instance
from fhir_gateway.web.components import FieldError
from fhir_gateway.web.fields import Posted, Sheet
from fhir_gateway.web.fields.names import DO, field_name
from fhir_gateway.web.fields.options import control_of, is_choice, options
from fhir_gateway.web.fields.reading import Keep, shown_count, shown_names
from fhir_gateway.web.fields.sheet import MAX_SLOTS, Problem
from fhir_gateway.web.words import ENGLISH, Words

_ANSWER_INDEX = re.compile(r"\.answer\[(\d+)\]$")


@dataclass(frozen=True, slots=True)
class Turn:
    """How a turn ended.

    `flow`: to draw the page from when it is shown again, else what comes after it. `answers`: to
    be kept, by address in `base`. `again`: the page is shown again, with `sheet` and `errors`.
    `files`: answers of questions for files, kept in any case. `shown`: the questions that the page
    showed.
    """

    base: Flow
    flow: Flow
    sheet: Sheet
    answers: dict[Address, list[Element]]
    errors: dict[Address, FieldError] = field(default_factory=dict)
    again: bool = False
    files: dict[Address, list[Element]] = field(default_factory=dict)
    shown: frozenset[Address] = frozenset()
    #: What is kept of the draft when an instance of a group was removed.
    shortened: Resource | None = None


def opened(flow: Flow, step: Step) -> tuple[Flow, Sheet]:
    """A page before anything is posted: as many instances as there are, or as the author wants at
    least."""
    nodes = step.page.nodes if step.page else ()
    sheet = fields.sheet_of(nodes, flow.definition)
    for node in (n for top in nodes for n in top.walk()):
        least = node.item.min_occurs
        if node.item.type == "group" and node.item.repeats and least:
            first = first_of(node)
            sheet.counts[first] = max(sheet.counts.get(first, 1), min(least, MAX_SLOTS))
    return _laid(flow, sheet.counts), sheet


def take(
    flow: Flow, step: Step, form: FormData, *, keep: Keep | None = None, words: Words = ENGLISH
) -> Turn:
    """Take what was posted for a page."""
    base, counts = _as_shown(flow, step, form)
    here = base.step(step.kind, step.name) or step
    nodes = _answerable(base, here, form)
    posted = fields.read(nodes, form, flow.definition, keep, base.scope)
    posted.sheet.counts.update(counts)
    shown = frozenset(node.address for node in nodes)
    files = {n.address: posted.answers[n.address] for n in nodes if n.item.type == "attachment"}
    action = form.get(DO)
    turn = Turn(base, base, posted.sheet, posted.answers, files=files, shown=shown)
    if isinstance(action, str) and action:
        return _act(turn, here, posted, action, words, flow)
    open_search = _open_searches(nodes, posted, flow)
    if open_search and not posted.problems:
        return replace(turn, flow=_laid(base, counts, posted.answers), again=True)
    return _judge(turn, here, posted, words)


def _act(turn: Turn, step: Step, posted: Posted, action: str, words: Words, kept: Flow) -> Turn:
    """A button of the page itself was pressed."""
    kind, _, name = action.partition(":")
    nodes = [n for top in (step.page.nodes if step.page else ()) for n in top.walk()]
    sheet, base, answers = posted.sheet, turn.base, dict(posted.answers)
    if kind == "add":
        actions.add(sheet, nodes, name)
    elif kind == "remove":
        group = next((n for n in nodes if is_instance(n) and field_name(n) == name), None)
        if group is not None:
            return _removed(turn, posted, group.address, kept)
        actions.remove_answer(sheet, nodes, answers, name)
    elif kind == "drop":
        actions.drop_file(nodes, turn.files, answers, name)
    errors = _of_problems(
        [p for p in posted.problems if p.kind.startswith("file-")],
        {n.address: n for n in nodes},
        base,
        words,
    )
    laid_flow = _laid(base, sheet.counts, answers)
    return replace(turn, flow=laid_flow, sheet=sheet, errors=errors, again=True)


def _removed(turn: Turn, posted: Posted, group: Address, kept: Flow) -> Turn:
    """One instance of a group is gone, with what is kept of it: what is typed in others stays."""
    laid = with_instances(turn.base.tree, posted.sheet.counts, posted.answers)
    shown = with_response(turn.base, laid)
    base = with_response(shown, without_instance(shown.tree, group))
    sheet = posted.sheet.without(group)
    shortened = without_instance(kept.tree, group)
    flow = _laid(base, sheet.counts)
    return replace(turn, base=base, flow=flow, sheet=sheet, again=True, shortened=shortened)


def _judge(turn: Turn, step: Step, posted: Posted, words: Words) -> Turn:
    """The page is handed in: keep it, or say what is wrong."""
    nodes = {n.address: n for top in (step.page.nodes if step.page else ()) for n in top.walk()}
    errors = _of_problems(posted.problems, nodes, turn.base, words)
    several = any(count > 1 for count in posted.sheet.counts.values())
    if errors and several:
        # The validator leaves out what holds no answer yet, so its places would not be these.
        return replace(
            turn,
            flow=_laid(turn.base, posted.sheet.counts, posted.answers),
            errors=_ordered(errors, nodes),
            again=True,
        )
    sheet = _without_blanks(posted, nodes)
    after = tried(turn.base, step, posted.answers)
    here = after.step(step.kind, step.name)
    if here is not None and here.page is not None:
        nodes = {n.address: n for top in here.page.nodes for n in top.walk()}
        for issue in after.page_issues(here.page.nodes):
            # What a section misses is said at the question with which it ends.
            address = issue.address if issue.address in nodes else here.page.main.address
            if address in nodes and address not in errors:
                about = after.definition.by_link_id.get(issue.link_id, nodes[address].item)
                text = messages.of_issue(issue, about, after.texts, words)
                slot = _slot_of(issue.expression, posted.slots.get(address, []))
                errors[address] = FieldError(text, slot=slot)
    # A question that only now appeared is shown first, before it can be wrong.
    told = {a: e for a, e in errors.items() if a in turn.shown or not nodes[a].item.is_question}
    return replace(turn, flow=after, sheet=sheet, errors=_ordered(told, nodes), again=bool(errors))


def appeared(turn: Turn, step: Step) -> bool:
    """Whether the answers opened questions on the page that were not shown when it was posted."""
    here = turn.flow.step(step.kind, step.name)
    page = here.page if here else None
    return page is not None and any(
        fields.is_shown(node)
        and not node.answers
        and node.address not in turn.shown
        and turn.flow.enablement.is_enabled(node)
        for node in page.questions
    )


def following_step(turn: Turn, step: Step, *, change: bool) -> Step:
    """Where to go: on to the next step, or, after a change, to what became open, then back to the
    check page. A page on which a new question appeared is shown again first."""
    after: Flow = turn.flow
    here = after.step(StepKind.PAGE, step.name)
    if here is None:
        return after.first_open()
    if appeared(turn, here):
        return here
    return after.first_open() if change else after.after(here)


def _answerable(flow: Flow, step: Step, form: FormData) -> list[Node]:
    """The questions that the page showed: as it says itself, or those that are enabled."""
    questions = step.page.questions if step.page else []
    shown = shown_names(form)
    if shown:
        return [node for node in questions if field_name(node) in shown]
    return [n for n in questions if fields.is_shown(n) and flow.enablement.is_enabled(n)]


def _as_shown(flow: Flow, step: Step, form: FormData) -> tuple[Flow, dict[Address, int]]:
    """The page with as many instances as it had in the browser; groups within new instances come
    to light one level at a time."""
    counts: dict[Address, int] = {}
    for _ in range(_MAX_LEVELS):
        here = flow.step(step.kind, step.name) or step
        found = {
            first_of(node): max(1, shown_count(form, node))
            for top in (here.page.nodes if here.page else ())
            for node in top.walk()
            if is_instance(node)
        }
        if found == counts:
            break
        counts = found
        flow = _laid(flow, counts)
    return flow, counts


_MAX_LEVELS = 4


def _laid(
    flow: Flow,
    counts: Mapping[Address, int],
    answers: Mapping[Address, list[Element]] | None = None,
) -> Flow:
    if not counts and not answers:
        return flow
    return with_response(flow, with_instances(flow.tree, counts, answers))


def _open_searches(nodes: Sequence[Node], posted: Posted, flow: Flow) -> bool:
    """Whether something was typed to search for and nothing chosen yet: pressing Enter in a search
    field should search. What is an option's very words is taken as chosen."""
    waiting = False
    for node in nodes:
        if not is_choice(node.item) or posted.answers.get(node.address):
            continue
        text = posted.sheet.text(node.address, "-search").strip()
        if not text or text == posted.sheet.text(node.address, "-searched"):
            continue
        found = options(node, flow.definition, flow.scope)
        if control_of(node.item, len(found)) != "search":
            continue
        exact = [o for o in found if o.label.casefold() == text.casefold()]
        if len(exact) == 1:
            posted.answers[node.address] = [exact[0].answer]
            posted.sheet.put(node.address, "", [exact[0].key])
        else:
            waiting = True
    return waiting


def _without_blanks(posted: Posted, nodes: Mapping[Address, Node]) -> Sheet:
    """The sheet without the instances in which nothing is answered, as they are not kept."""
    sheet = posted.sheet
    for address in sorted(nodes, reverse=True):
        node = nodes[address]
        if not is_instance(node) or sheet.counts.get(first_of(node), 1) <= 1:
            continue
        if not any(_has_answer(n, posted) for n in node.walk()):
            sheet = sheet.without(address)
    return sheet


def _has_answer(node: Node, posted: Posted) -> bool:
    return bool(posted.answers.get(node.address, node.answers))


def _of_problems(
    problems: Sequence[Problem], nodes: Mapping[Address, Node], flow: Flow, words: Words
) -> dict[Address, FieldError]:
    errors: dict[Address, FieldError] = {}
    for problem in problems:
        if problem.address in nodes:
            item = nodes[problem.address].item
            text = messages.of_problem(problem, item, flow.texts, words)
            errors.setdefault(problem.address, FieldError(text, problem.parts, problem.slot))
    return errors


def _slot_of(expression: str, slots: Sequence[str]) -> str:
    match = _ANSWER_INDEX.search(expression)
    index = int(match[1]) if match else 0
    return slots[index] if index < len(slots) else ""


def _ordered(
    errors: Mapping[Address, FieldError], nodes: Mapping[Address, Node]
) -> dict[Address, FieldError]:
    """In document order; a group needs no error of its own when a question in it has one."""
    return {
        address: errors[address]
        for address in nodes
        if address in errors
        and not any(o[: len(address)] == address and o != address for o in errors)
    }
