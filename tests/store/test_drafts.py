"""Requests that are being made."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from fhir_gateway.store import drafts, visits
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.drafts import Draft, DraftState
from tests.store.conftest import NOW


def found(tx: Transaction, draft: str, visit_id: str, *, lock: bool = False) -> Draft:
    kept = drafts.find(tx, draft, visit_id, lock=lock)
    assert kept is not None
    return kept


def raw(tx: Transaction, draft: str) -> bytes | None:
    query = text("SELECT progress_sealed FROM draft WHERE id = :id")
    kept = tx.session.execute(query, {"id": draft}).scalar_one()
    return bytes(kept) if kept is not None else None


@pytest.mark.parametrize("lock", [False, True])
def test_a_draft_is_what_was_kept(tx: Transaction, draft: str, visit_id: str, lock: bool) -> None:
    kept = found(tx, draft, visit_id, lock=lock)
    assert kept.state is DraftState.OPEN
    assert kept.progress.response == {"resourceType": "QuestionnaireResponse"}
    assert (kept.progress.visited, kept.progress.verified, kept.progress.link_token) == ([], {}, "")
    assert kept.unlock_tries == 0


def test_another_visit_does_not_see_it(tx: Transaction, draft: str) -> None:
    other = visits.begin(tx, "another-cookie", now=NOW)
    assert drafts.find(tx, draft, other.id) is None
    assert drafts.newest_open(tx, other.id) is None


def test_progress_is_kept_and_sealed(tx: Transaction, draft: str, visit_id: str) -> None:
    kept = found(tx, draft, visit_id)
    kept.progress.response["item"] = [{"linkId": "a", "text": "Canary"}]
    kept.progress.visited.append("page")
    kept.progress.verified["+447700900123"] = NOW.isoformat()
    drafts.save(tx, kept, now=NOW)
    assert found(tx, draft, visit_id).progress == kept.progress
    sealed = raw(tx, draft)
    assert sealed is not None
    assert b"Canary" not in sealed
    assert b"7700900123" not in sealed


@pytest.mark.hazard("H02")
def test_a_draft_that_was_sent_cannot_change(tx: Transaction, draft: str, visit_id: str) -> None:
    kept = found(tx, draft, visit_id)
    drafts.close(tx, draft, DraftState.SUBMITTED, now=NOW)
    kept.progress.response = {"resourceType": "QuestionnaireResponse", "id": "late"}
    drafts.save(tx, kept, now=NOW)
    tx.session.expire_all()
    after = found(tx, draft, visit_id)
    assert after.state is DraftState.SUBMITTED
    assert after.progress.response == {}


def test_what_was_typed_is_gone_when_a_draft_ends(
    tx: Transaction, draft: str, visit_id: str
) -> None:
    drafts.close(tx, draft, DraftState.DISCARDED, now=NOW)
    assert raw(tx, draft) is None
    assert drafts.newest_open(tx, visit_id) is None


def test_the_newest_open_draft_is_the_one_touched_last(
    tx: Transaction, draft: str, visit_id: str
) -> None:
    first = found(tx, draft, visit_id)
    second = drafts.create(
        tx,
        visit_id=visit_id,
        link_id=first.link_id,
        service_slug="rheumatology",
        questionnaire=first.questionnaire,
        progress=first.progress,
        now=NOW + timedelta(minutes=1),
    )
    assert drafts.newest_open(tx, visit_id) == second
    drafts.save(tx, first, now=NOW + timedelta(minutes=2))
    assert drafts.newest_open(tx, visit_id) == draft


def test_wrong_tries_to_unlock_are_counted(tx: Transaction, draft: str) -> None:
    assert [drafts.count_unlock_try(tx, draft) for _ in range(3)] == [1, 2, 3]


def test_drafts_that_nobody_touched_are_emptied(tx: Transaction, draft: str, visit_id: str) -> None:
    assert drafts.close_idle(tx, NOW, now=NOW) == 0
    assert drafts.close_idle(tx, NOW + timedelta(seconds=1), now=NOW) == 1
    assert raw(tx, draft) is None
    assert drafts.close_idle(tx, NOW + timedelta(days=1), now=NOW) == 0
    tx.session.expire_all()
    assert found(tx, draft, visit_id).state is DraftState.DISCARDED
