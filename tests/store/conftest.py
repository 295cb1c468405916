"""A migrated database of each kind, emptied before every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from fhir_gateway.store import drafts, links, requests, services, visits
from fhir_gateway.store.database import Database, Transaction
from fhir_gateway.store.drafts import Progress
from tests.databases import KINDS, emptied, fresh_database, migrated

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session", params=KINDS)
def kept_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """One database for all tests of a kind."""
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgresql"))
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"
    database = migrated(url)
    yield database
    database.close()


@pytest.fixture
def database(kept_database: Database) -> Database:
    """An empty database with its tables."""
    emptied(kept_database)
    return kept_database


@pytest.fixture
def tx(database: Database) -> Iterator[Transaction]:
    """An open transaction with the service `rheumatology`."""
    with database.transaction() as opened:
        services.save(opened, "rheumatology", {"resourceType": "Bundle"}, now=NOW)
        opened.session.flush()
        yield opened


@pytest.fixture
def draft(tx: Transaction) -> str:
    """The id of an open draft; its visit is `visit_of(tx, draft)`."""
    link_id = links.add(tx, "a-token", "rheumatology", bound_to=None, expires_at=None, now=NOW)
    visit = visits.begin(tx, "a-cookie", now=NOW)
    return drafts.create(
        tx,
        visit_id=visit.id,
        link_id=link_id,
        service_slug="rheumatology",
        questionnaire="https://example.org/Questionnaire/q|1",
        progress=Progress(response={"resourceType": "QuestionnaireResponse"}),
        now=NOW,
    )


@pytest.fixture
def visit_id(tx: Transaction, draft: str) -> str:
    """The visit that the draft belongs to."""
    visit = visits.find(tx, "a-cookie")
    assert visit is not None
    return visit.id


@pytest.fixture
def accepted(tx: Transaction) -> Callable[..., str]:
    """Keeps an accepted request and gives its id."""

    def make(number: int = 1, *, at: datetime = NOW, draft_id: str | None = None) -> str:
        request_id = f"00000000-0000-4000-8000-{number:012}"
        requests.add(
            tx,
            request_id=request_id,
            reference=f"AAAA-{number:04}",
            draft_id=draft_id,
            service_slug="rheumatology",
            questionnaire="https://example.org/Questionnaire/q|1",
            response={"resourceType": "QuestionnaireResponse", "status": "completed"},
            evidence={"verified": {}},
            now=at,
        )
        return request_id

    return make
