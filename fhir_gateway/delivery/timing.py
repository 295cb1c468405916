"""The times of delivery, in one value. They hang together: see `problems`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import ClassVar

from pydantic import ConfigDict


@dataclass(frozen=True, slots=True)
class Timing:
    """All are timedeltas. The defaults suit an EPR that answers within 20 seconds."""

    #: For pydantic, which reads it from the settings: a misspelt name is an error.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    #: A delivering process says so often that it is alive.
    beat: timedelta = timedelta(seconds=5)
    #: A process without a beat for so long is taken for gone, and its work taken over.
    silence: timedelta = timedelta(seconds=30)
    #: A process that was frozen for so long ends, and a POST that was announced so long ago does
    #: not leave: somebody else may have it in hand.
    freeze: timedelta = timedelta(seconds=10)
    #: How long one POST to an EPR may take.
    epr_timeout: timedelta = timedelta(seconds=20)
    #: After silence, nobody looks in the EPR before so much time has gone by.
    settle: timedelta = timedelta(seconds=60)
    #: The same for texts.
    text_settle: timedelta = timedelta(seconds=45)
    #: How often requests are looked for that nothing works on, and how old they are then.
    reconcile: timedelta = timedelta(minutes=5)
    stale: timedelta = timedelta(minutes=15)
    #: The first and the longest wait before another try.
    retry_first: timedelta = timedelta(seconds=2)
    retry_longest: timedelta = timedelta(minutes=15)
    #: How often alarms, fallback and synthetic requests are looked after.
    look_after: timedelta = timedelta(seconds=30)
    #: Not delivered for so long: a person is told; the fallback is used; a person must decide.
    alarm_after: timedelta = timedelta(minutes=15)
    fallback_after: timedelta = timedelta(hours=4)
    give_up_after: timedelta = timedelta(days=7)
    #: A confirmation that comes later than this helps nobody.
    confirm_within: timedelta = timedelta(hours=24)


DEFAULT = Timing()
#: What an EPR may go on doing after our timeout, at the least.
_EPR_REST = timedelta(seconds=1)


def problems(timing: Timing) -> Iterator[tuple[str, str]]:
    """What does not hang together: pairs of a field's name and a sentence."""
    for field in fields(timing):
        if getattr(timing, field.name) <= timedelta(0):
            yield field.name, "It must be longer than nothing."
    if timing.silence < 2 * timing.beat:
        yield "silence", "It must be two beats or more, or the living are taken for dead."
    if timing.freeze >= timing.silence:
        yield "freeze", "It must be shorter than silence: who is taken over must have ended."
    if timing.settle <= timing.freeze + timing.epr_timeout + _EPR_REST:
        yield (
            "settle",
            "It must be longer than freeze and epr_timeout together, with time to spare.",
        )
    if not timing.alarm_after < timing.fallback_after < timing.give_up_after:
        yield "alarm_after", "The order is alarm_after, fallback_after, give_up_after."
