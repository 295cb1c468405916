from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from fhir_gateway.conformance import http
from fhir_gateway.conformance.exchange import Sent
from fhir_gateway.conformance.http import Caller
from tests.conformance.recorder import Recorder


class Token(httpx.Auth):
    def auth_flow(self, request):  # type: ignore[no-untyped-def]
        request.headers["Authorization"] = "Bearer secret-token"
        yield request


@contextmanager
def raw_server(answer: bytes, *, hold: bool = False, drip: bytes = b"") -> Iterator[str]:
    """A server that says these bytes to whoever connects; then `drip`, again and again."""
    bound = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def talk() -> None:
        connection, _ = bound.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(answer)
            with suppress(OSError):  # it hung up
                while drip and not done.wait(0.05):
                    connection.sendall(drip)
            if hold:
                done.wait(10)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        done.set()
        thread.join(5)
        bound.close()


def test_a_redirect_is_an_answer_and_is_not_followed(recorder: Recorder, server: str) -> None:
    recorder.on("GET /a", status=302, location="https://elsewhere.example/")

    with Caller(server, auth=Token()) as caller:
        exchange = caller.send(Sent(url=f"{server}/a"))

    assert exchange.answer is not None
    assert exchange.answer.status == 302
    assert len(recorder.asked) == 1


@pytest.mark.parametrize("url", ["https://elsewhere.example/fhir", "http://127.0.0.1:1/fhir"])
def test_another_host_is_never_called(recorder: Recorder, server: str, url: str) -> None:
    with Caller(server, auth=Token()) as caller:
        exchange = caller.send(Sent(url=url))

    assert exchange.answer is None
    assert "another host" in exchange.problem


def test_a_script_can_leave_credentials_out(recorder: Recorder, server: str) -> None:
    with Caller(server, auth=Token()) as caller:
        caller.send(Sent(url=f"{server}/a"))
        caller.send(Sent(url=f"{server}/a", headers=(("Authorization", "none"),)))
        caller.send(Sent(url=f"{server}/a", headers=(("Authorization", "Bearer wrong"),)))

    assert [one.headers.get("authorization") for one in recorder.asked] == [
        "Bearer secret-token",
        None,
        "Bearer wrong",
    ]


def test_what_went_out_is_recorded_as_it_went(recorder: Recorder, server: str) -> None:
    with Caller(server, auth=Token()) as caller:
        sent = caller.send(Sent(url=f"{server}/a")).sent

    assert sent.header("authorization") == "Bearer secret-token"
    assert sent.header("user-agent") == http.AGENT


def test_an_answer_beyond_the_bound_is_a_problem(
    recorder: Recorder, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER", 1000)
    recorder.on("GET /a", b"x" * 2000)

    with Caller(server) as caller:
        exchange = caller.send(Sent(url=f"{server}/a"))

    assert exchange.problem == "the answer is larger than 1000 bytes"


def test_a_server_that_never_ends_its_answer_is_left() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"
    with raw_server(head, hold=True) as base, Caller(base, timeout=0.3) as caller:
        exchange = caller.send(Sent(url=f"{base}/a"))

    assert exchange.answer is None
    assert "ReadTimeout" in exchange.problem


@pytest.mark.parametrize(
    ("answer", "drip"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ],
)
def test_a_server_that_trickles_is_left(answer: bytes, drip: bytes) -> None:
    start = time.monotonic()
    with raw_server(answer, drip=drip) as base, Caller(base, timeout=0.3) as caller:
        exchange = caller.send(Sent(url=f"{base}/a"))
        seconds = time.monotonic() - start

    assert exchange.answer is None
    assert "longer than 0.3 seconds" in exchange.problem
    assert seconds < 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00\xff\xfe",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_broken_answers_are_problems_and_never_raise(answer: bytes) -> None:
    with raw_server(answer) as base, Caller(base, timeout=2) as caller:
        exchange = caller.send(Sent(url=f"{base}/a"))

    assert exchange.answer is None
    assert exchange.problem.startswith("no answer")


def test_nobody_there_is_a_problem() -> None:
    with Caller("http://127.0.0.1:9") as caller:
        exchange = caller.send(Sent(url="http://127.0.0.1:9/metadata"))

    assert "ConnectError" in exchange.problem
