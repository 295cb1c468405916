"""Resources cut to what a client asked for."""

from __future__ import annotations

from fhir_gateway.fhir import check
from fhir_gateway.fhir.subset import subset

TASK = {
    "resourceType": "Task",
    "id": "t",
    "meta": {"versionId": "1", "tag": [{"code": "SUBSETTED"}, {"code": "other"}]},
    "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"},
    "status": "requested",
    "_status": {"id": "s"},
    "intent": "order",
    "note": [{"text": "n"}],
    "executionPeriod": {"start": "2026"},
}


def test_nothing_is_cut_when_nothing_is_asked_for() -> None:
    assert subset(TASK) is TASK


def test_extras_of_primitives_go_with_them() -> None:
    cut = subset(TASK, elements=["note"])
    assert cut["_status"] == {"id": "s"}
    assert "executionPeriod" not in cut
    assert [tag["code"] for tag in cut["meta"]["tag"]] == ["other", "SUBSETTED"]


def test_a_choice_and_a_path_stand_for_their_roots() -> None:
    observed = {"resourceType": "Observation", "status": "final", "code": {}, "valueString": "x"}
    assert "valueString" in subset(observed, elements=["value"])
    assert "valueString" in subset(observed, elements=["value[x]"])
    assert "valueString" not in subset(observed, elements=["val"])
    assert "note" in subset(TASK, elements=["note.text"])


def test_every_cut_is_a_valid_resource() -> None:
    for summary in ("true", "text", "data"):
        cut = subset(TASK, summary=summary)
        assert [p for p in check.problems(cut) if p["severity"] == "error"] == [], summary


def test_a_bundle_keeps_its_outcome_and_includes_whole() -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [
            {"resource": TASK, "search": {"mode": "match"}},
            {"resource": TASK, "search": {"mode": "include"}},
            {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
        ],
    }
    match, include, said = subset(bundle, elements=["status"])["entry"]
    assert "note" not in match["resource"]
    assert include["resource"] is TASK
    assert said["resource"] == {"resourceType": "OperationOutcome"}
    assert "entry" not in subset(bundle, summary="count")


def test_a_type_that_nobody_knows_keeps_what_marks_it() -> None:
    cut = subset({"resourceType": "Nonsense", "id": "n", "a": 1}, summary="true")
    assert cut.keys() == {"resourceType", "id", "meta"}
