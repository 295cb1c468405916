"""The tables of threats name, for each defence, tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "threats-identity.md"
TABLES = (TABLE, ROOT / "docs" / "threats-access.md")
ROWS = [
    line
    for table in TABLES
    for line in [row for row in table.read_text().splitlines() if row.startswith("| ")][1:]
]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_threat_names_tests_that_exist(row: str) -> None:
    named = NAMED.findall(row.split("|")[3])
    assert named
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text())
        tests = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in tests, f"{file} has no {name}"


def test_the_five_threats_of_the_first_day_are_there() -> None:
    text = TABLE.read_text()
    for threat in ("Guessing", "Replay", "Text pumping", "Impostor", "oracle"):
        assert threat in text
