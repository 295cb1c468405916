"""What people type that cannot be taken, field by field, and what each is told."""

from __future__ import annotations

from tests.web.walking import ADMIN, MEDICAL, Answers

SCRIPT = "<script>alert(1)</script>"
TEMPLATE = "{{ 7*7 }}"
NULL = "a\x00b"
RIGHT_TO_LEFT = "\u202e12 3"
EMOJI = "😀"
LONG = "x" * 100_000
OTHER: Answers = {
    **MEDICAL,
    "who-for": ["someone-else"],
    "requester-given": ["Hannah"],
    "requester-family": ["Bennett"],
    "requester-relationship": ["parent"],
    "requester-permission": ["parental-responsibility"],
    "requester-mobile": ["07700 900106"],
    "contact-person": ["requester"],
    "verify-requester-mobile": ["false"],
}
KNOWN: Answers = {**MEDICAL, "patient-nhs-number-known": ["true"]}

KINDS = ["appointment", "letter", "results", "medication", "contact-details", "other"]


def admin(kind: str) -> Answers:
    return {**ADMIN, "admin-kind": [kind]}


NAME_CHARACTERS = "must only include letters, spaces, hyphens and apostrophes"
#: (answers that lead there, page, field, {typed: a part of the message})
FIELDS: list[tuple[Answers, str, str, dict[str, str]]] = [
    (
        MEDICAL,
        "patient-name",
        "patient-given",
        {
            "": "Enter a first name",
            "   ": "Enter a first name",
            LONG: "First name must be 100 characters or fewer",
            EMOJI: NAME_CHARACTERS,
            SCRIPT: NAME_CHARACTERS,
            TEMPLATE: NAME_CHARACTERS,
            NULL: "characters that cannot be used",
            "R2D2": NAME_CHARACTERS,
        },
    ),
    (
        MEDICAL,
        "patient-name",
        "patient-family",
        {"": "Enter a last name", EMOJI: NAME_CHARACTERS, LONG: "100 characters or fewer"},
    ),
    (
        MEDICAL,
        "patient-postcode",
        "patient-postcode",
        {
            "": "Enter a postcode",
            "LS6": "Enter a full UK postcode, like LS1 4AP",
            "12345": "Enter a full UK postcode",
            SCRIPT: "Postcode must be 20 characters or fewer",
            TEMPLATE: "Enter a full UK postcode",
            EMOJI: "Enter a full UK postcode",
            NULL: "characters that cannot be used",
            RIGHT_TO_LEFT: "Enter a full UK postcode",
            LONG: "20 characters or fewer",
        },
    ),
    (
        KNOWN,
        "patient-nhs-number",
        "patient-nhs-number",
        {
            "": "Enter an NHS number",
            "999 000 1007": "Check the NHS number",
            "12345": "Enter a 10 digit NHS number",
            "QQ123456C": "This looks like a National Insurance number",
            EMOJI: "Enter a 10 digit NHS number",
            SCRIPT: "20 characters or fewer",
            TEMPLATE: "Enter a 10 digit NHS number",
            LONG: "20 characters or fewer",
            RIGHT_TO_LEFT: "Enter a 10 digit NHS number",
        },
    ),
    (
        MEDICAL,
        "patient-contact",
        "patient-mobile",
        {
            "": "Enter a mobile number or an email address",
            "12345": "Enter a UK mobile number, like 07700 900982",
            "020 7946 0000": "Enter a UK mobile number",
            "+33 6 12 34 56 78": "Enter a UK mobile number",
            EMOJI: "Enter a UK mobile number",
            SCRIPT: "Enter a UK mobile number",
            TEMPLATE: "Enter a UK mobile number",
            LONG: "30 characters or fewer",
            NULL: "characters that cannot be used",
        },
    ),
    (
        MEDICAL,
        "patient-contact",
        "patient-email",
        {
            "nobody": "Enter an email address in the correct format",
            "a@b": "Enter an email address in the correct format",
            SCRIPT: "Enter an email address in the correct format",
            LONG: "254 characters or fewer",
        },
    ),
    (
        MEDICAL,
        "medical-problem",
        "medical-problem",
        {
            "": "Enter what the problem is",
            NULL: "characters that cannot be used",
            LONG: "The problem must be 1500 characters or fewer",
        },
    ),
    (MEDICAL, "medical-tried", "medical-tried", {LONG: "1000 characters or fewer"}),
    (
        {**MEDICAL, "communication-needs": ["other"]},
        "communication-details",
        "communication-details",
        {
            "": "Enter what help is needed",
            "two\nlines": "must be on one line",
            LONG: "200 characters or fewer",
        },
    ),
    (
        OTHER,
        "requester-name",
        "requester-given",
        {"": "Enter your first name", SCRIPT: NAME_CHARACTERS, LONG: "100 characters or fewer"},
    ),
    (
        OTHER,
        "requester-contact",
        "requester-mobile",
        {"": "Enter a mobile number or an email address", "1": "Enter a UK mobile number"},
    ),
    (admin("other"), "admin-other", "admin-other", {"": "Enter what you need", NULL: "cannot be"}),
    (
        admin("results"),
        "admin-results",
        "results-test",
        {"": "Enter which test or scan", LONG: "200 characters or fewer"},
    ),
]
DATES: dict[tuple[str, str, str], str] = {
    ("", "", ""): "Enter a date of birth",
    ("31", "2", "1984"): "Date of birth must be a real date",
    ("29", "2", "2023"): "Date of birth must be a real date",
    ("12", "", "1984"): "Date of birth must include a month",
    ("", "", "1984"): "Date of birth must include a day and a month",
    ("12", "3", "84"): "Date of birth must have a year with 4 numbers",
    ("12", "3", "2999"): "Date of birth must be today or in the past",
    ("12", "3", "1800"): "Date of birth must be in the last 130 years",
    ("12", "13", "1984"): "Date of birth must be a real date",
    ("0", "3", "1984"): "Date of birth must be a real date",
    (EMOJI, "3", "1984"): "Date of birth must be a real date",
    (SCRIPT, TEMPLATE, "1984"): "Date of birth must be a real date",
    ("12", "3", LONG): "Date of birth must be a real date",
    ("١٢", "3", "1984"): "Date of birth must be a real date",
    ("-1", "3", "1984"): "Date of birth must be a real date",
    (NULL, "3", "1984"): "Date of birth must be a real date",
}
