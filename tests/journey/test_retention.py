"""What was typed and never sent does not stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fhir_gateway.journey import retention, sessions
from fhir_gateway.store import drafts, links, services, visits
from fhir_gateway.store.database import Database
from fhir_gateway.store.drafts import DraftState, Progress

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def test_a_draft_is_emptied_when_its_session_must_be_over_and_not_before(either: Database) -> None:
    with either.transaction() as tx:
        services.save(tx, "rheumatology", {"resourceType": "Bundle"}, now=NOW)
        tx.session.flush()
        link = links.add(tx, "a-token", "rheumatology", bound_to=None, expires_at=None, now=NOW)
        visit = visits.begin(tx, "a-cookie", now=NOW)
        draft = drafts.create(
            tx,
            visit_id=visit.id,
            link_id=link,
            service_slug="rheumatology",
            questionnaire="https://example.org/Questionnaire/q|1",
            progress=Progress(response={"resourceType": "QuestionnaireResponse", "item": [{}]}),
            now=NOW,
        )
        tx.session.flush()
        assert retention.forget_left_drafts(tx, now=NOW + sessions.ABSOLUTE) == 0
        later = NOW + sessions.ABSOLUTE + timedelta(seconds=1)
        assert retention.forget_left_drafts(tx, now=later) == 1
        found = drafts.find(tx, draft, visit.id)
        assert found is not None
        assert found.state is DraftState.DISCARDED
        assert "item" not in found.progress.response
