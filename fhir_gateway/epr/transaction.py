"""Strategy `transaction`: the whole request as one transaction, done wholly or not at all.

A server that does a part of it all the same is caught: what it did is kept, a person is asked, and
a retry sends only the rest, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_gateway.epr import landing, outcomes, patient
from fhir_gateway.epr.adapter import Delivered, Landed
from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.creates import CreatesAdapter
from fhir_gateway.epr.exchange import Answer
from fhir_gateway.epr.fence import Guard
from fhir_gateway.epr.looking import look
from fhir_gateway.epr.parts import Part, parts_of, rewritten, root_of
from fhir_gateway.epr.progress import Progress
from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir.bundle import post_entry, transaction
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.provider.endpoint import EprEndpoint, RepeatMode


class TransactionAdapter:
    """An EprAdapter."""

    def __init__(self, client: EprClient, endpoint: EprEndpoint, progress: Progress) -> None:
        self._client = client
        self._endpoint = endpoint
        self._progress = progress
        self._rest = CreatesAdapter(client, endpoint, progress)

    @property
    def mode(self) -> RepeatMode:
        """See EprAdapter."""
        return self._endpoint.repeat

    def find(self, bundle: Resource, request_id: str) -> Delivered | None:
        """See EprAdapter. A transaction that left its root left everything."""
        if self._progress.load(request_id):
            return self._rest.find(bundle, request_id)
        parts = parts_of(bundle)
        root = root_of(parts)
        landed = look(self._client, root, request_id, self.mode, {})
        return Delivered((landed,)) if landed else None

    def send(self, bundle: Resource, request_id: str, guard: Guard) -> Delivered:
        """See EprAdapter."""
        if self._progress.load(request_id):
            return self._rest.send(bundle, request_id, guard)
        if "transaction" not in self._client.capability().system_interactions:
            raise Refused(
                "The EPR does not declare transactions: choose another strategy "
                "(`fhir-gateway epr check`)",
                code="epr-no-transaction",
            )
        parts, local = self._settled(parts_of(bundle))
        body = transaction(self._entry(part) for part in parts)
        try:
            answer = self._client.write("POST", "", body, request_id=request_id, guard=guard)
        except outcomes.Present as error:
            return self._present(bundle, request_id, error)
        return self._delivered(answer, parts, request_id, local)

    def _settled(self, parts: Sequence[Part]) -> tuple[list[Part], list[Landed]]:
        """The parts to send, about the Patient whom the EPR has; and that Patient."""
        names: dict[str, Element] = {}
        local: list[Landed] = []
        for part in parts:
            if part.type == "Patient":
                found = patient.resolve(self._client, self._endpoint, part)
                if found is not None:
                    names[part.full_url] = found
                    local.extend(Landed(r) for r in [as_str(found.get("reference"))] if r)
        left = [p for p in parts if p.full_url not in names]
        return [Part(p.full_url, rewritten(p.resource, names), p.criteria) for p in left], local

    def _entry(self, part: Part) -> Element:
        criteria = patient.criteria(self._endpoint, part)
        if self.mode is RepeatMode.PUT_BY_CLIENT_ID and patient.matched_number(part) is None:
            url = f"{part.type}/{part.client_id}"
            resource = {**part.resource, "id": part.client_id}
            return {
                "fullUrl": part.full_url,
                "resource": resource,
                "request": {"method": "PUT", "url": url},
            }
        entry = post_entry(part.full_url, part.resource, if_none_exist=criteria)
        if part.full_url.startswith("entry:"):
            del entry["fullUrl"]
        return entry

    def _present(self, bundle: Resource, request_id: str, error: GatewayError) -> Delivered:
        """The EPR says that something is there already: the request, or what is in its way."""
        found = self.find(bundle, request_id)
        if found:
            return found
        if error.code == f"epr-{outcomes.PRECONDITION_FAILED}":
            raise Refused(
                f"{error}: more than one resource matches an If-None-Exist", code=error.code
            )
        raise TryLater(str(error), code=error.code)

    def _delivered(
        self, answer: Answer, parts: Sequence[Part], request_id: str, local: list[Landed]
    ) -> Delivered:
        """What a transaction-response says. Anything else with a 2xx says nothing certain."""
        entries = [as_dict(e) for e in as_list(answer.body.get("entry"))]
        kind = answer.body.get("type")
        if kind not in ("transaction-response", "batch-response") or len(entries) != len(parts):
            raise OutcomeUnknown(
                f"The EPR answered {answer.status} without a transaction-response",
                code="epr-no-response",
            )
        responses = [_Response(entry) for entry in entries]
        pairs = list(zip(parts, responses, strict=True))
        if not all(response.done for response in responses):
            raise self._half_applied(pairs, request_id)
        landed = [one for part, response in pairs if (one := response.landed(part.type))]
        return Delivered((*local, *landed), tuple(w for r in responses for w in r.warnings))

    def _half_applied(self, pairs: Sequence[tuple[Part, _Response]], request_id: str) -> Refused:
        """Keep what was done, and say what was not."""
        done = 0
        for part, response in pairs:
            landed = response.landed(part.type) if response.done else None
            if landed:
                done += 1
                self._progress.keep(request_id, part.full_url, landed)
        failed = ", ".join(f"{p.type} {r.status[:3]}" for p, r in pairs if not r.done)
        if not done:
            return Refused(f"The EPR took no entry ({failed})", code="epr-entries-refused")
        return Refused(
            f"The EPR took {done} of {len(pairs)} entries of a transaction, and refused {failed}; "
            "a retry sends only these",
            code="epr-half-applied",
        )


class _Response:
    """One entry of a transaction-response."""

    def __init__(self, entry: dict[str, Any]) -> None:
        response = as_dict(entry.get("response"))
        self.status = as_str(response.get("status"))
        outcome = as_dict(response.get("outcome"))
        headers = {
            "location": as_str(response.get("location")),
            "etag": as_str(response.get("etag")),
        }
        resource = as_dict(entry.get("resource"))
        self._answer = Answer(0, headers, resource)
        self._outcome = Answer(0, {}, outcome)

    @property
    def done(self) -> bool:
        return self.status.startswith("2") and not self._outcome.failed_issues

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._outcome.warnings

    def landed(self, resource_type: str) -> Landed | None:
        return landing.of_answer(self._answer, resource_type)
