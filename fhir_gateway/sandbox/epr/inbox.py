"""The list of requests that staff see: one line per Task, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fhir_gateway.fhir.identifiers import REFERENCE
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.sandbox.epr.references import Key, local_key
from fhir_gateway.sandbox.epr.session import Session, Version
from fhir_gateway.sandbox.epr.wording import concept_text, moment, person_name

PAGE_SIZE = 50
_KINDS = {"ServiceRequest": "Medical request", "Communication": "Admin request"}


class Identity(StrEnum):
    """What Task.businessStatus says about the patient's identity: the tag's text."""

    MATCHED = "Matched to NHS record"
    UNMATCHED = "Not matched - identity to be checked"
    UNKNOWN = "Identity check not recorded"

    @property
    def colour(self) -> str:
        """The colour of its tag in the NHS design system."""
        return {"MATCHED": "green", "UNMATCHED": "orange"}.get(self.name, "grey")


class Progress(StrEnum):
    """How far staff are with a request."""

    NEW = "New"
    IN_PROGRESS = "In progress"
    DONE = "Done"
    CLOSED = "Closed"


_PROGRESS = {
    **dict.fromkeys(("requested", "received", "accepted", "ready", "draft"), Progress.NEW),
    **dict.fromkeys(("in-progress", "on-hold"), Progress.IN_PROGRESS),
    "completed": Progress.DONE,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One request in the list. All texts are plain; `received` is such as `24 November 2026`."""

    task_id: str
    reference: str
    received: str
    kind: str
    patient: str
    identity: Identity
    progress: Progress


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list. `total` counts all requests, `page` and `pages` from 1."""

    lines: list[Line]
    total: int
    page: int
    pages: int


def read_listing(session: Session, page: int) -> Listing:
    """A page of the list, the last one when there are fewer."""
    ((total,),) = session.select("SELECT count(*) FROM live WHERE type = 'Task'")
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    rows = session.select(
        "SELECT type, id FROM live WHERE type = 'Task' ORDER BY first DESC LIMIT ? OFFSET ?",
        (PAGE_SIZE, (page - 1) * PAGE_SIZE),
    )
    tasks = session.resources([Key(*row) for row in rows])
    return Listing([read_line(session, task) for task in tasks], total, page, pages)


def read_line(session: Session, version: Version) -> Line:
    """A Task as one line of the list."""
    task = version.resource or {}
    first = session.version(version.key, 1)
    return Line(
        task_id=version.key.id,
        reference=_reference(task),
        received=moment(first.at if first else version.at),
        kind=_kind(task),
        patient=_patient_name(session, task),
        identity=_identity(task),
        progress=_PROGRESS.get(as_str(task.get("status")), Progress.CLOSED),
    )


def referred(session: Session, element: object) -> Resource | None:
    """The resource that a Reference leads to, when it is one of this server."""
    key = local_key(as_str(as_dict(element).get("reference")))
    version = session.latest(key) if key else None
    return version.resource if version else None


def _reference(task: Resource) -> str:
    """What the patient was told; else any identifier of the Task."""
    identifiers = [as_dict(found) for found in as_list(task.get("identifier"))]
    identifiers.sort(key=lambda identifier: identifier.get("system") != REFERENCE)
    return as_str(identifiers[0].get("value")) if identifiers else "No reference"


def _kind(task: Resource) -> str:
    key = local_key(as_str(as_dict(task.get("focus")).get("reference")))
    text = as_str(as_dict(task.get("code")).get("text"))
    return text or _KINDS.get(key.type if key else "", "Request")


def _patient_name(session: Session, task: Resource) -> str:
    patient = referred(session, task.get("for"))
    return person_name(patient) if patient else concept_text(task.get("for")) or "Name not given"


def _identity(task: Resource) -> Identity:
    codings = as_list(as_dict(task.get("businessStatus")).get("coding"))
    codes = {as_dict(coding).get("code") for coding in codings}
    if "unmatched" in codes:
        return Identity.UNMATCHED
    return Identity.MATCHED if "matched" in codes else Identity.UNKNOWN
