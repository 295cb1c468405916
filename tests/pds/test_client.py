"""The contract of the client with PDS: every answer the API gives, over HTTP from the sandbox, and
faults that no server makes on demand."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import respx

from fhir_gateway.auth.bearer import FixedBearer
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.pds.access import PatientAccess
from fhir_gateway.pds.answers import Found, NotFound, TooMany
from fhir_gateway.pds.client import TRIES, PdsClient
from fhir_gateway.sandbox.pds.app import BASE_PATH, create_app
from fhir_gateway.sandbox.pds.faults import SPINE_CODES
from fhir_gateway.sandbox.pds.personas import Persona, person
from tests.serving import serve

CALL = uuid.UUID("0ba3d6a2-5b6f-4a0f-8c3b-1f6f6d3f9a11")
FAKE = "https://pds.example/FHIR/R4"
TYPICAL = person("typical").nhs_number


_made: list[PdsClient] = []


def pds(base: str, **given: Any) -> PdsClient:
    """A client that is closed when the test ends."""
    _made.append(PdsClient(base, **given))
    return _made[-1]


@pytest.fixture(autouse=True)
def clients_are_closed() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


class Served:
    """A sandbox, and clients of it that note how long they slept and what they sent."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.slept: list[float] = []
        self.sent: list[httpx.Request] = []

    def client(self, token: str | None = "any", **given: Any) -> PdsClient:
        served = self

        class Noting(httpx.HTTPTransport):
            def handle_request(self, request: httpx.Request) -> httpx.Response:
                served.sent.append(request)
                return super().handle_request(request)

        return pds(
            self.base + BASE_PATH,
            auth=FixedBearer(token) if token else None,
            transport=Noting(),
            sleep=self.slept.append,
            rng=random.Random(1),
            **given,
        )

    def trouble(self, code: str, answers: int | None = None) -> None:
        httpx.put(f"{self.base}/outage", json={"code": code, "answers": answers}).raise_for_status()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with serve(create_app()) as base:
        yield base


@pytest.fixture
def served(sandbox: str) -> Iterator[Served]:
    yield Served(sandbox)
    httpx.delete(f"{sandbox}/outage")


def search(client: PdsClient, *params: tuple[str, str]) -> Any:
    return client.search(params, request_id=CALL, ods_code="Y90001")


def read(client: PdsClient, number: str) -> Any:
    return client.read(number, request_id=CALL, ods_code="Y90001")


def asking(who: Persona, **changes: str) -> list[tuple[str, str]]:
    params = {
        "family": who.family,
        "given": who.given,
        "birthdate": f"eq{who.birth_date}",
        "address-postalcode": who.postcode,
        "_history": "true",
        "_max-results": "1",
        **changes,
    }
    return [(name, value) for name, value in params.items() if value]


# What is found.


def test_one_match_has_a_record_and_a_score(served: Served) -> None:
    found = search(served.client(), *asking(person("typical")))
    assert isinstance(found, Found)
    assert (found.nhs_number, found.score) == (TYPICAL, 1.0)


def test_no_match_is_not_found_though_there_is_no_entry(served: Served) -> None:
    assert search(served.client(), *asking(person("typical"), family="Nobody")) == NotFound()


def test_too_many_matches_come_with_status_200(served: Served) -> None:
    assert search(served.client(), *asking(person("namesake_a"))) == TooMany()
    assert search(served.client(None), *asking(person("namesake_a"))) == TooMany()


def test_a_restricted_patient_is_not_found_by_postcode_and_is_by_name(served: Served) -> None:
    who = person("restricted")
    assert search(served.client(), *asking(who)) == NotFound()
    found = search(served.client(), *asking(who, **{"address-postalcode": ""}))
    assert found.record["meta"]["security"][0]["code"] == "R"


def test_a_superseded_number_gives_the_record_that_stands(served: Served) -> None:
    found = read(served.client(), person("superseded_old").nhs_number)
    assert found.nhs_number == person("superseded_new").nhs_number


@pytest.mark.parametrize("key", ["typical", "deceased", "death_withdrawn", "minimal", "restricted"])
def test_any_record_can_be_read(served: Served, key: str) -> None:
    assert read(served.client(), person(key).nhs_number).nhs_number == person(key).nhs_number


# Every row of the error table.


def test_404_resource_not_found(served: Served) -> None:
    assert read(served.client(), "9111231130") == NotFound()


def test_404_invalidated_resource(served: Served) -> None:
    number = person("invalidated").nhs_number
    assert read(served.client(), number) == NotFound(invalidated=True)


