"""The fault of an EPR that asks for tokens and does not look at them."""

from __future__ import annotations

import secrets

from fhir_gateway.sandbox.epr.injected.exchange import Answered, Proceed, Sent
from fhir_gateway.sandbox.epr.injected.known import always

_UNAUTHORISED = 401
#: A token that the sandbox always takes, known to this process alone.
OWN_TOKEN = secrets.token_urlsafe(24)


async def without_token(sent: Sent, proceed: Proceed) -> Answered:
    """Whoever is turned away is let in."""
    answered = await proceed(sent)
    if answered.status != _UNAUTHORISED:
        return answered
    return await proceed(sent.with_header("authorization", f"Bearer {OWN_TOKEN}"))


FAULTS = (
    always(
        "accepts-without-token",
        "Answers those who bring no token, or a wrong one.",
        without_token,
    ),
)
