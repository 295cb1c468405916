"""/health and /metrics: for operators, from the same rows as everything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_gateway.delivery.timing import Timing
from fhir_gateway.ops import create_ops_app
from fhir_gateway.store import gates, requests, services
from fhir_gateway.store.database import Database
from fhir_gateway.store.seal import Sealer
from tests.serving import serve

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    opened = Database(f"sqlite:///{tmp_path / 'gateway.db'}", Sealer([b"k" * 40]))
    opened.migrate()
    with opened.transaction() as tx:
        services.save(tx, "rheumatology", {"resourceType": "Bundle"}, now=NOW)
    with opened.transaction() as tx:
        requests.add(
            tx,
            request_id="11111111-0000-4000-8000-000000000000",
            reference="AAAA-BBBB",
            draft_id=None,
            service_slug="rheumatology",
            questionnaire="https://example.org/q",
            response={"item": [{"answer": [{"valueString": "Swollen hands"}]}]},
            evidence={},
            now=NOW - timedelta(minutes=20),
        )
        gates.pause(tx, "epr:https://epr.example.nhs.uk", "ann: works", now=NOW)
    return opened


def ask(
    database: Database, path: str, *, token: str | None = None, given: str = "", host: str = "::1"
) -> httpx.Response:
    """What a process answers to one that asks from `host`."""
    app = create_ops_app(database, Timing(), lambda: NOW, token)
    headers = {"Authorization": given} if given else {}
    with serve(_From(app, host)) as address:
        return httpx.get(f"{address}{path}", headers=headers)


class _From:
    """Lets requests over a real socket come from another address."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app, self._host = app, host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope | {"client": (self._host, 1)}, receive, send)


def test_health_fails_while_a_request_waits_too_long(database: Database) -> None:
    answer = ask(database, "/health")
    assert answer.status_code == 503
    found = answer.json()
    assert found["services"][0]["oldest_undelivered_seconds"] == 1200
    assert found["held"] == {"epr:https://epr.example.nhs.uk": "paused by ann: works"}
    database.close()


def test_metrics_tell_ages_and_states_and_nothing_of_patients(database: Database) -> None:
    text = ask(database, "/metrics").text
    assert 'fhir_gateway_oldest_undelivered_seconds{service="rheumatology"} 1200.0' in text
    assert 'fhir_gateway_requests{service="rheumatology",state="accepted"} 1.0' in text
    assert 'fhir_gateway_paused{neighbour="epr:https://epr.example.nhs.uk"} 1.0' in text
    assert "Swollen" not in text
    assert "AAAA" not in text
    database.close()


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_only_who_may_gets_an_answer(database: Database, path: str) -> None:
    assert ask(database, path, host="203.0.113.7").status_code == 401
    assert ask(database, path, token="s", host="::1").status_code == 401
    assert ask(database, path, token="s", given="Bearer x").status_code == 401
    answer = ask(database, path, token="s", given="Bearer s", host="203.0.113.7")
    assert answer.status_code in (200, 503)
    database.close()
