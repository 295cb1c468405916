"""People of the crowd who are easily taken for one another: twins, brothers and sisters, parents
with the same name, strangers with the same name and birth date, and two records of one person."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fhir_gateway.sandbox.pds.names import MEN, WOMEN
from fhir_gateway.sandbox.pds.places import AREAS, new_postcode
from fhir_gateway.sandbox.pds.record import Confidentiality, Name, Period, Record

#: Twins born since then have their order of birth on record; before, PDS mostly does not know.
_COUNTED_SINCE = date(2002, 1, 1)
_COUNTED_BEFORE = 0.3
_RESTRICTED_TWIN = 0.1
_SHARES_PHONE = 0.5
#: Twins whose names begin alike, or have the same short form.
_ALIKE = (
    ("Alexander", "Alexandra"),
    ("Samuel", "Samantha"),
    ("Daniel", "Danielle"),
    ("Christopher", "Christine"),
    ("Jade", "Jane"),
    ("Ellie", "Emily"),
    ("Mohammed", "Mohsin"),
)
_ALIKE_SHARE = 0.4
#: Days between the births of brothers and sisters, at least.
_APART = 400
_YOUNGEST = date(2022, 12, 31)


@dataclass(frozen=True, slots=True)
class Kin:
    """Where relatives get chance and NHS numbers from. `free`: nobody known was born that day."""

    chance: random.Random
    nhs_numbers: Iterator[str]
    free: Callable[[date], bool]


def relatives(kin: Kin, record: Record) -> list[Record]:
    """The person, changed where that must be, and who is easily taken for them."""
    kind = kin.chance.choices(
        (None, _twins, _sibling, _same_name_younger, _namesake, _superseded),
        weights=(80, 6, 5, 2, 4, 3),
    )[0]
    if kind is None or record.birth_date is None or record.is_restricted or record.death:
        return [record]
    return kind(kin, record)


def _twins(kin: Kin, record: Record) -> list[Record]:
    """The same family name, birth date, home and, often, the phone of a parent."""
    chance, born = kin.chance, record.birth_date
    assert born is not None
    first, second = record, _copy(kin, record, _other_name(chance, record))
    if chance.random() < _ALIKE_SHARE:
        names = chance.choice(_ALIKE)
        first = replace(first, names=(_called(first.names[0], names[0]),), gender=_sex(names[0]))
        second = replace(second, names=(_called(second.names[0], names[1]),), gender=_sex(names[1]))
    if born >= _COUNTED_SINCE or chance.random() < _COUNTED_BEFORE:
        first, second = replace(first, birth_order=1), replace(second, birth_order=2)
    if chance.random() < _RESTRICTED_TWIN:
        second = replace(second, confidentiality=Confidentiality.RESTRICTED)
    return [first, second]


def _sibling(kin: Kin, record: Record) -> list[Record]:
    """A year or more apart, in the same home."""
    other = _copy(kin, record, _other_name(kin.chance, record))
    return [record, _later(kin, other, kin.chance.randrange(_APART, 4 * 365))]


def _same_name_younger(kin: Kin, record: Record) -> list[Record]:
    """A son or daughter with the parent's name and home."""
    child = _copy(kin, record, record.names[0].given[0])
    return [record, _later(kin, child, kin.chance.randrange(20 * 365, 38 * 365))]


def _namesake(kin: Kin, record: Record) -> list[Record]:
    """A stranger of the same name, born on the same day, mostly elsewhere, with another phone."""
    other = _copy(kin, record, record.names[0].given[0])
    area = kin.chance.choice(AREAS)
    moved = [
        replace(address, postcode=new_postcode(kin.chance, area)) for address in other.addresses[:1]
    ]
    return [record, replace(other, addresses=tuple(moved), telecoms=())]


def _superseded(kin: Kin, record: Record) -> list[Record]:
    """An older record of the same person, which leads to the one that stands."""
    old = replace(record, nhs_number=next(kin.nhs_numbers), superseded_by=record.nhs_number)
    return [record, old]


def _copy(kin: Kin, record: Record, given: str) -> Record:
    """Somebody of the same family, born on the same day, with a number of their own."""
    share = kin.chance.random() < _SHARES_PHONE
    phones = tuple(t for t in record.telecoms if t.system == "phone") if share else ()
    return replace(
        record,
        nhs_number=next(kin.nhs_numbers),
        names=(_called(record.names[0], given),),
        gender=_sex(given),
        telecoms=phones,
        addresses=record.addresses[:1],
    )


def _later(kin: Kin, record: Record, days: int) -> Record:
    """The same person born later, with everything that happened since."""
    assert record.birth_date is not None
    born = record.birth_date + timedelta(days=days)
    if born > _YOUNGEST:
        born = record.birth_date - timedelta(days=_APART)
    while not kin.free(born):
        born -= timedelta(days=1)
    since = max(born, record.birth_date)

    def started(period: Period) -> Period:
        start = max(period.start, since)
        return Period(start, max(period.end, start) if period.end else None)

    return replace(
        record,
        birth_date=born,
        names=tuple(replace(name, period=Period(since)) for name in record.names),
        addresses=tuple(replace(a, period=started(a.period)) for a in record.addresses),
        telecoms=tuple(replace(t, period=started(t.period)) for t in record.telecoms),
    )


def _called(name: Name, given: str) -> Name:
    return replace(name, given=(given, *name.given[1:]))


def _other_name(chance: random.Random, record: Record) -> str:
    own = set(record.names[0].given)
    return chance.choice([one for one in (*MEN, *WOMEN) if one not in own])


def _sex(given: str) -> str:
    women = {*WOMEN, *(pair[1] for pair in _ALIKE), "Jade", "Ellie"} - {"Mohsin"}
    return "female" if given in women else "male"
