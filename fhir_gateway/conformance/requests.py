"""An operation of a script as the HTTP request it asks for; nothing is sent here.

The address is in addresses.py; here are method, headers and content.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import replace
from urllib.parse import urlsplit

from fhir_gateway.conformance import addresses, substitution
from fhir_gateway.conformance.addresses import Scope, encoded
from fhir_gateway.conformance.errors import NotSupported, ScriptError
from fhir_gateway.conformance.exchange import Content, Sent
from fhir_gateway.conformance.interactions import (
    BY_POST,
    METHODS,
    Interaction,
    interaction,
    operation_name,
)
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir import wire
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str

MEDIA_TYPES = {"json": wire.JSON, "xml": wire.XML, "ttl": "text/turtle", "none": ""}
_JSON_PATCH = "application/json-patch+json"
_FORM = "application/x-www-form-urlencoded"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")


def build(operation: Element, scope: Scope) -> Sent:
    """The request. Raises ScriptError, NotSupported."""
    code = as_str(as_dict(operation.get("type")).get("code"))
    given = as_str(operation.get("method")).upper()
    if given and given not in METHODS:
        raise ScriptError(f"'{given[:40]}' is no HTTP method")
    name = operation_name(code)
    what = interaction(code) or _named(name, operation) or _by_method(code, given, operation)
    form = code.startswith("search") and given == "POST"
    url = addresses.url(operation, scope, what, name, form=form)
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


def _by_method(code: str, method: str, operation: Element) -> Interaction:
    if code and not method:
        raise NotSupported(f"not supported: the operation '{code[:100]}'")
    if not method:
        raise ScriptError("the operation has neither a type nor a method")
    ids = operation.get("targetId") or method in ("PUT", "PATCH", "DELETE")
    place = "instance" if ids and method != "POST" else "type"
    return Interaction(method, place, body=method in ("POST", "PUT", "PATCH"))


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
    if resource is None and not given and content.body.lstrip()[:1] == b"[":
        return content.body, _JSON_PATCH  # no resource is a list
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
    return encoded(params.removeprefix("/_search").lstrip("?")).encode()
