"""The validator's process: when it starts, who shares it, and that it never stays behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.peers.hl7_validator.client import PEER, Hl7Validator, missing
from tests.peers.hl7_validator.sharing import joined
from tests.requirements import require

ROOT = Path(__file__).parents[2]
COMMAND = [*PEER, "--stop-with-stdin"]
HOLD_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from tests.peers.hl7_validator.sharing import joined

with joined(Path(sys.argv[1]), sys.argv[2:]) as address:
    print(address, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def java() -> None:
    reason = missing()
    if reason:
        require("java", reason)


def runs(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def has_ended(address: str) -> bool:
    deadline = time.monotonic() + 10
    while runs(address) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not runs(address)


@pytest.mark.java
@pytest.mark.usefixtures("java")
def test_users_who_meet_share_one_process_that_ends_with_the_last(tmp_path: Path) -> None:
    with joined(tmp_path, COMMAND) as first:
        with joined(tmp_path, COMMAND) as second:
            assert second == first
        assert runs(first)
    assert has_ended(first)


@pytest.mark.java
@pytest.mark.usefixtures("java")
def test_the_process_stays_when_the_user_who_started_it_leaves(tmp_path: Path) -> None:
    starter = joined(tmp_path, COMMAND)
    address = starter.__enter__()
    with joined(tmp_path, COMMAND):
        starter.__exit__(None, None, None)
        assert runs(address)
    assert has_ended(address)


@pytest.fixture
def killed_user(java: None, tmp_path: Path) -> str:
    """The address of a process whose only user has just been killed."""
    user = subprocess.Popen(
        [sys.executable, "-c", HOLD_UNTIL_KILLED, str(tmp_path), *COMMAND],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with user:
        assert user.stdout is not None
        address = user.stdout.readline().strip()
        assert runs(address)
        user.send_signal(signal.SIGKILL)
    return address


@pytest.mark.java
@pytest.mark.usefixtures("java")
def test_the_process_ends_when_its_user_is_killed_and_another_can_be_started(
    killed_user: str, tmp_path: Path
) -> None:
    assert has_ended(killed_user)
    with joined(tmp_path, COMMAND) as address:
        assert runs(address)


@pytest.mark.java
@pytest.mark.usefixtures("java")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.json", "{"),
        ("wrong.json", '{"resourceType": "ValueSet", "url": "https://x", "status": "lively"}'),
        ("nameless.json", '{"resourceType": "CodeSystem", "status": "active"}'),
        ("broken.xml", "<CodeSystem xmlns="),
    ],
)
def test_a_conformance_resource_that_cannot_be_read_stops_it(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(RuntimeError, match=name), Hl7Validator([tmp_path]):
        pass


def test_a_machine_without_java_is_told_what_to_install(tmp_path: Path) -> None:
    for tool in ("bash", "basename", "cat", "cksum", "dirname", "env", "mkdir", "sed"):
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / tool).symlink_to(found)
    done = subprocess.run(
        COMMAND,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 69
    assert "there is no java. On Debian or Ubuntu: sudo apt-get install" in done.stderr


def test_an_unknown_peer_is_answered_with_those_there_are() -> None:
    done = subprocess.run([PEER[0], "nobody"], capture_output=True, text=True, check=False)
    assert done.returncode == 64
    assert "hl7-validator" in done.stderr
