"""Extension URLs that questionnaires carry: of FHIR R4, of SDC, and the few of this project."""

from __future__ import annotations

from fhir_gateway.fhir.identifiers import BASE

_CORE = "http://hl7.org/fhir/StructureDefinition"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition"
_OURS = f"{BASE}/StructureDefinition"

# FHIR R4 (https://hl7.org/fhir/R4/questionnaire-profiles.html)
ITEM_CONTROL = f"{_CORE}/questionnaire-itemControl"
HIDDEN = f"{_CORE}/questionnaire-hidden"
OPTION_EXCLUSIVE = f"{_CORE}/questionnaire-optionExclusive"
OPTION_PREFIX = f"{_CORE}/questionnaire-optionPrefix"
MIN_OCCURS = f"{_CORE}/questionnaire-minOccurs"
MAX_OCCURS = f"{_CORE}/questionnaire-maxOccurs"
CONSTRAINT = f"{_CORE}/questionnaire-constraint"
UNIT = f"{_CORE}/questionnaire-unit"
UNIT_OPTION = f"{_CORE}/questionnaire-unitOption"
UNIT_VALUE_SET = f"{_CORE}/questionnaire-unitValueSet"
CHOICE_ORIENTATION = f"{_CORE}/questionnaire-choiceOrientation"
SLIDER_STEP = f"{_CORE}/questionnaire-sliderStepValue"
SUPPORT_LINK = f"{_CORE}/questionnaire-supportLink"
REFERENCE_RESOURCE = f"{_CORE}/questionnaire-referenceResource"
MIME_TYPE = f"{_CORE}/mimeType"
MAX_SIZE = f"{_CORE}/maxSize"
ORDINAL_VALUE = f"{_CORE}/ordinalValue"
ORDINAL_VALUE_OLD = f"{_CORE}/questionnaire-ordinalValue"
ITEM_WEIGHT = f"{_CORE}/itemWeight"
MIN_LENGTH = f"{_CORE}/minLength"
MIN_VALUE = f"{_CORE}/minValue"
MAX_VALUE = f"{_CORE}/maxValue"
MAX_DECIMAL_PLACES = f"{_CORE}/maxDecimalPlaces"
REGEX = f"{_CORE}/regex"
ENTRY_FORMAT = f"{_CORE}/entryFormat"
RENDERING_XHTML = f"{_CORE}/rendering-xhtml"
RENDERING_MARKDOWN = f"{_CORE}/rendering-markdown"
VARIABLE = f"{_CORE}/variable"
CQF_LIBRARY = f"{_CORE}/cqf-library"
CQF_EXPRESSION = f"{_CORE}/cqf-expression"
CQF_CALCULATED_VALUE = f"{_CORE}/cqf-calculatedValue"
TRANSLATION = f"{_CORE}/translation"

# SDC 4.0 (https://hl7.org/fhir/uv/sdc/)
ENABLE_WHEN_EXPRESSION = f"{_SDC}/sdc-questionnaire-enableWhenExpression"
CALCULATED_EXPRESSION = f"{_SDC}/sdc-questionnaire-calculatedExpression"
INITIAL_EXPRESSION = f"{_SDC}/sdc-questionnaire-initialExpression"
ANSWER_EXPRESSION = f"{_SDC}/sdc-questionnaire-answerExpression"
CANDIDATE_EXPRESSION = f"{_SDC}/sdc-questionnaire-candidateExpression"
OPTIONS_TOGGLE = f"{_SDC}/sdc-questionnaire-answerOptionsToggleExpression"
ITEM_POPULATION_CONTEXT = f"{_SDC}/sdc-questionnaire-itemPopulationContext"
ITEM_MEDIA = f"{_SDC}/sdc-questionnaire-itemMedia"
ITEM_ANSWER_MEDIA = f"{_SDC}/sdc-questionnaire-itemAnswerMedia"
MIN_QUANTITY = f"{_SDC}/sdc-questionnaire-minQuantity"
MAX_QUANTITY = f"{_SDC}/sdc-questionnaire-maxQuantity"
OPEN_LABEL = f"{_SDC}/sdc-questionnaire-openLabel"
UNIT_OPEN = f"{_SDC}/sdc-questionnaire-unitOpen"
UNIT_SUPPLEMENTAL_SYSTEM = f"{_SDC}/sdc-questionnaire-unitSupplementalSystem"
TERMINOLOGY_SERVER = f"{_SDC}/sdc-questionnaire-preferredTerminologyServer"
ASSEMBLE_CONTEXT = f"{_SDC}/sdc-questionnaire-assembleContext"
KEYBOARD = f"{_SDC}/sdc-questionnaire-keyboard"
SHORT_TEXT = f"{_SDC}/sdc-questionnaire-shortText"
TARGET_CONSTRAINT = f"{_CORE}/targetConstraint"
LAUNCH_CONTEXT = f"{_SDC}/sdc-questionnaire-launchContext"
SUB_QUESTIONNAIRE = f"{_SDC}/sdc-questionnaire-subQuestionnaire"
ASSEMBLE_EXPECTATION = f"{_SDC}/sdc-questionnaire-assemble-expectation"
ASSEMBLED_FROM = f"{_SDC}/sdc-questionnaire-assembledFrom"

# Ours (docs/questionnaires.md)
#: On an item: reaching it ends the request; its page gives advice and nothing is sent.
STOP = f"{_OURS}/questionnaire-stop"
#: On a boolean item: answering yes sends a security code to the contact in the item it names.
VERIFY_CONTACT = f"{_OURS}/questionnaire-verifyContact"
#: On a top-level item: shown on the check-your-answers page instead of a page of its own.
ON_CHECK_PAGE = f"{_OURS}/questionnaire-onCheckPage"
#: On an item: how a display or group looks (`care-card-emergency`, `care-card-urgent`,
#: `care-card`, `inset`, `warning`, `details`).
APPEARANCE = f"{_OURS}/questionnaire-appearance"
#: On an item, repeatable: the words for one kind of error (`kind`, `message`).
ERROR_MESSAGE = f"{_OURS}/questionnaire-errorMessage"
#: On a group: whether it is one page (true) or cut into pages (false), whatever the rule says.
ONE_PAGE = f"{_OURS}/questionnaire-onePage"
#: On an item: the HTML autocomplete token of its field; may vary by answers as texts do.
AUTOCOMPLETE = f"{_OURS}/questionnaire-autocomplete"
#: On an item: how many characters its field is wide.
INPUT_WIDTH = f"{_OURS}/questionnaire-inputWidth"
#: On an item: answering it again, the same way, opens a draft that was left alone for a while.
UNLOCKS = f"{_OURS}/questionnaire-unlocks"

ITEM_CONTROL_SYSTEM = "http://hl7.org/fhir/questionnaire-item-control"
