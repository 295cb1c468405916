"""What a trace ends with: level, verification status, outcome and evidence. Holds no value of a
record, so that evidence can be shown to staff and kept."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fhir_gateway.matching.demographics import Demographics
from fhir_gateway.matching.policy import Difference


class Level(StrEnum):
    """How sure it is that the record is the person's."""

    VERIFIED = "verified"
    PROBABLE = "probable"
    CONFLICTING = "conflicting"
    NONE = "none"


class Status(StrEnum):
    """UK Core NHS number verification status (England)."""

    VERIFIED = "01"
    PRESENT_NOT_TRACED = "02"
    TRACE_REQUIRED = "03"
    NO_OR_MANY = "04"
    CONFLICT = "05"


#: The displays of UK Core's code system, to the letter.
STATUS_DISPLAY = {
    Status.VERIFIED: "Number present and verified",
    Status.PRESENT_NOT_TRACED: "Number present but not traced",
    Status.TRACE_REQUIRED: "Trace required",
    Status.NO_OR_MANY: "Trace attempted - No match or multiple match found",
    Status.CONFLICT: "Trace needs to be resolved - (NHS number or patient detail conflict)",
}


class Outcome(StrEnum):
    """Why it is so: one word for each way a trace can end."""

    MATCHED = "matched"
    #: PDS gave another record in place of the number that was asked for, and that one matches.
    MATCHED_SUPERSEDED = "matched-superseded"
    #: The details agree, and something that would prove it is missing.
    NOT_PROVEN = "not-proven"
    DETAILS_DIFFER = "details-differ"
    NUMBER_CONFLICT = "number-conflict"
    RESTRICTED = "restricted"
    DECEASED = "deceased"
    INVALIDATED = "invalidated"
    NOT_FOUND = "not-found"
    SEVERAL = "several"
    NOT_ASKED = "not-asked"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one comparison found. `agrees` None: it could not be made. Holds no value."""

    field: str
    agrees: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The outcome of a trace. `nhs_number`: the record's when verified, else the typed one.
    `differences`: what was forgiven, or would have to be."""

    level: Level
    status: Status
    nhs_number: str | None
    evidence: tuple[Evidence, ...]
    outcome: Outcome = Outcome.NOT_PROVEN
    differences: frozenset[Difference] = frozenset()

    @property
    def matched(self) -> bool:
        """Whether the request may be attached to the record."""
        return self.level is Level.VERIFIED


_WITHOUT_RECORD = {
    Outcome.NOT_FOUND: (False, Status.NO_OR_MANY, "PDS has no record like this"),
    Outcome.SEVERAL: (False, Status.NO_OR_MANY, "PDS has more than one record like this"),
    Outcome.INVALIDATED: (
        False,
        Status.CONFLICT,
        "the record of this NHS number was made invalid on PDS",
    ),
    Outcome.NOT_ASKED: (None, Status.TRACE_REQUIRED, "PDS was not asked: too little was given"),
    Outcome.UNREACHABLE: (None, Status.TRACE_REQUIRED, "PDS could not be asked"),
    Outcome.REFUSED: (None, Status.TRACE_REQUIRED, "PDS refused the trace"),
}


def without_record(typed: Demographics, outcome: Outcome, *, code: str = "") -> Identity:
    """The outcome when there is no record to compare. `code`: of the refusal, for operators."""
    agrees, status, text = _WITHOUT_RECORD[outcome]
    if status is Status.TRACE_REQUIRED and typed.nhs_number:
        status = Status.PRESENT_NOT_TRACED
    level = Level.CONFLICTING if outcome is Outcome.INVALIDATED else Level.NONE
    found = Evidence("record", agrees, f"{text} ({code})" if code else text)
    return Identity(level, status, typed.nhs_number, (found,), outcome)
