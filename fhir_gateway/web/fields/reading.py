"""From a posted form to answers: what each field of a page says, as FHIR values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from starlette.datastructures import FormData, UploadFile

from fhir_gateway.fhir.types import Element
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.web.fields.moments import NotAMoment, parts_of, read_moment
from fhir_gateway.web.fields.names import SHOWN, count_name, field_name, has_slots, is_answerable
from fhir_gateway.web.fields.options import FREE_TEXT, control_of, is_choice, options
from fhir_gateway.web.fields.sheet import MAX_SLOTS, Posted, Problem
from fhir_gateway.web.fields.units import is_open, units

_INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\ufeff]")


class FileRefused(Exception):
    """A file that is not taken: `kind` of the problem, and the limit that it breaks."""

    def __init__(self, kind: str, limit: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.limit = limit


#: Keeps an uploaded file for a question and gives the answer it makes; raises FileRefused.
Keep = Callable[[Node, UploadFile], Element]


def read(
    nodes: Sequence[Node],
    form: FormData,
    definition: Definition,
    keep: Keep | None = None,
    scope: Scope | None = None,
) -> Posted:
    """Read the fields of these questions from a posted form. A question without a field in the
    form has no answer; fields of other questions are ignored (no mass assignment).

    `keep`: where uploaded files go; without one they are not read. `scope`: what options by
    expressions see.
    """
    reader = _Reader(form, definition, keep, scope)
    for node in nodes:
        if is_answerable(node):
            reader.read(node)
    return reader.posted


def shown_names(form: FormData) -> set[str]:
    """The names of the questions that the page showed when it was posted; some of them appear
    only with scripts."""
    return {value for value in form.getlist(SHOWN) if isinstance(value, str)}


def shown_count(form: FormData, node: Node) -> int:
    """How many instances of a repeating group the page showed; 0 when it does not say."""
    value = form.get(count_name(node))
    known = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4  # noqa: PLR2004
    return min(int(value), MAX_SLOTS) if known and isinstance(value, str) else 0


def tidy(typed: str) -> str:
    """Text as it is kept: line breaks as LF (browsers post CRLF, and FHIR and character counts have
    LF), no space around it, and without the invisible direction marks that phones copy along with
    numbers and that could make staff read text in another order (CVE-2021-42574)."""
    lines = typed.replace("\r\n", "\n").replace("\r", "\n")
    return _INVISIBLE.sub("", lines).strip()


class _Reader:
    """Reads one posted form."""

    def __init__(
        self, form: FormData, definition: Definition, keep: Keep | None, scope: Scope | None
    ) -> None:
        self.posted = Posted()
        self._form = form
        self._definition = definition
        self._keep = keep
        self._scope = scope

    def read(self, node: Node) -> None:
        """Read the answers to one question."""
        if node.item.type == "attachment":
            self.posted.answers[node.address] = self._files(node)
            return
        if not has_slots(node.item):
            self.posted.answers[node.address] = self._answers(node, "")
            return
        count = self._one(node, "~n")
        slots = min(int(count), MAX_SLOTS) if count.isascii() and count.isdigit() else 1
        self.posted.sheet.put(node.address, "~n", [str(max(1, slots))])
        answers: list[Element] = []
        places: list[str] = []
        for index in range(max(1, slots)):
            for answer in self._answers(node, f"~{index}")[:1]:
                answers.append(answer)
                places.append(f"~{index}")
        self.posted.answers[node.address] = answers
        self.posted.slots[node.address] = places

    def _answers(self, node: Node, slot: str) -> list[Element]:
        if is_choice(node.item):
            return self._choice(node, slot)
        match node.item.type:
            case "boolean":
                return self._boolean(node, slot)
            case "integer" | "decimal":
                return self._number(node, slot)
            case "date" | "dateTime" | "time":
                return self._moment(node, slot)
            case "quantity":
                return self._quantity(node, slot)
            case "reference":
                text = self._one(node, slot)
                return [{"valueReference": {"display": text}}] if text else []
            case _:
                return self._text(node, slot)

    def _texts(self, node: Node, suffix: str) -> list[str]:
        values = self._form.getlist(field_name(node) + suffix)
        texts = [value for value in values if isinstance(value, str)]
        self.posted.sheet.put(node.address, suffix, texts)
        return texts

    def _one(self, node: Node, suffix: str) -> str:
        texts = self._texts(node, suffix)
        return tidy(texts[0]) if texts else ""

    def _problem(
        self, node: Node, kind: str, slot: str, parts: tuple[str, ...] = (), limit: str = ""
    ) -> list[Element]:
        self.posted.problems.append(Problem(node.address, kind, parts, slot, limit))
        return []

    def _text(self, node: Node, slot: str) -> list[Element]:
        text = self._one(node, slot)
        key = "valueUri" if node.item.type == "url" else "valueString"
        return [{key: text}] if text else []

    def _boolean(self, node: Node, slot: str) -> list[Element]:
        text = self._one(node, slot)
        return [{"valueBoolean": text == "true"}] if text in ("true", "false") else []

    def _number(self, node: Node, slot: str) -> list[Element]:
        text = self._one(node, slot).replace(",", "")
        if not text:
            return []
        whole = node.item.type == "integer"
        if not _is_number(text, whole=whole):
            return self._problem(node, "not-a-number", slot)
        return [{"valueInteger": int(text)} if whole else {"valueDecimal": Decimal(text)}]

    def _quantity(self, node: Node, slot: str) -> list[Element]:
        text = self._one(node, slot).replace(",", "")
        chosen = self._one(node, f"{slot}-unit")
        if not text:
            return []
        if not _is_number(text, whole=False):
            return self._problem(node, "not-a-number", slot)
        offered = units(node.item, self._definition)
        unit = next((u.quantity for u in offered if u.key == chosen), None)
        if unit is None and len(offered) == 1 and not is_open(node.item):
            unit = offered[0].quantity
        if unit is None and chosen and is_open(node.item):
            unit = {"unit": chosen}
        if unit is None and offered:
            return self._problem(node, "unit-missing", slot, ("unit",))
        return [{"valueQuantity": {"value": Decimal(text), **(unit or {})}}]

    def _moment(self, node: Node, slot: str) -> list[Element]:
        typed = {part: self._one(node, f"{slot}-{part}") for part in parts_of(node.item)}
        try:
            moment = read_moment(node.item, typed)
        except NotAMoment as problem:
            return self._problem(node, problem.kind, slot, problem.parts)
        kind = {"date": "Date", "dateTime": "DateTime", "time": "Time"}[node.item.type]
        return [{f"value{kind}": moment}] if moment else []

    def _choice(self, node: Node, slot: str) -> list[Element]:
        chosen = self._texts(node, slot)
        found = options(node, self._definition, self._scope)
        if control_of(node.item, len(found)) == "search":
            self._texts(node, f"{slot}-search")
            self._texts(node, f"{slot}-searched")
        by_key = {option.key: option.answer for option in found}
        answers: list[Element] = []
        for key in dict.fromkeys(chosen):
            if key == FREE_TEXT and node.item.type == "open-choice":
                answers.extend(self._free_text(node, slot))
            elif key in by_key:
                answers.append(by_key[key])
            elif key:
                self._problem(node, "not-an-option", slot)
        if node.item.type == "open-choice" and FREE_TEXT not in chosen:
            self._texts(node, f"{slot}-other")
        return answers if node.item.repeats and not slot else answers[:1]

    def _free_text(self, node: Node, slot: str) -> list[Element]:
        text = self._one(node, f"{slot}-other")
        return [{"valueString": text}] if text else self._problem(node, "other-empty", slot)

    def _files(self, node: Node) -> list[Element]:
        """The files that are kept already, and those that came with the form."""
        answers = list(node.answers)
        if self._keep is None:
            return answers
        uploads = [
            value
            for value in self._form.getlist(f"{field_name(node)}-file")
            if isinstance(value, UploadFile) and value.filename
        ]
        for upload in uploads:
            if answers and not node.item.repeats:
                answers = []
            try:
                answers.append(self._keep(node, upload))
            except FileRefused as refused:
                self._problem(node, refused.kind, "", limit=refused.limit)
        return answers


def _is_number(text: str, *, whole: bool) -> bool:
    form = r"[+-]?[0-9]{1,18}" if whole else r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?"
    return re.fullmatch(form, text) is not None
