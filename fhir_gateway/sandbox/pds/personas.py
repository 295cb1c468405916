"""The named people of the sandbox: fixed, documented, one for each thing that can happen.

Tests, the demo and the documentation speak of them by key. They are invented; their NHS numbers
are of the test range 999, their mobile numbers of the range Ofcom keeps for drama.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Persona:
    """One invented person, as they would introduce themselves.

    `nhs_number` is ten digits, `birth_date` ISO, `mobile` written `07700 900xxx`. What PDS holds
    may be less: `story` says so in one sentence. `previous_family` and `previous_postcode` are what
    they were called, and where they lived, before.
    """

    key: str
    story: str
    nhs_number: str
    given: str
    family: str
    birth_date: str
    gender: str
    postcode: str
    mobile: str | None
    email: str | None = None
    previous_family: str | None = None
    previous_postcode: str | None = None


_PEOPLE = (
    Persona(
        key="typical",
        story="An adult whose details all match. Use her for a first try.",
        nhs_number="9990001006",
        given="Priya",
        family="Sharma",
        birth_date="1984-03-12",
        gender="female",
        postcode="LS6 2AB",
        mobile="07700 900101",
        email="priya.sharma@example.com",
    ),
    Persona(
        key="typical_man",
        story="An adult whose details all match.",
        nhs_number="9990001014",
        given="David",
        family="Hughes",
        birth_date="1957-11-02",
        gender="male",
        postcode="CF14 3QT",
        mobile="07700 900102",
        email="david.hughes@example.com",
    ),
    Persona(
        key="apostrophe",
        story="Has an apostrophe in her family name, which phones like to curl.",
        nhs_number="9990001022",
        given="Niamh",
        family="O'Connor",
        birth_date="1990-06-21",
        gender="female",
        postcode="M20 4WX",
        mobile="07700 900103",
        email="niamh@example.com",
    ),
    Persona(
        key="hyphenated",
        story="Has two family names joined by a hyphen.",
        nhs_number="9990001030",
        given="Oluwaseun",
        family="Adeyemi-Clarke",
        birth_date="1988-01-30",
        gender="male",
        postcode="SE15 5JB",
        mobile="07700 900104",
    ),
    Persona(
        key="accented",
        story="Has letters in his name that many keyboards do not have.",
        nhs_number="9990001049",
        given="Łukasz",
        family="Kamiński",
        birth_date="1979-08-15",
        gender="male",
        postcode="B29 6SJ",
        mobile="07700 900105",
        email="lukasz.kaminski@example.com",
    ),
    Persona(
        key="child",
        story="A child. The mobile number on his record is his mother's.",
        nhs_number="9990001057",
        given="Oliver",
        family="Bennett",
        birth_date="2018-04-17",
        gender="male",
        postcode="BS6 7HG",
        mobile="07700 900106",
    ),
    Persona(
        key="parent",
        story="The child's mother. Her own number is on both records.",
        nhs_number="9990001065",
        given="Hannah",
        family="Bennett",
        birth_date="1987-09-30",
        gender="female",
        postcode="BS6 7HG",
        mobile="07700 900106",
        email="hannah.bennett@example.com",
    ),
    Persona(
        key="namesake_a",
        story="Shares name, date of birth and postcode with another man, so PDS names neither.",
        nhs_number="9990001073",
        given="Mohammed",
        family="Hussain",
        birth_date="1975-05-20",
        gender="male",
        postcode="BD8 7DA",
        mobile="07700 900107",
    ),
    Persona(
        key="namesake_b",
        story="The other man with the same name, date of birth and postcode.",
        nhs_number="9990001081",
        given="Mohammed",
        family="Hussain",
        birth_date="1975-05-20",
        gender="male",
        postcode="BD8 7DA",
        mobile="07700 900108",
    ),
    Persona(
        key="restricted",
        story="Her record is restricted: PDS never says where she is, nor finds her by postcode.",
        nhs_number="9990001103",
        given="Leah",
        family="Carter",
        birth_date="1993-12-05",
        gender="female",
        postcode="S11 8RN",
        mobile="07700 900109",
        email="leah.carter@example.com",
    ),
    Persona(
        key="deceased",
        story="Has died, and the registrar has told the NHS.",
        nhs_number="9990001111",
        given="George",
        family="Whitfield",
        birth_date="1938-02-27",
        gender="male",
        postcode="NE3 1DP",
        mobile="07700 900110",
    ),
    Persona(
        key="death_withdrawn",
        story="Was recorded as dead by mistake. The notice was withdrawn: she is alive.",
        nhs_number="9990001138",
        given="Joan",
        family="Marsden",
        birth_date="1949-07-08",
        gender="female",
        postcode="LE2 3TF",
        mobile="07700 900112",
    ),
    Persona(
        key="superseded_old",
        story="The old one of two records of one man. Asking for it gives the new one.",
        nhs_number="9990001146",
        given="Daniel",
        family="Osei",
        birth_date="1992-02-08",
        gender="male",
        postcode="E17 9NL",
        mobile=None,
    ),
    Persona(
        key="superseded_new",
        story="The record that took the old one's place.",
        nhs_number="9990001154",
        given="Daniel",
        family="Osei",
        birth_date="1992-02-08",
        gender="male",
        postcode="N4 2HR",
        mobile="07700 900113",
        previous_postcode="E17 9NL",
    ),
    Persona(
        key="invalidated",
        story="Her record was made by mistake and marked invalid, so PDS does not give it out.",
        nhs_number="9990001162",
        given="Rebecca",
        family="Stone",
        birth_date="1966-10-11",
        gender="female",
        postcode="L18 1HN",
        mobile="07700 900114",
    ),
    Persona(
        key="no_phone",
        story="Has no phone number and no email address on his record.",
        nhs_number="9990001170",
        given="Arthur",
        family="Pemberton",
        birth_date="1941-01-19",
        gender="male",
        postcode="S7 2BQ",
        mobile=None,
    ),
    Persona(
        key="moved",
        story="Has moved to another town. Her old postcode is found only in the history.",
        nhs_number="9990001189",
        given="Chloe",
        family="Fraser",
        birth_date="1997-03-25",
        gender="female",
        postcode="BS3 4UL",
        mobile="07700 900115",
        email="chloe.fraser@example.com",
        previous_postcode="M14 5RB",
    ),
    Persona(
        key="married",
        story="Took another family name when she married. The old one is on her record.",
        nhs_number="9990001197",
        given="Aisha",
        family="Rahman",
        birth_date="1985-11-14",
        gender="female",
        postcode="BD3 9AJ",
        mobile="07700 900116",
        email="aisha.rahman@example.com",
        previous_family="Malik",
    ),
    Persona(
        key="expired_phone",
        story="The mobile number on his record is no longer in use, and PDS says so.",
        nhs_number="9990001200",
        given="Gareth",
        family="Pritchard",
        birth_date="1971-04-04",
        gender="male",
        postcode="CF23 5LQ",
        mobile="07700 900117",
    ),
    Persona(
        key="minimal",
        story="PDS holds his NHS number and nothing else, so no search finds him.",
        nhs_number="9990001219",
        given="Tomasz",
        family="Nowak",
        birth_date="1995-09-09",
        gender="male",
        postcode="LS9 7BG",
        mobile=None,
    ),
)
_BY_KEY: Mapping[str, Persona] = MappingProxyType({p.key: p for p in _PEOPLE})


def people() -> tuple[Persona, ...]:
    """All personas, in the order the documentation shows them."""
    return _PEOPLE


def person(key: str) -> Persona:
    """The persona of that key, such as `typical`. Raises KeyError."""
    return _BY_KEY[key]
