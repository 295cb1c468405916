"""The three access modes of the PDS FHIR API, and what each may ask for.

https://digital.nhs.uk/developer/api-catalogue/personal-demographics-service-fhir, "Access modes".
The gateway traces in application-restricted mode; the others have their place for when a patient
has logged in with NHS login (P9), or staff with CIS2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fhir_gateway.errors import Refused

_MAX_RESULTS = "_max-results"


class AccessMode(Protocol):
    """What a mode allows, checked before a call is made and written to PDS's audit."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the mode, beside those of every call."""
        ...

    def check_search(self, params: Sequence[tuple[str, str]]) -> None:
        """Raises Refused where the mode may not search like this."""
        ...

    def check_read(self, nhs_number: str) -> None:
        """Raises Refused where the mode may not read this record."""
        ...


@dataclass(frozen=True, slots=True)
class ApplicationRestricted:
    """An application acts by itself: one unique match, or one record by its number."""

    @property
    def headers(self) -> Mapping[str, str]:
        """None of its own."""
        return {}

    def check_search(self, params: Sequence[tuple[str, str]]) -> None:
        """At most one result may be asked for (PDS answers 403 otherwise)."""
        if any(name == _MAX_RESULTS and value != "1" for name, value in params):
            raise Refused("Application-restricted access gives one result.", code="pds-mode")

    def check_read(self, nhs_number: str) -> None:
        """Any record."""
        del nhs_number


@dataclass(frozen=True, slots=True)
class PatientAccess:
    """A patient logged in with NHS login at P9: their own record, and no search."""

    nhs_number: str

    @property
    def headers(self) -> Mapping[str, str]:
        """None of its own."""
        return {}

    def check_search(self, params: Sequence[tuple[str, str]]) -> None:
        """Patients cannot search."""
        del params
        raise Refused("Patient access to PDS has no search.", code="pds-mode")

    def check_read(self, nhs_number: str) -> None:
        """Only the number of the identity token."""
        if nhs_number != self.nhs_number:
            raise Refused("Patient access reads the patient's own record.", code="pds-mode")


@dataclass(frozen=True, slots=True)
class HealthcareWorker:
    """Staff logged in with CIS2: up to 50 results. `session_urid`: role profile, digits."""

    session_urid: str

    @property
    def headers(self) -> Mapping[str, str]:
        """The role in which the person works."""
        return {"NHSD-Session-URID": self.session_urid}

    def check_search(self, params: Sequence[tuple[str, str]]) -> None:
        """From 1 to 50 results."""
        for name, value in params:
            if name == _MAX_RESULTS and not (value.isdecimal() and 1 <= int(value) <= 50):  # noqa: PLR2004
                raise Refused("PDS gives 1 to 50 results.", code="pds-mode")

    def check_read(self, nhs_number: str) -> None:
        """Any record."""
        del nhs_number
