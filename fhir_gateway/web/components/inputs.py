"""Questions that are answered by typing: text, numbers, quantities, addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_gateway.fhir.types import as_dict, as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Item
from fhir_gateway.web.components import labels
from fhir_gateway.web.components.part import Params, Part, Slot
from fhir_gateway.web.fields.units import fixed_unit, is_open, units

if TYPE_CHECKING:
    from fhir_gateway.web.components.drawing import Drawing

#: For SDC's keyboard codes and for number types: what makes a phone show the right keys.
_KEYBOARDS: dict[str, Params] = {
    "phone": {"type": "tel"},
    "email": {"type": "email"},
    "url": {"type": "url"},
    "number": {"inputmode": "numeric"},
}
_TYPES: dict[str, Params] = {
    "integer": {"inputmode": "numeric", "width": 10},
    "decimal": {"inputmode": "decimal", "width": 10},
    "quantity": {"inputmode": "decimal", "width": 10},
    "url": {"type": "url"},
}


def single_line(drawing: Drawing, slot: Slot) -> list[Part]:
    """A text, number, address or reference on one line."""
    params = _field(drawing, slot)
    unit = labels.suffix(drawing, slot.node.item) or fixed_unit(slot.node.item)
    if unit:
        params["suffix"] = unit
        params.setdefault("width", 10)
    return [Part("input", params, labels.before(drawing, slot))]


def several_lines(drawing: Drawing, slot: Slot) -> list[Part]:
    """A longer text; with its limit counted when there is one."""
    params = labels.labelled(drawing, slot)
    limit = slot.node.item.raw.get("maxLength")
    params.update(value=drawing.typed(slot), rows=8, spellcheck=True)
    if isinstance(limit, int) and limit > 0:
        params.update(maxlength=limit, **drawing.words.character_count())
        return [Part("character_count", params, labels.before(drawing, slot))]
    return [Part("textarea", params, labels.before(drawing, slot))]


def quantity(drawing: Drawing, slot: Slot) -> list[Part]:
    """A number with its unit: said behind it, or chosen, or typed."""
    item = slot.node.item
    offered = units(item, drawing.definition)
    chosen = drawing.typed(slot, "-unit")
    error = drawing.error(slot)
    if len(offered) <= 1 and not is_open(item):
        params = _field(drawing, slot)
        unit = offered[0].label if offered else labels.suffix(drawing, item)
        if unit:
            params["suffix"] = unit
        return [Part("input", params, labels.before(drawing, slot))]
    number, unit_params = _value(drawing, slot), _unit(drawing, slot)
    if error and "unit" in error.parts:
        unit_params["errorMessage"] = {
            "text": error.text,
            "visuallyHiddenText": drawing.words.say("Error"),
        }
    elif error:
        number["errorMessage"] = {
            "text": error.text,
            "visuallyHiddenText": drawing.words.say("Error"),
        }
    if is_open(item):
        known = next((u.label for u in offered if u.key == chosen), chosen)
        unit_part = Part("input", {**unit_params, "value": known, "width": 10})
    else:
        choose = {"value": "", "text": drawing.words.say("Choose a unit")}
        unit_params["items"] = [choose] + [
            {"value": u.key, "text": u.label, "selected": u.key == chosen} for u in offered
        ]
        unit_part = Part("select", unit_params)
    legend: Params = {"legend": slot.title}
    common = labels.common(drawing, slot)
    if common.get("hint"):
        legend["hint"] = {"id": f"{slot.id}-hint", **common["hint"]}
    return [
        Part("fieldset", legend, [*labels.before(drawing, slot), Part("input", number), unit_part])
    ]


def _value(drawing: Drawing, slot: Slot) -> Params:
    return {
        "id": slot.id,
        "name": slot.name,
        "label": {"text": drawing.words.say("Amount"), "size": "s"},
        "value": drawing.typed(slot),
        **_TYPES["quantity"],
    }


def _unit(drawing: Drawing, slot: Slot) -> Params:
    return {
        "id": f"{slot.id}-unit",
        "name": f"{slot.name}-unit",
        "label": {"text": drawing.words.say("Unit"), "size": "s"},
    }


def _field(drawing: Drawing, slot: Slot) -> Params:
    item = slot.node.item
    params = labels.labelled(drawing, slot)
    params.update(value=drawing.typed(slot), spellcheck=False)
    params.update(_TYPES.get(item.type) or _KEYBOARDS.get(_keyboard(item), {}))
    width = item.extension(ext.INPUT_WIDTH)
    if isinstance(width, int):
        params["width"] = width
    autocomplete = drawing.texts.autocomplete(item)
    if autocomplete:
        params["autocomplete"] = autocomplete
    return params


def _keyboard(item: Item) -> str:
    return as_str(as_dict(item.extension(ext.KEYBOARD)).get("code"))
