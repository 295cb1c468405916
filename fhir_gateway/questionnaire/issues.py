"""What can be wrong with a response: stable codes, with the HL7 validator's message ids beside.

The codes are ours and stay; the HL7 ids (org.hl7.fhir.core, Messages.properties) let the two
validators be compared issue by issue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fhir_gateway.fhir import outcome
from fhir_gateway.fhir.identifiers import BASE
from fhir_gateway.fhir.types import Element
from fhir_gateway.questionnaire.response import Address

SYSTEM = f"{BASE}/CodeSystem/response-issue"
#: On an issue of an OperationOutcome: its linkId, and the key of the words for patients.
LINK_ID = f"{BASE}/StructureDefinition/issue-linkId"
MESSAGE_KEY = f"{BASE}/StructureDefinition/issue-messageKey"
HL7_SYSTEM = "http://hl7.org/fhir/java-core-messageId"


class Code(StrEnum):
    """The stable codes. The name of each says the rule."""

    NOT_A_RESPONSE = "not-a-response"
    NO_QUESTIONNAIRE = "no-questionnaire"
    OTHER_QUESTIONNAIRE = "other-questionnaire"
    TOO_LARGE = "too-large"
    NOT_RESOLVED = "not-resolved"
    STATUS = "status"
    SUBJECT_TYPE = "subject-type"
    AUTHORED = "authored"
    OUTSIDE_PERIOD = "outside-period"
    EMPTY = "empty"
    NO_LINK_ID = "no-link-id"
    UNKNOWN_LINK_ID = "unknown-link-id"
    WRONG_PLACE = "wrong-place"
    OUT_OF_ORDER = "out-of-order"
    TEXT_DIFFERS = "text-differs"
    GROUP_HAS_ANSWER = "group-has-answer"
    DISPLAY_HAS_CONTENT = "display-has-content"
    DISPLAY_HAS_ANSWER = "display-has-answer"
    ITEM_OUTSIDE_ANSWER = "item-outside-answer"
    NO_TYPE = "no-type"
    REQUIRED = "required"
    GROUP_REQUIRED = "group-required"
    TOO_MANY_ANSWERS = "too-many-answers"
    TOO_MANY_ITEMS = "too-many-items"
    MIN_OCCURS = "min-occurs"
    MAX_OCCURS = "max-occurs"
    DISABLED = "disabled"
    WRONG_TYPE = "wrong-type"
    NO_VALUE = "no-value"
    SEVERAL_VALUES = "several-values"
    READ_ONLY = "read-only"
    INVALID_VALUE = "invalid-value"
    NOT_AN_OPTION = "not-an-option"
    OPTION_UNKNOWN = "option-unknown"
    NO_SYSTEM = "no-system"
    FREE_TEXT_IS_OPTION = "free-text-is-option"
    EXCLUSIVE_OPTION = "exclusive-option"
    MIN_LENGTH = "min-length"
    MAX_LENGTH = "max-length"
    REGEX = "regex"
    NEWLINE = "newline"
    CONTROL_CHARACTER = "control-character"
    MIN_VALUE = "min-value"
    MAX_VALUE = "max-value"
    MAX_DECIMAL_PLACES = "max-decimal-places"
    NOT_COMPARABLE = "not-comparable"
    UNIT = "unit"
    UNIT_UNKNOWN = "unit-unknown"
    ATTACHMENT_TYPE = "attachment-type"
    ATTACHMENT_SIZE = "attachment-size"
    REFERENCE_TYPE = "reference-type"
    REGEX_TOO_SLOW = "regex-too-slow"
    CONSTRAINT = "constraint"


#: Our code → message id of the HL7 validator; codes without one are rules it does not have. Where
#: it has an id for each type of value, the rule names it (Issue.hl7).
HL7_IDS: Mapping[Code, str] = {
    Code.NO_QUESTIONNAIRE: "Questionnaire_QR_Q_None",
    Code.NOT_RESOLVED: "Questionnaire_QR_Q_NotFound",
    Code.NO_LINK_ID: "Questionnaire_QR_Item_NoLinkId",
    Code.DISPLAY_HAS_ANSWER: "QUESTIONNAIRE_QR_ITEM_DISPLAY_NO_VALUE",
    Code.UNIT: "QUESTIONNAIRE_QR_ITEM_DECIMAL_INVALID_UNITS",
    Code.UNIT_UNKNOWN: "QUESTIONNAIRE_QR_ITEM_DECIMAL_INVALID_UNIT_VS",
    Code.ATTACHMENT_TYPE: "QUESTIONNAIRE_QR_ITEM_BAD_ATTACHMENT_MIMETYPE",
    Code.ATTACHMENT_SIZE: "QUESTIONNAIRE_QR_ITEM_BAD_ATTACHMENT_LENGTH",
    Code.REFERENCE_TYPE: "QUESTIONNAIRE_QR_ITEM_REF_INVALID",
    Code.UNKNOWN_LINK_ID: "Questionnaire_QR_Item_NotFound",
    Code.OUT_OF_ORDER: "Questionnaire_QR_Item_Order",
    Code.TEXT_DIFFERS: "Questionnaire_QR_Item_Text",
    Code.GROUP_HAS_ANSWER: "Questionnaire_QR_Item_Group",
    Code.DISPLAY_HAS_CONTENT: "Questionnaire_QR_Item_Display",
    Code.ITEM_OUTSIDE_ANSWER: "Questionnaire_QR_Item_GroupAnswer",
    Code.NO_TYPE: "Questionnaire_QR_Item_NoType",
    Code.REQUIRED: "Questionnaire_QR_Item_Missing",
    Code.GROUP_REQUIRED: "QUESTIONNAIRE_QR_ITEM_GROUP_REQUIRED",
    Code.TOO_MANY_ANSWERS: "Questionnaire_QR_Item_OnlyOneA",
    Code.TOO_MANY_ITEMS: "Questionnaire_QR_Item_OnlyOneI",
    Code.MIN_OCCURS: "QUESTIONNAIRE_QR_ITEM_MIN_OCCURS",
    Code.MAX_OCCURS: "QUESTIONNAIRE_QR_ITEM_MAX_OCCURS",
    Code.DISABLED: "Questionnaire_QR_Item_NotEnabled2",
    Code.WRONG_TYPE: "Questionnaire_QR_Item_WrongType",
    Code.NOT_AN_OPTION: "Questionnaire_QR_Item_NoCoding",
    Code.OPTION_UNKNOWN: "Terminology_TX_ValueSet_NotFound",
    Code.FREE_TEXT_IS_OPTION: "QUESTIONNAIRE_QR_ITEM_STRING_IN_CODING",
    Code.EXCLUSIVE_OPTION: "QUESTIONNAIRE_QR_ITEM_EXCLUSIVE",
    Code.MIN_LENGTH: "QUESTIONNAIRE_QR_ITEM_STRING_MIN_LENGTH",
    Code.MAX_LENGTH: "QUESTIONNAIRE_QR_ITEM_STRING_MAX_LENGTH",
    Code.REGEX: "QUESTIONNAIRE_QR_ITEM_STRING_REGEX",
    Code.NEWLINE: "QUESTIONNAIRE_QR_ITEM_STRING_ILLEGAL_CHARS",
    Code.MAX_DECIMAL_PLACES: "QUESTIONNAIRE_QR_ITEM_DECIMAL_MAX_DECIMALS",
}

#: R4 issue-type of codes that are not plain `invalid`.
_ISSUE_TYPES: Mapping[Code, str] = {
    Code.NOT_A_RESPONSE: "structure",
    Code.NO_QUESTIONNAIRE: "not-found",
    Code.OTHER_QUESTIONNAIRE: "conflict",
    Code.TOO_LARGE: "too-costly",
    Code.REGEX_TOO_SLOW: "too-costly",
    Code.NOT_RESOLVED: "not-found",
    Code.OPTION_UNKNOWN: "not-found",
    Code.UNIT_UNKNOWN: "not-found",
    Code.STATUS: "code-invalid",
    Code.UNIT: "code-invalid",
    Code.OUTSIDE_PERIOD: "business-rule",
    Code.READ_ONLY: "business-rule",
    Code.DISPLAY_HAS_ANSWER: "structure",
    Code.SEVERAL_VALUES: "structure",
    Code.EMPTY: "structure",
    Code.UNKNOWN_LINK_ID: "structure",
    Code.NO_LINK_ID: "structure",
    Code.WRONG_PLACE: "structure",
    Code.OUT_OF_ORDER: "structure",
    Code.GROUP_HAS_ANSWER: "structure",
    Code.DISPLAY_HAS_CONTENT: "structure",
    Code.ITEM_OUTSIDE_ANSWER: "structure",
    Code.REQUIRED: "required",
    Code.GROUP_REQUIRED: "required",
    Code.NO_VALUE: "required",
    Code.NOT_AN_OPTION: "code-invalid",
    Code.DISABLED: "business-rule",
    Code.CONSTRAINT: "invariant",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong.

    `text` is for developers and never holds an answer. `args` fills the words for patients
    (`limit` and the like). `address` is None when the place is not an instance of a known item.
    """

    code: Code
    severity: str
    text: str
    expression: str
    link_id: str = ""
    address: Address | None = None
    args: Mapping[str, Any] = field(default_factory=dict)
    #: The author's own words for people, when the rule is a constraint.
    human: str = ""
    #: The HL7 validator's message id, where it depends on more than the code.
    hl7: str = ""

    @property
    def message_key(self) -> str:
        """The key of the words for patients, such as `response-issue.max-length`; `args` fill
        them in."""
        return f"response-issue.{self.code.value}"

    def as_outcome_issue(self) -> Element:
        """The issue for an OperationOutcome."""
        coding = [{"system": SYSTEM, "code": self.code.value}]
        hl7 = self.hl7 or HL7_IDS.get(self.code)
        if hl7:
            coding.append({"system": HL7_SYSTEM, "code": hl7})
        where = f"[linkId '{self.link_id}'] " if self.link_id else ""
        issue = outcome.issue(
            self.severity,
            _ISSUE_TYPES.get(self.code, "invalid"),
            f"{where}{self.text}",
            expression=[self.expression] if self.expression else [],
            coding=coding,
        )
        issue["extension"] = self._extensions()
        return issue

    def _extensions(self) -> list[Element]:
        found: list[Element] = [{"url": MESSAGE_KEY, "valueString": self.message_key}]
        if self.link_id:
            found.append({"url": LINK_ID, "valueString": self.link_id})
        return found
