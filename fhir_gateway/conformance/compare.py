"""What changed between two runs, test by test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fhir_gateway.conformance.results import BAD, Outcome

_GOOD = frozenset({Outcome.PASS, Outcome.WARNING})


@dataclass(frozen=True, slots=True)
class Change:
    """One test whose outcome is not what it was. None: it was not run then."""

    key: str
    before: str | None
    after: str | None

    @property
    def kind(self) -> str:
        """broken (bad now, not before), mended, lost (judged before, not now), or other."""
        if self.after in BAD and self.before not in BAD:
            return "broken"
        if self.before in BAD and self.after in _GOOD:
            return "mended"
        if self.before in (*_GOOD, *BAD) and self.after not in (*_GOOD, *BAD):
            return "lost"
        return "other"


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """The tests that ended differently, by their keys; broken ones first."""
    found = [
        Change(key, before.get(key), after.get(key))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]
    order = ("broken", "lost", "mended", "other")
    return sorted(found, key=lambda change: order.index(change.kind))
