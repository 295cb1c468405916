"""Ports for processes that are started again on the same one."""

from __future__ import annotations

import os
import random
import socket
from itertools import cycle

#: Below the ephemeral ports of every usual system (Linux 32768, others 49152): nobody who asks for
#: any free port, and no connection that goes out, takes one of these while its process is away.
_FIRST, _LAST = 12_000, 30_000
#: Each test process begins elsewhere; which ports it takes decides nothing but who collides.
_candidates = cycle(range(_FIRST, _LAST, 10))
for _ in range(random.Random(os.getpid()).randrange((_LAST - _FIRST) // 10)):
    next(_candidates)


def kept_port(room: int = 1) -> int:
    """The first of `room` (at most ten) neighbouring loopback ports that are free now, and that the
    system gives to nobody who asks for any port."""
    for first in _candidates:
        if all(_is_free(port) for port in range(first, first + room)):
            return first
    raise AssertionError("unreachable: the candidates do not end")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
