"""How long to wait before trying again: exponential with full jitter, capped; a neighbour's own
word (Retry-After) wins when it asks for more.

https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (full jitter).
"""

from __future__ import annotations

import random

FIRST = 2.0
LONGEST = 900.0


def wait(tries: int, *, after: float | None, rng: random.Random) -> float:
    """Seconds before the next try. `tries`: how many there were; `after`: what the neighbour
    asked for, in seconds."""
    ceiling = min(LONGEST, FIRST * 2 ** min(tries, 16))
    return max(rng.uniform(0.5, ceiling), after or 0.0)
