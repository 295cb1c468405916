from __future__ import annotations

import pytest

from fhir_gateway.conformance.compare import Change, changes


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("pass", "fail", "broken"),
        ("skip", "error", "broken"),
        (None, "fail", "broken"),
        ("fail", "pass", "mended"),
        ("error", "warning", "mended"),
        ("pass", "skip", "lost"),
        ("fail", None, "lost"),
        ("fail", "error", "other"),
        ("pass", "warning", "other"),
        (None, "pass", "other"),
        ("skip", "pass", "other"),
    ],
)
def test_each_kind_of_change(before: str | None, after: str | None, kind: str) -> None:
    assert Change("k", before, after).kind == kind


def test_only_what_changed_is_listed_and_what_broke_comes_first() -> None:
    found = changes(
        {"a": "pass", "b": "fail", "c": "pass"}, {"a": "pass", "b": "pass", "c": "fail"}
    )

    assert [(one.key, one.kind) for one in found] == [("c", "broken"), ("b", "mended")]
