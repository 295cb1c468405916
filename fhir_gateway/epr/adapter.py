"""The port through which a request reaches its EPR, whatever that EPR can take.

`send` sends once; `find` looks whether an earlier send arrived. Who calls them (delivery/send.py)
keeps the intents and the waiting; errors are of the one tree in errors.py and say what may be done:
TryLater (nothing was done), Refused (final), OutcomeUnknown (look before sending again), Defect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from fhir_gateway.epr.fence import Guard
from fhir_gateway.fhir.types import Resource
from fhir_gateway.provider.endpoint import RepeatMode


@dataclass(frozen=True, slots=True)
class Landed:
    """A resource as the EPR has it: `Type/id`, and its versionId ("" when it named none)."""

    reference: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a request became in the EPR, in the order of its Bundle as far as the EPR says.

    `warnings`: what the EPR had to say about it, each `severity code: text`. They can quote what a
    patient wrote, so they are kept sealed and never logged.
    """

    resources: tuple[Landed, ...]
    warnings: tuple[str, ...] = ()

    @property
    def references(self) -> list[str]:
        """`Type/id` of each."""
        return [landed.reference for landed in self.resources]

    def as_stored(self) -> dict[str, Any]:
        """As JSON, to be kept with the request."""
        return {
            "resources": [
                {"reference": landed.reference, "version": landed.version}
                for landed in self.resources
            ],
            "warnings": list(self.warnings),
        }


class EprAdapter(Protocol):
    """One service's way into its EPR. Safe to be used by several threads."""

    @property
    def mode(self) -> RepeatMode:
        """What makes a second send safe."""

    def find(self, bundle: Resource, request_id: str) -> Delivered | None:
        """Whether and as what an earlier `send` of this Bundle arrived whole; None: it did not.

        Raises TryLater and Refused (it could not be told now, or ever, without a change), and
        OutcomeUnknown when this EPR has no way to look: then a person must.
        """

    def send(self, bundle: Resource, request_id: str, guard: Guard) -> Delivered:
        """Send once; what the EPR called the resources.

        `guard`: called before each POST and PUT; what it gives is called before its last byte
        (fence.FencedBody does).

        `bundle`: as mapped, a `transaction`, `message` or `document` Bundle; an adapter sends what
        its strategy can of it. Raises Refused, TryLater, OutcomeUnknown, Defect. A strategy that
        sends one by one keeps what arrived (progress.py) and goes on from there when called again.
        """
