"""Text messages: one row for each reference, without number and words."""

from __future__ import annotations

from sqlalchemy import inspect

from fhir_gateway.store import texts
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.texts import TextState
from tests.store.conftest import NOW


def test_the_intent_to_send_is_recorded_once(tx: Transaction) -> None:
    first = texts.intend(tx, "r:confirmation", "confirmation", now=NOW)
    assert first.state is TextState.INTENDED
    assert first.provider_id is None
    texts.settle(tx, "r:confirmation", TextState.SENT, "notify-id")
    tx.session.expire_all()
    again = texts.intend(tx, "r:confirmation", "confirmation", now=NOW)
    assert (again.state, again.provider_id) == (TextState.SENT, "notify-id")


def test_a_text_is_found_by_its_reference(tx: Transaction) -> None:
    assert texts.find(tx, "r:confirmation") is None
    texts.intend(tx, "r:confirmation", "confirmation", now=NOW)
    texts.settle(tx, "r:confirmation", TextState.FAILED)
    tx.session.expire_all()
    found = texts.find(tx, "r:confirmation")
    assert found is not None
    assert (found.kind, found.state) == ("confirmation", TextState.FAILED)


def test_the_table_has_no_place_for_a_number_or_words(tx: Transaction) -> None:
    columns = {c["name"] for c in inspect(tx.session.connection()).get_columns("text_message")}
    known = "id reference kind state provider_id receipt receipt_at created_at".split()
    assert columns == set(known)
