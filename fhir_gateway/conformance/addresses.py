"""The address that an operation of a script means.

R4's rules: `url` wins, then `params` after `[base]/[resource]`, then `targetId`
(https://hl7.org/fhir/R4/testscript-definitions.html#TestScript.setup.action.operation.url). Where
scripts name neither, the id of what they send counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urljoin, urlsplit

from fhir_gateway.conformance import substitution
from fhir_gateway.conformance.errors import ScriptError
from fhir_gateway.conformance.exchange import Content
from fhir_gateway.conformance.interactions import Interaction
from fhir_gateway.conformance.script import flag
from fhir_gateway.fhir.types import Element, as_str

#: What stays as it is when an address is encoded: RFC 3986 without `+`, which servers read as a
#: space in a query, and `#`, which would cut the address.
_SAFE = "/:?[]@!$&'()*,;=%-._~"
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Target:
    """What an id of a script stands for on the server: [type]/[id], and the version where known."""

    resource_type: str
    identity: str
    version: str = ""


class Scope(Protocol):
    """What of a run a request is made from."""

    @property
    def base(self) -> str:
        """The address of the destination, without a slash at its end."""

    @property
    def media_type(self) -> str:
        """The format where the script does not say one."""

    @property
    def resolve(self) -> Callable[[str], substitution.Value]:
        """The value of a variable."""

    def content(self, source_id: str) -> Content:
        """What a source id holds, variables filled in."""

    def target(self, target_id: str) -> Target:
        """What a target id stands for on the server."""


def url(operation: Element, scope: Scope, what: Interaction, name: str, *, form: bool) -> str:
    """The address. `name`: of the FHIR operation, empty for none. `form`: a search by form.

    Raises ScriptError, NotSupported.
    """
    encode = flag(operation, "encodeRequestUrl", True)
    explicit = as_str(operation.get("url"))
    if explicit:
        text = substitution.plain(explicit, scope.resolve)
        address = _joined(scope.base, encoded(text) if encode else text)
    else:
        text = _path(operation, scope, what, name, form=form)
        address = scope.base + (encoded(text) if encode else text)
    try:
        split = urlsplit(address)
        valid = bool(split.hostname) and split.scheme in ("http", "https")
    except ValueError:
        valid = False
    if not valid or any(ord(char) <= ord(" ") for char in address):
        raise ScriptError(f"'{address[:200]}' is no address that can be called")
    return address


def _joined(base: str, text: str) -> str:
    """A whole address, or one below the base; `/Patient/1` is one too, unless it begins with the
    base's own path, as a Location may."""
    own = urlsplit(base).path
    if text.startswith("/") and not text.startswith("//") and not f"{text}/".startswith(f"{own}/"):
        return base + text
    try:
        return urljoin(f"{base}/", text)
    except ValueError:
        raise ScriptError(f"'{text[:200]}' is no address that can be called") from None


def _path(operation: Element, scope: Scope, what: Interaction, name: str, *, form: bool) -> str:
    """What follows the base, before it is encoded."""
    params = substitution.plain(as_str(operation.get("params")), scope.resolve)
    kind = substitution.plain(as_str(operation.get("resource")), scope.resolve)
    path = f"/{kind}" if kind and what.place not in ("system", "metadata") else ""
    if form:
        return f"{path}/_search"
    if params and not params.startswith(("?", "/")):
        params = ("?" if what.place in ("type", "system") else "/") + params
    if params.startswith("/") and not (name and "$" not in params):
        return path + _with_history(params, what)
    path = _place(operation, scope, what, path, conditional=params.startswith("?"))
    if name and f"${name}" not in params:
        path = f"{path}{params if params.startswith('/') else ''}/${name}"
        params = "" if params.startswith("/") else params
    return path + params


def _with_history(params: str, what: Interaction) -> str:
    """`/1?_count=2` of a history as `/1/_history?_count=2`."""
    if what.place != "history" or "_history" in params:
        return params
    path, question, query = params.partition("?")
    return f"{path}/_history{question}{query}"


def _place(
    operation: Element, scope: Scope, what: Interaction, path: str, *, conditional: bool
) -> str:
    """The address that the kind of interaction asks for, by targetId or by the source's own id."""
    if what.place == "metadata":
        return "/metadata"
    if what.place == "system":
        return ""
    target_id, source = as_str(operation.get("targetId")), as_str(operation.get("sourceId"))
    if source and not target_id and not what.body and what.place in ("instance", "version"):
        target_id = source  # some scripts read by sourceId
    if target_id and what.place != "type":
        path = _instance(scope, target_id, version=what.place == "version")
    elif source and what.body:
        path = _of_source(scope, what, path, source, conditional=conditional)
    elif what.place in ("instance", "version") and not conditional:
        raise ScriptError("neither url, params nor targetId says which resource is meant")
    return f"{path}/_history" if what.place == "history" else path


def _instance(scope: Scope, target_id: str, *, version: bool) -> str:
    found = scope.target(target_id)
    path = f"/{found.resource_type}/{found.identity}"
    if not version:
        return path
    if not found.version:
        raise ScriptError(f"the version of '{target_id}' is not known")
    return f"{path}/_history/{found.version}"


def _of_source(
    scope: Scope, what: Interaction, path: str, source: str, *, conditional: bool
) -> str:
    resource = scope.content(source).resource or {}
    kind = as_str(resource.get("resourceType"))
    if what.place in ("type", "operation"):
        return path or (f"/{kind}" if kind and what.place == "type" else "")
    if conditional:
        return path or f"/{kind}"
    own = as_str(resource.get("id"))
    if kind and own:
        return f"/{kind}/{own}"
    found = scope.target(source)
    return f"/{found.resource_type}/{found.identity}"


def encoded(text: str) -> str:
    """An address with what may not stand in it percent-encoded; what is encoded stays so."""
    return quote(_BARE_PERCENT.sub("%25", text), safe=_SAFE)
