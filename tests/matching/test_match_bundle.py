from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_gateway.fhir import check
from fhir_gateway.matching.match_bundle import MATCH_GRADE, match_bundle
from fhir_gateway.matching.outcome import Outcome, without_record
from tests.matching.people import PROVED, TYPED, dead, graded, record, typed

PDS = "https://pds.example/FHIR/R4"


@pytest.mark.parametrize(
    ("identity", "code"),
    [
        (graded(), "certain"),
        (graded(proof=replace(PROVED, numbers=())), "probable"),
        (graded(typed(given=("Anita",))), "possible"),
    ],
)
def test_a_candidate_has_the_grade_of_the_operation(identity: object, code: str) -> None:
    bundle = match_bundle(identity, record(), base_url=PDS)  # type: ignore[arg-type]
    [candidate, evidence] = bundle["entry"]
    assert bundle["total"] == 1
    assert candidate["search"]["extension"] == [{"url": MATCH_GRADE, "valueCode": code}]
    # A fullUrl is absolute: https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.fullUrl
    assert candidate["fullUrl"] == f"{PDS}/Patient/{record()['id']}"
    assert 0 <= candidate["search"]["score"] <= 1
    assert evidence["search"]["mode"] == "outcome"
    assert evidence["resource"]["resourceType"] == "OperationOutcome"


def test_only_certain_matches_may_be_asked_for() -> None:
    uncertain = graded(proof=replace(PROVED, numbers=()))
    assert match_bundle(uncertain, record(), base_url=PDS, only_certain=True)["total"] == 0
    assert match_bundle(graded(), record(), base_url=PDS, only_certain=True)["total"] == 1


@pytest.mark.parametrize(
    "there", [record(meta={"security": [{"code": "R"}]}), record(extension=dead("2"))]
)
def test_restricted_records_and_the_dead_are_not_shown(there: dict[str, object]) -> None:
    assert match_bundle(graded(TYPED, there), there, base_url=PDS)["total"] == 0


def test_no_record_is_an_empty_answer_with_a_reason() -> None:
    bundle = match_bundle(without_record(TYPED, Outcome.SEVERAL), None, base_url=PDS)
    assert bundle["total"] == 0
    assert "more than one" in str(bundle["entry"][0]["resource"])


def test_it_is_valid_fhir() -> None:
    assert [
        i
        for i in check.problems(match_bundle(graded(), record(), base_url=PDS))
        if i["severity"] == "error"
    ] == []
