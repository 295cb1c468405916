"""FHIR XML in and out (https://hl7.org/fhir/R4/xml.html), by the element order of the R4B models.

Reading is hardened (no entities, no DTD, no network, bounded size and depth). It is lenient with
what neighbours answer: what the models do not know is read as one string or object. It is strict
with what clients send to be kept: whatever would be lost or guessed at is refused. Decimals keep
their digits both ways. What is written is read again and must be the same, so nothing is lost in
silence.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree

from fhir_gateway.errors import Defect, Refused
from fhir_gateway.fhir.types import Resource, as_list

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
MAX_BYTES = 5_000_000
MAX_DEPTH = 100
_COMPLEX = re.compile(r"abc\.(\w+?)Type\b")
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class XmlRefused(Refused):
    """The bytes are not FHIR XML that this gateway reads; the message has no content."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="xml-refused")


class _Element(NamedTuple):
    """What the models say of an element. `type`: a complex type, `Resource`, or "" for primitives,
    whose Python kind is then `kind`."""

    many: bool
    type: str
    kind: str


def is_text(value: str) -> bool:
    """Whether all characters are allowed in XML, and so in a FHIR string."""
    return _NO_TEXT.search(value) is None


def dump(resource: Resource, *, pretty: bool = False) -> bytes:
    """A resource as XML. Raises Defect when anything of it would be lost."""
    root = _write_resource(resource)
    content: bytes = etree.tostring(
        root, xml_declaration=True, encoding="UTF-8", pretty_print=pretty
    )
    if _comparable(parse(content)) != _comparable(resource):
        raise Defect(
            f"A {resource.get('resourceType')} cannot be written in XML without loss.",
            code="xml-loss",
        )
    return content


