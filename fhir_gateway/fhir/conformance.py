"""Conformance resources from files: JSON, XML, or a FHIR package.

https://hl7.org/fhir/packages.html. Bytes in, resources out; reading files is the caller's. XML is
refused with a DOCTYPE, so that no entity is ever expanded.
"""

from __future__ import annotations

import io
import tarfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.elements import ElementInfo, elements, is_resource
from fhir_gateway.fhir.types import Resource, as_dict

TYPES = frozenset({"StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap"})
MAX_BYTES = 60_000_000
MAX_FILE = 10_000_000
_FHIR = "{http://hl7.org/fhir}"


class ConformanceRefused(Refused):
    """A file is not what it should be; the message says what."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="conformance-refused")


def of_package(data: bytes) -> list[Resource]:
    """The conformance resources of a FHIR package (.tgz). Raises ConformanceRefused."""
    found: list[Resource] = []
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                if not member.isfile() or not member.name.endswith(".json"):
                    continue
                total += member.size
                if total > MAX_BYTES or member.size > MAX_FILE:
                    raise ConformanceRefused("The package is larger than is reasonable.")
                content = archive.extractfile(member)
                if content is not None:
                    found.extend(of_json(content.read()))
    except (tarfile.TarError, EOFError, OSError):
        raise ConformanceRefused("This is no FHIR package (.tgz).") from None
    return found


def of_json(data: bytes) -> Iterator[Resource]:
    """The conformance resource of a JSON file; nothing for any other JSON."""
    try:
        value = as_dict(fhir_json.parse(data, max_bytes=MAX_FILE))
    except fhir_json.JsonRefused as error:
        raise ConformanceRefused(str(error)) from None
    if value.get("resourceType") in TYPES:
        yield value


def of_xml(data: bytes) -> Iterator[Resource]:
    """The conformance resource of an XML file; nothing for any other XML."""
    if b"<!DOCTYPE" in data[:10_000] or b"<!ENTITY" in data:
        raise ConformanceRefused("XML with a DOCTYPE is not read.")
    try:
        root = ElementTree.fromstring(data)  # noqa: S314 (no DOCTYPE, see above)
    except ElementTree.ParseError as error:
        raise ConformanceRefused(f"Not valid XML at line {error.position[0]}.") from None
    name = root.tag.removeprefix(_FHIR)
    if name in TYPES:
        yield {"resourceType": name, **_structure(root, name)}


def _structure(node: ElementTree.Element, type_name: str) -> dict[str, Any]:
    known = elements(type_name)
    result: dict[str, Any] = {}
    for name in ("id", "url"):
        if node.get(name) is not None:
            result[name] = node.get(name)
    for child in node:
        name = str(child.tag).removeprefix(_FHIR)
        info = known.get(name)
        if info is None:
            continue  # a narrative's XHTML
        value = _value(child, info)
        if info.is_list:
            result.setdefault(name, []).append(value)
        else:
            result[name] = value
    return result


def _value(node: ElementTree.Element, info: ElementInfo) -> Any:
    if info.type == "Resource":
        inner = next(iter(node), None)
        name = "" if inner is None else str(inner.tag).removeprefix(_FHIR)
        if inner is None or not is_resource(name):
            return {}
        return {"resourceType": name, **_structure(inner, name)}
    if info.type[:1].isupper():
        return _structure(node, info.type)
    text = node.get("value") or ""
    if info.type == "boolean":
        return text == "true"
    if info.type in ("integer", "positiveInt", "unsignedInt"):
        return int(text)
    return Decimal(text) if info.type == "decimal" else text
