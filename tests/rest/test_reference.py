"""docs/rest.md says what is served: its table has every search parameter, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from fhir_gateway.fhir.search.parameters import COMMON, TYPES

TEXT = (Path(__file__).parents[2] / "docs" / "rest.md").read_text()
_KIND = re.compile(r"(\w+): (.+)")


def documented() -> dict[str, dict[str, tuple[str, bool]]]:
    """Type → parameter → kind, and whether it has a star."""
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for name, cell in re.findall(r"^\| ([A-Z]\w+) \| (.+) \|$", TEXT, re.MULTILINE):
        if name not in TYPES or "`" in name or ("`" not in cell and "only" not in cell):
            continue
        found[name] = {}
        for match in filter(None, map(_KIND.fullmatch, cell.split("; "))):
            for parameter, star in re.findall(r"`([a-z-]+)`(\*?)", match[2]):
                found[name][parameter] = (match[1], bool(star))
    return found


def test_the_table_of_search_parameters_is_what_is_served() -> None:
    common = {parameter.name for parameter in COMMON}
    served = {
        name: {
            p.name: (p.kind.declared, p.personal)
            for p in parameters.values()
            if p.name not in common
        }
        for name, parameters in TYPES.items()
    }
    assert documented() == served


def test_what_every_type_has_is_named() -> None:
    for parameter in COMMON:
        assert f"`{parameter.name}`" in TEXT
