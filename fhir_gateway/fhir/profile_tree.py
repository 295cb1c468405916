"""A profile's differential as a tree of elements and slices.

https://hl7.org/fhir/R4/profiling.html. UK Core is published as differentials; what they do not say
is the base specification's, which check.py looks after.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str


@dataclass(slots=True)
class Node:
    """One element of a profile: what is said of it, its elements, and its slices by name."""

    name: str
    said: Element = field(default_factory=dict)
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)

    @property
    def minimum(self) -> int:
        """How many there must be."""
        found = self.said.get("min")
        return found if isinstance(found, int) else 0

    @property
    def maximum(self) -> int | None:
        """How many there may be; None: any number, or nothing is said."""
        text = as_str(self.said.get("max"))
        return int(text) if text.isdigit() else None

    @property
    def required_value_set(self) -> str:
        """The canonical of its required binding, or ''."""
        binding = as_dict(self.said.get("binding"))
        return as_str(binding.get("valueSet")) if binding.get("strength") == "required" else ""

    @property
    def profiles(self) -> list[str]:
        """Canonicals of the profiles that its type is held to."""
        types = map(as_dict, as_list(self.said.get("type")))
        return [as_str(p) for kind in types for p in as_list(kind.get("profile"))]

    def fixed(self) -> tuple[str, Any] | None:
        """`fixed` or `pattern`, and the value."""
        for key, value in self.said.items():
            for kind in ("fixed", "pattern"):
                if key.startswith(kind) and key[len(kind) :][:1].isupper():
                    return kind, value
        return None

    def discriminators(self) -> list[tuple[str, str]]:
        """Type and path of each discriminator of its slicing."""
        slicing = as_dict(self.said.get("slicing"))
        listed = map(as_dict, as_list(slicing.get("discriminator")))
        return [(as_str(d.get("type")), as_str(d.get("path"))) for d in listed]

    def at(self, path: str) -> Node | None:
        """The node at a path below; `$this` is itself."""
        here: Node | None = self
        for name in path.split(".") if path and path != "$this" else []:
            here = here.children.get(name) if here else None
        return here


def tree_of(definition: Resource) -> Node:
    """The tree of a StructureDefinition; of its snapshot when it has no differential."""
    listed = as_dict(definition.get("differential") or definition.get("snapshot"))
    root = Node(as_str(definition.get("type")))
    for element in map(as_dict, as_list(listed.get("element"))):
        node = root
        for part in (as_str(element.get("id")) or as_str(element.get("path"))).split(".")[1:]:
            name, _, sliced = part.partition(":")
            node = node.children.setdefault(name, Node(name))
            if sliced:
                node = node.slices.setdefault(sliced, Node(name))
        node.said = element
    return root
