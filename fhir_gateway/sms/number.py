"""Phone numbers, however they are written: one form to send to, one way to compare.

Google's phonenumbers reads them. What a UK mobile is, though, is decided by prefix, as Ofcom's
National Telephone Numbering Plan designates them, and not by what the library calls valid: its
lists lag behind newly allotted blocks, so a patient with a new number would be turned away, and it
does not know the range that Ofcom keeps for fiction, 07700 900000 to 900999
(https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama), which tests and
demos use. Numbers of Jersey, Guernsey and the Isle of Man belong to the same plan and pass.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from phonenumbers import PhoneNumberFormat, ValidationResult

_REGION = "GB"
#: 071 to 075 and 077 to 079. 070 is for personal numbers and 076 for pagers, but for 07624, which
#: is a mobile range of the Isle of Man.
_UK_MOBILE = re.compile(r"\+447(?:[1-57-9][0-9]{8}|624[0-9]{6})")
_MAX_TYPED = 60
#: What people put between digits: spaces, dashes, dots, slashes, brackets.
_SEPARATORS = re.compile(r"[\s().\-/\u2010-\u2015\u2212]+")
#: Decimal digits of any script: phonenumbers knows what they stand for.
_DIGITS = re.compile(r"[+＋]?\d{7,19}")


def normalise_mobile(typed: str) -> str | None:
    """A UK mobile number in E.164, such as `+447700900123`, from any usual way of typing it.

    Spaces, dashes and brackets, +44, 0044, 44 and (0) are understood; a zero may be missing, as
    in numbers that a spreadsheet spoiled. None for anything else, landlines, pagers, numbers with
    letters or an extension included. Never raises.
    """
    number = _e164(typed)
    return number if number and _UK_MOBILE.fullmatch(number) else None


def same_number(one: str, other: str) -> bool:
    """Whether two numbers are the same, however they stand in records; landlines too.

    What is not a whole number, or is more than one (an extension, a word beside it), is the same
    as nothing, not even as itself: a contact point proves who somebody is.
    """
    number = _e164(one)
    return number is not None and number == _e164(other)


def _e164(typed: str) -> str | None:
    """The number of any country in E.164; without a country code it is one of the UK."""
    if len(typed) > _MAX_TYPED:
        return None
    # Numbers pasted from an address book come wrapped in invisible marks of writing direction.
    visible = "".join(char for char in typed if unicodedata.category(char) != "Cf")
    digits = _SEPARATORS.sub("", visible)
    if not _DIGITS.fullmatch(digits):
        return None
    try:
        number = phonenumbers.parse(digits, _REGION)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
