"""From the items of a page to the parameters of nhsuk-frontend's macros. Knows no linkId.

A page is a list of parts; each names a macro of templates/parts.jinja and its parameters. Text goes
in as text, so that the macros escape it; HTML only comes from authors' markdown (markdown.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhir_gateway.fhir.types import as_dict, as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Definition, Item
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.response import Address, Node, value_of
from fhir_gateway.questionnaire.rules.values import exclusive_options
from fhir_gateway.questionnaire.texts import Texts
from fhir_gateway.web import fields, markdown
from fhir_gateway.web.fields import DATE_PARTS, FREE_TEXT

Params = dict[str, Any]

#: itemControl codes of display items that belong to their question, not to the page.
_HINT, _MORE = "help", "flyover"
_CARE_CARDS = {
    "care-card-emergency": "emergency",
    "care-card-urgent": "urgent",
    "care-card": "non-urgent",
}
#: For SDC's keyboard codes and for number types: what makes a phone show the right keys.
_KEYBOARDS: dict[str, Params] = {
    "phone": {"type": "tel"},
    "email": {"type": "email"},
    "url": {"type": "url"},
    "number": {"inputmode": "numeric"},
}
_NUMBERS: dict[str, Params] = {
    "integer": {"inputmode": "numeric", "width": 10},
    "decimal": {"inputmode": "decimal", "width": 10},
}


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a page: a macro's name, its parameters, and the parts within it: those before
    its field, or those of a group."""

    macro: str
    params: Params
    inner: list[Part] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one question, and which parts of its date (none: all of it)."""

    text: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """What drawing a page needs to know.

    `typed`: field name → what it shows. `errors`: address → the first error of a question.
    """

    definition: Definition
    enablement: Enablement
    texts: Texts
    typed: Mapping[str, list[str]]
    errors: Mapping[Address, FieldError]

    def draw(self, node: Node, *, heading: bool) -> list[Part]:
        """The parts of one instance and what is below it. `heading`: its text is the page's h1."""
        if node.item.hidden or not self.enablement.is_enabled(node):
            return []
        if node.item.type == "display":
            return [self._display(node.item)]
        if node.item.type == "group":
            return self._group(node, heading=heading)
        if not fields.is_shown(node):
            return []
        nested = [
            part
            for child in node.children
            if child.item.type != "display"
            for part in self.draw(child, heading=False)
        ]
        return [*self._question(node, heading=heading), *nested]

    def _group(self, node: Node, *, heading: bool) -> list[Part]:
        text = self.texts.text(node.item)
        title = (
            [Part("heading", {"text": text, "size": "m", "level": 2})]
            if text and not heading
            else []
        )
        inner = [part for child in node.children for part in self.draw(child, heading=False)]
        if node.address in self.errors:
            error = {"id": f"{_group_id(node)}-error", "text": self.errors[node.address].text}
            inner = [Part("group_with_error", {**error, "label": text}, inner)]
        return [*title, *inner]

    def _display(self, item: Item) -> Part:
        text, rich = self.texts.text(item), self.texts.markdown(item)
        html = markdown.render(rich) if rich else markdown.paragraphs(text)
        appearance = as_str(item.extension(ext.APPEARANCE))
        if appearance in _CARE_CARDS:
            return Part(
                "card",
                {
                    "type": _CARE_CARDS[appearance],
                    "heading": {"text": text, "level": 2},
                    "description": {"html": html},
                },
            )
        if appearance == "card":
            return Part(
                "card",
                {"heading": {"text": text, "level": 2, "size": "m"}, "description": {"html": html}},
            )
        if appearance == "warning":
            return Part("warning", {"heading": text, "html": html})
        if appearance == "inset":
            return Part("inset", {"html": html})
        if appearance == "details" or item.control == _MORE:
            return Part("details", {"summaryText": text, "html": html})
        return Part("html", {"html": html})

    def _question(self, node: Node, *, heading: bool) -> list[Part]:
        item = node.item
        if item.type == "boolean" and item.control == "check-box":
            return [self._single_checkbox(node)]
        if item.type == "boolean":
            labels = (("true", "Yes"), ("false", "No"))
            items: list[Params] = [{"value": v, "text": t} for v, t in labels]
            return [self._radios(node, items, heading=heading)]
        if item.type in ("choice", "open-choice"):
            return self._choice(node, heading=heading)
        if item.type == "date":
            return [self._date(node, heading=heading)]
        if item.type == "text":
            return [self._textarea(node, heading=heading)]
        return [self._input(node, heading=heading)]

    def _choice(self, node: Node, *, heading: bool) -> list[Part]:
        choices = fields.options(node, self.definition)
        if node.item.control == "drop-down" and not node.item.repeats:
            return [self._select(node, choices, heading=heading)]
        items: list[Params] = [{"value": o.key, "text": o.label} for o in choices]
        if node.item.type == "open-choice":
            items.append({"value": FREE_TEXT, "text": "Something else"})
        if node.item.repeats:
            parts = [self._checkboxes(node, items, choices, heading=heading)]
        else:
            parts = [self._radios(node, items, heading=heading)]
        if node.item.type == "open-choice":
            parts.append(self._free_text(node))
        return parts

    def _free_text(self, node: Node) -> Part:
        """Where the answer to `Something else` is typed; always there, as pages work without
        scripts."""
        name = f"{fields.field_name(node)}-other"
        return Part(
            "input",
            {
                "id": f"{fields.field_id(node)}-other",
                "name": name,
                "label": {"text": "If something else, what is it?", "size": "s"},
                "value": "".join(self.typed.get(name, [])),
            },
        )

    def _radios(self, node: Node, items: list[Params], *, heading: bool) -> Part:
        chosen = self._typed(node)
        params = self._grouped(node, heading=heading)
        params["items"] = [{**item, "checked": item["value"] in chosen} for item in items]
        return Part("radios", params, self._between(node))

    def _checkboxes(
        self,
        node: Node,
        items: list[Params],
        choices: Sequence[fields.Option],
        *,
        heading: bool,
    ) -> Part:
        chosen = self._typed(node)
        params = self._grouped(node, heading=heading)
        exclusive = _exclusive_keys(node, choices)
        boxes: list[Params] = []
        for item in items:
            box = {**item, "checked": item["value"] in chosen}
            if item["value"] in exclusive:
                boxes.append({"divider": "or"})
                box["behaviour"] = "exclusive"
            boxes.append(box)
        params["items"] = boxes
        return Part("checkboxes", params, self._between(node))

    def _single_checkbox(self, node: Node) -> Part:
        params = self._common(node)
        params["idPrefix"] = params.pop("id")
        params["items"] = [
            {
                "value": "true",
                "text": self.texts.text(node.item),
                "checked": "true" in self._typed(node),
            }
        ]
        return Part("checkboxes", params)

    def _select(self, node: Node, choices: Sequence[fields.Option], *, heading: bool) -> Part:
        chosen = self._typed(node)
        params = self._labelled(node, heading=heading)
        params["items"] = [{"value": "", "text": "Choose an option"}] + [
            {"value": o.key, "text": o.label, "selected": o.key in chosen} for o in choices
        ]
        return Part("select", params, self._between(node))

    def _date(self, node: Node, *, heading: bool) -> Part:
        params = self._grouped(node, heading=heading)
        params["id"] = params.pop("idPrefix")
        name, error = fields.field_name(node), self.errors.get(node.address)
        wrong = error.parts or DATE_PARTS if error else ()
        params["items"] = [
            {
                "id": f"{params['id']}-{part}",
                "name": f"{name}-{part}",
                "label": {"text": part.capitalize()},
                "width": 4 if part == "year" else 2,
                "value": "".join(self.typed.get(f"{name}-{part}", [])),
                "error": part in wrong,
            }
            for part in DATE_PARTS
        ]
        return Part("date_input", params, self._between(node))

    def _textarea(self, node: Node, *, heading: bool) -> Part:
        params = self._labelled(node, heading=heading)
        limit = node.item.raw.get("maxLength")
        params.update(value="".join(self._typed(node)), rows=8, spellcheck=True)
        if isinstance(limit, int):
            params.update(maxlength=limit)
            return Part("character_count", params, self._between(node))
        return Part("textarea", params, self._between(node))

    def _input(self, node: Node, *, heading: bool) -> Part:
        item = node.item
        params = self._labelled(node, heading=heading)
        params.update(value="".join(self._typed(node)), spellcheck=False)
        params.update(_NUMBERS.get(item.type) or _KEYBOARDS.get(_keyboard(item), {}))
        width = item.extension(ext.INPUT_WIDTH)
        if isinstance(width, int):
            params["width"] = width
        autocomplete = self.texts.autocomplete(item)
        if autocomplete:
            params["autocomplete"] = autocomplete
        return Part("input", params, self._between(node))

    def _grouped(self, node: Node, *, heading: bool) -> Params:
        """Parameters of a component with a legend."""
        params = self._common(node)
        params["idPrefix"] = params.pop("id")
        params["fieldset"] = {"legend": self._title(node, heading=heading)}
        return params

    def _labelled(self, node: Node, *, heading: bool) -> Params:
        """Parameters of a component with a label."""
        params = self._common(node)
        params["label"] = self._title(node, heading=heading)
        return params

    def _common(self, node: Node) -> Params:
        params: Params = {"id": fields.field_id(node), "name": fields.field_name(node)}
        hints = [self.texts.text(i) for i in _displays(node.item) if i.control == _HINT]
        if hints:
            params["hint"] = {"text": " ".join(hints)}
        if node.address in self.errors:
            params["errorMessage"] = {"text": self.errors[node.address].text}
        return params

    def _title(self, node: Node, *, heading: bool) -> Params:
        text = self.texts.text(node.item)
        optional = not node.item.required and not heading
        shown = f"{text} (optional)" if optional and "(optional)" not in text else text
        if heading:
            return {"text": shown, "size": "l", "isPageHeading": True}
        return {"text": shown, "size": "s"}

    def _typed(self, node: Node) -> list[str]:
        return self.typed.get(fields.field_name(node), [])

    def _between(self, node: Node) -> list[Part]:
        """The author's notes that stand between a question and its field."""
        return [self._display(item) for item in _displays(node.item) if item.control != _HINT]


def first_field(node: Node) -> str:
    """The id that a link of the error summary leads to: the first field of a question or group."""
    if node.item.type == "group":
        inner = next((n for n in node.walk() if fields.is_shown(n)), None)
        return first_field(inner) if inner else f"{_group_id(node)}-error"
    if node.item.type == "date":
        return f"{fields.field_id(node)}-{DATE_PARTS[0]}"
    return fields.field_id(node)


def _keyboard(item: Item) -> str:
    return as_str(as_dict(item.extension(ext.KEYBOARD)).get("code"))


def _group_id(node: Node) -> str:
    return f"group-{fields.field_id(node)}"


def _displays(item: Item) -> list[Item]:
    return [child for child in item.children if child.type == "display"]


def _exclusive_keys(node: Node, choices: Sequence[fields.Option]) -> set[str]:
    exclusive = exclusive_options(node.item)
    return {option.key for option in choices if value_of(option.answer) in exclusive}
