"""A terminology server, asked over HTTP: a real one, small, started here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.questionnaire import validate_response
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.terminology.server import TerminologyServer
from tests.questionnaire.making import ask, code, codes, form, found, reply, say

COLOURS = "https://example.org/ValueSet/colours"
SYSTEM = "https://example.org/codes"
FILTERED = {
    "resourceType": "ValueSet",
    "url": "https://example.org/ValueSet/filtered",
    "compose": {
        "include": [
            {"system": SYSTEM, "filter": [{"property": "concept", "op": "is-a", "value": "colour"}]}
        ]
    },
}


class Terminology(BaseHTTPRequestHandler):
    """ValueSet/$expand of R4, by url and by resource, for one code system."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        url = query["url"][0]
        self.asked.append(url)
        if url == COLOURS:
            self._answer(200, self._expanded(["red", "blue"]))
        elif url.endswith("/broken"):
            self._answer(200, b"not json")
        elif url.endswith("/empty"):
            self._answer(200, {"resourceType": "ValueSet", "expansion": {"total": 0}})
        else:
            self._answer(404, {"resourceType": "OperationOutcome", "issue": []})

    def do_POST(self) -> None:
        body = fhir_json.parse(self.rfile.read(int(self.headers["Content-Length"])))
        value_set = body["parameter"][0]["resource"]
        self.asked.append(value_set["url"])
        chosen = value_set["compose"]["include"][0]["filter"][0]["value"]
        self._answer(200, self._expanded([chosen, "red"]))

    def log_message(self, *_: Any) -> None:
        return

    def _expanded(self, concepts: list[str]) -> dict[str, Any]:
        contains = [{"system": SYSTEM, "code": c, "display": c.title()} for c in concepts]
        return {"resourceType": "ValueSet", "expansion": {"contains": contains}}

    def _answer(self, status: int, body: dict[str, Any] | bytes) -> None:
        data = body if isinstance(body, bytes) else fhir_json.dump(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def base() -> Iterator[str]:
    Terminology.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Terminology)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/fhir"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(base: str) -> Iterator[TerminologyServer]:
    asked = TerminologyServer(base)
    yield asked
    asked.close()


def test_a_value_set_that_is_not_at_hand_is_expanded_once(server: TerminologyServer) -> None:
    asked = form(ask("q", "choice", answerValueSet=COLOURS))
    for chosen, said in (("red", []), ("green", ["not-an-option"])):
        assert codes(asked, reply(say("q", code(chosen))), expander=server) == said
    assert Terminology.asked == [COLOURS]
    options = Definition(asked, expander=server).options(Definition(asked).items[0])
    assert [option.display for option in options] == ["Red", "Blue"]


def test_a_contained_value_set_with_a_filter_goes_to_the_server(server: TerminologyServer) -> None:
    asked = form(ask("q", "choice", answerValueSet="#vs"), contained=[{**FILTERED, "id": "vs"}])
    assert codes(asked, reply(say("q", code("colour"))), expander=server) == []
    assert codes(asked, reply(say("q", code("blue"))), expander=server) == ["not-an-option"]


@pytest.mark.parametrize("name", ["unknown", "broken"])
def test_what_the_server_cannot_say_is_a_warning(server: TerminologyServer, name: str) -> None:
    asked = form(ask("q", "choice", answerValueSet=f"https://example.org/ValueSet/{name}"))
    said = found(asked, reply(say("q", code("red"))), expander=server)
    assert [entry.split()[:2] for entry in said] == [["warning", "option-unknown"]]


def test_an_empty_value_set_is_empty(server: TerminologyServer) -> None:
    asked = form(ask("q", "choice", answerValueSet="https://example.org/ValueSet/empty"))
    assert Definition(asked, expander=server).value_set(Definition(asked).items[0]) == []


def test_a_server_that_is_down_blocks_nobody_and_is_not_asked_again(base: str) -> None:
    del base
    server = TerminologyServer("http://127.0.0.1:9/fhir")
    asked = form(ask("q", "choice", answerValueSet=COLOURS))
    outcome = validate_response(asked, reply(say("q", code("red"))), expander=server)
    assert [issue["severity"] for issue in outcome["issue"]] == ["warning"]
    with pytest.raises(NotExpandable, match="cannot be reached"):
        server.expand(COLOURS, None)
    server.close()


def test_the_server_that_a_file_prefers_is_not_called(server: TerminologyServer) -> None:
    prefers = {
        "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
        "sdc-questionnaire-preferredTerminologyServer",
        "valueUrl": "http://127.0.0.1:1/elsewhere",
    }
    asked = form(ask("q", "choice", answerValueSet=COLOURS, extension=[prefers]))
    assert codes(asked, reply(say("q", code("red"))), expander=server) == []
