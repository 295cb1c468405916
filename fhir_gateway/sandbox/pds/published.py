"""The people and examples of the public PDS sandbox, which answer here exactly as they do there.

The public sandbox has canned answers, and some contradict each other (a search that is exact finds
what the same search without `_exact-match` does not), so examples that no set of records could give
are kept as examples: query and answer. Everything else follows from the records and the rules.
https://digital.nhs.uk/developer/api-catalogue/personal-demographics-service-fhir; the data are
NHS England's, MIT licence, and none of them is a real person.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.sandbox.pds.record import (
    Address,
    Confidentiality,
    Name,
    NameUse,
    Period,
    Practice,
    Record,
    Telecom,
    Written,
)

_FILE = Path(__file__).with_name("published.json")
_MAX_BYTES = 1_000_000
_LONG_AGO = date(1900, 1, 1)
#: Test records of NHS England's integration environment: restricted, and made invalid.
_SENSITIVE, _INVALIDATED = "9727022820", "9990003343"


@dataclass(frozen=True, slots=True)
class Example:
    """One canned answer: who is found with which score; None: the sandbox has no example."""

    found: Mapping[str, float] | None


def published_records() -> list[Record]:
    """Everybody of the public sandbox that is known here."""
    people = [_record(as_dict(person)) for person in _content()["people"]]
    sensitive = Record(
        _SENSITIVE,
        confidentiality=Confidentiality.RESTRICTED,
        names=(Name(("Rodney",), "Godsoe", Period(date(1936, 2, 24))),),
        gender="male",
        birth_date=date(1936, 2, 24),
    )
    return [*people, sensitive, Record(_INVALIDATED, confidentiality=Confidentiality.REDACTED)]


def example_of(parameters: Sequence[tuple[str, str]]) -> Example | None:
    """The canned answer to exactly this search, or None."""
    return _examples().get(_key(parameters))


def related_people(nhs_number: str) -> list[Element]:
    """The entries of a published RelatedPerson answer."""
    return as_list(as_dict(_content()["related"]).get(nhs_number))


@functools.cache
def _content() -> dict[str, Any]:
    return as_dict(fhir_json.parse(_FILE.read_bytes(), max_bytes=_MAX_BYTES))


@functools.cache
def _examples() -> dict[frozenset[tuple[str, str]], Example]:
    examples = {}
    for search in map(as_dict, _content()["searches"]):
        found = search.get("found")
        scores = None if found is None else {k: float(v) for k, v in as_dict(found).items()}
        examples[_key(list(as_dict(search["query"]).items()))] = Example(scores)
    return examples


def _key(parameters: Sequence[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Parameters in any order and case; `eq` is what a date without a prefix means."""
    return frozenset(
        (name, value.casefold().removeprefix("eq") if name == "birthdate" else value.casefold())
        for name, value in parameters
    )


def _record(person: dict[str, Any]) -> Record:
    retrieved, found = person.get("retrieved"), person.get("found")
    whole = as_dict(retrieved or found)
    former = as_dict(person.get("former"))
    born = as_str(whole.get("birthDate"))
    practices = as_list(as_dict(found or retrieved).get("generalPractitioner"))
    return Record(
        nhs_number=person["id"],
        version=int(person["version"]),
        confidentiality=Confidentiality(person["security"]),
        names=tuple(_name(name) for name in as_list(whole.get("name"))),
        gender=as_str(whole.get("gender")) or None,
        birth_date=date.fromisoformat(born) if born else None,
        addresses=tuple(_address(address) for address in as_list(whole.get("address"))),
        telecoms=(
            *(_telecom(telecom, _still) for telecom in as_list(whole.get("telecom"))),
            *(_telecom(telecom, _period) for telecom in as_list(former.get("telecom"))),
        ),
        practice=_practice(as_dict(practices[0])) if practices else None,
        written=Written(
            retrieved=as_dict(retrieved or found),
            found=as_dict(found or retrieved),
            host=as_str(person.get("host")) or None,
        ),
    )


def _name(name: Resource) -> Name:
    given = tuple(as_str(part) for part in as_list(name.get("given")))
    return Name(given, as_str(name.get("family")), _period(name), NameUse(as_str(name.get("use"))))


def _address(address: Resource) -> Address:
    lines = tuple(as_str(line) for line in as_list(address.get("line")))
    return Address(lines, as_str(address.get("postalCode")), _still(address), address["use"])


def _telecom(telecom: Resource, period: Any) -> Telecom:
    return Telecom(telecom["system"], telecom["value"], telecom["use"], period(telecom))


def _practice(reference: Resource) -> Practice:
    identifier = as_dict(reference.get("identifier"))
    return Practice(as_str(identifier.get("value")), _period(identifier))


def _period(element: Resource) -> Period:
    period = as_dict(element.get("period"))
    start, end = as_str(period.get("start")), as_str(period.get("end"))
    return Period(
        date.fromisoformat(start) if start else _LONG_AGO, date.fromisoformat(end) if end else None
    )


def _still(element: Resource) -> Period:
    """The public sandbox finds people by telecoms and addresses whose period is long over."""
    return Period(_period(element).start)
