"""Faults of the answer: it was done, or refused, as it should be, but is not told so."""

from __future__ import annotations

import uuid
from dataclasses import replace

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.outcome import single
from fhir_gateway.fhir.types import as_dict
from fhir_gateway.sandbox.epr.injected.exchange import Answered, Proceed, Sent, on_answer
from fhir_gateway.sandbox.epr.injected.known import always

_CREATED = 201
_ACCEPTED = 202
_NOT_FOUND = 404
_GONE = 410
_NO_CONTENT = 204
_UNAUTHORISED = 401
_INVALID = (400, 422)


def wrong_location(sent: Sent, answered: Answered) -> Answered:
    """The Location names a resource that is not there."""
    if "location" not in answered.headers:
        return answered
    base = answered.headers["location"].partition(f"/{sent.type}/")[0]
    return answered.with_header("location", f"{base}/{sent.type}/{uuid.uuid4()}/_history/1")


def no_location(_: Sent, answered: Answered) -> Answered:
    """No Location."""
    return answered.without_header("location")


def created_is_200(sent: Sent, answered: Answered) -> Answered:
    """200 for a create."""
    new = sent.is_create and answered.status == _CREATED
    return replace(answered, status=200) if new else answered


def found_is_201(sent: Sent, answered: Answered) -> Answered:
    """201 for a conditional create that found the resource."""
    old = sent.is_create and answered.status == 200  # noqa: PLR2004 - OK
    return replace(answered, status=_CREATED) if old else answered


def empty_create(sent: Sent, answered: Answered) -> Answered:
    """201 without a body, whatever the client prefers."""
    if answered.status != _CREATED or not sent.is_create:
        return answered
    return replace(answered, body=b"").without_header("content-type")


def accepted(sent: Sent, answered: Answered) -> Answered:
    """202 for a create, with nothing more."""
    new = sent.is_create and answered.status == _CREATED
    return Answered(_ACCEPTED, {}, b"") if new else answered


def error_in_success(sent: Sent, answered: Answered) -> Answered:
    """201 with an OperationOutcome that says that it failed."""
    if not sent.is_create or answered.status != _CREATED:
        return answered
    return answered.carrying(single("error", "processing", "It was not stored."))


def login_page(_: Sent, __: Answered) -> Answered:
    """A page where people log in, whatever was asked."""
    page = b"<html><head><title>Log in</title></head><body><form></form></body></html>"
    return Answered(200, {"content-type": "text/html; charset=utf-8"}, page)


def plain_text(_: Sent, answered: Answered) -> Answered:
    """JSON that is called text."""
    return answered.with_header("content-type", "text/plain") if answered.body else answered


def no_etag(_: Sent, answered: Answered) -> Answered:
    """No ETag."""
    return answered.without_header("etag")


def no_version(_: Sent, answered: Answered) -> Answered:
    """No version anywhere: header, Location and meta."""
    changed = answered.without_header("etag")
    if "location" in changed.headers:
        short = changed.headers["location"].partition("/_history/")[0]
        changed = changed.with_header("location", short)
    resource = changed.resource
    if "versionId" in as_dict(resource.get("meta")):
        kept = {name: value for name, value in resource["meta"].items() if name != "versionId"}
        changed = changed.carrying({**resource, "meta": kept})
    return changed


def html_errors(_: Sent, answered: Answered) -> Answered:
    """Errors are pages."""
    if not answered.refused:
        return answered
    page = f"<html><body><h1>Error {answered.status}</h1></body></html>".encode()
    return replace(answered, body=page).with_header("content-type", "text/html")


def errors_are_200(_: Sent, answered: Answered) -> Answered:
    """200 with the OperationOutcome of an error."""
    return replace(answered, status=200) if answered.refused else answered


def missing_is_empty(sent: Sent, answered: Answered) -> Answered:
    """200 without a body for what is not there."""
    if sent.method != "GET" or answered.status != _NOT_FOUND:
        return answered
    return Answered(200, {}, b"")


def broken_is_500(sent: Sent, answered: Answered) -> Answered:
    """500 for JSON that cannot be read."""
    if not answered.refused or sent.resource or not sent.body:
        return answered
    return replace(answered, status=500)


def unauthorised_is_500(_: Sent, answered: Answered) -> Answered:
    """500 where credentials are missing."""
    return replace(answered, status=500) if answered.status == _UNAUTHORISED else answered


