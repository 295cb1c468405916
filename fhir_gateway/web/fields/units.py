"""The units in which a quantity can be given."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import Coding, Element, as_dict, as_list, as_str
from fhir_gateway.questionnaire import extensions as ext
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
    codings = [as_dict(e.get("valueCoding")) for e in item.extensions(ext.UNIT_OPTION)]
    if not codings:
        codings = _of_value_set(item, definition)
    if not codings and item.extension(ext.UNIT) is not None:
        codings = [as_dict(item.extension(ext.UNIT))]
    if codings:
        return [_unit(coding) for coding in codings]
    initial = as_dict(next(iter(as_list(item.raw.get("initial"))), None))
    quantity = as_dict(initial.get("valueQuantity"))
    kept: Element = {key: quantity[key] for key in ("unit", "system", "code") if key in quantity}
    label = as_str(kept.get("unit")) or as_str(kept.get("code"))
    return [Unit(as_str(kept.get("code")) or label, label, kept)] if label else []


def fixed_unit(item: Item) -> str:
    """The unit that a number is in, as people read it, or ''."""
    unit = as_dict(item.extension(ext.UNIT))
    return as_str(unit.get("display")) or as_str(unit.get("code"))


def is_open(item: Item) -> bool:
    """Whether people may write a unit of their own (SDC unitOpen)."""
    return item.extension(ext.UNIT_OPEN) is not None


def _of_value_set(item: Item, definition: Definition) -> list[Coding]:
    canonical = as_str(item.extension(ext.UNIT_VALUE_SET))
    if not canonical:
        return []
    try:
        return definition.codings_of(canonical)
    except NotExpandable:
        return []


def _unit(coding: Coding) -> Unit:
    label = as_str(coding.get("display")) or as_str(coding.get("code"))
    quantity: Element = {"unit": label}
    if coding.get("code"):
        quantity.update({key: coding[key] for key in ("system", "code") if key in coding})
    return Unit(as_str(coding.get("code")) or label, label, quantity)
