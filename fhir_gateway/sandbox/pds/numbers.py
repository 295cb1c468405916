"""NHS numbers and phone numbers that belong to nobody."""

from __future__ import annotations

import random
from collections.abc import Iterator

import nhs_number

#: Range the NHS keeps for tests; no real person has such a number.
TEST_RANGE = "999"
#: Mobile numbers Ofcom keeps for drama: 07700 900000 to 900999.
#: https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama
MOBILE_PREFIX = "07700900"
MOBILES = 1000
#: Those GOV.UK Notify gives a meaning of its own in its tests.
NOTIFY_TEST_MOBILES = frozenset({0, 2, 3, 111, 222})

_FREE_DIGITS = 6


def nhs_numbers(chance: random.Random, taken: set[str]) -> Iterator[str]:
    """Valid numbers of the test range, none twice and none of `taken`, without end."""
    seen = set(taken)
    while True:
        start = f"{TEST_RANGE}{chance.randrange(10**_FREE_DIGITS):0{_FREE_DIGITS}}"
        # A remainder of 10 has no check digit; `is_valid` then refuses all ten endings.
        for check in "0123456789":
            number = start + check
            if nhs_number.is_valid(number) and number not in seen:
                seen.add(number)
                yield number


def mobiles(chance: random.Random, taken: set[str]) -> Iterator[str]:
    """Drama mobile numbers as eleven digits, none twice and none of `taken`, until none is left."""
    numbers = [n for n in range(MOBILES) if n not in NOTIFY_TEST_MOBILES]
    chance.shuffle(numbers)
    for number in numbers:
        mobile = f"{MOBILE_PREFIX}{number:03}"
        if mobile not in taken:
            yield mobile
