"""A process that was frozen for too long never runs again. Real processes, real signals."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from fhir_gateway.delivery import processes
from fhir_gateway.store.workers import Place

#: Writes a line every 10 ms, so that a line after the thaw would be seen.
_PROGRAM = """
import sys, time
from datetime import timedelta
from fhir_gateway.delivery.deadman import DeadMansSwitch
DeadMansSwitch(timedelta(seconds=1)).start()
while True:
    print(time.monotonic(), flush=True)
    time.sleep(0.01)
"""


def _start() -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_long_freeze_ends_it_before_it_does_anything() -> None:
    process = _start()
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.6)
    thawed = time.monotonic()
    process.send_signal(signal.SIGCONT)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGALRM
    assert all(float(line) < thawed for line in output.split())


def test_a_short_freeze_and_a_long_life_do_not() -> None:
    process = _start()
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.3)
    process.send_signal(signal.SIGCONT)
    time.sleep(2)
    assert process.poll() is None
    process.kill()
    process.communicate()


def test_it_is_known_whether_a_process_of_this_machine_is_gone_frozen_or_at_work() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    mine = processes.own_place()
    place = Place(mine.machine, process.pid, processes._start_of(process.pid) or "")
    assert processes.is_running(place)
    assert not processes.is_gone(place)
    process.send_signal(signal.SIGSTOP)
    time.sleep(0.1)
    assert not processes.is_running(place)
    assert not processes.is_gone(place)
    process.kill()
    time.sleep(0.1)
    assert processes.is_gone(place)  # killed, and not buried yet
    process.wait()
    assert processes.is_gone(place)
    # Its number may be given to another.
    assert processes.is_gone(Place(mine.machine, mine.pid, "1"))
    # Of other machines nothing is known.
    assert not processes.is_gone(Place("another", process.pid, "1"))
    assert not processes.is_running(Place("another", mine.pid, mine.started))
