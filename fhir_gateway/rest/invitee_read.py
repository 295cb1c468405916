"""Whom to invite, as clients write it: a CommunicationRequest, or a row of CSV. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.identifiers import NHS_NUMBER, normalise_nhs_number
from fhir_gateway.fhir.moments import span
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.provider.service import SERVICE_ID
from fhir_gateway.sms.number import normalise_mobile

MAX_ROWS = 100
COLUMNS = ("nhs_number", "mobile", "id")
_MAX_FIELD = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """One invitation as it was asked for. `name`: the client's own name of it, '' for none;
    `service`: short name, '' when it was not said."""

    nhs_number: str
    mobile: str
    name: str
    service: str = ""
    expires_at: datetime | None = None


class Malformed(Refused):
    """It cannot be read as an invitation; `issues` say why, without what was sent."""

    def __init__(self, issues: list[Element]) -> None:
        super().__init__("malformed", code="malformed")
        self.issues = issues


def of_resource(request: Resource) -> Wanted:
    """A CommunicationRequest: the recipient is a contained Patient with NHS number and mobile, the
    sender a HealthcareService. Raises Malformed."""
    patient = _patient(request)
    numbers = [
        as_str(i.get("value"))
        for holder in (
            patient.get("identifier"),
            [as_dict(request.get("subject")).get("identifier")],
            [as_dict(r).get("identifier") for r in as_list(request.get("recipient"))],
        )
        for i in map(as_dict, as_list(holder))
        if i.get("system") == NHS_NUMBER
    ]
    mobiles = [
        as_str(t.get("value"))
        for t in map(as_dict, as_list(patient.get("telecom")))
        if t.get("system") in ("phone", "sms")
    ]
    end = as_str(as_dict(request.get("occurrencePeriod")).get("end"))
    period = span(end) if end else None
    identifier = as_dict(next(iter(as_list(request.get("identifier"))), None))
    name = as_str(identifier.get("value"))
    place = "CommunicationRequest"
    found = [
        *_number_issues(numbers, f"{place}.recipient"),
        *_mobile_issues(mobiles, f"{place}.contained.telecom"),
    ]
    if end and period is None:
        found.append(_wrong("It is no date.", f"{place}.occurrencePeriod.end"))
    if request.get("status") not in ("active", "draft"):
        found.append(_wrong("A new one is active.", f"{place}.status"))
    if found:
        raise Malformed(found)
    return Wanted(
        nhs_number=normalise_nhs_number(numbers[0]) or "",
        mobile=next(m for m in map(normalise_mobile, mobiles) if m),
        name=f"{as_str(identifier.get('system'))}|{name}" if name else "",
        service=_service(as_dict(request.get("sender"))),
        expires_at=datetime.fromisoformat(period.high) if period else None,
    )


def of_csv(body: bytes) -> Iterator[Wanted | Malformed]:
    """The rows of a CSV file in UTF-8 whose first line names its columns: nhs_number, mobile, and
    id if there is one. Raises Malformed for a file that is none."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed([_wrong("The file is not in UTF-8.", "")]) from None
    if "\x00" in text:
        raise Malformed([_wrong("The file is no CSV.", "")])
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        listed = [row for row in rows if any(cell.strip() for cell in row)]
    except csv.Error:
        raise Malformed([_wrong("The file is no CSV: a quote is not closed.", "")]) from None
    head = [cell.strip().lower() for cell in listed[0]] if listed else []
    if len(set(head)) != len(head) or not {"nhs_number", "mobile"} <= set(head) <= set(COLUMNS):
        text = (
            f"The first line names the columns: {', '.join(COLUMNS[:2])}, and {COLUMNS[2]} or not."
        )
        raise Malformed([_wrong(text, "")])
    if not 0 < len(listed) - 1 <= MAX_ROWS:
        raise Malformed([_wrong(f"A batch has 1 to {MAX_ROWS} rows.", "")])
    for row in listed[1:]:
        yield _of_row(dict(zip(head, row, strict=False)), len(row) == len(head))


def _of_row(row: Mapping[str, str], whole: bool) -> Wanted | Malformed:
    if not whole or any(len(cell) > _MAX_FIELD for cell in row.values()):
        return Malformed([_wrong("The row has another number of fields than the first line.", "")])
    found = [
        *_number_issues([row["nhs_number"]], "nhs_number"),
        *_mobile_issues([row["mobile"]], "mobile"),
    ]
    if found:
        return Malformed(found)
    return Wanted(
        nhs_number=normalise_nhs_number(row["nhs_number"]) or "",
        mobile=normalise_mobile(row["mobile"]) or "",
        name=row.get("id", "").strip(),
    )


def _patient(request: Resource) -> Resource:
    """The contained Patient that the recipient, or subject, leads to."""
    contained = [as_dict(c) for c in as_list(request.get("contained"))]
    references = [*as_list(request.get("recipient")), request.get("subject")]
    for reference in map(as_dict, references):
        for one in contained:
            named = reference.get("reference") == f"#{as_str(one.get('id'))}"
            if named and one.get("resourceType") == "Patient":
                return one
    return {}


def _service(sender: Element) -> str:
    named = as_dict(sender.get("identifier"))
    if named.get("system") == SERVICE_ID:
        return as_str(named.get("value"))
    return as_str(sender.get("reference")).rpartition("HealthcareService/")[2]


def _number_issues(numbers: list[str], place: str) -> Iterator[Element]:
    valid = {normalise_nhs_number(n) for n in numbers}
    if not numbers or valid == {None}:
        yield _wrong("A valid NHS number is needed: PDS is asked before a text is sent.", place)
    elif len(valid) > 1:
        yield _wrong("There are several NHS numbers.", place)


def _mobile_issues(mobiles: list[str], place: str) -> Iterator[Element]:
    if not any(map(normalise_mobile, mobiles)):
        yield _wrong("A UK mobile number is needed, like 07700 900982.", place)


def _wrong(text: str, place: str) -> Element:
    return issue("error", "value", text, expression=[place] if place else [])
