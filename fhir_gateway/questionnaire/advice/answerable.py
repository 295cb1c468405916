"""What would leave a person stuck on a page, or show them less than the author meant."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_gateway.questionnaire.advice.finding import Finding, error, warning
from fhir_gateway.questionnaire.item import Item
from fhir_gateway.questionnaire.values import VALUE_TYPES

#: Media types of files that pages take: browsers show them, and they can be checked.
FILE_TYPES = ("image/jpeg", "image/png", "application/pdf")


def item(item: Item) -> Iterator[Finding]:
    """Findings about one item."""
    if item.min_occurs is not None and item.min_occurs > 1 and not item.repeats:
        yield error("contradiction", item, "Several answers are needed, but it does not repeat.")
    for kind, _ in item.initial_values:
        if kind not in VALUE_TYPES.get(item.type, ()) and not item.options:
            text = (
                f"An initial value is a {kind}, which does not answer a {item.type or 'nothing'}."
            )
            yield error("bad-initial", item, text)
    if item.type == "attachment" and item.mime_types and not taken_types(item.mime_types):
        listed = ", ".join(item.mime_types)
        text = f"Pages take JPEG, PNG and PDF files; none of them is among {listed}."
        yield error("cannot-be-shown", item, text)
    if item.media is not None and not item.media.get("data"):
        text = "Pages load nothing from other hosts: this becomes a link. Put it in `data`."
        yield warning("remote-media", item, text)


def taken_types(asked: list[str]) -> list[str]:
    """The media types of files that pages take for a question that asks for these (none: any)."""
    return [kind for kind in FILE_TYPES if not asked or _is_asked(kind, asked)]


def _is_asked(kind: str, asked: list[str]) -> bool:
    family = kind.partition("/")[0]
    same = {kind, f"{family}/*", family, "*/*"} | ({"image/jpg"} if kind == "image/jpeg" else set())
    return any(a.lower() in same for a in asked)
