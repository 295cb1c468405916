"""What the steps of this process need again and again, made once: services as they were imported,
mappings laid over Questionnaires, and the people of requests under way.

Nothing here is needed by a second process; everything can be made again from the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fhir_gateway.fhir.kept import Kept
from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.mapping.form import Prepared
from fhir_gateway.provider.service import Service
from fhir_gateway.sms.number import normalise_mobile

#: Requests under way at once in one process (engine.PER_PROCESS), and some that wait.
_REQUESTS = 256
_MAPPINGS = 64
_SERVICES = 64


@dataclass(frozen=True, slots=True)
class Submitted:
    """The patient as typed, and who wrote for them (None: the patient wrote)."""

    patient: Resource
    requester: Resource | None

    @property
    def by_patient(self) -> bool:
        """Whether the patient wrote."""
        return self.requester is None

    @property
    def writer_mobile(self) -> str | None:
        """The mobile number, E.164, of the person who wrote; None when there is none."""
        telecoms = map(as_dict, as_list((self.requester or self.patient).get("telecom")))
        numbers = [as_str(t.get("value")) for t in telecoms if t.get("system") == "phone"]
        return next((n for n in map(normalise_mobile, numbers) if n), None)


@dataclass(frozen=True, slots=True)
class Memory:
    """By what each is made of, so that what changes is made anew: a mapping by its target and the
    Questionnaire (their identities), a service by the bytes that were imported."""

    mappings: Kept[tuple[int, int], Prepared] = field(default_factory=lambda: Kept(_MAPPINGS))
    services: Kept[bytes, Service] = field(default_factory=lambda: Kept(_SERVICES))
    #: Request id and digest of the mapping that read it.
    submitted: Kept[tuple[str, str], Submitted] = field(default_factory=lambda: Kept(_REQUESTS))