@pytest.mark.parametrize("number", ["9000000000", "", "1/../x", "٩٩٩٠٠٠١٠٠٦", "999 000 1006"])
def test_400_invalid_resource_id_is_not_even_asked(served: Served, number: str) -> None:
    assert read(served.client(), number) == NotFound()
    assert served.sent == []


@pytest.mark.parametrize(
    ("params", "spine"),
    [
        ([], "UNSUPPORTED_SERVICE"),
        ([("family", "Sharma")], "MISSING_VALUE"),
        ([("birthdate", "eq1984-03-12")], "INVALID_SEARCH_DATA"),
        ([("family", "Sharma"), ("birthdate", "1984")], "INVALID_VALUE"),
        (
            [("family", "Sharma"), ("birthdate", "1984-03-12"), ("age", "9")],
            "ADDITIONAL_PROPERTIES",
        ),
        (
            [
                ("family", "Sha*"),
                ("given", "P"),
                ("birthdate", "1984-03-12"),
                ("_fuzzy-match", "true"),
            ],
            "INVALID_SEARCH_DATA",
        ),
    ],
)
def test_400_is_final(served: Served, params: list[tuple[str, str]], spine: str) -> None:
    with pytest.raises(Refused, match=spine) as refused:
        search(served.client(), *params)
    assert refused.value.code == "pds-400"
    assert len(served.sent) == 1


def test_400_unsupported_request(served: Served) -> None:
    client = pds(f"{served.base}{BASE_PATH}/Elsewhere", auth=FixedBearer("any"))
    with pytest.raises(Refused, match="UNSUPPORTED_REQUEST"):
        search(client, ("family", "Sharma"))


def test_401_access_denied(served: Served) -> None:
    registered = create_app(applications={"app": None})
    with serve(registered) as base, pytest.raises(Refused, match="ACCESS_DENIED") as refused:
        read(pds(base + BASE_PATH, auth=FixedBearer("wrong")), TYPICAL)
    assert refused.value.code == "pds-401"


def test_403_more_than_one_result(served: Served) -> None:
    with pytest.raises(Refused) as refused:
        search(served.client(), *asking(person("typical"), **{"_max-results": "2"}))
    assert refused.value.code == "pds-mode"
    assert served.sent == []


@pytest.mark.parametrize(
    ("spine", "status"),
    [
        ("UNABLE_TO_CALL_SERVICE", 408),
        ("TOO_MANY_REQUESTS", 429),
        ("UNKNOWN_ERROR", 500),
    ],
)
def test_trouble_that_passes_is_tried_again_with_the_same_request_id(
    served: Served, spine: str, status: int
) -> None:
    served.trouble(spine, answers=TRIES - 1)
    assert read(served.client(), TYPICAL).nhs_number == TYPICAL
    assert len(served.sent) == TRIES
    assert {request.headers["x-request-id"] for request in served.sent} == {str(CALL)}
    assert len(served.slept) == TRIES - 1
    assert served.slept[1] > served.slept[0] > 0


@pytest.mark.parametrize(
    ("spine", "status"),
    [
        ("UNABLE_TO_CALL_SERVICE", 408),
        ("TOO_MANY_REQUESTS", 429),
        ("UNKNOWN_ERROR", 500),
        ("SERVICE_UNAVAILABLE", 503),
    ],
)
def test_trouble_that_stays_is_for_later(served: Served, spine: str, status: int) -> None:
    served.trouble(spine)
    with pytest.raises(TryLater, match=spine) as later:
        search(served.client(), *asking(person("typical")))
    assert later.value.code == f"pds-{status}"
    assert later.value.after == (5 if status == 503 else None)


def test_503_waits_as_long_as_pds_says_where_there_is_patience(served: Served) -> None:
    served.trouble("SERVICE_UNAVAILABLE", answers=1)
    assert read(served.client(patience=10), TYPICAL).nhs_number == TYPICAL
    assert served.slept == [5]


def test_without_patience_it_is_left_to_the_caller(served: Served) -> None:
    served.trouble("SERVICE_UNAVAILABLE", answers=1)
    with pytest.raises(TryLater):
        read(served.client(patience=1), TYPICAL)
    assert (len(served.sent), served.slept) == (1, [])


