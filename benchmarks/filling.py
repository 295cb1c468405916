"""Valid answers for any question, made from what the Questionnaire says, as a form posts them.

Deterministic. What a regex or an author's own rule asks for cannot always be guessed; then several
are offered, and whoever fills in tries them in turn.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir.types import as_dict, as_str, extension_value
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Definition, Item
from fhir_gateway.questionnaire.expressions import Scope
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.web.fields import options
from fhir_gateway.web.fields.moments import parts_of
from fhir_gateway.web.fields.options import control_of, is_choice
from fhir_gateway.web.fields.typed import moment_texts
from fhir_gateway.web.fields.units import is_open, units

#: For regexes of common shapes; the first that fits is used.
_SHAPES = (
    "Example", "example", "EXAMPLE", "A", "a", "1", "12", "123", "1234", "12345", "123456",
    "1234567890", "9990000018", "12345678901", "A1", "AB12 3CD", "LS1 4AP", "2020-02-29", "12:30",
    "someone@example.com", "07700900123", "+447700900123", "https://example.com/", "0", "1.5",
    "555-123-4567", "(555) 123-4567", "12345-6789", "AB", "abc", "ABC123", "x y", "Yes",
)  # fmt: skip
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000002000000020802000000fdd49a730000001649444154789c636488"
    "dbc1c0c0c0c4c0c0c0c0c000000c7a011a2c6f11c40000000049454e44ae426082"
)

Fields = dict[str, list[str]]


def answers(
    node: Node, definition: Definition, variant: int, scope: Scope | None = None
) -> list[Fields]:
    """What to type for a question, best guess first: suffix of the field → values.

    `variant`: another number gives other answers where there is a choice.
    """
    item = node.item
    if is_choice(item):
        return _choices(node, definition, variant, scope)
    match item.type:
        case "boolean":
            order = ["true", "false"] if variant % 2 == 0 else ["false", "true"]
            return [{"": [value]} for value in order]
        case "integer" | "decimal":
            return [{"": [text]} for text in _numbers(item)]
        case "quantity":
            return [{"": [text], "-unit": [_unit(item, definition)]} for text in _numbers(item)]
        case "date" | "dateTime" | "time":
            return [_moment(item, text) for text in _moments(item)]
        case "url":
            return [{"": ["https://example.com/"]}]
        case _:
            return [{"": [text]} for text in _texts(item)]


def picture() -> bytes:
    """A picture of four pixels, for questions that take files."""
    return _PNG


def _choices(node: Node, definition: Definition, variant: int, scope: Scope | None) -> list[Fields]:
    found = options(node, definition, scope)
    if not found:
        return [{"": ["~other"], "-other": ["Example"]}] if node.item.type == "open-choice" else []
    turned = [found[(variant + step) % len(found)] for step in range(min(len(found), 6))]
    if control_of(node.item, len(found)) == "search":
        return [{"-search": [o.label], "": [o.key]} for o in turned]
    if node.item.repeats and variant % 2:
        least = node.item.extension(ext.MIN_OCCURS)
        count = max(2, least if isinstance(least, int) else 0)
        return [{"": [o.key for o in turned[:count]]}, *({"": [o.key]} for o in turned)]
    return [{"": [o.key]} for o in turned]


def _numbers(item: Item) -> list[str]:
    low, high = _limit(item, ext.MIN_VALUE), _limit(item, ext.MAX_VALUE)
    guesses = [
        g for g in (low, high, Decimal(1), Decimal(0), Decimal(10), Decimal(100)) if g is not None
    ]
    fitting = [g for g in guesses if (low is None or g >= low) and (high is None or g <= high)]
    texts = [f"{g.normalize():f}" for g in fitting]
    if item.type == "integer":
        texts = [text for text in texts if "." not in text] or ["1"]
    return list(dict.fromkeys(texts))


def _limit(item: Item, url: str) -> Decimal | None:
    value: Any = item.extension(url)
    if isinstance(value, dict):
        value = value.get("value")
    return Decimal(str(value)) if isinstance(value, int | Decimal | float) else None


def _unit(item: Item, definition: Definition) -> str:
    offered = units(item, definition)
    return offered[0].key if offered else "kg" if is_open(item) else ""


def _moments(item: Item) -> list[str]:
    low, high = (as_str(item.extension(url)) for url in (ext.MIN_VALUE, ext.MAX_VALUE))
    today = date.today()
    guesses = [low, high, today.isoformat(), "1984-03-15", (today + timedelta(days=1)).isoformat()]
    if item.type == "time":
        guesses = [low, high, "09:30:00"]
    elif item.type == "dateTime":
        guesses = [g if "T" in g or not g else f"{g}T09:30" for g in guesses]
    return [guess for guess in guesses if guess]


def _moment(item: Item, iso: str) -> Fields:
    full = iso if "T" in iso or item.type == "time" else (iso + "-01-01")[:10]
    texts = moment_texts(item, full)
    return {f"-{part}": texts.get(f"-{part}", ["1"]) for part in parts_of(item)}


def _texts(item: Item) -> list[str]:
    least = item.extension(ext.MIN_LENGTH)
    most = item.raw.get("maxLength")
    base = "Example"
    if isinstance(least, int) and least > len(base):
        base = (base + " words") * (least // len(base) + 1)
    if isinstance(most, int) and most > 0:
        base = base[:most].strip() or "A"[:most]
    shapes = [as_str(as_dict(item.extension(ext.ENTRY_FORMAT)) or item.extension(ext.ENTRY_FORMAT))]
    shapes += [as_str(extension_value(item.raw, ext.ENTRY_FORMAT)), base, *_SHAPES]
    fitting = [s for s in shapes if s and not (isinstance(most, int) and len(s) > most)]
    if not item.extension(ext.REGEX):
        fitting.sort(key=lambda s: s != base)
    return list(dict.fromkeys(fitting))
