"""What the buttons of a page do to its sheet: add another, remove one, drop a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fhir_gateway.fhir.types import Element
from fhir_gateway.questionnaire.response import Address, Node
from fhir_gateway.web.fields import Sheet
from fhir_gateway.web.fields.names import count_name, field_name, has_slots
from fhir_gateway.web.fields.sheet import MAX_SLOTS


def is_instance(node: Node) -> bool:
    """Whether it is an instance of a group that repeats."""
    return node.item.type == "group" and node.item.repeats


def first_of(node: Node) -> Address:
    """The address of the first instance beside this one."""
    return (*node.address[:-1], (node.item.link_id, 0))


def add(sheet: Sheet, nodes: Sequence[Node], name: str) -> None:
    """One more instance of a group, or one more answer to a question."""
    for node in nodes:
        if is_instance(node) and count_name(node).partition(":")[2] == name:
            first = first_of(node)
            sheet.counts[first] = min(sheet.counts.get(first, 1) + 1, MAX_SLOTS)
            return
        if has_slots(node.item) and field_name(node) == name:
            count = min(sheet.slots(node.address) + 1, MAX_SLOTS)
            sheet.put(node.address, "~n", [str(count)])
            return


def remove_answer(
    sheet: Sheet, nodes: Sequence[Node], answers: dict[Address, list[Element]], name: str
) -> None:
    """Take one answer of a repeating question away: those after it move up."""
    base, _, index = name.rpartition("~")
    node = next((n for n in nodes if has_slots(n.item) and field_name(n) == base), None)
    if node is None or not index.isdigit():
        return
    count, gone = sheet.slots(node.address), int(index)
    moved: dict[str, list[str]] = {"~n": [str(max(1, count - 1))]}
    for suffix, texts in sheet.typed.get(node.address, {}).items():
        match = re.fullmatch(r"~(\d+)(-.*)?", suffix)
        if match and int(match[1]) != gone:
            place = int(match[1]) - (int(match[1]) > gone)
            moved[f"~{place}{match[2] or ''}"] = texts
    sheet.typed[node.address] = moved
    kept = answers.get(node.address, [])
    answers[node.address] = [answer for i, answer in enumerate(kept) if i != gone]


def drop_file(
    nodes: Sequence[Node],
    files: dict[Address, list[Element]],
    answers: dict[Address, list[Element]],
    name: str,
) -> None:
    """Take a file of a question away."""
    base, _, index = name.rpartition("~")
    for node in nodes:
        if node.item.type == "attachment" and field_name(node) == base and index.isdigit():
            kept = [a for i, a in enumerate(files.get(node.address, [])) if i != int(index)]
            files[node.address] = answers[node.address] = kept
