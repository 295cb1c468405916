"""The port through which texts leave, whoever carries them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from fhir_gateway.errors import Refused


class TextStatus(StrEnum):
    """What became of a text, in words that fit every provider.

    UNDER_WAY: taken, nothing final known yet. UNREACHABLE: the network could not deliver it (phone
    off for days, or no such number). NOT_SENT: the provider failed; it never left.
    """

    UNDER_WAY = "under-way"
    DELIVERED = "delivered"
    UNREACHABLE = "unreachable"
    NOT_SENT = "not-sent"


@dataclass(frozen=True, slots=True)
class SentText:
    """A text as its provider knows it. `id`: the provider's; `reference`: ours."""

    id: str
    reference: str
    status: TextStatus


class TextSender(Protocol):
    """Sends texts."""

    def send(
        self, *, to: str, text: str, reference: str, nhs_number: str | None = None
    ) -> SentText:
        """Send `text` to `to` (E.164).

        `nhs_number`: of the patient, only when the text is for a patient who was matched and wrote
        themselves; a provider may then send by that.

        `reference` names it for `find`. It is no idempotency key, and must hold nothing personal.
        Raises Refused (a definite no), TryLater (nothing was sent), OutcomeUnknown (look with
        `find` before sending again).
        """

    def find(self, reference: str) -> SentText | None:
        """The newest text with this reference that left, or None when none did.

        Raises Refused, TryLater (it could not be told now).
        """

    def close(self) -> None:
        """Close connections."""


class NoSender:
    """What stands in while no text provider is configured: every text is refused."""

    def send(
        self, *, to: str, text: str, reference: str, nhs_number: str | None = None
    ) -> SentText:
        """Refuse."""
        del to, text, reference, nhs_number
        raise Refused("No text provider is configured.", code="no-text-provider")

    def find(self, reference: str) -> SentText | None:
        """Nothing was ever sent."""
        del reference
        return None

    def close(self) -> None:
        """There is nothing to close."""
