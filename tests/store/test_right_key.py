"""A database whose key is not at hand takes nothing in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fhir_gateway.errors import Refused
from fhir_gateway.store.database import Database, Transaction
from fhir_gateway.store.right_key import check_key
from fhir_gateway.store.seal import Sealer


def test_an_empty_database_has_no_key_yet(tx: Transaction) -> None:
    check_key(tx)


def test_the_key_that_sealed_the_newest_request_must_be_at_hand(
    database: Database, tx: Transaction, accepted: Callable[..., str]
) -> None:
    accepted()
    check_key(tx)
    tx.session.commit()
    other = Database(database.url, Sealer([b"o" * 32]))
    with other.reading() as elsewhere, pytest.raises(Refused, match="Put that key back"):
        check_key(elsewhere)
    other.close()
