"""Questions that are answered by choosing: radios, checkboxes, lists, and lists to search in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from fhir_gateway.questionnaire.response import Node, value_of
from fhir_gateway.questionnaire.rules.values import exclusive_options
from fhir_gateway.web.components import labels
from fhir_gateway.web.components.part import Params, Part, Slot
from fhir_gateway.web.fields.names import DO
from fhir_gateway.web.fields.options import (
    FREE_TEXT,
    MAX_FOUND,
    Option,
    control_of,
    options,
    search,
)

if TYPE_CHECKING:
    from fhir_gateway.web.components.drawing import Drawing


#: How many short options stand beside each other when the author wants them to.
MAX_INLINE = 3


def yes_or_no(drawing: Drawing, slot: Slot) -> list[Part]:
    """A boolean as radios, or as one checkbox when the author says so."""
    chosen = drawing.all_typed(slot)
    if slot.node.item.control == "check-box":
        return [_single_checkbox(drawing, slot, chosen)]
    params = labels.grouped(drawing, slot)
    params["items"] = [
        {"value": value, "text": drawing.words.say(text), "checked": value in chosen}
        for value, text in (("true", "Yes"), ("false", "No"))
    ]
    return [Part("radios", params, labels.before(drawing, slot))]


def choice(drawing: Drawing, slot: Slot) -> list[Part]:
    """A choice or open-choice."""
    found = options(slot.node, drawing.definition, drawing.scope)
    control = control_of(slot.node.item, len(found))
    several = slot.node.item.repeats and not slot.suffix
    if control == "search":
        return _searched(drawing, slot, found, several=several)
    if several:
        return [_boxes(drawing, slot, found)]
    if control == "select":
        free = [Part("input", _free_text(drawing, slot))] if _is_open(slot) else []
        return [_select(drawing, slot, found), *free]
    return [_radios(drawing, slot, found)]


def _is_open(slot: Slot) -> bool:
    return slot.node.item.type == "open-choice"


def _with_free(drawing: Drawing, slot: Slot, params: Params) -> Params:
    """With the field for an answer of one's own, which belongs to its option."""
    if not _is_open(slot):
        return params
    return {**params, "free": _free_text(drawing, slot), "free_value": FREE_TEXT}


def _items(drawing: Drawing, slot: Slot, found: Sequence[Option]) -> list[Params]:
    items = [_item(option) for option in found]
    if _is_open(slot):
        own = slot.node.item.open_label
        items.append({"value": FREE_TEXT, "text": own or drawing.words.say("Something else")})
    return items


def _item(option: Option) -> Params:
    if not option.image:
        return {"value": option.key, "text": option.label}
    # The macros take HTML as it is, so what is not ours is escaped here.
    html = Markup('<img class="app-option-image" src="{}" alt=""> {}')
    return {"value": option.key, "html": html.format(option.image, option.label)}


def _radios(drawing: Drawing, slot: Slot, found: Sequence[Option]) -> Part:
    chosen = drawing.all_typed(slot)
    params = labels.grouped(drawing, slot)
    params["items"] = [
        {**item, "checked": item["value"] in chosen} for item in _items(drawing, slot, found)
    ]
    if slot.node.item.orientation == "horizontal" and len(params["items"]) <= MAX_INLINE:
        params["inline"] = True
    return Part("radios", _with_free(drawing, slot, params), labels.before(drawing, slot))


def _boxes(drawing: Drawing, slot: Slot, found: Sequence[Option]) -> Part:
    chosen = drawing.all_typed(slot)
    params = labels.grouped(drawing, slot)
    exclusive = _exclusive_keys(slot.node, found)
    boxes: list[Params] = []
    alone: list[Params] = []
    for item in _items(drawing, slot, found):
        box = {**item, "checked": item["value"] in chosen}
        if item["value"] in exclusive:
            alone.extend(({"divider": drawing.words.say("or")}, {**box, "behaviour": "exclusive"}))
        else:
            boxes.append(box)
    # What stands alone is last, also after an answer of one's own (NHS service manual, checkboxes).
    params["items"] = [*boxes, *(alone if boxes else alone[1:])]
    params = _with_free(drawing, slot, params)
    return Part("checkboxes", params, labels.before(drawing, slot))


