"""Accepting: everything or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.delivery import accept as accepting
from fhir_gateway.delivery.accept import accept
from fhir_gateway.errors import Defect
from fhir_gateway.fhir.identifiers import REQUEST_ID
from fhir_gateway.journey.requests import Submission
from fhir_gateway.store import drafts, links, requests, visits
from fhir_gateway.store.drafts import Draft, DraftState, Progress
from fhir_gateway.store.requests import RequestState
from tests.delivery.conftest import QUESTIONNAIRE, World


@pytest.fixture
def draft(world: World) -> Draft:
    """A draft that is ready to be sent."""
    now = world.parts.clock()
    with world.gateway.database.transaction() as tx:
        link = links.add(tx, "t", "rheumatology", bound_to=None, expires_at=None, now=now)
        visit = visits.begin(tx, "c", now=now)
        draft_id = drafts.create(
            tx,
            visit_id=visit.id,
            link_id=link,
            service_slug="rheumatology",
            questionnaire=QUESTIONNAIRE,
            progress=Progress(response=world.response),
            now=now,
        )
        found = drafts.find(tx, draft_id, visit.id)
    assert found is not None
    return found


def submission(world: World) -> Submission:
    return Submission(world.response, {"verified": {}, "bound_to": None})


def waiting(world: World) -> list[Any]:
    with world.gateway.database.transaction() as tx:
        return list(requests.in_states(tx, tuple(RequestState)))


@pytest.mark.hazard("H01")
def test_request_closed_draft_and_workflow_are_one(world: World, draft: Draft) -> None:
    gateway = world.gateway
    with gateway.database.transaction() as tx:
        reference = accept(tx, gateway.engine, draft, submission(world), now=world.parts.clock())
    with gateway.database.transaction() as tx:
        kept = requests.by_reference(tx, reference)
        closed = drafts.find(tx, draft.id, draft.visit_id)
    assert kept is not None
    assert kept.response["identifier"] == {"system": REQUEST_ID, "value": kept.id}
    assert closed is not None
    assert closed.state is DraftState.SUBMITTED
    assert engine_has(world, kept.id)


@pytest.mark.hazard("H01")
def test_a_failure_at_the_end_leaves_nothing_behind_and_the_draft_open(
    world: World, draft: Draft
) -> None:
    gateway = world.gateway
    made: list[str] = []

    def fail_before_the_commit() -> None:
        with gateway.database.transaction() as tx:
            accept(tx, gateway.engine, draft, submission(world), now=world.parts.clock())
            made.extend(r.id for r in requests.in_states(tx, (RequestState.ACCEPTED,)))
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail_before_the_commit()
    assert len(made) == 1
    assert waiting(world) == []
    assert not engine_has(world, made[0])
    with gateway.database.transaction() as tx:
        still = drafts.find(tx, draft.id, draft.visit_id)
    assert still is not None
    assert still.state is DraftState.OPEN


def test_a_reference_is_never_given_twice(
    world: World, draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.accepted()
    (taken,) = waiting(world)
    monkeypatch.setattr(accepting.tokens, "reference", lambda: taken.reference)

    def accept_it() -> None:
        with world.gateway.database.transaction() as tx:
            accept(tx, world.gateway.engine, draft, submission(world), now=world.parts.clock())

    with pytest.raises(Defect) as raised:
        accept_it()
    assert raised.value.code == "references-exhausted"


def engine_has(world: World, request_id: str) -> bool:
    """Whether the engine's own tables have work for a request."""
    from sqlalchemy import text

    database = world.gateway.database
    table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
    with database.engine.connect() as connection:
        query = text(f"SELECT count(*) FROM {table} WHERE workflow_uuid = :id")
        return bool(connection.execute(query, {"id": request_id}).scalar_one())
