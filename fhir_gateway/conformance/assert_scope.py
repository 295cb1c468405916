"""What asserts look at, and how a verdict is put."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fhir_gateway.conformance import operators, paths, substitution
from fhir_gateway.conformance.errors import NothingYet
from fhir_gateway.conformance.exchange import Answer, Content, Exchange, Sent
from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.fhir.types import Element, Resource, as_str

_MAX_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an assert holds, and a sentence that says what was found."""

    holds: bool
    message: str


class Scope(Protocol):
    """What of a run an assert looks at."""

    @property
    def last(self) -> Exchange | None:
        """The last operation's request and answer."""

    @property
    def resolve(self) -> Callable[[str], substitution.Value]:
        """The value of a variable."""

    @property
    def script(self) -> Resource:
        """The TestScript."""

    @property
    def profiles(self) -> Sequence[Profiles]:
        """The profiles at hand."""

    def content(self, source_id: str) -> Content:
        """What a source id holds."""

    def request(self, source_id: str) -> Sent:
        """The request that an operation kept under this id, or whose answer it did."""


def source_of(assertion: Element, scope: Scope) -> Content:
    """What an assert looks at: its source, else the last request or answer. Raises NothingYet."""
    source = as_str(assertion.get("sourceId"))
    if source:
        return scope.content(source)
    last = last_of(scope)
    return last.sent if assertion.get("direction") == "request" else answer_of(last)


def last_of(scope: Scope) -> Exchange:
    """The last operation. Raises NothingYet."""
    if scope.last is None:
        raise NothingYet("no operation has run that this assert could look at")
    return scope.last


def sent_of(assertion: Element, scope: Scope) -> Sent:
    """The request that an assert looks at: of its source, else the last. Raises NothingYet."""
    source = as_str(assertion.get("sourceId"))
    return scope.request(source) if source else last_of(scope).sent


def answer_of(last: Exchange) -> Answer:
    """Its answer. Raises NothingYet."""
    if last.answer is None:
        raise NothingYet("the last operation has no answer")
    return last.answer


def operator_of(assertion: Element, default: str = "equals") -> str:
    """The operator of an assert."""
    return as_str(assertion.get("operator")) or default


def compared(what: str, operator: str, actual: Sequence[str], expected: str | None) -> Verdict:
    """The verdict of an operator on values. Raises ScriptError."""
    holds = operators.holds(operator, actual, expected)
    shown = ", ".join(f"'{one}'" for one in actual) or "not there"
    wanted = f" '{expected}'" if expected is not None and not operator.endswith("mpty") else ""
    words = operators.WORDS[operator]
    return Verdict(holds, f"{what} must {words}{short(wanted)}: it is {short(shown)}")


def short(text: str) -> str:
    """A text that is not longer than a message may be."""
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def text_at(assertion: Element, name: str, scope: Scope) -> str:
    """An element of an assert with the values of variables."""
    value = assertion.get(name)
    return substitution.plain(paths.text_of(value), scope.resolve)


def value_of(assertion: Element, scope: Scope) -> str | None:
    """Its `value`, or None."""
    return None if assertion.get("value") is None else text_at(assertion, "value", scope)
