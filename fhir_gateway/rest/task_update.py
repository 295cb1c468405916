"""Updating a Task by PUT or PATCH: how a team says how far it is with a request.

Two who change the same version do not overwrite each other: the second is told (412).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fhir_gateway.fhir import check, json_patch, merge_patch, path_patch
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.json import JsonRefused
from fhir_gateway.fhir.json_patch import PatchRefused
from fhir_gateway.fhir.moments import instant
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Resource, as_dict, as_str
from fhir_gateway.rest import task_rules, written
from fhir_gateway.rest.access import concerns
from fhir_gateway.rest.conditions import if_match
from fhir_gateway.rest.desk import Desk, Pending, checked, reading, refuse_errors
from fhir_gateway.rest.negotiation import MAX_BYTES, parse_resource
from fhir_gateway.rest.problem import (
    BAD_REQUEST,
    CONFLICT,
    PRECONDITION_FAILED,
    UNPROCESSABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
    not_found,
)
from fhir_gateway.rest.registry import Answer, Call
from fhir_gateway.rest.stored import visible_to
from fhir_gateway.store import notices, requests, resources
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.resources import Stored, VersionConflict
from fhir_gateway.store.subscriptions import Topic

PRECONDITION_REQUIRED = 428
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
_XML_PATCH = "application/xml-patch+xml"


def prepare_put(desk: Desk, call: Call) -> Pending:
    """Check a PUT. The version it is based on is that of If-Match, else of its own meta."""
    task = checked(call, "Task")
    if task.get("id") != call.id:
        text = "The id in the body must be the one of the address."
        raise Problem(BAD_REQUEST, "value", text, expression=["Task.id"])
    before = _current(desk, call)
    based_on = if_match(call.request) or as_str(as_dict(task.get("meta")).get("versionId"))
    if not based_on:
        raise Problem(
            PRECONDITION_REQUIRED,
            "required",
            "On which version is this based? Send If-Match with the ETag that a read gave, or keep "
            "meta.versionId in the body.",
        )
    return _pending(desk, call, before, based_on, lambda _: task)


def prepare_patch(desk: Desk, call: Call) -> Pending:
    """Check a PATCH: JSON Patch, or FHIRPath Patch as Parameters."""
    before = _current(desk, call)
    return _pending(desk, call, before, if_match(call.request), _patch(call))


def _current(desk: Desk, call: Call) -> Stored:
    """The Task as it is, for who may see it."""
    with reading(desk) as tx:
        found = resources.read(tx, "Task", call.id, visible_to(call.access))
    if found is None or found.resource is None:
        raise not_found("Task")
    concerns(call.request, {found.provider})
    return found


def _pending(
    desk: Desk,
    call: Call,
    before: Stored,
    based_on: str | None,
    change: Callable[[Resource], Resource],
) -> Pending:
    assert before.resource is not None
    if based_on is not None and based_on != str(before.version):
        raise _changed_since()
    after = change(before.resource)
    # What is wrong with the stored Task is not the client's to mend.
    known = check.problems(before.resource)
    wrong = [one for one in check.problems(after) if one not in known]
    refuse_errors([*wrong, *task_rules.problems(before.resource, after)])
    return Pending(lambda tx: _apply(desk, call, before, after, tx), f"Task/{call.id}")


def _apply(
    desk: Desk, call: Call, before: Stored, after: Resource, tx: Transaction
) -> Callable[[], Answer]:
    assert before.resource is not None
    now = desk.parts.clock()
    same = all(before.resource.get(n) == after.get(n) for n in task_rules.WRITABLE)
    if same:
        return lambda: written.answer(call, before.resource or {})
    task = task_rules.merged(before.resource, after, moment=instant(now))
    try:
        kept = resources.write(
            tx,
            task,
            provider=before.provider,
            now=now,
            by_client=True,
            expected=before.version,
        )
    except VersionConflict:
        raise _changed_since() from None
    shown = kept.resource if kept and kept.resource else before.resource
    _announce(tx, before, after, now=now)
    desk.keep(tx, call, written.OK, shown)
    return lambda: written.answer(call, shown)


def _announce(tx: Transaction, before: Stored, after: Resource, *, now: datetime) -> None:
    old = before.resource or {}
    if all(old.get(name) == after.get(name) for name in ("status", "businessStatus")):
        return
    request_id = resources.request_of(tx, "Task", before.id)
    request = requests.slug_of(tx, request_id) if request_id else None
    if request_id and request:
        notices.announce(
            tx, Topic.STATUS_CHANGED, service_slug=request, request_id=request_id, now=now
        )


def _changed_since() -> Problem:
    return Problem(
        PRECONDITION_FAILED,
        "conflict",
        "The Task has changed since that version: read it again.",
    )


def _patch(call: Call) -> Callable[[Resource], Resource]:
    """What a patch does, by its media type."""
    given = call.request.headers.get("content-type", "")
    kind = given.partition(";")[0].strip().lower()
    if kind == JSON_PATCH:
        operations = _json(call.body)
        return lambda task: _patched(lambda: json_patch.apply(task, operations))
    if kind in (MERGE_PATCH, "application/json"):
        merge = as_dict(_json(call.body))
        # Some clients send FHIR as plain JSON.
        if kind == MERGE_PATCH or merge.get("resourceType") in (None, "Task"):
            return lambda task: _patched(lambda: merge_patch.apply(task, merge))
    if kind in ("", _XML_PATCH):
        raise Problem(
            UNSUPPORTED_MEDIA_TYPE,
            "not-supported",
            f"A patch is {JSON_PATCH}, {MERGE_PATCH}, or a FHIRPath Patch in "
            "application/fhir+json.",
            headers={"Accept-Patch": f"{JSON_PATCH}, {MERGE_PATCH}, application/fhir+json"},
        )
    parameters = parse_resource(call.body, given)
    if parameters.get("resourceType") != "Parameters":
        raise Problem(BAD_REQUEST, "invalid", "A FHIRPath Patch is a Parameters resource.")
    return lambda task: _patched(lambda: path_patch.apply(task, parameters))


def _json(body: bytes) -> Any:
    try:
        return fhir_json.parse(body, max_bytes=MAX_BYTES)
    except JsonRefused as error:
        raise Problem(BAD_REQUEST, "structure", str(error)) from None


def _patched(apply: Callable[[], Resource]) -> Resource:
    try:
        after = apply()
    except PatchRefused as error:
        status = CONFLICT if error.failed_test else UNPROCESSABLE
        code = "conflict" if error.failed_test else "processing"
        raise Problem(status, code, str(error)) from None
    if as_dict(after).get("resourceType") != "Task":
        text = "A patch must leave a Task."
        raise Problem(UNPROCESSABLE, "", text, issues=[issue("error", "invalid", text)])
    return after
