"""This process among others: where it runs, and whether one that ran here is gone."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from fhir_gateway.store.workers import Place

_PROC = Path("/proc")
#: Fields of /proc/PID/stat behind the name, which is in brackets and may hold anything.
_STATE, _START = 0, 19


_DEAD = ("Z", "X")
_FROZEN = (*_DEAD, "T", "t")
#: For a process of which nothing is known.
NOWHERE = Place("", 0, "")


def fresh_executor_id(worker_id: str) -> str:
    """A name for this run of a process, never used again.

    The engine recovers by name what a process of the same name left. A name that lives on would
    recover work of another process that is still at it; so each run has its own, and recovering
    is the watch's business alone.
    """
    return f"{worker_id}/{uuid.uuid4().hex[:12]}"


def own_place() -> Place:
    """Where this process runs; without a machine where there is no /proc."""
    pid = os.getpid()
    started = _start_of(pid)
    return Place(_machine() if started else "", pid, started or "")


def is_gone(place: Place) -> bool:
    """Whether a process surely has ended: it ran on this machine, and is not there any more."""
    if not place.machine or place.machine != _machine():
        return False
    return _start_of(place.pid) != place.started


def is_running(place: Place) -> bool:
    """Whether a process surely is at work: it is on this machine, and neither ended nor frozen."""
    if not place.machine or place.machine != _machine():
        return False
    found = _stat(place.pid)
    return found is not None and found[1] == place.started and found[0] not in _FROZEN


def _machine() -> str:
    """This start of this machine and its space of process numbers, which containers have of their
    own."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _start_of(pid: int) -> str | None:
    """When a process began, in ticks since the machine did; None for none, and for the dead whose
    parent has not looked at them yet."""
    found = _stat(pid)
    return found[1] if found and found[0] not in _DEAD else None


def _stat(pid: int) -> tuple[str, str] | None:
    """State and start of a process; None for none."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return fields[_STATE], fields[_START]
