from __future__ import annotations

from tests.sandbox.pds.client import Client
from tests.sandbox.pds.made_people import HIDDEN, JANE, TWIN_ONE


def test_an_exact_hit_scores_one(rules: Client) -> None:
    assert rules.score(family="Smith", given="John Paul", birthdate="1970-02-03") == 1


def test_a_whole_score_is_written_without_decimals(rules: Client) -> None:
    assert '"score":1}' in rules.search(family="Smith", birthdate="1970-02-03").text


def test_a_wildcard_hit_scores_less_than_one_however_much_was_typed(rules: Client) -> None:
    scores = [
        rules.score(family=family, birthdate="1970-02-03") for family in ("Sm*", "Smi*", "Smith*")
    ]
    assert 0.8 < scores[0] < scores[1] < scores[2] < 1


def test_history_scores_less_than_the_present(rules: Client) -> None:
    now = rules.score(family="Brånsön", birthdate="1960-05-17", history=True)
    then = rules.score(family="Turner", birthdate="1960-05-17", history=True)
    assert then < now == 1


def test_a_hit_by_history_is_answered_with_present_data(rules: Client) -> None:
    body = rules.search(family="Turner", birthdate="1960-05-17", history=True).json()
    patient = body["entry"][0]["resource"]
    assert {name["family"] for name in patient["name"]} == {"Brånsön"}
    assert [address["postalCode"] for address in patient["address"]] == ["LS11 6AD"]


def test_a_temporary_address_finds_but_only_the_home_address_is_answered(rules: Client) -> None:
    body = rules.search(
        family="Brånsön", birthdate="1960-05-17", address_postalcode="HU1 1AA"
    ).json()
    addresses = body["entry"][0]["resource"]["address"]
    assert [(a["use"], a["postalCode"]) for a in addresses] == [("home", "LS11 6AD")]


def test_homophones_are_left_to_the_fuzzy_search(rules: Client) -> None:
    assert rules.found(family="Smith", birthdate="1981-07-09") == []
    assert rules.found(family="Smythe", birthdate="1981-07-09") == [JANE]


def test_two_matches_are_too_many(rules: Client) -> None:
    assert rules.found(family="Lane", birthdate="2001-01-01") == ["many"]
    assert rules.found(family="Lane", given="Ada", birthdate="2001-01-01") == [TWIN_ONE]


def test_the_restricted_are_found_by_name_and_never_by_place(rules: Client) -> None:
    who = {"family": "Quinn", "birthdate": "1977-03-01"}
    assert rules.found(**who) == [HIDDEN]
    assert rules.found(**who, address_postalcode="NE3 1DP") == []
    assert rules.found(**who, address_postalcode="NE*") == []
    assert rules.found(**who, address_postcode="NE3 1DP") == []
    assert rules.found(**who, general_practitioner="Y90102") == []
