from __future__ import annotations

import json
from pathlib import Path

from fhir_gateway.conformance import runs
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.suites import read_suite
from tests.conformance.recorder import Recorder
from tests.conformance.writing import asserts, operation, outcomes, script
from tests.serving import serve

READ = operation("read", resource="Patient", params="/${id}", responseId="read")


def test_a_script_of_two_destinations_asks_each_server(
    recorder: Recorder, server: str, tmp_path: Path
) -> None:
    other = Recorder()
    recorder.on("GET /Patient/1", {"resourceType": "Patient", "id": "1"})
    other.on("GET /Patient/1", {"resourceType": "Patient", "id": "1", "active": True})
    second = {"operation": {**READ["operation"], "destination": 2}}
    resource = script(
        [READ, asserts(expression="active.empty()"), second, asserts(expression="active")],
        variable=[{"name": "id", "defaultValue": "1"}],
    )
    (tmp_path / "script.json").write_text(json.dumps(resource))

    with serve(other.app) as elsewhere, Caller(server) as one, Caller(elsewhere) as two:
        run = runs.run(runs.Plan([read_suite(tmp_path)]), {1: one, 2: two})

    assert outcomes(run) == ["pass"]
    assert [asked.path for asked in other.asked] == ["/Patient/1"]


def test_each_run_has_an_id_of_its_own_that_is_the_same_in_all_its_scripts(
    recorder: Recorder, server: str, tmp_path: Path
) -> None:
    search = operation("search", resource="Patient", params="?identifier=${run}")
    for name in ("a", "b"):
        resource = {**script([search, asserts(response="notFound")]), "id": name}
        (tmp_path / f"{name}.json").write_text(json.dumps(resource))

    with Caller(server) as caller:
        found = [runs.run(runs.Plan([read_suite(tmp_path)]), {1: caller}) for _ in range(2)]

    queries = [asked.query for asked in recorder.asked if asked.query]
    assert queries == [f"identifier={run.run_id}" for run in found for _ in range(2)]
    assert found[0].run_id != found[1].run_id
