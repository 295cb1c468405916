"""Files: what has been taken, with a preview and a way to remove it, and the field for more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_gateway.fhir.types import as_dict, as_str
from fhir_gateway.questionnaire.advice import answerable
from fhir_gateway.questionnaire.item import Item
from fhir_gateway.questionnaire.response import value_of
from fhir_gateway.web.components import labels
from fhir_gateway.web.components.part import Params, Part, Slot
from fhir_gateway.web.fields import field_name
from fhir_gateway.web.fields.names import DO

if TYPE_CHECKING:
    from fhir_gateway.web.components.drawing import Drawing

#: The most that a file may weigh where an author sets no limit.
MAX_FILE_BYTES = 8_000_000
_KINDS = {"image/jpeg": "JPG", "image/png": "PNG", "application/pdf": "PDF"}


def taken_types(item: Item) -> list[str]:
    """The media types that this question takes: those of the author that can be taken here."""
    return answerable.taken_types(item.mime_types)


def max_bytes(item: Item) -> int:
    """The most that a file for this question may weigh."""
    limit = item.max_size
    return min(limit, MAX_FILE_BYTES) if limit and limit > 0 else MAX_FILE_BYTES


def attachment(drawing: Drawing, slot: Slot) -> list[Part]:
    """The files so far, and the field that takes one (or more, when the question repeats)."""
    node = slot.node
    kept: list[Params] = []
    for index, answer in enumerate(node.answers):
        file = as_dict(value_of(answer)[1])
        kept.append(_kept(drawing, slot, file, index))
    params = labels.labelled(drawing, slot)
    params["id"], params["name"] = f"{slot.id}-file", f"{field_name(node)}-file"
    params["attributes"] = {"accept": ",".join(taken_types(node.item)), "data-upload": "true"}
    if node.item.repeats:
        params["multiple"] = True
    hint = as_str(as_dict(params.get("hint")).get("text"))
    params["hint"] = {"text": f"{hint} {_limits(drawing, node.item)}".strip()}
    if kept:
        another = (
            "Choose another file" if node.item.repeats else "Choose a file instead of this one"
        )
        params["label"] = {"text": drawing.words.say(another), "size": "s"}
    said = {
        "kept": kept,
        "consent": drawing.words.say(
            "Only send photos or documents that you want the team to see. "
            "They become part of the health record."
        ),
        "uploading": drawing.words.say("Uploading"),
        "legend": slot.title,
        "upload": {
            "name": DO,
            "value": f"upload:{slot.name}",
            "text": drawing.words.say("Upload"),
        },
    }
    return [Part("files", {"field": params, **said}, labels.before(drawing, slot))]


def _kept(drawing: Drawing, slot: Slot, file: Params, index: int) -> Params:
    name = as_str(file.get("title")) or drawing.words.say("File {number}", number=index + 1)
    url = as_str(file.get("url"))
    shown = drawing.file_url(url) if url.startswith("#") else ""
    return {
        "title": name,
        "size": size_text(file.get("size")),
        "href": shown,
        "image": shown if as_str(file.get("contentType")).startswith("image/") else "",
        "alt": drawing.words.say("Preview of {name}", name=name),
        "remove": {
            "name": DO,
            "value": f"drop:{slot.name}~{index}",
            "text": drawing.words.say("Remove {name}", name=name),
        },
    }


def size_text(size: object) -> str:
    """`1234567` as `1.2 MB`."""
    if not isinstance(size, int):
        return ""
    if size < 1_000_000:  # noqa: PLR2004
        return f"{max(1, round(size / 1000))} KB"
    return f"{round(size / 1_000_000, 1):g} MB"


def _limits(drawing: Drawing, item: Item) -> str:
    kinds = [_KINDS[kind] for kind in taken_types(item)]
    listed = ", ".join(kinds)
    return drawing.words.say(
        "{kinds}, up to {size}.", kinds=listed, size=size_text(max_bytes(item))
    )
