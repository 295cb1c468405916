"""What the API serves: resource types with their interactions and search parameters, operations.

Routes are mounted from this table and `/metadata` is generated from it, so that neither can say
what the other does not do. A room adds what it serves with `offer` and `operation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from fastapi import Request

from fhir_gateway.fhir.types import Resource
from fhir_gateway.rest.access import NOBODY, Access


class Interaction(StrEnum):
    """Codes of https://hl7.org/fhir/R4/valueset-type-restful-interaction.html, and of the base."""

    READ = "read"
    VREAD = "vread"
    HISTORY_INSTANCE = "history-instance"
    HISTORY_TYPE = "history-type"
    SEARCH = "search-type"
    CREATE = "create"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    TRANSACTION = "transaction"
    BATCH = "batch"


#: The letter of a SMART scope that allows an interaction.
LETTERS = {
    Interaction.READ: "r",
    Interaction.VREAD: "r",
    Interaction.HISTORY_INSTANCE: "r",
    Interaction.HISTORY_TYPE: "r",
    Interaction.SEARCH: "s",
    Interaction.CREATE: "c",
    Interaction.UPDATE: "u",
    Interaction.PATCH: "u",
    Interaction.DELETE: "d",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a handler, which runs in a thread of its own.

    `parameters`: name and value of the query and of a form, in order. `resource`: what was sent,
    read from JSON or XML; `body`: the bytes of it. `interaction`: a code, or `$name`.
    """

    request: Request
    base_url: str
    interaction: str
    resource_type: str = ""
    id: str = ""
    version: str = ""
    access: Access = NOBODY
    parameters: Sequence[tuple[str, str]] = ()
    resource: Resource | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answers. Headers such as ETag, Last-Modified and Location are the handler's;
    format, `_summary`, `_elements` and If-None-Match are seen to by the kernel."""

    resource: Resource | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


#: Does one interaction or operation. Raises Problem.
Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter as the CapabilityStatement declares it."""

    name: str
    kind: str
    definition: str = ""
    documentation: str = ""


class Level(StrEnum):
    """Where an operation is called: at the base, on a type, on one resource."""

    SYSTEM = "system"
    TYPE = "type"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation, `name` without `$`. `resource_type` is empty for one at the base.

    `letter`: which scope allows it (of its resource type); None: no token is needed. `get`:
    whether it can be called by GET too, as one that changes nothing may be; `get_one`: only of one
    resource, which is then all that it needs. `raw`: whether the
    handler reads `body` itself, because it is no resource (CSV, a form).
    """

    name: str
    definition: str
    handler: Handler
    resource_type: str = ""
    levels: frozenset[Level] = frozenset({Level.TYPE})
    letter: str | None = None
    get: bool = False
    get_one: bool = False
    raw: bool = False

    def methods(self, level: Level) -> tuple[str, ...]:
        """The methods it is called by."""
        get = self.get or (self.get_one and level is Level.INSTANCE)
        return ("GET", "POST") if get else ("POST",)


@dataclass(slots=True)
class Served:
    """What is served of one resource type."""

    resource_type: str
    handlers: dict[Interaction, Handler] = field(default_factory=dict)
    #: Interactions for which no token is needed.
    public: set[Interaction] = field(default_factory=set)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    includes: tuple[str, ...] = ()
    reverse_includes: tuple[str, ...] = ()
    profile: str = ""
    #: Of a CapabilityStatement's resource, as they stand: conditionalCreate, versioning and so on.
    declared: dict[str, object] = field(default_factory=dict)


class Registry:
    """Everything that one API serves."""

    def __init__(self) -> None:
        self._types: dict[str, Served] = {}
        self.system: dict[Interaction, Handler] = {}
        #: What GET gives at a name below the base to everybody, such as `metadata`.
        self.pages: dict[str, Handler] = {}
        self.operations: list[Operation] = []

    def type(self, resource_type: str) -> Served:
        """What is served of a type; made when there is nothing yet."""
        return self._types.setdefault(resource_type, Served(resource_type))

    def find(self, resource_type: str) -> Served | None:
        """What is served of a type, or None."""
        return self._types.get(resource_type)

    def types(self) -> list[Served]:
        """All types by name."""
        return [self._types[name] for name in sorted(self._types)]

    def offer(
        self,
        resource_type: str,
        handlers: Mapping[Interaction, Handler],
        *,
        public: bool = False,
    ) -> Served:
        """Serve these interactions of a type. Raises ValueError for one that is served already."""
        served = self.type(resource_type)
        taken = served.handlers.keys() & handlers.keys()
        if taken:
            raise ValueError(f"{resource_type}: {', '.join(sorted(taken))} is served already")
        served.handlers.update(handlers)
        if public:
            served.public.update(handlers)
        return served

    def operation(self, operation: Operation) -> None:
        """Serve an operation."""
        self.operations.append(operation)

    def operations_of(self, resource_type: str) -> list[Operation]:
        """The operations of a type; of the base for ''."""
        return [o for o in self.operations if o.resource_type == resource_type]

    def find_operation(self, resource_type: str, name: str, level: Level) -> Operation | None:
        """The operation that is called so, or None."""
        for operation in self.operations:
            if (operation.resource_type, operation.name) == (resource_type, name):
                return operation if level in operation.levels else None
        return None
