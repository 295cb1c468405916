"""Dates and times in parts, the NHS way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_gateway.web.components import labels
from fhir_gateway.web.components.part import Part, Slot
from fhir_gateway.web.fields.moments import parts_of

if TYPE_CHECKING:
    from fhir_gateway.web.components.drawing import Drawing


def moment(drawing: Drawing, slot: Slot) -> list[Part]:
    """The fields of a date, of a time, or of both."""
    params = labels.grouped(drawing, slot)
    params["id"] = params.pop("idPrefix")
    error, parts = drawing.error(slot), parts_of(slot.node.item)
    wrong = (error.parts or parts) if error else ()
    params["items"] = [
        {
            "id": f"{slot.id}-{part}",
            "name": f"{slot.name}-{part}",
            "label": {"text": drawing.words.say(part.capitalize())},
            "width": 4 if part == "year" else 2,
            "value": drawing.typed(slot, f"-{part}"),
            "error": part in wrong,
        }
        for part in parts
    ]
    return [Part("date_input", params, labels.before(drawing, slot))]
