"""What a page is made of, before it is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fhir_gateway.questionnaire.response import Node
from fhir_gateway.web.fields import field_id, field_name

Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a page: a macro's name, its parameters, and the parts within it: those before
    its field, or those of a group."""

    macro: str
    params: Params
    inner: list[Part] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one question: which parts of its date (none: all of it), and in which of
    its answers when it repeats (the suffix of a field, such as `~1`)."""

    text: str
    parts: tuple[str, ...] = ()
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one answer to a question is typed. `suffix`: '' for the only one, `~1` for the second
    answer of a question that repeats. `title`: what its label or legend says."""

    node: Node
    title: Params
    suffix: str = ""

    @property
    def name(self) -> str:
        """The name of its first field."""
        return field_name(self.node) + self.suffix

    @property
    def id(self) -> str:
        """The HTML id of its first field."""
        return field_id(self.node) + self.suffix.replace("~0", "").replace("~", "-answer-")
