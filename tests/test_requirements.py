"""The rule for tests that lack what they need: skip, or fail where it was required."""

from __future__ import annotations

import pytest

from tests.requirements import VARIABLE, require


@pytest.mark.parametrize("value", [None, "", "browser", "browser,javascript"])
def test_what_is_missing_skips_a_test_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(pytest.skip.Exception, match="there is no java"):
        require("java", "there is no java")


@pytest.mark.parametrize("value", ["java", "browser,java", " browser , java "])
def test_what_is_missing_fails_a_test_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(pytest.fail.Exception, match="names java, which is missing: there is no"):
        require("java", "there is no java")
