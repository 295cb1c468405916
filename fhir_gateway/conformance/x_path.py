"""XPath 1.0 of TestScripts, on the XML of a resource; what came as JSON is written as XML first."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from fhir_gateway.conformance.errors import NoResource, NotSupported, ScriptError
from fhir_gateway.conformance.exchange import Content
from fhir_gateway.errors import GatewayError
from fhir_gateway.fhir import exchange_xml

_ABSOLUTE = re.compile(r"(?:^|[(\s,|=])/(?!/)")
_NAMESPACES = {
    "fhir": exchange_xml.FHIR,
    "f": exchange_xml.FHIR,
    "h": exchange_xml.XHTML,
    "xhtml": exchange_xml.XHTML,
}


def compiled(expression: str) -> Any:
    """An expression, compiled. Raises ScriptError for what is not XPath 1.0."""
    try:
        return etree.XPath(expression, namespaces=_NAMESPACES)
    except (etree.XPathSyntaxError, ValueError) as error:
        raise ScriptError(f"XPath '{expression[:200]}': {error}") from None


def find(expression: str, content: Content) -> list[str]:
    """The values at an expression, as texts. Raises ScriptError, NotSupported."""
    path = compiled(_prefixed(expression))
    root = _xml(content)
    try:
        found = path(root) if _ABSOLUTE.search(expression) else _relative(path, root)
    except etree.XPathError as error:
        raise NotSupported(f"not supported: the XPath '{expression[:200]}' ({error})") from None
    if not isinstance(found, list):
        return [_scalar(found)]
    return [_text(one) for one in found]


def _relative(path: Any, root: Any) -> Any:
    """Scripts start a relative path at the document (`fhir:Patient/…`) or at the resource."""
    holder = etree.Element("document")
    holder.append(root)
    found = path(holder)
    return path(root) if found == [] else found


def _prefixed(expression: str) -> str:
    """`Patient/name/@value`, as many scripts write it, with the namespace of FHIR."""
    if "fhir:" in expression or "f:" in expression or "(" in expression or "[" in expression:
        return expression
    return "/".join(
        f"fhir:{step}" if step[:1].isalpha() and ":" not in step else step
        for step in expression.split("/")
    )


def _xml(content: Content) -> Any:
    resource = content.resource
    if resource is None:
        raise NoResource(content.unreadable)
    try:
        data = exchange_xml.dump(resource)
    except GatewayError:
        raise NotSupported("not supported: an XPath on content that XML cannot hold") from None
    except (ValueError, TypeError, KeyError, AttributeError, etree.LxmlError):
        raise NotSupported("not supported: an XPath on content that is not FHIR R4") from None
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value)


def _text(node: Any) -> str:
    """An attribute's or a text's value; of an element its `value`, else its own XML."""
    if isinstance(node, str):
        return str(node)
    value = node.get("value") if hasattr(node, "get") else None
    if value is not None:
        return str(value)
    return str(etree.tostring(node, encoding="unicode", with_tail=False)).strip()
