"""The options of a choice: what its fields post, what people read, and the answers they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import Element, as_dict, as_str, extension_value
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.choices import offered
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.item import CHOICE_TYPES, Item
from fhir_gateway.questionnaire.options import Option as PublishedOption
from fhir_gateway.questionnaire.response import Node, value_of

#: The value of the radio or checkbox "something else" of an open-choice.
FREE_TEXT = "~other"
#: Up to how many options are radios or checkboxes, and up to how many a list.
MAX_RADIOS, MAX_LIST = 20, 60
#: How many results of a search are shown.
MAX_FOUND = 20


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a choice: the value its field posts, what is read, and the answer it makes.

    `image`: a data URL of a picture, or ''.
    """

    key: str
    label: str
    answer: Element
    image: str = ""


def options(node: Node, definition: Definition, scope: Scope | None = None) -> list[Option]:
    """The options that a choice offers, in order. `scope`: what answerExpressions and toggles see;
    without one, the published options."""
    try:
        published = (
            definition.options(node.item) if scope is None else offered(node, definition, scope)
        )
    except NotExpandable:
        return []
    return _keyed([_shown(option) for option in published])


def is_choice(item: Item) -> bool:
    """Whether a question is answered by choosing. Others' forms list options for texts, numbers
    and dates too (as R5 does)."""
    listed = bool(item.options) and item.type not in ("boolean", "attachment", "quantity")
    return item.type in CHOICE_TYPES or listed


def search(found: Sequence[Option], text: str) -> list[Option]:
    """The options whose words begin with each of the words in `text`, best first."""
    words = text.casefold().split()
    matches = [option for option in found if all(_has(option.label, word) for word in words)]
    wanted = text.casefold().strip()
    matches.sort(key=lambda option: not option.label.casefold().startswith(wanted))
    return matches


def control_of(item: Item, count: int) -> str:
    """How a choice is shown: `radios`, `checkboxes`, `select` or `search`.

    The author's itemControl decides; without one, the number of options (NHS service manual:
    radios before lists, lists before long lists that can be searched).
    """
    if item.control in ("autocomplete", "lookup", "auto-complete"):
        return "search" if count > 1 else "radios"
    if item.repeats:
        return "checkboxes" if count <= MAX_LIST else "search"
    if item.control in ("radio-button", "check-box", "slider") and count <= MAX_LIST:
        return "radios"
    if item.control == "drop-down" and count <= MAX_LIST * 5:
        return "select"
    if count <= MAX_RADIOS:
        return "radios"
    return "select" if count <= MAX_LIST else "search"


def identity(answer: Mapping[str, Any]) -> tuple[str, str]:
    """What makes two answers the same option."""
    kind, value = value_of(answer)
    if kind == "Coding":
        return as_str(as_dict(value).get("system")), as_str(as_dict(value).get("code"))
    if kind == "Reference":
        return kind, as_str(as_dict(value).get("reference"))
    return kind, str(value)


def _has(label: str, word: str) -> bool:
    text = label.casefold()
    return text.startswith(word) or any(
        f"{before}{word}" in text for before in (" ", "-", "(", "/", "'")
    )


def _shown(option: PublishedOption) -> Option:
    coding = as_dict(option.value)
    prefix = option.prefix or as_str(extension_value(coding, ext.OPTION_PREFIX))
    label = f"{prefix} {_label(option.type, option.value)}".strip()
    return Option("", label, option.answer, data_url(option.media))


def _label(kind: str, value: Any) -> str:
    element = as_dict(value)
    if kind == "Coding":
        return as_str(element.get("display")) or as_str(element.get("code"))
    if kind == "Reference":
        return as_str(element.get("display")) or as_str(element.get("reference"))
    return str(value)


def data_url(attachment: Any) -> str:
    """The picture in an Attachment as a data URL; '' when it has none: pages load nothing from
    other hosts."""
    element = as_dict(attachment)
    content_type, data = as_str(element.get("contentType")), as_str(element.get("data"))
    if data and content_type in ("image/png", "image/jpeg", "image/gif", "image/webp"):
        return f"data:{content_type};base64,{data}"
    return ""


def _keyed(found: Sequence[Option]) -> list[Option]:
    """Give each option a key of its own: its code, with its system where codes are not unique."""
    codes = [_code(option) for option in found]
    result: dict[str, Option] = {}
    for option, code in zip(found, codes, strict=True):
        key = code if codes.count(code) == 1 else "|".join(identity(option.answer))
        label = option.label or _label(*value_of(option.answer)) or key
        result.setdefault(key, Option(key, label, option.answer, option.image))
    return list(result.values())


def _code(option: Option) -> str:
    kind, value = value_of(option.answer)
    if kind == "Coding":
        return as_str(as_dict(value).get("code")) or as_str(as_dict(value).get("display"))
    return as_str(as_dict(value).get("reference")) if kind == "Reference" else str(value)
