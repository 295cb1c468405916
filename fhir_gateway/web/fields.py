"""From a posted form to answers: what each field of a page says, as FHIR values.

Nothing here judges an answer; what cannot become a FHIR value at all (a day that does not exist, a
number with letters) is a Problem, everything else is for the validator. What was typed is kept as
it was, for showing the page again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from starlette.datastructures import FormData

from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import Element, as_dict, as_str
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.response import Address, Node, value_of
from fhir_gateway.questionnaire.rules.values import option_values
from fhir_gateway.questionnaire.values import is_date

#: Item types that a page can show; lint refuses the others (docs/questionnaires.md).
SHOWN_TYPES = frozenset("boolean integer decimal date string text url choice open-choice".split())
DATE_PARTS = ("day", "month", "year")
#: The value of the radio or checkbox "something else" of an open-choice.
FREE_TEXT = "~other"

_INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\ufeff]")
_SIMPLE = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_MONTH_NAMES = (
    "january february march april may june july august september october november december"
).split()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something typed that cannot be a FHIR value. `parts`: which parts of a date are wrong."""

    address: Address
    kind: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a choice: the value its field posts, what is read, and the answer it makes."""

    key: str
    label: str
    answer: Element


@dataclass(slots=True)
class Posted:
    """What a page's form said: answers by address, problems, and what was typed, field by field."""

    answers: dict[Address, list[Element]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    typed: dict[str, list[str]] = field(default_factory=dict)


def field_name(node: Node) -> str:
    """The name of a question's field: its linkId, and where groups repeat their positions."""
    positions = [str(index) for _, index in node.address if index]
    return "@".join([node.item.link_id, *positions])


def field_id(node: Node) -> str:
    """The HTML id of a question's first field."""
    name = field_name(node)
    return name if _SIMPLE.fullmatch(name) else f"q{node.item.order}-{node.index}"


def options(node: Node, definition: Definition) -> list[Option]:
    """The options of a choice, in order."""
    try:
        values = (
            [("Coding", coding) for coding in definition.value_set(node.item)]
            if node.item.raw.get("answerValueSet")
            else option_values(node.item)
        )
    except NotExpandable:
        return []
    codes = [as_str(as_dict(value).get("code")) for _, value in values]
    result = []
    for (kind, value), code in zip(values, codes, strict=True):
        if kind == "Coding":
            unique = code and codes.count(code) == 1
            key = code if unique else f"{as_str(as_dict(value).get('system'))}|{code}"
            label = as_str(as_dict(value).get("display")) or code
        else:
            key = label = str(value)
        result.append(Option(key, label, {f"value{kind}": value}))
    return result


def read(nodes: Sequence[Node], form: FormData, definition: Definition) -> Posted:
    """Read the fields of these questions from a posted form. A question without a field in the
    form has no answer; fields of other questions are ignored (no mass assignment)."""
    reader = _Reader(form, definition)
    for node in nodes:
        if is_shown(node):
            reader.posted.answers[node.address] = reader.answers(node)
    return reader.posted


def is_shown(node: Node) -> bool:
    """Whether a person may answer this question on a page."""
    item = node.item
    return item.is_question and not item.read_only and not item.hidden and item.type in SHOWN_TYPES


def typed_values(nodes: Sequence[Node], definition: Definition) -> dict[str, list[str]]:
    """What the fields show for the answers that are kept, before anything is posted."""
    typed: dict[str, list[str]] = {}
    for node in nodes:
        name = field_name(node)
        if node.item.type == "date":
            parts = as_str(node.values[0]).split("-") if node.values else []
            for part, text in zip(("year", "month", "day"), parts, strict=False):
                typed[f"{name}-{part}"] = [text.lstrip("0")]
        elif node.item.type in ("choice", "open-choice"):
            _typed_choices(node, definition, typed)
        elif node.item.type == "boolean":
            typed[name] = ["true" if value is True else "false" for value in node.values]
        else:
            typed[name] = [str(value) for value in node.values]
    return typed


def _typed_choices(node: Node, definition: Definition, typed: dict[str, list[str]]) -> None:
    name = field_name(node)
    keys = {_identity(option.answer): option.key for option in options(node, definition)}
    typed[name] = []
    for answer in node.answers:
        key = keys.get(_identity(answer))
        if key is None and node.item.type == "open-choice":
            typed[name].append(FREE_TEXT)
            typed[f"{name}-other"] = [as_str(value_of(answer)[1])]
        elif key is not None:
            typed[name].append(key)


def _identity(answer: Mapping[str, Any]) -> tuple[str, str]:
    kind, value = value_of(answer)
    if kind == "Coding":
        return as_str(as_dict(value).get("system")), as_str(as_dict(value).get("code"))
    return kind, str(value)


def tidy(typed: str) -> str:
    """Text as it is kept: line breaks as LF (browsers post CRLF, and FHIR and character counts have
    LF), no space around it, and without the invisible direction marks that phones copy along with
    numbers and that could make staff read text in another order (CVE-2021-42574)."""
    lines = typed.replace("\r\n", "\n").replace("\r", "\n")
    return _INVISIBLE.sub("", lines).strip()


class _Reader:
    """Reads one posted form."""

    def __init__(self, form: FormData, definition: Definition) -> None:
        self.posted = Posted()
        self._form = form
        self._definition = definition

    def answers(self, node: Node) -> list[Element]:
        """The answers to one question."""
        match node.item.type:
            case "boolean":
                return self._boolean(node)
            case "integer" | "decimal":
                return self._number(node)
            case "date":
                return self._date(node)
            case "choice" | "open-choice":
                return self._choice(node)
            case _:
                return self._text(node)

    def _texts(self, name: str) -> list[str]:
        return [value for value in self._form.getlist(name) if isinstance(value, str)]

    def _one(self, name: str) -> str:
        texts = self._texts(name)
        self.posted.typed[name] = texts[:1]
        return tidy(texts[0]) if texts else ""

    def _problem(self, node: Node, kind: str, parts: tuple[str, ...] = ()) -> list[Element]:
        self.posted.problems.append(Problem(node.address, kind, parts))
        return []

    def _text(self, node: Node) -> list[Element]:
        text = self._one(field_name(node))
        key = "valueUri" if node.item.type == "url" else "valueString"
        return [{key: text}] if text else []

    def _boolean(self, node: Node) -> list[Element]:
        text = self._one(field_name(node))
        return [{"valueBoolean": text == "true"}] if text in ("true", "false") else []

    def _number(self, node: Node) -> list[Element]:
        text = self._one(field_name(node)).replace(",", "")
        if not text:
            return []
        whole = node.item.type == "integer"
        form = r"[+-]?[0-9]{1,18}" if whole else r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?"
        if not re.fullmatch(form, text):
            return self._problem(node, "not-a-number")
        return [{"valueInteger": int(text)} if whole else {"valueDecimal": Decimal(text)}]

    def _date(self, node: Node) -> list[Element]:
        parts = {part: self._one(f"{field_name(node)}-{part}") for part in DATE_PARTS}
        missing = tuple(part for part in DATE_PARTS if not parts[part])
        if len(missing) == len(DATE_PARTS):
            return []
        if missing:
            return self._problem(node, "date-incomplete", missing)
        parts["month"] = _month_number(parts["month"])
        if not all(re.fullmatch(r"[0-9]{1,4}", text) for text in parts.values()):
            return self._problem(node, "date-not-real", DATE_PARTS)
        if len(parts["year"]) != 4:  # noqa: PLR2004
            return self._problem(node, "date-short-year", ("year",))
        iso = f"{parts['year']}-{int(parts['month']):02d}-{int(parts['day']):02d}"
        if not is_date(iso):
            return self._problem(node, "date-not-real", DATE_PARTS)
        return [{"valueDate": iso}]

    def _choice(self, node: Node) -> list[Element]:
        name = field_name(node)
        chosen = self._texts(name)
        self.posted.typed[name] = chosen
        by_key = {option.key: option.answer for option in options(node, self._definition)}
        answers: list[Element] = []
        for key in dict.fromkeys(chosen):
            if key == FREE_TEXT and node.item.type == "open-choice":
                answers.extend(self._free_text(node, name))
            elif key in by_key:
                answers.append(by_key[key])
            elif key:
                self._problem(node, "not-an-option")
        return answers if node.item.repeats else answers[:1]

    def _free_text(self, node: Node, name: str) -> list[Element]:
        text = self._one(f"{name}-other")
        return [{"valueString": text}] if text else self._problem(node, "other-empty")


def _month_number(text: str) -> str:
    """`March` and `Mar` as `3`: people write them, and the NHS says to accept them."""
    for number, name in enumerate(_MONTH_NAMES, 1):
        if len(text) > 2 and name.startswith(text.lower()):  # noqa: PLR2004
            return str(number)
    return text
