"""Whether the secret key at hand is the one that the data was sealed with.

After a restore without its key a new key would be made, and what patients send would be sealed with
that; once the old key is put back, it could never be read again.
"""

from __future__ import annotations

from sqlalchemy import select

from fhir_gateway.errors import Defect, Refused
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import RequestState
from fhir_gateway.store.tables import RequestEventRow, RequestRow


def check_key(tx: Transaction) -> None:
    """Raises Refused when the newest request was sealed with a key that is not at hand."""
    newest = (
        select(RequestEventRow.request_id)
        .where(RequestEventRow.state == RequestState.ACCEPTED)
        .order_by(RequestEventRow.id.desc())
        .limit(1)
    )
    request_id = tx.session.scalar(newest)
    row = tx.session.get(RequestRow, request_id) if request_id else None
    if row is None:
        return
    try:
        tx.sealer.open(row.evidence_sealed)
    except Defect:
        raise Refused(
            "The data in the database was sealed with another secret key. Put that key back: into "
            "secret_keys, or as secret.key into data_dir.",
            code="wrong-key",
        ) from None
