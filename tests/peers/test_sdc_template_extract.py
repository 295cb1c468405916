"""Our extraction and the npm engine's, in the same run: the same resources."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.types import Resource
from fhir_gateway.mapping import extract
from fhir_gateway.mapping.compare import resource_differences
from tests.mapping.forms import answer, context, form, group, item, response, uses, value
from tests.mapping.shipped_cases import CASES, example, questionnaire_of, targets
from tests.peers.sdc_template_extract.client import NpmEngine, missing
from tests.requirements import require

SMART_FORMS = "sdc/smart-forms-template-extract"
#: What our launch context would give; another engine has none, so both go without.
CLOCKS = ("dateAsserted",)


@pytest.fixture(scope="module")
def npm_engine() -> Iterator[NpmEngine]:
    reason = missing()
    if reason:
        require("npm", reason)
    with NpmEngine() as engine:
        yield engine


def without_clocks(bundle: Resource) -> Resource:
    for resource in resources(bundle):
        for name in CLOCKS:
            resource.pop(name, None)
    return bundle


def same(engine: NpmEngine, questionnaire: Resource, answers: Resource) -> list[str]:
    """What differs between the two; both must make something."""
    theirs = engine.extract(questionnaire, answers).bundle
    ours = extract(questionnaire, answers).bundle
    assert theirs is not None
    assert list(resources(theirs))
    return resource_differences(without_clocks(theirs), without_clocks(ours))


@pytest.mark.parametrize(
    "case", ["MedicalHistoryCurrentProblemsWithPatch", "RegularMedications", "SepsisRisk"]
)
def test_smart_forms_own_cases(npm_engine: NpmEngine, case: str) -> None:
    data = os.environ.get("FHIR_GATEWAY_REFERENCE_DATA")
    if data is None:
        require("reference-data", "set FHIR_GATEWAY_REFERENCE_DATA to the reference data")
    files = Path(data) / SMART_FORMS / "files"
    questionnaire = json.loads((files / f"{case}.questionnaire.json").read_text())
    answers = json.loads((files / f"{case}.response.json").read_text())
    assert same(npm_engine, questionnaire, answers) == []


def patient_form() -> Resource:
    template: dict[str, Any] = {
        "resourceType": "Patient",
        "id": "t",
        "identifier": [
            context("item.where(linkId='number').answer.value", system="s", _value=value("first()"))
        ],
        "name": [
            {
                **context("$this"),
                "_family": value("item.where(linkId='family').answer.value"),
                "_given": [value("item.where(linkId='given').answer.value")],
            }
        ],
        "_gender": value("item.where(linkId='sex').answer.value.first().code"),
        "_birthDate": value("item.where(linkId='born').answer.value"),
    }
    items = [
        item("number"),
        item("family"),
        item("given", repeats=True),
        item("sex", "choice"),
        item("born", "date"),
    ]
    return form(item("g", "group", uses("t"), repeats=True, item=items), templates=(template,))


@pytest.mark.parametrize(
    "answers",
    [
        [answer("family", "Okafor"), answer("given", "Adaeze", "Ruth")],
        [answer("number", "1"), answer("born", "1984-03-05", key="valueDate")],
        [
            answer("family", "%resource.id"),
            answer("sex", {"system": "s", "code": "female"}, key="valueCoding"),
        ],
    ],
    ids=["names", "number-and-date", "hostile-name-and-code"],
)
def test_a_template_filled_by_both(npm_engine: NpmEngine, answers: list[Resource]) -> None:
    given = response(group("g", *answers), group("g", answer("family", "Second")))
    assert same(npm_engine, patient_form(), given) == []


@pytest.mark.parametrize("case", CASES)
def test_an_exported_mapping_runs_on_the_npm_engine(npm_engine: NpmEngine, case: str) -> None:
    """Its templates of items: the engine passes over those of the Questionnaire itself, and has no
    launch context, so ours goes without as well."""
    given = example("uk-core-transaction", case)
    exported = targets()["uk-core-transaction"].overlay(questionnaire_of(given))
    exported = {
        **exported,
        "extension": [e for e in exported["extension"] if not e["url"].endswith("templateExtract")],
    }
    theirs = npm_engine.extract(exported, given.response).bundle
    ours = extract(exported, given.response).bundle
    types = sorted(r["resourceType"] for r in resources(ours))
    assert theirs is not None
    assert types
    assert sorted(r["resourceType"] for r in resources(theirs)) == types
    assert resource_differences(theirs, ours) == []
