"""Comparing Bundles: equal but for ids and clocks, and what differs, readable. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.types import Resource

_UUID = re.compile(
    r"(urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I
)
_SHOWN = 120
#: Pairs of lists are aligned one to one up to this size; larger ones in order.
_MAX_ALIGNED = 60


def comparable(value: Any) -> Any:
    """JSON in which each UUID is named after the order in which it appears, and numbers are equal
    when their values are."""
    names: dict[str, str] = {}

    def named(match: re.Match[str]) -> str:
        key = match[0].lower().removeprefix("urn:uuid:")
        return names.setdefault(key, f"(uuid {len(names) + 1})")

    def walk(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: walk(part[key]) for key in sorted(part)}
        if isinstance(part, list):
            return [walk(one) for one in part]
        if isinstance(part, str):
            return _UUID.sub(named, part)
        if isinstance(part, int | float | Decimal) and not isinstance(part, bool):
            return Decimal(str(part)).normalize()
        return part

    return walk(value)


def differences(expected: Any, actual: Any, place: str = "") -> Iterator[str]:
    """What differs, one line each: where, what was expected, what came."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(expected.keys() | actual.keys()):
            here = f"{place}.{key}" if place else key
            if key not in actual:
                yield f"{here}: missing, expected {_shown(expected[key])}"
            elif key not in expected:
                yield f"{here}: not expected, got {_shown(actual[key])}"
            else:
                yield from differences(expected[key], actual[key], here)
    elif isinstance(expected, list) and isinstance(actual, list):
        for index in range(max(len(expected), len(actual))):
            here = f"{place}[{index}]"
            if index >= len(actual):
                yield f"{here}: missing, expected {_shown(expected[index])}"
            elif index >= len(expected):
                yield f"{here}: not expected, got {_shown(actual[index])}"
            else:
                yield from differences(expected[index], actual[index], here)
    elif type(expected) is not type(actual) or expected != actual:
        yield f"{place}: expected {_shown(expected)}, got {_shown(actual)}"


def resource_differences(expected: Resource, actual: Resource) -> list[str]:
    """What differs between the resources of two Bundles, whatever their order."""
    wanted = [comparable(resource) for resource in resources(expected)]
    got = [comparable(resource) for resource in resources(actual)]
    lines = []
    for index, resource in enumerate(wanted):
        name = f"{resource.get('resourceType')} (entry {index + 1})"
        nearest = _nearest(resource, got)
        if nearest is None:
            lines.append(f"{name}: missing")
            continue
        lines.extend(differences(resource, got.pop(nearest), name))
    lines.extend(f"{resource.get('resourceType')}: not expected" for resource in got)
    return lines


def _nearest(wanted: Any, candidates: list[Any]) -> int | None:
    """The candidate of the same type that differs least."""
    best, fewest = None, 0
    for index, candidate in enumerate(candidates[:_MAX_ALIGNED]):
        if candidate.get("resourceType") != wanted.get("resourceType"):
            continue
        count = sum(1 for _ in differences(wanted, candidate))
        if best is None or count < fewest:
            best, fewest = index, count
        if count == 0:
            break
    return best


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