def parse(content: bytes, *, strict: bool = False, max_bytes: int = MAX_BYTES) -> Resource:
    """A resource from XML. Raises XmlRefused; when `strict` also for elements, attributes, text,
    repetitions and values that its type does not have."""
    if len(content) > max_bytes:
        raise XmlRefused(f"The content is larger than {max_bytes} bytes.")
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise XmlRefused("The content declares a document type, which FHIR never does.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise XmlRefused("The content is not well-formed XML.") from None
    if etree.QName(root).namespace != FHIR:
        raise XmlRefused("The content is not FHIR.")
    if root.getroottree().docinfo.doctype:
        # In an encoding in which the check of the bytes did not see it.
        raise XmlRefused("The content declares a document type, which FHIR never does.")
    return _read_resource(root, 0, strict=strict)


@lru_cache(maxsize=512)
def _elements(type_name: str) -> dict[str, _Element]:
    """The elements of a type in their order; empty for a type that is not of R4."""
    from fhir.resources.R4B import get_fhir_model_class

    try:
        model = get_fhir_model_class(type_name)
    except (KeyError, ValueError, AttributeError):
        return {}
    by_name = {field.alias or name: field for name, field in model.model_fields.items()}
    return {name: _element(str(by_name[name].annotation)) for name in model.elements_sequence()}


def _element(annotation: str) -> _Element:
    complex_type = _COMPLEX.search(annotation)
    name = complex_type[1] if complex_type and "FHIRPrimitive" not in complex_type[1] else ""
    kind = next((k for k in ("bool", "int", "decimal") if k in annotation.lower()), "str")
    return _Element("List[" in annotation or "list[" in annotation, name, kind)


def _tag(name: str) -> str:
    return f"{{{FHIR}}}{name}"


def _write_resource(resource: Resource) -> Any:
    element = etree.Element(_tag(resource["resourceType"]), nsmap={None: FHIR})
    _write_content(element, resource, resource["resourceType"], resource=True)
    return element


def _write_content(parent: Any, value: dict[str, Any], type_name: str, *, resource: bool) -> None:
    """The children of an element, in the order of its type."""
    order = _elements(type_name)
    if not resource and "id" in value:
        parent.set("id", value["id"])
    if type_name == "Extension" and "url" in value:
        parent.set("url", value["url"])
    for name, element in order.items():
        if name == ("url" if type_name == "Extension" else "id") and not resource:
            continue
        given, extras = value.get(name), value.get(f"_{name}")
        if given is None and extras is None:
            continue
        values = given if isinstance(given, list) else [given]
        more = extras if isinstance(extras, list) else [extras]
        for index in range(max(len(values), len(more))):
            one = values[index] if index < len(values) else None
            extra = more[index] if index < len(more) else None
            _write_one(parent, name, element, one, extra)


def _write_one(parent: Any, name: str, element: _Element, value: Any, extra: Any) -> None:
    if name == "div" and isinstance(value, str):
        parent.append(etree.fromstring(value.encode(), etree.XMLParser(resolve_entities=False)))
        return
    child = etree.SubElement(parent, _tag(name))
    if isinstance(value, dict) and "resourceType" in value:
        child.append(_write_resource(value))
    elif isinstance(value, dict):
        _write_content(child, value, element.type, resource=False)
    else:
        if value is not None:
            child.set("value", _text(value))
        if isinstance(extra, dict):
            _write_content(child, extra, "Element", resource=False)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _read_resource(element: Any, depth: int, *, strict: bool) -> Resource:
    name = etree.QName(element).localname
    if strict and not _elements(name):
        raise XmlRefused("The content is no resource of R4.")
    return {
        "resourceType": name,
        **_read_content(element, name, depth, resource=True, strict=strict),
    }


def _read_content(
    element: Any, type_name: str, depth: int, *, resource: bool, strict: bool
) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise XmlRefused(f"The content is nested deeper than {MAX_DEPTH} levels.")
    known = _elements(type_name)
    if strict:
        _check(element, type_name, known, resource=resource)
    found: dict[str, Any] = {}
    if not resource and element.get("id") is not None:
        found["id"] = element.get("id")
    if type_name == "Extension" and element.get("url") is not None:
        found["url"] = element.get("url")
    grouped: dict[str, list[Any]] = {}
    for child in element:
        grouped.setdefault(etree.QName(child).localname, []).append(child)
    for name, children in grouped.items():
        about = known.get(name, _Element(len(children) > 1, "", "str"))
        _read_group(found, name, about, children, depth + 1, strict=strict)
    return found


def _check(element: Any, type_name: str, known: dict[str, _Element], *, resource: bool) -> None:
    """Refuses what is not of the type, and would be lost or misread."""
    allowed = set() if resource else {"id"}
    allowed |= {"url"} if type_name == "Extension" else set()
    allowed |= {"value"} if type_name == "Element" else set()
    if not allowed.issuperset(element.attrib):
        raise XmlRefused(f"An element of type {type_name} has an attribute that it cannot have.")
    texts = [element.text, *(child.tail for child in element)]
    if any(text and text.strip() for text in texts):
        raise XmlRefused(f"An element of type {type_name} has text outside its value.")
    counted: dict[str, int] = {}
    for child in element:
        name = etree.QName(child)
        counted[name.localname] = counted.get(name.localname, 0) + 1
        right = XHTML if (type_name, name.localname) == ("Narrative", "div") else FHIR
        about = known.get(name.localname)
        if name.namespace != right or about is None:
            raise XmlRefused(f"An element is not one of the type {type_name}.")
        if counted[name.localname] > 1 and not about.many:
            raise XmlRefused(f"An element of {type_name} repeats that cannot repeat.")


def _read_group(
    found: dict[str, Any],
    name: str,
    about: _Element,
    children: list[Any],
    depth: int,
    *,
    strict: bool,
) -> None:
    """One element, with all its repetitions, into the object."""
    pairs = [_read_one(name, about, child, depth, strict=strict) for child in children]
    values, extras = [v for v, _ in pairs], [e for _, e in pairs]
    if not about.many:
        values, extras = values[:1], extras[:1]
    if any(value is not None for value in values):
        found[name] = values if about.many else values[0]
    if any(extra is not None for extra in extras):
        found[f"_{name}"] = extras if about.many else extras[0]


def _read_one(
    name: str, about: _Element, child: Any, depth: int, *, strict: bool
) -> tuple[Any, Any]:
    """The value of an element, and what its `_name` holds."""
    if etree.QName(child).namespace == XHTML:
        return etree.tostring(child, encoding="unicode", with_tail=False), None
    inner = next(iter(child), None)
    if inner is not None and name in ("resource", "contained", "outcome", "response"):
        local = etree.QName(inner).localname
        if local[:1].isupper():
            if strict and len(child) > 1:
                raise XmlRefused("There is more than one resource where there can be one.")
            return _read_resource(inner, depth, strict=strict), None
    if about.type or (child.get("value") is None and inner is not None):
        content = _read_content(
            child, about.type or "Element", depth, resource=False, strict=strict
        )
        if about.type or name not in content:
            return (content, None) if about.type else (None, content)
    extra = _read_content(child, "Element", depth, resource=False, strict=strict)
    text = child.get("value")
    value = None if text is None else _typed(text, about.kind)
    if strict and about.kind != "str" and isinstance(value, str):
        raise XmlRefused("A value is no boolean or number where there must be one.")
    return value, (extra or None)


def _typed(text: str, kind: str) -> Any:
    """The value as its Python kind; the text itself where it is none of that kind."""
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "decimal" and _DECIMAL.fullmatch(text):
        return Decimal(text)
    return text


def _comparable(value: Any) -> Any:
    """A value such that two that mean the same are equal: XHTML in canonical form, numbers as
    their digits, and lists of extras without their empty ends."""
    if isinstance(value, dict):
        return {k: _comparable(v) for k, v in value.items() if k != "div"} | (
            {"div": _canonical(value["div"])} if isinstance(value.get("div"), str) else {}
        )
    if isinstance(value, list):
        return [_comparable(v) for v in as_list(value)]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return str(value)
    return value


def _canonical(div: str) -> bytes:
    root = etree.fromstring(div.encode(), etree.XMLParser(resolve_entities=False))
    content: bytes = etree.tostring(root, method="c14n")
    return content
