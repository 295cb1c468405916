"""The security code on the pages: right, wrong, late, again, and without."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import count

import httpx
import pytest

from tests.web.conftest import Pages
from tests.web.walking import MEDICAL, Walker

MakeWalker = Callable[[], Walker]
_numbers = count(600)


@pytest.fixture
def mobile() -> str:
    """A number that no other test texts."""
    return f"07700 900{next(_numbers)}"


@pytest.fixture
def asked(walker: MakeWalker, mobile: str) -> Walker:
    """A person who stands before the page that asks for the code."""
    someone = walker()
    answers = {**MEDICAL, "patient-mobile": [mobile], "verify-patient-mobile": ["true"]}
    return someone.walk(answers, until="/code/verify-patient-mobile")


def newest_code(pages: Pages, mobile: str) -> str:
    return pages.texts(mobile)[-1][:6]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_text_has_the_code_first_and_binds_it_to_this_site_last(
    pages: Pages, asked: Walker, mobile: str
) -> None:
    text = pages.texts(mobile)[-1]
    assert re.fullmatch(r"[0-9]{6} is your security code for .+\.\n\n@127\.0\.0\.1 #[0-9]{6}", text)
    assert text.endswith(text[:6])
    assert len(text) <= 160


def test_the_field_can_be_filled_in_by_a_browser(asked: Walker) -> None:
    assert 'autocomplete="one-time-code"' in asked.page.text
    assert 'inputmode="numeric"' in asked.page.text


def test_the_page_does_not_show_the_number(asked: Walker, mobile: str) -> None:
    assert mobile not in asked.page.text
    assert mobile.replace(" ", "") not in asked.page.text


@pytest.mark.parametrize("shape", ["{}", " {} ", "{0:.3} {1}", "{0:.3}-{1}"])
def test_a_code_can_be_typed_with_spaces_and_dashes(
    pages: Pages, asked: Walker, mobile: str, shape: str
) -> None:
    code = newest_code(pages, mobile)
    typed = shape.format(code[:3] if "{1}" in shape else code, code[3:])
    asked.post({"security-code": [typed]}, button="check")
    assert asked.heading == "How would you like us to contact you?"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "<b>", "😀", "x" * 9000])
def test_what_is_no_code_is_an_error_and_counts_as_no_try(
    pages: Pages, asked: Walker, mobile: str, typed: str
) -> None:
    for _ in range(6):
        asked.post({"security-code": [typed]}, button="check")
        assert asked.page.status_code == 422
        assert asked.errors == ["Enter the 6 digit security code from the text message"]
    asked.post({"security-code": [newest_code(pages, mobile)]}, button="check")
    assert asked.page.status_code == 200


def test_a_wrong_code_is_an_error(pages: Pages, asked: Walker, mobile: str) -> None:
    asked.post({"security-code": [wrong(newest_code(pages, mobile))]}, button="check")
    assert asked.page.status_code == 422
    assert asked.errors[0].startswith("The security code is incorrect")
    assert asked.messages[0].startswith("The security code is incorrect")


@pytest.mark.hazard("H03")
def test_after_five_wrong_tries_even_the_right_code_is_refused(
    pages: Pages, asked: Walker, mobile: str
) -> None:
    code = newest_code(pages, mobile)
    for _ in range(5):
        asked.post({"security-code": [wrong(code)]}, button="check")
    assert "too many times" in asked.errors[0]
    asked.post({"security-code": [code]}, button="check")
    assert asked.page.status_code == 422
    assert "too many times" in asked.errors[0]


def test_a_code_expires_after_ten_minutes(pages: Pages, asked: Walker, mobile: str) -> None:
    pages.clock.ahead = timedelta(minutes=10, seconds=1)
    asked.post({"security-code": [newest_code(pages, mobile)]}, button="check")
    assert asked.page.status_code == 422
    assert "expired" in asked.errors[0]


def test_a_new_code_kills_the_old_one(pages: Pages, asked: Walker, mobile: str) -> None:
    old = newest_code(pages, mobile)
    asked.post({}, button="resend")
    new = newest_code(pages, mobile)
    assert len(pages.texts(mobile)) == 2
    if old != new:
        asked.post({"security-code": [old]}, button="check")
        assert asked.page.status_code == 422
    asked.post({"security-code": [new]}, button="check")
    assert asked.page.status_code == 200


def test_a_fourth_code_is_not_sent_and_the_page_looks_the_same(
    pages: Pages, asked: Walker, mobile: str
) -> None:
    looks = []
    for _ in range(3):
        asked.post({}, button="resend")
        looks.append(re.sub(r'value="[0-9a-f]{64}"|nonce="[^"]+"', "", asked.page.text))
    assert len(pages.texts(mobile)) == 3
    assert looks[0] == looks[1] == looks[2]


def test_looking_at_the_page_sends_nothing(pages: Pages, asked: Walker, mobile: str) -> None:
    for _ in range(3):
        asked.get(asked.path)
    assert len(pages.texts(mobile)) == 1


def test_going_on_without_a_code_is_possible_and_says_what_it_means(asked: Walker) -> None:
    assert "need to check who you are" in asked.page.text
    asked.post({}, button="skip")
    assert asked.heading == "How would you like us to contact you?"
    asked.walk(MEDICAL, until="/check")
    assert "Not used" in asked.page.text


def test_a_code_works_once(pages: Pages, asked: Walker, mobile: str) -> None:
    page = asked.path
    code = newest_code(pages, mobile)
    token = next(c.value for c in asked.form.controls if c.name == "form_token")
    asked.post({"security-code": [code]}, button="check")
    asked.get(page)
    assert asked.path != page
    answer = asked.http.post(
        f"{pages.base}{page}", data={"form_token": token, "security-code": code, "do": "check"}
    )
    assert answer.status_code in (200, 403)
    assert "/code/" not in answer.url.path or answer.status_code == 403


def test_many_guesses_at_once_have_no_more_than_five_tries(
    pages: Pages, asked: Walker, mobile: str
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    code = int(newest_code(pages, mobile))
    form = asked.form
    token = next(c.value for c in form.controls if c.name == "form_token")
    cookies = dict(asked.http.cookies)

    def guess(offset: int) -> str:
        typed = f"{(code + offset) % 1_000_000:06d}"
        answer = httpx.post(
            str(asked.page.url),
            data={"form_token": token, "security-code": typed, "do": "check"},
            cookies=cookies,
        )
        return answer.text

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(guess, range(1, 25)))
    compared = sum("is incorrect" in text for text in texts)
    assert compared <= 4
    assert sum("too many times" in text for text in texts) == len(texts) - compared


def test_the_page_is_the_same_for_any_number(walker: MakeWalker) -> None:
    """PDS is not asked before a request is sent, so nothing can depend on what it knows."""
    looks = []
    for number in ("07700 900117", next(f"07700 900{n}" for n in _numbers)):
        someone = walker()
        answers = {**MEDICAL, "patient-mobile": [number], "verify-patient-mobile": ["true"]}
        someone.walk(answers, until="/code/verify-patient-mobile")
        own = r'value="[0-9a-f]{64}"|nonce="[^"]+"|/requests/[0-9a-f]{16}'
        looks.append(re.sub(own, "", someone.page.text))
    assert looks[0] == looks[1]
