"""Answers read back before they are sent: by section, each with a link to change it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fhir_gateway.journey.flow import Flow, Step, StepKind
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Item
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.web import display
from fhir_gateway.web.components import first_field
from fhir_gateway.web.fields import is_shown
from fhir_gateway.web.fields.names import is_explaining, is_hidden
from fhir_gateway.web.words import ENGLISH, Words

#: A page that was opened from the check page returns there.
CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Row:
    """One question with its answers and where to change them ('': they cannot be changed)."""

    label: str
    answers: list[str]
    change: str


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one section of the Questionnaire, or of one instance of a repeating group."""

    title: str
    rows: list[Row]


def sections(flow: Flow, path_of: Callable[[Step], str], words: Words = ENGLISH) -> list[Section]:
    """Every answer that will be sent, in order."""
    found: list[Section] = []
    last: tuple[Item | None, int] = (None, -1)
    for step in flow.steps:
        if step.kind is not StepKind.PAGE or step.page is None:
            continue
        address = f"{path_of(step)}?{CHANGE}=1"
        for node in step.page.questions:
            if not _is_read_back(flow, node):
                continue
            instance = _instance(node)
            place = (instance.item, instance.index) if instance else (step.page.section, -1)
            if place != last or not found:
                found.append(Section(_title(flow, instance, place[0]), []))
                last = place
            found[-1].rows.append(_row(flow, node, address, words))
    return [section for section in found if section.rows]


def _is_read_back(flow: Flow, node: Node) -> bool:
    if is_hidden(node) or is_explaining(node.item) or not flow.enablement.is_enabled(node):
        return False
    # What is nested waits for the question above it; what is read-only is said when it is known.
    return is_shown(node) or bool(node.answers)


def _instance(node: Node) -> Node | None:
    """The nearest repeating group above a question."""
    here = node.parent
    while here is not None:
        if here.item.type == "group" and here.item.repeats:
            return here
        here = here.parent
    return None


def _title(flow: Flow, instance: Node | None, section: Item | None) -> str:
    if section is None:
        return ""
    text = flow.texts.text(section)
    return f"{text} {instance.index + 1}".strip() if instance is not None else text


def _row(flow: Flow, node: Node, address: str, words: Words) -> Row:
    label = flow.texts.short_text(node.item) or flow.texts.plain(node.item)
    return Row(
        label=label or words.say("Your answer"),
        answers=_answers(node, words),
        change=f"{address}#{first_field(node)}" if is_shown(node) else "",
    )


def _answers(node: Node, words: Words) -> list[str]:
    if node.item.extension(ext.VERIFY_CONTACT) is not None:
        # The steps only reach here when a code that was asked for has been accepted.
        return [words.say("Confirmed" if node.values == [True] else "Not used")]
    return display.answers(node, words)
