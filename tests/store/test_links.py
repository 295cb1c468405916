"""Links that were given out."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from fhir_gateway.store import links
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.links import BoundPatient
from tests.store.conftest import NOW

PATIENT = BoundPatient("9990001006", "+447700900101")


def test_a_link_is_found_by_its_token_and_by_its_id(tx: Transaction) -> None:
    link_id = links.add(tx, "tok", "rheumatology", bound_to=None, expires_at=None, now=NOW)
    by_token = links.by_token(tx, "tok")
    assert by_token is not None
    assert by_token == links.by_id(tx, link_id)
    assert by_token.service_slug == "rheumatology"
    assert by_token.bound_to is None


def test_an_unknown_token_or_id_is_nothing(tx: Transaction) -> None:
    assert links.by_token(tx, "nonsense") is None
    assert links.by_id(tx, "nonsense") is None
    assert links.revoke(tx, "nonsense", now=NOW) is False


def test_neither_token_nor_patient_can_be_read_in_the_table(tx: Transaction) -> None:
    links.add(tx, "secret-token", "rheumatology", bound_to=PATIENT, expires_at=None, now=NOW)
    row = tx.session.execute(text("SELECT * FROM link")).one()
    shown = " ".join(bytes(v).decode() if isinstance(v, memoryview) else str(v) for v in row)
    for private in ("secret-token", "9990001006", "7700900101"):
        assert private not in shown


def test_a_link_for_one_patient_knows_them(tx: Transaction) -> None:
    link_id = links.add(tx, "tok", "rheumatology", bound_to=PATIENT, expires_at=None, now=NOW)
    found = links.by_id(tx, link_id)
    assert found is not None
    assert found.bound_to == PATIENT


def test_a_link_stays_open_unless_it_was_given_an_end(tx: Transaction) -> None:
    links.add(tx, "for-ever", "rheumatology", bound_to=None, expires_at=None, now=NOW)
    end = NOW + timedelta(days=7)
    links.add(tx, "a-week", "rheumatology", bound_to=None, expires_at=end, now=NOW)
    for_ever, a_week = links.by_token(tx, "for-ever"), links.by_token(tx, "a-week")
    assert for_ever is not None
    assert a_week is not None
    assert for_ever.is_open(NOW + timedelta(days=3650))
    assert a_week.is_open(end - timedelta(seconds=1))
    assert not a_week.is_open(end)


def test_a_revoked_link_is_closed_for_good(tx: Transaction) -> None:
    link_id = links.add(tx, "tok", "rheumatology", bound_to=None, expires_at=None, now=NOW)
    assert links.revoke(tx, link_id, now=NOW)
    assert links.revoke(tx, link_id, now=NOW + timedelta(days=1))
    found = links.by_token(tx, "tok")
    assert found is not None
    assert not found.is_open(NOW)
    assert found.revoked_at == NOW
