"""Looking for patients in an EPR, so that staff see whom a request may be about."""

from __future__ import annotations

import re

from fhir_gateway.epr.client import EprClient
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str

_COUNT = "20"
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


def search_patients(client: EprClient, *, family: str, birth_date: str) -> list[Resource]:
    """The first patients with this family name (or its beginning) and birth date.

    Raises Refused, TryLater.
    """
    escaped = re.sub(r"([\\$,|])", r"\\\1", family)
    form = {"family": escaped, "birthdate": birth_date, "_count": _COUNT}
    body = client.search("Patient", form)
    return [
        resource
        for entry in map(as_dict, as_list(as_dict(body).get("entry")))
        if (resource := as_dict(entry.get("resource"))).get("resourceType") == "Patient"
        and _ID.fullmatch(as_str(resource.get("id")))
    ]
