from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fhir_gateway.matching.grade import history_may_help
from fhir_gateway.matching.outcome import Level, Outcome, Status
from fhir_gateway.matching.policy import Difference, Policy
from tests.matching.people import NUMBER, PROVED, TYPED, dead, graded, named, record, typed

MATCHED = (Level.VERIFIED, Status.VERIFIED, Outcome.MATCHED)
EARLIER = {"use": "home", "postalCode": "M14 5RB", "period": {"end": "2019-12-31"}}
HOME = {"use": "home", "postalCode": "LS6 2AB"}


def verdict(**given: Any) -> tuple[Level, Status, Outcome]:
    found = graded(**given)
    return found.level, found.status, found.outcome


def against(identity: Any) -> set[str]:
    return {e.field for e in identity.evidence if e.agrees is False}


@pytest.mark.hazard("H03")
def test_all_agrees_and_the_phone_is_proved() -> None:
    found = graded()
    assert (found.level, found.status, found.outcome) == MATCHED
    assert found.nhs_number == NUMBER
    assert against(found) == set()


@pytest.mark.parametrize(
    ("who", "changes"),
    [
        (typed(family="Malik"), {"name": [*record()["name"], named("Malik", "Priya", use="old")]}),
        (typed(family="Shamra"), {}),
        (typed(family="Priya", given=("Sharma",)), {}),
        (typed(postcode="M14 5RB"), {"address": [HOME, EARLIER]}),
        (typed(postcode="LS6 2AD"), {}),
        (typed(family="Sharma-Patel"), {}),
    ],
)
def test_one_difference_is_forgiven_and_none_by_the_strictest_policy(
    who: Any, changes: dict[str, Any]
) -> None:
    found = graded(who, record(**changes))
    assert found.matched
    assert len(found.differences) == 1
    strict = graded(who, record(**changes), policy=Policy(frozenset()))
    assert not strict.matched
    assert "policy" in against(strict)


@pytest.mark.hazard("H03")
def test_two_differences_are_not_forgiven() -> None:
    found = graded(typed(family="Shamra", postcode="LS6 2AD"))
    assert (found.level, found.outcome) == (Level.PROBABLE, Outcome.NOT_PROVEN)
    assert against(found) == {"policy"}


@pytest.mark.parametrize(
    ("who", "fields"),
    [
        (typed(family="Patel"), {"name.family"}),
        (typed(given=("Prita",)), {"name.given"}),
        (typed(birth_date="1984-12-03"), {"birthDate"}),
        (typed(birth_date="1984-03"), {"birthDate", "age"}),
        (typed(birth_date=""), {"birthDate", "age"}),
        (typed(postcode="S11 8RN"), {"address.postalCode"}),
        (typed(postcode=""), {"address.postalCode"}),
        (typed(nhs_number="9990001014"), {"identifier"}),
    ],
)
@pytest.mark.hazard("H03")
def test_anything_that_does_not_agree_keeps_it_from_being_matched(
    who: Any, fields: set[str]
) -> None:
    found = graded(who)
    assert not found.matched
    assert fields <= against(found)
    assert found.nhs_number == who.nhs_number


@pytest.mark.parametrize(
    ("proof", "telecom", "says"),
    [
        (replace(PROVED, numbers=()), None, "not verified by code"),
        (replace(PROVED, by_patient=False), None, "not of the patient"),
        (replace(PROVED, numbers=("+447700900999",)), None, "the record has another"),
        (PROVED, [], "the record has none"),
        (PROVED, [{"system": "other", "value": "07700900101"}], "the record has none"),
        (PROVED, [{"system": "email", "value": "07700900101"}], "the record has none"),
        (
            PROVED,
            [{"system": "phone", "value": "07700900101", "period": {"end": "2021-12-31"}}],
            "expired",
        ),
    ],
)
@pytest.mark.hazard("H03")
@pytest.mark.hazard("H06")
def test_without_the_patient_s_own_phone_on_the_record_nobody_is_matched(
    proof: Any, telecom: list[dict[str, Any]] | None, says: str
) -> None:
    there = record() if telecom is None else record(telecom=telecom)
    found = graded(TYPED, there, proof)
    assert (found.level, found.status) == (Level.PROBABLE, Status.TRACE_REQUIRED)
    [phone] = [e for e in found.evidence if e.field == "telecom"]
    assert phone.agrees is False
    assert says in phone.text


