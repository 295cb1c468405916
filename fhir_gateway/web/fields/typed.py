"""What fields show for answers that are kept."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_gateway.fhir.types import Element, as_dict, as_str
from fhir_gateway.questionnaire.definition import Definition, Item
from fhir_gateway.questionnaire.response import Node, value_of
from fhir_gateway.web.fields.names import has_slots
from fhir_gateway.web.fields.options import FREE_TEXT, identity, is_choice, options
from fhir_gateway.web.fields.sheet import MAX_SLOTS, Sheet


def typed_values(nodes: Sequence[Node], definition: Definition) -> Sheet:
    """What the fields of these questions show, before anything is posted."""
    return sheet_of(nodes, definition)


def sheet_of(nodes: Sequence[Node], definition: Definition) -> Sheet:
    """What the fields of these instances and of all below them show."""
    sheet = Sheet()
    for node in (n for top in nodes for n in top.walk()):
        if node.item.type == "group" and node.item.repeats:
            first = (*node.address[:-1], (node.item.link_id, 0))
            sheet.counts[first] = max(sheet.counts.get(first, 1), node.index + 1)
        elif node.item.is_question and not sheet.typed.get(node.address):
            _put(sheet, node, definition)
    return sheet


def _put(sheet: Sheet, node: Node, definition: Definition) -> None:
    if not has_slots(node.item):
        for suffix, texts in _texts(node, node.answers, definition).items():
            sheet.put(node.address, suffix, texts)
        return
    sheet.put(
        node.address,
        "~n",
        [str(max(1, len(node.answers), min(node.item.min_occurs or 0, MAX_SLOTS)))],
    )
    for index, answer in enumerate(node.answers):
        for suffix, texts in _texts(node, [answer], definition).items():
            sheet.put(node.address, f"~{index}{suffix}", texts)


def _texts(node: Node, answers: Sequence[Element], definition: Definition) -> dict[str, list[str]]:
    item = node.item
    if is_choice(item):
        return _choices(node, answers, definition)
    value = value_of(answers[0])[1] if answers else None
    if value is None:
        return {}
    match item.type:
        case "date" | "dateTime" | "time":
            return moment_texts(item, as_str(value))
        case "boolean":
            return {"": ["true" if value is True else "false"]}
        case "quantity":
            quantity = as_dict(value)
            unit = as_str(quantity.get("code")) or as_str(quantity.get("unit"))
            return {"": [_plain(quantity.get("value"))], "-unit": [unit]}
        case "reference":
            reference = as_dict(value)
            return {"": [as_str(reference.get("display")) or as_str(reference.get("reference"))]}
        case "attachment":
            return {}
        case _:
            return {"": [_plain(value)]}


def moment_texts(item: Item, iso: str) -> dict[str, list[str]]:
    """The parts of a date, time or both."""
    day, _, clock = ("", "", iso) if item.type == "time" else iso.partition("T")
    texts = {}
    for part, text in zip(("year", "month", "day"), filter(None, day.split("-")), strict=False):
        texts[f"-{part}"] = [text.lstrip("0")]
    for part, text in zip(("hour", "minute"), filter(None, clock[:5].split(":")), strict=False):
        texts[f"-{part}"] = [text]
    return texts


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _choices(
    node: Node, answers: Sequence[Element], definition: Definition
) -> dict[str, list[str]]:
    keys = {identity(option.answer): option.key for option in options(node, definition)}
    chosen: list[str] = []
    texts: dict[str, list[str]] = {"": chosen}
    for answer in answers:
        key = keys.get(identity(answer))
        if key is not None:
            chosen.append(key)
        elif node.item.type == "open-choice":
            kind, value = value_of(answer)
            chosen.append(FREE_TEXT)
            texts["-other"] = [
                as_str(as_dict(value).get("display")) or str(value if kind != "Coding" else "")
            ]
    return texts
