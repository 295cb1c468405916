"""People are told of what waits too long, once a service, and when it is over."""

from __future__ import annotations

import hashlib
import hmac
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fhir_gateway.delivery import alarms, health
from fhir_gateway.delivery.channels import Mail, News, Webhook, tell_all
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.store import gates, requests
from fhir_gateway.store.requests import RequestState
from tests.delivery.scripted.conftest import World
from tests.serving import serve


class Ears:
    """A Channel that remembers."""

    def __init__(self) -> None:
        self.heard: list[News] = []
        self.deaf = False

    def tell(self, news: News) -> None:
        if self.deaf:
            raise TryLater("deaf", code="deaf")
        self.heard.append(news)


def titles(ears: Ears) -> list[str]:
    return [news.title for news in ears.heard]


def look(world: World, ears: Ears) -> None:
    alarms.review(world.parts)
    alarms.tell(world.parts, [ears])


@pytest.mark.hazard("H05")
def test_after_fifteen_minutes_people_are_told_once_and_when_it_is_over(world: World) -> None:
    ears = Ears()
    ids = [world.request() for _ in range(3)]
    world.clock.forward(minutes=14)
    look(world, ears)
    assert ears.heard == []
    world.clock.forward(minutes=2)
    look(world, ears)
    look(world, ears)
    assert titles(ears) == ["Requests are not delivered: rheumatology"]
    assert ears.heard[0].fields["detail"] == "3 not delivered, the oldest for 16 minutes"
    with world.database.transaction() as tx:
        for request_id in ids:
            requests.move(tx, request_id, RequestState.DELIVERED, now=world.clock())
    look(world, ears)
    look(world, ears)
    assert titles(ears)[1:] == ["Over: Requests are not delivered: rheumatology"]


def test_what_needs_a_person_and_what_is_paused_for_long_is_told(world: World) -> None:
    ears = Ears()
    request_id = world.request()
    with world.database.transaction() as tx:
        requests.move(tx, request_id, RequestState.NEEDS_ATTENTION, now=world.clock())
        gates.pause(tx, "epr:x", "ann: works", now=world.clock())
    look(world, ears)
    assert titles(ears) == ["Requests need a person: rheumatology"]
    world.clock.forward(minutes=16)
    look(world, ears)
    assert "Sending is paused: epr:x" in titles(ears)


@pytest.mark.parametrize("outcome", ["unreachable", "refused"])
def test_requests_that_go_on_without_pds_are_told_and_when_it_is_over(
    world: World, outcome: str
) -> None:
    ears = Ears()
    for number in range(3):
        look(world, ears)
        assert ears.heard == [], f"after {number}"
        request_id = world.request()
        with world.database.transaction() as tx:
            detail = f"none ({outcome})"
            now = world.clock()
            requests.note(tx, request_id, RequestState.TRACED, now=now, detail=detail)
            requests.move(tx, request_id, RequestState.DELIVERED, now=now)
    look(world, ears)
    assert titles(ears) == ["PDS cannot be asked: rheumatology"]
    assert ears.heard[0].fields["detail"] == "3 went on unmatched within an hour"
    world.clock.forward(minutes=61)
    look(world, ears)
    assert titles(ears)[1:] == ["Over: PDS cannot be asked: rheumatology"]


def test_requests_that_pds_has_no_match_for_are_no_alarm(world: World) -> None:
    ears = Ears()
    for _ in range(4):
        request_id = world.request()
        with world.database.transaction() as tx:
            detail = "none (not-found)"
            requests.note(tx, request_id, RequestState.TRACED, now=world.clock(), detail=detail)
    look(world, ears)
    assert ears.heard == []


def test_news_that_could_not_be_told_is_told_later(world: World) -> None:
    ears = Ears()
    ears.deaf = True
    world.request()
    world.clock.forward(minutes=16)
    look(world, ears)
    ears.deaf = False
    look(world, ears)
    assert ears.heard == []  # one process has it in hand for a while
    world.clock.forward(minutes=3)
    look(world, ears)
    assert len(ears.heard) == 1


def test_health_is_the_age_of_the_oldest_undelivered_request(world: World) -> None:
    def read() -> health.Health:
        with world.database.transaction() as tx:
            return health.read(tx, world.parts.timing, now=world.clock())

    assert read().status == health.WARN  # nobody delivers
    world.request()
    assert read().status == health.FAIL  # and something waits
    from fhir_gateway.store import workers
    from tests.delivery.scripted.test_watch import ELSEWHERE

    with world.database.transaction() as tx:
        workers.beat(tx, "w", ELSEWHERE, now=world.clock())
    assert read().status == health.PASS
    world.clock.forward(minutes=16)
    with world.database.transaction() as tx:
        workers.beat(tx, "w", ELSEWHERE, now=world.clock())
    service = read().services[0]
    assert (service.status, service.oldest_undelivered_seconds) == (health.FAIL, 16 * 60)


def test_a_webhook_whose_address_is_none_keeps_no_other_channel_from_telling() -> None:
    told: list[str] = []

    class Other:
        def tell(self, news: News) -> None:
            told.append(news.title)

    failures = tell_all([Webhook("http://[bad", None), Other()], News("A title", "text", {}))
    assert [failure.code for failure in failures] == ["webhook"]
    assert told == ["A title"]


def test_a_webhook_gets_signed_json() -> None:
    got: list[tuple[bytes, str]] = []

    async def hook(request: Request) -> Response:
        got.append((await request.body(), request.headers["x-signature-256"]))
        return PlainTextResponse("", status_code=204 if len(got) == 1 else 500)

    news = News("Title", "Text", {"kind": "undelivered"})
    with serve(Starlette(routes=[Route("/", hook, methods=["POST"])])) as base:
        webhook = Webhook(base, "secret")
        webhook.tell(news)
        with pytest.raises(TryLater):
            webhook.tell(news)
    body, signature = got[0]
    assert json.loads(body) == {"text": "Title. Text", "kind": "undelivered"}
    assert signature == "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()


def test_a_mail_reaches_a_mail_server() -> None:
    with mail_server() as (port, received):
        Mail(f"smtp://127.0.0.1:{port}", "gateway@example.nhs.uk", ["ann@example.nhs.uk"]).tell(
            News("Requests wait", "3 of them", {})
        )
    assert "Subject: Requests wait" in received[0]
    assert "To: ann@example.nhs.uk" in received[0]


def test_a_mail_server_that_is_away_is_tried_later_and_a_wrong_address_refused() -> None:
    with pytest.raises(TryLater):
        Mail("smtp://127.0.0.1:9", "a@example.nhs.uk", ["b@example.nhs.uk"]).tell(News("", "", {}))
    with pytest.raises(Refused):
        Mail("http://127.0.0.1", "a@example.nhs.uk", [])


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """As much of an SMTP server as smtplib needs."""
    received: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline().strip().upper():
                if line == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines: list[bytes] = []
                    while (text := self.rfile.readline()) != b".\r\n":
                        lines.append(text)
                    received.append(b"".join(lines).decode().replace("\r\n", "\n"))
                self.wfile.write(b"221 bye\r\n" if line == b"QUIT" else b"250 ok\r\n")
                if line == b"QUIT":
                    return

    server: Any = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], received
    finally:
        server.shutdown()
        server.server_close()
