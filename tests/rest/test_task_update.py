"""Tasks as the inbox contract: who works on a request says so, and no two overwrite each other."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fhir_gateway.fhir.types import Resource
from tests.rest.write_world import THEIRS, Writing

PATCH = "application/json-patch+json"


def patch(world: Writing, task: Resource, *operations: Resource, **options: Any) -> Any:
    body = json.dumps(list(operations)).encode()
    return world.call("PATCH", f"Task/{task['id']}", body, Content_Type=PATCH, **options)


def put(world: Writing, task: Resource, **options: Any) -> Any:
    return world.call("PUT", f"Task/{task['id']}", task, **options)


def test_a_team_takes_a_request_up_and_completes_it(world: Writing) -> None:
    task = world.task()
    for status in ("received", "accepted", "in-progress", "completed"):
        answer = put(world, {**task, "status": status})
        assert answer.status_code == 200, answer.text
        task = answer.json()
        assert task["status"] == status
        assert answer.headers["etag"] == f'W/"{task["meta"]["versionId"]}"'
    history = world.get(f"Task/{task['id']}/_history").json()
    assert history["total"] == 5


def test_the_narrative_says_what_the_data_say(world: Writing) -> None:
    task = world.task()
    assert "<td>Status</td><td>requested</td>" in task["text"]["div"]
    note = [{"text": "Rang <the> ward"}]
    put(world, {**task, "status": "in-progress", "note": note}).raise_for_status()
    div = world.get(f"Task/{task['id']}").json()["text"]["div"]
    assert "<td>Status</td><td>in-progress</td>" in div
    assert "Rang &lt;the&gt; ward" in div
    answer = patch(world, task, {"op": "replace", "path": "/status", "value": "completed"})
    assert "<td>Status</td><td>completed</td>" in answer.json()["text"]["div"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_packed_body_is_not_read_as_what_it_is_not(world: Writing, method: str) -> None:
    task = world.task()
    body = gzip.compress(json.dumps(task).encode())
    answer = world.call(
        method,
        f"Task/{task['id']}",
        body,
        Content_Type="application/fhir+json",
        Content_Encoding="gzip",
    )
    assert answer.status_code == 415
    assert "Content-Encoding" in answer.json()["issue"][0]["diagnostics"]


def test_owner_note_and_business_status_are_kept(world: Writing) -> None:
    task = world.task()
    changed = {
        **task,
        "status": "accepted",
        "owner": {"display": "Nurse A"},
        "businessStatus": {"text": "Waiting for results"},
        "note": [{"text": "Rang the ward"}],
    }
    task = put(world, changed).json()
    assert task["owner"] == {"display": "Nurse A"}
    assert world.get(f"Task/{task['id']}").json()["note"] == [{"text": "Rang the ward"}]
    longer = [*task["note"], {"text": "And the lab"}]
    assert put(world, {**task, "note": longer}).status_code == 200
    forgetful = put(world, {**world.get(f"Task/{task['id']}").json(), "note": longer[1:]})
    assert forgetful.status_code == 422
    assert forgetful.json()["issue"][0]["expression"] == ["Task.note"]


@pytest.mark.parametrize(
    ("way", "place"),
    [
        (["completed", "accepted"], "Task.status"),
        (["accepted", "requested"], "Task.status"),
        (["rejected"], "Task.statusReason"),
        (["failed"], "Task.status"),
    ],
)
def test_what_cannot_follow_is_refused(world: Writing, way: list[str], place: str) -> None:
    task = world.task()
    for status in way[:-1]:
        task = put(world, {**task, "status": status}).json()
    answer = put(world, {**task, "status": way[-1]})
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == [place]


def test_what_would_not_be_kept_is_refused(world: Writing) -> None:
    task = world.task()
    told = {"extension": [{"url": "https://example.org/x", "valueString": "y"}]}
    answer = put(world, {**task, "_status": told})
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Task._status"]


def test_a_rejection_says_why(world: Writing) -> None:
    task = world.task()
    rejected = {**task, "status": "rejected", "statusReason": {"text": "Wrong hospital"}}
    assert put(world, rejected).json()["statusReason"] == {"text": "Wrong hospital"}


@pytest.mark.parametrize("element", ["for", "focus", "identifier", "description", "input"])
def test_what_the_patient_wrote_cannot_be_changed(world: Writing, element: str) -> None:
    task = world.task()
    answer = put(world, {k: v for k, v in task.items() if k != element})
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == [f"Task.{element}"]


@pytest.mark.hazard("H41")
def test_who_is_late_is_told_and_changes_nothing(world: Writing) -> None:
    task = world.task()
    assert put(world, {**task, "status": "accepted"}).status_code == 200
    assert put(world, {**task, "status": "in-progress"}).status_code == 412
    late = put(world, {**task, "status": "completed"}, If_Match='W/"1"')
    assert late.status_code == 412
    assert world.get(f"Task/{task['id']}").json()["status"] == "accepted"


def test_an_update_says_what_it_is_based_on(world: Writing) -> None:
    task = world.task()
    bare = {**task, "status": "accepted"}
    del bare["meta"]["versionId"]
    answer = put(world, bare)
    assert answer.status_code == 428
    assert "If-Match" in answer.text
    assert put(world, bare, If_Match='W/"1"').status_code == 200


@pytest.mark.hazard("H41")
def test_of_two_writers_at_once_one_is_told(world: Writing) -> None:
    task = world.task()

    def write(status: str) -> int:
        return int(put(world, {**task, "status": status}).status_code)

    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(write, ["received", "accepted", "in-progress", "completed"]))
    assert sorted(statuses) == [200, 412, 412, 412]


def test_json_patch_changes_the_status(world: Writing) -> None:
    task = world.task()
    answer = patch(
        world,
        task,
        {"op": "test", "path": "/status", "value": "requested"},
        {"op": "replace", "path": "/status", "value": "accepted"},
        {"op": "add", "path": "/note", "value": [{"text": "Seen"}]},
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["note"]) == ("accepted", [{"text": "Seen"}])


def test_a_patch_for_another_state_is_a_conflict(world: Writing) -> None:
    task = world.task()
    test = {"op": "test", "path": "/status", "value": "completed"}
    assert patch(world, task, test).status_code == 409
    assert patch(world, task, test, If_Match='W/"7"').status_code == 412


def test_fhirpath_patch_changes_the_status(world: Writing) -> None:
    task = world.task()

    def operation(**parts: Resource) -> Resource:
        listed = [{"name": name, **part} for name, part in parts.items()]
        return {"name": "operation", "part": listed}

    body = {
        "resourceType": "Parameters",
        "parameter": [
            operation(
                type={"valueCode": "replace"},
                path={"valueString": "Task.status"},
                value={"valueCode": "in-progress"},
            ),
            operation(
                type={"valueCode": "add"},
                path={"valueString": "Task"},
                name={"valueString": "note"},
                value={"part": [{"name": "text", "valueMarkdown": "Seen"}]},
            ),
        ],
    }
    answer = world.call("PATCH", f"Task/{task['id']}", body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["note"] == [{"text": "Seen"}]


@pytest.mark.parametrize("kind", ["application/merge-patch+json", "application/json"])
def test_merge_patch_changes_the_status(world: Writing, kind: str) -> None:
    task = world.task()
    body = b'{"status": "accepted", "owner": {"display": "Nurse A"}, "businessStatus": null}'
    answer = world.call("PATCH", f"Task/{task['id']}", body, Content_Type=kind)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "accepted"
    assert answer.json()["owner"] == {**task["owner"], "display": "Nurse A"}
    assert "businessStatus" not in answer.json()
    refused = world.call("PATCH", f"Task/{task['id']}", b'{"for": null}', Content_Type=kind)
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"[", PATCH, 400),
        (b"{}", PATCH, 422),
        (b'[{"op": "replace", "path": "/nowhere", "value": 1}]', PATCH, 422),
        (b'[{"op": "remove", "path": ""}]', PATCH, 422),
        (b'[{"op": "replace", "path": "", "value": []}]', PATCH, 422),
        (b'[{"op": "replace", "path": "/status", "value": 7}]', PATCH, 422),
        (b'{"resourceType": "Task"}', "application/fhir+json", 400),
        (b"<patch/>", "application/xml-patch+xml", 415),
        (b"[]", "text/plain", 415),
    ],
)
def test_a_patch_that_is_none_is_refused(
    world: Writing, body: bytes, kind: str, status: int
) -> None:
    task = world.task()
    answer = world.call("PATCH", f"Task/{task['id']}", body, Content_Type=kind)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert world.get(f"Task/{task['id']}").json() == task


def test_another_provider_finds_nothing_to_change(world: Writing) -> None:
    task = world.task()
    assert put(world, {**task, "status": "accepted"}, provider=THEIRS).status_code == 404
    operation = {"op": "replace", "path": "/status", "value": "accepted"}
    assert patch(world, task, operation, provider=THEIRS).status_code == 404
    assert put(world, task, scopes="system/Task.rs").status_code == 403
    assert put(world, task, provider=None).status_code == 401
    other = world.call("PUT", f"Task/{task['id']}", {**task, "id": "other"})
    assert other.status_code == 400
