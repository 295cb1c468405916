"""Headers, paths, methods and trouble: the error table, over HTTP."""

from __future__ import annotations

import concurrent.futures
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest

from fhir_gateway.sandbox.pds.app import BASE_PATH, create_app
from fhir_gateway.sandbox.pds.personas import person
from fhir_gateway.sandbox.pds.population import Population, create_population
from fhir_gateway.sandbox.pds.record import Record
from tests.sandbox.pds.client import Client, spine_code
from tests.serving import serve

TYPICAL = f"/Patient/{person('typical').nhs_number}"
SEARCH = {"family": "Sharma", "birthdate": "1984-03-12"}
ID = "60E0B220-8136-4CA5-AE46-1D97EF59D068"
PATHS = ("/Patient", TYPICAL, f"{TYPICAL}/RelatedPerson")


@pytest.fixture
def own() -> Iterator[Client]:
    """A sandbox that a test may bring into trouble."""
    with serve(create_app(population=create_population(0))) as url, httpx.Client(base_url=url) as h:
        yield Client(h)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "status", "code", "diagnostics"),
    [
        (
            {},
            400,
            "MISSING_VALUE",
            "Invalid request with error - X-Request-ID header must be supplied to access this"
            " resource",
        ),
        ({"X-Request-ID": ""}, 400, "MISSING_VALUE", ...),
        (
            {"X-Request-ID": "1234"},
            400,
            "INVALID_VALUE",
            "Invalid value - '1234' in header 'X-Request-ID'",
        ),
        ({"X-Request-ID": f"{ID}0"}, 400, "INVALID_VALUE", ...),
        ({"X-Request-ID": ID.replace("-", "")}, 400, "INVALID_VALUE", ...),
        (
            {"X-Request-ID": ID, "Authorization": ""},
            401,
            "ACCESS_DENIED",
            "Empty Authorization header",
        ),
        (
            {"X-Request-ID": ID, "Authorization": "Bearer"},
            401,
            "ACCESS_DENIED",
            "Missing access token",
        ),
        (
            {"X-Request-ID": ID, "Authorization": "Basic YTpi"},
            401,
            "ACCESS_DENIED",
            "Missing access token",
        ),
        ({"X-Request-ID": ID, "Authorization": "Bearer a b"}, 401, "ACCESS_DENIED", ...),
        # the request id is looked at first
        ({"Authorization": "Bearer"}, 400, "MISSING_VALUE", ...),
    ],
)
def test_a_wrong_header_is_refused_in_the_words_of_pds(
    pds: Client, path: str, headers: dict[str, str], status: int, code: str, diagnostics: object
) -> None:
    answer = pds.get(path, SEARCH if path == "/Patient" else {}, headers)
    assert answer.status_code == status
    assert spine_code(answer) == code
    assert answer.headers["content-type"] == "application/fhir+json"
    if diagnostics is not ...:
        assert answer.json()["issue"][0]["diagnostics"] == diagnostics


@pytest.mark.parametrize("given", [ID, ID.lower(), str(uuid.UUID(int=1))])
def test_any_uuid_is_a_request_id(pds: Client, given: str) -> None:
    assert pds.get(TYPICAL, headers={"X-Request-ID": given}).status_code == 200


def test_a_token_of_any_kind_is_let_in(pds: Client) -> None:
    headers = {"X-Request-ID": ID, "Authorization": "Bearer eyJ.a-b_c.d"}
    assert pds.get(TYPICAL, headers=headers).status_code == 200


@pytest.mark.parametrize("path", [*PATHS, "/Patient/1", "/metadata"])
def test_the_ids_of_a_request_are_repeated_whatever_the_answer(pds: Client, path: str) -> None:
    headers = {"X-Request-ID": ID, "X-Correlation-ID": "any text at all"}
    answer = pds.get(path, SEARCH if path == "/Patient" else {}, headers)
    assert answer.headers["x-request-id"] == ID
    assert answer.headers["x-correlation-id"] == "any text at all"


def test_a_wrong_request_id_is_repeated_too(pds: Client) -> None:
    answer = pds.get(TYPICAL, headers={"X-Request-ID": "1234"})
    assert answer.headers["x-request-id"] == "1234"
    assert "x-correlation-id" not in answer.headers


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("9000000000", 400, "INVALID_RESOURCE_ID"),
        ("999000100", 400, "INVALID_RESOURCE_ID"),
        ("999%20000%201006", 400, "INVALID_RESOURCE_ID"),
        ("abc", 400, "INVALID_RESOURCE_ID"),
        ("٩٩٩٠٠٠١٠٠٦", 400, "INVALID_RESOURCE_ID"),
        ("9111231130", 404, "RESOURCE_NOT_FOUND"),
        ("9990001308", 404, "RESOURCE_NOT_FOUND"),
    ],
)
def test_a_number_of_nobody_is_refused(pds: Client, number: str, status: int, code: str) -> None:
    for path in (f"/Patient/{number}", f"/Patient/{number}/RelatedPerson"):
        answer = pds.get(path)
        assert (answer.status_code, spine_code(answer)) == (status, code)
        assert "diagnostics" not in answer.json()["issue"][0]


def test_more_than_one_result_is_not_for_applications(pds: Client) -> None:
    answer = pds.get("/Patient", {**SEARCH, "_max-results": "2"})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/json"
    [issue] = answer.json()["issue"]
    assert issue["code"] == "token"
    assert issue["details"]["coding"][0]["code"] == "INVALID_VALUE"


