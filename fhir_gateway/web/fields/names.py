"""What the fields of a question are called in a form, and their ids in a page.

A question's field has the linkId as its name; within repeating groups the positions of the groups
follow (`phone@1`). Fields of one question have suffixes: `-day` a part, `~0` one of its answers,
`~0-day` a part of one of its answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fhir_gateway.questionnaire.definition import CHOICE_TYPES, QUESTION_TYPES, Item
from fhir_gateway.questionnaire.response import Node

#: Item types that a page can show; lint refuses the others (docs/questionnaires.md).
SHOWN_TYPES = QUESTION_TYPES
DATE_PARTS = ("day", "month", "year")
TIME_PARTS = ("hour", "minute")

#: Names of fields that carry what is no answer.
SHOWN, DO, COUNT = "~shown", "~do", "~count:"
#: Names that a page's own fields have, so that no linkId may take them.
_RESERVED = frozenset({"form_token", "change", "do"})
#: itemControl codes with which others mark text items that only explain (Helsenorge).
_EXPLAINING = frozenset({"help", "inline", "highlight", "sidebar", "help-link"})

_SIMPLE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
#: Ends that ids of other elements have: such a linkId is no id, or two elements could share one.
_TAKEN = re.compile(
    r"(.*-(\d+|day|month|year|hour|minute|other|search|unit|file|hint|error|info|label|title|value)"
    r"|maincontent|main-content|group-.*|item-.*|error-summary.*)",
    re.IGNORECASE,
)


def field_name(node: Node) -> str:
    """The name of a question's field, or of a group: its linkId, and where groups repeat, or a
    question above has several answers, their positions."""
    name = node.item.link_id
    if name in _RESERVED or name.startswith("~"):
        name = f"q:{name}"
    return "@".join([name, *(str(position) for position in _positions(node))])


def field_id(node: Node) -> str:
    """The HTML id of a question's first field."""
    name = field_name(node)
    if _SIMPLE.fullmatch(name) and not _TAKEN.fullmatch(name):
        return name
    return "-".join([f"item-{node.item.order}", *(str(p) for p in _positions(node))])


def count_name(node: Node) -> str:
    """The name of the field that says how many instances of a repeating group a page shows; all
    instances give the same."""
    positions = _positions(node)[:-1] if node.item.repeats else _positions(node)
    return COUNT + "@".join([node.item.link_id, *(str(p) for p in positions)])


def is_shown(node: Node) -> bool:
    """Whether a person may answer this question on a page now."""
    return is_answerable(node) and not waits(node)


def is_answerable(node: Node) -> bool:
    """Whether this is a question for people, now or when the question above it is answered."""
    item = node.item
    answerable = item.is_question and not item.read_only and not is_hidden(node)
    return answerable and not is_explaining(item)


def is_hidden(node: Node) -> bool:
    """Whether the item or anything above it is never shown."""
    here: Node | None = node
    while here is not None:
        if here.item.hidden:
            return True
        here = here.parent
    return False


def is_explaining(item: Item) -> bool:
    """Whether an item only says something: a display, or a text that others use as one."""
    if item.type == "display":
        return True
    return item.type == "text" and item.control in _EXPLAINING


def has_slots(item: Item) -> bool:
    """Whether each answer of a repeating question has a field of its own (choices that repeat are
    checkboxes, unless other questions stand below each answer)."""
    if not item.repeats or not item.is_question:
        return False
    nested = any(not is_explaining(child) for child in item.children)
    return nested or (item.type not in CHOICE_TYPES and not item.options)


def waits(node: Node) -> bool:
    """Whether a question above it, in whose answer it stands, has none at that place."""
    parent = node.parent
    while parent is not None:
        if parent.item.is_question and len(parent.answers) <= node.under_answer:
            return True
        node, parent = parent, parent.parent
    return False


def _positions(node: Node) -> list[int]:
    return list(_walk_positions(node))


def _walk_positions(node: Node) -> Iterator[int]:
    if node.parent is not None:
        yield from _walk_positions(node.parent)
        if node.parent.item.is_question and node.parent.item.repeats:
            yield node.under_answer
    if node.item.type == "group" and node.item.repeats:
        yield node.index
