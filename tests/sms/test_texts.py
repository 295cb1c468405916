from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.sms.texts import gsm7_length, is_gsm7, segments

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "^{}\\[~]|€\f"


def test_the_basic_alphabet_has_127_letters_beside_the_escape_and_each_takes_one_septet() -> None:
    assert len(set(BASIC)) == 127
    assert gsm7_length(BASIC) == 127


@pytest.mark.parametrize("char", EXTENDED)
def test_a_letter_of_the_extension_takes_two_septets(char: str) -> None:
    assert is_gsm7(char)
    assert gsm7_length(f"a{char}a") == 4


@pytest.mark.parametrize("char", ["ŵ", "’", "–", "…", "ç", "`", "\t", "\u00a0", "ά", "я"])
def test_a_letter_of_no_gsm_table_makes_the_whole_text_wide(char: str) -> None:
    assert not is_gsm7(char)
    assert gsm7_length("{" + char) == 2


def test_an_emoji_takes_two_wide_units() -> None:
    assert gsm7_length("👍a") == 3


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ŵ" * 70, 1),
        ("ŵ" * 71, 2),
        ("ŵ" * 134, 2),
        ("ŵ" * 135, 3),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
    ],
)
def test_a_text_goes_in_as_few_parts_as_networks_allow(text: str, parts: int) -> None:
    assert segments(text) == parts


@pytest.mark.parametrize("parts", [2, 3])
def test_an_escape_and_its_letter_stay_in_one_part(parts: int) -> None:
    """Where the 153rd place of each part would be the escape, that place stays empty."""
    body = ("a" * 152 + "€") * parts

    assert gsm7_length(body) == 154 * parts
    assert segments("a" * 152 + "€" + "a" * 151) == 2
    assert segments("a" * 152 + "€" + "a" * 152) == 3


def test_both_halves_of_an_emoji_stay_in_one_part() -> None:
    assert segments("a" * 66 + "👍" + "a" * 65) == 2
    assert segments("a" * 66 + "👍" + "a" * 66) == 3


@given(st.text(max_size=700), st.text(max_size=100))
def test_more_words_never_need_fewer_parts(text: str, more: str) -> None:
    assert 1 <= segments(text) <= segments(text + more)
    assert gsm7_length(text) >= len(text)
