"""What the engine keeps of a workflow, by this release and the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhir_gateway.delivery import engine
from fhir_gateway.delivery.engine import STEPS, Wait


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The steps that ran, each with the number of its try; `send` has to wait."""
    done: list[tuple[str, int]] = []

    def step(name: str) -> Callable[[str, int], Wait]:
        def run(_request: str, tries: int) -> Wait:
            done.append((name, tries))
            return 7.0 if name == "send" else None

        return run

    monkeypatch.setattr(engine, "_steps", {name: step(name) for name in STEPS})
    return done


def test_steps_run_on_until_one_has_to_wait(ran: list[tuple[str, int]]) -> None:
    # Outside of a workflow the engine runs a step as a plain function.
    assert engine._run_step("trace", "id", 3) == [2, 7.0]
    assert ran == [("trace", 3), ("map", 0), ("send", 0)]


def test_the_last_step_ends_the_workflow(ran: list[tuple[str, int]]) -> None:
    assert engine._run_step("confirm", "id", 2) == [4, None]
    assert ran == [("confirm", 2)]


@pytest.mark.parametrize(
    ("note", "read"),
    [
        ([2, 7.0], (2, 7.0)),
        ([4, None], (4, None)),
        ([1, -1.0], (1, -1.0)),
        (None, (2, None)),
        (7.0, (1, 7.0)),
        (-1.0, (1, -1.0)),
    ],
)
def test_notes_of_both_releases_are_understood(note: Any, read: tuple[int, Wait]) -> None:
    assert engine._read_note(note, 1) == read
