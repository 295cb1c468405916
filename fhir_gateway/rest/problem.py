"""What goes wrong with a request to the API: an HTTP status and an OperationOutcome in one.

https://hl7.org/fhir/R4/http.html#Status-Codes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fhir_gateway.fhir.outcome import issue, outcome
from fhir_gateway.fhir.types import Element, Resource

BAD_REQUEST = 400
UNAUTHENTICATED = 401
FORBIDDEN = 403
NOT_FOUND = 404
NOT_ALLOWED = 405
NOT_ACCEPTABLE = 406
CONFLICT = 409
GONE = 410
PRECONDITION_FAILED = 412
TOO_LARGE = 413
UNSUPPORTED_MEDIA_TYPE = 415
UNPROCESSABLE = 422
TOO_MANY = 429
FAILED = 500

#: Code of the value set issue-type for what the framework itself refuses, by HTTP status.
ISSUE_CODES = {
    UNAUTHENTICATED: "login",
    FORBIDDEN: "forbidden",
    NOT_FOUND: "not-found",
    NOT_ALLOWED: "not-supported",
    NOT_ACCEPTABLE: "not-supported",
    CONFLICT: "conflict",
    TOO_LARGE: "too-costly",
    UNSUPPORTED_MEDIA_TYPE: "not-supported",
    TOO_MANY: "throttled",
    FAILED: "exception",
}


class Problem(Exception):
    """Raised by any route or handler; the app answers with it in the format the client takes.

    `code`: of https://hl7.org/fhir/R4/valueset-issue-type.html. `diagnostics` never repeats what a
    client sent, which may be a patient's. `expression`: FHIRPath of the elements meant. `issues`:
    further issues, or all of them when `code` is empty.
    """

    def __init__(
        self,
        status: int,
        code: str,
        diagnostics: str,
        *,
        expression: Sequence[str] = (),
        issues: Sequence[Element] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(diagnostics)
        self.status = status
        self.code = code
        self.diagnostics = diagnostics
        self.expression = tuple(expression)
        self.issues = tuple(issues)
        self.headers = dict(headers or {})

    def outcome(self) -> Resource:
        """The OperationOutcome that says it."""
        first = issue("error", self.code, self.diagnostics, expression=self.expression)
        return outcome([first, *self.issues] if self.code else self.issues)


def status_line(status: int) -> str:
    """A status as Bundle.entry.response has it: its number and what HTTP calls it, nothing else.

    https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.response.status
    """
    return f"{status} {HTTPStatus(status).phrase}"


def not_found(resource_type: str) -> Problem:
    """Nothing there, or nothing that this client may see: the two must look the same."""
    return Problem(NOT_FOUND, "not-found", f"There is no {resource_type} with this id.")
