"""A dead man's switch: a process that was frozen for too long never runs again.

A frozen process (SIGSTOP, a paused container) holds what others take over meanwhile; if it went on,
it would send a second time. While it runs, a thread puts off the kernel's alarm again and again.
While it is frozen the alarm goes off, and waits; when it is thawed, the kernel ends the process on
its way out, before it does anything of its own. Whoever supervises it starts it afresh.
"""

from __future__ import annotations

import signal
import threading
from datetime import timedelta


class DeadMansSwitch:
    """Ends this process once it stood still for `limit`. For processes of their own only: the alarm
    of a process is one."""

    def __init__(self, limit: timedelta) -> None:
        self._seconds = limit.total_seconds()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dead-mans-switch", daemon=True)

    def start(self) -> None:
        """From now on. Must be called in the main thread."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        self._put_off()
        self._thread.start()

    def stop(self) -> None:
        """No more."""
        self._stopping.set()
        self._thread.join(timeout=self._seconds)
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds / 8):
            self._put_off()

    def _put_off(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