def test_two_applications_that_back_off_do_not_do_it_in_step() -> None:
    waits = set()
    for seed in range(5):
        slept: list[float] = []
        with respx.mock:
            respx.get(url__startswith=FAKE).respond(429)
            client = pds(FAKE, sleep=slept.append, rng=random.Random(seed))
            with pytest.raises(TryLater):
                read(client, TYPICAL)
        waits.add(slept[0])
    assert len(waits) == 5
    assert all(0.25 <= wait <= 0.5 for wait in waits)


# Headers and parameters.


def test_every_call_says_who_asks_for_whom(served: Served) -> None:
    search(served.client(), *asking(person("typical")))
    [request] = served.sent
    assert request.headers["authorization"] == "Bearer any"
    assert request.headers["x-request-id"] == str(CALL)
    assert request.headers["nhsd-end-user-organisation-ods"] == "Y90001"
    assert request.headers["accept"] == "application/fhir+json"
    assert "nhsd-session-urid" not in request.headers


def test_parameters_are_encoded_and_repeated(served: Served) -> None:
    search(
        served.client(),
        ("family", "O'Connor"),
        ("given", "John Paul"),
        ("given", "Jam*"),
        ("birthdate", "ge1970-01-01"),
        ("birthdate", "le1980-01-01"),
    )
    [request] = served.sent
    query = request.url.query.decode()
    assert "given=John+Paul&given=Jam%2A" in query
    assert "birthdate=ge1970-01-01&birthdate=le1980-01-01" in query


def test_a_mode_that_may_not_search_does_not_call(served: Served) -> None:
    client = served.client(mode=PatientAccess(TYPICAL))
    with pytest.raises(Refused):
        search(client, *asking(person("typical")))
    assert served.sent == []
    assert read(client, TYPICAL).nhs_number == TYPICAL


def test_the_public_sandbox_without_an_example_is_no_answer(served: Served) -> None:
    with pytest.raises(Refused) as refused:
        search(served.client(None), ("family", "Zebedee"), ("birthdate", "1990-01-01"))
    assert refused.value.code == "pds-no-example"


# Faults.


def outcome(code: str, content_type: str = "application/fhir+json") -> httpx.Response:
    coding = {"system": SPINE_CODES, "code": code}
    body = {"resourceType": "OperationOutcome", "issue": [{"details": {"coding": [coding]}}]}
    return httpx.Response(404, content=json.dumps(body), headers={"content-type": content_type})


def breaking(_: httpx.Request) -> httpx.Response:
    def body() -> Iterator[bytes]:
        yield b'{"resourceType": "Pat'
        raise httpx.ReadTimeout("the line went dead")

    return httpx.Response(200, stream=Streamed(body))


class Streamed(httpx.SyncByteStream):
    def __init__(self, body: Callable[[], Iterator[bytes]]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._body()


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("no route"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("silence"),
        httpx.RemoteProtocolError("closed"),
        breaking,
        httpx.Response(200, content=b'{"resourceType": "Bundle", "entry": [{"resour'),
        httpx.Response(200, text="<html>Sign in</html>", headers={"content-type": "text/html"}),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"\xff\xfe\x00"),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(200, content=b" " * 2_000_001),
        httpx.Response(502, text="Bad gateway"),
        httpx.Response(504, text="<html>"),
    ],
)
def test_a_broken_line_or_answer_is_tried_again(fault: Any) -> None:
    with respx.mock:
        answers = [fault, httpx.Response(200, json={"resourceType": "Patient", "id": TYPICAL})]
        if callable(fault):
            numbered = iter([breaking, lambda _: answers[1]])
            route = respx.get(url__startswith=FAKE).mock(side_effect=lambda r: next(numbered)(r))
        else:
            route = respx.get(url__startswith=FAKE).mock(side_effect=answers)
        client = pds(FAKE, sleep=lambda _: None)
        assert read(client, TYPICAL).nhs_number == TYPICAL
    assert {call.request.headers["x-request-id"] for call in route.calls} == {str(CALL)}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"resourceType": "Bundle", "total": 0}, NotFound()),
        ({"resourceType": "Bundle", "total": 1, "entry": [{}]}, NotFound()),
        ({"resourceType": "Bundle", "entry": {"resource": {"id": "1"}}}, NotFound()),
        ({"resourceType": "Bundle", "entry": [None, "x", {"resource": {"id": 5}}]}, NotFound()),
        (
            {"resourceType": "Bundle", "entry": [{"resource": {"id": "1"}}] * 2},
            TooMany(),
        ),
        (
            {"resourceType": "Bundle", "new": 1, "entry": [{"resource": {"id": "1", "x": {}}}]},
            Found({"id": "1", "x": {}}),
        ),
        (
            {
                "resourceType": "Bundle",
                "entry": [{"resource": {"id": "1"}, "search": {"score": "high"}}],
            },
            Found({"id": "1"}),
        ),
    ],
)
def test_answers_are_read_leniently(body: dict[str, Any], expected: object) -> None:
    with respx.mock:
        respx.get(url__startswith=FAKE).respond(200, json=body)
        assert search(pds(FAKE), ("family", "x")) == expected


