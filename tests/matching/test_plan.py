from __future__ import annotations

import pytest

from fhir_gateway.matching.plan import Read, Search, plan
from tests.matching.people import typed


def searches(**changes: object) -> list[dict[str, str]]:
    questions = plan(typed(**changes))
    assert all(isinstance(q, Search) for q in questions)
    return [dict(q.params) for q in questions if isinstance(q, Search)]


def test_a_number_is_read_and_nothing_is_searched() -> None:
    assert plan(typed(nhs_number="9990001006")) == [Read("9990001006")]
    assert plan(typed(), bound_to="9990001014") == [Read("9990001014")]


def test_precise_then_as_nhs_england_advises_then_fuzzy() -> None:
    assert [q.step for q in plan(typed())] == ["precise", "wildcard", "fuzzy"]
    precise, wildcard, fuzzy = searches()
    common = {"family": "Sharma", "birthdate": "eq1984-03-12", "_max-results": "1"}
    assert precise == {
        **common,
        "given": "Priya",
        "address-postalcode": "LS6 2AB",
        "_history": "true",
    }
    assert wildcard == {
        **common,
        "given": "Pri*",
        "address-postalcode": "LS*",
        "_history": "true",
    }
    assert fuzzy == {
        **common,
        "given": "Priya",
        "address-postalcode": "LS6 2AB",
        "_fuzzy-match": "true",
    }


def test_nobody_is_searched_by_sex_and_never_exact() -> None:
    for params in searches():
        assert not {"gender", "_exact-match", "phone", "email"} & params.keys()


@pytest.mark.parametrize(
    "missing", [{"family": ""}, {"given": ()}, {"birth_date": "1984-03"}, {"postcode": " "}]
)
def test_what_could_not_decide_is_not_asked(missing: dict[str, object]) -> None:
    assert plan(typed(**missing)) == []


def test_a_first_name_of_several_words_is_found_compound_or_not() -> None:
    precise, wildcard, fuzzy = searches(given=("John Paul",))
    assert (precise["given"], wildcard["given"], fuzzy["given"]) == ("John*", "Joh*", "John Paul")


@pytest.mark.parametrize(("given", "first", "wide"), [("Jo", "Jo", "Jo*"), ("J", "J", "J")])
def test_short_names_keep_within_the_rule_of_wildcards(given: str, first: str, wide: str) -> None:
    precise, wildcard, _ = searches(given=(given,))
    assert (precise["given"], wildcard["given"]) == (first, wide)


def test_names_are_cut_at_what_pds_takes_and_stars_are_taken_out() -> None:
    for params in searches(family="S*" + "x" * 60, given=("*Pri*ya",)):
        assert len(params["family"]) <= 35
        assert "*" not in params["family"]
        assert params["given"].count("*") <= 1


def test_several_people_at_the_precise_search_are_several_later_too() -> None:
    assert [q.several_is_final for q in plan(typed()) if isinstance(q, Search)] == [
        True,
        False,
        False,
    ]
