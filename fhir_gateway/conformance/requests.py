"""An operation of a script as the HTTP request it asks for; nothing is sent here.

The rules of the address are R4's
(https://hl7.org/fhir/R4/testscript-definitions.html#TestScript.setup.action.operation.url): `url`
wins, then `params` after `[base]/[resource]`, then `targetId`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import quote, urljoin, urlsplit

from fhir_gateway.conformance import substitution
from fhir_gateway.conformance.errors import NotSupported, ScriptError
from fhir_gateway.conformance.exchange import Content, Sent
from fhir_gateway.conformance.interactions import (
    BY_POST,
    METHODS,
    Interaction,
    interaction,
    operation_name,
)
from fhir_gateway.conformance.script import flag
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir import wire
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str

MEDIA_TYPES = {"json": wire.JSON, "xml": wire.XML, "ttl": "text/turtle", "none": ""}
_FORM = "application/x-www-form-urlencoded"
#: What stays as it is when an address is encoded: RFC 3986 without `+`, which servers read as a
#: space in a query, and `#`, which would cut the address.
_SAFE = "/:?[]@!$&'()*,;=%-._~"
_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")


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


def build(operation: Element, scope: Scope) -> Sent:
    """The request. Raises ScriptError, NotSupported."""
    code = as_str(as_dict(operation.get("type")).get("code"))
    given = as_str(operation.get("method")).upper()
    if given and given not in METHODS:
        raise ScriptError(f"'{given[:40]}' is no HTTP method")
    name = operation_name(code)
    what = interaction(code) or _named(name, operation) or _by_method(code, given)
    form = code.startswith("search") and given == "POST"
    url = _url(operation, scope, what, name, form=form)
    headers = _headers(operation, scope, what.method)
    body, content_type = _body(operation, scope, what, url)
    if form:
        body, content_type = _form(operation, scope), _FORM
    if content_type and not any(k.lower() == "content-type" for k, _ in headers):
        headers.append(("Content-Type", content_type))
    return Sent(body, content_type, tuple(headers), given or what.method, url)


def _named(name: str, operation: Element) -> Interaction | None:
    if not name:
        return None
    posts = name in BY_POST or bool(operation.get("sourceId"))
    return Interaction("POST" if posts else "GET", "operation", body=posts)


def _by_method(code: str, method: str) -> Interaction:
    if code and not method:
        raise NotSupported(f"not supported: the operation '{code[:100]}'")
    if not method:
        raise ScriptError("the operation has neither a type nor a method")
    return Interaction(method, "instance", body=method in ("POST", "PUT", "PATCH"))


def _url(operation: Element, scope: Scope, what: Interaction, name: str, *, form: bool) -> str:
    encode = flag(operation, "encodeRequestUrl", True)
    explicit = as_str(operation.get("url"))
    if explicit:
        text = substitution.plain(explicit, scope.resolve)
        url = _joined(scope.base, encoded(text) if encode else text)
    else:
        text = _path(operation, scope, what, name, form=form)
        url = scope.base + (encoded(text) if encode else text)
    try:
        valid = bool(urlsplit(url).hostname) and urlsplit(url).scheme in ("http", "https")
    except ValueError:
        valid = False
    if not valid or any(ord(char) <= ord(" ") for char in url):
        raise ScriptError(f"'{url[:200]}' is no address that can be called")
    return url


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(f"{base}/", url)
    except ValueError:
        raise ScriptError(f"'{url[:200]}' is no address that can be called") from None


def _path(operation: Element, scope: Scope, what: Interaction, name: str, *, form: bool) -> str:
    """What follows the base, before it is encoded."""
    params = substitution.plain(as_str(operation.get("params")), scope.resolve)
    kind = substitution.plain(as_str(operation.get("resource")), scope.resolve)
    target_id = as_str(operation.get("targetId"))
    path = f"/{kind}" if kind else ""
    if form:
        return f"{path}/_search"
    if params and not params.startswith(("?", "/")):
        params = ("?" if what.place in ("type", "system") else "/") + params
    if params.startswith("/") and not (name and "$" not in params):
        return path + params
    path = _place(operation, scope, what, path, target_id, conditional=params.startswith("?"))
    if name and f"${name}" not in params:
        path = f"{path}{params if params.startswith('/') else ''}/${name}"
        params = "" if params.startswith("/") else params
    return path + params


def _place(
    operation: Element,
    scope: Scope,
    what: Interaction,
    path: str,
    target_id: str,
    *,
    conditional: bool,
) -> str:
    """The address that the kind of interaction asks for, by targetId or by the source's own id."""
    if what.place == "metadata":
        return "/metadata"
    if what.place == "system":
        return ""
    source = as_str(operation.get("sourceId"))
    if target_id and what.place not in ("type",):
        found = scope.target(target_id)
        path = f"/{found.resource_type}/{found.identity}"
        if what.place == "version":
            if not found.version:
                raise ScriptError(f"the version of '{target_id}' is not known")
            path += f"/_history/{found.version}"
    elif source and what.body:
        path = _of_source(scope, what, path, source, conditional=conditional)
    elif what.place in ("instance", "version") and not conditional:
        raise ScriptError("neither url, params nor targetId says which resource is meant")
    if what.place == "history":
        path += "/_history"
    return path


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


