"""Lint: what would leave a person stuck on a page, or show them less than the author meant."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir.types import as_dict, as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.item import Item
from fhir_gateway.questionnaire.values import VALUE_TYPES, order

#: Media types of files that pages take (journey/files.py).
FILE_TYPES = ("image/jpeg", "image/png", "application/pdf")


def problems(item: Item) -> Iterator[tuple[str, str, str]]:
    """(code, severity, advice) of everything about one item that pages could not serve."""
    yield from _contradictions(item)
    yield from _initial(item)
    if item.type == "attachment" and item.mime_types and not taken_types(item.mime_types):
        listed = ", ".join(item.mime_types)
        yield (
            "cannot-be-shown",
            "error",
            f"Pages take JPEG, PNG and PDF files; none of them is among {listed}.",
        )
    media = item.media
    if media is not None and not media.get("data"):
        yield (
            "remote-media",
            "warning",
            "Pages load nothing from other hosts: this becomes a link. Put the picture in `data`.",
        )


def taken_types(asked: list[str]) -> list[str]:
    """The media types of files that pages take for a question that asks for these (none: any)."""
    return [kind for kind in FILE_TYPES if not asked or _is_asked(kind, asked)]


def _is_asked(kind: str, asked: list[str]) -> bool:
    family = kind.partition("/")[0]
    same = {kind, f"{family}/*", family, "*/*"} | ({"image/jpg"} if kind == "image/jpeg" else set())
    return any(a.lower() in same for a in asked)


def _contradictions(item: Item) -> Iterator[tuple[str, str, str]]:
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("length", item.min_length, item.max_length),
        ("number of answers", item.min_occurs, item.max_occurs),
    )
    for what, low, high in pairs:
        if low is not None and high is not None and low > high:
            yield (
                "contradiction",
                "error",
                f"The least {what} ({low}) is above the most ({high}): no answer can be right.",
            )
    least, most = item.extension(ext.MIN_VALUE), item.extension(ext.MAX_VALUE)
    if least is not None and most is not None and order(_kind(item), least, most) == 1:
        yield (
            "contradiction",
            "error",
            "minValue is above maxValue: no answer can be right.",
        )
    if item.min_occurs is not None and item.min_occurs > 1 and not item.repeats:
        yield ("contradiction", "error", "Several answers are needed, but it does not repeat.")


def _kind(item: Item) -> str:
    return {"date": "Date", "dateTime": "DateTime", "time": "Time"}.get(item.type, "Decimal")


def _initial(item: Item) -> Iterator[tuple[str, str, str]]:
    allowed = VALUE_TYPES.get(item.type, ())
    for kind, value in item.initial_values:
        listed = bool(item.options)
        if kind not in allowed and not (listed and kind == "Coding"):
            yield (
                "bad-initial",
                "error",
                f"initial is a {kind}, which does not answer a {item.type or 'nothing'}.",
            )
        elif kind == "Decimal" and not isinstance(value, int | Decimal | float):
            yield ("bad-initial", "error", "initial is no number.")
        elif kind == "Coding" and not as_str(as_dict(value).get("code")) and not as_dict(value):
            yield ("bad-initial", "error", "initial is an empty Coding.")
