"""Each persona does what the documentation promises, over HTTP."""

from __future__ import annotations

import re
from datetime import date

import nhs_number
import pytest

from fhir_gateway.sandbox.pds.personas import Persona, people, person
from tests.sandbox.pds.client import Client, spine_code

KEYS = (
    "typical typical_man apostrophe hyphenated accented child parent namesake_a namesake_b"
    " restricted deceased death_withdrawn superseded_old superseded_new invalidated no_phone moved"
    " married expired_phone minimal"
).split()
#: Those a trace by what they type finds, and the number it finds them under.
FOUND = {
    key: key
    for key in (
        "typical typical_man apostrophe hyphenated accented child parent deceased death_withdrawn"
        " superseded_new no_phone moved married expired_phone"
    ).split()
} | {"superseded_old": "superseded_new"}
TODAY = date.today().isoformat()


def typed(who: Persona, **changes: object) -> dict[str, object]:
    return {
        "family": who.family,
        "given": who.given,
        "birthdate": who.birth_date,
        "address_postalcode": who.postcode,
    } | changes


def test_every_promised_persona_exists_once() -> None:
    assert [p.key for p in people()] == KEYS
    assert [person(key).key for key in KEYS] == KEYS


def test_an_unknown_persona_is_an_error() -> None:
    with pytest.raises(KeyError):
        person("nobody")


@pytest.mark.parametrize("who", people(), ids=KEYS)
def test_a_persona_is_documented_in_the_promised_forms(who: Persona) -> None:
    assert nhs_number.is_valid(who.nhs_number)
    assert re.fullmatch(r"999[0-9]{7}", who.nhs_number)
    assert date.fromisoformat(who.birth_date) < date.today()
    assert who.gender in ("female", "male")
    assert who.mobile is None or re.fullmatch(r"07700 900[0-9]{3}", who.mobile)
    assert who.email is None or who.email.endswith("@example.com")
    assert who.story[0].isupper()
    assert who.story.endswith(".")


@pytest.mark.parametrize(("key", "expected"), FOUND.items())
def test_what_a_persona_types_finds_exactly_them(pds: Client, key: str, expected: str) -> None:
    number = person(expected).nhs_number
    assert pds.found(**typed(person(key))) == [number]
    assert pds.found(**typed(person(key), history=True)) == [number]


@pytest.mark.parametrize(("key", "expected"), FOUND.items())
def test_the_search_nhs_england_advises_finds_exactly_them(
    pds: Client, key: str, expected: str
) -> None:
    who = person(key)
    advised = typed(
        who, given=f"{who.given[:3]}*", address_postalcode=f"{who.postcode[:2]}*", history=True
    )
    assert pds.found(**advised) == [person(expected).nhs_number]


@pytest.mark.parametrize(("key", "expected"), FOUND.items())
def test_a_fuzzy_search_finds_exactly_them(pds: Client, key: str, expected: str) -> None:
    assert pds.found(**typed(person(key), fuzzy=True)) == [person(expected).nhs_number]


@pytest.mark.parametrize("key", ["restricted", "invalidated", "minimal"])
def test_what_these_type_finds_nobody(pds: Client, key: str) -> None:
    assert pds.found(**typed(person(key))) == []
    assert pds.found(**typed(person(key), history=True)) == []
    assert pds.found(**typed(person(key), fuzzy=True)) == []


def test_the_apostrophe_may_be_curled(pds: Client) -> None:
    who = person("apostrophe")
    assert pds.found(**typed(who, family="O’Connor")) == [who.nhs_number]
    assert pds.found(**typed(who, family="OConnor")) == []
    assert pds.found(**typed(who, family="OConnor", fuzzy=True)) == [who.nhs_number]


def test_accents_may_be_left_out(pds: Client) -> None:
    who = person("accented")
    assert pds.found(**typed(who, family="KAMINSKI", given="Lukasz")) == [who.nhs_number]
    assert pds.score(**typed(who, family="KAMINSKI")) < pds.score(**typed(who)) == 1


def test_the_child_has_the_number_of_the_parent_and_names_her_as_related(pds: Client) -> None:
    child, parent = person("child"), person("parent")
    assert child.mobile == parent.mobile
    body = pds.get(f"/Patient/{child.nhs_number}/RelatedPerson").json()
    assert body["total"] == 1
    related = body["entry"][0]["resource"]
    assert related["patient"]["identifier"]["value"] == parent.nhs_number
    assert "MTH" in {coding["code"] for coding in related["relationship"][0]["coding"]}
    phone = pds.get(f"/Patient/{child.nhs_number}").json()["telecom"][0]["value"]
    assert phone == (parent.mobile or "").replace(" ", "")