@pytest.mark.parametrize("written", ["07700900101", "+44 7700 900101", "0044 7700900101"])
def test_the_phone_is_compared_however_pds_keeps_it(written: str) -> None:
    assert graded(TYPED, record(telecom=[{"system": "phone", "value": written}])).matched


def test_the_emergency_contact_s_phone_proves_nothing() -> None:
    contact = [{"telecom": [{"system": "phone", "value": "07700900101"}]}]
    assert not graded(TYPED, record(telecom=None, contact=contact)).matched


@pytest.mark.parametrize("code", ["R", "V", "REDACTED", "N", ""])
@pytest.mark.hazard("H08")
def test_anything_but_unrestricted_is_restricted(code: str) -> None:
    found = graded(TYPED, record(meta={"security": [{"code": code}]}))
    assert (found.level, found.outcome) == (Level.PROBABLE, Outcome.RESTRICTED)


@pytest.mark.parametrize("meta", [None, {}, {"security": []}, {"security": "U"}])
def test_a_record_without_a_marking_is_restricted(meta: Any) -> None:
    assert graded(TYPED, record(meta=meta)).outcome is Outcome.RESTRICTED


@pytest.mark.parametrize(
    "changes",
    [
        {"deceasedDateTime": "2024-11-03T00:00:00+00:00"},
        {"deceasedDateTime": "2024"},
        {"extension": dead("1")},
        {"extension": dead("2")},
    ],
)
def test_somebody_who_died_is_a_conflict(changes: dict[str, Any]) -> None:
    assert verdict(against=record(**changes)) == (
        Level.CONFLICTING,
        Status.CONFLICT,
        Outcome.DECEASED,
    )


def test_a_withdrawn_notice_of_death_is_no_death() -> None:
    assert verdict(against=record(extension=dead("U"))) == MATCHED
    with_date = record(extension=dead("U"), deceasedDateTime="2020-01-01")
    assert verdict(against=with_date) == MATCHED


def test_a_superseded_number_leads_to_the_record_that_took_its_place() -> None:
    who = typed(nhs_number="9990001146")
    found = graded(who, asked="9990001146")
    assert (found.outcome, found.nhs_number) == (Outcome.MATCHED_SUPERSEDED, NUMBER)
    assert graded(who, asked=None).outcome is Outcome.NUMBER_CONFLICT


def test_a_number_that_is_another_person_s_is_a_conflict() -> None:
    who = typed(nhs_number=NUMBER, family="Jones", given=("Ann",), birth_date="1970-01-01")
    assert verdict(who=who, asked=NUMBER) == (
        Level.CONFLICTING,
        Status.CONFLICT,
        Outcome.NUMBER_CONFLICT,
    )


def test_a_number_typed_and_not_proven_is_present_but_not_traced() -> None:
    who = typed(nhs_number=NUMBER)
    found = graded(who, proof=replace(PROVED, numbers=()), asked=NUMBER)
    assert (found.level, found.status) == (Level.PROBABLE, Status.PRESENT_NOT_TRACED)


@pytest.mark.parametrize("known", ["1984", "1984-03"])
def test_a_partial_birth_date_agrees_as_far_as_it_goes_and_never_matches(known: str) -> None:
    found = graded(TYPED, record(birthDate=known))
    assert found.level is Level.PROBABLE
    assert [e.agrees for e in found.evidence if e.field == "birthDate"] == [None]
    assert graded(typed(birth_date="1985-04-12"), record(birthDate=known)).outcome is (
        Outcome.DETAILS_DIFFER
    )


