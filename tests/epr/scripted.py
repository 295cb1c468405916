"""An EPR that does what a test tells it to: faults that no real server produces on demand, over
real HTTP."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CONTENT = {"Content-Type": "application/fhir+json"}


@dataclass(slots=True)
class Reply:
    """What to answer. `drop`: close without an answer; `pause`: seconds before it; `trickle`:
    seconds between bytes of the body."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    pause: float = 0.0
    trickle: float = 0.0

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(slots=True)
class Scripted:
    """The server: `answer` is asked for each request; `seen` are all that arrived."""

    base: str = ""
    answer: Callable[[Seen], Reply | None] = lambda seen: None
    statement: dict[str, Any] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def writes(self) -> list[Seen]:
        """The POSTs and PUTs."""
        return [s for s in self.seen if s.method in ("POST", "PUT")]

    def reply(self, seen: Seen) -> Reply:
        """The test's answer, else /metadata, else an empty search or a refusal."""
        self.seen.append(seen)
        found = self.answer(seen)
        if found is not None:
            return found
        if seen.path.endswith("/metadata"):
            return Reply(200, self.statement, CONTENT)
        if seen.method == "GET":
            return Reply(200, searchset(), CONTENT)
        return Reply(404, outcome("not-supported"), CONTENT)


@contextlib.contextmanager
def scripted(statement: dict[str, Any] | None = None) -> Iterator[Scripted]:
    """Run one until the block ends."""
    server = Scripted(statement=statement or declared())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            body = json.loads(raw) if raw[:1] == b"{" else raw
            headers = {k.lower(): v for k, v in self.headers.items()}
            reply = server.reply(Seen(self.command, self.path, headers, body))
            time.sleep(reply.pause)
            if reply.drop:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self._write(reply)

        def _write(self, reply: Reply) -> None:
            if not reply.trickle:
                self.wfile.write(reply.content)
                return
            for byte in reply.content:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(reply.trickle)

        do_GET = do_POST = do_PUT = _handle

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *args: Any) -> None:
            """A client that went away is part of the tests."""

    httpd = Quiet(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    server.base = f"http://127.0.0.1:{httpd.server_address[1]}/fhir"
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def declared(
    types: str = "Patient ServiceRequest Communication QuestionnaireResponse Task RelatedPerson "
    "DocumentReference Provenance",
    *,
    system: tuple[str, ...] = ("transaction", "batch"),
    identifier: bool = True,
    formats: tuple[str, ...] = ("json",),
    conditional: bool = False,
) -> dict[str, Any]:
    """A CapabilityStatement that declares create, read, update and search of these types."""
    params = [{"name": "identifier"}] if identifier else []
    return {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "format": list(formats),
        "rest": [
            {
                "mode": "server",
                "resource": [
                    {
                        "type": name,
                        "interaction": [
                            {"code": c} for c in ("create", "read", "update", "search-type")
                        ],
                        "conditionalCreate": conditional,
                        "searchParam": [*params, {"name": "target"}],
                    }
                    for name in types.split()
                ],
                "interaction": [{"code": c} for c in system],
            }
        ],
    }


def outcome(
    code: str, *, severity: str = "error", text: str = "words of the EPR"
) -> dict[str, Any]:
    """An OperationOutcome."""
    issue = {"severity": severity, "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def searchset(*resources: dict[str, Any]) -> dict[str, Any]:
    """A page of search results."""
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}
