from __future__ import annotations

import pytest

from fhir_gateway.conformance import validation
from fhir_gateway.conformance.errors import NotSupported, ScriptError
from fhir_gateway.fhir.profiles import Profiles

BASE = "http://hl7.org/fhir/StructureDefinition/"
PROFILE = {
    "resourceType": "StructureDefinition",
    "url": "https://example.org/StructureDefinition/named",
    "name": "Named",
    "status": "active",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "derivation": "constraint",
    "differential": {
        "element": [
            {"id": "Patient", "path": "Patient"},
            {"id": "Patient.name", "path": "Patient.name", "min": 1},
        ]
    },
}


def test_a_base_type_is_checked_by_r4s_structure() -> None:
    good = {"resourceType": "Patient", "active": True}
    bad = {"resourceType": "Patient", "active": "perhaps"}

    assert validation.problems(good, f"{BASE}Patient", ()) == []
    assert validation.problems(bad, f"{BASE}Patient", ()) != []
    assert validation.problems(good, f"{BASE}Bundle", ()) == ["it is no Bundle"]


def test_a_profile_at_hand_is_checked() -> None:
    at_hand = [Profiles([]), Profiles([PROFILE])]
    url = PROFILE["url"]

    [problem] = validation.problems({"resourceType": "Patient"}, str(url), at_hand)
    fine = {"resourceType": "Patient", "name": [{"family": "A"}]}

    assert "Patient.name: at least 1 needed" in problem
    assert validation.problems(fine, str(url), at_hand) == []


def test_a_profile_that_is_not_at_hand_is_a_skip() -> None:
    with pytest.raises(NotSupported, match="--profiles"):
        validation.problems({"resourceType": "Patient"}, "https://example.org/other", ())


def test_a_script_names_its_profiles() -> None:
    script = {"profile": [{"id": "a", "reference": "https://a.example"}]}
    r5 = {"profile": ["https://a.example"], "_profile": [{"id": "a"}]}

    assert validation.canonical(script, "a") == validation.canonical(r5, "a") == "https://a.example"
    with pytest.raises(ScriptError, match="no profile 'b'"):
        validation.canonical(script, "b")


def test_a_profile_of_the_base_specification_is_no_type() -> None:
    weight = {"resourceType": "Observation", "status": "final", "code": {"text": "Weight"}}

    with pytest.raises(NotSupported, match="vitalsigns is not at hand"):
        validation.problems(weight, f"{BASE}vitalsigns", ())
    assert validation.problems(weight, f"{BASE}DomainResource", ()) == []
    assert validation.problems(weight, f"{BASE}Observation|4.0.1", ()) == []
