"""Services that were imported."""

from __future__ import annotations

from decimal import Decimal

from fhir_gateway.store import services
from fhir_gateway.store.database import Transaction
from tests.store.conftest import NOW


def test_a_service_is_added_and_then_replaced(tx: Transaction) -> None:
    first = {"resourceType": "Bundle", "id": "1", "number": Decimal("1.50")}
    assert services.save(tx, "cardiology", first, now=NOW)
    tx.session.flush()
    assert services.find(tx, "cardiology") == first
    assert not services.save(tx, "cardiology", {"resourceType": "Bundle", "id": "2"}, now=NOW)
    assert services.find(tx, "cardiology") == {"resourceType": "Bundle", "id": "2"}


def test_services_are_listed_by_name(tx: Transaction) -> None:
    services.save(tx, "cardiology", {"resourceType": "Bundle"}, now=NOW)
    tx.session.flush()
    assert services.slugs(tx) == ["cardiology", "rheumatology"]
    assert services.find(tx, "dermatology") is None
