"""FHIR clients that others wrote, at work against the demo that runs: fhirpy, fhirclient and
fhir-kit-client get a token, create, search, page, read a Task and update its status."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.running import RunningDemo
from tests.requirements import require

ROOT = Path(__file__).parents[2]
CANNOT_RUN_HERE = 69


@functools.cache
def build(peer: str) -> str:
    """Install a peer; why it cannot run on this machine, or ''."""
    command = [str(ROOT / "script" / "peer"), peer, "--build"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(), timeout=600
    )
    if done.returncode == CANNOT_RUN_HERE:
        return done.stderr.strip().splitlines()[-1]
    assert done.returncode == 0, done.stderr
    return ""


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PEER_PYTHON": sys.executable, **more}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with RunningDemo(tmp_path_factory.mktemp("clients")) as running:
        yield running


def at_work(demo: RunningDemo, peer: str, *arguments: str) -> dict[str, Any]:
    """What a client saw."""
    reason = build(peer)
    if reason:
        require("npm" if peer == "fhir-kit-client" else "pypi", reason)
    command = [sys.executable, "-m", "fhir_gateway", "client", "token", "--demo"]
    token = subprocess.run(
        [*command, "--data-dir", str(demo.data_dir)], capture_output=True, text=True, check=True
    ).stdout.strip()
    variables = environment(
        FHIR_BASE=demo.addresses["fhir"],
        TOKEN=token,
        RESPONSE=str(ROOT / "docs" / "examples" / "response.json"),
    )
    done = subprocess.run(
        [str(ROOT / "script" / "peer"), peer, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=variables,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.mark.parametrize(
    ("peer", "arguments"),
    [
        ("rest-clients", ["fhirpy"]),
        ("rest-clients", ["fhirclient"]),
        ("fhir-kit-client", []),
    ],
    ids=["fhirpy", "fhirclient", "fhir-kit-client"],
)
def test_a_client_of_others_works_on_an_inbox(
    demo: RunningDemo, peer: str, arguments: list[str]
) -> None:
    for _ in range(2):  # the second time there is more than one page
        seen = at_work(demo, peer, *arguments)
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", seen["reference"])
    assert seen["count"] == 1
    assert seen["paged"] >= 2
    assert seen["status"] == "in-progress"
    assert seen["missing"] == "not found"
    assert seen["refused"] == "Task.status"
    if peer == "fhir-kit-client":
        assert seen["version"] == "4.0.1"
        assert seen["token"].startswith(demo.addresses["fhir"])
        assert seen["populated"] == "QuestionnaireResponse"
        assert seen["batch"] == "200 OK"
    if arguments == ["fhirclient"]:
        assert seen["served"] is True
