"""Strategies `creates`, `communication` and `document`: one create for each resource, in the order
of their references, which become what the EPR called the resources before.

Before each one an intent is kept, after it what it became. A retry goes on where the last try
stopped, and looks first where nobody knows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from fhir_gateway.epr import landing, outcomes, patient
from fhir_gateway.epr.adapter import Delivered, Landed
from fhir_gateway.epr.client import EprClient
from fhir_gateway.epr.exchange import Answer
from fhir_gateway.epr.fence import Guard
from fhir_gateway.epr.looking import look
from fhir_gateway.epr.parts import Part, literal, logical, parts_of, rewritten, root_of
from fhir_gateway.epr.progress import Progress
from fhir_gateway.errors import Defect, GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.provider.endpoint import EprEndpoint, RepeatMode

_PRECONDITION = f"epr-{outcomes.PRECONDITION_FAILED}"


@dataclass(slots=True)
class _Run:
    """One call of send or find: what the names of the Bundle stand for so far."""

    request_id: str
    known: Mapping[str, Landed | None]
    names: dict[str, Element] = field(default_factory=dict)
    landed: list[Landed] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, part: Part, landed: Landed) -> None:
        self.names[part.full_url] = literal(landed.reference)
        self.landed.append(landed)


class CreatesAdapter:
    """An EprAdapter. `only`: the types to send (None: all that the EPR takes); a Bundle without
    one of them that carries the request's identifier is a Defect of the configuration."""

    def __init__(
        self,
        client: EprClient,
        endpoint: EprEndpoint,
        progress: Progress,
        only: Collection[str] | None = None,
    ) -> None:
        self._client = client
        self._endpoint = endpoint
        self._progress = progress
        self._only = only

    @property
    def mode(self) -> RepeatMode:
        """See EprAdapter."""
        return self._endpoint.repeat

    def find(self, bundle: Resource, request_id: str) -> Delivered | None:
        """See EprAdapter: whole means each part that this EPR takes."""
        run = _Run(request_id, self._progress.load(request_id))
        for part in self._sendable(bundle, run):
            if self._stands_for_itself(part, run):
                continue
            landed = run.known.get(part.full_url)
            if landed is None and part.full_url in run.known:
                landed = look(self._client, part, request_id, self.mode, run.names)
                if landed:
                    self._progress.keep(request_id, part.full_url, landed)
            if landed is None:
                return None
            run.add(part, landed)
        return Delivered(tuple(run.landed), tuple(run.warnings))

    def send(self, bundle: Resource, request_id: str, guard: Guard) -> Delivered:
        """See EprAdapter."""
        run = _Run(request_id, self._progress.load(request_id))
        for part in self._sendable(bundle, run):
            if self._stands_for_itself(part, run):
                continue
            landed = run.known.get(part.full_url)
            if landed is None and part.full_url in run.known:
                landed = self._look_again(part, run)
            if landed is None:
                landed = self._create(part, run, guard)
            self._progress.keep(request_id, part.full_url, landed)
            run.add(part, landed)
        return Delivered(tuple(run.landed), tuple(run.warnings))

    def _sendable(self, bundle: Resource, run: _Run) -> list[Part]:
        """The parts that this EPR takes; references to the others become logical ones."""
        parts = parts_of(bundle)
        if self._only is not None and not any(p.type in self._only and p.identified for p in parts):
            raise Defect(
                f"The strategy {self._endpoint.strategy} needs a mapping that makes a "
                f"{' or '.join(sorted(set(self._only) - {'Patient'}))}.",
                code="strategy-unfit",
            )
        wanted = [p for p in parts if self._only is None or p.type in self._only]
        root = root_of(wanted)
        capability = self._client.capability()
        interaction = "update" if self.mode is RepeatMode.PUT_BY_CLIENT_ID else "create"
        if not capability.can(root.type, interaction):
            raise Refused(
                f"The EPR does not declare {interaction} for {root.type}: choose another strategy "
                "(`fhir-gateway epr check`)",
                code="epr-cannot-take",
            )
        taken = [p for p in wanted if p.type == "Patient" or capability.can(p.type, interaction)]
        dropped = [p for p in parts if p not in taken]
        run.names.update({p.full_url: logical(p.resource) for p in dropped})
        if dropped:
            types = ", ".join(sorted({p.type for p in dropped}))
            run.warnings.append(f"gateway information: not sent, as this EPR takes none: {types}")
        return taken

    def _stands_for_itself(self, part: Part, run: _Run) -> bool:
        """Whether a Patient is one that the EPR has, or is referred to without a record."""
        if part.type != "Patient" or run.known.get(part.full_url):
            return False
        reference = patient.resolve(self._client, self._endpoint, part)
        if reference is None:
            if not self._client.capability().can("Patient", "create"):
                raise Refused(
                    "The EPR has no Patient for the request, and takes none: a person must file it",
                    code="epr-patient-none",
                )
            return False
        run.names[part.full_url] = reference
        if "reference" in reference:
            run.landed.append(Landed(reference["reference"]))
        return True

    def _look_again(self, part: Part, run: _Run) -> Landed | None:
        """What an earlier try left. Where there is nothing to look with, whoever called send again
        after the outcome was unknown has looked."""
        try:
            return look(self._client, part, run.request_id, self.mode, run.names)
        except OutcomeUnknown:
            return None

    def _create(self, part: Part, run: _Run, guard: Guard) -> Landed:
        method, path = "POST", part.type
        resource = rewritten(part.resource, run.names)
        criteria = patient.criteria(self._endpoint, part)
        if self.mode is RepeatMode.PUT_BY_CLIENT_ID and part.type != "Patient":
            method, path, criteria = "PUT", f"{part.type}/{part.client_id}", ""
            resource = {**resource, "id": part.client_id}
        self._progress.intend(run.request_id, part.full_url)
        try:
            answer = self._client.write(
                method,
                path,
                resource,
                request_id=run.request_id,
                guard=guard,
                if_none_exist=criteria,
            )
        except outcomes.Present as error:
            return self._present(part, run, error)
        except (Refused, TryLater):
            self._progress.withdraw(run.request_id, part.full_url)
            raise
        run.warnings.extend(answer.warnings)
        return landing.of_answer(answer, part.type) or self._unnamed(part, run, answer)

    def _present(self, part: Part, run: _Run, error: GatewayError) -> Landed:
        """The EPR says that it is there already, or that something is in its way."""
        landed = look(self._client, part, run.request_id, self.mode, run.names)
        if landed:
            return landed
        self._progress.withdraw(run.request_id, part.full_url)
        if error.code == _PRECONDITION:
            raise Refused(
                f"{error}: more than one {part.type} matches its If-None-Exist", code=error.code
            )
        raise TryLater(str(error), code=error.code)

    def _unnamed(self, part: Part, run: _Run, answer: Answer) -> Landed:
        """The EPR took it and did not say what it calls it: look. That nobody can look just now
        does not mean that nothing was done."""
        try:
            landed = look(self._client, part, run.request_id, self.mode, run.names)
        except (Refused, TryLater) as error:
            raise OutcomeUnknown(
                f"The EPR answered {answer.status} for a {part.type} without saying where it is, "
                f"and a search failed: {error}",
                code="epr-no-location",
            ) from None
        if landed is None:
            raise OutcomeUnknown(
                f"The EPR answered {answer.status} for a {part.type} without saying where it is, "
                "and a search does not find it",
                code="epr-no-location",
            )
        return landed
