"""The gate before each neighbour: paused, circuit open, too many at once, too many a minute.

Its state is rows that all processes share. What a gate holds back is not lost: it waits.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from fhir_gateway.errors import GatewayError, OutcomeUnknown, TryLater
from fhir_gateway.provider.service import Service
from fhir_gateway.store import gates
from fhir_gateway.store.database import Transaction

#: What waits for a resume looks so often.
_PAUSED_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one neighbour is asked at most, and when it is left alone for a while: after so
    many failures in a row within `window`, for `rest`."""

    #: For pydantic, which reads it from the settings: a misspelt name is an error.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    per_minute: Annotated[float, Field(gt=0)] = 600.0
    at_once: Annotated[int, Field(ge=1)] = 8
    failures: Annotated[int, Field(ge=1)] = 5
    window: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(seconds=60)
    rest: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(seconds=30)


def epr_name(service: Service) -> str:
    """The neighbour's name of a service's EPR."""
    return name_of_epr(service.epr_base)


def name_of_epr(base_url: str) -> str:
    """The neighbour's name of the EPR with this base."""
    return f"epr:{base_url}"


def texts_name(kind: str) -> str:
    """The neighbour's name of a text provider."""
    return f"texts:{kind}"


def is_open(tx: Transaction, name: str) -> bool:
    """Whether nothing stands in the way but limits; else `closed_for` says for how long."""
    known = gates.find(tx, name)
    return known is None or (known.paused_at is None and known.open_until is None)


def closed_for(
    tx: Transaction, name: str, limits: Limits, *, now: datetime, rng: random.Random
) -> float | None:
    """Seconds to wait because the neighbour is paused or its circuit is open; None: go on.

    When a circuit was open long enough, one caller goes on: its call is the probe.
    """
    known = gates.find(tx, name)
    if known is None:
        return None
    if known.paused_at is not None:
        return rng.uniform(_PAUSED_SECONDS / 2, _PAUSED_SECONDS)
    if known.open_until is None or gates.take_probe(tx, name, limits.rest, now=now):
        return None
    left = (known.open_until - now).total_seconds()
    return max(left, 0.0) + rng.uniform(0.5, limits.rest.total_seconds())


def turn(
    tx: Transaction,
    name: str,
    limits: Limits,
    under_way: int,
    *,
    now: datetime,
    rng: random.Random,
) -> float | None:
    """Seconds to wait for a place among so many at once and a minute; None: the caller has one."""
    gates.hold(tx, name)
    if under_way >= limits.at_once:
        return rng.uniform(0.5, 2.0)
    early = gates.take_turn(tx, name, limits.per_minute, now=now)
    return None if early is None else early + rng.uniform(0.1, 1.0)


def learn(
    tx: Transaction, name: str, limits: Limits, error: GatewayError | None, *, now: datetime
) -> bool:
    """What a call taught about its neighbour: `error` None for an answer that was no failure. True
    when the circuit is open now."""
    if isinstance(error, TryLater) and error.after is not None:
        # It answers, and asks for patience: of everybody, not only of who was told.
        gates.hold_back(tx, name, now + timedelta(seconds=error.after))
        return False
    if isinstance(error, TryLater | OutcomeUnknown) and not error.code.endswith(_BUSY):
        return gates.failed(
            tx, name, limit=limits.failures, window=limits.window, rest=limits.rest, now=now
        )
    gates.worked(tx, name)
    return False


#: Answers of a neighbour that is up and has too much to do; and what was our own doing.
_BUSY = ("-408", "-425", "-429", "fenced", "superseded")
