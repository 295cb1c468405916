"""Everything the PDS FHIR API says no with, as published by NHS England.

Displays, issue codes and statuses are those of the API's error tables and proxy policies
(https://digital.nhs.uk/developer/api-catalogue/personal-demographics-service-fhir). Errors made by
the API platform's proxy are `application/json`, those made by PDS `application/fhir+json`.
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.outcome import outcome
from fhir_gateway.fhir.types import Element, Resource

SPINE_CODES = "https://fhir.nhs.uk/R4/CodeSystem/Spine-ErrorOrWarningCode"
FHIR_JSON = "application/fhir+json"
PLAIN_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the error table. `issue_code` is of the R4 value set issue-type."""

    status: int
    code: str
    display: str
    issue_code: str
    severity: str = "error"
    media_type: str = FHIR_JSON


TOO_MANY_MATCHES = Kind(
    200, "TOO_MANY_MATCHES", "Too Many Matches", "multiple-matches", severity="information"
)
INVALID_SEARCH_DATA = Kind(400, "INVALID_SEARCH_DATA", "Search data is invalid", "value")
UNSUPPORTED_SERVICE = Kind(400, "UNSUPPORTED_SERVICE", "Unsupported Service", "processing")
MISSING_VALUE = Kind(400, "MISSING_VALUE", "Required value is missing", "required")
INVALID_VALUE = Kind(400, "INVALID_VALUE", "Provided value is invalid", "value")
ADDITIONAL_PROPERTIES = Kind(
    400, "ADDITIONAL_PROPERTIES", "Additional properties should not be included", "invariant"
)
INVALID_RESOURCE_ID = Kind(400, "INVALID_RESOURCE_ID", "Resource Id is invalid", "value")
UNSUPPORTED_REQUEST = Kind(
    400,
    "UNSUPPORTED_REQUEST",
    "The request is not one that is supported.",
    "value",
    media_type=PLAIN_JSON,
)
ACCESS_DENIED = Kind(401, "ACCESS_DENIED", "Access Denied - Unauthorised", "forbidden")
TOO_MANY_ASKED_FOR = Kind(
    403,
    "INVALID_VALUE",
    "Cannot retrieve more than one result with application-restricted access token",
    "token",
    media_type=PLAIN_JSON,
)
NO_UPDATE = Kind(
    403,
    "INVALID_METHOD",
    "Cannot update resource with application-restricted access token",
    "forbidden",
    media_type=PLAIN_JSON,
)
NO_CREATE = Kind(
    403,
    "INVALID_METHOD",
    "Cannot create resource with application-restricted access token",
    "forbidden",
    media_type=PLAIN_JSON,
)
RESOURCE_NOT_FOUND = Kind(
    404, "RESOURCE_NOT_FOUND", "Resource not found", "not-found", severity="information"
)
INVALIDATED_RESOURCE = Kind(
    404,
    "INVALIDATED_RESOURCE",
    "Resource that has been marked as invalid was requested - invalid resources cannot be"
    " retrieved",
    "processing",
)
UNABLE_TO_CALL_SERVICE = Kind(
    408, "UNABLE_TO_CALL_SERVICE", "Unable to call service", "timeout", media_type=PLAIN_JSON
)
TOO_MANY_REQUESTS = Kind(
    429, "TOO_MANY_REQUESTS", "Too many requests", "value", media_type=PLAIN_JSON
)
UNKNOWN_ERROR = Kind(500, "UNKNOWN_ERROR", "Unknown Error", "unknown", media_type=PLAIN_JSON)
SERVICE_UNAVAILABLE = Kind(
    503, "SERVICE_UNAVAILABLE", "Service unavailable", "timeout", media_type=PLAIN_JSON
)


class Fault(Refused):
    """An answer other than the one asked for. `code` is the Spine code.

    `retry_after`: seconds for a Retry-After header, where the API sends one.
    """

    def __init__(
        self, kind: Kind, diagnostics: str | None = None, *, retry_after: int | None = None
    ) -> None:
        super().__init__(f"PDS answers {kind.status} {kind.code}", code=kind.code)
        self.kind = kind
        self.diagnostics = diagnostics
        self.retry_after = retry_after

    def resource(self) -> Resource:
        """The OperationOutcome that says so."""
        return operation_outcome(self.kind, self.diagnostics)


def operation_outcome(kind: Kind, diagnostics: str | None = None) -> Resource:
    """An OperationOutcome of one issue in PDS's shape; `diagnostics` only where PDS has one."""
    coding = {"system": SPINE_CODES, "version": "1", "code": kind.code, "display": kind.display}
    issue: Element = {
        "severity": kind.severity,
        "code": kind.issue_code,
        "details": {"coding": [coding]},
    }
    if diagnostics is not None:
        issue["diagnostics"] = diagnostics
    return outcome([issue])


def invalid_search(reason: str) -> Fault:
    """The combination of search parameters is wrong, in PDS's wording around `reason`."""
    return Fault(INVALID_SEARCH_DATA, f"Invalid search data provided - '{reason}'")


def invalid_value(value: str, field: str) -> Fault:
    """The value of one search parameter is wrong."""
    return Fault(INVALID_VALUE, f"Invalid value - '{value}' in field '{field}'")
