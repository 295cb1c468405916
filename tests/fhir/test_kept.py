"""The last results by key."""

from __future__ import annotations

import pytest

from fhir_gateway.fhir.kept import Kept


def test_a_result_is_computed_once_while_it_is_kept() -> None:
    kept: Kept[str, object] = Kept(2)
    first = kept.get("a", object)
    assert kept.get("a", object) is first
    kept.forget("a")
    assert kept.get("a", object) is not first


def test_it_is_bounded_and_what_was_used_last_stays() -> None:
    kept: Kept[int, object] = Kept(2)
    one = kept.get(1, object)
    two = kept.get(2, object)
    assert kept.get(1, object) is one
    kept.get(3, object)
    assert len(kept) == 2
    assert kept.get(1, object) is one
    assert kept.get(2, object) is not two


def test_a_failure_is_not_kept() -> None:
    kept: Kept[str, int] = Kept(2)

    def fail() -> int:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        kept.get("a", fail)
    assert kept.get("a", lambda: 1) == 1
    kept.forget("nothing")
