"""Texting patients their link: `CommunicationRequest` create for one, `$invite` for a batch.

PDS is asked first. The same identifier, or the same row of the same batch, never makes two texts.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime

from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.fhir import check
from fhir_gateway.fhir.identifiers import BASE, NHS_NUMBER, identifier
from fhir_gateway.fhir.outcome import issue, outcome
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.journey.invitation_check import TEXT
from fhir_gateway.journey.inviting import (
    TOO_MANY_TEXTS,
    AnotherMeant,
    Invited,
    Invitee,
    Inviter,
    invite,
)
from fhir_gateway.pds.answers import Found
from fhir_gateway.provider.service import Service
from fhir_gateway.rest import existing, written
from fhir_gateway.rest.conditions import if_none_exist
from fhir_gateway.rest.desk import Desk, checked, reading, served_services, told, unprocessable
from fhir_gateway.rest.invitee_read import MAX_ROWS, Malformed, Wanted, of_csv, of_resource
from fhir_gateway.rest.negotiation import parse_resource
from fhir_gateway.rest.problem import BAD_REQUEST, CONFLICT, UNPROCESSABLE, Problem, status_line
from fhir_gateway.rest.registry import Answer, Call
from fhir_gateway.store import resources
from fhir_gateway.store.invitations import InvitationState

#: Identifier system of a row of a batch.
ROW_ID = f"{BASE}/Id/invitation"
_TYPE = "CommunicationRequest"
_MAX_BATCH = 64
_REASONS = {
    **{one.value: text for one, text in TEXT.items()},
    TOO_MANY_TEXTS: "This number has had its texts for today.",
}


def create(desk: Desk, call: Call) -> Answer:
    """Text one patient. 201, or 200 with what was sent before under the same identifier."""
    request = checked(call, _TYPE)
    criteria = if_none_exist(call.request)
    if criteria:
        with reading(desk) as tx:
            match = existing.matching(tx, call, criteria, now=desk.parts.clock())
        if match is not None:
            return written.answer(call, match)
    try:
        wanted = of_resource(request)
    except Malformed as error:
        raise Problem(UNPROCESSABLE, "", "malformed", issues=error.issues) from None
    service = _service(desk, call, wanted.service)
    name = wanted.name or str(uuid.uuid4())
    invited = _invited(desk, service, wanted, ("one", name))
    if invited.state is InvitationState.REFUSED:
        raise unprocessable("business-rule", _reason(invited), f"{_TYPE}.recipient")
    shown = _show(desk, service, request, invited)
    status = written.CREATED if invited.new else written.OK
    return written.answer(call, shown, status=status)


def invite_batch(desk: Desk, call: Call) -> Answer:
    """`$invite`: a batch from CSV or a Bundle; a Bundle of type batch-response, one entry a row."""
    asked = {name: value for name, value in call.parameters}
    kind = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "text/csv":
            batch, rows = asked.get("batch", ""), list(of_csv(call.body))
        else:
            batch, rows = _of_bundle(parse_resource(call.body, kind), asked.get("batch", ""))
    except Malformed as error:
        raise Problem(UNPROCESSABLE, "", "malformed", issues=error.issues) from None
    if not 0 < len(batch) <= _MAX_BATCH or not batch.isprintable():
        raise Problem(
            BAD_REQUEST,
            "required",
            "Name the batch with the parameter 'batch' (64 characters at the most): the same name "
            "never texts anybody twice.",
        )
    entries = [_row(desk, call, row, batch, asked.get("service", "")) for row in rows]
    return Answer({"resourceType": "Bundle", "type": "batch-response", "entry": entries})


def _of_bundle(bundle: Resource, batch: str) -> tuple[str, list[Wanted | Malformed]]:
    if bundle.get("resourceType") != "Bundle":
        raise Problem(
            BAD_REQUEST, "invalid", f"The body is text/csv, or a Bundle of {_TYPE} resources."
        )
    entries = [as_dict(as_dict(e).get("resource")) for e in as_list(bundle.get("entry"))]
    if not 0 < len(entries) <= MAX_ROWS:
        raise Problem(UNPROCESSABLE, "too-costly", f"A batch has 1 to {MAX_ROWS} entries.")
    name = batch or as_str(as_dict(bundle.get("identifier")).get("value"))
    return name, list(_of_entries(entries))


def _of_entries(entries: Iterable[Resource]) -> Iterator[Wanted | Malformed]:
    for entry in entries:
        if entry.get("resourceType") != _TYPE:
            yield Malformed([issue("error", "invalid", f"It is no {_TYPE}.")])
            continue
        wrong = [one for one in check.problems(entry) if one["severity"] == "error"]
        try:
            yield Malformed(wrong) if wrong else of_resource(entry)
        except Malformed as error:
            yield error


def _row(desk: Desk, call: Call, row: Wanted | Malformed, batch: str, service_name: str) -> Element:
    """What became of one row."""
    if isinstance(row, Malformed):
        return _entry(status_line(UNPROCESSABLE), row.issues)
    try:
        service = _service(desk, call, row.service or service_name)
        name = row.name or row.nhs_number
        invited = _invited(desk, service, row, ("batch", batch, name))
    except Problem as problem:
        return _entry(status_line(problem.status), problem.outcome()["issue"])
    except TryLater as error:
        after = f" in {math.ceil(error.after)} seconds" if error.after else ""
        text = f"It could not be done now: send the same batch again{after}."
        return _entry("503 Service Unavailable", [issue("error", "transient", text)])
    if invited.state is InvitationState.REFUSED:
        found = issue("error", "business-rule", _reason(invited))
        return _entry(status_line(UNPROCESSABLE), [found])
    value = row.name or str(uuid.uuid5(uuid.UUID(invited.id), "row"))
    request: Resource = {
        "resourceType": _TYPE,
        "identifier": [identifier(ROW_ID, f"{batch}|{value}")],
        "status": "active",
        "subject": {"type": "Patient", "identifier": identifier(NHS_NUMBER, row.nhs_number)},
    }
    _show(desk, service, request, invited)
    status = "201 Created" if invited.new else "200 OK"
    text = "The text was sent." if invited.new else "The text was sent before."
    entry = _entry(status, [issue("information", "informational", text)])
    entry["response"]["location"] = f"{call.base_url}/{_TYPE}/{invited.id}"
    return entry


def _entry(status: str, issues: list[Element]) -> Element:
    return {"response": {"status": status, "outcome": outcome(issues)}}


def _invited(desk: Desk, service: Service, wanted: Wanted, key: tuple[str, ...]) -> Invited:
    parts = desk.parts

    def read(service: Service, nhs_number: str) -> Resource | None:
        answer = parts.pds.read(nhs_number, request_id=uuid.uuid4(), ods_code=service.ods_code)
        return answer.record if isinstance(answer, Found) else None

    inviter = Inviter(parts.database, parts.sender, parts.caps, desk.gateway_url, read, parts.clock)
    invitee = Invitee(
        (service.ods_code, *key), service, wanted.nhs_number, wanted.mobile, wanted.expires_at
    )
    if _is_over(wanted.expires_at, parts.clock()):
        text = "The link would have expired already."
        raise unprocessable("value", text, f"{_TYPE}.occurrencePeriod.end")
    try:
        return invite(inviter, invitee)
    except AnotherMeant as error:
        raise Problem(
            CONFLICT, "duplicate", str(error), expression=[f"{_TYPE}.identifier"]
        ) from None
    except Refused as error:
        text = f"It was refused ({error.code}): nothing was sent."
        raise Problem(UNPROCESSABLE, "processing", text) from None


def _is_over(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _reason(invited: Invited) -> str:
    return _REASONS.get(invited.code, f"It was refused ({invited.code}): nothing was sent.")


def _service(desk: Desk, call: Call, name: str) -> Service:
    """The service that a patient is invited to: named, or the client's only one."""
    place = f"{_TYPE}.sender"
    with reading(desk) as tx:
        known = list(served_services(tx, call.access))
    found = [s for s in known if s.slug == name] if name else known
    if name and not found:
        raise unprocessable("not-found", "There is no such service.", place)
    if len(found) != 1:
        text = "To which service? Name the HealthcareService as the sender."
        raise unprocessable("required", text, place)
    told(call, found[0])
    return found[0]


def _show(desk: Desk, service: Service, request: Resource, invited: Invited) -> Resource:
    """The CommunicationRequest as it can be read: completed."""
    now = desk.parts.clock()
    kept = {k: v for k, v in request.items() if k not in ("id", "meta", "text")}
    kept |= {"id": invited.id, "status": "completed"}
    kept.setdefault("authoredOn", now.isoformat(timespec="seconds"))
    sender = {"reference": f"HealthcareService/{service.slug}", "display": service.name}
    kept.setdefault("sender", sender)
    with desk.parts.database.transaction() as tx:
        before = resources.read(tx, _TYPE, invited.id, resources.EVERYTHING)
        if before is not None and before.resource is not None:
            return before.resource
        stored = resources.write(tx, kept, provider=service.ods_code, now=now, by_client=True)
    assert stored is not None
    assert stored.resource is not None
    return stored.resource