def invalid_is_taken(sent: Sent, answered: Answered) -> Answered:
    """201 for a resource that is not valid."""
    readable = sent.is_create and sent.resource.get("resourceType") == sent.type
    if not readable or answered.status not in _INVALID:
        return answered
    made = {**sent.resource, "id": str(uuid.uuid4())}
    location = f"/fhir/{sent.type}/{made['id']}/_history/1"
    return answered.carrying(made, _CREATED).with_header("location", location)


async def deaf_to_delete(sent: Sent, proceed: Proceed) -> Answered:
    """A delete is answered and not done."""
    if sent.method == "DELETE":
        return Answered(_NO_CONTENT, {}, b"")
    return await proceed(sent)


async def only_own_ids(sent: Sent, proceed: Proceed) -> Answered:
    """PUT of an id that is new makes a resource under another id."""
    if sent.method != "PUT":
        return await proceed(sent)
    there = await proceed(replace(sent, method="GET", body=b""))
    if there.status not in (_NOT_FOUND, _GONE):
        return await proceed(sent)
    kept = {name: value for name, value in sent.resource.items() if name != "id"}
    return await proceed(replace(sent, method="POST", path=sent.type).carrying(kept))


async def no_new_ids(sent: Sent, proceed: Proceed) -> Answered:
    """PUT of an id that is new is not allowed."""
    if sent.method != "PUT":
        return await proceed(sent)
    there = await proceed(replace(sent, method="GET", body=b""))
    if there.status not in (_NOT_FOUND, _GONE):
        return await proceed(sent)
    told = single("error", "not-supported", "Ids are given by the server.")
    return Answered(405, {"content-type": "application/fhir+json"}, fhir_json.dump(told))


async def many_is_none(sent: Sent, proceed: Proceed) -> Answered:
    """A conditional create that matches several resources makes one more."""
    answered = await proceed(sent)
    if answered.status == 412 and sent.is_create:  # noqa: PLR2004 - Precondition Failed
        return await proceed(sent.without_header("if-none-exist"))
    return answered


FAULTS = (
    always(
        "creates-when-many-match",
        "Creates one more resource where a conditional create matches several.",
        many_is_none,
    ),
    always(
        "refuses-client-ids",
        "Answers 405 to a PUT of an id that is new, and declares that it would take it.",
        no_new_ids,
    ),
    always(
        "chooses-own-ids",
        "Gives a PUT of an id that is new an id of its own.",
        only_own_ids,
    ),
    always(
        "accepts-invalid-resources",
        "Answers 201 to a resource that is not valid FHIR.",
        on_answer(invalid_is_taken),
    ),
    always(
        "ignores-delete",
        "Answers 204 to a delete and keeps the resource.",
        deaf_to_delete,
    ),
    always(
        "wrong-location",
        "Names a resource that is not there in the Location of a create.",
        on_answer(wrong_location),
    ),
    always(
        "missing-location",
        "Answers a create without a Location.",
        on_answer(no_location),
    ),
    always(
        "create-answers-200",
        "Answers 200 where it created a resource.",
        on_answer(created_is_200),
    ),
    always(
        "found-answers-201",
        "Answers 201 to a conditional create that found the resource.",
        on_answer(found_is_201),
    ),
    always(
        "empty-create",
        "Answers a create without a body, whatever the client prefers.",
        on_answer(empty_create),
    ),
    always(
        "answers-202",
        "Answers a create with 202 and nothing more.",
        on_answer(accepted),
    ),
    always(
        "error-in-success",
        "Answers a create with 201 and an OperationOutcome that says that it failed.",
        on_answer(error_in_success),
    ),
    always(
        "answers-with-login-page",
        "Answers everything with 200 and a page in HTML where people log in.",
        on_answer(login_page),
    ),
    always(
        "wrong-content-type",
        "Calls its JSON text/plain.",
        on_answer(plain_text),
    ),
    always("missing-etag", "Gives no ETag.", on_answer(no_etag)),
    always(
        "missing-version",
        "Names no version: neither in the ETag, nor in the Location, nor in meta.versionId.",
        on_answer(no_version),
    ),
    always(
        "errors-in-html",
        "Answers errors with a page in HTML.",
        on_answer(html_errors),
    ),
    always(
        "errors-with-200",
        "Answers errors with 200 and an OperationOutcome.",
        on_answer(errors_are_200),
    ),
    always(
        "not-found-is-empty-200",
        "Answers a read of what is not there with 200 and no body.",
        on_answer(missing_is_empty),
    ),
    always(
        "malformed-is-500",
        "Answers 500 to JSON that it cannot read.",
        on_answer(broken_is_500),
    ),
    always(
        "unauthorised-is-500",
        "Answers 500 to those who bring no token.",
        on_answer(unauthorised_is_500),
    ),
)
