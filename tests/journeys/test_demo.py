"""The demo as a newcomer and as a script meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.journeys.running import RunningDemo

pytestmark = pytest.mark.xdist_group("journeys")


def selfcheck(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fhir_gateway", "demo", "--selfcheck"]
    return subprocess.run(
        [*command, "--data-dir", str(folder), *more], capture_output=True, text=True, timeout=180
    )


def test_the_selfcheck_sends_both_kinds_and_finds_them_right(demo: RunningDemo) -> None:
    done = selfcheck(demo.data_dir)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "medical: right" in done.stdout
    assert "admin: right" in done.stdout
    assert "WRONG" not in done.stdout


def test_the_selfcheck_speaks_json_for_scripts(demo: RunningDemo) -> None:
    done = selfcheck(demo.data_dir, "--json")
    results = json.loads(done.stdout)
    assert [result["kind"] for result in results] == ["medical", "admin"]
    assert all(result["right"] for result in results)
    assert all(result["reference"] for result in results)


def test_the_selfcheck_says_when_no_demo_runs(tmp_path: Path) -> None:
    done = selfcheck(tmp_path)
    assert done.returncode == 1
    assert "No demo runs" in done.stderr
    assert "fhir-gateway demo" in done.stderr


def test_demo_json_has_the_base_of_everything(demo: RunningDemo) -> None:
    addresses = json.loads((demo.data_dir / "demo.json").read_text())
    assert set(addresses) == {"gateway", "fhir", "pds", "epr", "phone", "token_command"}
    assert httpx.get(f"{addresses['fhir']}/metadata").json()["fhirVersion"] == "4.0.1"
    assert httpx.get(f"{addresses['epr']}/metadata").json()["fhirVersion"] == "4.0.1"
    headers = {"X-Request-ID": "c1ab3fba-6bae-4ba4-b257-5a87c44d4a91"}
    found = httpx.get(f"{addresses['pds']}/Patient/9990001006", headers=headers)
    assert found.json()["id"] == "9990001006"
    assert httpx.get(f"{addresses['phone']}/messages").status_code == 200


def test_its_api_is_tried_with_a_token_that_a_command_prints(demo: RunningDemo) -> None:
    command = json.loads((demo.data_dir / "demo.json").read_text())["token_command"].split()
    assert Path(command[0]).name == "fhir-gateway"

    def tasks(*more: str) -> httpx.Response:
        done = subprocess.run(
            [sys.executable, "-m", "fhir_gateway", *command[1:], *more],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        (token,) = done.stdout.split("\n")[:-1]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{demo.addresses['fhir']}/Task", headers=headers)

    assert tasks().json()["type"] == "searchset"
    assert tasks("--admin").status_code == 200
    assert httpx.get(f"{demo.addresses['fhir']}/Task").status_code == 401
    start = httpx.get(demo.addresses["gateway"], follow_redirects=True).text
    assert "client token --demo" in start


def test_the_start_page_leads_to_every_place_of_the_story(demo: RunningDemo) -> None:
    page = httpx.get(demo.addresses["gateway"], follow_redirects=True)
    assert page.status_code == 200
    for address in (demo.addresses["phone"], demo.addresses["epr"].removesuffix("/fhir")):
        assert address in page.text


def test_a_second_demo_on_the_same_port_says_so(demo: RunningDemo, tmp_path: Path) -> None:
    port = demo.addresses["gateway"].rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "fhir_gateway", "demo", "--port", port, "--data-dir", tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr
    assert "--port" in done.stderr


@pytest.mark.hazard("H08")
def test_no_log_line_holds_what_patients_typed(demo: RunningDemo) -> None:
    selfcheck(demo.data_dir)
    log = demo.log()
    assert "step" in log
    private = ("Priya", "Sharma", "LS6", "9990001006", "900101", "swollen", "1984-03")
    assert [word for word in private if word in log] == []
    assert not re.search(r"/r/[A-Za-z0-9_-]{22}|/requests/[0-9a-f]{16}", log)
