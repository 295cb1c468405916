"""How long to wait before trying again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.delivery.backoff import FIRST, LONGEST, wait


@given(st.integers(0, 10**6), st.integers())
def test_waits_are_bounded_and_never_nothing(tries: int, seed: int) -> None:
    assert 0.5 <= wait(tries, after=None, rng=random.Random(seed)) <= LONGEST


def test_waits_grow_with_the_tries() -> None:
    rng = random.Random(1)
    means = [sum(wait(n, after=None, rng=rng) for _ in range(500)) / 500 for n in (0, 3, 6, 9)]
    assert means == sorted(means)
    assert means[0] < FIRST


@pytest.mark.parametrize(("after", "least"), [(None, 0.5), (0.0, 0.5), (600.0, 600.0)])
def test_a_neighbours_own_word_wins_when_it_asks_for_more(
    after: float | None, least: float
) -> None:
    assert wait(0, after=after, rng=random.Random(1)) >= least
