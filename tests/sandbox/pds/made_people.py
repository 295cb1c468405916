"""People made for the rules of the search, one rule or two each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from fhir_gateway.sandbox.pds.record import (
    Address,
    Confidentiality,
    Death,
    DeathStatus,
    Name,
    NameUse,
    Period,
    Practice,
    Record,
    Telecom,
)

ALAN = "9990001308"
JOHN_PAUL = "9990001316"
JANE = "9990001324"
JOSEPH = "9990001332"
HIDDEN = "9990001340"
LATE = "9990001359"
TWIN_ONE = "9990001367"
TWIN_TWO = "9990001375"


def made_people() -> list[Record]:
    """Everyone, none of them a persona."""
    alan = Record(
        nhs_number=ALAN,
        names=(
            Name(("Alan", "Michael"), "Brånsön", Period(date(1960, 5, 17))),
            Name(("Buster",), "Brånsön", Period(date(1980, 1, 1)), NameUse.NICKNAME),
            Name(("Alan",), "Turner", Period(date(1960, 5, 17), date(1979, 1, 1)), NameUse.OLD),
        ),
        gender="male",
        birth_date=date(1960, 5, 17),
        addresses=(
            Address(("1 Elm Row", "Leeds"), "LS11 6AD", Period(date(2010, 1, 1))),
            Address(("2 Oak Row", "Hull"), "HU1 1AA", Period(date(2020, 1, 1)), "temp"),
            Address(("3 Ash Row", "York"), "YO1 7HH", Period(date(1990, 1, 1), date(2009, 12, 31))),
        ),
        telecoms=(
            Telecom("phone", "00447700900301", "mobile", Period(date(2015, 1, 1))),
            Telecom("phone", "01632960301", "home", Period(date(2000, 1, 1), date(2014, 1, 1))),
            Telecom("email", "Alan.B@example.com", "home", Period(date(2015, 1, 1))),
            Telecom("email", "old@example.com", "home", Period(date(2000, 1, 1), date(2014, 1, 1))),
        ),
        practice=Practice("Y90101", Period(date(2010, 1, 1))),
    )
    return [
        alan,
        _simple(JOHN_PAUL, ("John Paul", "James"), "Smith", "male", "1970-02-03", "M20 4WX"),
        _simple(JANE, ("Jane", "Willis"), "Smythe", "female", "1981-07-09", "DN15 8JY"),
        _simple(JOSEPH, ("Joseph",), "O'Hara", "male", "1992-08-30", "SE15 5JB"),
        replace(
            _simple(HIDDEN, ("Rosa",), "Quinn", "female", "1977-03-01", "NE3 1DP"),
            confidentiality=Confidentiality.RESTRICTED,
        ),
        replace(
            _simple(LATE, ("Walter",), "Pope", "male", "1933-04-05", "B29 6SJ"),
            death=Death(DeathStatus.INFORMAL, date(2020, 2, 2), date(2020, 2, 2)),
        ),
        _simple(TWIN_ONE, ("Ada",), "Lane", "female", "2001-01-01", "CF14 3QT"),
        _simple(TWIN_TWO, ("Ivy",), "Lane", "female", "2001-01-01", "CF14 3QT"),
    ]


def _simple(
    number: str, given: tuple[str, ...], family: str, gender: str, born: str, postcode: str
) -> Record:
    day = date.fromisoformat(born)
    return Record(
        nhs_number=number,
        names=(Name(given, family, Period(day)),),
        gender=gender,
        birth_date=day,
        addresses=(Address(("1 Lime Row",), postcode, Period(day)),),
        practice=Practice("Y90102", Period(day)),
    )
