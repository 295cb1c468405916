"""The API as an OpenAPI description (https://spec.openapis.org/oas/v3.1.0), generated from what is
registered. FHIR's own description of the same is the CapabilityStatement."""

from __future__ import annotations

from typing import Any

from fhir_gateway import __version__
from fhir_gateway.fhir.wire import JSON, XML
from fhir_gateway.rest.formats import FORM
from fhir_gateway.rest.registry import Interaction, Level, Operation, Registry, Served

Description = dict[str, Any]

_ID = {"type": "string", "pattern": r"^[A-Za-z0-9\-.]{1,64}$"}
#: Method, path below the type, and a sentence, of each interaction.
_PLACES = {
    Interaction.SEARCH: ("get", "", "Search"),
    Interaction.CREATE: ("post", "", "Create"),
    Interaction.HISTORY_TYPE: ("get", "/_history", "All versions of this type"),
    Interaction.READ: ("get", "/{id}", "Read"),
    Interaction.UPDATE: ("put", "/{id}", "Update"),
    Interaction.PATCH: ("patch", "/{id}", "Patch"),
    Interaction.DELETE: ("delete", "/{id}", "Delete"),
    Interaction.HISTORY_INSTANCE: ("get", "/{id}/_history", "All versions of this resource"),
    Interaction.VREAD: ("get", "/{id}/_history/{vid}", "Read one version"),
}
_SENDS = {Interaction.CREATE, Interaction.UPDATE}
_GENERAL = ("_format", "_pretty", "_summary", "_elements")
_RESULTS = ("_count", "_sort", "_include", "_revinclude", "_total")


def description(registry: Registry, base_url: str) -> Description:
    """The whole API."""
    paths: dict[str, Description] = {
        "/metadata": {"get": _call("metadata", "What this server can do", None, public=True)}
    }
    for served in registry.types():
        for interaction in served.handlers:
            _add(paths, served, interaction)
    for operation in registry.operations:
        _add_operation(paths, operation)
    for interaction in registry.system:
        paths["/"] = {"post": _call("bundle", f"A Bundle: {interaction}", "Bundle", sends=True)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fhir_gateway",
            "version": __version__,
            "description": "The FHIR R4 API of a gateway for patient-initiated follow-up.",
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": {"Resource": _resource(None)},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _add(paths: dict[str, Description], served: Served, interaction: Interaction) -> None:
    method, below, title = _PLACES[interaction]
    name = served.resource_type
    public = interaction in served.public
    call = _call(
        f"{interaction}-{name}",
        f"{title}: {name}",
        name,
        sends=interaction in _SENDS,
        public=public,
    )
    call["parameters"] = [*_of_path(below), *_of_query(_GENERAL)]
    if interaction == Interaction.PATCH:
        patch = {"type": "array", "items": {"type": "object"}}
        content = {
            "application/json-patch+json": {"schema": patch},
            **_content("Parameters"),
        }
        call["requestBody"] = {"required": True, "content": content}
    if interaction == Interaction.SEARCH:
        names = (*served.parameters, *_RESULTS)
        call["parameters"] += _of_query(names)
        post = _call(f"search-post-{name}", f"Search by form: {name}", name, public=public)
        fields = {parameter: {"type": "string"} for parameter in names}
        form = {"schema": {"type": "object", "properties": fields}}
        post["requestBody"] = {"content": {FORM: form}}
        paths.setdefault(f"/{name}/_search", {})["post"] = post
    paths.setdefault(f"/{name}{below}", {})[method] = call


def _add_operation(paths: dict[str, Description], operation: Operation) -> None:
    start = f"/{operation.resource_type}" if operation.resource_type else ""
    for level in sorted(operation.levels):
        below = "/{id}" if level is Level.INSTANCE else ""
        path = f"{start}{below}/${operation.name}"
        for method in map(str.lower, operation.methods(level)):
            call = _call(
                f"{operation.name}-{operation.resource_type or 'base'}-{level}-{method}",
                f"${operation.name}",
                None,
                sends=method == "post" and not operation.raw,
                public=operation.letter is None,
            )
            call["parameters"] = [*_of_path(below), *_of_query(_GENERAL)]
            paths.setdefault(path, {})[method] = call


def _call(
    operation_id: str,
    summary: str,
    resource_type: str | None,
    *,
    sends: bool = False,
    public: bool = False,
) -> Description:
    outcome = {"description": "An OperationOutcome", "content": _content("OperationOutcome")}
    call: Description = {
        "operationId": operation_id,
        "summary": summary,
        "tags": [resource_type or "server"],
        "responses": {
            "200": {"description": "FHIR", "content": _content(None)},
            "default": outcome,
        },
    }
    if sends:
        call["requestBody"] = {"required": True, "content": _content(resource_type)}
    if not public:
        call["security"] = [{"token": []}]
    return call


def _content(resource_type: str | None) -> Description:
    return {
        JSON: {"schema": _resource(resource_type)},
        XML: {"schema": {"type": "string", "description": "The same as FHIR XML"}},
    }


def _resource(resource_type: str | None) -> Description:
    kind: Description = {"const": resource_type} if resource_type else {"type": "string"}
    return {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": kind},
    }


def _of_path(below: str) -> list[Description]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _ID}
        for name in ("id", "vid")
        if f"{{{name}}}" in below
    ]


def _of_query(names: tuple[str, ...]) -> list[Description]:
    return [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names]