def _single_checkbox(drawing: Drawing, slot: Slot, chosen: Sequence[str]) -> Part:
    params = labels.common(drawing, slot)
    params["idPrefix"] = params.pop("id")
    params["items"] = [
        {
            "value": "true",
            "text": labels.question_text(drawing, slot.node.item),
            "checked": "true" in chosen,
        }
    ]
    if slot.title.get("isPageHeading"):
        params["fieldset"] = {"legend": slot.title}
    return Part("checkboxes", params)


def _select(drawing: Drawing, slot: Slot, found: Sequence[Option]) -> Part:
    chosen = drawing.all_typed(slot)
    params = labels.labelled(drawing, slot)
    choose = {"value": "", "text": drawing.words.say("Choose an option")}
    params["items"] = [choose] + [
        {**item, "selected": item["value"] in chosen}
        for item in (
            {"value": i["value"], "text": o.label if o else i["text"]}
            for i, o in zip(_items(drawing, slot, found), [*found, None], strict=False)
        )
    ]
    return Part("select", params, labels.before(drawing, slot))


def _searched(
    drawing: Drawing, slot: Slot, found: Sequence[Option], *, several: bool
) -> list[Part]:
    """A list too long to show: a search field, and what was found or chosen as radios or
    checkboxes. Searching asks the server, so that it works without scripts."""
    text = drawing.typed(slot, "-search").strip()
    chosen = drawing.all_typed(slot)
    results = search(found, text) if text else []
    kept = [option for option in found if option.key in chosen]
    shown = [*kept, *(o for o in results[:MAX_FOUND] if o.key not in chosen)]
    other = FREE_TEXT in chosen and _is_open(slot)
    said = _said(drawing, text, len(results))
    help_text = drawing.words.say("Type part of the name, then select Search.")
    params: Params = {
        "hint": {"text": help_text},
        **labels.labelled(drawing, slot),
        "name": f"{slot.name}-search",
        "searched": {"name": f"{slot.name}-searched", "value": text},
        "value": text,
        "said": said,
        "button": {
            "text": drawing.words.say("Search"),
            "name": DO,
            "value": f"search:{slot.name}",
        },
    }
    parts = [Part("search", params, labels.before(drawing, slot))]
    if shown or other or (_is_open(slot) and text):
        items = [{**i, "checked": i["value"] in chosen} for i in _items(drawing, slot, shown)]
        legend = {"text": drawing.words.say("Choose from the list"), "size": "s"}
        parts.append(
            Part(
                "checkboxes" if several else "radios",
                _with_free(
                    drawing,
                    slot,
                    {
                        "idPrefix": f"{slot.id}-found",
                        "name": slot.name,
                        "fieldset": {"legend": legend},
                        "items": items,
                    },
                ),
            )
        )
    return parts


def _said(drawing: Drawing, text: str, count: int) -> str:
    if not text:
        return ""
    if not count:
        return drawing.words.say("Nothing found for ‘{text}’. Try another word.", text=text)
    if count > MAX_FOUND:
        return drawing.words.say(
            "{count} found, the first {shown} are shown. Search for more words to find others.",
            count=count,
            shown=MAX_FOUND,
        )
    return drawing.words.say("{count} found", count=count)


def _free_text(drawing: Drawing, slot: Slot) -> Params:
    """Where the answer to `Something else` is typed."""
    return {
        "id": f"{slot.id}-other",
        "name": f"{slot.name}-other",
        "label": {"text": drawing.words.say("If something else, what is it?"), "size": "s"},
        "value": drawing.typed(slot, "-other"),
    }


def _exclusive_keys(node: Node, found: Sequence[Option]) -> set[str]:
    exclusive = exclusive_options(node.item)
    return {option.key for option in found if value_of(option.answer) in exclusive}
