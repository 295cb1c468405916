"""Everything this FHIR server says no with: an HTTP status and OperationOutcome issues.

Which status belongs to what: https://hl7.org/fhir/R4/http.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.outcome import issue, outcome
from fhir_gateway.fhir.types import Element, Resource

BAD_REQUEST = 400
NOT_FOUND = 404
NOT_ALLOWED = 405
NOT_ACCEPTABLE = 406
CONFLICT = 409
GONE = 410
PRECONDITION_FAILED = 412
TOO_LARGE = 413
UNSUPPORTED_MEDIA_TYPE = 415
UNPROCESSABLE = 422


class Fault(Refused):
    """A request that is not carried out. `status` is of HTTP, `issues` go into the answer."""

    def __init__(self, status: int, issues: Iterable[Element]) -> None:
        self.status = status
        self.issues = list(issues)
        super().__init__(f"The sandbox EPR answers {status}", code=self.issues[0]["code"])

    def resource(self) -> Resource:
        """The OperationOutcome that says so."""
        return outcome(self.issues)


def fault(status: int, code: str, diagnostics: str) -> Fault:
    """A fault of one issue. `code` is of the R4 value set issue-type."""
    return Fault(status, [issue("error", code, diagnostics)])


@contextmanager
def blaming(index: int) -> Iterator[None]:
    """A fault raised within names `Bundle.entry[index]` as the place of each of its issues."""
    try:
        yield
    except Fault as error:
        raise Fault(error.status, at_entry(index, error.issues)) from None


def at_entry(index: int, issues: Iterable[Element]) -> list[Element]:
    """The issues, placed at an entry of the Bundle that was sent."""
    return [{**found, "expression": [f"Bundle.entry[{index}]"]} for found in issues]
