"""Bad input, field by field: a plain message beside the field and in the summary, what was typed is
still there, and never a failing page."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.web.bad_input import DATES, EMOJI, FIELDS, SCRIPT, TEMPLATE
from tests.web.walking import MEDICAL, Answers, Walker

MakeWalker = Callable[[], Walker]


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
