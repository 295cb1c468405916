"""What arrived in the sandbox EPR, read over FHIR REST as an integrator would."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from fhir_gateway.fhir.identifiers import NHS_NUMBER, REFERENCE, REQUEST_ID, token

_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Arrived:
    """One request in the EPR."""

    task: dict[str, Any]
    focus: dict[str, Any]
    patient: dict[str, Any]
    response: dict[str, Any]
    related: list[dict[str, Any]]
    provenance: list[dict[str, Any]]

    @property
    def match(self) -> str:
        """`matched` or `unmatched`."""
        return str(self.task["businessStatus"]["coding"][0]["code"])

    @property
    def nhs_numbers(self) -> list[str]:
        """The NHS numbers of its Patient."""
        return [i["value"] for i in self.patient.get("identifier", []) if i["system"] == NHS_NUMBER]

    def everything(self) -> list[dict[str, Any]]:
        """All its resources."""
        return [
            self.task,
            self.focus,
            self.patient,
            self.response,
            *self.related,
            *self.provenance,
        ]


class Records:
    """The sandbox EPR's FHIR server."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._base = addresses["epr"]

    def arrived(self, reference: str) -> Arrived:
        """The request with this reference; waits for it."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (tasks := self.search("Task", identifier=token(REFERENCE, reference))):
            assert time.monotonic() < deadline, f"{reference} did not arrive"
            time.sleep(0.2)
        assert len(tasks) == 1
        task = tasks[0]
        request = next(i["value"] for i in task["identifier"] if i["system"] == REQUEST_ID)
        focus = self.read(task["focus"]["reference"])
        return Arrived(
            task=task,
            focus=focus,
            patient=self.read(task["for"]["reference"]),
            response=self.read(task["reasonReference"]["reference"]),
            related=self.search("RelatedPerson", identifier=token(REQUEST_ID, request)),
            provenance=self.search("Provenance", target=task["for"]["reference"]),
        )

    def search(self, resource_type: str, **params: str) -> list[dict[str, Any]]:
        """The resources that a search finds."""
        answer = httpx.get(f"{self._base}/{resource_type}", params=params).raise_for_status()
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    def read(self, reference: str) -> dict[str, Any]:
        """One resource."""
        resource: dict[str, Any] = httpx.get(f"{self._base}/{reference}").raise_for_status().json()
        return resource

    def count(self, resource_type: str) -> int:
        """How many there are of a type."""
        answer = httpx.get(f"{self._base}/{resource_type}", params={"_count": "1"})
        return int(answer.raise_for_status().json()["total"])
