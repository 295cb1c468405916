"""How long a text message is, as networks count it. Pure.

One part holds 160 characters of the GSM 7 bit alphabet (3GPP TS 23.038 §6.2.1), or 70 of anything
else; parts of a longer text lose room to the header that joins them (3GPP TS 23.040 §9.2.3.24.1).
"""

from __future__ import annotations

from collections.abc import Iterable

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Each takes two places: an escape and a letter.
_EXTENDED = frozenset("^{}\\[~]|€\f")
_GSM_ONE, _GSM_MORE = 160, 153
_WIDE_ONE, _WIDE_MORE = 70, 67
_LAST_OF_ONE_UNIT = 0xFFFF


def is_gsm7(text: str) -> bool:
    """Whether the whole text is of the GSM 7 bit alphabet."""
    return all(char in _BASIC or char in _EXTENDED for char in text)


def gsm7_length(text: str) -> int:
    """The places a text takes: septets when it is of the GSM alphabet, else UCS-2 units."""
    return sum(_places(text))


def segments(text: str) -> int:
    """How many parts a text is sent in; 1 for an empty one. A character is never split."""
    one, more = (_GSM_ONE, _GSM_MORE) if is_gsm7(text) else (_WIDE_ONE, _WIDE_MORE)
    return 1 if gsm7_length(text) <= one else _packed(_places(text), more)


def _places(text: str) -> list[int]:
    """What each character takes."""
    if is_gsm7(text):
        return [2 if char in _EXTENDED else 1 for char in text]
    return [2 if ord(char) > _LAST_OF_ONE_UNIT else 1 for char in text]


def _packed(places: Iterable[int], room: int) -> int:
    """Into how many parts of `room` places characters go, one after the other."""
    parts, used = 1, 0
    for size in places:
        if used + size > room:
            parts, used = parts + 1, 0
        used += size
    return parts
