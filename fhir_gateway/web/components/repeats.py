"""Add another, and remove: questions with several answers, and groups with several instances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Item
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.web.components import labels
from fhir_gateway.web.components.part import Params, Part, Slot
from fhir_gateway.web.components.targets import group_id
from fhir_gateway.web.fields import field_name
from fhir_gateway.web.fields.names import DO, count_name
from fhir_gateway.web.fields.sheet import MAX_SLOTS

if TYPE_CHECKING:
    from fhir_gateway.web.components.drawing import Drawing


def most(item: Item) -> int:
    """How many answers or instances can be given."""
    limit = item.extension(ext.MAX_OCCURS)
    return min(limit, MAX_SLOTS) if isinstance(limit, int) and limit > 0 else MAX_SLOTS


def slots(drawing: Drawing, node: Node, title: Params) -> list[Part]:
    """A question with several answers: a field for each, and a button for one more."""
    count = drawing.sheet.slots(node.address)
    text = labels.question_text(drawing, node.item)
    hidden = Part("hidden", {"name": f"{field_name(node)}~n", "value": str(count)})
    inner: list[Part] = [hidden]
    for index in range(count):
        label = title if count == 1 else {"text": f"{text} {index + 1}", "size": "s"}
        inner.extend(drawing.slot(Slot(node, label, f"~{index}")))
        inner.extend(drawing.nested(node, index))
        if count > 1:
            inner.append(_remove(drawing, f"{field_name(node)}~{index}", f"{text} {index + 1}"))
    if count < most(node.item):
        inner.append(_add(drawing, field_name(node), text))
    return [Part("fieldset", {"legend": title}, inner)] if count > 1 else inner


def instances(drawing: Drawing, nodes: list[Node], *, heading: bool) -> list[Part]:
    """The instances of a repeating group: each a block of its own, and a button for one more."""
    first = nodes[0]
    text = labels.question_text(drawing, first.item)
    level = 2 if heading else 3
    parts: list[Part] = []
    if not heading:
        parts.append(Part("heading", {"text": text, "size": "m", "level": 2}))
    parts.extend(labels.before(drawing, Slot(first, {})) if first.item.children else [])
    parts.append(Part("hidden", {"name": count_name(first), "value": str(len(nodes))}))
    for number, node in enumerate(nodes, 1):
        inner = drawing.inside(node, skip_notes=True)
        if len(nodes) > 1:
            inner.append(_remove(drawing, field_name(node), f"{text} {number}"))
        params = {
            "id": group_id(node),
            "heading": f"{text} {number}" if len(nodes) > 1 else "",
            "level": level,
            "label": f"{text} {number}",
        }
        error = drawing.errors.get(node.address)
        if error:
            params["error"] = error.text
        parts.append(Part("instance", params, inner))
    if len(nodes) < most(first.item):
        parts.append(_add(drawing, count_name(first).partition(":")[2], text))
    return parts


def _add(drawing: Drawing, name: str, text: str) -> Part:
    return Part(
        "action",
        {
            "name": DO,
            "value": f"add:{name}",
            "text": drawing.words.say("Add another"),
            "about": text,
        },
    )


def _remove(drawing: Drawing, name: str, about: str) -> Part:
    return Part(
        "action",
        {
            "name": DO,
            "value": f"remove:{name}",
            "text": drawing.words.say("Remove"),
            "about": about,
        },
    )
