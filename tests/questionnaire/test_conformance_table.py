"""The table of docs/sdc-conformance.md: what it claims has a test, and its counts are its rows."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "sdc-conformance.md").read_text()


def rows() -> list[tuple[str, str, str, str]]:
    """(column, element, state, test) of every row."""
    found, column = [], ""
    for line in TABLE.splitlines():
        if line.startswith("## "):
            column = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if column and line.startswith("| ") and len(cells) == 4 and cells[0] != "Element":
            found.append((column, *cells[:3]))
    return found


def test_every_claim_names_a_test_that_exists() -> None:
    assert len(rows()) > 100
    for column, element, state, test in rows():
        assert state in ("yes", "partly", "no"), (column, element)
        if state == "no":
            assert not test, (column, element)
        else:
            assert (ROOT / test).is_file(), (column, element, test)
            assert "def test_" in (ROOT / test).read_text()


def test_no_element_is_counted_twice() -> None:
    names = [(column, element) for column, element, _, _ in rows()]
    assert len(names) == len(set(names))


def test_the_counts_are_those_of_the_rows() -> None:
    columns = dict.fromkeys(column for column, *_ in rows())
    counted = ", ".join(
        f"{column} {sum(1 for c, _, state, _ in rows() if c == column and state == 'yes')}"
        f" of {sum(1 for c, *_ in rows() if c == column)}"
        for column in columns
    )
    said = re.search(r"^Counted: (.*)\.$", TABLE, re.MULTILINE)
    assert said
    assert said[1] == counted
