"""What an error says to a person: plain English, beside the field and in the summary.

The author's own words come first (questionnaire-errorMessage, the `human` text of a constraint,
entryFormat); the words here are for everything else, after the NHS design system's error patterns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_gateway.fhir.types import as_str
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Item
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.texts import Texts
from fhir_gateway.web.fields import Problem
from fhir_gateway.web.fields.options import is_choice
from fhir_gateway.web.words import ENGLISH, Words

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
    "time-not-real": "{Label} must be a real time, like 14 30",
    "time-incomplete": "{Label} must include an hour and minutes",
    "unit-missing": "Select a unit",
    "search-open": "Select {label} from the list",
    "file-type": "The selected file must be a {limit}",
    "file-size": "The selected file must be smaller than {limit}",
    "file-empty": "The selected file is empty",
    "file-broken": "The selected file could not be read. Try another one",
    "file-too-many": "You can only send {limit} in all",
    "file-password": "The selected file is password protected",
    "file-pixels": "The selected picture is too large. Try a smaller one",
}
#: How many, where answers are not chosen.
_COUNTED = {Code.MIN_OCCURS: "Enter {limit} or more", Code.MAX_OCCURS: "Enter {limit} or fewer"}
#: What a missing answer asks for, where it is not typed.
_REQUIRED = {
    "boolean": "Select {label}",
    "choice": "Select {label}",
    "open-choice": "Select {label}",
    "attachment": "Select a file",
}
_FALLBACK = "Check {label}"


def of_issue(issue: Issue, item: Item, texts: Texts, words: Words = ENGLISH) -> str:
    """The words for an issue of the validator."""
    own = texts.error_message(item, issue.code)
    if own:
        return own
    if issue.human:
        return issue.human
    entry_format = as_str(item.extension(ext.ENTRY_FORMAT))
    if issue.code is Code.REGEX and entry_format:
        return words.say("Enter {format}", format=entry_format)
    phrase = _WORDS.get(issue.code, _FALLBACK)
    if issue.code in _COUNTED and not is_choice(item):
        phrase = _COUNTED[issue.code]
    if issue.code is Code.REQUIRED:
        phrase = _REQUIRED.get(item.type, phrase)
    return _fill(phrase, item, texts, issue.args, words)


def of_problem(problem: Problem, item: Item, texts: Texts, words: Words = ENGLISH) -> str:
    """The words for something typed that cannot be a value."""
    own = texts.error_message(item, problem.kind)
    if own:
        return own
    if problem.kind == "date-incomplete":
        phrase = "{Label} must include " + " and ".join(f"a {part}" for part in problem.parts)
        return _fill(phrase, item, texts, {}, words)
    phrase = _WORDS.get(problem.kind, _FALLBACK)
    return _fill(phrase, item, texts, {"limit": problem.limit}, words)


def _fill(phrase: str, item: Item, texts: Texts, args: Mapping[str, Any], words: Words) -> str:
    named = texts.short_text(item) or texts.plain(item)
    label = named.rstrip("?:").strip() or words.say("an answer")
    lowered = label if label[:2].isupper() else label[:1].lower() + label[1:]
    return words.say(
        phrase,
        label=lowered,
        Label=label[:1].upper() + label[1:],
        limit=args.get("limit", ""),
    )
