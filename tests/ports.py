"""Ports for processes that are started again on the same one."""

from __future__ import annotations

import os
import random
import socket
from itertools import cycle

#: Below the ephemeral ports of every usual system (Linux 32768, others 49152): nobody who asks for
#: any free port, and no connection that goes out, takes one of these while its process is away.
_FIRST, _LAST, _STEP = 12_000, 30_000, 10
#: Processes of one run take from parts of their own, as what is away between two starts of one must
#: not be taken by another; runs beside each other begin at different places.
_PARTS = 8
_part = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PARTS
_mine = range(_FIRST + _part * _STEP, _LAST, _PARTS * _STEP)
_candidates = cycle(_mine)
for _ in range(random.Random(os.getpid()).randrange(len(_mine))):
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
