"""How long to wait before trying again: exponential with full jitter, capped; a neighbour's own
word (Retry-After) wins when it asks for more.

https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (full jitter).
"""

from __future__ import annotations

import random

FIRST = 2.0
LONGEST = 900.0
#: Not at once, and not all at the same moment.
_LEAST = 0.5


def wait(
    tries: int,
    *,
    after: float | None,
    rng: random.Random,
    first: float = FIRST,
    longest: float = LONGEST,
) -> float:
    """Seconds before the next try. `tries`: how many there were; `after`: what the neighbour
    asked for, in seconds, which everybody is told, so that a jitter of its own goes on top."""
    ceiling = max(min(longest, first * 2 ** min(tries, 16)), _LEAST)
    jittered = rng.uniform(_LEAST, ceiling)
    if after is None:
        return jittered
    return max(jittered, after + rng.uniform(0, min(first, after)))
