"""Lint finds each kind of mistake, says where, and finds none in what is shipped."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.mapping.lint import lint
from fhir_gateway.mapping.manifest import read_target
from fhir_gateway.mapping.target import TargetRefused
from tests.mapping.forms import context, value
from tests.mapping.shipped_cases import MAPPINGS, catalogue, targets

MEDICAL = "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical|1.0.0"
MANIFEST = f"""
name = "ours"
version = "1"
applies-to = ["{MEDICAL}"]
[[template]]
file = "ServiceRequest.json"
anchor = "medical"
"""
GOOD: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "proposal",
    "subject": {"display": "x"},
}


def findings(template: dict[str, Any], manifest: str = MANIFEST, **files: Any) -> list[str]:
    content = {name: fhir_json.dump(resource) for name, resource in files.items()}
    target = read_target(
        {
            "manifest.toml": manifest.encode(),
            "ServiceRequest.json": fhir_json.dump(template),
            "examples/a.response.json": b'{"resourceType": "QuestionnaireResponse"}',
            **content,
        }
    )
    definitions = [catalogue().definition(c) for c in target.applies_to]
    return [f"{f.place}: {f.text}" for f in lint(target, definitions)]


def problem(expression: str) -> dict[str, Any]:
    return {**GOOD, "reasonCode": [{"_text": value(expression)}]}


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_what_is_shipped_has_no_findings(mapping: str) -> None:
    target = targets()[mapping]
    assert lint(target, [catalogue().definition(c) for c in target.applies_to]) == []


def test_a_good_template_has_no_findings() -> None:
    assert findings(problem("item.where(linkId='medical-problem').answer.value")) == []


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("item.where(linkId='medical-problm').answer.value", "linkId 'medical-problm' is in none"),
        ("item.where(linkId='medical-problem').answer.value.ofType(Coding)", "are never Coding"),
        ("item.where(linkId='medical-problem').answer.value.code", "have no code"),
        ("%resource.item.where(linkId='medical').answer.value", "is a group, which has no answers"),
        ("item.where(linkId='medical-onset').item", "is a question; items below it"),
        (
            "item.where(linkId='medical-onset').answer.value.code = 'tomorrow'",
            "'tomorrow' is no code",
        ),
        (
            "iif(item.where(linkId='medical-onset').answer.value.code = 'wek', 'x', 'y')",
            "'wek' is no",
        ),
        ("%requestt.id", "there is no variable %requestt"),
        ("item.trace('x')", "trace() is not allowed"),
        ("item.frist()", "there is no function frist()"),
        ("item.where(", "not FHIRPath"),
    ],
)
def test_a_mistake_in_an_expression(expression: str, text: str) -> None:
    found = findings(problem(expression))
    assert len(found) == 1
    assert found[0].startswith("ServiceRequest.reasonCode[0].text: ")
    assert text in found[0]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ({k: v for k, v in GOOD.items() if k != "subject"}, "ServiceRequest.subject is required"),
        ({**GOOD, "status": "activ"}, "'activ' is none of draft"),
        ({**GOOD, "colour": "blue"}, "ServiceRequest has no such element"),
        ({**GOOD, "note": [{"time": "2026"}]}, "Annotation.text is required and never set"),
        ({**GOOD, "reasonCode": {"text": "x"}}, "the element is a list"),
        ({**GOOD, "code": [{"text": "x"}]}, "the element is not a list"),
        (
            {
                **GOOD,
                "code": {
                    "coding": [
                        {"system": "https://w3id.org/fhir-gateway/CodeSystem/match", "code": "no"}
                    ]
                },
            },
            "'no' is no code of",
        ),
        ({"resourceType": "ServiceReqest"}, "is no resource type"),
    ],
)
def test_a_mistake_in_the_structure(template: dict[str, Any], text: str) -> None:
    [found] = findings(template)
    assert text in found


def test_an_anchor_that_is_no_item() -> None:
    [found] = findings(GOOD, MANIFEST.replace('"medical"', '"medicine"'))
    assert "the anchor 'medicine'" in found


def test_a_concept_map_from_a_code_that_is_not_there() -> None:
    concept_map = {
        "resourceType": "ConceptMap",
        "id": "m",
        "group": [
            {
                "source": "https://w3id.org/fhir-gateway/CodeSystem/contact-method",
                "element": [{"code": "text"}, {"code": "pigeon"}],
            }
        ],
    }
    [found] = findings(GOOD, **{"ConceptMap-m.json": concept_map})
    assert "'pigeon' is no code" in found


def test_the_name_of_a_context_is_a_variable() -> None:
    template = {**GOOD, "note": [context("item", "one", _text=value("%one.linkId"))]}
    assert findings(template) == []


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        ("name = ", "cannot be read"),
        ('name = "x"', "has no version, applies-to, template"),
        (MANIFEST + "\n[other]\n", "unknown keys: other"),
        (MANIFEST.replace("anchor", "anker"), "unknown keys: anker"),
        (MANIFEST.replace("ServiceRequest.json", "Nope.json"), "which is not there"),
        (MANIFEST.replace("version", 'bundle = "batch"\nversion'), "bundle is one of"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused_in_words(manifest: str, why: str) -> None:
    with pytest.raises(TargetRefused, match=why):
        findings(GOOD, manifest)
