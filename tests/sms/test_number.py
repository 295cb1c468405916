from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fhir_gateway.sms.number import normalise_mobile, same_number

MOBILE = "+447700900123"
WAYS_OF_TYPING_IT = [
    "07700900123",
    "07700 900123",
    "07700 900 123",
    " 07700\t900123\n",
    "07700-900-123",
    "07700.900.123",
    "07700/900123",
    "(07700) 900123",
    "07700\u00a0900\u202f123",
    "07700–900–123",
    "07700−900123",
    "+447700900123",
    "+44 7700 900123",
    "+44 (0)7700 900123",
    "+44 (0) 7700 900 123",
    "+44(0)7700900123",
    "(+44) 7700 900123",
    "+44 07700 900123",
    "00447700900123",
    "0044 7700 900123",
    "0044 (0)7700 900123",
    "447700900123",
    "44 7700 900123",
    "7700900123",
    "\u202a+44 7700 900123\u202c",
    "０７７００９００１２３",
    "٠٧٧٠٠٩٠٠١٢٣",
]
NOT_UK_MOBILES = {
    "nothing": "",
    "spaces": "   ",
    "a word": "none",
    "too short": "07700 90012",
    "too long": "07700 9001234",
    "a landline": "01632 960123",
    "a London landline": "020 7946 0123",
    "freephone": "0808 157 0123",
    "a premium number": "0909 879 0123",
    "a short code": "60006",
    "the emergency number": "999",
    "a personal number": "070 1234 5678",
    "a pager": "076 1234 5678",
    "an Irish mobile": "+353 85 012 3456",
    "an American number": "+1 650 253 0000",
    "an American number dialled": "001 650 253 0000",
    "letters": "07700 900ABC",
    "a word after it": "07700 900123 mum",
    "an extension": "07700 900123 ext 5",
    "an extension as a parameter": "07700900123;ext=5",
    "a URI": "tel:+447700900123",
    "two numbers": "07700 900123 07700 900124",
    "two numbers with a comma": "07700900123,07700900124",
    "a null byte": "07700900123\x00",
    "an emoji": "07700 900123 📱",
    "a plus in the middle": "07700+900123",
    "two pluses": "++447700900123",
    "an e-mail address": "ann@example.com",
    "markup": "<script>07700900123</script>",
    "a template": "{{ 7*7 }}",
    "100 kB": "0" * 100_000,
    "spaces without end": "07700900123" + " " * 100_000,
    "only brackets": "()()()",
}


@pytest.mark.parametrize("typed", WAYS_OF_TYPING_IT)
def test_a_uk_mobile_is_understood_however_it_is_typed(typed: str) -> None:
    assert normalise_mobile(typed) == MOBILE


@pytest.mark.parametrize("typed", NOT_UK_MOBILES.values(), ids=NOT_UK_MOBILES.keys())
def test_anything_else_is_no_uk_mobile(typed: str) -> None:
    assert normalise_mobile(typed) is None


@pytest.mark.parametrize("last", [0, 1, 500, 998, 999])
def test_all_numbers_kept_for_drama_are_mobiles(last: int) -> None:
    assert normalise_mobile(f"07700 900{last:03}") == f"+447700900{last:03}"


@pytest.mark.parametrize("start", ["071", "072", "073", "074", "075", "077", "078", "079"])
def test_every_mobile_range_of_the_numbering_plan_is_taken(start: str) -> None:
    """Zeros: by prefix alone, so that a newly allotted block is nobody's trouble."""
    assert normalise_mobile(f"{start}00 000000") == f"+44{start[1:]}00000000"


def test_an_isle_of_man_mobile_is_taken_though_its_range_is_pagers() -> None:
    assert normalise_mobile("07624 000000") == "+447624000000"
    assert normalise_mobile("07625 000000") is None


@given(
    st.one_of(
        st.text(),
        st.text(alphabet="0123456789+()-. /٤７\u202a\u00a0ext,;", max_size=25),
        st.from_regex(r"(\+44|0044|0)[ -]?\(?0?\)?7[0-9 ]{6,14}", fullmatch=True),
    )
)
@example("+")
@example("\ud800")
@example("+44" * 10)
def test_any_text_is_a_uk_mobile_in_one_form_or_none(typed: str) -> None:
    number = normalise_mobile(typed)

    assert number is None or re.fullmatch(r"\+447[0-9]{9}", number)
    assert number is None or normalise_mobile(number) == number
    assert same_number(typed, typed) or number is None


@pytest.mark.parametrize("typed", WAYS_OF_TYPING_IT)
def test_a_mobile_is_the_same_however_it_is_stored(typed: str) -> None:
    assert same_number(typed, MOBILE)
    assert same_number("07700 900123", typed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("01632 960123", "+44 1632 960123"),
        ("(01632) 960 123", "0044 (0)1632 960123"),
        ("020 7946 0123", "+442079460123"),
        ("0113-496-0123", "441134960123"),
        ("+353 1 234 5678", "00353 1 234 5678"),
    ],
)
def test_landlines_are_compared_too(one: str, other: str) -> None:
    assert same_number(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("07700 900123", "07700 900124"),
        ("01632 960123", "960123"),
        ("020 7946 0123", "0121 496 0123"),
        ("+353 1 234 5678", "+44 1 234 5678"),
        ("07700 900123", ""),
        ("", ""),
        ("none", "none"),
        ("07700 900123 ext 5", "07700 900123 ext 5"),
        ("07700 900123 ext 5", "07700 900123"),
        ("07700 900123 (neighbour)", "07700 900123"),
        ("07700 900123 / 07700 900124", "07700 900123"),
        ("999", "999"),
    ],
)
def test_numbers_that_differ_or_are_none_are_not_the_same(one: str, other: str) -> None:
    assert not same_number(one, other)
    assert not same_number(other, one)


@given(st.text(), st.text())
def test_comparing_never_raises_and_is_symmetric(one: str, other: str) -> None:
    assert same_number(one, other) == same_number(other, one)