def test_namesakes_are_too_many_until_a_phone_number_tells_them_apart(pds: Client) -> None:
    one, other = person("namesake_a"), person("namesake_b")
    assert typed(one) == typed(other)
    assert pds.found(**typed(one)) == ["many"]
    assert pds.found(**typed(one, fuzzy=True)) == ["many"]
    mobile = (one.mobile or "").replace(" ", "")
    assert pds.found(**typed(one, phone=mobile)) == [one.nhs_number]


def test_the_restricted_persona_is_found_by_name_and_shows_no_place(pds: Client) -> None:
    who = person("restricted")
    answer = pds.search(family=who.family, given=who.given, birthdate=who.birth_date)
    patient = answer.json()["entry"][0]["resource"]
    assert patient["id"] == who.nhs_number
    assert patient["meta"]["security"][0]["code"] == "R"
    for text in (answer.text, pds.get(f"/Patient/{who.nhs_number}").text):
        assert who.postcode not in text
        assert "07700900109" not in text
        assert "example.com" not in text


def test_the_deceased_persona_has_a_formal_notice(pds: Client) -> None:
    patient = pds.get(f"/Patient/{person('deceased').nhs_number}").json()
    assert patient["deceasedDateTime"] == "2024-11-03T00:00:00+00:00"
    assert death_status(patient) == "2"
    assert "generalPractitioner" not in patient


def test_the_withdrawn_notice_leaves_no_date_of_death(pds: Client) -> None:
    patient = pds.get(f"/Patient/{person('death_withdrawn').nhs_number}").json()
    assert "deceasedDateTime" not in patient
    assert death_status(patient) == "U"


def death_status(patient: dict[str, object]) -> str:
    extensions = patient["extension"]
    assert isinstance(extensions, list)
    [death] = [e for e in extensions if e["url"].endswith("DeathNotificationStatus")]
    return str(death["extension"][0]["valueCodeableConcept"]["coding"][0]["code"])


def test_the_old_number_gives_the_new_record(pds: Client) -> None:
    old, new = person("superseded_old"), person("superseded_new")
    answer = pds.get(f"/Patient/{old.nhs_number}")
    assert answer.status_code == 200
    assert answer.json()["id"] == new.nhs_number
    assert answer.json() == pds.get(f"/Patient/{new.nhs_number}").json()
    assert old.nhs_number not in answer.text


def test_a_search_finds_only_the_new_record(pds: Client) -> None:
    old, new = person("superseded_old"), person("superseded_new")
    assert pds.found(family=old.family, birthdate=old.birth_date) == [new.nhs_number]


def test_the_invalidated_record_is_not_given_out(pds: Client) -> None:
    who = person("invalidated")
    for path in (f"/Patient/{who.nhs_number}", f"/Patient/{who.nhs_number}/RelatedPerson"):
        answer = pds.get(path)
        assert answer.status_code == 404
        assert spine_code(answer) == "INVALIDATED_RESOURCE"


def test_no_phone_means_no_telecom(pds: Client) -> None:
    assert "telecom" not in pds.get(f"/Patient/{person('no_phone').nhs_number}").json()


def test_the_old_postcode_of_the_moved_is_found_in_history_only(pds: Client) -> None:
    who = person("moved")
    before = typed(who, address_postalcode=who.previous_postcode)
    assert pds.found(**before) == []
    assert pds.found(**before, history=True) == [who.nhs_number]
    assert pds.found(**before, fuzzy=True) == [who.nhs_number]


def test_the_old_name_of_the_married_is_found_in_history_only(pds: Client) -> None:
    who = person("married")
    before = typed(who, family=who.previous_family)
    assert pds.found(**before) == []
    assert pds.found(**before, history=True) == [who.nhs_number]
    assert pds.found(**before, fuzzy=True) == [who.nhs_number]


def test_the_expired_number_is_shown_with_its_end(pds: Client) -> None:
    who = person("expired_phone")
    [telecom] = pds.get(f"/Patient/{who.nhs_number}").json()["telecom"]
    assert telecom["value"] == (who.mobile or "").replace(" ", "")
    assert telecom["period"]["end"] < TODAY
    assert pds.found(**typed(who, phone=telecom["value"])) == []
    assert pds.found(**typed(who, phone=telecom["value"], history=True)) == [who.nhs_number]


def test_the_minimal_record_has_nothing_but_its_number(pds: Client) -> None:
    patient = pds.get(f"/Patient/{person('minimal').nhs_number}").json()
    assert set(patient) == {"resourceType", "id", "identifier", "meta"}
