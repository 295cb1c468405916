"""The benchmark runs, repeats, and would notice a policy that is not safe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "matching.py"


def run(folder: Path, *options: str) -> tuple[str, dict[str, Any]]:
    plot = folder / "matching.svg"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--submissions", "250", "--plot", str(plot), *options],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert plot.read_text().startswith("<svg")
    return done.stdout, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.hazard("H03")
def test_nobody_is_matched_to_a_wrong_record(tmp_path: Path) -> None:
    printed, figures = run(tmp_path, "--seed", "5")
    assert figures["submissions"] == 250
    assert figures["false_matches"] == 0
    assert figures["recall"] > 0.7
    assert figures["recall_by_kind"]["no mistake"] > 0.95
    assert 1 <= figures["calls_per_submission"] < 2
    # The submissions are dangerous: a policy without grading fails on them.
    assert figures["peers"]["unique record and code"]["false_matches"] > 0
    assert "impostor without the phone" in printed
    assert "verified" in printed


def test_it_repeats_for_a_seed_and_can_print_json_alone(tmp_path: Path) -> None:
    printed, first = run(tmp_path, "--seed", "6", "--json")
    assert len(printed.splitlines()) == 1
    _, second = run(tmp_path, "--seed", "6", "--json")
    first.pop("seconds"), second.pop("seconds")
    assert first == second
