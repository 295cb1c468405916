"""The port through which texts leave, whoever carries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fhir_gateway.errors import Refused


@dataclass(frozen=True, slots=True)
class SentText:
    """A text as its provider knows it. `status` is the provider's word."""

    id: str
    reference: str
    status: str


class TextSender(Protocol):
    """Sends texts. Errors: Refused (a definite no), TryLater (nothing was sent), OutcomeUnknown."""

    def send(self, *, to: str, text: str, reference: str) -> SentText:
        """Send `text` to `to` (E.164). `reference` names it for `find`; it is no idempotency key
        and must hold nothing personal."""

    def find(self, reference: str) -> SentText | None:
        """The newest text with this reference, or None."""


class NoSender:
    """What stands in while no text provider is configured: every text is refused."""

    def send(self, *, to: str, text: str, reference: str) -> SentText:
        """Refuse."""
        del to, text, reference
        raise Refused("No text provider is configured.", code="no-text-provider")

    def find(self, reference: str) -> SentText | None:
        """Nothing was ever sent."""
        del reference
        return None
