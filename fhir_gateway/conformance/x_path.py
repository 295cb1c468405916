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
_PREFIX = re.compile(r"(?<![\w:.-])(?:fhir|f|h|xhtml):(?!:)")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
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


def prefixed(expression: str) -> bool:
    """Whether an expression names elements with the prefix of a namespace."""
    return _PREFIX.search(_QUOTED.sub("''", expression)) is not None


def find(expression: str, content: Content) -> list[str]:
    """The values at an expression, as texts. Raises ScriptError, NotSupported."""
    path = compiled(expression)
    root = _xml(content)
    if not prefixed(expression) and "namespace-uri" not in expression:
        _without_namespaces(root)  # `Patient/name/@value`, as many scripts write it
    try:
        found = path(_context(expression, root))
    except etree.XPathError as error:
        raise NotSupported(f"not supported: the XPath '{expression[:200]}' ({error})") from None
    if not isinstance(found, list):
        return [_scalar(found)]
    return [_text(one) for one in found]


def _context(expression: str, root: Any) -> Any:
    """Where a path starts. Scripts start a relative one at the document (`fhir:Patient/…`) or at
    the resource (`fhir:name`); one that begins with the resource's name means the document."""
    name = re.escape(etree.QName(root).localname)
    step = re.compile(rf"(?<![\w/:.@$-])(?:(?:fhir|f):)?{name}(?![\w.:(-])")
    bare = _QUOTED.sub("''", expression)
    if _ABSOLUTE.search(bare) or step.search(bare) is None:
        return root
    holder = etree.Element("document")
    holder.append(root)
    return holder


def _without_namespaces(root: Any) -> None:
    for element in root.iter("*"):
        element.tag = etree.QName(element).localname


def _xml(content: Content) -> Any:
    resource = content.resource
    if resource is None:
        raise NoResource(content.unreadable)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    own = content.body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if own[:1] == b"<":  # as it came; that it has no document type was looked at when it was read
        return etree.fromstring(own, parser)
    try:
        data = exchange_xml.dump(resource)
    except GatewayError:
        raise NotSupported("not supported: an XPath on content that XML cannot hold") from None
    except (ValueError, TypeError, KeyError, AttributeError, etree.LxmlError):
        raise NotSupported("not supported: an XPath on content that is not FHIR R4") from None
    return etree.fromstring(data, parser)


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
