"""What an EPR says that it can take, from its CapabilityStatement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str


@dataclass(frozen=True, slots=True)
class TypeCapability:
    """What is declared for one resource type. `conditional_create`: None when not declared."""

    interactions: frozenset[str]
    search_params: frozenset[str]
    conditional_create: bool | None = None
    update_create: bool | None = None


@dataclass(frozen=True, slots=True)
class Capability:
    """What a server declares. `security`: codes such as `SMART-on-FHIR`."""

    software: str
    fhir_version: str
    formats: tuple[str, ...]
    system_interactions: frozenset[str]
    operations: frozenset[str]
    types: Mapping[str, TypeCapability] = field(default_factory=dict)
    security: tuple[str, ...] = ()

    @property
    def only_xml(self) -> bool:
        """Whether it declares XML and no JSON."""
        return bool(self.formats) and not any("json" in f.lower() for f in self.formats)

    def can(self, resource_type: str, interaction: str) -> bool:
        """Whether it declares an interaction, such as `create`, for a type."""
        declared = self.types.get(resource_type)
        return declared is not None and interaction in declared.interactions

    def searches(self, resource_type: str, parameter: str) -> bool:
        """Whether it declares a search of a type by a parameter."""
        declared = self.types.get(resource_type)
        return (
            declared is not None
            and "search-type" in declared.interactions
            and parameter in declared.search_params
        )


def read(statement: Resource) -> Capability:
    """Read a CapabilityStatement, or the compact form in which some are passed on (`resources` as
    an object by type). Only what is said of the server itself counts."""
    if "resources" in statement and "rest" not in statement:
        return _compact(statement)
    rests = [r for r in map(as_dict, as_list(statement.get("rest"))) if r.get("mode") == "server"]
    types = {
        as_str(resource.get("type")): _type(resource)
        for rest in rests
        for resource in map(as_dict, as_list(rest.get("resource")))
    }
    security = [
        as_str(as_dict(coding).get("code")) or as_str(service.get("text"))
        for rest in rests
        for service in map(as_dict, as_list(as_dict(rest.get("security")).get("service")))
        for coding in as_list(service.get("coding")) or [{}]
    ]
    return Capability(
        software=_software(statement),
        fhir_version=as_str(statement.get("fhirVersion")),
        formats=tuple(map(as_str, as_list(statement.get("format")))),
        system_interactions=frozenset(c for rest in rests for c in _codes(rest)),
        operations=frozenset(n for rest in rests for n in _names(rest.get("operation"))),
        types=types,
        security=tuple(s for s in security if s),
    )


def _type(resource: Resource) -> TypeCapability:
    conditional, update = resource.get("conditionalCreate"), resource.get("updateCreate")
    return TypeCapability(
        _codes(resource),
        _names(resource.get("searchParam")),
        conditional if isinstance(conditional, bool) else None,
        update if isinstance(update, bool) else None,
    )


def _compact(statement: Resource) -> Capability:
    types = {
        name: TypeCapability(
            frozenset(map(as_str, as_list(of.get("interactions")))),
            frozenset(map(as_str, as_list(of.get("searchParams")))),
            of.get("conditionalCreate"),
            of.get("updateCreate"),
        )
        for name, of in as_dict(statement.get("resources")).items()
        if isinstance(of, dict)
    }
    return Capability(
        software=_software(statement),
        fhir_version=as_str(statement.get("fhirVersion")),
        formats=tuple(map(as_str, as_list(statement.get("format")))),
        system_interactions=frozenset(map(as_str, as_list(statement.get("system_interactions")))),
        operations=frozenset(),
        types=types,
    )


def _software(statement: Resource) -> str:
    software = as_dict(statement.get("software"))
    words = [as_str(software.get("name")), as_str(software.get("version"))]
    described = as_str(as_dict(statement.get("implementation")).get("description"))
    return " ".join(w for w in words if w) or described


def _codes(element: Resource) -> frozenset[str]:
    return frozenset(as_str(as_dict(i).get("code")) for i in as_list(element.get("interaction")))


def _names(elements: object) -> frozenset[str]:
    return frozenset(as_str(as_dict(e).get("name")) for e in as_list(elements))
