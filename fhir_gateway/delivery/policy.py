"""What each step may take: how long it waits between tries and when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fhir_gateway.delivery.timing import Timing


@dataclass(frozen=True, slots=True)
class Policy:
    """`first`, `longest`: seconds of the backoff. `deadline`: counted from the request's last move;
    what waits beyond it is for a person. None: the step ends by itself."""

    first: float
    longest: float
    deadline: timedelta | None
    #: Tries that fail in a way nobody foresaw, before a person is asked.
    unforeseen: int = 8


def policy_of(step: str, timing: Timing) -> Policy:
    """The policy of a step. `trace` gives up PDS for itself and `confirm` its text (their own
    deadlines, which never fail a request); `map` does not get better by waiting."""
    first, longest = timing.retry_first.total_seconds(), timing.retry_longest.total_seconds()
    match step:
        case "send":
            return Policy(first, longest, timing.give_up_after)
        case "map":
            return Policy(first, min(longest, 60.0), timing.give_up_after, unforeseen=4)
        case _:
            return Policy(first, longest, None)
