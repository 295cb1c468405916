"""How long a text message is, as networks count it. Pure.

One part holds 160 characters of the GSM 7 bit alphabet (3GPP TS 23.038), or 70 of anything else.
"""

from __future__ import annotations

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Each takes two places.
_EXTENDED = frozenset("^{}\\[~]|€\f")
_GSM_ONE, _GSM_MORE = 160, 153
_WIDE_ONE, _WIDE_MORE = 70, 67


def is_gsm7(text: str) -> bool:
    """Whether the whole text is of the GSM 7 bit alphabet."""
    return all(char in _BASIC or char in _EXTENDED for char in text)


def length(text: str) -> int:
    """The places a text takes: septets when it is of the GSM alphabet, else UTF-16 units."""
    if is_gsm7(text):
        return sum(2 if char in _EXTENDED else 1 for char in text)
    return len(text.encode("utf-16-be")) // 2


def segments(text: str) -> int:
    """How many parts a text is sent in; 1 for an empty one."""
    one, more = (_GSM_ONE, _GSM_MORE) if is_gsm7(text) else (_WIDE_ONE, _WIDE_MORE)
    total = length(text)
    return 1 if total <= one else -(-total // more)
