"""EPRs that say yes and show nothing.

An answer of success that names nothing, and then a search that finds nothing: the request may be
there where no search looks, or it was thrown away. Sending it again and again makes one request a
minute of one; so after a few times a person must look (docs/decisions/0026).
"""

from __future__ import annotations

from fhir_gateway.store import requests
from fhir_gateway.store.database import Transaction

#: An answer of success that does not say what became of the request.
CLAIMED = frozenset({"epr-no-response", "epr-no-location", "epr-contradicts", "epr-reply"})
#: So often a request is sent to an EPR that claims to have it and does not show it.
MOST = 3


def exhausted(tx: Transaction, request_id: str) -> bool:
    """Whether the EPR claimed a request so often, since a person decided about it last."""
    claims = 0
    for event in requests.events(tx, request_id):
        if event.state == requests.REOPENED:
            claims = 0
        elif event.state == requests.SEND_DELAYED and event.detail in CLAIMED:
            claims += 1
    return claims >= MOST
