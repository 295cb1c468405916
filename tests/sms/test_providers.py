"""Twilio, NHS Notify and the errors of GOV.UK Notify: what each answer means."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.sandbox.phone.app import TEMPLATE_ID, api_key
from fhir_gateway.sms.nhs_notify import ByPatient, NhsNotifySender
from fhir_gateway.sms.notify import NotifySender
from fhir_gateway.sms.sender import NoSender, TextSender, TextStatus
from fhir_gateway.sms.twilio import TwilioSender
from tests.requirements import require

TO, REFERENCE = "+447700900123", "6f1f0ad4-6a55-4ea8-9b0c-0d6c37e0c001:confirmation"
NUMBER = "9990000018"
BASE = "https://texts.example.org"


def gov() -> TextSender:
    return NotifySender(BASE, api_key(), TEMPLATE_ID)


def twilio(**options: Any) -> TwilioSender:
    return TwilioSender(BASE, "AC0123456789", "secret", "+447700900000", **options)


def nhs() -> NhsNotifySender:
    return NhsNotifySender(BASE, ods_code="RZZ99")


def send(sender: TextSender) -> Any:
    try:
        return sender.send(to=TO, text="hello", reference=REFERENCE, nhs_number=NUMBER)
    finally:
        sender.close()


def gov_error(kind: str) -> dict[str, Any]:
    return {"status_code": 429, "errors": [{"error": kind, "message": f"not to {TO}"}]}


CASES = [
    (gov, 429, gov_error("RateLimitError"), TryLater, "notify-429-rate"),
    (gov, 429, gov_error("TooManyRequestsError"), TryLater, "notify-429-day"),
    (gov, 400, gov_error("ValidationError"), Refused, "notify-400"),
    (gov, 403, gov_error("AuthError"), Refused, "notify-403"),
    (gov, 500, gov_error("Exception"), OutcomeUnknown, "notify-500"),
    (gov, 503, None, TryLater, "notify-503"),
    (twilio, 400, {"code": 21211, "message": TO}, Refused, "twilio-400"),
    (twilio, 401, {"code": 20003}, Refused, "twilio-401"),
    (twilio, 429, {"code": 20429}, TryLater, "twilio-429"),
    (twilio, 500, None, OutcomeUnknown, "twilio-500"),
    (twilio, 503, None, TryLater, "twilio-503"),
    (twilio, 201, {"status": "queued"}, OutcomeUnknown, "twilio-shape"),
    (nhs, 400, {"errors": [{"code": "CM_INVALID_NHS_NUMBER"}]}, Refused, "nhs-notify-400"),
    (nhs, 403, None, Refused, "nhs-notify-403"),
    (nhs, 422, {"errors": [{"code": "CM_MISSING"}]}, Refused, "nhs-notify-422"),
    (nhs, 425, None, TryLater, "nhs-notify-425"),
    (nhs, 429, None, TryLater, "nhs-notify-429"),
    (nhs, 500, None, OutcomeUnknown, "nhs-notify-500"),
    (nhs, 504, None, OutcomeUnknown, "nhs-notify-504"),
]


@pytest.mark.parametrize(
    ("make", "status", "body", "kind", "code"), CASES, ids=[case[-1] for case in CASES]
)
@respx.mock
def test_what_a_refusal_means(
    make: Callable[[], TextSender], status: int, body: Any, kind: type[GatewayError], code: str
) -> None:
    respx.post(url__startswith=BASE).respond(status, json=body)
    with pytest.raises(kind) as caught:
        send(make())
    assert caught.value.code == code
    assert TO not in str(caught.value)
    assert "7700" not in str(caught.value)


@pytest.mark.parametrize("make", [gov, twilio, nhs])
@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx.ConnectError, TryLater),
        (httpx.ConnectTimeout, TryLater),
        (httpx.ReadTimeout, OutcomeUnknown),
        (httpx.RemoteProtocolError, OutcomeUnknown),
    ],
)
@respx.mock
def test_what_silence_means(
    make: Callable[[], TextSender], failure: type[Exception], kind: type[GatewayError]
) -> None:
    respx.post(url__startswith=BASE).mock(side_effect=failure("gone"))
    with pytest.raises(kind):
        send(make())


@respx.mock
def test_the_waits_that_providers_ask_for() -> None:
    respx.post(url__startswith=BASE).respond(429, json=gov_error("TooManyRequestsError"))
    with pytest.raises(TryLater) as day:
        send(gov())
    respx.post(url__startswith=BASE).respond(429, json=gov_error("RateLimitError"))
    with pytest.raises(TryLater) as rate:
        send(gov())
    assert (day.value.after or 0) > (rate.value.after or 0) > 0
    respx.post(url__startswith=BASE).respond(425, headers={"Retry-After": "10"})
    with pytest.raises(TryLater) as early:
        send(nhs())
    assert early.value.after == 300


@respx.mock
def test_twilio_gets_a_form_and_our_reference_in_the_callback() -> None:
    route = respx.post(f"{BASE}/2010-04-01/Accounts/AC0123456789/Messages.json").respond(
        201, json={"sid": "SM1", "status": "queued"}
    )
    sent = send(twilio(callback="https://gateway.example.org/callbacks/twilio"))
    assert (sent.id, sent.status) == ("SM1", TextStatus.UNDER_WAY)
    form = httpx.QueryParams(route.calls.last.request.content.decode())
    assert form["To"] == TO
    assert form["From"] == "+447700900000"
    assert form["StatusCallback"].endswith(":confirmation") or "%3A" in form["StatusCallback"]
    assert route.calls.last.request.headers["authorization"].startswith("Basic ")


def test_twilio_cannot_be_looked_into_so_nothing_is_sent_twice() -> None:
    sender = twilio()
    with pytest.raises(Refused):
        sender.find(REFERENCE)
    sender.close()


@respx.mock
def test_nhs_notify_takes_a_repeat_for_the_first() -> None:
    body = {"errors": [{"detail": "Request exists with identical messageReference"}]}
    respx.post(f"{BASE}/v1/messages").respond(422, json=body)
    assert send(nhs()).reference == REFERENCE


@respx.mock
def test_nhs_notify_gets_the_nhs_number_and_no_mobile() -> None:
    route = respx.post(f"{BASE}/v1/messages").respond(201, json={"data": {"id": "K"}})
    assert send(nhs()).id == "K"
    request = route.calls.last.request
    attributes = json.loads(request.content)["data"]["attributes"]
    assert attributes["recipient"] == {"nhsNumber": NUMBER}
    assert attributes["messageReference"] == REFERENCE
    assert attributes["originator"] == {"odsCode": "RZZ99"}
    assert TO.encode() not in request.content


def test_nhs_notify_never_sends_to_somebody_unmatched() -> None:
    sender = nhs()
    with pytest.raises(Refused) as caught:
        sender.send(to=TO, text="123456 is your code", reference=REFERENCE)
    assert caught.value.code == "nhs-notify-unmatched"
    sender.close()


@respx.mock
def test_codes_go_to_the_number_and_confirmations_of_matched_patients_by_nhs_number() -> None:
    route = respx.post(f"{BASE}/v1/messages").respond(201, json={"data": {"id": "K"}})
    sender = ByPatient(nhs(), NoSender())
    with pytest.raises(Refused):
        sender.send(to=TO, text="123456 is your code", reference=REFERENCE)
    assert not route.called
    sender.send(to=TO, text="received", reference=REFERENCE, nhs_number=NUMBER)
    assert route.called
    sender.close()


def recorded() -> list[Path]:
    data = os.environ.get("FHIR_GATEWAY_REFERENCE_DATA")
    return sorted((Path(data or "/nowhere") / "nhsnotify").glob("create_*.json"))


def test_the_recorded_answers_of_nhs_notify() -> None:
    files = recorded()
    if not files:
        require("nhsnotify", "set FHIR_GATEWAY_REFERENCE_DATA to a folder with `nhsnotify` in it")
    for file in files:
        answer = json.loads(file.read_bytes())["response"]
        with respx.mock:
            respx.post(f"{BASE}/v1/messages").respond(answer["status"], json=answer["body"])
            if answer["status"] == httpx.codes.CREATED:
                assert send(nhs()).id == answer["body"]["data"]["id"]
            else:
                with pytest.raises(Refused):
                    send(nhs())