@pytest.mark.parametrize(("born", "matched"), [("2010-05-04", True), ("2010-05-05", False)])
@pytest.mark.hazard("H06")
def test_nobody_under_16_is_matched(born: str, matched: bool) -> None:
    assert graded(typed(birth_date=born), record(birthDate=born)).matched is matched


def test_the_age_can_only_be_raised() -> None:
    adult = Policy(youngest=18)
    born = {"birth_date": "2009-01-01"}
    assert not graded(typed(**born), record(birthDate="2009-01-01"), policy=adult).matched
    with pytest.raises(ValueError, match="below 16"):
        Policy(youngest=15)


def test_a_short_form_needs_the_same_sex() -> None:
    alex = record(name=[named("Sharma", "Alexander")], gender="male")
    assert graded(typed(given=("Alex",), gender="male"), alex).matched
    for sex in ("female", "other", "unknown", ""):
        assert not graded(typed(given=("Alex",), gender=sex), alex).matched


@pytest.mark.parametrize("birth", [{"multipleBirthInteger": 2}, {"multipleBirthBoolean": True}])
@pytest.mark.hazard("H03")
def test_of_twins_every_given_name_is_needed_without_a_difference(birth: dict[str, Any]) -> None:
    twin = record(name=[named("Sharma", "Mohammed", "Ali")], **birth)
    assert graded(typed(given=("Mohammed Ali",)), twin).matched
    assert not graded(typed(given=("Mohammed",)), twin).matched
    assert not graded(typed(given=("Mohammed Ali",), postcode="LS6 2AD"), twin).matched


def test_numbers_of_births_that_say_nothing_ask_for_nothing() -> None:
    for order in (8, 9, 0, True, "2"):
        there = record(name=[named("Sharma", "Priya", "Anu")], multipleBirthInteger=order)
        assert graded(TYPED, there).matched


def test_who_left_the_nhs_is_told_to_staff() -> None:
    url = "https://fhir.nhs.uk/StructureDefinition/Extension-PDS-RemovalFromRegistration"
    reason = {"coding": [{"code": "SCT"}]}
    part = {"url": "removalFromRegistrationCode", "valueCodeableConcept": reason}
    found = graded(TYPED, record(extension=[{"url": url, "extension": [part]}]))
    assert found.matched
    assert any("no longer registered" in e.text for e in found.evidence)


def test_evidence_holds_no_value_of_the_record_or_of_what_was_typed() -> None:
    said = repr(graded(typed(nhs_number=NUMBER), asked=NUMBER).evidence)
    for value in ("Sharma", "Priya", "1984", "LS6", "900101", NUMBER):
        assert value not in said


def test_history_is_read_only_where_one_earlier_fact_could_explain_it() -> None:
    assert history_may_help(graded(typed(family="Malik")))
    assert history_may_help(graded(typed(postcode="M14 5RB")))
    assert not history_may_help(graded(typed(family="Malik", postcode="M14 5RB")))
    assert not history_may_help(graded(typed(given=("Anita",))))
    assert not history_may_help(graded(typed(family="Malik"), proof=replace(PROVED, numbers=())))
    assert not history_may_help(graded())


@pytest.mark.parametrize("difference", list(Difference))
def test_each_difference_can_be_switched_off(difference: Difference) -> None:
    policy = Policy(frozenset(Difference) - {difference})
    assert not policy.allows(frozenset({difference}))
    assert policy.allows(frozenset())


@pytest.mark.parametrize(
    "junk",
    [
        {"id": NUMBER},
        {"id": NUMBER, "name": [None], "telecom": {}, "address": "x", "meta": []},
        {"id": NUMBER, "name": [{"given": [None, 3]}], "extension": [None], "birthDate": 5},
    ],
)
def test_a_broken_record_is_graded_and_never_matched(junk: dict[str, Any]) -> None:
    assert not graded(TYPED, junk).matched
