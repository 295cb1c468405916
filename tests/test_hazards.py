"""The hazard log and the tests that prove its controls name the same hazards."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
LOG = TESTS.parent / "docs" / "clinical-safety" / "hazard-log.md"


def logged() -> dict[str, str]:
    """Each hazard of the log, and the state of its controls."""
    rows = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in LOG.read_text().splitlines()
        if re.match(r"\| H\d\d ", line)
    ]
    return {row[0]: row[6] for row in rows}


def proved() -> set[str]:
    """The hazards that tests are marked with."""
    return {
        hazard
        for file in TESTS.rglob("test_*.py")
        for hazard in re.findall(r'pytest\.mark\.hazard\("([^"]+)"\)', file.read_text())
    }


def test_the_log_is_read() -> None:
    assert len(logged()) >= 11
    assert set(logged().values()) <= {"in place", "open"}


def test_every_control_in_place_has_a_test() -> None:
    in_place = {hazard for hazard, state in logged().items() if state == "in place"}
    assert in_place - proved() == set()


def test_no_test_names_a_hazard_that_is_not_in_the_log() -> None:
    assert proved() - set(logged()) == set()
