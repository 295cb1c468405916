"""The entries of a batch or transaction Bundle, read and checked before anything is done.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.sandbox.epr import interactions
from fhir_gateway.sandbox.epr.faults import BAD_REQUEST, NOT_ALLOWED, Fault, blaming, fault
from fhir_gateway.sandbox.epr.references import Key

#: In the order in which a transaction carries them out.
METHODS = ("DELETE", "POST", "PUT", "GET")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `segments` and `parameters` are its request.url, taken apart.

    `resource` is {} for DELETE and GET. `index` is its place in the Bundle.
    """

    index: int
    method: str
    full_url: str
    segments: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    resource: Resource
    if_none_exist: str | None
    if_match: str | None

    @property
    def key(self) -> Key:
        """What a PUT, DELETE or read is about."""
        return Key(self.segments[0], self.segments[1])


def bundle_type(bundle: Any) -> str:
    """`batch` or `transaction`. Raises Fault (400) for anything else."""
    kind = as_dict(bundle).get("type")
    if as_dict(bundle).get("resourceType") != "Bundle" or kind not in ("batch", "transaction"):
        raise fault(
            BAD_REQUEST, "invalid", "The content must be a Bundle of type batch or transaction."
        )
    if not isinstance(bundle.get("entry", []), list):
        raise fault(BAD_REQUEST, "structure", "Bundle.entry must be a list.")
    return as_str(kind)


def read_entries(bundle: Resource, base: str) -> list[Entry]:
    """All entries of a transaction. Raises one Fault with the issues of all bad entries."""
    entries, faults = [], []
    for index, element in enumerate(as_list(bundle.get("entry"))):
        try:
            with blaming(index):
                entries.append(read_entry(index, element, base))
        except Fault as error:
            faults.append(error)
    if faults:
        raise Fault(faults[0].status, [found for error in faults for found in error.issues])
    return entries


def read_entry(index: int, element: Any, base: str) -> Entry:
    """One entry. Raises Fault for a request that is malformed, unknown, or not valid R4."""
    request = as_dict(as_dict(element).get("request"))
    method = as_str(request.get("method"))
    if method not in METHODS:
        raise fault(
            NOT_ALLOWED, "not-supported", "request.method must be DELETE, POST, PUT or GET."
        )
    path, _, query = as_str(request.get("url")).removeprefix(f"{base}/").partition("?")
    segments = tuple(path.strip("/").split("/"))
    parameters = tuple(parse_qsl(query, keep_blank_values=True))
    _check_url(method, segments, parameters)
    sent = as_dict(element).get("resource")
    return Entry(
        index=index,
        method=method,
        full_url=as_str(as_dict(element).get("fullUrl")),
        segments=segments,
        parameters=parameters,
        resource=interactions.checked(sent, segments[0]) if method in ("POST", "PUT") else {},
        if_none_exist=_condition(request, "ifNoneExist"),
        if_match=_condition(request, "ifMatch"),
    )


def _check_url(method: str, segments: tuple[str, ...], parameters: tuple[Any, ...]) -> None:
    """Each method has its own form of url; conditional update and delete are not supported."""
    interactions.check_type(segments[0])
    lengths = {"POST": (1,), "PUT": (2,), "DELETE": (2,), "GET": (1, 2, 3, 4)}[method]
    well_formed = len(segments) in lengths and segments[2:3] in ((), ("_history",))
    if not well_formed or (parameters and method != "GET"):
        raise fault(BAD_REQUEST, "not-supported", f"request.url is not one that {method} has here.")


def _condition(request: Element, name: str) -> str | None:
    """A condition of the request. One that is not text is refused, never left out."""
    value = request.get(name)
    if value is not None and not isinstance(value, str):
        raise fault(BAD_REQUEST, "structure", f"request.{name} must be a string.")
    return value
