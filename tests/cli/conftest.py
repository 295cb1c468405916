"""Commands run in this process, in an empty folder, with settings of their own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from fhir_gateway import shipped
from fhir_gateway.cli.root import app
from fhir_gateway.sandbox import overview
from fhir_gateway.sandbox.epr.app import create_app as create_epr
from fhir_gateway.sandbox.phone.app import TEMPLATE_ID, api_key
from fhir_gateway.sandbox.phone.app import create_app as create_phone
from tests.serving import serve

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `fhir-gateway ARGUMENTS`; the result has exit_code, stdout and stderr."""
    for name in [name for name in os.environ if name.startswith("FHIR_GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FHIR_GATEWAY_DATA_DIR", str(tmp_path / "data"))

    def invoke(*arguments: object) -> Result:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return invoke


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """Runs a command that must succeed with --json, and reads what it printed."""

    def invoke(*arguments: object) -> Any:
        done = run(*arguments, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return invoke


@pytest.fixture(scope="session")
def epr() -> Iterator[str]:
    """The base of a sandbox EPR."""
    with serve(create_epr()) as address:
        yield f"{address}/fhir"


@pytest.fixture(scope="session")
def phone_server() -> Iterator[str]:
    """The base of a sandbox phone."""
    with serve(create_phone()) as address:
        yield address


@pytest.fixture
def phone(phone_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The gateway is set up to text through the sandbox phone."""
    monkeypatch.setenv("FHIR_GATEWAY_NOTIFY_BASE_URL", phone_server)
    monkeypatch.setenv("FHIR_GATEWAY_NOTIFY_API_KEY", api_key())
    monkeypatch.setenv("FHIR_GATEWAY_NOTIFY_TEMPLATE_ID", TEMPLATE_ID)
    return phone_server


@pytest.fixture
def service_file(tmp_path: Path, epr: str) -> Path:
    """The demo's service, which delivers to the sandbox EPR."""
    bundle = shipped.read_resource(Path(overview.__file__).parent / "service.json")
    bundle["entry"][2]["resource"]["address"] = epr
    file = tmp_path / "service.json"
    file.write_text(json.dumps(bundle))
    return file


@pytest.fixture
def service(run: Run, service_file: Path) -> str:
    """The short name of a service that was imported."""
    assert run("service", "import", service_file).exit_code == 0
    return "rheumatology"
