"""Commands that run on, as processes: they start, say where they are, and stop in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Run
from tests.ports import kept_port
from tests.serving import free_socket

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `fhir-gateway ARGUMENTS` and waits for a line that begins with `until`."""
    started: list[subprocess.Popen[str]] = []
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FHIR_GATEWAY_")}
    environment["FHIR_GATEWAY_DATA_DIR"] = str(tmp_path / "data")

    def run(*arguments: object, until: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "fhir_gateway", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(until):
                return process
        raise AssertionError(f"it ended with {process.wait()}")

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def answer(url: str) -> httpx.Response:
    transport = httpx.HTTPTransport(retries=8)
    with httpx.Client(transport=transport, timeout=30) as http:
        return http.get(url)


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    return process.returncode


def test_the_gateway_serves_and_stops_in_order(start: Start) -> None:
    port = kept_port()
    process = start("serve", "--port", port, "--no-worker", until="Patients reach this gateway")
    assert answer(f"http://127.0.0.1:{port}/healthz").status_code == 200
    assert answer(f"http://127.0.0.1:{port}/fhir/R4/metadata").json()["fhirVersion"] == "4.0.1"
    assert stop(process) in (0, -signal.SIGINT, 130)


def test_a_worker_delivers_until_it_is_told_to_stop(start: Start) -> None:
    process = start("worker", until="Delivering as")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("pds", "/"),
        ("epr", "/fhir/metadata"),
        ("phone", "/messages"),
    ],
)
def test_each_stand_in_runs_alone(start: Start, name: str, path: str) -> None:
    port = kept_port()
    first = {"pds": "PDS at", "epr": "FHIR at", "phone": "Template:"}[name]
    process = start("sandbox", name, "--port", port, until=first)
    assert answer(f"http://127.0.0.1:{port}{path}").status_code == 200
    assert stop(process) in (0, -signal.SIGINT, 130)


@pytest.mark.parametrize(
    "command", [("serve",), ("sandbox", "pds"), ("sandbox", "epr"), ("sandbox", "phone"), ("demo",)]
)
def test_a_port_that_is_taken_is_said(run: Run, command: tuple[str, ...]) -> None:
    with free_socket() as taken:
        taken.listen()
        port = taken.getsockname()[1]
        done = run(*command, "--port", port)
    assert done.exit_code == 1
    assert f"Port {port} is in use. Choose another with --port." in done.stderr


@pytest.mark.parametrize("port", ["70000", "-1", "many"])
@pytest.mark.parametrize("command", [("sandbox", "epr"), ("demo",)])
def test_a_port_that_is_none_is_a_usage_error(
    run: Run, command: tuple[str, ...], port: str
) -> None:
    assert run(*command, f"--port={port}").exit_code == 2


def test_an_address_that_is_not_of_this_machine_is_said(run: Run) -> None:
    done = run("sandbox", "epr", "--host", "192.0.2.1", "--port", kept_port())
    assert done.exit_code == 1
    assert "cannot be listened on" in done.stderr


def test_a_selfcheck_of_a_demo_that_is_gone_says_so(run: Run, tmp_path: Path) -> None:
    gone = dict.fromkeys(("gateway", "fhir", "pds", "epr", "phone"), "http://127.0.0.1:9")
    (tmp_path / "demo.json").write_text(json.dumps(gone))
    done = run("demo", "--selfcheck", "--data-dir", tmp_path)
    assert done.exit_code == 1
    assert "The demo does not answer" in done.stderr


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"gateway": "http://127.0.0.1:9"}'])
def test_a_broken_demo_json_says_that_no_demo_runs(run: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "demo.json").write_text(content)
    done = run("demo", "--selfcheck", "--data-dir", tmp_path)
    assert done.exit_code == 1
    assert "No demo runs with the data folder" in done.stderr
