"""Text messages: one row for each reference, without number and words."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import inspect

from fhir_gateway.store import texts
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.texts import TextState
from tests.store.conftest import NOW


def test_an_intent_says_when_it_left_and_how_it_ended(tx: Transaction) -> None:
    assert texts.hold(tx, "r:confirmation") is None
    texts.intend(tx, "r:confirmation", "confirmation", now=NOW)
    first = texts.hold(tx, "r:confirmation")
    assert first is not None
    assert (first.state, first.provider_id, first.sent_at) == (TextState.INTENDED, None, NOW)
    later = NOW + timedelta(minutes=1)
    texts.intend(tx, "r:confirmation", "confirmation", now=later)
    again = texts.hold(tx, "r:confirmation")
    assert again is not None
    assert again.sent_at == later
    texts.settle(tx, "r:confirmation", TextState.SENT, "notify-id")
    sent = texts.hold(tx, "r:confirmation")
    assert sent is not None
    assert (sent.kind, sent.state, sent.provider_id) == (
        "confirmation",
        TextState.SENT,
        "notify-id",
    )
    assert texts.states(tx) == {("confirmation", "sent"): 1}


def test_the_table_has_no_place_for_a_number_or_words(tx: Transaction) -> None:
    columns = {c["name"] for c in inspect(tx.session.connection()).get_columns("text_message")}
    times = {"created_at", "sent_at", "receipt_at"}
    assert columns == {"id", "reference", "kind", "state", "provider_id", "receipt", *times}
