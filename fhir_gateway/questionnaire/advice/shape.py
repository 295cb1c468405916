"""The shape of a Questionnaire: what R4 demands of items, and what its limits mean."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_gateway.fhir import regex, units
from fhir_gateway.fhir.types import as_dict, as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.advice.finding import Finding, error, warning
from fhir_gateway.questionnaire.definition import MAX_DEPTH, MAX_ITEMS, Definition
from fhir_gateway.questionnaire.item import CHOICE_TYPES, QUESTION_TYPES, TEXT_TYPES, Item
from fhir_gateway.questionnaire.values import order

_ITEM_TYPES = QUESTION_TYPES | {"group", "display"}
_STATUSES = frozenset({"draft", "active", "retired", "unknown"})
_R5_TYPES = {"question": "group", "coding": "choice"}
#: Smaller than any real file: an author who meant megabytes.
_SMALLEST_SIZE = 1_024


def root(definition: Definition) -> Iterator[Finding]:
    """Findings about the Questionnaire itself."""
    if definition.raw.get("resourceType") != "Questionnaire":
        yield Finding("not-a-questionnaire", "error", "", "The resource is not a Questionnaire.")
        return
    for name in ("url", "version", "title", "status"):
        if not definition.raw.get(name):
            yield Finding("no-" + name, "warning", "", f"Questionnaire.{name} is missing.")
    if definition.raw.get("status") and as_str(definition.raw["status"]) not in _STATUSES:
        yield Finding("status", "error", "", f"status is one of {', '.join(sorted(_STATUSES))}.")
    if not definition.items:
        yield Finding("no-items", "error", "", "There are no items.")
    if definition.truncated:
        yield Finding(
            "too-large",
            "error",
            "",
            f"There are more than {MAX_ITEMS} items, or some are nested deeper than {MAX_DEPTH}.",
        )


def item(item: Item) -> Iterator[Finding]:
    """Findings about the elements of one item."""
    if item.type not in _ITEM_TYPES:
        hint = _R5_TYPES.get(item.type)
        more = f" R5's '{item.type}' is '{hint}' in R4." if hint else ""
        yield error("unknown-type", item, f"'{item.type}' is not an R4 item type.{more}")
    if item.is_question and not (item.text or item.prefix or "_text" in item.raw):
        yield warning(
            "no-text", item, "A question needs a text: pages call it after its code or group."
        )
    if item.type == "group" and not item.children:
        yield warning("empty-group", item, "A group has items below it (que-1).")
    if item.type == "display":
        yield from _display(item)
    if item.required and item.hidden and not (item.initial_values or item.calculated):
        yield error("required-hidden", item, "Nobody can answer an item that is not shown.")
    if item.read_only and item.required and not _fills_itself(item):
        yield warning(
            "required-read-only",
            item,
            "Nobody can answer it: it has no initial or calculated value.",
        )
    yield from _limits(item)


def _display(item: Item) -> Iterator[Finding]:
    if item.required:
        yield error("required-display", item, "A display item cannot be required (que-6).")
    if item.children:
        yield error("display-with-items", item, "A display item has nothing below it (que-1).")
    if item.repeats:
        yield error("repeats-display", item, "A display item cannot repeat (que-6).")


def _fills_itself(item: Item) -> bool:
    return bool(item.initial_values or item.calculated or item.initial_expression)


def _limits(item: Item) -> Iterator[Finding]:
    pattern = as_str(item.extension(ext.REGEX))
    if pattern and not regex.is_readable(pattern):
        yield error("bad-regex", item, "The regex cannot be read.")
    elif pattern and regex.compiled(pattern) is None:
        yield warning(
            "slow-regex",
            item,
            "The regex has look-around or back-references: it runs with a time limit.",
        )
    if item.max_length is not None and item.type not in TEXT_TYPES | CHOICE_TYPES:
        yield warning("max-length-type", item, "maxLength is for texts (que-10).")
    if (item.min_length or 0) > (item.max_length if item.max_length is not None else 2**31):
        yield error("contradiction", item, "minLength is more than maxLength.")
    if (item.min_occurs or 0) > (item.max_occurs if item.max_occurs is not None else 2**31):
        yield error("contradiction", item, "minOccurs is more than maxOccurs.")
    if (item.max_occurs or 0) > 1 and not item.repeats:
        yield warning("max-occurs", item, "maxOccurs above 1 needs repeats.")
    if item.max_size is not None and item.max_size < _SMALLEST_SIZE:
        yield warning("max-size", item, "maxSize is in bytes; this is smaller than any file.")
    for low, high in ((ext.MIN_VALUE, ext.MAX_VALUE), (ext.MIN_QUANTITY, ext.MAX_QUANTITY)):
        yield from _range(item, item.extension(low), item.extension(high))


def _range(item: Item, low: object, high: object) -> Iterator[Finding]:
    kind = {"integer": "Integer", "decimal": "Decimal", "date": "Date", "dateTime": "DateTime"}
    value_type = "Quantity" if isinstance(low or high, dict) else kind.get(item.type, "Decimal")
    if low is not None and high is not None and order(value_type, low, high) == 1:
        yield error("contradiction", item, "The least value is more than the greatest.")
    for limit in map(as_dict, (low, high)):
        if limit and item.type == "quantity":
            if not limit.get("code") or not limit.get("system"):
                yield error(
                    "limit-without-unit", item, "The limit needs a system and code to compare by."
                )
            elif limit["system"] == units.UCUM and not units.is_unit(as_str(limit["code"])):
                yield error("unknown-unit", item, f"UCUM has no unit '{limit['code']}'.")
