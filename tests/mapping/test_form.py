"""What is read once gives what is read each time."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import as_str
from fhir_gateway.mapping.apply import apply, apply_prepared
from fhir_gateway.mapping.form import Prepared, prepare
from tests.mapping.shipped_cases import CASES, MAPPINGS, catalogue, example, targets

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_mapping_gives_the_same_cold_and_warm(mapping: str) -> None:
    target = targets()[mapping]
    warm: dict[str, Prepared] = {}
    before: dict[str, bytes] = {}
    # Twice, so that what one request left behind would show in the next.
    for number, case in enumerate([*CASES, *reversed(CASES)]):
        given = example(mapping, case)
        name = as_str(given.response.get("questionnaire"))
        definition = catalogue().definition(name)
        if name not in warm:
            warm[name] = prepare(target, definition)
            before[name] = fhir_json.dump(warm[name].form.questionnaire)
        namespace = uuid.UUID(int=number)
        given_twice = given.response, given.context
        cold = apply(target, definition.raw, *given_twice, namespace=namespace, now=NOW)
        kept = apply_prepared(warm[name], *given_twice, namespace=namespace, now=NOW)
        assert fhir_json.dump(kept.bundle) == fhir_json.dump(cold.bundle)
        assert kept.outcome == cold.outcome
    for name, prepared in warm.items():
        assert fhir_json.dump(prepared.form.questionnaire) == before[name]


def test_a_bundle_that_is_changed_changes_no_other() -> None:
    given = example("uk-core-transaction", CASES[0])
    definition = catalogue().definition(as_str(given.response.get("questionnaire")))
    prepared = prepare(targets()["uk-core-transaction"], definition)

    def made() -> bytes:
        result = apply_prepared(
            prepared, given.response, given.context, namespace=uuid.UUID(int=1), now=NOW
        )
        written = fhir_json.dump(result.bundle)
        for entry in result.bundle["entry"]:
            entry["resource"].clear()
            entry["request"].clear()
        return written

    assert made() == made()
