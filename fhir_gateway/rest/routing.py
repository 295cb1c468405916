"""From a method and a path to what the registry serves there.

https://hl7.org/fhir/R4/http.html#summary
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fhir_gateway.rest.problem import NOT_ALLOWED, NOT_FOUND, Problem, not_found
from fhir_gateway.rest.registry import (
    Handler,
    Interaction,
    Level,
    Operation,
    Registry,
    Served,
)

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_AT_TYPE = {"GET": Interaction.SEARCH, "POST": Interaction.CREATE}
_AT_INSTANCE = {
    "GET": Interaction.READ,
    "PUT": Interaction.UPDATE,
    "PATCH": Interaction.PATCH,
    "DELETE": Interaction.DELETE,
}


@dataclass(frozen=True, slots=True)
class Route:
    """What is done at a path by a method."""

    interaction: str
    handler: Handler
    resource_type: str = ""
    id: str = ""
    version: str = ""
    public: bool = False
    operation: Operation | None = None


def resolve(registry: Registry, method: str, path: str) -> Route:
    """The route of a request; `path` is below the base, without a slash at its start.

    Raises Problem: 404 where nothing is served, 405 with Allow where another method is.
    """
    segments = path.split("/") if path else []
    routes = _routes(registry, segments)
    if method in routes:
        return routes[method]
    if not routes:
        raise Problem(NOT_FOUND, "not-found", "Nothing is served at this address.")
    raise Problem(
        NOT_ALLOWED,
        "not-supported",
        f"{method if method.isalpha() else 'This method'} is not served at this address.",
        headers={"Allow": ", ".join(sorted({*routes, *(["HEAD"] if "GET" in routes else [])}))},
    )


def _routes(registry: Registry, segments: list[str]) -> dict[str, Route]:
    """Method → route at a path."""
    if not segments:
        # Which of them it is, its Bundle says.
        bundles = [Route(i, handler) for i, handler in registry.system.items()]
        return {"POST": bundles[0]} if bundles else {}
    if len(segments) == 1 and segments[0] in registry.pages:
        page = Route(segments[0], registry.pages[segments[0]], public=True)
        return {"GET": page}
    if segments[0].startswith("$"):
        return _operation(registry, "", segments[0], Level.SYSTEM, len(segments) == 1)
    served = registry.find(segments[0])
    if served is None:
        known = ", ".join(s.resource_type for s in registry.types())
        raise Problem(
            NOT_FOUND,
            "not-supported",
            f"This resource type is not served here. There are {known}.",
        )
    match segments[1:]:
        case []:
            return _interactions(served, _AT_TYPE)
        case ["_search"]:
            return _interactions(served, {"POST": Interaction.SEARCH})
        case ["_history"]:
            return _interactions(served, {"GET": Interaction.HISTORY_TYPE})
        case [name] if name.startswith("$"):
            return _operation(registry, served.resource_type, name, Level.TYPE, True)
        case [resource_id, *rest]:
            return _of_instance(registry, served, resource_id, rest)
    return {}


def _of_instance(
    registry: Registry, served: Served, resource_id: str, rest: list[str]
) -> dict[str, Route]:
    if not _ID.fullmatch(resource_id):
        raise not_found(served.resource_type)
    match rest:
        case []:
            return _interactions(served, _AT_INSTANCE, resource_id)
        case ["_history"]:
            return _interactions(served, {"GET": Interaction.HISTORY_INSTANCE}, resource_id)
        case ["_history", version]:
            return _interactions(served, {"GET": Interaction.VREAD}, resource_id, version)
        case [name] if name.startswith("$"):
            return _operation(
                registry, served.resource_type, name, Level.INSTANCE, True, resource_id
            )
    return {}


def _interactions(
    served: Served, at: dict[str, Interaction], resource_id: str = "", version: str = ""
) -> dict[str, Route]:
    return {
        method: Route(
            interaction,
            served.handlers[interaction],
            served.resource_type,
            resource_id,
            version,
            interaction in served.public,
        )
        for method, interaction in at.items()
        if interaction in served.handlers
    }


def _operation(
    registry: Registry, resource_type: str, name: str, level: Level, whole: bool, id: str = ""
) -> dict[str, Route]:
    found = registry.find_operation(resource_type, name.removeprefix("$"), level)
    if found is None or not whole:
        raise Problem(NOT_FOUND, "not-supported", "There is no such operation here.")
    route = Route(
        f"${found.name}",
        found.handler,
        resource_type,
        id,
        public=found.letter is None,
        operation=found,
    )
    return dict.fromkeys(found.methods(level), route)
