"""Every fault by its name, with a sentence that says what an EPR with it does."""

from __future__ import annotations

from fhir_gateway.sandbox.epr.injected import (
    access,
    answering,
    bundling,
    declaring,
    searching,
    storing,
)
from fhir_gateway.sandbox.epr.injected.known import Known

_FAMILIES = (storing, searching, answering, bundling, declaring, access)

#: Every fault by its name.
FAULTS: dict[str, Known] = {known.name: known for family in _FAMILIES for known in family.FAULTS}