def media_type(code: str) -> str:
    """The media type of `accept` or `contentType`: a short name or the type itself."""
    return MEDIA_TYPES.get(code, code)


def _headers(operation: Element, scope: Scope, method: str) -> list[tuple[str, str]]:
    resolve = scope.resolve
    accept = substitution.plain(as_str(operation.get("accept")), resolve)
    found = []
    wanted = media_type(accept) if accept else scope.media_type
    if wanted and method != "OPTIONS":
        found.append(("Accept", wanted))
    for header in map(as_dict, as_list(operation.get("requestHeader"))):
        name = substitution.plain(as_str(header.get("field")), resolve)
        value = substitution.plain(as_str(header.get("value")), resolve)
        if not _HEADER_NAME.fullmatch(name) or any(char in value for char in "\r\n\0"):
            raise ScriptError(f"the request header '{name[:100]}' cannot be sent")
        if not value.isascii():
            raise ScriptError(f"the value of the request header '{name}' is not ASCII")
        found = [(k, v) for k, v in found if k.lower() != name.lower()]
        found.append((name, value))
    return found


def _body(operation: Element, scope: Scope, what: Interaction, url: str) -> tuple[bytes, str]:
    """The content and its type, of the source in the format that the operation asks for."""
    source = as_str(operation.get("sourceId"))
    given = substitution.plain(as_str(operation.get("contentType")), scope.resolve)
    asked = media_type(given) if given else ""
    if not source or not what.body:
        return b"", asked if what.body and given else ""
    content = _with_real_id(scope.content(source), what, url)
    wanted = asked or (scope.media_type if content.resource is not None else content.media_type)
    if given == "none":
        return content.body, ""
    return _in_format(content, wanted, given=bool(given))


def _with_real_id(content: Content, what: Interaction, url: str) -> Content:
    """A contained fixture with the id of the address, or with none where the server gives one: its
    own only names it within the script."""
    resource = content.resource
    if not content.local_id or resource is None or what.method not in ("POST", "PUT"):
        return content
    real = {"id": urlsplit(url).path.rpartition("/")[2]} if what.place == "instance" else {}
    if "?" in url:
        real = {}
    rest = {name: value for name, value in resource.items() if name != "id"}
    kind = rest.pop("resourceType")
    return replace(content, body=fhir_json.dump({"resourceType": kind, **real, **rest}))


def _in_format(content: Content, wanted: str, *, given: bool) -> tuple[bytes, str]:
    resource = content.resource
    if resource is None:
        return content.body, wanted if given else content.media_type
    own = as_str(resource.get("contentType"))
    if resource.get("resourceType") == "Binary" and own and own == wanted:
        try:
            return base64.b64decode(as_str(resource.get("data"))), own
        except binascii.Error:
            raise ScriptError("the data of the Binary is not base64") from None
    target = _base_type(wanted)
    if target == content.media_type or target not in (wire.JSON, wire.XML):
        return content.body, wanted
    try:
        return wire.encode(resource, target), wanted
    except Exception as error:  # a fixture that the other format cannot hold, in any way
        raise NotSupported(
            f"not supported: this fixture as {target} ({type(error).__name__})"
        ) from None


def _base_type(text: str) -> str:
    return text.split(";", 1)[0].strip().lower()


def _form(operation: Element, scope: Scope) -> bytes:
    params = substitution.plain(as_str(operation.get("params")), scope.resolve)
    return encoded(params.lstrip("?")).encode()