def test_the_proxy_refuses_more_results_before_pds_reads_the_rest(pds: Client) -> None:
    assert pds.get("/Patient", {"year": "1999", "_max-results": "50"}).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "shown"),
    [
        ("GET", "/HelloWorld", "/HelloWorld"),
        ("GET", "/metadata", "/metadata"),
        ("GET", "/Patient/", "/Patient/"),
        ("GET", f"{TYPICAL}/Coverage", f"{TYPICAL}/Coverage"),
        ("GET", "/Coverage", "/Coverage"),
        ("DELETE", TYPICAL, TYPICAL),
        ("PUT", TYPICAL, TYPICAL),
        ("POST", "/Patient/_search", "/Patient/_search"),
    ],
)
def test_any_other_path_or_method_is_unsupported(
    pds: Client, method: str, path: str, shown: str
) -> None:
    answer = pds.http.request(method, BASE_PATH + path, headers={"X-Request-ID": ID})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert spine_code(answer) == "UNSUPPORTED_REQUEST"
    assert answer.json()["issue"][0]["diagnostics"] == f"Unsupported path - '{shown}'"


def test_paths_outside_the_api_are_unsupported_too(pds: Client) -> None:
    assert spine_code(pds.http.get("/docs")) == "UNSUPPORTED_REQUEST"


@pytest.mark.parametrize(
    ("method", "path", "display"),
    [
        ("PATCH", TYPICAL, "Cannot update resource with application-restricted access token"),
        ("POST", "/Patient", "Cannot create resource with application-restricted access token"),
    ],
)
def test_nothing_can_be_written(pds: Client, method: str, path: str, display: str) -> None:
    answer = pds.http.request(method, BASE_PATH + path, headers={"X-Request-ID": ID}, json={})
    assert answer.status_code == 403
    assert spine_code(answer) == "INVALID_METHOD"
    assert answer.json()["issue"][0]["details"]["coding"][0]["display"] == display


def test_there_is_no_rate_limit_unless_asked_for(pds: Client) -> None:
    assert {pds.get(TYPICAL).status_code for _ in range(30)} == {200}


def test_more_requests_than_the_limit_are_answered_429() -> None:
    app = create_app(population=create_population(0), requests_per_second=5)
    with serve(app) as url, httpx.Client(base_url=url) as http:
        client = Client(http)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: client.get(TYPICAL), range(12)))
        statuses = [answer.status_code for answer in answers]
        assert statuses.count(429) >= 2
        assert statuses.count(200) >= 5
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert spine_code(refused) == "TOO_MANY_REQUESTS"
        assert refused.headers["content-type"] == "application/json"
        assert "retry-after" not in refused.headers
        time.sleep(1.1)
        assert client.get(TYPICAL).status_code == 200


def test_a_limit_below_one_a_second_spaces_requests() -> None:
    app = create_app(population=create_population(0), requests_per_second=0.5)
    with serve(app) as url, httpx.Client(base_url=url) as http:
        client = Client(http)
        assert [client.get(TYPICAL).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("wrong", [0, -1])
def test_a_limit_must_be_more_than_nothing(wrong: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        create_app(population=create_population(0), requests_per_second=wrong)


@pytest.mark.parametrize(
    ("code", "status", "retry_after"),
    [
        ("UNABLE_TO_CALL_SERVICE", 408, None),
        ("TOO_MANY_REQUESTS", 429, None),
        ("UNKNOWN_ERROR", 500, None),
        ("SERVICE_UNAVAILABLE", 503, "5"),
    ],
)
def test_trouble_can_be_asked_for_and_ended(
    own: Client, code: str, status: int, retry_after: str | None
) -> None:
    assert own.http.put("/outage", json={"code": code}).status_code == 204
    for path in PATHS:
        answer = own.get(path, SEARCH if path == "/Patient" else {})
        assert (answer.status_code, spine_code(answer)) == (status, code)
        assert answer.headers.get("retry-after") == retry_after
    assert own.http.delete("/outage").status_code == 204
    assert own.get(TYPICAL).status_code == 200


def test_trouble_can_end_by_itself(own: Client) -> None:
    own.http.put("/outage", json={"code": "SERVICE_UNAVAILABLE", "answers": 2})
    assert [own.get(TYPICAL).status_code for _ in range(3)] == [503, 503, 200]


@pytest.mark.parametrize(
    "order",
    [{}, {"code": "TEAPOT"}, {"code": "UNKNOWN_ERROR", "answers": 0}, {"code": "UNKNOWN_ERROR\n"}],
)
def test_other_trouble_is_refused(own: Client, order: dict[str, object]) -> None:
    assert own.http.put("/outage", json=order).status_code == 422
    assert own.get(TYPICAL).status_code == 200


def test_a_failure_of_its_own_is_an_unknown_error() -> None:
    class Broken(Population):
        def standing(self, record: Record) -> Record:
            raise RuntimeError("the disk is gone")

    with (
        serve(create_app(population=Broken(create_population(0)))) as url,
        httpx.Client(base_url=url) as http,
    ):
        answer = Client(http).get(TYPICAL)
    assert answer.status_code == 500
    assert spine_code(answer) == "UNKNOWN_ERROR"
    assert "Message ID: " in answer.json()["issue"][0]["diagnostics"]
    assert "disk" not in answer.text
