"""Each strategy against the sandbox EPR, a real FHIR server over real HTTP."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from fhir_gateway.epr.progress import MemoryProgress
from fhir_gateway.errors import Defect, Refused
from fhir_gateway.fhir.bundle import references
from fhir_gateway.provider.endpoint import EprEndpoint, PatientPolicy, RepeatMode, Strategy
from tests.epr.conftest import MakeAdapter, SandboxEpr
from tests.sandbox.epr.request_bundle import patient, request_bundle

TYPES = ("ServiceRequest", "QuestionnaireResponse", "Task", "Provenance")
MODES = (
    RepeatMode.INTENT_SEARCH,
    RepeatMode.CONDITIONAL_CREATE,
    RepeatMode.PUT_BY_CLIENT_ID,
    RepeatMode.OPERATOR_CHECK,
)


def unguarded():  # type: ignore[no-untyped-def]
    return lambda: None


@pytest.fixture
def request_id() -> str:
    return str(uuid.uuid4())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("strategy", [Strategy.TRANSACTION, Strategy.CREATES])
def test_a_request_arrives_whole_about_the_patient_whom_the_epr_has(
    sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str, strategy: Strategy, mode: RepeatMode
) -> None:
    way = adapter(EprEndpoint(sandbox.base, strategy, mode))
    bundle = request_bundle(request_id=request_id)

    delivered = way.send(bundle, request_id, unguarded)

    assert [sandbox.count(name) for name in TYPES] == [1, 1, 1, 1]
    assert sandbox.count("Patient") == 1
    local = f"Patient/{sandbox.only('Patient')['id']}"
    assert sandbox.only("ServiceRequest")["subject"] == {"reference": local}
    assert {r.reference.split("/")[0] for r in delivered.resources} == {*TYPES, "Patient"}
    assert all(r.version for r in delivered.resources if not r.reference.startswith("Patient"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("strategy", [Strategy.TRANSACTION, Strategy.CREATES])
def test_what_arrived_is_found_again(
    sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str, strategy: Strategy, mode: RepeatMode
) -> None:
    way = adapter(EprEndpoint(sandbox.base, strategy, mode))
    bundle = request_bundle(request_id=request_id)
    assert way.find(bundle, request_id) is None

    way.send(bundle, request_id, unguarded)

    found = way.find(bundle, request_id)
    assert found is not None
    assert any(r.startswith("ServiceRequest/") for r in found.references)


@pytest.mark.parametrize("mode", [RepeatMode.CONDITIONAL_CREATE, RepeatMode.PUT_BY_CLIENT_ID])
@pytest.mark.parametrize("strategy", [Strategy.TRANSACTION, Strategy.CREATES])
def test_sending_again_where_that_is_safe_creates_nothing_twice(
    sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str, strategy: Strategy, mode: RepeatMode
) -> None:
    bundle = request_bundle(request_id=request_id)
    for _ in range(3):
        # Each time by a process that knows nothing of the other.
        way = adapter(EprEndpoint(sandbox.base, strategy, mode))
        way.send(bundle, request_id, unguarded)

    assert [sandbox.count(name) for name in TYPES[:3]] == [1, 1, 1]


@pytest.mark.parametrize("strategy", [Strategy.TRANSACTION, Strategy.CREATES])
def test_no_reference_to_a_name_of_the_bundle_is_left(
    sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str, strategy: Strategy
) -> None:
    way = adapter(EprEndpoint(sandbox.base, strategy))
    way.send(request_bundle(request_id=request_id, proxy=True), request_id, unguarded)

    for name in (*TYPES, "RelatedPerson"):
        for reference in references(sandbox.only(name)):
            assert "urn:" not in reference["reference"]


def test_communication_alone(sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str) -> None:
    way = adapter(EprEndpoint(sandbox.base, Strategy.COMMUNICATION))

    delivered = way.send(request_bundle(request_id=request_id, admin=True), request_id, unguarded)

    assert sandbox.count("Communication") == 1
    assert [sandbox.count(name) for name in TYPES] == [0, 0, 0, 0]
    assert any("not sent" in warning and "Task" in warning for warning in delivered.warnings)


def test_a_mapping_without_a_communication_does_not_fit_the_strategy(
    sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str
) -> None:
    way = adapter(EprEndpoint(sandbox.base, Strategy.COMMUNICATION))
    with pytest.raises(Defect, match="Communication"):
        way.send(request_bundle(request_id=request_id), request_id, unguarded)


def test_document_alone(sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str) -> None:
    bundle = request_bundle(request_id=request_id)
    focus = bundle["entry"][1]["resource"]
    attachment = {"contentType": "text/plain", "data": "S25lZSBwYWlu"}
    bundle["entry"][1]["resource"] = {
        "resourceType": "DocumentReference",
        "identifier": focus["identifier"],
        "status": "current",
        "subject": focus["subject"],
        "content": [{"attachment": attachment}],
    }
    way = adapter(EprEndpoint(sandbox.base, Strategy.DOCUMENT))

    way.send(bundle, request_id, unguarded)

    assert sandbox.count("DocumentReference") == 1
    assert sandbox.count("Task") == 0


def test_an_unmatched_request_brings_a_patient_of_its_own(
    sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str
) -> None:
    for strategy in (Strategy.TRANSACTION, Strategy.CREATES):
        other = str(uuid.uuid4())
        bundle = request_bundle(request_id=other, matched=False)
        adapter(EprEndpoint(sandbox.base, strategy)).send(bundle, other, unguarded)
    assert sandbox.count("Patient") == 3


@pytest.mark.parametrize("strategy", [Strategy.TRANSACTION, Strategy.CREATES])
def test_a_patient_whom_the_epr_does_not_have(
    sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str, strategy: Strategy
) -> None:
    bundle = request_bundle(request_id=request_id, person=patient("9990000026"))
    endpoint = EprEndpoint(sandbox.base, strategy)

    required = replace(endpoint, patient=PatientPolicy.REQUIRE)
    with pytest.raises(Refused) as caught:
        adapter(required).send(bundle, request_id, unguarded)
    assert caught.value.code == "epr-patient-none"
    assert sandbox.count("ServiceRequest") == 0

    logical = replace(endpoint, patient=PatientPolicy.LOGICAL)
    adapter(logical).send(bundle, request_id, unguarded)
    subject = sandbox.only("ServiceRequest")["subject"]
    assert subject == {
        "type": "Patient",
        "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000026"},
        "display": "Adaeze Ruth Okafor",
    }
    assert sandbox.count("Patient") == 1


def test_a_patient_is_created_with_the_request_by_default(
    sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str
) -> None:
    bundle = request_bundle(request_id=request_id, person=patient("9990000026"))
    adapter(EprEndpoint(sandbox.base, Strategy.CREATES)).send(bundle, request_id, unguarded)
    assert sandbox.count("Patient") == 2


def test_progress_is_kept_for_each_resource(
    sandbox: SandboxEpr, adapter: MakeAdapter, request_id: str
) -> None:
    progress = MemoryProgress()
    way = adapter(EprEndpoint(sandbox.base, Strategy.CREATES), progress)
    bundle = request_bundle(request_id=request_id)
    way.send(bundle, request_id, unguarded)
    kept = progress.load(request_id)
    assert len(kept) == 4
    assert all(kept.values())

    way.send(bundle, request_id, unguarded)

    assert [sandbox.count(name) for name in TYPES] == [1, 1, 1, 1]
