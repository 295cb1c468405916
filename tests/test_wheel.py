"""What an installed wheel carries: it runs the demo in an empty folder, without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", folder, ROOT], check=True, timeout=300)
    return next(folder.glob("*.whl"))


def test_the_wheel_carries_all_that_the_gateway_needs(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "fhir_gateway/shipped/questionnaires/Questionnaire-pifu-medical.json",
        "fhir_gateway/shipped/mappings/uk-core-transaction/manifest.toml",
        "fhir_gateway/shipped/mappings/document/DocumentReference.json",
        "fhir_gateway/shipped/mappings/examples/medical-me-matched.response.json",
        "fhir_gateway/mapping/fonts/NotoSans_400Regular.ttf",
        "fhir_gateway/web/static/nhsuk/nhsuk-frontend.min.css",
        "fhir_gateway/web/templates/question.jinja",
        "fhir_gateway/store/migrations/versions/0001_first_tables.py",
        "fhir_gateway/sandbox/overview/service.json",
    ):
        assert needed in names
    assert not [name for name in names if name.startswith("tests/")]


def test_the_demo_of_the_wheel_checks_itself_in_an_empty_folder(
    wheel: Path, tmp_path: Path
) -> None:
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    empty = tmp_path / "empty"
    empty.mkdir()
    # Before the editable install of the checkout, so that the wheel's package is the one that runs.
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "fhir_gateway", "demo", "--data-dir", "data"]
    where = "import fhir_gateway; print(fhir_gateway.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where], cwd=empty, env=environment, capture_output=True, text=True
    )
    assert str(installed) in found.stdout
    running = subprocess.Popen(
        [*command, "--port", "0"], cwd=empty, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            if (empty / "data" / "demo.json").exists():
                break
            assert running.poll() is None
            subprocess.run([sys.executable, "-c", "import time; time.sleep(0.1)"], check=True)
        done = subprocess.run(
            [*command, "--selfcheck"],
            cwd=empty,
            env=environment,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        running.terminate()
        running.wait(timeout=30)
