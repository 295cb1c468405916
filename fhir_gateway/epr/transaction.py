"""Strategy `transaction`: the whole request as one transaction, done wholly or not at all."""

from __future__ import annotations

from fhir_gateway.epr.adapter import Delivered, Landed
from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.fence import Guard
from fhir_gateway.errors import Defect
from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.identifiers import REQUEST_ID
from fhir_gateway.fhir.types import Resource, as_dict, as_list
from fhir_gateway.provider.endpoint import RepeatMode

#: Where a request is looked for: the first of these types that the Bundle has.
_ROOTS = ("ServiceRequest", "Communication", "DocumentReference", "Task")


class TransactionAdapter:
    """An EprAdapter."""

    def __init__(self, client: EprClient, mode: RepeatMode) -> None:
        self._client = client
        self.mode = mode

    def find(self, bundle: Resource, request_id: str) -> Delivered | None:
        """See EprAdapter."""
        found = self._client.find(root_type(bundle), request_id)
        return Delivered(tuple(Landed(reference) for reference in found)) if found else None

    def send(self, bundle: Resource, request_id: str, guard: Guard) -> Delivered:
        """See EprAdapter."""
        return self._client.transact(bundle, request_id=request_id, guard=guard)


def root_type(bundle: Resource) -> str:
    """The type by which a delivered request is found again. Raises Defect when there is none."""
    types = {
        resource["resourceType"]
        for resource in resources(bundle)
        if any(as_dict(i).get("system") == REQUEST_ID for i in as_list(resource.get("identifier")))
    }
    for root in _ROOTS:
        if root in types:
            return root
    raise Defect("Nothing in the Bundle carries the request's identifier.", code="no-root")
