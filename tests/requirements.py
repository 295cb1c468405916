"""What a test needs beyond Python, and what happens where it is missing."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

VARIABLE = "FHIR_GATEWAY_REQUIRE"


def require(name: str, reason: str) -> NoReturn:
    """End the running test because `name` is missing: skip it with `reason`, or fail it.

    It fails when the environment variable FHIR_GATEWAY_REQUIRE, a comma-separated list such as
    `browser,postgresql,java`, contains `name`: there, a skipped test would hide a broken set-up.
    """
    required = {entry.strip() for entry in os.environ.get(VARIABLE, "").split(",")}
    if name in required:
        pytest.fail(f"{VARIABLE} names {name}, which is missing: {reason}", pytrace=False)
    pytest.skip(reason)
