"""Formats, parts and conditions of answers, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from lxml import etree

from fhir_gateway.fhir import check, exchange_xml
from tests.rest.conftest import NOW, Api
from tests.rest.people import patient, request, task

JSON = "application/fhir+json"
XML = "application/fhir+xml"


@pytest.fixture
def one(api: Api) -> Api:
    """One request."""
    api.keep(*request(1))
    return api


def kind(answer: httpx.Response) -> str:
    return answer.headers["content-type"].partition(";")[0]


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        (JSON, JSON),
        (f"{JSON}; fhirVersion=4.0", JSON),
        (XML, XML),
        ("application/xml", XML),
        ("text/xml", XML),
        (f"{XML};q=0.9, {JSON};q=0.1", XML),
        (f"{XML};q=0.1, */*;q=0.9", JSON),
        ("text/html, application/xml;q=0.5", XML),
        ("text/html,application/xhtml+xml,*/*;q=0.8", JSON),
    ],
)
def test_the_format_is_the_one_accepted(one: Api, accept: str | None, wanted: str) -> None:
    headers = {"Accept": accept} if accept else {}
    answer = one.get("/Patient/p1", headers=headers).raise_for_status()
    assert kind(answer) == wanted


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("json", JSON),
        ("xml", XML),
        ("application/fhir+xml", XML),
        ("application/fhir%2Bxml", XML),
        ("text/xml", XML),
    ],
)
def test_format_goes_before_accept(one: Api, given: str, wanted: str) -> None:
    answer = one.get(f"/Patient/p1?_format={given}", headers={"Accept": "text/html"})
    assert kind(answer.raise_for_status()) == wanted


@pytest.mark.parametrize("accept", ["text/html", "image/png", f"{JSON}; fhirVersion=3.0", "x"])
def test_another_format_is_not_acceptable(one: Api, accept: str) -> None:
    answer = one.get("/Patient/p1", headers={"Accept": accept})
    assert answer.status_code == 406
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert one.get("/Patient/p1?_format=turtle").status_code == 406


def test_xml_says_the_same_as_json(one: Api) -> None:
    for path in ("/Patient/p1", "/Task?_include=Task:*", "/metadata", "/Patient/p1/_history"):
        as_json = one.get(path).json()
        as_xml = exchange_xml.parse(one.get(path, headers={"Accept": XML}).content, strict=True)
        for bundle in (as_json, as_xml):
            bundle.pop("link", None)
        assert as_xml == as_json, path


def test_errors_come_in_the_format_of_the_client(one: Api) -> None:
    answer = one.get("/Patient/nobody", headers={"Accept": XML})
    assert (answer.status_code, kind(answer)) == (404, XML)
    assert exchange_xml.parse(answer.content)["issue"][0]["code"] == "not-found"


def test_pretty_is_for_people_in_both_formats(one: Api) -> None:
    assert "\n  " in one.get("/Patient/p1?_pretty=true").text
    assert "\n  <" in one.get("/Patient/p1?_pretty=true&_format=xml").text
    assert "\n" not in one.get("/Patient/p1").text


def test_a_summary_has_what_r4_says_and_is_marked(one: Api) -> None:
    whole = one.get("/QuestionnaireResponse/r1").json()
    part = one.get("/QuestionnaireResponse/r1?_summary=true").json()
    assert part["meta"]["tag"][-1]["code"] == "SUBSETTED"
    assert {"status", "subject", "questionnaire"} <= part.keys() <= whole.keys()
    assert [p for p in check.problems(part) if p["severity"] == "error"] == []


def test_parts_are_as_asked(one: Api) -> None:
    one.keep(
        patient(1, text={"status": "empty", "div": "<div xmlns='http://www.w3.org/1999/xhtml'/>"})
    )
    base = {"resourceType", "id", "meta"}
    assert one.get("/Patient/p1?_summary=text").json().keys() == base | {"text"}
    assert "text" not in one.get("/Patient/p1?_summary=data").json()
    assert one.get("/Patient/p1?_elements=birthDate").json().keys() == base | {"birthDate"}
    # What is mandatory stays.
    found = one.get("/Task/t1?_elements=owner").json()
    assert found.keys() == base | {"status", "intent", "owner"}


def test_parts_of_a_searchset_are_those_of_its_matches(one: Api) -> None:
    bundle = one.get("/Task?_include=Task:patient&_elements=status").json()
    by_type = {e["resource"]["resourceType"]: e["resource"] for e in bundle["entry"]}
    assert "for" not in by_type["Task"]
    assert "birthDate" in by_type["Patient"]


def test_what_a_client_has_is_not_sent_again(one: Api) -> None:
    answer = one.get("/Patient/p1")
    assert answer.headers["etag"] == 'W/"1"'
    assert answer.headers["last-modified"] == "Wed, 25 Nov 2026 09:30:00 GMT"
    for headers in (
        {"If-None-Match": 'W/"1"'},
        {"If-None-Match": '"7", W/"1"'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": answer.headers["last-modified"]},
    ):
        again = one.get("/Patient/p1", headers=headers)
        assert (again.status_code, again.content) == (304, b""), headers
        assert again.headers["etag"] == 'W/"1"'
    for headers in (
        {"If-None-Match": 'W/"2"'},
        {"If-Modified-Since": "Tue, 24 Nov 2026 09:30:00 GMT"},
        {"If-Modified-Since": "nonsense"},
    ):
        assert one.get("/Patient/p1", headers=headers).status_code == 200, headers


def test_versions_can_be_read_and_listed(one: Api) -> None:
    one.keep(patient(1, gender="other"), now=NOW.replace(hour=10))
    first = one.get("/Patient/p1/_history/1").json()
    assert (first["gender"], first["meta"]["versionId"]) == ("female", "1")
    assert one.get("/Patient/p1/_history/2").json()["gender"] == "other"
    for version in ("3", "0", "x", "99999999999999999999"):
        assert one.get(f"/Patient/p1/_history/{version}").status_code == 404
    history = one.get("/Patient/p1/_history").json()
    assert [p for p in check.problems(history) if p["severity"] == "error"] == []
    assert history["total"] == 2
    assert [e["resource"]["meta"]["versionId"] for e in history["entry"]] == ["2", "1"]
    assert [e["request"]["method"] for e in history["entry"]] == ["PUT", "POST"]
    since = one.get("/Patient/p1/_history?_since=2026-11-25T09:45:00Z").json()
    assert len(since["entry"]) == 1
    assert one.get("/Patient/p1/_history?_since=lately").status_code == 400
    assert one.get("/Patient/p1/_history?_count=x").status_code == 400


def test_a_history_is_paged(one: Api) -> None:
    for hour in range(10, 15):
        one.keep(task(1, description=str(hour)), now=NOW.replace(hour=hour))
    seen: list[Any] = []
    path = "/Task/_history?_count=2"
    while path:
        page = one.get(path).raise_for_status().json()
        seen += [entry["resource"]["meta"]["versionId"] for entry in page["entry"]]
        path = next((i["url"] for i in page["link"] if i["relation"] == "next"), "")
    assert seen == ["6", "5", "4", "3", "2", "1"]
    first = {link["relation"]: link["url"] for link in page["link"]}["first"]
    assert first.endswith("/Task/_history?_count=2")
    assert "first" not in str(one.get("/Task/_history").json()["link"])


def test_what_was_deleted_is_gone_and_not_found_by_searches(one: Api) -> None:
    from fhir_gateway.store import resources

    with one.database.transaction() as tx:
        assert resources.remove(tx, "Patient", "p1", now=NOW.replace(hour=11))
    gone = one.get("/Patient/p1")
    assert (gone.status_code, gone.json()["issue"][0]["code"]) == (410, "deleted")
    assert one.get("/Patient/p1/_history/2").status_code == 410
    assert one.get("/Patient/p1/_history/1").status_code == 200
    assert one.ids("/Patient") == []
    history = one.get("/Patient/p1/_history").json()
    assert "resource" not in history["entry"][0]
    assert one.ids("/Task?patient.gender=female") == []


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/Patient", "GET, HEAD"),
        ("DELETE", "/Patient/p1", "GET, HEAD"),
        ("GET", "/Patient/_search", "POST"),
        ("POST", "/metadata", "GET, HEAD"),
        ("GET", "/QuestionnaireResponse/$extract", "POST"),
        ("PUT", "/QuestionnaireResponse/r1/$extract", "GET, HEAD, POST"),
        ("PROPFIND", "/Patient", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
    ],
)
def test_a_method_that_is_not_served_is_told_which_are(
    one: Api, method: str, path: str, allow: str
) -> None:
    answer = one.request(method, path)
    told = ", ".join(sorted(answer.headers["allow"].split(", ")))
    assert (answer.status_code, told) == (405, allow)
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["code"] == "not-supported"


def test_head_is_get_without_a_body(one: Api) -> None:
    answer = one.request("HEAD", "/Patient/p1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/fhir+json", b'{"resourceType": "Patient"}', 400),
        ("application/fhir+json; charset=latin-1", b"{}", 415),
        ("application/fhir+json; fhirVersion=5.0", b"{}", 415),
        ("text/plain", b"{}", 415),
        ("application/fhir+xml", b"<a/>", 400),
        ("application/fhir+xml", b'<Patient xmlns="http://hl7.org/fhir"/>', 400),
        ("", b"{", 400),
        ("", b"<", 400),
    ],
)
def test_bodies_are_read_as_they_say(one: Api, content_type: str, body: bytes, status: int) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = one.request("POST", "/QuestionnaireResponse/$extract", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_the_description_describes_every_route(one: Api) -> None:
    description = json.loads(one.client.get("/openapi.json").content)
    statement = one.get("/metadata").json()["rest"][0]
    for resource in statement["resource"]:
        name = resource["type"]
        assert f"/{name}/{{id}}" in description["paths"]
        described = {p["name"] for p in description["paths"][f"/{name}"]["get"]["parameters"]}
        assert {p["name"] for p in resource["searchParam"]} <= described


def test_xml_that_is_written_is_well_formed(one: Api) -> None:
    root = etree.fromstring(one.get("/Task?_format=xml").content)
    assert etree.QName(root).namespace == "http://hl7.org/fhir"


def test_a_binary_is_its_content_unless_fhir_is_asked_for(one: Api) -> None:
    page = {
        "resourceType": "Binary",
        "id": "b1",
        "contentType": "text/html",
        "data": "PGI+aGk8L2I+",
    }
    one.keep(page)
    for accept in ("*/*", "text/html", "image/png"):
        answer = one.get("/Binary/b1", headers={"Accept": accept}).raise_for_status()
        assert (answer.content, kind(answer)) == (b"<b>hi</b>", "text/html")
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["content-security-policy"].startswith("sandbox")
    assert one.get("/Binary/b1", headers={"Accept": JSON}).json()["data"] == page["data"]
    assert kind(one.get("/Binary/b1?_format=xml")) == XML
    assert one.get("/Binary/b1", "RX9").status_code == 404


def test_an_older_binary_of_a_strange_kind_is_bytes(one: Api) -> None:
    one.keep({"resourceType": "Binary", "id": "b2", "contentType": "text/x\r\nA: b", "data": "!"})
    answer = one.get("/Binary/b2/_history/1").raise_for_status()
    assert kind(answer) == "application/octet-stream"
