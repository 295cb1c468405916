"""Every row of the parameter grammar, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.pds.client import Client, spine_code
from tests.sandbox.pds.made_people import ALAN, JOHN_PAUL, LATE

SMITH = {"family": "Smith", "birthdate": "1970-02-03"}
ALANS = {"family": "Brånsön", "birthdate": "1960-05-17"}
POPE = {"family": "Pope", "birthdate": "1933-04-05"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        # family: case, accents, wildcards
        ({**SMITH, "family": "sMITH"}, [JOHN_PAUL]),
        ({**ALANS, "family": "BRANSON"}, [ALAN]),
        ({**SMITH, "family": "Sm*"}, [JOHN_PAUL]),
        ({**SMITH, "family": "Sm*h"}, [JOHN_PAUL]),
        ({**SMITH, "family": "Smithe"}, []),
        # given: in order, wildcards at the start of the first only
        ({**ALANS, "given": "Alan"}, [ALAN]),
        ({**ALANS, "given": "Ala*"}, [ALAN]),
        ({**ALANS, "given": "Mic*"}, []),
        ({**ALANS, "given": "Michael"}, []),
        ({**ALANS, "given": ["Alan", "Michael"]}, [ALAN]),
        ({**ALANS, "given": ["Alan", "Mic*"]}, [ALAN]),
        ({**ALANS, "given": ["Alan", "Michael", "Kit"]}, []),
        ({**ALANS, "given": ""}, [ALAN]),
        ({**SMITH, "given": ["John Paul", "James"]}, [JOHN_PAUL]),
        ({**SMITH, "given": "Joh*"}, [JOHN_PAUL]),
        ({**SMITH, "given": "John"}, []),
        # all present kinds of name
        ({**ALANS, "given": "Buster"}, [ALAN]),
        # birthdate: prefixes and ranges
        ({**SMITH, "birthdate": "eq1970-02-03"}, [JOHN_PAUL]),
        ({**SMITH, "birthdate": "eq1970-02-04"}, []),
        ({**SMITH, "birthdate": "ge1970-02-03"}, [JOHN_PAUL]),
        ({**SMITH, "birthdate": "ge1970-02-04"}, []),
        ({**SMITH, "birthdate": "le1970-02-03"}, [JOHN_PAUL]),
        ({**SMITH, "birthdate": "le1970-02-02"}, []),
        ({**SMITH, "birthdate": ["ge1970-02-02", "le1970-02-04"]}, [JOHN_PAUL]),
        ({**SMITH, "birthdate": ["le1970-02-04", "ge1970-02-02"]}, [JOHN_PAUL]),
        ({**SMITH, "birthdate": ["ge1970-02-04", "le1970-02-05"]}, []),
        # death-date
        ({**POPE, "death-date": "2020-02-02"}, [LATE]),
        ({**POPE, "death-date": "le2020-02-01"}, []),
        ({**POPE, "death-date": ["ge2020-01-01", "le2020-12-31"]}, [LATE]),
        ({**SMITH, "death-date": "ge1900-01-01"}, []),
        # gender
        ({**SMITH, "gender": "male"}, [JOHN_PAUL]),
        ({**SMITH, "gender": "Male"}, [JOHN_PAUL]),
        ({**SMITH, "gender": "female"}, []),
        ({**SMITH, "gender": "unknown"}, []),
        # address-postalcode: any present address, case and spaces, wildcards
        ({**ALANS, "address-postalcode": "LS11 6AD"}, [ALAN]),
        ({**ALANS, "address-postalcode": "ls116ad"}, [ALAN]),
        ({**ALANS, "address-postalcode": "LS*"}, [ALAN]),
        ({**ALANS, "address-postalcode": "HU1 1AA"}, [ALAN]),
        ({**ALANS, "address-postalcode": "YO1 7HH"}, []),
        ({**ALANS, "address-postalcode": "YO1 7HH", "_history": "true"}, [ALAN]),
        ({**ALANS, "address-postalcode": "LS11 6AE"}, []),
        ({**ALANS, "address-postcode": "LS11 6AD"}, [ALAN]),
        # general-practitioner
        ({**ALANS, "general-practitioner": "Y90101"}, [ALAN]),
        ({**ALANS, "general-practitioner": "Y90102"}, []),
        # phone and email: as stored, present ones only; no wildcards; email without case
        ({**ALANS, "phone": "00447700900301"}, [ALAN]),
        ({**ALANS, "phone": "07700900301"}, []),
        ({**ALANS, "phone": "0044 7700900301"}, []),
        ({**ALANS, "phone": "0044*"}, []),
        ({**ALANS, "phone": "01632960301"}, []),
        ({**ALANS, "phone": "01632960301", "_history": "true"}, [ALAN]),
        ({**ALANS, "email": "alan.b@EXAMPLE.com"}, [ALAN]),
        ({**ALANS, "email": "alan*"}, []),
        ({**ALANS, "email": "old@example.com"}, []),
        ({**ALANS, "email": "old@example.com", "_history": "true"}, [ALAN]),
        ({**ALANS, "email": "alan.b@example.com", "phone": "01"}, []),
        # history: earlier names
        ({**ALANS, "family": "Turner"}, []),
        ({**ALANS, "family": "Turner", "_history": "true"}, [ALAN]),
        ({**ALANS, "family": "Turner", "_history": "false"}, []),
        # exact: only a score of 1
        ({**SMITH, "_exact-match": "true"}, [JOHN_PAUL]),
        ({**SMITH, "family": "Smi*", "_exact-match": "true"}, []),
        ({**ALANS, "family": "Branson", "_exact-match": "true"}, []),
        # flags and number, written leniently
        ({**SMITH, "_exact-match": "TRUE", "_max-results": "1"}, [JOHN_PAUL]),
        ({**SMITH, "_fuzzy-match": ""}, [JOHN_PAUL]),
    ],
)
def test_a_search_parameter_finds_who_it_should(
    rules: Client, params: dict[str, Any], expected: list[str]
) -> None:
    assert rules.found(**params) == expected


@pytest.mark.parametrize(
    ("params", "code", "diagnostics"),
    [
        ({}, "UNSUPPORTED_SERVICE", None),
        (
            {**SMITH, "identifier": "9990001316"},
            "ADDITIONAL_PROPERTIES",
            "Invalid request with error - Additional properties are not allowed"
            " ('identifier' was unexpected)",
        ),
        (
            {"manufacturer": "Ford", "model": "focus", "family": "Smith"},
            "ADDITIONAL_PROPERTIES",
            "Invalid request with error - Additional properties are not allowed"
            " ('manufacturer', 'model' were unexpected)",
        ),
        ({**SMITH, "Family": "Smith"}, "ADDITIONAL_PROPERTIES", ...),
        (
            {**SMITH, "birthdate": "20101022"},
            "INVALID_VALUE",
            "Invalid value - '20101022' in field 'birthdate'",
        ),
        ({**SMITH, "birthdate": "eq2023-02-30"}, "INVALID_VALUE", ...),
        ({**SMITH, "birthdate": "gt2023-02-03"}, "INVALID_VALUE", ...),
        ({**SMITH, "birthdate": "1970-02"}, "INVALID_VALUE", ...),
        ({**SMITH, "birthdate": "٢٠٢٠-٠١-٠١"}, "INVALID_VALUE", ...),
        (
            {**SMITH, "birthdate": ""},
            "INVALID_VALUE",
            "Invalid value - '' in field 'birthdate'",
        ),
        (
            {**SMITH, "death-date": "2010"},
            "INVALID_VALUE",
            "Invalid value - '2010' in field 'death-date'",
        ),
        ({**SMITH, "gender": "mal"}, "INVALID_VALUE", "Invalid value - 'mal' in field 'gender'"),
        ({**SMITH, "family": "S" * 36}, "INVALID_VALUE", ...),
        ({**SMITH, "given": ["John", "J" * 36]}, "INVALID_VALUE", ...),
        (
            {**SMITH, "_history": "yes"},
            "INVALID_VALUE",
            "Invalid value - 'yes' in field '_history'",
        ),
        ({**SMITH, "_fuzzy-match": "1"}, "INVALID_VALUE", ...),
        ({**SMITH, "_exact-match": "t"}, "INVALID_VALUE", ...),
        (
            {**SMITH, "_max-results": "0"},
            "INVALID_VALUE",
            "Invalid value - '0' in field '_max-results'",
        ),
        ({**SMITH, "_max-results": "one"}, "INVALID_VALUE", ...),
        (
            {"family": "Smith"},
            "MISSING_VALUE",
            "Missing value - 'birth_date/birth_date_range_start/birth_date_range_end'",
        ),
        ({"phone": "0163", "email": "a@example.com"}, "MISSING_VALUE", ...),
        (
            {"birthdate": "1970-02-03"},
            "INVALID_SEARCH_DATA",
            "Invalid search data provided - 'No searches were performed as the search criteria did"
            " not meet the minimum requirements'",
        ),
        ({"birthdate": "1970-02-03", "given": "John"}, "INVALID_SEARCH_DATA", ...),
        ({**SMITH, "family": "  "}, "INVALID_SEARCH_DATA", ...),
        ({**SMITH, "family": "S*"}, "INVALID_SEARCH_DATA", ...),
        ({**SMITH, "family": "*mith"}, "INVALID_SEARCH_DATA", ...),
        ({**SMITH, "given": "J*"}, "INVALID_SEARCH_DATA", ...),
        ({**SMITH, "address-postalcode": "L*"}, "INVALID_SEARCH_DATA", ...),
        (
            {**SMITH, "address-postalcode": "LS1 6AE", "address-postcode": "LS1 6AE"},
            "INVALID_SEARCH_DATA",
            ...,
        ),
        (
            {**SMITH, "birthdate": ["ge1970-02-03", "ge1970-02-04"]},
            "INVALID_SEARCH_DATA",
            "Invalid search data provided - 'Invalid Date Combination'",
        ),
        ({**SMITH, "birthdate": ["ge1971-01-01", "le1970-01-01"]}, "INVALID_SEARCH_DATA", ...),
        ({**SMITH, "birthdate": ["1970-02-03", "le1970-02-03"]}, "INVALID_SEARCH_DATA", ...),
        (
            {**SMITH, "birthdate": ["ge1970-02-03", "le1970-02-03", "eq1970-02-03"]},
            "INVALID_SEARCH_DATA",
            ...,
        ),
    ],
)
def test_a_wrong_search_is_refused_in_the_words_of_pds(
    rules: Client, params: dict[str, Any], code: str, diagnostics: Any
) -> None:
    answer = rules.search(**params)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/fhir+json"
    assert spine_code(answer) == code
    if diagnostics is not ...:
        assert answer.json()["issue"][0].get("diagnostics") == diagnostics


def test_of_a_repeated_parameter_the_first_counts(rules: Client) -> None:
    assert rules.found(family=["Smith", "Jones"], birthdate="1970-02-03") == [JOHN_PAUL]


@pytest.mark.parametrize(
    "value",
    ["\x00", "<script>alert(1)</script>", "{{ 7*7 }}", "🙂🙂", "\u202eenaJ", "' OR 1=1 --", "%"],
)
def test_odd_text_finds_nobody_and_breaks_nothing(rules: Client, value: str) -> None:
    assert rules.found(family=value, birthdate="1970-02-03") == []
