"""What elements FHIR types have: name, type, and whether it is a list. Read from fhir.resources.

R4B models; for the elements of R4 resources they tell the same.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class ElementInfo:
    """One element of a type. `name` is the JSON property; `type` a FHIR type such as `HumanName`,
    `code`, or that of a nested element such as `PatientContact`; `choice`: the stem of a choice
    (`value` for valueString), or ''."""

    name: str
    type: str
    is_list: bool
    choice: str
    required: bool
    codes: tuple[str, ...] = ()


@lru_cache(maxsize=512)
def elements(type_name: str) -> Mapping[str, ElementInfo]:
    """The elements of a complex type or resource by JSON property; empty for any other name."""
    from fhir.resources.R4B import get_fhir_model_class

    try:
        model: Any = get_fhir_model_class(type_name)
    except (KeyError, ValueError):
        return {}
    found = {}
    for name, given in model.model_fields.items():
        if name.endswith("__ext") or name in ("resource_type", "fhir_comments"):
            continue
        info = _info(given.alias or name, given)
        found[info.name] = info
    return found


def choices(type_name: str, stem: str) -> Mapping[str, ElementInfo]:
    """The elements that `stem[x]` of a type can be, by the capitalised type: `String`, `Coding`."""
    return {
        info.name.removeprefix(stem): info
        for info in elements(type_name).values()
        if info.choice == stem
    }


def is_resource(type_name: str) -> bool:
    """Whether a name is that of a resource type."""
    return "implicitRules" in elements(type_name)


def _info(name: str, given: Any) -> ElementInfo:
    extra = given.json_schema_extra or {}
    inner, is_list = _inner(given.annotation)
    return ElementInfo(
        name=name,
        type=_type_name(inner, given.metadata),
        is_list=is_list,
        choice=str(extra.get("one_of_many") or ""),
        required=bool(extra.get("element_required")) or given.is_required(),
        codes=tuple(extra.get("enum_values") or ()),
    )


def _inner(annotation: Any) -> tuple[Any, bool]:
    """What is within Optional and List, and whether there was a List."""
    is_list = False
    while typing.get_origin(annotation) is not None:
        if hasattr(annotation, "__metadata__"):
            break
        if typing.get_origin(annotation) is list:
            is_list = True
        arguments = [a for a in typing.get_args(annotation) if a is not type(None)]
        if not arguments:
            break
        annotation = arguments[0]
    if not hasattr(annotation, "__metadata__") and hasattr(annotation, "__args__"):
        # `X | None` has no origin of its own in some versions of Python.
        arguments = [a for a in annotation.__args__ if a is not type(None)]
        annotation = arguments[0] if arguments else annotation
    return annotation, is_list


def _type_name(inner: Any, metadata: Any) -> str:
    marks = [*getattr(inner, "__metadata__", ()), *metadata]
    for mark in marks:
        if type(mark).__module__.startswith("fhir_core"):
            name = type(mark).__name__
            return name[0].lower() + name[1:]
    name = str(getattr(inner, "__name__", inner))
    if name.endswith("Type"):
        return name.removesuffix("Type")
    return {"bool": "boolean", "int": "integer", "str": "string"}.get(name, name)
