from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import text

from fhir_gateway.store import operator_traces
from fhir_gateway.store.database import Database

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ASKED = {"reason": "patient on the phone", "patient": {"name": [{"family": "Zzyzx"}]}}


def test_a_trace_is_there_before_it_is_made_and_says_how_it_ended(either: Database) -> None:
    with either.transaction() as tx:
        own = operator_traces.begin(tx, operator="ada", ods_code="Y90001", asked=ASKED, now=NOW)
    with either.transaction() as tx:
        [kept] = operator_traces.newest(tx, 10)
    assert (kept.operator, kept.outcome, kept.asked, kept.at) == ("ada", "asked", ASKED, NOW)
    with either.transaction() as tx:
        operator_traces.end(tx, own, outcome="not-found", calls=3)
        [kept] = operator_traces.newest(tx, 10)
    assert (kept.outcome, kept.calls) == ("not-found", 3)


def test_who_was_traced_is_sealed(either: Database) -> None:
    with either.transaction() as tx:
        operator_traces.begin(tx, operator="ada", ods_code="Y90001", asked=ASKED, now=NOW)
        rows = tx.session.execute(text("SELECT * FROM operator_trace")).all()
    assert "Zzyzx" not in repr(rows)
    assert "phone" not in repr(rows)
