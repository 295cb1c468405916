"""The shipped suites against the real parts of this project that they are about.

What is not built yet is skipped by its CapabilityStatement, and said so; nothing may fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from fhir_gateway import shipped
from fhir_gateway.conformance import runs, suites
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import BAD, Outcome, Run
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest.app import create_fhir_app
from fhir_gateway.rest.callbacks import CallbackKeys, create_callback_app
from fhir_gateway.sandbox.pds.app import BASE_PATH, create_app
from fhir_gateway.store.database import Database
from fhir_gateway.store.seal import Sealer
from tests.conformance.mutation import Bearer
from tests.serving import serve

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
#: What the suite sms-callbacks signs with, see its suite.json.
KEYS = CallbackKeys(
    "conformance-notify-token",
    "conformance-application",
    "conformance-nhs-notify-key",
    "conformance-twilio-token",
)
Target = AbstractContextManager[str]


def run(suite: str, target: str, **variables: str) -> Run:
    plan = runs.Plan(suites.find([suite], shipped.folder("conformance")), variables=variables)
    with Caller(target, auth=Bearer()) as caller:
        return runs.run(plan, {1: caller})


def bad(found: Run) -> list[tuple[str, str]]:
    return [(test.key, test.message) for test in found.tests() if test.outcome in BAD]


def skipped(found: Run) -> list[str]:
    return [test.key for test in found.tests() if test.outcome is Outcome.SKIP]


@contextmanager
def callbacks(folder: Path, keys: CallbackKeys = KEYS) -> Iterator[str]:
    database = Database(f"sqlite:///{folder / 'gateway.db'}", Sealer([b"k" * 32]))
    database.migrate()
    public = "https://gateway.example.nhs.uk"
    try:
        app = create_callback_app(database, keys, base_url=public, clock=lambda: NOW)
        with serve(app) as base:
            yield f"{base}/callbacks"
    finally:
        database.close()


@contextmanager
def api() -> Iterator[str]:
    catalogue = Catalogue(shipped.read_resources(shipped.folder("questionnaires")))
    app = create_fhir_app(
        catalogue, base_url="https://gateway.example.nhs.uk/fhir/R4", clock=lambda: NOW
    )
    with serve(app) as base:
        yield f"{base}/fhir/R4"


def test_the_sandbox_pds_behaves_as_published() -> None:
    with serve(create_app()) as base:
        found = run("pds-client-view", f"{base}{BASE_PATH}")
    assert bad(found) == []
    assert skipped(found) == ["pds-client-view/headers/unknown-token"], "it takes any token"
    assert found.ok


def test_a_pds_in_trouble_is_noticed() -> None:
    with serve(create_app()) as base:
        httpx.put(f"{base}/outage", json={"code": "SERVICE_UNAVAILABLE"}).raise_for_status()
        found = run("pds-client-view", f"{base}{BASE_PATH}")
    names = [key for key, _ in bad(found)]
    assert "pds-client-view/retrieve/found" in names
    assert "pds-client-view/search/none" in names
    assert found.counts()["pass"] < 10


def test_the_callbacks_take_what_providers_send(tmp_path: Path) -> None:
    with callbacks(tmp_path) as base:
        found = run("sms-callbacks", base)
    assert (bad(found), skipped(found)) == ([], [])
    assert found.ok


def test_callbacks_with_other_keys_are_noticed(tmp_path: Path) -> None:
    other = CallbackKeys("another", "another", "another", "another")
    with callbacks(tmp_path, other) as base:
        found = run("sms-callbacks", base)
    names = {key.partition("/")[2] for key, _ in bad(found)}
    assert {"govuk-notify/takes-delivered", "twilio/takes-delivered"} <= names
    assert "nhs-notify/takes-failed" in names
    assert "govuk-notify/wrong-token" not in names


@pytest.mark.parametrize("suite", ["questionnaire-forms", "gateway-api"])
def test_the_gateway_does_what_it_declares(suite: str) -> None:
    make: Callable[[], Target] = api
    with make() as base:
        found = run(suite, base)
    assert bad(found) == []
    assert found.ok, "something was really run"
