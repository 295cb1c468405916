"""The shipped suites against the real parts of this project that they are about.

What is not built yet is skipped by its CapabilityStatement, and said so; nothing may fail.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fhir_gateway import shipped
from fhir_gateway.app import build
from fhir_gateway.app import create_app as create_gateway
from fhir_gateway.auth.bearer import FixedBearer
from fhir_gateway.conformance import runs, suites
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import BAD, Outcome, Run
from fhir_gateway.sandbox.pds.app import BASE_PATH, create_app
from fhir_gateway.settings import Settings
from tests.serving import serve

#: What the suite sms-callbacks signs with, see its suite.json.
KEYS = {
    "notify_callback_token": "conformance-notify-token",
    "nhs_notify_application_id": "conformance-application",
    "nhs_notify_callback_key": "conformance-nhs-notify-key",
    "twilio_auth_token": "conformance-twilio-token",
}


def run(suite: str, target: str, token: str = "", **variables: str) -> Run:
    plan = runs.Plan(suites.find([suite], shipped.folder("conformance")), variables=variables)
    with Caller(target, auth=FixedBearer(token) if token else None) as caller:
        return runs.run(plan, {1: caller})


def bad(found: Run) -> list[tuple[str, str]]:
    return [(test.key, test.message) for test in found.tests() if test.outcome in BAD]


def skipped(found: Run) -> list[str]:
    return [test.key for test in found.tests() if test.outcome is Outcome.SKIP]


@contextmanager
def gateway(folder: Path, **settings: str) -> Iterator[str]:
    """A whole gateway that delivers nothing; its address."""
    public = "https://gateway.example.nhs.uk"
    built = build(Settings(data_dir=folder, base_url=public, **KEYS | settings))
    with serve(create_gateway(built, deliver=False)) as base:
        yield base


def test_the_sandbox_pds_behaves_as_published() -> None:
    with serve(create_app()) as base:
        found = run("pds-client-view", f"{base}{BASE_PATH}", "any")
    assert bad(found) == []
    assert skipped(found) == ["pds-client-view/headers/unknown-token"], "it takes any token"
    assert found.ok


def test_a_pds_in_trouble_is_noticed() -> None:
    with serve(create_app()) as base:
        httpx.put(f"{base}/outage", json={"code": "SERVICE_UNAVAILABLE"}).raise_for_status()
        found = run("pds-client-view", f"{base}{BASE_PATH}", "any")
    names = [key for key, _ in bad(found)]
    assert "pds-client-view/retrieve/found" in names
    assert "pds-client-view/search/none" in names
    assert found.counts()["pass"] < 10


def test_the_callbacks_take_what_providers_send(tmp_path: Path) -> None:
    with gateway(tmp_path) as base:
        found = run("sms-callbacks", f"{base}/callbacks")
    assert (bad(found), skipped(found)) == ([], [])
    assert found.ok


def test_callbacks_with_other_keys_are_noticed(tmp_path: Path) -> None:
    with gateway(tmp_path, **dict.fromkeys(KEYS, "another")) as base:
        found = run("sms-callbacks", f"{base}/callbacks")
    names = {key.partition("/")[2] for key, _ in bad(found)}
    assert {"govuk-notify/takes-delivered", "twilio/takes-delivered"} <= names
    assert "nhs-notify/takes-failed" in names
    assert "govuk-notify/wrong-token" not in names


@pytest.mark.parametrize("suite", ["questionnaire-forms", "gateway-api"])
def test_the_gateway_does_what_it_declares(suite: str, tmp_path: Path) -> None:
    with gateway(tmp_path) as base:
        found = run(suite, f"{base}/fhir/R4")
    assert bad(found) == []
    assert found.ok, "something was really run"


@pytest.mark.parametrize("suite", ["questionnaire-forms", "gateway-api"])
def test_a_client_of_the_demo_finds_all_that_is_declared(suite: str, tmp_path: Path) -> None:
    """With a token nothing of the suites is left out."""
    clients = pytest.importorskip("fhir_gateway.demo_clients", reason="the API takes no clients")
    command = [sys.executable, "-m", "fhir_gateway", "demo", "--port", "0", "--data-dir", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            fhir = _address(tmp_path / "demo.json", process)
            token = clients.fetch_token(fhir, tmp_path, clients.PORTAL)
            found = run(suite, fhir, token, service="rheumatology")
        finally:
            process.terminate()
    assert (bad(found), skipped(found)) == ([], [])


def _address(file: Path, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + 90
    while not file.is_file():
        assert process.poll() is None
        assert time.monotonic() < until, "the demo did not start"
        time.sleep(0.2)
    address: str = json.loads(file.read_text())["fhir"]
    return address
