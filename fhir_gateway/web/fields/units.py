"""The units in which a quantity can be given."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import Coding, Element, as_dict, as_list, as_str
from fhir_gateway.questionnaire.definition import Definition, Item


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: the value its field posts, what people read, and what it adds to a Quantity."""

    key: str
    label: str
    quantity: Element


def units(item: Item, definition: Definition) -> list[Unit]:
    """The units that an author offers: unitOption, unitValueSet, the one unit, or that of the
    initial value."""
    try:
        codings = definition.units(item)
    except NotExpandable:
        codings = item.unit_options
    if codings:
        return [_unit(coding) for coding in codings]
    initial = as_dict(next(iter(as_list(item.raw.get("initial"))), None))
    quantity = as_dict(initial.get("valueQuantity"))
    kept: Element = {key: quantity[key] for key in ("unit", "system", "code") if key in quantity}
    label = as_str(kept.get("unit")) or as_str(kept.get("code"))
    return [Unit(as_str(kept.get("code")) or label, label, kept)] if label else []


def fixed_unit(item: Item) -> str:
    """The unit that a number is in, as people read it, or ''."""
    unit = item.unit or {}
    return as_str(unit.get("display")) or as_str(unit.get("code"))


def is_open(item: Item) -> bool:
    """Whether people may write a unit of their own (SDC unitOpen)."""
    return item.unit_open not in ("", "optionsOnly")


def _unit(coding: Coding) -> Unit:
    label = as_str(coding.get("display")) or as_str(coding.get("code"))
    quantity: Element = {"unit": label}
    if coding.get("code"):
        quantity.update({key: coding[key] for key in ("system", "code") if key in coding})
    return Unit(as_str(coding.get("code")) or label, label, quantity)
