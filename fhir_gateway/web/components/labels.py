"""What stands around every field: its label or legend, hint, error, and the notes before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_gateway.fhir.types import as_dict, as_list, as_str
from fhir_gateway.questionnaire.definition import Item
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.web.components import displays
from fhir_gateway.web.components.part import Params, Part, Slot

if TYPE_CHECKING:
    from fhir_gateway.web.components.drawing import Drawing


def question_text(drawing: Drawing, item: Item) -> str:
    """What a question is called. A question without a text of its own is called after its code or
    after what is above it, because a field without a name cannot be used."""
    text = drawing.texts.text(item) or drawing.texts.plain(item)
    if not text:
        coding = as_dict(next(iter(as_list(item.raw.get("code"))), None))
        text = as_str(coding.get("display"))
    if not text and item.parent is not None:
        text = drawing.texts.text(item.parent)
    prefix = as_str(item.raw.get("prefix"))
    return f"{prefix} {text or drawing.words.say('Your answer')}".strip()


def title(drawing: Drawing, node: Node, *, heading: bool) -> Params:
    """The label or legend of a question; as the page's h1 when it is alone on it."""
    text = question_text(drawing, node.item)
    optional = not node.item.required and not heading and "(optional)" not in text
    if heading:
        return {"text": text, "size": "l", "isPageHeading": True}
    shown = drawing.words.say("{text} (optional)", text=text) if optional else text
    return {"text": shown, "size": "s"}


def common(drawing: Drawing, slot: Slot) -> Params:
    """Id, name, hint and error of a field."""
    params: Params = {"id": slot.id, "name": slot.name}
    item = slot.node.item
    said = [drawing.texts.text(note) for note in displays.hints(item)]
    low, high = (
        [drawing.texts.text(note) for note in displays.notes(item) if note.control == end]
        for end in displays.ENDS
    )
    if low and high:
        said.append(drawing.words.say("From {low} to {high}", low=low[0], high=high[0]))
    if item.slider_step and item.slider_step > 1:
        said.append(drawing.words.say("In steps of {step}", step=item.slider_step))
    if said and slot.suffix in ("", "~0"):
        params["hint"] = {"text": " ".join(filter(None, said))}
    error = drawing.error(slot)
    if error:
        params["errorMessage"] = {
            "text": error.text,
            "visuallyHiddenText": drawing.words.say("Error"),
        }
    return params


def labelled(drawing: Drawing, slot: Slot) -> Params:
    """Parameters of a component with a label."""
    return {**common(drawing, slot), "label": slot.title}


def grouped(drawing: Drawing, slot: Slot) -> Params:
    """Parameters of a component with a legend."""
    params = common(drawing, slot)
    params["idPrefix"] = params.pop("id")
    params["fieldset"] = {"legend": slot.title}
    return params


def before(drawing: Drawing, slot: Slot) -> list[Part]:
    """The author's notes and picture that stand between a question and its field."""
    if slot.suffix not in ("", "~0"):
        return []
    item = slot.node.item
    said = [
        part
        for note in displays.between(item)
        for part in (
            displays.display(note, drawing.texts, drawing.words),
            *displays.picture(note, drawing.texts, drawing.words),
        )
    ]
    link = item.support_link
    more = {"href": link, "text": drawing.words.say("More information")}
    support = [Part("link", more)] if link.startswith(("https://", "http://")) else []
    return [*displays.picture(item, drawing.texts, drawing.words), *said, *support]


def suffix(drawing: Drawing, item: Item) -> str:
    """The unit behind a field, as the author's display item says."""
    units = [note for note in displays.notes(item) if note.control == displays.UNIT]
    return drawing.texts.text(units[0]) if units else ""
