"""Fixtures that more than one room of the tests uses."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from fhir_gateway import shipped
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.store.database import Database
from tests.databases import KINDS, fresh_database, migrated, postgresql_server
from tests.peers.hl7_validator.client import Hl7Validator, missing
from tests.requirements import require

QUESTIONNAIRES = Path(__file__).parents[1] / "questionnaires"
#: A small phone, and a desktop screen.
WIDTHS = {"phone": 390, "desktop": 1280}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def publish(folder: Path) -> Path:
    """Write the project's definitions as the gateway publishes them: Questionnaires assembled."""
    catalogue = Catalogue(shipped.read_resources(QUESTIONNAIRES))
    resources = [*catalogue.questionnaires()]
    for resource_type in ("ValueSet", "CodeSystem", "StructureDefinition"):
        resources.extend(catalogue.registry.of_type(resource_type))
    folder.mkdir(parents=True, exist_ok=True)
    for resource in resources:
        file = folder / f"{resource['resourceType']}-{resource['id']}.json"
        file.write_bytes(fhir_json.dump(resource))
    return folder


def ukcore_folder() -> Path | None:
    """The UK Core conformance resources among the reference data; None when there are none."""
    data = os.environ.get("FHIR_GATEWAY_REFERENCE_DATA")
    folder = Path(data) / "ukcore" if data else None
    return folder if folder and folder.is_dir() else None


@pytest.fixture(scope="session")
def hl7_validator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hl7Validator]:
    """The reference implementation's validator, with the project's Questionnaires loaded.

    Mark tests that use it with `java`. UK Core is loaded as well where it is at hand.
    """
    reason = missing()
    if reason:
        require("java", reason)
    published = publish(tmp_path_factory.mktemp("published"))
    folders = [folder for folder in (published, ukcore_folder()) if folder]
    run = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        run = run.parent  # the workers of one run share it, and with it the validator
    with Hl7Validator(folders, meeting_place=run / "hl7-validator") as validator:
        yield validator


@pytest.fixture(scope="session")
def ukcore_validator(hl7_validator: Hl7Validator) -> Hl7Validator:
    """The validator, in a run where UK Core's profiles are loaded."""
    if ukcore_folder() is None:
        require(
            "ukcore",
            "UK Core is not at hand: set FHIR_GATEWAY_REFERENCE_DATA to a folder with `ukcore` "
            "in it, the conformance resources of UK Core R4",
        )
    return hl7_validator


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server that all tests of this process share; make databases of your
    own on it (tests/databases.py). Mark tests that use it with `postgresql`."""
    with postgresql_server(tmp_path_factory.mktemp("postgresql")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, else Playwright's own."""
    with sync_playwright() as playwright:
        yield _launch(playwright)


def _launch(playwright: Playwright) -> Browser:
    try:
        return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
    except Error as error:
        require("browser", f"no Chromium could be started: {error.message.splitlines()[0]}")


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest) -> int:
    """Each journey is made on a phone and on a desktop."""
    return WIDTHS[request.param]


@pytest.fixture(params=KINDS)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A fresh database with its tables, once on SQLite and once on PostgreSQL."""
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgresql"))
    else:
        url = f"sqlite:///{tmp_path / 'test.db'}"
    database = migrated(url)
    yield database
    database.close()
