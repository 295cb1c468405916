"""Writing elements of a resource by their paths, for definition-based extraction.

Elements that belong together go into one entry of a list: those of a group with a definition of
its own (`Patient.name`), those that siblings write below the same list as long as they do not
write the same element twice, and those of one question with further values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fhir_gateway.fhir.elements import ElementInfo, choices, elements
from fhir_gateway.fhir.types import Element, Resource
from fhir_gateway.mapping.profiles import BASE, fixed
from fhir_gateway.mapping.scope import Ledger
from fhir_gateway.mapping.values import choose, converted

_ANY = frozenset({"Resource", "DomainResource"})
MAX_PATH = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Which entries of lists are open: those of groups above, and those that siblings share."""

    anchored: dict[str, Element] = field(default_factory=dict)
    shared: dict[str, Element] = field(default_factory=dict)

    def apart(self) -> Place:
        """The same groups, and nothing that siblings opened."""
        return Place(self.anchored, {})


class Builder:
    """One resource in the making. `canonical`: the type or the profile it is made by."""

    def __init__(
        self, canonical: str, resource_type: str, resources: Iterable[Resource], ledger: Ledger
    ) -> None:
        self._canonical = canonical.partition("|")[0]
        self._type = resource_type
        self._ledger = ledger
        self._resource: Resource = {"resourceType": resource_type}
        self._top = Place()
        self._written = False
        if "://" in canonical and not canonical.startswith(BASE):
            self._resource["meta"] = {"profile": [canonical]}
            for path, value, value_type in fixed(canonical, resources):
                wanted = self.path_of(f"{canonical}#{path}")
                if wanted:
                    self.write(self._top, wanted, value, value_type, {})

    def top(self) -> Place:
        """The place of what is below no group."""
        return self._top

    def finished(self) -> Resource | None:
        """The resource without empty elements."""
        kept = _without_empty(self._resource)
        return kept if isinstance(kept, dict) else None

    def path_of(self, definition: str) -> tuple[str, ...]:
        """The path below this resource that a definition names; () when it is not of this one."""
        url, _, path = definition.partition("#")
        first, *rest = path.split(".")
        mine = first == self._type or first in _ANY
        profiled = url.partition("|")[0] == self._canonical
        other_profile = "://" in url and not profiled and not _is_base(url)
        if not rest or not mine or (other_profile and "://" in self._canonical):
            return ()
        return tuple(rest[:MAX_PATH])

    def open(self, place: Place, path: tuple[str, ...]) -> Place:
        """A place with an entry of its own for `path`."""
        found = self._holder(place, path[:-1])
        if found is None:
            return place
        holder, type_name, prefix = found
        info = self._element(type_name, path[-1], "", measured=False)
        if info is None or not info.type[:1].isupper():
            return place
        key = f"{prefix}/{path[-1]}"
        return Place({**place.anchored, key: _entered(holder, info)}, {})

    def write(
        self, place: Place, path: tuple[str, ...], value: Any, value_type: str, item: Element
    ) -> None:
        """Write a value at a path; what cannot be written is an issue."""
        found = self._holder(place, path[:-1])
        if found is None:
            return
        holder, type_name, prefix = found
        info = self._element(type_name, path[-1], value_type, measured="extension" in item)
        if info is None:
            self._note(path, "no such element, or none that takes the answer's type")
            return
        made = converted(value, info.type, item)
        if made is None:
            self._note(path, f"the answer cannot become {info.type}")
        elif info.is_list:
            holder.setdefault(info.name, []).append(made)
        elif info.name not in holder or isinstance(holder[info.name], dict):
            before = holder.get(info.name)
            holder[info.name] = {**before, **made} if isinstance(before, dict) else made
        elif self._reopen(place, prefix):
            self.write(place, path, value, value_type, item)
        else:
            holder[info.name] = made

    def _reopen(self, place: Place, prefix: str) -> bool:
        """Forget the entry that siblings share for a path, so that the next is a new one."""
        while prefix:
            if place.shared.pop(prefix, None) is not None:
                return True
            prefix = prefix.rpartition("/")[0]
        return False

    def _holder(
        self, place: Place, path: tuple[str, ...]
    ) -> tuple[dict[str, Any], str, str] | None:
        """The element that holds the last part of a path, its type, and its path as text."""
        here: dict[str, Any] = self._resource
        type_name, prefix = self._type, ""
        for name in path:
            info = self._element(type_name, name, "", measured=False)
            if info is None or not info.type[:1].isupper():
                self._note(path, f"'{name}' is no element with elements")
                return None
            prefix = f"{prefix}/{name}"
            known = place.anchored.get(prefix) or place.shared.get(prefix)
            if known is not None:
                here = known
            elif info.is_list:
                here = place.shared[prefix] = _entered(here, info)
            else:
                here = _entered(here, info)
            type_name = info.type
        return here, type_name, prefix

    def _element(
        self, type_name: str, name: str, value_type: str, *, measured: bool
    ) -> ElementInfo | None:
        """The element that a part of a path names: `name`, `name[x]`, `name[x]:nameType`, or a
        slice `name:slice`."""
        stem, _, sliced = name.partition(":")
        known = elements(type_name)
        if sliced in known and stem.endswith("[x]"):
            return known[sliced]
        stem = stem.removesuffix("[x]")
        if stem in known:
            return known[stem]
        return choose(choices(type_name, stem), value_type, measured=measured)

    def _note(self, path: tuple[str, ...], text: str) -> None:
        self._ledger.note("error", "processing", text, ".".join((self._type, *path)))


def _entered(holder: dict[str, Any], info: ElementInfo) -> dict[str, Any]:
    """A new entry of a list, or the one element, below `holder`."""
    if info.is_list:
        entry: dict[str, Any] = {}
        holder.setdefault(info.name, []).append(entry)
        return entry
    found: dict[str, Any] = holder.setdefault(info.name, {})
    return found


def _is_base(url: str) -> bool:
    return url.startswith((BASE, "https://hl7.org/fhir/", "http://hl7.org/fhir/"))


def _without_empty(value: Any) -> Any:
    """The JSON without empty objects and lists; None when nothing is left."""
    if isinstance(value, dict):
        kept = {key: _without_empty(part) for key, part in value.items()}
        return {key: part for key, part in kept.items() if part is not None} or None
    if isinstance(value, list):
        return [part for part in map(_without_empty, value) if part is not None] or None
    return value
