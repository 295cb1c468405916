"""What a form hands to the next one sealed, so that the page does not show it and nothing of it is
kept here."""

from __future__ import annotations

import base64
import binascii

from fhir_gateway.errors import GatewayError
from fhir_gateway.fhir.types import as_dict
from fhir_gateway.store.seal import Sealer


def sealed(sealer: Sealer, value: dict[str, str]) -> str:
    """A value for a hidden field."""
    return base64.urlsafe_b64encode(sealer.seal(value)).decode()


def unsealed(sealer: Sealer, text: str) -> dict[str, object]:
    """The value of a hidden field; nothing when it is not one of ours."""
    try:
        return as_dict(sealer.open(base64.urlsafe_b64decode(text.encode())))
    except (GatewayError, binascii.Error, ValueError):
        return {}
