"""Requests that were accepted: they move forward only, and every move is recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from fhir_gateway.store import requests
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.requests import RequestState
from tests.store.conftest import NOW

Accepted = Callable[..., str]
FORWARD = (
    RequestState.TRACED,
    RequestState.MAPPED,
    RequestState.DELIVERED,
    RequestState.CONFIRMED,
)


def state(tx: Transaction, request_id: str) -> RequestState:
    tx.session.expire_all()
    found = requests.find(tx, request_id)
    assert found is not None
    return found.state


def test_a_request_is_what_was_accepted(tx: Transaction, accepted: Accepted) -> None:
    request_id = accepted()
    found = requests.find(tx, request_id)
    assert found is not None
    assert found == requests.by_reference(tx, "AAAA-0001")
    assert found.response["status"] == "completed"
    assert found.evidence == {"verified": {}}
    assert (found.identity, found.bundle, found.delivered_as) == (None, None, [])
    assert found.accepted_at == NOW


def test_what_is_not_there_is_nothing(tx: Transaction) -> None:
    assert requests.find(tx, "nonsense") is None
    assert requests.by_reference(tx, "nonsense") is None
    assert requests.by_draft(tx, "nonsense") is None
    assert not requests.reference_exists(tx, "nonsense")


@pytest.mark.hazard("H02")
def test_a_draft_becomes_one_request(tx: Transaction, accepted: Accepted) -> None:
    request_id = accepted(1, draft_id="a-draft")
    kept = requests.by_draft(tx, "a-draft")
    assert kept is not None
    assert kept.id == request_id
    with pytest.raises(IntegrityError), tx.session.begin_nested():
        accepted(2, draft_id="a-draft")
    assert requests.reference_exists(tx, "AAAA-0001")
    assert not requests.reference_exists(tx, "AAAA-0002")


def test_a_request_moves_through_all_states_and_each_move_is_recorded(
    tx: Transaction, accepted: Accepted
) -> None:
    request_id = accepted()
    for minutes, to in enumerate(FORWARD, 1):
        at = NOW + timedelta(minutes=minutes)
        assert requests.move(tx, request_id, to, now=at, detail=f"step {minutes}")
        assert state(tx, request_id) is to
    events = requests.events(tx, request_id)
    assert [event.state for event in events] == ["accepted", *FORWARD]
    assert [event.detail for event in events] == ["", "step 1", "step 2", "step 3", "step 4"]
    assert events[-1].at == NOW + timedelta(minutes=4)


@pytest.mark.hazard("H02")
@pytest.mark.parametrize("to", FORWARD)
def test_a_move_happens_once(tx: Transaction, accepted: Accepted, to: RequestState) -> None:
    request_id = accepted()
    for step in FORWARD[: FORWARD.index(to) + 1]:
        requests.move(tx, request_id, step, now=NOW)
    assert requests.move(tx, request_id, to, now=NOW) is False
    assert len(requests.events(tx, request_id)) == FORWARD.index(to) + 2


@pytest.mark.parametrize("to", FORWARD[1:])
def test_no_state_is_jumped(tx: Transaction, accepted: Accepted, to: RequestState) -> None:
    request_id = accepted()
    assert requests.move(tx, request_id, to, now=NOW) is False
    assert state(tx, request_id) is RequestState.ACCEPTED


@pytest.mark.parametrize("to", [RequestState.DELIVERED, RequestState.CONFIRMED])
def test_what_was_delivered_needs_no_attention_any_more(
    tx: Transaction, accepted: Accepted, to: RequestState
) -> None:
    request_id = accepted()
    for step in FORWARD[: FORWARD.index(to) + 1]:
        requests.move(tx, request_id, step, now=NOW)
    assert requests.move(tx, request_id, RequestState.NEEDS_ATTENTION, now=NOW) is False
    assert state(tx, request_id) is to


def fill(tx: Transaction, request_id: str, *, identity: bool, bundle: bool) -> None:
    if identity:
        requests.save_identity(tx, request_id, {"level": "none"})
    if bundle:
        requests.save_bundle(tx, request_id, {"resourceType": "Bundle"})
    requests.move(tx, request_id, RequestState.NEEDS_ATTENTION, now=NOW, detail="epr-422")
    tx.session.expire_all()


@pytest.mark.parametrize(
    ("identity", "bundle", "remap", "goes_on"),
    [
        (False, False, False, RequestState.ACCEPTED),
        (False, False, True, RequestState.ACCEPTED),
        (True, False, False, RequestState.TRACED),
        (True, True, False, RequestState.MAPPED),
        (True, True, True, RequestState.TRACED),
    ],
)
def test_a_reopened_request_goes_on_where_it_stopped(
    tx: Transaction,
    accepted: Accepted,
    identity: bool,
    bundle: bool,
    remap: bool,
    goes_on: RequestState,
) -> None:
    request_id = accepted()
    fill(tx, request_id, identity=identity, bundle=bundle)
    assert requests.reopen(tx, request_id, remap=remap, now=NOW)
    assert state(tx, request_id) is goes_on
    last = requests.events(tx, request_id)[-1]
    assert (last.state, last.detail) == ("reopened", f"goes on as {goes_on}")


def test_only_what_needs_attention_is_reopened(tx: Transaction, accepted: Accepted) -> None:
    assert requests.reopen(tx, accepted(), remap=False, now=NOW) is False
    assert requests.reopen(tx, "nonsense", remap=False, now=NOW) is False


def test_what_is_learned_on_the_way_is_kept(tx: Transaction, accepted: Accepted) -> None:
    request_id = accepted()
    requests.save_identity(tx, request_id, {"level": "verified", "nhsNumber": "9990001006"})
    requests.save_bundle(tx, request_id, {"resourceType": "Bundle", "type": "transaction"})
    requests.save_delivered_as(tx, request_id, ["Task/1", "Patient/2"])
    tx.session.expire_all()
    found = requests.find(tx, request_id)
    assert found is not None
    assert found.identity == {"level": "verified", "nhsNumber": "9990001006"}
    assert found.bundle == {"resourceType": "Bundle", "type": "transaction"}
    assert found.delivered_as == ["Task/1", "Patient/2"]
    rows = tx.session.execute(text("SELECT identity_sealed, bundle_sealed FROM request")).one()
    assert b"9990001006" not in b"".join(bytes(row) for row in rows)


def test_notes_move_nothing(tx: Transaction, accepted: Accepted) -> None:
    request_id = accepted()
    requests.note(tx, request_id, "send-delayed", now=NOW, detail="epr-silent " + "x" * 900)
    assert state(tx, request_id) is RequestState.ACCEPTED
    last = requests.events(tx, request_id)[-1]
    assert last.state == "send-delayed"
    assert len(last.detail) == 400


def test_requests_are_listed_by_state_and_age_oldest_first(
    tx: Transaction, accepted: Accepted
) -> None:
    young = accepted(1, at=NOW)
    old = accepted(2, at=NOW - timedelta(hours=1))
    moved = accepted(3, at=NOW - timedelta(hours=2))
    requests.move(tx, moved, RequestState.TRACED, now=NOW)
    waiting = (RequestState.ACCEPTED,)
    assert [r.id for r in requests.in_states(tx, waiting)] == [old, young]
    assert [r.id for r in requests.in_states(tx, waiting, limit=1)] == [old]
    before = NOW - timedelta(minutes=1)
    assert [r.id for r in requests.in_states(tx, waiting, updated_before=before)] == [old]
    both = (*waiting, RequestState.TRACED)
    assert [r.id for r in requests.in_states(tx, both)] == [moved, old, young]
