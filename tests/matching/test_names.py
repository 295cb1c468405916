from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.matching.names import fit_names, gives_every_name
from fhir_gateway.matching.policy import Difference as D
from tests.matching.people import TODAY, named, record, typed

PRIYA = [named("Sharma", "Priya")]
OLD = {"use": "maiden", "period": {"end": "2019-12-31"}}


@pytest.mark.parametrize(
    ("family", "given", "names"),
    [
        ("SHARMA", "priya", PRIYA),
        ("O’Connor", "Niamh", [named("O'Connor", "Niamh")]),
        ("Brown Edwards", "Amy", [named("Brown-Edwards", "Amy")]),
        ("Smith", "John Paul", [named("Smith", "John Paul", "James")]),
        ("Smith", "John Paul James", [named("Smith", "John Paul", "James")]),
        ("Smith", "Mary Jane", [named("Smith", "Mary", "Jane")]),
        ("Smith", "Mary-Jane", [named("Smith", "Mary", "Jane")]),
        ("Smith", "Mary", [named("Smith", "Mary", "Jane")]),
        ("Smith", "Mary J", [named("Smith", "Mary", "Jane")]),
        ("Smith", "Bob", [named("Smith", "Robert"), named("Smith", "Bob", use="nickname")]),
    ],
)
def test_a_name_agrees_however_it_is_written(
    family: str, given: str, names: list[dict[str, Any]]
) -> None:
    fit = fit_names(record(name=names), typed(family=family, given=(given,)), TODAY)
    assert (fit.family, fit.given, fit.differences) == (frozenset(), frozenset(), frozenset())


@pytest.mark.parametrize(
    ("family", "given", "names", "difference"),
    [
        ("Malik", "Priya", [*PRIYA, named("Malik", "Priya", **OLD)], D.PREVIOUS_NAME),
        ("Sharma", "Priya", [named("Sharma", "Priya", period={"end": "2021"})], D.PREVIOUS_NAME),
        ("Brown", "Priya", [named("Brown-Edwards", "Priya")], D.PART_OF_NAME),
        ("Sharma-Patel", "Priya", PRIYA, D.PART_OF_NAME),
        ("Smith", "John", [named("Smith", "John Paul")], D.PART_OF_NAME),
        ("Smith", "Mary Jane", [named("Smith", "Mary")], D.PART_OF_NAME),
        ("Priya", "Sharma", PRIYA, D.SWAPPED_NAMES),
        ("Smith", "Bob", [named("Smith", "Robert")], D.SHORT_FORM),
        ("Smith", "Robert", [named("Smith", "Rob")], D.SHORT_FORM),
        ("Shamra", "Priya", PRIYA, D.FAMILY_NAME_SLIP),
    ],
)
def test_what_differs_has_a_name(
    family: str, given: str, names: list[dict[str, Any]], difference: D
) -> None:
    fit = fit_names(record(name=names), typed(family=family, given=(given,)), TODAY)
    assert fit.family is not None
    assert fit.given is not None
    assert fit.differences == {difference}


@pytest.mark.parametrize(
    ("family", "given", "names"),
    [
        ("Sharma", "Prita", PRIYA),  # one letter tells twins apart
        ("Smith", "Jane", [named("Smith", "Mary", "Jane")]),  # or a twin is called so
        ("Smith", "Mary Ann", [named("Smith", "Mary", "Jane")]),
        ("Smith", "Alexandra", [named("Smith", "Alexander")]),
        ("Smith", "", [named("Smith", "Alexander")]),
        ("Smith", "Jack", [named("Smith", "John")]),
    ],
)
def test_another_given_name_is_another_person(
    family: str, given: str, names: list[dict[str, Any]]
) -> None:
    fit = fit_names(record(name=names), typed(family=family, given=(given,)), TODAY)
    assert fit.family == frozenset()
    assert fit.given is None


def test_both_names_must_be_of_one_and_the_same_name() -> None:
    names = [named("Sharma", "Priya"), named("Malik", "Anita", **OLD)]
    fit = fit_names(record(name=names), typed(family="Malik", given=("Priya",)), TODAY)
    assert None in (fit.family, fit.given)


@pytest.mark.parametrize("names", [None, [], [{}], [{"family": 5, "given": "x"}], ["x"], "x"])
def test_a_record_without_a_name_fits_nobody(names: Any) -> None:
    fit = fit_names(record(name=names), typed(), TODAY)
    assert (fit.family, fit.given) == (None, None)


def test_every_given_name_may_be_asked_for() -> None:
    twin = record(name=[named("Khan", "Mohammed", "Ali")])
    assert gives_every_name(twin, typed(given=("Mohammed Ali",)), TODAY)
    assert not gives_every_name(twin, typed(given=("Mohammed",)), TODAY)
