"""Security codes that were texted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from fhir_gateway.store import codes
from fhir_gateway.store.database import Transaction
from tests.store.conftest import NOW


def add(tx: Transaction, draft: str, code_id: str, at: datetime = NOW) -> None:
    codes.add(
        tx,
        code_id=code_id,
        draft_id=draft,
        contact_mac="c" * 64,
        code_mac="m" * 64,
        expires_at=at + timedelta(minutes=30),
        now=at,
    )


def test_there_is_no_code_before_one_was_sent(tx: Transaction, draft: str) -> None:
    assert codes.current(tx, draft) is None


@pytest.mark.hazard("H03")
def test_a_second_code_kills_the_first(tx: Transaction, draft: str) -> None:
    add(tx, draft, "first")
    add(tx, draft, "second", NOW + timedelta(minutes=1))
    current = codes.current(tx, draft)
    assert current is not None
    assert current.id == "second"
    codes.close_all(tx, draft, now=NOW + timedelta(minutes=2))
    assert codes.current(tx, draft) is None


def test_a_code_carries_what_it_is_judged_by(tx: Transaction, draft: str) -> None:
    add(tx, draft, "first")
    current = codes.current(tx, draft)
    assert current is not None
    assert (current.contact_mac, current.code_mac, current.tries) == ("c" * 64, "m" * 64, 0)
    assert current.expires_at == NOW + timedelta(minutes=30)


@pytest.mark.hazard("H03")
def test_every_try_is_counted(tx: Transaction, draft: str) -> None:
    add(tx, draft, "first")
    assert [codes.count_try(tx, "first") for _ in range(3)] == [1, 2, 3]
    current = codes.current(tx, draft)
    assert current is not None
    tx.session.expire_all()
    current = codes.current(tx, draft)
    assert current is not None
    assert current.tries == 3
