from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.pds.client import Client, spine_code
from tests.sandbox.pds.made_people import ALAN, HIDDEN, JANE, JOHN_PAUL, JOSEPH, LATE

JANES = {"family": "Smythe", "given": "Jane", "birthdate": "1981-07-09", "fuzzy": True}
JOSEPHS = {"family": "O'Hara", "given": "Joseph", "birthdate": "1992-08-30", "fuzzy": True}
ALANS = {"family": "Branson", "given": "Alan", "birthdate": "1960-05-17", "fuzzy": True}
POPE = {"family": "Pope", "given": "Walter", "birthdate": "1933-04-05", "fuzzy": True}
TOO_LITTLE = (
    "Invalid search data provided - 'A fuzzy search was requested however the data given did not"
    " meet the fuzzy search criteria'"
)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        # homophones
        ({**JANES, "family": "Smith"}, [JANE]),
        ({**JANES, "given": "Jayne"}, [JANE]),
        ({**JOSEPHS, "family": "OHara"}, [JOSEPH]),
        ({**JANES, "family": "Jones"}, []),
        # accents
        ({**ALANS, "family": "BRÄNSON", "given": "Älan"}, [ALAN]),
        # swapped
        ({**JANES, "family": "Jane", "given": "Smythe"}, [JANE]),
        ({**JANES, "family": "Jayne", "given": "Smith"}, [JANE]),
        # previous names and nicknames, without asking for history
        ({**ALANS, "family": "Turner"}, [ALAN]),
        ({**ALANS, "given": "Buster"}, [ALAN]),
        # short forms, middle names, initials, compound names
        ({**JOSEPHS, "given": "Joe"}, [JOSEPH]),
        ({**JANES, "given": "Willis"}, [JANE]),
        ({**JANES, "given": "Jane W"}, [JANE]),
        ({**JANES, "given": "Willis Jane"}, [JANE]),
        ({**JANES, "given": ["Jane", "W"]}, [JANE]),
        ({**JANES, "given": "Mary"}, []),
        (
            {"family": "Smith", "given": "Paul J", "birthdate": "1970-02-03", "fuzzy": True},
            [JOHN_PAUL],
        ),
        # date of birth is never forgiven
        ({**JANES, "birthdate": "1981-07-08"}, []),
        ({**JANES, "birthdate": ["ge1981-07-01", "le1981-07-31"]}, [JANE]),
        # postcode: one slip; two where it cannot be a postcode; earlier addresses
        ({**JANES, "address_postalcode": "DN15 8JY"}, [JANE]),
        ({**JANES, "address_postalcode": "DN18 8JY"}, [JANE]),
        ({**JANES, "address_postalcode": "DN15258JY"}, [JANE]),
        ({**JANES, "address_postalcode": "DN18 8JX"}, []),
        ({**JANES, "address_postalcode": "ZZ99 7CZ"}, []),
        ({**JANES, "address_postalcode": "DN15"}, []),
        ({**ALANS, "address_postalcode": "YO1 7HH"}, [ALAN]),
        # gender, phone and email
        ({**JANES, "gender": "female"}, [JANE]),
        ({**JANES, "gender": "male"}, []),
        ({**ALANS, "email": "OLD@example.com"}, [ALAN]),
        ({**ALANS, "email": "alan@example.com"}, []),
        ({**ALANS, "phone": "01632960301"}, [ALAN]),
        ({**ALANS, "phone": "01632960302"}, []),
        # practice and date of death do not decide
        ({**JANES, "general_practitioner": "A20047"}, [JANE]),
        ({**POPE, "death_date": "le2019-01-01"}, [LATE]),
        ({**JANES, "death_date": "le2019-01-01"}, [JANE]),
        # the other two minimum combinations
        (
            {
                "family": "Smith",
                "birthdate": "1981-07-09",
                "gender": "female",
                "address_postalcode": "DN15 8JY",
                "fuzzy": True,
            },
            [JANE],
        ),
        (
            {
                "given": "Jane",
                "birthdate": "1981-07-09",
                "gender": "female",
                "address_postalcode": "DN15 8JY",
                "fuzzy": True,
            },
            [JANE],
        ),
        # exact still means a score of 1
        ({**JANES, "exact": True}, [JANE]),
        ({**JANES, "family": "Smith", "exact": True}, []),
    ],
)
def test_a_fuzzy_search_forgives_what_it_should(
    rules: Client, params: dict[str, Any], expected: list[str]
) -> None:
    assert rules.found(**params) == expected


@pytest.mark.parametrize(
    "params",
    [
        {**JANES, "given": "Jan*"},
        {**JANES, "family": "Smy*"},
        {**JANES, "address_postalcode": "DN*"},
        {"family": "Smith", "birthdate": "1981-07-09", "fuzzy": True},
        {"given": "Jane", "birthdate": "1981-07-09", "fuzzy": True},
        {"family": "Smith", "birthdate": "1981-07-09", "gender": "female", "fuzzy": True},
        {
            "birthdate": "1981-07-09",
            "gender": "female",
            "address_postalcode": "DN15 8JY",
            "fuzzy": True,
        },
    ],
)
def test_a_fuzzy_search_with_wildcards_or_too_little_is_refused(
    rules: Client, params: dict[str, Any]
) -> None:
    answer = rules.search(**params)
    assert answer.status_code == 400
    assert spine_code(answer) == "INVALID_SEARCH_DATA"
    assert answer.json()["issue"][0]["diagnostics"] == TOO_LITTLE


def test_a_fuzzy_search_without_birth_date_misses_it(rules: Client) -> None:
    answer = rules.search(family="Smythe", given="Jane", fuzzy=True)
    assert spine_code(answer) == "MISSING_VALUE"


def test_scores_fall_with_every_difference(rules: Client) -> None:
    same = rules.score(**JANES)
    one = rules.score(**{**JANES, "family": "Smith"})
    two = rules.score(**{**JANES, "family": "Smith", "given": "Jayne"})
    swapped = rules.score(**{**JANES, "family": "Jane", "given": "Smythe"})
    assert same == 1
    assert 1 > one > two > 0.85
    assert 1 > swapped > 0.85


def test_another_practice_or_date_of_death_lowers_the_score(rules: Client) -> None:
    assert rules.score(**JANES, general_practitioner="Y90102") == 1
    assert rules.score(**JANES, general_practitioner="A20047") < 1
    assert rules.score(**POPE, death_date="2020-02-02") == 1
    assert rules.score(**POPE, death_date="2019-02-02") < 1


def test_the_restricted_are_found_by_name_and_never_by_place(rules: Client) -> None:
    who = {"family": "Quin", "given": "Rosa", "birthdate": "1977-03-01", "fuzzy": True}
    assert rules.found(**who) == [HIDDEN]
    assert rules.found(**who, address_postalcode="NE3 1DP") == []
    assert rules.found(**who, general_practitioner="Y90102") == []
