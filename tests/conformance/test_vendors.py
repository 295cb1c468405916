"""The suite epr-inbound against an EPR that declares little, as those of vendors do: what it does
not declare is skipped, what it does declare is tested, and nothing fails."""

from __future__ import annotations

import pytest

from fhir_gateway.conformance.results import BAD, Outcome
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.outcome import single
from fhir_gateway.sandbox.epr.injected.catalogue import FAULTS
from fhir_gateway.sandbox.epr.injected.exchange import Answered, Proceed, Sent
from fhir_gateway.sandbox.epr.injected.known import Known
from tests.conformance.mutation import bench

TAKEN = ("ServiceRequest", "Communication")


async def vendor(sent: Sent, proceed: Proceed) -> Answered:
    """Creates of two types alone, no transactions, nothing conditional; Patients are its own."""
    if sent.is_bundle or (sent.is_create and sent.type not in TAKEN) or sent.method == "PUT":
        body = fhir_json.dump(single("error", "not-supported", "Not here."))
        return Answered(405, {"content-type": "application/fhir+json"}, body)
    answered = await proceed(sent.without_header("if-none-exist"))
    if sent.path != "metadata":
        return answered
    statement = answered.resource
    (rest,) = statement["rest"]
    resources = []
    for declared in rest["resource"]:
        kept = {k: v for k, v in declared.items() if k not in ("conditionalCreate", "updateCreate")}
        if declared["type"] not in TAKEN:
            wanted = [i for i in kept["interaction"] if i["code"] in ("read", "search-type")]
            kept["interaction"] = wanted
        resources.append(kept)
    return answered.carrying({**statement, "rest": [{"mode": "server", "resource": resources}]})


def test_an_epr_that_takes_two_types_is_tested_on_these(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "vendor", Known("vendor", "Takes little.", lambda: vendor))
    with bench() as there:
        run = there.run("vendor", patient="https://epr.example/fhir/Patient/1")
    assert [(t.key, t.message) for t in run.tests() if t.outcome in BAD] == []
    passed = {t.key.partition("/")[2] for t in run.tests() if t.outcome is Outcome.PASS}
    assert {"creates/takes-request", "creates/keeps-request", "creates/finds-request"} <= passed
    assert {"communication/taken", "communication/text-kept", "communication/found"} <= passed
    assert not [name for name in passed if name.startswith(("transaction/", "document/", "kept/"))]
