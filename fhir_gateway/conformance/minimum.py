"""minimumId: whether content holds at least what a fixture has.

https://hl7.org/fhir/R4/testscript-definitions.html#TestScript.setup.action.assert.minimumId. Each
element of a list must be found, in any order; what is there besides does not matter.
"""

from __future__ import annotations

from typing import Any

_MAX_NAMED = 5


def missing(minimum: Any, actual: Any, place: str = "") -> list[str]:
    """The places of the fixture that are not in the content, at most a few; empty when all are."""
    if isinstance(minimum, dict):
        if not isinstance(actual, dict):
            return [place or "the resource"]
        found = [
            lack
            for key, part in minimum.items()
            for lack in (
                missing(part, actual[key], _below(place, key))
                if key in actual
                else [_below(place, key)]
            )
        ]
        return found[:_MAX_NAMED]
    if isinstance(minimum, list):
        listed = actual if isinstance(actual, list) else []
        return [
            f"{place}[{index}]"
            for index, part in enumerate(minimum)
            if not any(not missing(part, each) for each in listed)
        ][:_MAX_NAMED]
    return (
        []
        if minimum == actual and isinstance(minimum, bool) == isinstance(actual, bool)
        else [place]
    )


def _below(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
