from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from fhir_gateway.delivery.progress import StoredProgress
from fhir_gateway.epr.adapter import Delivered, Landed
from fhir_gateway.store import requests, services
from fhir_gateway.store.database import Database

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LANDED = Landed("ServiceRequest/1", "2")


@pytest.fixture
def request_id(either: Database) -> str:
    """An accepted request."""
    made = str(uuid.uuid4())
    with either.transaction() as tx:
        services.save(tx, "clinic", {"resourceType": "Bundle"}, now=NOW)
    with either.transaction() as tx:
        requests.add(
            tx,
            request_id=made,
            reference=made[:8],
            draft_id=None,
            service_slug="clinic",
            questionnaire="q",
            response={},
            evidence={},
            now=NOW,
        )
    return made


def test_what_arrived_is_known_to_another_process(either: Database, request_id: str) -> None:
    StoredProgress(either).intend(request_id, "urn:uuid:1")
    StoredProgress(either).intend(request_id, "urn:uuid:1")
    assert StoredProgress(either).load(request_id) == {"urn:uuid:1": None}
    StoredProgress(either).keep(request_id, "urn:uuid:1", LANDED)
    StoredProgress(either).keep(request_id, "urn:uuid:2", LANDED)
    assert StoredProgress(either).load(request_id) == {"urn:uuid:1": LANDED, "urn:uuid:2": LANDED}


def test_only_what_has_not_arrived_is_withdrawn(either: Database, request_id: str) -> None:
    progress = StoredProgress(either)
    progress.intend(request_id, "urn:uuid:1")
    progress.withdraw(request_id, "urn:uuid:1")
    assert progress.load(request_id) == {}
    progress.keep(request_id, "urn:uuid:1", LANDED)
    progress.withdraw(request_id, "urn:uuid:1")
    assert progress.load(request_id) == {"urn:uuid:1": LANDED}


def test_what_the_epr_answered_is_kept_sealed(either: Database, request_id: str) -> None:
    delivered = Delivered((LANDED,), ("warning processing: says something of Adaeze",))
    with either.transaction() as tx:
        assert requests.epr_answer(tx, request_id) is None
        requests.save_delivered_as(tx, request_id, delivered.references, delivered.as_stored())
    with either.transaction() as tx:
        assert requests.epr_answer(tx, request_id) == delivered.as_stored()
        found = requests.find(tx, request_id)
        raw = tx.session.connection().exec_driver_sql("SELECT epr_answer_sealed FROM request")
        assert b"Adaeze" not in bytes(raw.scalar_one())
    assert found is not None
    assert found.delivered_as == ["ServiceRequest/1"]
