"""Subscriptions: told after a handshake, signed, in order, and again after failures."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fhir_gateway.delivery.notifier import LEASE, Notifier
from fhir_gateway.fhir import check
from fhir_gateway.fhir.types import Resource
from fhir_gateway.rest.subscription_read import CONTENT, SECRET, TOPICS
from fhir_gateway.store import clients, notices, subscriptions
from tests.rest.write_world import OURS, THEIRS, Writing
from tests.serving import serve


@dataclass
class Subscriber:
    """Somebody who listens. `answers`: the status of each answer to come, then 200."""

    url: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def bundles(self) -> list[Resource]:
        return [json.loads(body) for _, body in self.heard]

    def kinds(self) -> list[str]:
        return [value(bundle, "type") for bundle in self.bundles()]


def value(bundle: Resource, name: str) -> str:
    status = bundle["entry"][0]["resource"]["parameter"]
    (part,) = [p for p in status if p["name"] == name]
    return str(next(v for k, v in part.items() if k.startswith("value")))


@contextmanager
def listening() -> Iterator[Subscriber]:
    subscriber = Subscriber()

    async def hear(request: Request) -> Response:
        subscriber.heard.append((dict(request.headers), await request.body()))
        status = subscriber.answers.pop(0) if subscriber.answers else 200
        headers = {"Location": f"{subscriber.url}/elsewhere"} if 300 <= status < 400 else {}
        return Response(status_code=status, headers=headers)

    app = Starlette(routes=[Route("/{path:path}", hear, methods=["POST", "GET"])])
    with serve(app) as url:
        subscriber.url = url
        yield subscriber


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    with listening() as found:
        yield found


@pytest.fixture
def notifier(world: Writing) -> Notifier:
    return Notifier(world.gateway.parts, "http://gw/fhir/R4", ("127.0.0.1",))


def subscription(subscriber: Subscriber, topic: str = "new-request", **channel: Any) -> Resource:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "To show requests in the inbox",
        "criteria": f"{TOPICS}/{topic}",
        "channel": {
            "type": "rest-hook",
            "endpoint": f"{subscriber.url}/hook",
            "payload": "application/fhir+json",
            **channel,
        },
    }


def settle(world: Writing, notifier: Notifier) -> None:
    """Let everything be told that is due now or soon."""
    for _ in range(12):
        notifier.round()
        world.ahead += timedelta(seconds=2)


def active(world: Writing, notifier: Notifier, wanted: Resource, **options: Any) -> Resource:
    answer = world.post("Subscription", wanted, **options)
    assert answer.status_code == 201, answer.text
    notifier.round()
    return dict(answer.json())


def status(world: Writing, subscription: Resource) -> str:
    return str(world.get(f"Subscription/{subscription['id']}").json()["status"])


def test_a_handshake_makes_it_active_and_a_new_request_is_told(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    made = active(world, notifier, subscription(subscriber))
    assert subscriber.kinds() == ["handshake"]
    assert made["status"] == "requested"
    assert status(world, made) == "active"
    task = world.task()
    settle(world, notifier)
    assert subscriber.kinds() == ["handshake", "event-notification"]
    headers, body = subscriber.heard[-1]
    bundle = json.loads(body)
    assert bundle["entry"][1]["fullUrl"] == f"http://gw/fhir/R4/Task/{task['id']}"
    assert "resource" not in bundle["entry"][1]
    assert [check.problems(one) for one in subscriber.bundles()] == [[], []]
    (secret,) = [e["valueString"] for e in made["channel"]["extension"] if e["url"] == SECRET]
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert headers["x-signature-256"] == f"sha256={digest}"


def test_nothing_of_a_patient_is_in_a_notification(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    active(world, notifier, subscription(subscriber))
    response = json.dumps(world.response()).replace("Smith", "Canary")
    world.post("QuestionnaireResponse", json.loads(response))
    settle(world, notifier)
    told = b"".join(body for _, body in subscriber.heard).decode()
    assert "Canary" not in told
    assert "nhs-number" not in told
    assert "Patient" not in told


def test_a_changed_status_is_told(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    active(world, notifier, subscription(subscriber, "status-changed"))
    task = world.task()
    settle(world, notifier)
    assert subscriber.kinds() == ["handshake"]
    world.call("PUT", f"Task/{task['id']}", {**task, "status": "accepted"})
    world.call(
        "PATCH",
        f"Task/{task['id']}",
        b'[{"op": "add", "path": "/note", "value": [{"text": "no status"}]}]',
        Content_Type="application/json-patch+json",
    )
    settle(world, notifier)
    assert subscriber.kinds() == ["handshake", "event-notification"]
    assert value(subscriber.bundles()[-1], "events-since-subscription-start") == "1"


def test_r4_searches_stand_for_the_topics_and_content_can_be_empty(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    empty = {"extension": [{"url": CONTENT, "valueCode": "empty"}]}
    wanted = {
        **subscription(subscriber, _payload=empty),
        "criteria": "QuestionnaireResponse?",
    }
    active(world, notifier, wanted)
    world.task()
    settle(world, notifier)
    assert len(subscriber.bundles()[-1]["entry"]) == 1


def test_another_provider_is_told_nothing(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    with listening() as other:
        theirs = active(world, notifier, subscription(other), provider=THEIRS)
        active(world, notifier, subscription(subscriber))
        world.task()
        settle(world, notifier)
        assert other.kinds() == ["handshake"]
        assert len(subscriber.heard) == 2
    for method, body in (("GET", None), ("DELETE", None), ("PUT", theirs)):
        answer = world.call(method, f"Subscription/{theirs['id']}", body)
        assert answer.status_code == 404, answer.text


def test_failures_are_tried_again_in_order_and_survive_a_restart(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    active(world, notifier, subscription(subscriber))
    subscriber.answers = [500, 503]
    world.task()
    world.task()
    settle(world, notifier)
    again = Notifier(world.gateway.parts, "http://gw/fhir/R4", ("127.0.0.1",))
    settle(world, again)
    numbers = [value(b, "events-since-subscription-start") for b in subscriber.bundles()[1:]]
    assert numbers == ["1", "1", "1", "2"]
    assert world.count("notice") == 0


def test_who_fails_for_long_is_given_up_and_can_begin_again(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    made = active(world, notifier, subscription(subscriber))
    subscriber.answers = [500] * 500
    world.task()
    for _ in range(40):
        notifier.round()
        world.ahead += timedelta(hours=1)
    shown = world.get(f"Subscription/{made['id']}").json()
    assert shown["status"] == "error"
    assert shown["error"] == "It answered 500."
    assert world.count("notice") == 0
    subscriber.answers = []
    again = world.call("PUT", f"Subscription/{made['id']}", {**shown, "status": "requested"})
    assert again.status_code == 200, again.text
    notifier.round()
    assert status(world, made) == "active"


def test_redirects_are_not_followed(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    subscriber.answers = [302]
    made = active(world, notifier, subscription(subscriber))
    assert len(subscriber.heard) == 1
    assert status(world, made) == "requested"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://localhost/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "http://example.org/x",
        "ftp://127.0.0.1/x",
        "https://user:pw@127.0.0.1/x",
        "file:///etc/passwd",
        "not an address",
    ],
)
def test_addresses_that_must_not_be_called_are_refused(
    world: Writing, subscriber: Subscriber, endpoint: str
) -> None:
    answer = world.post("Subscription", subscription(subscriber, endpoint=endpoint))
    assert answer.status_code == 422, answer.text
    assert answer.json()["issue"][0]["expression"][0].startswith("Subscription.channel")
    assert world.count("subscription") == 0


def test_headers_are_sent_and_never_shown(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    wanted = subscription(subscriber, header=["Authorization: Bearer canary", "X-Tag: a"])
    made = active(world, notifier, wanted)
    headers, _ = subscriber.heard[0]
    assert (headers["authorization"], headers["x-tag"]) == ("Bearer canary", "a")
    shown = world.get(f"Subscription/{made['id']}")
    assert "canary" not in shown.text
    assert "canary" not in json.dumps(made)
    assert SECRET not in shown.text
    # What was hidden stays what it is.
    world.call("PUT", f"Subscription/{made['id']}", {**shown.json(), "status": "requested"})
    notifier.round()
    assert subscriber.heard[-1][0]["authorization"] == "Bearer canary"


@pytest.mark.parametrize(
    "header", ["Host: x", "Authorization: a\r\nX-B: c", "X-A: ü", "Content-Length: 0"]
)
def test_headers_that_would_be_others_are_refused(
    world: Writing, subscriber: Subscriber, header: str
) -> None:
    answer = world.post("Subscription", subscription(subscriber, header=[header]))
    assert answer.status_code in (400, 422)


def test_it_ends_by_delete_and_by_off(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    made = active(world, notifier, subscription(subscriber))
    off = {**world.get(f"Subscription/{made['id']}").json(), "status": "off"}
    assert world.call("PUT", f"Subscription/{made['id']}", off).json()["status"] == "off"
    world.task()
    settle(world, notifier)
    assert len(subscriber.heard) == 1
    assert world.call("DELETE", f"Subscription/{made['id']}").status_code == 204
    assert world.get(f"Subscription/{made['id']}").status_code == 410
    # Who never saw the answer asks again.
    assert world.call("DELETE", f"Subscription/{made['id']}").status_code == 204
    theirs = world.call("DELETE", f"Subscription/{made['id']}", provider=THEIRS)
    assert theirs.status_code == 404
    assert world.count("subscription") == 0


def test_it_ends_with_its_client(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    made = active(world, notifier, subscription(subscriber))
    with world.gateway.database.transaction() as tx:
        kept = subscriptions.find(tx, made["id"])
        assert kept is not None
        clients.revoke(tx, kept.client_id, now=world.gateway.parts.clock())
    world.tokens.clear()
    world.task()
    settle(world, notifier)
    assert len(subscriber.heard) == 1
    assert status(world, made) == "off"


def test_if_none_exist_finds_the_one_that_is_there(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    wanted = subscription(subscriber)
    criteria = f"url={subscriber.url}/hook"
    first = world.post("Subscription", wanted, If_None_Exist=criteria)
    again = world.post("Subscription", wanted, If_None_Exist=criteria)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert SECRET not in again.text
    chained = world.post("Subscription", wanted, If_None_Exist="x.y=z")
    assert chained.status_code == 400
    notifier.round()
    assert subscriber.kinds() == ["handshake"]


def test_what_is_no_subscription_of_ours_is_refused(world: Writing, subscriber: Subscriber) -> None:
    for change in (
        {"criteria": "Patient?name=x"},
        {"criteria": "Task?status=completed"},
        {"channel": {"type": "email", "endpoint": "mailto:a@example.org"}},
        {"end": "2020-01-01T00:00:00Z"},
    ):
        answer = world.post("Subscription", {**subscription(subscriber), **change})
        assert answer.status_code == 422, answer.text
    both = world.post("Subscription", subscription(subscriber), provider=f"{OURS} {THEIRS}")
    assert both.status_code == 422
    assert "About whose requests" in both.text


def test_one_that_never_answers_holds_up_nobody(
    world: Writing, notifier: Notifier, subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A letter at a time, each within any timeout of a read."""

    def trickle(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for letter in b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 1000:
                connection.send(bytes([letter]))
                time.sleep(0.05)

    monkeypatch.setattr("fhir_gateway.delivery.notifier.SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=trickle, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        slow = Subscriber(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        world.post("Subscription", subscription(slow))
        world.post("Subscription", subscription(subscriber))
        started = time.monotonic()
        notifier.round()
        assert time.monotonic() - started < 10
        assert subscriber.kinds() == ["handshake"]


def test_what_a_process_had_in_hand_when_it_was_killed_is_told_by_another(
    world: Writing, notifier: Notifier, subscriber: Subscriber
) -> None:
    active(world, notifier, subscription(subscriber))
    world.task()
    world.ahead += timedelta(seconds=5)
    with world.gateway.database.transaction() as tx:
        taken = notices.take(tx, lease=LEASE, limit=10, now=world.gateway.parts.clock())
    assert len(taken) == 1
    settle(world, notifier)
    assert len(subscriber.heard) == 1
    world.ahead += LEASE
    settle(world, notifier)
    assert len(subscriber.heard) == 2


def test_a_name_that_leads_to_a_private_address_later_is_not_called(
    world: Writing, subscriber: Subscriber
) -> None:
    made = world.post("Subscription", subscription(subscriber)).json()
    strict = Notifier(world.gateway.parts, "http://gw/fhir/R4", ())
    strict.round()
    assert subscriber.heard == []
    shown = world.get(f"Subscription/{made['id']}").json()
    assert shown["status"] == "error"
