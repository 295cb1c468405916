"""Is a choice one of its options: listed, in a value set, or what an expression offers now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import Element, as_dict
from fhir_gateway.questionnaire.choices import offered
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.item import Item
from fhir_gateway.questionnaire.options import Option, value_of
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.questionnaire.rules.context import Checking
from fhir_gateway.questionnaire.values import same

_HL7 = {
    "Coding": "Questionnaire_QR_Item_NoCoding",
    "Integer": "Questionnaire_QR_Item_NoInteger",
    "Date": "Questionnaire_QR_Item_NoDate",
    "Time": "Questionnaire_QR_Item_NoTime",
    "String": "Questionnaire_QR_Item_NoString",
    "Decimal": "QUESTIONNAIRE_QR_ITEM_NODECIMAL",
}
_HL7_NONE_OF_TYPE = {
    "Coding": "Questionnaire_QR_Item_NoOptionsCoding",
    "Integer": "Questionnaire_QR_Item_NoOptionsInteger",
    "Date": "Questionnaire_QR_Item_NoOptionsDate",
    "Time": "Questionnaire_QR_Item_NoOptionsTime",
    "String": "Questionnaire_QR_Item_NoOptionsString",
}


def check(
    node: Node, place: str, value_type: str, value: Any, checking: Checking
) -> Iterator[Issue]:
    """Issues of one answer against the options that its item offers now."""
    item = node.item
    if item.answer_expression is not None:
        yield from _expressed(node, place, value_type, value, checking)
        return
    try:
        options = (
            offered(node, checking.definition, checking.scope)
            if item.toggles
            else checking.definition.options(item)
        )
    except NotExpandable as error:
        yield _issue(Code.OPTION_UNKNOWN, node, place, str(error), severity="warning")
        return
    if is_option(value_type, value, options):
        return
    if item.value_set and value_type == "Coding" and _has_code(as_dict(value), options):
        yield _issue(
            Code.NO_SYSTEM, node, place, "the coding does not name its system", severity="warning"
        )
    elif item.type == "open-choice":
        yield from _open(node, place, value_type, value, options)
    elif not options and item.type == "choice" and value_type == "Coding":
        yield _issue(
            Code.OPTION_UNKNOWN,
            node,
            place,
            "the Questionnaire gives no options, so the code cannot be checked",
            severity="information",
            hl7="Questionnaire_QR_Item_CodingNoOptions",
        )
    else:
        yield _issue(
            Code.NOT_AN_OPTION,
            node,
            place,
            f"the answer {_shown(value)}is not one of the options",
            hl7=_hl7(item, value_type, options),
        )


def is_option(value_type: str, value: Any, options: tuple[Option, ...]) -> bool:
    """Whether a value is one of the options; displays are not compared."""
    return any(same(value_type, value, option.type, option.value) for option in options)


def _has_code(coding: Element, options: tuple[Option, ...]) -> bool:
    """Whether a coding that names no system has the code of an option of a value set."""
    if coding.get("system") or not coding.get("code"):
        return False
    return any(as_dict(option.value).get("code") == coding["code"] for option in options)


def exclusive(node: Node) -> Iterator[Issue]:
    """An option that stands alone must not have company (questionnaire-optionExclusive)."""
    alone = tuple(option for option in node.item.options if option.exclusive)
    if not alone:
        return
    chosen = [value_of(answer) for answer in node.answers]
    if any(is_option(kind, value, alone) for kind, value in chosen):
        yield _issue(
            Code.EXCLUSIVE_OPTION, node, node.expression, "an exclusive option stands alone"
        )


def _expressed(
    node: Node, place: str, value_type: str, value: Any, checking: Checking
) -> Iterator[Issue]:
    """Options that an expression gives can be checked where all that it asks for is at hand."""
    expression = node.item.answer_expression
    if expression is None or not expression.is_path:
        return
    if not checking.scope.knows(expression.text, node):
        return
    options = offered(node, checking.definition, checking.scope)
    if node.item.type == "open-choice" and value_type == "String":
        return
    if options and not is_option(value_type, value, options):
        yield _issue(Code.NOT_AN_OPTION, node, place, "the answer is not one of the options now")


def _open(
    node: Node, place: str, value_type: str, value: Any, options: tuple[Option, ...]
) -> Iterator[Issue]:
    """R4: free text of an open-choice is a valueString; a Coding with only a display is met."""
    coding = as_dict(value)
    free = value if value_type == "String" else coding.get("display")
    if value_type == "String" or (free and not coding.get("code")):
        known = {as_dict(option.value).get(name) for option in options for name in _WORDS}
        if value_type != "String" or free in known:
            yield _issue(
                Code.FREE_TEXT_IS_OPTION,
                node,
                place,
                "free text should be a valueString that is not the text of an option",
                severity="warning",
            )
    elif value_type != "Coding" and not any(option.type == value_type for option in options):
        # Neither R4 nor the validators agree on what this means; it is no option for sure.
        yield _issue(
            Code.OPTION_UNKNOWN,
            node,
            place,
            f"no option is of type {value_type.lower()}, so the answer cannot be checked",
            severity="warning",
            hl7=f"Questionnaire_QR_Item_{value_type}NoOptions",
        )
    elif options:
        yield _issue(
            Code.NOT_AN_OPTION,
            node,
            place,
            f"the answer {_shown(value)}is not one of the options",
            hl7=_hl7(node.item, value_type, options),
        )


_WORDS = ("display", "code")


def _shown(value: Any) -> str:
    """The code of a Coding, which is no free text; never anything that was typed."""
    code = as_dict(value).get("code")
    return f"'{code}' " if isinstance(code, str) and len(code) <= 64 else ""  # noqa: PLR2004


def _hl7(item: Item, value_type: str, options: tuple[Option, ...]) -> str:
    if item.value_set:
        return "Questionnaire_QR_Item_BadOption"
    if any(option.type == value_type for option in options):
        return _HL7.get(value_type, "")
    return _HL7_NONE_OF_TYPE.get(value_type, "")


def _issue(
    code: Code, node: Node, place: str, text: str, *, severity: str = "error", hl7: str = ""
) -> Issue:
    return Issue(code, severity, text, place, node.item.link_id, node.address, hl7=hl7)
