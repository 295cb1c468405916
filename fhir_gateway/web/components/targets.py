"""Where links lead: the first field of a question, or of what is wrong in it."""

from __future__ import annotations

from fhir_gateway.questionnaire.response import Node
from fhir_gateway.web.components.part import FieldError, Slot
from fhir_gateway.web.fields import field_id, is_shown
from fhir_gateway.web.fields.moments import parts_of

_MOMENTS = frozenset({"date", "dateTime", "time"})


def first_field(node: Node) -> str:
    """The id that a link of the error summary leads to: the first field of a question or group."""
    if node.item.type == "group":
        inner = next((n for n in node.walk() if is_shown(n)), None)
        return first_field(inner) if inner else f"{group_id(node)}-error"
    return target(node, FieldError(""))


def target(node: Node, error: FieldError) -> str:
    """The id of the field that an error is about."""
    if node.item.type == "group":
        return first_field(node)
    slot = Slot(node, {}, error.slot)
    if node.item.type in _MOMENTS:
        return f"{slot.id}-{(error.parts or parts_of(node.item))[0]}"
    if node.item.type == "quantity" and error.parts:
        return f"{slot.id}-{error.parts[0]}"
    if node.item.type == "attachment":
        return f"{slot.id}-file"
    return slot.id


def group_id(node: Node) -> str:
    """The id of what stands around a group's fields."""
    return f"group-{field_id(node)}" if node.item.type != "group" else f"group-{_order(node)}"


def _order(node: Node) -> str:
    places = "-".join(str(index) for _, index in node.address)
    return f"{node.item.order}-{places}"
