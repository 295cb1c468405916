"""GOV.UK Notify's answers that no sandbox gives, and what each means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx

from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.sandbox.phone.app import TEMPLATE_ID, api_key
from fhir_gateway.sms.notify import NotifySender
from fhir_gateway.sms.sender import NoSender, TextStatus

BASE = "https://notify.example"
TO = "+447700900301"


@pytest.fixture
def sender() -> Iterator[NotifySender]:
    """A sender to a Notify that each test makes up."""
    opened = NotifySender(BASE, api_key(), TEMPLATE_ID)
    yield opened
    opened.close()


def send(sender: NotifySender) -> Any:
    return sender.send(to=TO, text="canary", reference="r")


@pytest.mark.parametrize("key", ["", "nonsense", "a-b-c", api_key()[:-1]])
def test_a_key_of_another_form_is_refused_without_quoting_it(key: str) -> None:
    with pytest.raises(Refused, match="not of the form") as raised:
        NotifySender(BASE, key, TEMPLATE_ID)
    assert not key or key not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *[(s, TryLater) for s in (408, 425, 429, 503)],
        *[(s, OutcomeUnknown) for s in (500, 502, 504)],
        *[(s, Refused) for s in (302, 400, 401, 403, 404)],
    ],
)
@respx.mock
def test_the_status_says_whether_a_text_may_be_on_its_way(
    sender: NotifySender, status: int, kind: type[GatewayError]
) -> None:
    error = {"error": "BadRequestError", "message": "canary"}
    respx.post(f"{BASE}/v2/notifications/sms").respond(status, json={"errors": [error]})
    with pytest.raises(kind) as raised:
        send(sender)
    assert raised.value.code == f"notify-{status}"
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError, TryLater),
        (httpx.ConnectTimeout, TryLater),
        (httpx.ReadTimeout, OutcomeUnknown),
        (httpx.RemoteProtocolError, OutcomeUnknown),
    ],
)
@respx.mock
def test_silence_before_and_after_sending_are_two_things(
    sender: NotifySender, error: type[httpx.HTTPError], kind: type[GatewayError]
) -> None:
    respx.post(f"{BASE}/v2/notifications/sms").mock(side_effect=error)
    with pytest.raises(kind):
        send(sender)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]"])
@respx.mock
def test_a_success_without_an_id_is_not_believed(sender: NotifySender, body: bytes) -> None:
    respx.post(f"{BASE}/v2/notifications/sms").respond(201, content=body)
    with pytest.raises(OutcomeUnknown):
        send(sender)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]"])
@respx.mock
def test_a_look_without_a_list_is_not_taken_for_nothing_sent(
    sender: NotifySender, body: bytes
) -> None:
    respx.get(url__startswith=f"{BASE}/v2/notifications").respond(200, content=body)
    with pytest.raises(TryLater):
        sender.find("r")


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("delivered", TextStatus.DELIVERED),
        ("sending", TextStatus.UNDER_WAY),
        ("something-new", TextStatus.UNDER_WAY),
        ("permanent-failure", TextStatus.UNREACHABLE),
        ("temporary-failure", TextStatus.UNREACHABLE),
        ("technical-failure", None),
    ],
)
@respx.mock
def test_what_became_of_a_text_is_told_in_our_words(
    sender: NotifySender, status: str, found: TextStatus | None
) -> None:
    listed = [
        {"id": "other", "reference": "another", "status": "delivered"},
        {"id": "1", "reference": "r", "status": status},
    ]
    route = respx.get(url__startswith=f"{BASE}/v2/notifications")
    route.respond(200, json={"notifications": listed})
    text = sender.find("r")
    assert (text.status if text else None) == found


@pytest.mark.parametrize(("status", "kind"), [(500, TryLater), (429, TryLater), (403, Refused)])
@respx.mock
def test_a_look_changes_nothing_and_can_be_repeated(
    sender: NotifySender, status: int, kind: type[GatewayError]
) -> None:
    respx.get(url__startswith=f"{BASE}/v2/notifications").respond(status)
    with pytest.raises(kind):
        sender.find("r")


@respx.mock
def test_number_and_words_are_in_the_body_alone(sender: NotifySender) -> None:
    route = respx.post(f"{BASE}/v2/notifications/sms").respond(201, json={"id": "1"})
    assert send(sender).id == "1"
    request = route.calls.last.request
    assert request.url.query == b""
    assert "canary" not in str(request.headers)


def test_without_a_provider_every_text_is_refused() -> None:
    sender = NoSender()
    with pytest.raises(Refused) as raised:
        sender.send(to=TO, text="x", reference="r")
    assert raised.value.code == "no-text-provider"
    assert sender.find("r") is None
    sender.close()
