"""What is known of a fault: its name, and what an EPR with it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fhir_gateway.sandbox.epr.injected.exchange import Fault


class Known(NamedTuple):
    """A fault that can be switched on. `make`: it may remember what it saw, so each is new."""

    name: str
    sentence: str
    make: Callable[[], Fault]


def always(name: str, sentence: str, fault: Fault) -> Known:
    """A fault that remembers nothing."""
    return Known(name, sentence, lambda: fault)
