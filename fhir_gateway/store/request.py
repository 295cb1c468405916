"""A request that was accepted, as it is read from the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from fhir_gateway.fhir.types import Resource
from fhir_gateway.store.seal import Sealer


class RequestState(StrEnum):
    """How far a request has come."""

    ACCEPTED = "accepted"
    TRACED = "traced"
    MAPPED = "mapped"
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    #: A person must look: the EPR refused it, or our own mapping is wrong.
    NEEDS_ATTENTION = "needs-attention"


@dataclass(frozen=True)
class Request:
    """A request. What is sealed in the database is opened when it is first asked for: no step
    needs all of it. Opening raises Defect when no key fits."""

    id: str
    reference: str
    service_slug: str
    questionnaire: str
    state: RequestState
    delivered_as: list[str]
    accepted_at: datetime
    updated_at: datetime
    _sealed: Mapping[str, bytes | None] = field(repr=False)
    _sealer: Sealer = field(repr=False)

    @cached_property
    def response(self) -> Resource:
        """What the patient answered."""
        return self._opened("response") or {}

    @cached_property
    def evidence(self) -> dict[str, Any]:
        """How it is known who wrote."""
        return self._opened("evidence") or {}

    @cached_property
    def identity(self) -> dict[str, Any] | None:
        """The outcome of the trace, once there is one."""
        return self._opened("identity")

    @cached_property
    def bundle(self) -> Resource | None:
        """What the EPR gets, once it is mapped."""
        return self._opened("bundle")

    @property
    def matched_number(self) -> str | None:
        """The NHS number of the patient to whom the trace matched the request."""
        identity = self.identity or {}
        number: str | None = identity.get("nhsNumber") if identity.get("matched") else None
        return number

    def _opened(self, name: str) -> dict[str, Any] | None:
        sealed = self._sealed[name]
        opened: dict[str, Any] | None = self._sealer.open(sealed) if sealed else None
        return opened

    @property
    def is_synthetic(self) -> bool:
        """Whether it is a check of the way to the EPR, about an invented patient."""
        return self.evidence.get("synthetic") is True
