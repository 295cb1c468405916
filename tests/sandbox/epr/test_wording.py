"""FHIR values in the words that staff read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_gateway.fhir.identifiers import VERIFICATION_STATUS_EXTENSION
from fhir_gateway.sandbox.epr import wording
from tests.sandbox.epr.request_bundle import patient


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T15:05:00Z", "24 November 2026 at 3:05pm"),
        ("2026-06-24T15:00:00Z", "24 June 2026 at 4pm"),
        ("2026-06-30T23:30:00Z", "1 July 2026 at 12:30am"),
        ("2026-11-24T12:00:00Z", "24 November 2026 at midday"),
        ("2026-11-24T00:00:00Z", "24 November 2026 at midnight"),
        ("2026-11-24", "24 November 2026"),
        ("2026-11", "November 2026"),
        ("2026", "2026"),
        ("soon", "soon"),
    ],
)
def test_moments_read_as_the_nhs_writes_them(text: str, expected: str) -> None:
    assert wording.moment(text) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([{"given": ["Ann", "Mary"], "family": "Lee"}], "Ann Mary Lee"),
        ([{"use": "old", "family": "Was"}, {"use": "usual", "family": "Is"}], "Is"),
        ([{"text": "A. Lee"}], "A. Lee"),
        ([{}], "Name not given"),
        ([], "Name not given"),
        ("rubbish", "Name not given"),
    ],
)
def test_names_read_in_full(names: Any, expected: str) -> None:
    assert wording.person_name({"resourceType": "Patient", "name": names}) == expected


@pytest.mark.parametrize(
    ("status", "start"),
    [
        ("01", "Checked against the NHS record and verified"),
        ("02", "Given, but not checked"),
        ("04", "Checked, but no record"),
        ("99", "99"),
    ],
)
def test_a_verification_status_reads_as_words(status: str, start: str) -> None:
    assert wording.verification(patient(status=status)).startswith(start)


def test_an_nhs_number_is_spaced_and_its_absence_is_said() -> None:
    assert wording.nhs_number(patient()) == "999 000 0018"
    assert wording.nhs_number(patient(None)) == "Not given"


def test_a_status_of_another_system_reads_as_its_own_text() -> None:
    concept = {"coding": [{"system": "urn:wales", "display": "Traced"}]}
    extension = {"url": VERIFICATION_STATUS_EXTENSION, "valueCodeableConcept": concept}

    assert wording.verification({"identifier": [{"extension": [extension]}]}) == "Traced"
    assert wording.verification({"identifier": [{}]}) == ""


def test_contacts_come_with_the_preferred_first() -> None:
    assert list(wording.contacts(patient())) == [
        ("Mobile phone", "07700 900123"),
        ("Email", "adaeze@example.org"),
    ]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"valueBoolean": False}, "No"),
        ({"valueString": "A\nB"}, "A\nB"),
        ({"valueInteger": 0}, "0"),
        ({"valueDecimal": Decimal("1.50")}, "1.50"),
        ({"valueQuantity": {"value": Decimal("2"), "unit": "weeks"}}, "2 weeks"),
        ({"valueCoding": {"code": "c"}}, "c"),
        ({"valueCodeableConcept": {"coding": [{"code": "c", "display": "C"}]}}, "C"),
        ({"valueDate": "2026-11-01"}, "1 November 2026"),
        ({"valueDateTime": "2026-11-01T09:00:00Z"}, "1 November 2026 at 9am"),
        ({"valueTime": "09:00:00"}, "09:00:00"),
        ({"valueAttachment": {"title": "Photo.jpg"}}, "Photo.jpg"),
        ({"valueAttachment": {"url": "Binary/1"}}, "A file"),
        ({"valueReference": {"reference": "Patient/1"}}, "Patient/1"),
        ({"valueUri": "urn:x"}, "urn:x"),
        ({}, ""),
    ],
)
def test_answers_of_every_type_read_as_text(answer: dict[str, Any], expected: str) -> None:
    assert wording.answer_text(answer) == expected
