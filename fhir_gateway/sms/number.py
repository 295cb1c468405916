"""Phone numbers, however they are written: one form to send to, one way to compare.

Google's phonenumbers knows the plan of every country. It does not know that Ofcom keeps 07700
900000 to 900999 for fiction (https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama),
which tests and demos use, so that range is accepted beside what it calls a mobile number.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

_REGION = "GB"
_UK = 44
_DRAMA = re.compile(r"7700900[0-9]{3}")
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_MAX_TYPED = 60
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")


def normalise_mobile(typed: str) -> str | None:
    """A UK mobile number in E.164, such as `+447700900123`, from any usual way of typing it;
    None for anything else. Never raises."""
    parsed = _parse(typed)
    if parsed is None or parsed.country_code != _UK:
        return None
    national = str(parsed.national_number)
    drama = _DRAMA.fullmatch(national) is not None
    if not drama and phonenumbers.number_type(parsed) not in _MOBILE:
        return None
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def same_number(one: str, other: str) -> bool:
    """Whether two numbers are the same, with or without country code, spaces or zeros, as they
    stand in records; landlines too."""
    first, second = _parse(one), _parse(other)
    if first is None or second is None:
        return False
    return (first.country_code, first.national_number) == (
        second.country_code,
        second.national_number,
    )


def _parse(typed: str) -> PhoneNumber | None:
    text = _TRUNK_ZERO.sub("", typed.strip())
    if not text or len(text) > _MAX_TYPED or re.search(r"[A-Za-z]", text):
        return None
    if text.startswith("00"):
        text = f"+{text[2:]}"
    try:
        parsed = phonenumbers.parse(text, _REGION)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_possible_number(parsed) else None
