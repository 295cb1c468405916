"""Draws the items of a page: which component stands for which item."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from fhir_gateway.fhir.types import as_str
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.response import Address, Node
from fhir_gateway.questionnaire.texts import Texts
from fhir_gateway.web import display as answers_display
from fhir_gateway.web.components import choices, displays, files, inputs, labels, moments, reveal
from fhir_gateway.web.components import repeats as repeating
from fhir_gateway.web.components.part import FieldError, Params, Part, Slot
from fhir_gateway.web.components.targets import group_id
from fhir_gateway.web.fields import Sheet, field_name
from fhir_gateway.web.fields.names import SHOWN, has_slots, is_answerable, is_explaining, waits
from fhir_gateway.web.fields.options import is_choice
from fhir_gateway.web.words import ENGLISH, Words

#: itemControl codes of items that stand at the top and the bottom of their pages.
HEADER, FOOTER = "header", "footer"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What drawing a page needs to know.

    `errors`: address → the first error of a question. `scope`: what
    options by expressions see. `sources`: the instances on the page by linkId, for questions that
    scripts can show at once. `files`: where a kept file can be looked at.
    """

    definition: Definition
    enablement: Enablement
    texts: Texts
    sheet: Sheet
    errors: Mapping[Address, FieldError]
    words: Words = ENGLISH
    scope: Scope | None = None
    sources: Mapping[str, list[Node]] = field(default_factory=dict)
    files: Callable[[str], str] = lambda url: url

    def draw(self, node: Node, *, heading: bool) -> list[Part]:
        """The parts of one instance and what is below it. `heading`: its text is the page's h1."""
        if node.item.hidden:
            return []
        when = reveal.table(self, node)
        enabled = self.enablement.is_enabled(node) and not waits(node)
        if not enabled and (when is None or not self._could_be(node)):
            return []
        parts = self._draw(node, heading=heading)
        if when is None or not parts:
            return parts
        shown = {"when": json.dumps(when), "open": enabled}
        return [Part("reveal", shown, parts)]

    def draw_all(self, nodes: Iterable[Node], main: Node | None = None) -> list[Part]:
        """The parts of some instances in order; those of a repeating group together."""
        parts: list[Part] = []
        for _, same in groupby(nodes, key=lambda n: (n.item.order, n.under_answer)):
            together = list(same)
            first = together[0]
            if first.item.type == "group" and first.item.repeats and not first.item.hidden:
                parts.extend(self._instances(together, heading=first is main))
                continue
            for node in together:
                parts.extend(self.draw(node, heading=node is main))
        return parts

    def inside(self, node: Node, *, skip_notes: bool = False) -> list[Part]:
        """What is within a group: headers first, footers last."""
        places = {HEADER: 0, FOOTER: 2}
        children = [n for n in node.children if not (skip_notes and is_explaining(n.item))]
        children.sort(key=lambda n: places.get(n.item.control, 1))
        return self.draw_all(children)

    def nested(self, node: Node, answer: int = 0) -> list[Part]:
        """The questions below a question, for one of its answers."""
        below = (n for n in node.children if n.under_answer == answer)
        return self.draw_all(n for n in below if not is_explaining(n.item))

    def slot(self, slot: Slot) -> list[Part]:
        """The component for one answer to a question."""
        item = slot.node.item
        if item.type == "boolean":
            return choices.yes_or_no(self, slot)
        if is_choice(item):
            return choices.choice(self, slot)
        if item.type in ("date", "dateTime", "time"):
            return moments.moment(self, slot)
        if item.type == "text":
            return inputs.several_lines(self, slot)
        if item.type == "quantity":
            return inputs.quantity(self, slot)
        return inputs.single_line(self, slot)

    def error(self, slot: Slot) -> FieldError | None:
        """What is wrong with one answer."""
        error = self.errors.get(slot.node.address)
        if error is None or not has_slots(slot.node.item):
            return error
        return error if (error.slot or "~0") == slot.suffix else None

    def typed(self, slot: Slot, part: str = "") -> str:
        """What one field shows."""
        return self.sheet.text(slot.node.address, slot.suffix + part)

    def all_typed(self, slot: Slot) -> list[str]:
        """What is chosen."""
        return self.sheet.texts(slot.node.address, slot.suffix)

    def file_url(self, url: str) -> str:
        """Where a kept file can be looked at."""
        return self.files(url)

    def _could_be(self, node: Node) -> bool:
        """Whether scripts may show it: all above it is enabled, so only its own conditions hide
        it."""
        return node.parent is None or self.enablement.is_enabled(node.parent)

    def _draw(self, node: Node, *, heading: bool) -> list[Part]:
        item = node.item
        if is_explaining(item):
            shown = displays.display(item, self.texts, self.words)
            return [shown, *displays.picture(item, self.texts, self.words)]
        if item.type == "group":
            return self._group(node, heading=heading)
        if item.read_only:
            return [*self._read_only(node), *self.nested(node)]
        if not is_answerable(node):
            return []
        title = labels.title(self, node, heading=heading)
        mark = Part("hidden", {"name": SHOWN, "value": field_name(node)})
        if item.type == "attachment":
            return [mark, *files.attachment(self, Slot(node, title))]
        if has_slots(item):
            return [mark, *repeating.slots(self, node, title)]
        return [mark, *self.slot(Slot(node, title)), *self.nested(node)]

    def _instances(self, nodes: list[Node], *, heading: bool) -> list[Part]:
        enabled = [node for node in nodes if self.enablement.is_enabled(node)]
        return repeating.instances(self, enabled, heading=heading) if enabled else []

    def _group(self, node: Node, *, heading: bool) -> list[Part]:
        text = self.texts.text(node.item)
        title: list[Part] = []
        if text and not heading:
            title.append(Part("heading", {"text": text, "size": "m", "level": 2}))
        title.extend(displays.picture(node.item, self.texts, self.words))
        inner = self.inside(node)
        if node.address in self.errors:
            error: Params = {
                "id": f"{group_id(node)}-error",
                "text": self.errors[node.address].text,
                "prefix": self.words.say("Error"),
            }
            return [*title, Part("group_with_error", {**error, "label": text}, inner)]
        return [*title, *inner]

    def _read_only(self, node: Node) -> list[Part]:
        """What is known already, as text: a disabled field would be skipped by screen readers."""
        shown = answers_display.answers(node, self.words)
        if not shown:
            return []
        unit = as_str(labels.suffix(self, node.item))
        label = labels.question_text(self, node.item)
        return [Part("known", {"label": label, "answers": shown, "unit": unit})]
