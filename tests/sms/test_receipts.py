"""Reports of providers, over HTTP: who may report, and what is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import select

from fhir_gateway.rest.callbacks import CallbackKeys, create_callback_app
from fhir_gateway.store import texts
from fhir_gateway.store.database import Database
from fhir_gateway.store.seal import Sealer
from fhir_gateway.store.tables import TextRow
from fhir_gateway.store.texts import TextState
from tests.serving import serve

REFERENCE = "6f1f0ad4-6a55-4ea8-9b0c-0d6c37e0c001:confirmation"
PUBLIC = "https://gateway.example.org"
KEYS = CallbackKeys("notify-token", "app-1", "key-1", "twilio-token")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Desk:
    """A running callback app, and the database behind it."""

    def __init__(self, base: str, database: Database) -> None:
        self.base = base
        self.database = database

    def receipt(self) -> str:
        with self.database.transaction() as tx:
            return tx.session.scalars(select(TextRow)).one().receipt


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", Sealer([b"k" * 32]))
    database.migrate()
    with database.transaction() as tx:
        texts.intend(tx, REFERENCE, "confirmation", now=NOW)
        texts.settle(tx, REFERENCE, TextState.SENT, "provider-1")
    app = create_callback_app(database, KEYS, base_url=PUBLIC, clock=lambda: NOW)
    with serve(app) as base:
        yield Desk(base, database)
    database.close()


def notify(desk: Desk, status: str, token: str = "notify-token", **more: str) -> int:
    body = {"id": "provider-1", "reference": REFERENCE, "to": "07700900123", "status": status}
    answer = httpx.post(
        f"{desk.base}/callbacks/notify",
        json={**body, **more},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.text == ""
    return answer.status_code


def test_notify_reports_with_its_token(desk: Desk) -> None:
    assert notify(desk, "delivered") == 200
    assert desk.receipt() == "delivered"


@pytest.mark.parametrize("token", ["x", "other", "notify-token2", "NOTIFY-TOKEN"])
def test_nobody_else_reports(desk: Desk, token: str) -> None:
    assert notify(desk, "delivered", token) == 401
    assert desk.receipt() == ""


def test_a_text_is_also_known_by_the_id_of_the_provider(desk: Desk) -> None:
    assert notify(desk, "permanent-failure", reference="") == 200
    assert desk.receipt() == "unreachable"


def test_a_final_word_is_never_taken_back(desk: Desk) -> None:
    notify(desk, "delivered")
    notify(desk, "technical-failure")
    assert desk.receipt() == "delivered"


def test_reports_of_other_texts_are_taken_and_left(desk: Desk) -> None:
    assert notify(desk, "delivered", reference="code:1", id="x") == 200
    assert notify(desk, "something-new") == 200
    assert desk.receipt() == ""


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"a":1,"a":2}', b"\xff"])
def test_what_is_no_report_is_refused_without_a_word(desk: Desk, body: bytes) -> None:
    headers = {"Authorization": "Bearer notify-token"}
    answer = httpx.post(f"{desk.base}/callbacks/notify", content=body, headers=headers)
    assert answer.status_code in (200, 400)
    assert desk.receipt() == ""


def test_a_large_body_is_refused(desk: Desk) -> None:
    answer = httpx.post(f"{desk.base}/callbacks/notify", content=b"x" * 200_000)
    assert answer.status_code == 413


def nhs(desk: Desk, status: str, *, key: str = "key-1", secret: str = "app-1.key-1") -> int:
    attributes = {
        "messageId": "K",
        "messageReference": REFERENCE,
        "messageStatus": status,
        "channels": [],
    }
    data = [{"type": "MessageStatus", "attributes": attributes, "meta": {"idempotencyKey": "i"}}]
    body = json.dumps({"data": data}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"x-api-key": key, "x-hmac-sha256-signature": signature}
    answer = httpx.post(f"{desk.base}/callbacks/nhs-notify", content=body, headers=headers)
    return answer.status_code


def test_nhs_notify_reports_with_key_and_signature(desk: Desk) -> None:
    assert nhs(desk, "delivered") == 202
    assert nhs(desk, "sending") == 202, "reports may come out of order"
    assert desk.receipt() == "delivered"


def test_nhs_notify_with_another_key_or_signature(desk: Desk) -> None:
    assert nhs(desk, "delivered", key="other") == 401
    assert nhs(desk, "delivered", secret="app-1.other") == 403
    assert desk.receipt() == ""


def test_twilio_signs_the_public_address(desk: Desk) -> None:
    path = f"/callbacks/twilio?{urlencode({'reference': REFERENCE})}"
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+447700900123"}
    signed = PUBLIC + path + "".join(k + form[k] for k in sorted(form))
    digest = hmac.new(b"twilio-token", signed.encode(), hashlib.sha1).digest()
    wrong = httpx.post(
        desk.base + path, data=form, headers={"X-Twilio-Signature": base64.b64encode(b"x").decode()}
    )
    assert wrong.status_code == 403
    assert desk.receipt() == ""
    right = httpx.post(
        desk.base + path,
        data=form,
        headers={"X-Twilio-Signature": base64.b64encode(digest).decode()},
    )
    assert right.status_code == 200
    assert desk.receipt() == "delivered"


def test_a_provider_that_is_not_configured_has_no_address(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", Sealer([b"k" * 32]))
    app = create_callback_app(database, CallbackKeys(), base_url=PUBLIC, clock=lambda: NOW)
    with serve(app) as base:
        for name in ("notify", "nhs-notify", "twilio"):
            assert httpx.post(f"{base}/callbacks/{name}").status_code == 404
    database.close()