@pytest.mark.parametrize("body", [{"resourceType": "Patient"}, {}, [], "x", None, 5])
def test_something_else_is_refused_and_not_guessed_at(body: Any) -> None:
    with respx.mock:
        respx.get(url__startswith=FAKE).respond(200, content=json.dumps(body))
        with pytest.raises(Refused):
            search(pds(FAKE), ("family", "x"))


@pytest.mark.parametrize(
    "content_type", ["application/fhir+json", "application/json", "text/plain"]
)
def test_errors_are_read_in_any_content_type(content_type: str) -> None:
    with respx.mock:
        respx.get(url__startswith=FAKE).mock(
            side_effect=[outcome("INVALIDATED_RESOURCE", content_type)]
        )
        assert read(pds(FAKE), TYPICAL) == NotFound(invalidated=True)


def test_a_404_that_is_not_from_pds_does_not_say_that_nobody_is_there() -> None:
    with respx.mock:
        respx.get(url__startswith=FAKE).respond(404, text="no such site")
        with pytest.raises(Refused):
            read(pds(FAKE), TYPICAL)


@pytest.mark.parametrize(
    ("header", "after"), [("7", 7.0), ("Fri, 31 Dec 2199 23:59:59 GMT", 3600.0), ("soon", None)]
)
def test_retry_after_has_two_forms(header: str, after: float | None) -> None:
    with respx.mock:
        respx.get(url__startswith=FAKE).respond(503, headers={"Retry-After": header})
        with pytest.raises(TryLater) as later:
            read(pds(FAKE, sleep=lambda _: None), TYPICAL)
    assert later.value.after == after


def test_a_redirect_is_not_followed() -> None:
    with respx.mock:
        respx.get(url__startswith=FAKE).respond(
            302, headers={"location": "http://169.254.169.254/"}
        )
        with pytest.raises(Refused, match="302"):
            read(pds(FAKE), TYPICAL)


def test_what_went_wrong_says_nothing_of_the_patient() -> None:
    with respx.mock:
        respx.get(url__startswith=FAKE).mock(side_effect=httpx.ReadTimeout("Zzyzx"))
        with pytest.raises(TryLater) as later:
            search(pds(FAKE, sleep=lambda _: None), ("family", "Zzyzx"))
    assert "Zzyzx" not in str(later.value)


class Gate:
    """Notes what the client tells it."""

    def __init__(self, wait: float = 0.0) -> None:
        self.wait, self.said = wait, ""

    def admit(self) -> float:
        self.said += "a"
        return self.wait

    def succeeded(self) -> None:
        self.said += "s"

    def failed(self) -> None:
        self.said += "f"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([httpx.Response(404, json={})], "as"),
        ([httpx.Response(400, json={})], "as"),
        ([httpx.Response(503), httpx.Response(400, json={})], "afas"),
        ([httpx.ReadTimeout("x"), httpx.Response(400, json={})], "afas"),
        ([httpx.Response(200, text="<"), httpx.Response(400, json={})], "afas"),
        ([httpx.Response(429)] * 3, "afafaf"),
    ],
)
def test_every_try_passes_the_gate_and_every_failure_is_told(answers: list[Any], said: str) -> None:
    gate = Gate()
    with respx.mock:
        respx.get(url__startswith=FAKE).mock(side_effect=answers)
        with pytest.raises((Refused, TryLater)):
            read(pds(FAKE, gate=gate, sleep=lambda _: None), TYPICAL)
    assert gate.said == said


def test_a_turn_is_waited_for_but_not_for_ever() -> None:
    slept: list[float] = []
    with respx.mock:
        respx.get(url__startswith=FAKE).respond(json={"resourceType": "Patient", "id": TYPICAL})
        read(pds(FAKE, gate=Gate(0.5), sleep=slept.append), TYPICAL)
        assert slept == [0.5]
        with pytest.raises(TryLater):
            read(pds(FAKE, gate=Gate(9.0), sleep=slept.append), TYPICAL)
    assert slept == [0.5]
