"""The confirmation text: it tells that the request arrived, and never fails a request."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import respx

from fhir_gateway import shipped
from fhir_gateway.delivery.confirm import compose, confirm
from fhir_gateway.delivery.timing import DEFAULT
from fhir_gateway.journey.limits import TextCaps
from fhir_gateway.provider.service import read_service
from fhir_gateway.sandbox import overview
from fhir_gateway.sms.texts import segments
from fhir_gateway.store import requests
from fhir_gateway.store.requests import RequestState
from tests.delivery.conftest import World

SERVICE = read_service(shipped.read_resource(Path(overview.__file__).parent / "service.json"))
NOTIFY = "/v2/notifications"


PATIENCE, SETTLE = DEFAULT.confirm_within, DEFAULT.text_settle


@pytest.fixture
def delivered(world: World) -> str:
    """A request that is in the EPR."""
    return deliver(world, world.accepted())


def deliver(world: World, request_id: str) -> str:
    with world.gateway.database.transaction() as tx:
        for state in (RequestState.TRACED, RequestState.MAPPED, RequestState.DELIVERED):
            requests.move(tx, request_id, state, now=world.parts.clock())
    return request_id


@pytest.fixture
def faults() -> Iterator[respx.MockRouter]:
    """Faults of Notify; what is not named reaches the sandbox phone."""
    with respx.mock(assert_all_called=False) as router:
        yield router


def test_who_wrote_gets_one_text_with_the_reference(world: World, delivered: str) -> None:
    reference = world.request(delivered).reference
    assert confirm(world.parts, delivered, 0) is None
    assert confirm(world.parts, delivered, 1) is None
    (only,) = [text for text in world.texts() if reference in text["text"]]
    assert segments(only["text"]) == 1
    assert "Swollen" not in only["text"]
    assert "Priya" not in only["text"]
    assert world.state(delivered) is RequestState.CONFIRMED
    assert world.events(delivered)[-1] == ("confirmed", "sent")


def test_processes_that_confirm_at_once_send_one_text(world: World) -> None:
    for _ in range(4):
        request_id = deliver(world, world.accepted())
        with ThreadPoolExecutor(6) as threads:
            list(threads.map(lambda _, one=request_id: confirm(world.parts, one, 0), range(6)))
        reference = world.request(request_id).reference
        assert len([text for text in world.texts() if reference in text["text"]]) == 1


def test_nobody_is_texted_before_the_request_is_in_the_epr(world: World) -> None:
    request_id = world.accepted()
    assert confirm(world.parts, request_id, 0) is None
    assert world.state(request_id) is RequestState.ACCEPTED
    assert confirm(world.parts, "nonsense", 0) is None


def test_without_a_mobile_number_there_is_no_text(world: World) -> None:
    response = {**world.response, "item": _without(world.response["item"], "patient-mobile")}
    request_id = deliver(world, world.accepted(response))
    assert confirm(world.parts, request_id, 0) is None
    assert world.events(request_id)[-1] == ("confirmed", "no-mobile")


def _without(items: list[dict[str, object]], link_id: str) -> list[dict[str, object]]:
    kept = [item for item in items if item["linkId"] != link_id]
    return [
        {**item, "item": _without(item["item"], link_id)}
        if isinstance(item.get("item"), list)
        else item
        for item in kept
    ]


def test_a_number_that_had_its_texts_gets_no_more(world: World, delivered: str) -> None:
    caps = TextCaps(codes_per_number=1, texts_per_number=1, codes_per_address=1, codes_per_day=1)
    parts = replace(world.parts, caps=caps)
    assert confirm(parts, delivered, 0) is None
    second = deliver(world, world.accepted())
    assert confirm(parts, second, 0) is None
    assert world.events(second)[-1] == ("confirmed", "limited")


@pytest.mark.parametrize("status", [429, 503])
def test_when_texts_cannot_go_now_they_go_later(
    world: World, delivered: str, faults: respx.MockRouter, status: int
) -> None:
    faults.post(f"{world.phone}{NOTIFY}/sms").respond(status, headers={"Retry-After": "90"})
    wait = confirm(world.parts, delivered, 0)
    assert wait is not None
    assert wait >= 90
    assert world.state(delivered) is RequestState.DELIVERED
    faults.post(f"{world.phone}{NOTIFY}/sms").pass_through()
    faults.get(url__startswith=f"{world.phone}{NOTIFY}").pass_through()
    faults.get(url__startswith=f"{world.phone}/messages").pass_through()
    # The provider asked everybody for patience.
    assert confirm(world.parts, delivered, 1) is not None
    world.ahead = timedelta(seconds=200)
    assert confirm(world.parts, delivered, 1) is None
    assert len([t for t in world.texts() if world.request(delivered).reference in t["text"]]) == 1


def test_after_silence_the_provider_is_asked_before_a_second_text(
    world: World, delivered: str
) -> None:
    reference = f"{delivered}:confirmation"
    world.parts.sender.send(to="+447700900101", text="It was sent", reference=reference)
    with respx.mock(assert_all_called=False) as router:
        router.post(f"{world.phone}{NOTIFY}/sms").respond(502)
        assert confirm(world.parts, delivered, 0) is not None
    assert confirm(world.parts, delivered, 1) is not None
    world.ahead = SETTLE + timedelta(seconds=1)
    assert confirm(world.parts, delivered, 1) is None
    assert len([text for text in world.texts() if text["reference"] == reference]) == 1
    assert world.events(delivered)[-1] == ("confirmed", "sent")


def test_a_text_that_is_refused_ends_the_trying(
    world: World, delivered: str, faults: respx.MockRouter
) -> None:
    faults.post(f"{world.phone}{NOTIFY}/sms").respond(400)
    assert confirm(world.parts, delivered, 0) is None
    assert world.events(delivered)[-1] == ("confirmed", "notify-400")


def test_a_confirmation_that_is_a_day_late_helps_nobody(
    world: World, delivered: str, faults: respx.MockRouter
) -> None:
    faults.post(f"{world.phone}{NOTIFY}/sms").respond(503)
    world.ahead = PATIENCE + timedelta(minutes=1)
    assert confirm(world.parts, delivered, 0) is None
    assert world.events(delivered)[-1] == ("confirmed", "too-late")


@pytest.mark.hazard("H07")
@pytest.mark.parametrize(
    "name", ["Rheumatology", "Ear, nose and throat", "A" * 100, "Ysbyty Glan Clwyd ŵ"]
)
def test_the_words_say_received_and_fit_one_text(name: str) -> None:
    text = compose(replace(SERVICE, name=name), "7K2M-9QXD")
    assert segments(text) == 1
    assert "received" in text
    assert "7K2M-9QXD" in text
