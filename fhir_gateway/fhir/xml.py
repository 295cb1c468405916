"""FHIR XML into the JSON form, for definitional resources and responses.

https://hl7.org/fhir/R4/xml.html. Reads Questionnaires, QuestionnaireResponses, ValueSets,
CodeSystems and what they commonly contain, without a schema: which elements repeat, and which
primitives are numbers or booleans, is in the tables below. Nothing is fetched or expanded: a
document type declaration, and with it every entity, is refused.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from fhir_gateway.errors import Refused

MAX_BYTES = 20_000_000
MAX_DEPTH = 100
_FHIR = "{http://hl7.org/fhir}"
_XHTML = "http://www.w3.org/1999/xhtml"

_BOOLEANS = frozenset(
    "required repeats readOnly experimental initialSelected immutable caseSensitive compositional "
    "versionNeeded abstract inactive valueBoolean answerBoolean userSelected active "
    "deceasedBoolean multipleBirthBoolean".split()
)
_INTEGERS = frozenset(
    "maxLength valueInteger answerInteger valuePositiveInt valueUnsignedInt total offset count "
    "rank size multipleBirthInteger".split()
)
_DECIMALS = frozenset({"valueDecimal", "answerDecimal", "latitude", "longitude"})
#: Elements in which `value` is a decimal.
_QUANTITIES = ("Quantity", "Age", "Duration", "Distance", "Count", "Money")
_RANGE_ENDS = frozenset({"low", "high", "numerator", "denominator"})

#: Elements that repeat wherever they stand.
_LISTS = frozenset(
    "extension modifierExtension contained item answer answerOption initial enableWhen coding "
    "contact useContext jurisdiction subjectType derivedFrom basedOn partOf include exclude "
    "concept designation filter valueSet contains parameter telecom tag security profile line "
    "given prefixName suffix address communication generalPractitioner entry link photo".split()
)
#: Elements that repeat in some places only: (parent, element); a parent is a resource type or an
#: element's name.
_LISTS_IN = frozenset(
    {
        ("Questionnaire", "identifier"),
        ("Questionnaire", "code"),
        ("item", "code"),
        ("ValueSet", "identifier"),
        ("CodeSystem", "identifier"),
        ("Patient", "identifier"),
        ("Patient", "name"),
        ("Practitioner", "identifier"),
        ("Practitioner", "name"),
        ("Organization", "identifier"),
        ("Organization", "alias"),
        ("CodeSystem", "property"),
        ("concept", "property"),
        ("filter", "operator"),
    }
)
#: Elements of the tables above that do not repeat here.
_SINGLE_IN = frozenset({("Reference", "identifier"), ("parameter", "concept")})


class XmlRefused(Refused):
    """The bytes are not FHIR XML that this gateway reads; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="xml-refused")


def parse(data: bytes) -> dict[str, Any]:
    """The resource in the JSON form; decimals are exact. Raises XmlRefused."""
    if len(data) > MAX_BYTES:
        raise XmlRefused(f"The content is larger than {MAX_BYTES} bytes.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlRefused(f"Not well-formed XML: {error}") from None
    if root.getroottree().docinfo.doctype:
        raise XmlRefused("A document type declaration is not allowed in FHIR XML.")
    if not str(root.tag).startswith(_FHIR):
        raise XmlRefused(f"The root is not in the namespace {_FHIR[1:-1]}.")
    return _resource(root, 0)


def _resource(node: Any, depth: int) -> dict[str, Any]:
    name = _name(node)
    return {"resourceType": name, **_object(node, name, depth)}


def _object(node: Any, name: str, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise XmlRefused(f"The content is nested deeper than {MAX_DEPTH} levels.")
    result: dict[str, Any] = {key: node.attrib[key] for key in ("id", "url") if key in node.attrib}
    for child in node:
        if not isinstance(child.tag, str):
            continue
        tag = etree.QName(child)
        if tag.namespace == _XHTML:
            result["div"] = etree.tostring(child, encoding="unicode", with_tail=False)
            continue
        value, sibling = _element(child, name, depth)
        _add(result, name, _name(child), value, sibling)
    return result


def _element(node: Any, parent: str, depth: int) -> tuple[Any, dict[str, Any] | None]:
    """The value of an element, and, for a primitive, its `_sibling` with id and extensions."""
    name = _name(node)
    if name == "contained" or (name == "resource" and parent == "entry"):
        inner = next((child for child in node if isinstance(child.tag, str)), None)
        return ({} if inner is None else _resource(inner, depth + 1)), None
    if "value" not in node.attrib and not _is_primitive_without_value(node, name):
        return _object(node, name, depth + 1), None
    sibling = _object(node, name, depth + 1)
    sibling.pop("url", None)
    text = node.attrib.get("value")
    value = None if text is None else _primitive(name, parent, text)
    return value, sibling or None


def _is_primitive_without_value(node: Any, name: str) -> bool:
    """`<valueDate><extension …/></valueDate>`: only extensions inside, under a primitive's name."""
    if len(node) == 0 or any(_name(child) != "extension" for child in node):
        return False
    return name in _BOOLEANS | _INTEGERS | _DECIMALS or name in (
        "text title valueString valueDate valueDateTime valueTime valueUri valueCode "
        "valueMarkdown display value".split()
    )


def _primitive(name: str, parent: str, text: str) -> Any:
    if name in _BOOLEANS and text in ("true", "false"):
        return text == "true"
    is_amount = name == "value" and (parent.endswith(_QUANTITIES) or parent in _RANGE_ENDS)
    try:
        if name in _INTEGERS:
            return int(text)
        if name in _DECIMALS or is_amount:
            number = Decimal(text)
            return number if number.is_finite() else text
    except (ValueError, InvalidOperation):
        return text
    return text


def _add(
    result: dict[str, Any], parent: str, name: str, value: Any, sibling: dict[str, Any] | None
) -> None:
    if not _repeats(parent, name):
        if value is not None:
            result[name] = value
        if sibling is not None:
            result[f"_{name}"] = sibling
        return
    result.setdefault(name, []).append(value)
    if sibling is not None or f"_{name}" in result:
        siblings = result.setdefault(f"_{name}", [])
        siblings.extend([None] * (len(result[name]) - 1 - len(siblings)))
        siblings.append(sibling)


def _repeats(parent: str, name: str) -> bool:
    if (parent, name) in _SINGLE_IN:
        return False
    return name in _LISTS or (parent, name) in _LISTS_IN


def _name(node: Any) -> str:
    return str(etree.QName(node).localname)
