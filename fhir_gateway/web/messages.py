"""What an error says to a person: plain English, beside the field and in the summary.

The author's own words come first (questionnaire-errorMessage, the `human` text of a constraint,
entryFormat); the words here are for everything else, after the NHS design system's error patterns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_gateway.fhir.types import as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import CHOICE_TYPES, Item
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.texts import Texts
from fhir_gateway.web.fields import Problem

#: Words by kind; `{label}` is the item's short text, lower-cased at its start.
_WORDS = {
    Code.REQUIRED: "Enter {label}",
    Code.GROUP_REQUIRED: "Enter at least one of these",
    Code.MAX_LENGTH: "{Label} must be {limit} characters or fewer",
    Code.MIN_LENGTH: "{Label} must be {limit} characters or more",
    Code.REGEX: "Enter {label} in the correct format",
    Code.NEWLINE: "{Label} must be on one line",
    Code.CONTROL_CHARACTER: (
        "{Label} has characters that cannot be used. Delete it and type it again"
    ),
    Code.INVALID_VALUE: "Enter {label} in the correct format",
    Code.WRONG_TYPE: "Enter {label} in the correct format",
    Code.NOT_AN_OPTION: "Select one of the options",
    Code.EXCLUSIVE_OPTION: "Select the last option on its own, or only others",
    Code.MIN_VALUE: "{Label} must be {limit} or more",
    Code.MAX_VALUE: "{Label} must be {limit} or less",
    Code.MAX_DECIMAL_PLACES: "{Label} must have {limit} decimal places or fewer",
    Code.MIN_OCCURS: "Select {limit} or more",
    Code.MAX_OCCURS: "Select {limit} or fewer",
    Code.TOO_MANY_ANSWERS: "Select one option only",
    "not-a-number": "{Label} must be a number",
    "date-not-real": "{Label} must be a real date",
    "date-short-year": "{Label} must have a year with 4 numbers, like 1984",
    "other-empty": "Enter what it is",
}
_FALLBACK = "Check {label}"


def of_issue(issue: Issue, item: Item, texts: Texts) -> str:
    """The words for an issue of the validator."""
    own = texts.error_message(item, issue.code)
    if own:
        return own
    if issue.human:
        return issue.human
    entry_format = as_str(item.extension(ext.ENTRY_FORMAT))
    if issue.code is Code.REGEX and entry_format:
        return f"Enter {entry_format}"
    if issue.code is Code.REQUIRED and (item.type in CHOICE_TYPES or item.type == "boolean"):
        return _fill("Select {label}", item, texts, issue.args)
    return _fill(_WORDS.get(issue.code, _FALLBACK), item, texts, issue.args)


def of_problem(problem: Problem, item: Item, texts: Texts) -> str:
    """The words for something typed that cannot be a value."""
    own = texts.error_message(item, problem.kind)
    if own:
        return own
    if problem.kind == "date-incomplete":
        parts = " and ".join(f"a {part}" for part in problem.parts)
        return _fill("{Label} must include " + parts, item, texts, {})
    return _fill(_WORDS.get(problem.kind, _FALLBACK), item, texts, {})


def _fill(words: str, item: Item, texts: Texts, args: Mapping[str, Any]) -> str:
    label = texts.short_text(item).rstrip("?").strip() or "an answer"
    lowered = label if label[:2].isupper() else label[:1].lower() + label[1:]
    return words.format(
        label=lowered, Label=label[:1].upper() + label[1:], limit=args.get("limit", "")
    )
