"""Checks of resources against profiles, generated from their StructureDefinitions.

Cardinality, fixed and pattern values, required bindings, slices, and the profiles of extensions
(https://hl7.org/fhir/R4/profiling.html). Invariants are left to the HL7 validator of the tests. A
code that cannot be looked up here (SNOMED CT) passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fhir_gateway.fhir.membership import contains
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.profile_tree import Node, tree_of
from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

MAX_DEPTH = 40


class Profiles:
    """The profiles, value sets and code systems at hand."""

    def __init__(self, conformance: Iterable[Resource] = ()) -> None:
        self._registry = Registry(conformance)
        self._trees: dict[str, Node | None] = {}

    def __bool__(self) -> bool:
        """Whether any profile is at hand."""
        return any(True for _ in self._registry.of_type("StructureDefinition"))

    def problems(self, resource: Resource, profiles: Iterable[str] = ()) -> list[Element]:
        """Issues of a resource, its contained ones and a Bundle's entries, by their `meta.profile`
        and `profiles`. A claimed profile that is not at hand is a warning."""
        found: list[Element] = []
        for place, part in _resources(resource, as_str(resource.get("resourceType"))):
            claimed = [as_str(p) for p in as_list(as_dict(part.get("meta")).get("profile"))]
            wanted = [*claimed, *(profiles if part is resource else ())]
            for canonical in wanted:
                tree = self._tree(canonical)
                if tree is None:
                    text = f"{place}: profile {canonical} is not at hand, so it was not checked"
                    found.append(issue("warning", "not-found", text))
                elif tree.name and tree.name != part.get("resourceType"):
                    text = f"{place}: profile {canonical} is for {tree.name}"
                    found.append(issue("error", "structure", text, expression=[place]))
                else:
                    found.extend(self._element(tree, part, place, 0))
            for extension_place, extension in _extensions(part, place):
                found.extend(self._extension(extension, extension_place))
        return found

    def _extension(self, extension: Element, place: str) -> Iterator[Element]:
        tree = self._tree(as_str(extension.get("url")))
        if tree is not None:
            yield from self._element(tree, extension, place, 0)

    def _tree(self, canonical: str) -> Node | None:
        if canonical not in self._trees:
            found = self._registry.resolve(canonical)
            known = found is not None and found.get("resourceType") == "StructureDefinition"
            self._trees[canonical] = tree_of(found) if found is not None and known else None
        return self._trees[canonical]

    def _element(self, node: Node, element: Any, place: str, depth: int) -> Iterator[Element]:
        """Issues of what is below an element."""
        if depth > MAX_DEPTH or not isinstance(element, dict):
            return
        for name, child in node.children.items():
            values = _values(element, name)
            here = f"{place}.{name}"
            yield from _counted(child, len(values), here)
            for value in values:
                yield from self._value(child, value, here, depth)
            for slice_name, one in child.slices.items():
                members = [v for v in values if self._belongs(child, one, v)]
                yield from _counted(one, len(members), f"{here}:{slice_name}")
                for value in members:
                    yield from self._value(one, value, f"{here}:{slice_name}", depth)

    def _value(self, node: Node, value: Any, place: str, depth: int) -> Iterator[Element]:
        """Issues of one value: what is fixed, its binding, and what is below."""
        fixed = node.fixed()
        if fixed and not _fits(*fixed, value):
            yield issue("error", "value", f"{place}: not the fixed value", expression=[place])
        canonical = node.required_value_set
        if canonical and contains(canonical, value, self._registry.resolve) is False:
            text = f"{place}: a code outside the required {canonical}"
            yield issue("error", "code-invalid", text, expression=[place])
        yield from self._element(node, value, place, depth + 1)

    def _belongs(self, sliced: Node, one: Node, value: Any) -> bool:
        """Whether a value is of a slice; without a discriminator that can be decided it is not."""
        discriminators = sliced.discriminators()
        if not discriminators and sliced.name in ("extension", "modifierExtension"):
            discriminators = [("value", "url")]
        return bool(discriminators) and all(
            self._discriminated(one, kind, path, value) for kind, path in discriminators
        )

    def _discriminated(self, one: Node, kind: str, path: str, value: Any) -> bool:
        if path == "url" and one.profiles:
            return as_dict(value).get("url") in one.profiles
        node = one.at(path)
        found = [value] if path == "$this" else _along(value, path)
        if node is None or kind not in ("value", "pattern"):
            return False
        fixed = node.fixed()
        if fixed:
            return any(_fits("pattern", fixed[1], each) for each in found)
        canonical = node.required_value_set
        return bool(canonical) and any(
            contains(canonical, each, self._registry.resolve) for each in found
        )


def _counted(node: Node, count: int, place: str) -> Iterator[Element]:
    if count < node.minimum:
        text = f"{place}: at least {node.minimum} needed, {count} there"
        yield issue("error", "required", text, expression=[place])
    if node.maximum is not None and count > node.maximum:
        text = f"{place}: at most {node.maximum} allowed, {count} there"
        yield issue("error", "structure", text, expression=[place])


def _fits(kind: str, wanted: Any, value: Any) -> bool:
    """`fixed`: the same; `pattern`: at least that (https://hl7.org/fhir/R4/elementdefinition.html)."""
    if kind == "fixed":
        return bool(wanted == value)
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(
            key in value and _fits(kind, part, value[key]) for key, part in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and all(
            any(_fits(kind, part, each) for each in value) for part in wanted
        )
    return bool(wanted == value)


def _values(element: Element, name: str) -> list[Any]:
    """The values of an element as a list; of a choice whichever there is."""
    if name.endswith("[x]"):
        stem = name.removesuffix("[x]")
        keys = [k for k in element if k.startswith(stem) and k[len(stem) :][:1].isupper()]
    else:
        keys = [name] if name in element else []
    found = []
    for key in keys:
        value = element[key]
        found.extend(value if isinstance(value, list) else [value])
    return found


def _along(value: Any, path: str) -> list[Any]:
    found = [value]
    for name in path.split("."):
        found = [part for each in found for part in _values(as_dict(each), name)]
    return found


def _resources(resource: Resource, place: str) -> Iterator[tuple[str, Resource]]:
    yield place, resource
    for part in map(as_dict, as_list(resource.get("contained"))):
        yield f"{place}.contained", part
    for index, entry in enumerate(map(as_dict, as_list(resource.get("entry")))):
        inner = entry.get("resource")
        if isinstance(inner, dict) and inner is not resource:
            here = f"{place}.entry[{index}].resource"
            yield from _resources(inner, here)


def _extensions(value: Any, place: str) -> Iterator[tuple[str, Element]]:
    """Every extension within a resource, but not within its contained ones and entries."""
    pending: list[tuple[str, Any]] = [(place, value)]
    while pending:
        here, current = pending.pop()
        if isinstance(current, list):
            pending.extend((here, part) for part in current)
        elif isinstance(current, dict):
            for key, part in current.items():
                if key in ("contained", "entry"):
                    continue
                if key in ("extension", "modifierExtension"):
                    yield from ((f"{here}.{key}", as_dict(e)) for e in as_list(part))
                pending.append((f"{here}.{key}", part))
