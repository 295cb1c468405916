"""What a resource is found by: the rows of its search index. Pure; personal values are hashed by a
function that is handed in, so that they never get into a row as they are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fhir_gateway.fhir.identifiers import (
    DEVICE,
    ODS_ORGANISATION,
    ODS_SITE,
    REFERENCE,
    REQUEST_ID,
    normalise_nhs_number,
)
from fhir_gateway.fhir.moments import span
from fhir_gateway.fhir.search.days import days_of
from fhir_gateway.fhir.search.parameter import Kind, Parameter
from fhir_gateway.fhir.search.parameters import TYPES
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str

#: Hash of a personal value: (what it is a value of, the value) → text that tells nothing.
Mac = Callable[[str, str], str]

#: Systems of identifiers that are no person's.
_IMPERSONAL = frozenset({REQUEST_ID, REFERENCE, DEVICE, ODS_ORGANISATION, ODS_SITE})
#: What a personal string is found by: its beginnings up to so many characters, and all of it.
MAX_BEGINNING = 12
_LOCAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]+)?")
#: In bytes: an index has room for a value and a system of so many.
MAX_TEXT = 600
_UK = re.compile(r"(?:\+?44|0044|0)(?:\(0\))?([1-9][0-9]{8,9})")
_SPACES = re.compile(r"\s+")


class Row(NamedTuple):
    """One value of one parameter.

    `system`: of a token its system, of a reference the target's type, of a canonical its version,
    of a string the text as it is. `value`: code, id, url, folded text, or the hash of a personal
    one. `low` and `high` only for dates: from, and until (excluded). `text`: of a token its
    display, folded.
    """

    parameter: str
    system: str = ""
    value: str = ""
    low: str = ""
    high: str = ""
    text: str = ""


def rows(resource: Resource, mac: Mac) -> list[Row]:
    """The index rows of a resource of a known type, each once. Parameters with `others` have rows
    of their own paths only."""
    found: dict[Row, None] = {}
    for parameter in TYPES[resource["resourceType"]].values():
        for path in parameter.paths:
            for element in elements(resource, path.split(".")):
                found.update(dict.fromkeys(_rows_of(parameter, element, mac)))
    return list(found)


def bounded(text: str) -> str:
    """Text as an index keeps it and is asked for it: its first MAX_TEXT bytes."""
    return text.encode()[:MAX_TEXT].decode(errors="ignore")


def target_value(resource_type: str, resource_id: str, mac: Mac) -> str:
    """The id of a reference's target as it is indexed. Elsewhere (PDS) the id of a Patient is the
    NHS number: such a one is hashed."""
    if resource_type == "Patient" and normalise_nhs_number(resource_id):
        return mac("token", resource_id)
    return resource_id


def identifier_of(parameter: str) -> str:
    """Under which name the logical identifiers of a reference parameter stand in the index.

    https://hl7.org/fhir/R4/search.html#reference, modifier `:identifier`.
    """
    return f"{parameter}:identifier"


def fold(text: str) -> str:
    """Text without case, accents and double spaces, as R4 asks for string parameters."""
    apart = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in apart if not unicodedata.combining(c)).casefold()
    return _SPACES.sub(" ", plain).strip()


def is_personal_identifier(system: str) -> bool:
    """Whether an identifier of this system can be a person's: of any but the known ones."""
    return system not in _IMPERSONAL


def elements(value: Any, path: list[str]) -> list[Any]:
    """The elements at a path, lists taken apart."""
    if isinstance(value, list):
        return [found for part in value for found in elements(part, path)]
    if not path:
        return [] if value is None else [value]
    child = as_dict(value).get(path[0])
    return [] if child is None else elements(child, path[1:])


def _rows_of(parameter: Parameter, element: Any, mac: Mac) -> Iterator[Row]:
    match parameter.kind:
        case Kind.TOKEN:
            yield from _token_rows(parameter, element, mac)
        case Kind.STRING:
            if isinstance(element, str):
                yield from _string_rows(parameter, element, mac)
        case Kind.DATE:
            yield from _date_rows(parameter, element, mac)
        case Kind.REFERENCE:
            yield from _reference_rows(parameter, as_dict(element), mac)
        case Kind.CANONICAL:
            url, _, version = as_str(element).partition("|")
            yield Row(parameter.name, bounded(version), bounded(url))
        case Kind.URI:
            if isinstance(element, str):
                yield Row(parameter.name, value=bounded(element))


