"""Kills and freezes processes at random, and starts again what ended."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from tests.faults.stage import TIMING, Stage

_OURS = ("web-0", "web-1", "worker")
_LONG = (float(TIMING["silence"]) + 1, float(TIMING["silence"]) + float(TIMING["settle"]) + 4)


class Monkey:
    """`run` it in a thread; it ends after `kills` of whatever kind. `done`: how many of which."""

    def __init__(
        self, stage: Stage, seed: int, kills: int, crash: Callable[[], None] | None
    ) -> None:
        self._stage = stage
        self._random = random.Random(seed)
        self._kills = kills
        self._crash = crash
        self._stopping = threading.Event()
        self.done: Counter[str] = Counter()
        #: What part of all requests is accepted, from 0 to 1.
        self.accepted: Callable[[], float] = lambda: 1.0
        #: What happens later, such as thawing: when and what.
        self._later: list[tuple[float, Callable[[], None]]] = []
        #: Names of processes that are frozen, or killed and not to be started yet.
        self._frozen: set[str] = set()
        #: How often a process ended itself because it had been frozen too long.
        self.ended_itself = 0

    @property
    def progress(self) -> float:
        """How far it is, from 0 to 1, two kills ahead."""
        return (sum(self.done.values()) + 2) / self._kills

    def stop(self) -> None:
        """No more."""
        self._stopping.set()

    def run(self) -> None:
        """Do harm until done, as fast as requests are accepted, so that every kill meets work."""
        while sum(self.done.values()) < self._kills:
            pause = time.monotonic() + self._random.uniform(0.3, 3.0)
            while time.monotonic() < pause:
                self.bury()
                if self._stopping.wait(0.05):
                    return
            if sum(self.done.values()) < self._kills * self.accepted() + 1:
                self._strike()
        # What is frozen may hold what all need, such as the write lock of SQLite.
        while self._later and not self._stopping.wait(0.05):
            self.bury()

    def heal(self) -> None:
        """Thaw everything, and have everything run."""
        while self._later:
            _, work = self._later.pop()
            work()
        self.bury()

    def bury(self) -> None:
        """Start again what has ended, as a supervisor does, and do what is due."""
        now = time.monotonic()
        due = [entry for entry in self._later if entry[0] <= now]
        self._later = [entry for entry in self._later if entry[0] > now]
        for _, work in due:
            work()
        for name, process in self._stage.processes.items():
            if process.ended is not None and name not in self._frozen:
                self.ended_itself += process.ended == -signal.SIGALRM
                process.start()

    def _strike(self) -> None:
        kinds = {"kill": 55, "long freeze": 15, "short freeze": 10, "epr": 12, "phone": 4, "pds": 4}
        if self._crash is not None:
            kinds["postgresql"] = 10
        kind = self._random.choices(list(kinds), list(kinds.values()))[0]
        if kind == "postgresql" and self._crash is not None:
            self._crash()
            self.done["PostgreSQL crashed"] += 1
        elif kind in ("epr", "phone", "pds"):
            self._kill(kind)
        elif kind == "kill":
            self._kill(self._random.choice(_OURS))
        else:
            self._freeze(long=kind == "long freeze")

    def _kill(self, name: str) -> None:
        if name in self._frozen or not self._stage.is_up(name):
            return
        self._stage.processes[name].kill()
        self.done[f"{name} killed"] += 1
        # Until then `bury` must not start it.
        self._frozen.add(name)
        self._do_later(self._random.uniform(0.0, 3.0), lambda: self._frozen.discard(name))

    def _freeze(self, *, long: bool) -> None:
        awake = [n for n in _OURS if n not in self._frozen and self._stage.is_up(n)]
        if not awake:
            return
        name = self._random.choice(awake)
        process = self._stage.processes[name]
        process.send(signal.SIGSTOP)
        self._frozen.add(name)
        self.done[f"{name} frozen"] += 1 if long else 0
        seconds = self._random.uniform(*_LONG) if long else self._random.uniform(0.2, 2.5)

        def thaw() -> None:
            with suppress(ProcessLookupError):
                process.send(signal.SIGCONT)
            self._frozen.discard(name)

        self._do_later(seconds, thaw)

    def _do_later(self, seconds: float, work: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, work))
