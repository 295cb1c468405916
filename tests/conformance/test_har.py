from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from fhir_gateway.conformance import har
from tests.conformance import report_runs

REQUEST = {
    "method",
    "url",
    "httpVersion",
    "cookies",
    "headers",
    "queryString",
    "headersSize",
    "bodySize",
}
RESPONSE = {
    "status",
    "statusText",
    "httpVersion",
    "cookies",
    "headers",
    "content",
    "redirectURL",
    "headersSize",
    "bodySize",
}


def read() -> dict[str, Any]:
    log: dict[str, Any] = json.loads(har.document(report_runs.run()))["log"]
    return log


def test_it_has_what_har_1_2_asks_for() -> None:
    log = read()

    assert log["version"] == "1.2"
    assert {"name", "version"} <= log["creator"].keys()
    for entry in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
        assert entry["request"].keys() >= REQUEST
        assert entry["response"].keys() >= RESPONSE
        assert entry["response"]["content"].keys() >= {"size", "mimeType"}
        assert {"send", "wait", "receive"} <= entry["timings"].keys()
        assert entry["time"] == sum(entry["timings"].values())


def test_every_request_of_a_run_is_there_in_its_order() -> None:
    entries = read()["entries"]

    assert [entry["comment"] for entry in entries][:2] == [
        "script: setup: Prepare",
        "suite/script/pass: Create",
    ]
    assert len(entries) == 7


def test_a_request_has_its_query_and_body() -> None:
    request = read()["entries"][0]["request"]

    assert request["queryString"] == [
        {"name": "name", "value": "a b"},
        {"name": "empty", "value": ""},
    ]
    assert request["postData"]["text"] == '{"resourceType":"Patient"}'
    assert request["postData"]["mimeType"] == "application/fhir+json"


def test_silence_has_the_status_0() -> None:
    response = read()["entries"][-1]["response"]

    assert (response["status"], response["comment"]) == (0, "no answer")
