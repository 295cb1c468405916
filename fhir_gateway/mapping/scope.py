"""Where expressions of an extraction are evaluated, and what all of them may cost together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Element, as_dict, as_str

#: Of one extraction: expressions evaluated, and seconds.
MAX_EVALUATIONS = 50_000
MAX_SECONDS = 30.0
MAX_ISSUES = 200
#: Results of one expression that become copies of an element.
MAX_COPIES = 1_000


class TooCostly(Exception):
    """The extraction reached its bound; what it made so far is not handed out."""


@dataclass(slots=True)
class Ledger:
    """What one extraction has used, and what went wrong. Issues never hold answers."""

    issues: list[Element] = field(default_factory=list)
    evaluations: int = 0
    deadline: float = field(default_factory=lambda: time.monotonic() + MAX_SECONDS)
    #: What expressions share (path.evaluate): nothing that they see changes during an extraction.
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def note(self, severity: str, code: str, text: str, place: str = "") -> None:
        """Add an issue; `place` is where in the template or the Questionnaire it arose."""
        if len(self.issues) < MAX_ISSUES:
            where = f"{place}: {text}" if place else text
            found = issue(severity, code, where)
            if found not in self.issues:
                self.issues.append(found)

    def spend(self) -> None:
        """Count one evaluation. Raises TooCostly."""
        self.evaluations += 1
        if self.evaluations > MAX_EVALUATIONS or time.monotonic() > self.deadline:
            raise TooCostly


@dataclass(frozen=True, slots=True)
class Scope:
    """Context node, variables and clock of expressions, and the ledger of the extraction."""

    context: Any
    variables: Mapping[str, Any]
    now: datetime | None
    ledger: Ledger = field(default_factory=Ledger)

    def inner(self, context: Any, name: str = "", **more: Any) -> Scope:
        """A scope within: its context, that under a name when the author gave one, and more."""
        named = {name: context} if name else {}
        variables = {**self.variables, **named, **more} if named or more else self.variables
        return Scope(context, variables, self.now, self.ledger)

    def evaluate(self, expression: str, place: str) -> list[Any]:
        """Typed results of an expression; when it fails an issue is noted and there are none."""
        self.ledger.spend()
        try:
            return path.evaluate(
                expression, self.context, self.variables, now=self.now, memo=self.ledger.memo
            )
        except path.PathRefused as error:
            self.ledger.note("error", "processing", str(error), place)
            return []

    def copies(self, expression: str, place: str) -> list[Any]:
        """`evaluate`, no more than MAX_COPIES; more is noted as an error."""
        found = self.evaluate(expression, place)
        if len(found) > MAX_COPIES:
            self.ledger.note("error", "too-costly", f"more than {MAX_COPIES} copies", place)
        return found[:MAX_COPIES]


def fhirpath_of(given: Any) -> tuple[str, str, str]:
    """Expression, variable name, and language other than FHIRPath, of a valueString or
    valueExpression."""
    if isinstance(given, str):
        return given, "", ""
    expression = as_dict(given)
    language = as_str(expression.get("language")) or "text/fhirpath"
    other = "" if language == "text/fhirpath" else language
    return as_str(expression.get("expression")), as_str(expression.get("name")), other