def _string_rows(parameter: Parameter, text: str, mac: Mac) -> Iterator[Row]:
    folded = fold(text)
    if not folded:
        return
    if not parameter.personal:
        yield Row(parameter.name, bounded(text), bounded(folded))
        return
    for length in range(1, min(len(folded), MAX_BEGINNING) + 1):
        yield Row(parameter.name, value=mac("beginning", folded[:length]))
    yield Row(parameter.name, value=mac("whole", folded))
    yield Row(parameter.name, value=mac("exact", text))


def _date_rows(parameter: Parameter, element: Any, mac: Mac) -> Iterator[Row]:
    if isinstance(element, dict):
        low, high = span(as_str(element.get("start"))), span(as_str(element.get("end")))
        if low or high:
            ends = ("0" if low is None else low.low, "9" if high is None else high.high)
            yield Row(parameter.name, low=ends[0], high=ends[1])
        return
    text = as_str(element)
    found = span(text)
    if found is None:
        return
    if not parameter.personal:
        yield Row(parameter.name, low=found.low, high=found.high)
        return
    for day in days_of(text):
        yield Row(parameter.name, value=mac("date", day))


def _token_rows(parameter: Parameter, element: Any, mac: Mac) -> Iterator[Row]:
    """Of a code, boolean, Coding, CodeableConcept, Identifier or ContactPoint."""
    name = parameter.name
    if isinstance(element, bool):
        element = "true" if element else "false"
    if isinstance(element, str):
        yield from _hashed(parameter, "", element, "", mac)
        return
    element = as_dict(element)
    if parameter.system and element.get("system") != parameter.system:
        return
    text = as_str(element.get("text"))
    for coding in map(as_dict, as_list(element.get("coding"))):
        display = as_str(coding.get("display")) or text
        yield from _hashed(
            parameter, as_str(coding.get("system")), as_str(coding.get("code")), display, mac
        )
    value = as_str(element.get("code")) or as_str(element.get("value"))
    if value:
        display = as_str(element.get("display")) or as_str(as_dict(element.get("type")).get("text"))
        system = as_str(element.get("system"))
        if name in ("telecom", "phone", "email"):
            value = contact(value)
        yield from _hashed(parameter, system, value, display, mac)
    elif text and not parameter.personal and not as_list(element.get("coding")):
        yield Row(name, text=bounded(fold(text)))


def contact(value: str) -> str:
    """A telephone number or address as it is compared: without spaces and case."""
    return _SPACES.sub("", value).casefold()


def same_contacts(value: str) -> frozenset[str]:
    """A telephone number or address as it may be kept: a UK number with 0 or with its country."""
    text = contact(value)
    match = _UK.fullmatch(text)
    if match is None:
        return frozenset({text})
    return frozenset({text, *(f"{start}{match[1]}" for start in ("0", "+44", "44", "0044"))})


def _hashed(parameter: Parameter, system: str, value: str, text: str, mac: Mac) -> Iterator[Row]:
    if not value and not system:
        return
    personal = parameter.personal
    if parameter.name.endswith("identifier"):
        personal = is_personal_identifier(system)
    if personal:
        yield Row(parameter.name, bounded(system), mac("token", value))
    else:
        folded = bounded(fold(text))
        yield Row(parameter.name, bounded(system), bounded(value), text=folded)


def _reference_rows(parameter: Parameter, reference: dict[str, Any], mac: Mac) -> Iterator[Row]:
    literal = as_str(reference.get("reference"))
    target = local_reference(literal)
    if target and (not parameter.targets or target[0] in parameter.targets):
        yield Row(parameter.name, target[0], target_value(*target, mac))
    elif target is None and literal and not parameter.targets:
        yield Row(parameter.name, value=mac("reference", literal))
    identifier = as_dict(reference.get("identifier"))
    kind = as_str(reference.get("type")) or (target[0] if target else "")
    if identifier and (not parameter.targets or kind in ("", *parameter.targets)):
        named = Parameter(identifier_of(parameter.name), Kind.TOKEN, ())
        yield from _token_rows(named, identifier, mac)


def local_reference(text: str) -> tuple[str, str] | None:
    """Type and id of a relative reference, with or without a version; None for any other."""
    match = _LOCAL.fullmatch(text)
    return (match[1], match[2]) if match else None
