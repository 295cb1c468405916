"""The app as a whole: restarts, registered patients, media types, limits, and what is not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.bundle import transaction
from fhir_gateway.fhir.check import problems
from fhir_gateway.fhir.identifiers import NHS_NUMBER
from fhir_gateway.sandbox.epr.app import create_app
from tests.sandbox.epr.request_bundle import patient, request_bundle

Start = Callable[..., AbstractContextManager[httpx.Client]]


def _all(epr: httpx.Client) -> list[Any]:
    types = "Patient ServiceRequest QuestionnaireResponse Task Provenance".split()
    found: list[Any] = []
    for name in types:
        bundle = epr.get(f"/fhir/{name}").json()
        found += [entry["resource"] for entry in bundle.get("entry", [])]
    return found


def test_everything_survives_a_restart(start: Start, tmp_path: Path) -> None:
    storage = tmp_path / "epr.sqlite"
    bundle = request_bundle("PF-1")
    with start(storage=storage) as epr:
        epr.post("/fhir", json=bundle).raise_for_status()
        before = _all(epr)
        deleted = epr.post("/fhir/Patient", json=patient("9990000026")).json()["id"]
        epr.delete(f"/fhir/Patient/{deleted}")

    with start(storage=storage) as epr:
        assert _all(epr) == before
        assert epr.get(f"/fhir/Patient/{deleted}").status_code == 410
        assert "PF-1" in epr.get("/").text
        answer = epr.post("/fhir", json=bundle).json()
        statuses = [entry["response"]["status"] for entry in answer["entry"]]
        assert statuses[:4] == ["200 OK"] * 4, "the criteria still find what was created"


def test_without_a_storage_nothing_stays(start: Start) -> None:
    with start() as epr:
        epr.post("/fhir/Patient", json=patient()).raise_for_status()
    with start() as epr:
        assert epr.get("/fhir/Patient").json()["total"] == 0


def test_patients_are_registered_once(start: Start, tmp_path: Path) -> None:
    storage = tmp_path / "epr.sqlite"
    with start(storage=storage, patients=[patient(), patient("9990000026")]) as epr:
        there = epr.get("/fhir/Patient").json()
        assert there["total"] == 2

    people = [patient(family="Changed"), patient("9990000026"), patient("9990000034")]
    with start(storage=storage, patients=people) as epr:
        assert epr.get("/fhir/Patient").json()["total"] == 3
        assert epr.get("/fhir/Patient?family=changed").json()["total"] == 0
        number = f"{NHS_NUMBER}|9990000018"
        again = epr.get("/fhir/Patient", params={"identifier": number}).json()
        assert again["entry"][0]["resource"] in [entry["resource"] for entry in there["entry"]]


@pytest.mark.parametrize(
    "person", [patient(None), {**patient(), "birthDate": "soon"}, {"resourceType": "Device"}]
)
def test_a_patient_that_cannot_be_registered_is_refused(person: Any) -> None:
    with pytest.raises(Refused):
        create_app(patients=[person])


def test_a_file_that_is_not_a_storage_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("Dear patient, " * 100)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE own (id)")
    connection.close()

    for path in (text, other, tmp_path / "missing" / "epr.sqlite"):
        with pytest.raises(Refused) as refused:
            create_app(storage=path)
        assert refused.value.code == "storage-refused"
    assert text.read_text().startswith("Dear patient")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/fhir+json; fhirVersion=4.0", 200),
        ("application/json", 200),
        ("*/*", 200),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200),
        ("application/fhir+xml", 406),
        ("application/fhir+json; fhirVersion=3.0", 406),
        ("application/fhir+json;q=0.0, text/plain", 406),
        ("", 406),
    ],
)
def test_only_json_is_answered(epr: httpx.Client, accept: str, status: int) -> None:
    response = epr.get("/fhir/metadata", headers={"Accept": accept})

    assert response.status_code == status
    assert response.headers["content-type"] == "application/fhir+json;charset=utf-8"
    assert problems(response.json()) == []


@pytest.mark.parametrize(
    ("wanted", "status"),
    [("json", 200), ("application/fhir+json", 200), ("application/fhir%2Bjson", 200), ("xml", 406)],
)
def test_the_format_parameter_goes_before_the_header(
    epr: httpx.Client, wanted: str, status: int
) -> None:
    headers = {"Accept": "application/fhir+xml"}

    assert epr.get(f"/fhir/metadata?_format={wanted}", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/fhir+json", 201),
        ("application/json", 201),
        ("application/fhir+json; charset=UTF-8; fhirVersion=4.0", 201),
        ("application/fhir+json; fhirVersion=5.0", 415),
        ("application/json; charset=latin-1", 415),
        ("application/fhir+xml", 415),
        ("text/plain", 415),
        ("", 415),
    ],
)
def test_only_json_is_read(epr: httpx.Client, content_type: str, status: int) -> None:
    response = epr.post("/fhir/Patient", json=patient(), headers={"Content-Type": content_type})

    assert response.status_code == status
    if status == 415:
        assert response.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"resourceType": "Patient", "resourceType": "Patient"}',
        b'{"resourceType": "Patient", "gender": NaN}',
        b"\xff\xfe",
        b"[" * 1000 + b"]" * 1000,
        b'{"resourceType": "Patient", "gender": "\\ud800"}',
    ],
)
def test_what_is_not_json_is_refused(epr: httpx.Client, content: bytes) -> None:
    response = epr.post("/fhir/Patient", content=content)

    assert response.status_code == 400
    assert response.json()["issue"][0]["code"] == "structure"


def test_a_body_over_the_limit_is_refused(epr: httpx.Client) -> None:
    long_name = patient() | {"name": [{"text": "x" * 2_000_000}]}

    response = epr.post("/fhir/Patient", json=long_name)

    assert response.status_code == 413
    assert response.json()["issue"][0]["code"] == "too-long"
    assert epr.post("/tasks/1/status", content=b"x" * 2_000_001).status_code == 413


def test_a_large_body_within_the_limit_is_stored_and_read_back(epr: httpx.Client) -> None:
    people = [
        {
            "resource": {"resourceType": "Binary", "contentType": "text/plain", "data": "eA==" * n},
            "request": {"method": "POST", "url": "Binary"},
        }
        for n in (300_000, 150_000)
    ]

    answer = epr.post("/fhir", json=transaction(people)).json()

    for entry, sent in zip(answer["entry"], people, strict=True):
        stored = epr.get(f"/fhir/{entry['response']['location']}").json()
        assert stored["data"] == sent["resource"]["data"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/fhir"),
        ("PATCH", "/fhir/Patient/1"),
        ("PUT", "/fhir/Patient"),
        ("DELETE", "/fhir/Patient"),
        ("POST", "/fhir/metadata/x"),
    ],
)
def test_methods_that_are_not_supported_are_named_so(
    epr: httpx.Client, method: str, path: str
) -> None:
    response = epr.request(method, path)

    assert response.status_code == 405
    assert response.json()["issue"][0]["code"] == "not-supported"
    assert response.headers["allow"]


def test_a_pretty_answer_is_indented(epr: httpx.Client) -> None:
    there = epr.post("/fhir/Patient", json=patient()).json()

    plain = epr.get(f"/fhir/Patient/{there['id']}")
    pretty = epr.get(f"/fhir/Patient/{there['id']}?_pretty=true")

    assert "\n" not in plain.text
    assert pretty.text.startswith('{\n  "resourceType": "Patient"')
    assert pretty.json() == plain.json()


def test_a_defect_is_answered_without_details(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("fhir_gateway.sandbox.epr.interactions.read", broken)
    monkeypatch.setattr("fhir_gateway.sandbox.epr.pages.read_case", broken)
    with start() as epr:
        fhir, page = epr.get("/fhir/Patient/1"), epr.get("/tasks/1")

    assert fhir.status_code == page.status_code == 500
    assert fhir.json()["issue"][0]["code"] == "exception"
    assert "there is a problem" in page.text
    assert "secret" not in fhir.text + page.text
    assert fhir.headers["x-content-type-options"] == page.headers["x-content-type-options"]


def test_every_answer_carries_the_security_headers(epr: httpx.Client) -> None:
    for path in ("/", "/fhir/metadata", "/nowhere"):
        headers = epr.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
