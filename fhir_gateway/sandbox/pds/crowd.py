"""The crowd around the personas: invented people with the untidy records real people have."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fhir_gateway.sandbox.pds.names import FAMILIES, MEN, TITLES, WOMEN
from fhir_gateway.sandbox.pds.numbers import mobiles, nhs_numbers
from fhir_gateway.sandbox.pds.places import (
    AREAS,
    STREETS,
    Area,
    address_lines,
    new_postcode,
)
from fhir_gateway.sandbox.pds.record import (
    Address,
    Confidentiality,
    Death,
    DeathStatus,
    Language,
    Name,
    NameUse,
    Period,
    Practice,
    Record,
    Removal,
    Telecom,
)
from fhir_gateway.sandbox.pds.relatives import Kin, relatives
from fhir_gateway.sandbox.pds.spelling import fold

#: The day up to which the crowd lived its life; nothing in it is later.
AS_OF = date(2025, 1, 1)
_OLDEST = date(1930, 1, 1)
_YOUNGEST = date(2023, 12, 31)
_ADULT_DAYS = 18 * 365
_YEAR = 365

_LANGUAGES = (("pl", "Polish"), ("ur", "Urdu"), ("ro", "Romanian"), ("bn", "Bengali"))
_GONE = (("EMB", "Embarkation"), ("SCT", "Transferred to Scotland"))

# Shares of the crowd, from 0 to 1.
_HAS_MIDDLE_NAME = 0.4
_HAS_PREVIOUS_NAME = 0.25
_HAS_NICKNAME = 0.05
_HAS_MOVED = 0.3
_HAS_MOBILE = 0.85
_HAS_LANDLINE = 0.35
_HAS_EMAIL = 0.5
_ENDED = 0.1
_OTHER_LANGUAGE = 0.05
_RESTRICTED = 0.02
_DECEASED = 0.04
_LEFT = 0.02


@dataclass(frozen=True, slots=True)
class _Supply:
    """Where the crowd gets chance and numbers from."""

    chance: random.Random
    nhs_numbers: Iterator[str]
    mobiles: Iterator[str]

    def happens(self, share: float) -> bool:
        """True as often as `share` says."""
        return self.chance.random() < share

    def day(self, earliest: date, latest: date) -> date:
        """Any day from `earliest` to `latest`."""
        return earliest + timedelta(days=self.chance.randrange((latest - earliest).days + 1))


def crowd(size: int, known: Sequence[Record], *, seed: int) -> list[Record]:
    """`size` people, the same for the same seed, none like those `known`.

    Nobody shares an NHS number, a mobile number or a birth date with somebody known, so no search
    for a persona ever finds one of the crowd as well. Among themselves some are easily taken for
    one another (relatives.py).
    """
    chance = random.Random(seed)  # noqa: S311  # must repeat, and guards nothing
    supply = _Supply(
        chance,
        nhs_numbers(chance, {record.nhs_number for record in known}),
        mobiles(chance, {telecom.value for record in known for telecom in record.telecoms}),
    )
    taken = {record.birth_date for record in known}
    kin = Kin(chance, supply.nhs_numbers, lambda day: day not in taken)
    everyone: list[Record] = []
    while len(everyone) < size:
        everyone += relatives(kin, _person(supply, taken))
    return everyone[:size]


def _person(supply: _Supply, taken: set[date | None]) -> Record:
    born = supply.day(_OLDEST, _YOUNGEST)
    while born in taken:
        born = supply.day(_OLDEST, _YOUNGEST)
    gender = supply.chance.choice(("female", "male"))
    area = supply.chance.choice(AREAS)
    names = _names(supply, gender, born)
    record = Record(
        nhs_number=next(supply.nhs_numbers),
        version=supply.chance.randrange(1, 9),
        confidentiality=(
            Confidentiality.RESTRICTED
            if supply.happens(_RESTRICTED)
            else Confidentiality.UNRESTRICTED
        ),
        names=names,
        gender=gender,
        birth_date=born,
        addresses=_addresses(supply, area, born),
        telecoms=_telecoms(supply, area, names[0], born),
        practice=Practice(supply.chance.choice(area.practices), Period(supply.day(born, AS_OF))),
        language=_language(supply),
    )
    return _fate(supply, record, born)


def _names(supply: _Supply, gender: str, born: date) -> tuple[Name, ...]:
    chance = supply.chance
    firsts = WOMEN if gender == "female" else MEN
    given = tuple(chance.sample(firsts, 2 if supply.happens(_HAS_MIDDLE_NAME) else 1))
    family = chance.choice(FAMILIES)
    grown_up = (AS_OF - born).days >= _ADULT_DAYS
    title = chance.choice(TITLES[gender, grown_up])
    found = [Name(given, family, Period(born), prefix=title)]
    if grown_up and supply.happens(_HAS_PREVIOUS_NAME):
        changed = supply.day(born + timedelta(days=_ADULT_DAYS), AS_OF)
        found[0] = Name(given, family, Period(changed), prefix=title)
        use = NameUse.MAIDEN if gender == "female" else NameUse.OLD
        before = Period(born, changed - timedelta(days=1))
        found.append(Name(given, chance.choice(FAMILIES), before, use))
    if supply.happens(_HAS_NICKNAME):
        found.append(Name((chance.choice(firsts),), family, Period(born), NameUse.NICKNAME))
    return tuple(found)


def _addresses(supply: _Supply, area: Area, born: date) -> tuple[Address, ...]:
    since = supply.day(born, AS_OF)
    found = [_address(supply, area, Period(since))]
    if since > born and supply.happens(_HAS_MOVED):
        before = supply.day(born, since - timedelta(days=1))
        left = Period(before, since - timedelta(days=1))
        found.append(_address(supply, supply.chance.choice(AREAS), left))
    return tuple(found)


def _address(supply: _Supply, area: Area, period: Period) -> Address:
    lines = address_lines(supply.chance.randrange(1, 199), supply.chance.choice(STREETS), area)
    return Address(lines, new_postcode(supply.chance, area), period)


def _telecoms(supply: _Supply, area: Area, name: Name, born: date) -> tuple[Telecom, ...]:
    chance = supply.chance
    found = []
    mobile = next(supply.mobiles, None) if supply.happens(_HAS_MOBILE) else None
    if mobile:
        found.append(Telecom("phone", _as_typed(chance, mobile), "mobile", _in_use(supply, born)))
    if supply.happens(_HAS_LANDLINE):
        landline = f"{area.dialling}{chance.randrange(1000):03}"
        found.append(Telecom("phone", _as_typed(chance, landline), "home", _in_use(supply, born)))
    if supply.happens(_HAS_EMAIL):
        words = f"{name.given[0]}.{name.family}{chance.randrange(100)}".replace("'", "")
        email = f"{fold(words)}@example.com"
        found.append(Telecom("email", email, "home", _in_use(supply, born)))
    return tuple(found)


def _as_typed(chance: random.Random, digits: str) -> str:
    """A number as somebody may have typed it into PDS, which keeps it like that."""
    area, rest = digits[:5], digits[5:]
    ways = (digits, digits, digits, f"{area} {rest}", f"+44{digits[1:]}", f"0044 {digits[1:]}")
    return chance.choice((*ways, f"+44 (0){area[1:]} {rest}"))


def _in_use(supply: _Supply, born: date) -> Period:
    since = supply.day(born, AS_OF - timedelta(days=1))
    if not supply.happens(_ENDED):
        return Period(since)
    return Period(since, supply.day(since, AS_OF - timedelta(days=1)))


def _language(supply: _Supply) -> Language | None:
    if not supply.happens(_OTHER_LANGUAGE):
        return None
    code, display = supply.chance.choice(_LANGUAGES)
    return Language(code, display, interpreter=supply.happens(0.5))


def _fate(supply: _Supply, record: Record, born: date) -> Record:
    """Some have died, some have left the NHS in England; then no practice looks after them."""
    if supply.happens(_DECEASED):
        died = supply.day(max(born, AS_OF - timedelta(days=5 * _YEAR)), AS_OF)
        status = supply.chance.choice((DeathStatus.INFORMAL, DeathStatus.FORMAL))
        return replace(
            record,
            death=Death(status, died, died),
            removal=Removal("DEA", "Death", died),
            practice=None,
        )
    if supply.happens(_LEFT):
        code, display = supply.chance.choice(_GONE)
        left = Removal(code, display, supply.day(born, AS_OF))
        return replace(record, removal=left, practice=None)
    return record
