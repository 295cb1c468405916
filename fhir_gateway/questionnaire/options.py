"""The options of a choice: their values, and what their extensions say about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir.types import Coding, Element, as_dict, as_list, as_str, extension_value
from fhir_gateway.questionnaire import extensions as ext


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its value[x], and how it is shown.

    `prefix`: what stands before it, such as `a)`. `exclusive`: it stands alone. `selected`:
    chosen at first. `media`: an Attachment shown with it, or None. `score`: its weight in scores
    (itemWeight or ordinalValue), a JSON number or None.
    """

    type: str
    value: Any
    prefix: str = ""
    exclusive: bool = False
    selected: bool = False
    media: Element | None = None
    score: Any = None

    @property
    def display(self) -> str:
        """What people read: a Coding's or Reference's display, else its code, else the value."""
        if isinstance(self.value, dict):
            parts = (self.value.get(name) for name in ("display", "code", "reference"))
            return next((as_str(part) for part in parts if part), "")
        return str(self.value)

    @property
    def answer(self) -> Element:
        """The answer element that choosing it makes."""
        return {f"value{self.type}": self.value}


def options_of(raw: Element) -> tuple[Option, ...]:
    """The answerOptions of a Questionnaire item that have a value."""
    found = []
    for element in map(as_dict, as_list(raw.get("answerOption"))):
        value_type, value = value_of(element)
        if value_type:
            found.append(_option(element, value_type, value))
    return tuple(found)


def of_codings(codings: list[Coding]) -> tuple[Option, ...]:
    """Options for the codings of a value set."""
    return tuple(Option("Coding", coding) for coding in codings)


def value_of(answer: Mapping[str, Any]) -> tuple[str, Any]:
    """The type (`String`, `Coding`, …) and value of an answer, an option or an extension;
    ('', None) when it has none."""
    for key, value in answer.items():
        if value is not None and key.startswith("value"):
            return key[5:], value
    return "", None


def value_in(extension: Mapping[str, Any]) -> Any:
    """The value[x] of an extension; None when it has none."""
    return value_of(extension)[1]


def whole(value: Any) -> int | None:
    """A whole number that is not a boolean; decimals without a fraction count."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, Decimal | float) and value == value and abs(float(value)) < 2**53:
        return int(value) if value == int(value) else None
    return None


def _option(element: Element, value_type: str, value: Any) -> Option:
    if "extension" not in element and "extension" not in as_dict(value):
        return Option(value_type, value, selected=element.get("initialSelected") is True)
    return Option(
        type=value_type,
        value=value,
        prefix=as_str(extension_value(element, ext.OPTION_PREFIX)),
        exclusive=extension_value(element, ext.OPTION_EXCLUSIVE) is True,
        selected=element.get("initialSelected") is True,
        media=as_dict(extension_value(element, ext.ITEM_ANSWER_MEDIA)) or None,
        score=_score(element, value),
    )


def _score(element: Element, value: Any) -> Any:
    for holder in (element, value):
        for url in (ext.ITEM_WEIGHT, ext.ORDINAL_VALUE, ext.ORDINAL_VALUE_OLD):
            found = extension_value(holder, url)
            if found is not None:
                return found
    return None
