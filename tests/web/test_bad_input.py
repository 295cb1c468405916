"""Bad input, field by field: a plain message beside the field and in the summary, what was typed is
still there, and never a failing page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.web.walking import MEDICAL, Answers, Walker

MakeWalker = Callable[[], Walker]

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


def admin(kind: str) -> Answers:
    return {**MEDICAL, "request": ["pifu-admin"], "admin-kind": [kind]}


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


@pytest.mark.parametrize(
    ("answers", "page", "field", "cases"), FIELDS, ids=[field for _, _, field, _ in FIELDS]
)
def test_each_bad_answer_gets_a_plain_message_and_stays_in_its_field(
    walker: MakeWalker, answers: Answers, page: str, field: str, cases: dict[str, str]
) -> None:
    someone = walker()
    someone.walk(answers, until=f"/page/{page}")
    for typed, words in cases.items():
        someone.post({**answers, "patient-email": [""], "requester-email": [""], field: [typed]})
        assert someone.page.status_code == 422, (typed[:40], someone.path)
        assert any(words in line for line in someone.errors), (typed[:40], someone.errors)
        assert any(words in text for text in someone.messages), (typed[:40], someone.messages)
        assert "<title>Error: " in someone.page.text
        if "\x00" not in typed:
            assert someone.shown(field) == typed
        assert SCRIPT not in someone.page.text
        assert "{{" not in someone.page.text or TEMPLATE in typed
        assert someone.path.endswith(f"/page/{page}")


def test_each_bad_date_gets_a_plain_message_and_stays_in_its_fields(walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/patient-birth-date")
    for (day, month, year), words in DATES.items():
        typed = {"day": [day], "month": [month], "year": [year]}
        someone.post({f"patient-birth-date-{part}": value for part, value in typed.items()})
        assert someone.page.status_code == 422, (day[:9], month, year[:9])
        assert any(words in line for line in someone.errors), (words, someone.errors)
        assert any(words in text for text in someone.messages)
        for part, value in typed.items():
            if "\x00" not in value[0]:
                assert someone.shown(f"patient-birth-date-{part}") == value[0]


@pytest.mark.parametrize("month", ["3", "03", "March", "mar", "MARCH"])
def test_a_month_can_be_a_number_or_a_name(walker: MakeWalker, month: str) -> None:
    someone = walker()
    someone.walk({**MEDICAL, "patient-birth-date-month": [month]}, until="/check")
    assert "12 March 1984" in someone.page.text


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("medical-problem", EMOJI),
        ("medical-problem", SCRIPT),
        ("medical-problem", TEMPLATE),
        ("medical-problem", "نص من اليمين إلى اليسار"),
        ("patient-given", "Łukasz"),
        ("patient-given", "Mary-Jane"),
        ("patient-family", "O'Connor"),
        ("patient-family", "O’Connor"),
        ("patient-family", "عبد الله"),
        ("patient-family", "陳"),
        ("patient-postcode", "ls62ab"),
        ("patient-mobile", "+44 (0)7700 900101"),
        ("patient-mobile", "00447700900101"),
    ],
)
def test_unusual_but_right_answers_are_taken_as_they_are(
    walker: MakeWalker, field: str, typed: str
) -> None:
    someone = walker()
    someone.walk({**MEDICAL, field: [typed]}, until="/check")
    import html

    assert html.escape(typed, quote=True).replace("&#x27;", "&#39;") in someone.page.text
    assert SCRIPT not in someone.page.text


def test_a_choice_that_was_not_offered_is_refused(walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/medical-onset")
    form = someone.form
    token = next(c.value for c in form.controls if c.name == "form_token")
    someone.page = someone.http.post(
        str(someone.page.url), data={"form_token": token, "medical-onset": "yesteryear"}
    )
    assert someone.page.status_code == 422
    assert someone.errors == ["Select one of the options"]


def test_an_exclusive_option_stands_alone(walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/communication-needs")
    someone.post({"communication-needs": ["braille", "none"]})
    assert someone.page.status_code == 422
    assert "None of these" in someone.errors[0] or "none of these" in someone.errors[0]


def test_fields_of_other_pages_cannot_be_set(walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/medical-onset")
    token = next(c.value for c in someone.form.controls if c.name == "form_token")
    someone.page = someone.http.post(
        str(someone.page.url),
        data={"form_token": token, "medical-onset": "weeks", "patient-family": "Injected"},
    )
    someone.walk(MEDICAL, until="/page/patient-name")
    assert someone.shown("patient-family") == ""


def test_a_form_beyond_all_bounds_gets_a_page_that_says_so(walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/medical-problem")
    someone.post({"medical-problem": ["x" * 3_000_000]})
    assert someone.page.status_code == 413
    assert someone.heading == "That was too much to send at once"


def test_an_upload_where_text_is_asked_for_is_not_read(walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/medical-problem")
    token = next(c.value for c in someone.form.controls if c.name == "form_token")
    answer = someone.http.post(
        str(someone.page.url),
        data={"form_token": token},
        files={"medical-problem": ("../../x.php", b"x" * 1000)},
    )
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("patient-mobile", "\u202a07700 900101\u202c", "07700 900101"),
        ("patient-family", "Sha\u202erma", "Sharma"),
        ("patient-postcode", "\ufeffLS6 2AB\u200b", "LS6 2AB"),
    ],
)
def test_invisible_direction_marks_of_pasted_text_are_left_out(
    walker: MakeWalker, field: str, typed: str, kept: str
) -> None:
    someone = walker()
    someone.walk({**MEDICAL, field: [typed]}, until="/check")
    assert kept in someone.page.text
    assert "\u202e" not in someone.page.text
