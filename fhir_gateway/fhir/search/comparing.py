"""One value of a search parameter as a test of the index."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from fhir_gateway.fhir.exchange_xml import is_text
from fhir_gateway.fhir.moments import Span, comparable, span
from fhir_gateway.fhir.search.days import FIRST, LAST, cover
from fhir_gateway.fhir.search.escaping import split, unescape
from fhir_gateway.fhir.search.parameter import Kind, Parameter
from fhir_gateway.fhir.search.query import Comparison, Op, SearchRefused
from fhir_gateway.fhir.search.values import (
    MAX_BEGINNING,
    Mac,
    bounded,
    fold,
    is_personal_identifier,
    local_reference,
    same_contacts,
    target_value,
)

_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(\d.*)", re.ASCII | re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_MIME = "urn:ietf:bcp:13"
_CONTACTS = ("telecom", "phone", "email")
#: `ap`: within a tenth of the way from now (https://hl7.org/fhir/R4/search.html#prefix).
_APPROXIMATELY = 0.1


def token_comparison(parameter: Parameter, value: str, mac: Mac) -> Comparison:
    """`code`, `system|code`, `|code` (no system) or `system|` (any code of it)."""
    parts = [unescape(part) for part in split(value, "|")]
    if len(parts) > 2:  # noqa: PLR2004 - a system and a code
        raise SearchRefused("A token has at most one unescaped '|'.")
    system = parts[0] if len(parts) == 2 else None  # noqa: PLR2004
    code = parts[-1]
    if system in parameter.implicit:
        system = ""
        if not code:
            return Comparison(Op.SYSTEM, system="")
    if _MIME in parameter.implicit:
        code = code.replace(" ", "+")  # a plus sign that was not encoded
    if not code:
        if not system:
            raise SearchRefused(f"'{parameter.name}' has an empty token.")
        return Comparison(Op.SYSTEM, system=system)
    if parameter.name in _CONTACTS:
        hashed = frozenset(mac("token", form) for form in same_contacts(code))
        return Comparison(Op.ONE_OF, values=hashed, system=system)
    if parameter.name.endswith("identifier"):
        return _identifier_comparison(system, code, mac)
    if parameter.personal:
        return Comparison(Op.EQUALS, mac("token", code), system)
    return Comparison(Op.EQUALS, bounded(code), None if system is None else bounded(system))


def _identifier_comparison(system: str | None, code: str, mac: Mac) -> Comparison:
    hashed = mac("token", code)
    if system is None:
        return Comparison(Op.ONE_OF, values=frozenset({code, hashed}))
    return Comparison(Op.EQUALS, hashed if is_personal_identifier(system) else code, system)


def string_comparison(parameter: Parameter, value: str, modifier: str, mac: Mac) -> Comparison:
    """Text that a value begins with, has in it (`contains`) or is to the letter (`exact`)."""
    text = unescape(value)
    folded = fold(text)
    if not folded and modifier != "exact":
        raise SearchRefused(f"'{parameter.name}' has nothing to look for.")
    if not parameter.personal:
        if modifier == "exact":
            return Comparison(Op.EXACT, bounded(text))
        return Comparison(Op.CONTAINS if modifier == "contains" else Op.STARTS, bounded(folded))
    if modifier == "exact":
        return Comparison(Op.EQUALS, mac("exact", text))
    if modifier == "contains":
        raise SearchRefused(
            f"'{parameter.name}' is kept as a keyed hash and cannot be searched by ':contains'.",
            "not-supported",
        )
    kind = "beginning" if len(folded) <= MAX_BEGINNING else "whole"
    return Comparison(Op.EQUALS, mac(kind, folded))


def date_comparison(parameter: Parameter, value: str, now: datetime, mac: Mac) -> Comparison:
    """A date with or without a prefix."""
    match = _PREFIXED.fullmatch(unescape(value).replace(" ", "+"))
    found = span(match[2]) if match else None
    if match is None or found is None:
        raise SearchRefused(f"'{parameter.name}' needs a FHIR date, with or without a prefix.")
    prefix = match[1] or "eq"
    if prefix == "ap":
        found = _about(found, now)
    if parameter.personal:
        return _hashed_dates(prefix, found, mac)
    return Comparison(Op.DATE, system=prefix, low=found.low, high=found.high)


def _about(found: Span, now: datetime) -> Span:
    low, high = datetime.fromisoformat(found.low), datetime.fromisoformat(found.high)
    margin = abs(now - low) * _APPROXIMATELY
    try:
        return Span(comparable(low - margin), comparable(high + margin))
    except OverflowError:
        return found


def _hashed_dates(prefix: str, found: Span, mac: Mac) -> Comparison:
    low, high = (date.fromisoformat(end[:10]) for end in found)
    first, last = date(FIRST, 1, 1), date(LAST + 1, 1, 1)
    spans = {
        "eq": [(low, high)],
        "ap": [(low, high + timedelta(days=1))],
        "ne": [(first, low), (high, last)],
        "gt": [(high, last)],
        "sa": [(high, last)],
        "ge": [(low, last)],
        "lt": [(first, low)],
        "eb": [(first, low)],
        "le": [(first, high)],
    }[prefix]
    names = [name for start, end in spans for name in cover(start, end)]
    return Comparison(Op.ONE_OF, values=frozenset(mac("date", name) for name in names))


def reference_comparison(value: str, kind: str, base: str, mac: Mac) -> Comparison:
    """An id of any type, `Type/id`, the URL of a resource here, or that of one elsewhere."""
    text = unescape(value).removeprefix(f"{base}/") if base else unescape(value)
    target = local_reference(text)
    if target is None and _ID.fullmatch(text):
        # An id on its own, of the type that a modifier names or of any.
        found = frozenset({text, target_value("Patient", text, mac)})
        return Comparison(Op.ONE_OF, values=found, system=kind or None)
    if target is None:
        return Comparison(Op.EQUALS, mac("reference", text), "")
    if kind and target[0] != kind:
        return Comparison(Op.ONE_OF)
    return Comparison(Op.EQUALS, target_value(*target, mac), target[0])


def uri_comparison(parameter: Parameter, value: str, modifier: str) -> Comparison:
    """A uri, or its beginning (`below`), or one that it begins with (`above`)."""
    text = unescape(value)
    if not text:
        raise SearchRefused(f"'{parameter.name}' has nothing to look for.")
    ops = {"": Op.EQUALS, "below": Op.BELOW, "above": Op.ABOVE}
    return Comparison(ops[modifier], text if modifier == "above" else bounded(text))


def canonical_comparison(value: str) -> Comparison:
    """`url` of any version, or `url|version`."""
    url, bar, version = unescape(value).partition("|")
    return Comparison(Op.EQUALS, bounded(url), bounded(version) if bar else None)


def comparison_of(
    parameter: Parameter, value: str, modifier: str, *, mac: Mac, now: datetime, base: str
) -> Comparison:
    """What one value of a parameter with this modifier stands for. Raises SearchRefused."""
    if not is_text(value):
        raise SearchRefused(f"'{parameter.name}' has control characters, which FHIR forbids.")
    if modifier == "identifier":
        return token_comparison(Parameter("identifier", Kind.TOKEN, ()), value, mac)
    match parameter.kind:
        case Kind.TOKEN if modifier == "text":
            return Comparison(Op.TEXT, fold(unescape(value)))
        case Kind.TOKEN:
            return token_comparison(parameter, value, mac)
        case Kind.STRING:
            return string_comparison(parameter, value, modifier, mac)
        case Kind.DATE:
            return date_comparison(parameter, value, now.astimezone(UTC), mac)
        case Kind.REFERENCE:
            return reference_comparison(value, modifier, base, mac)
        case Kind.CANONICAL:
            return canonical_comparison(value)
        case Kind.URI:
            return uri_comparison(parameter, value, modifier)
