"""Any FHIR value in words, as plain text: for narratives, documents, and wherever people read.

The text is data: who puts it into markup escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fhir_gateway.fhir.identifiers import NHS_NUMBER, spaced_nhs_number
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str

#: Elements that say nothing to a reader.
SKIPPED = frozenset(
    "resourceType id meta implicitRules language text contained extension modifierExtension".split()
)
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NHS_NUMBER_LENGTH = 10
MAX_DEPTH = 12


def worded(value: Any, depth: int = 0) -> str:
    """A value in words: its display, its text, or its parts."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    for wanted, show in _SHAPES:
        if wanted <= value.keys():
            return show(value)
    if depth > MAX_DEPTH:
        return ""
    inner = [
        f"{words(key)}: {text}"
        for key, part in value.items()
        if key not in SKIPPED and not key.startswith("_")
        for text in (worded(one, depth + 1) for one in (part if isinstance(part, list) else [part]))
        if text
    ]
    return "; ".join(inner)


def words(name: str) -> str:
    """`birthDate` as `Birth date`."""
    return _WORD.sub(" ", name).capitalize()


def person_name(value: Element) -> str:
    """A HumanName: its text, or given names and family name."""
    parts = [*as_list(value.get("given")), value.get("family")]
    return as_str(value.get("text")) or " ".join(as_str(p) for p in parts if p)


def _concept(value: Element) -> str:
    codings = [as_dict(coding) for coding in as_list(value.get("coding"))]
    displays = [as_str(c.get("display")) or as_str(c.get("code")) for c in codings]
    return as_str(value.get("text")) or ", ".join(d for d in displays if d)


def _identifier(value: Element) -> str:
    number = as_str(value.get("value"))
    if value.get("system") == NHS_NUMBER and len(number) == _NHS_NUMBER_LENGTH:
        return f"NHS number {spaced_nhs_number(number)}"
    return f"{number} ({as_str(value['system'])})" if value.get("system") else number


def _reference(value: Element) -> str:
    if value.get("display"):
        return as_str(value["display"])
    if isinstance(value.get("identifier"), dict):
        return _identifier(value["identifier"])
    kind = as_str(value.get("type")) or as_str(value.get("reference")).partition("/")[0]
    # An address within the Bundle says nothing to a reader.
    return "" if kind.startswith("urn:") else kind


def _quantity(value: Element) -> str:
    unit = as_str(value.get("unit")) or as_str(value.get("code"))
    return " ".join(p for p in (as_str(value.get("comparator")), f"{value['value']}", unit) if p)


def _contact_point(value: Element) -> str:
    use = f" ({as_str(value['use'])})" if value.get("use") else ""
    return f"{as_str(value.get('value'))}{use}"


def _address(value: Element) -> str:
    parts = [*as_list(value.get("line")), value.get("city"), value.get("postalCode")]
    return as_str(value.get("text")) or ", ".join(as_str(p) for p in parts if p)


def _period(value: Element) -> str:
    return f"{as_str(value.get('start')) or '?'} to {as_str(value.get('end')) or 'now'}"


#: Data types by the elements that give them away, the most telling first.
_SHAPES: tuple[tuple[set[str], Callable[[Element], str]], ...] = (
    ({"contentType"}, lambda v: as_str(v.get("title")) or as_str(v.get("contentType"))),
    ({"value", "unit"}, _quantity),
    ({"value", "code"}, _quantity),
    ({"coding"}, _concept),
    ({"reference"}, _reference),
    ({"family"}, person_name),
    ({"given"}, person_name),
    ({"postalCode"}, _address),
    ({"system", "value"}, lambda v: _contact_point(v) if _is_contact(v) else _identifier(v)),
    ({"code", "system"}, lambda v: as_str(v.get("display")) or as_str(v.get("code"))),
    ({"identifier"}, _reference),
    ({"start"}, _period),
    ({"end"}, _period),
    ({"text"}, lambda v: as_str(v.get("text"))),
    ({"display"}, lambda v: as_str(v.get("display"))),
)


def _is_contact(value: Element) -> bool:
    return value.get("system") in ("phone", "fax", "email", "pager", "url", "sms", "other")
