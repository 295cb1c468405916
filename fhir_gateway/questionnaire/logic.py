"""The logic that an author writes on an item: conditions, expressions, and toggles of options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str
from fhir_gateway.questionnaire.options import value_of


@dataclass(frozen=True, slots=True)
class Condition:
    """One enableWhen: the linkId it asks, the operator, and the value[x] it expects."""

    question: str
    operator: str
    expected: Any
    expected_type: str


@dataclass(frozen=True, slots=True)
class Expression:
    """An author's Expression: its variable name (or ''), language and text."""

    name: str
    language: str
    text: str

    @property
    def is_path(self) -> bool:
        """Whether it is FHIRPath, the one language that is evaluated here."""
        return self.language in ("", "text/fhirpath")


@dataclass(frozen=True, slots=True)
class Toggle:
    """answerOptionsToggleExpression: the options that are offered only while `when` is true."""

    options: tuple[tuple[str, Any], ...]
    when: Expression


def expression_of(value: Any) -> Expression:
    """The Expression in a valueExpression, or in a plain valueString (older forms)."""
    element = as_dict(value)
    return Expression(
        name=as_str(element.get("name")),
        language=as_str(element.get("language")),
        text=as_str(value) or as_str(element.get("expression")),
    )


def condition_of(raw: Element) -> Condition:
    """The enableWhen of an item; one without an operator is read as FHIR STU3 meant it: equal, or,
    with `hasAnswer`, exists."""
    key = next((k for k in raw if k.startswith("answer")), "")
    operator, expected, kind = as_str(raw.get("operator")), raw.get(key), key.removeprefix("answer")
    if not operator and "hasAnswer" in raw:
        operator, expected, kind = "exists", raw["hasAnswer"], "Boolean"
    return Condition(
        question=as_str(raw.get("question")),
        operator=operator or "=",
        expected=expected,
        expected_type=kind,
    )


def toggle_of(extension: Element) -> Toggle:
    """The answerOptionsToggleExpression in an extension."""
    parts = [as_dict(part) for part in as_list(extension.get("extension"))]
    when = next((p for p in parts if p.get("url") == "expression"), {})
    return Toggle(
        options=tuple(value_of(p) for p in parts if p.get("url") == "option"),
        when=expression_of(value_of(when)[1]),
    )
