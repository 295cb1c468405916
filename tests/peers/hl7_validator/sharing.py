"""One process for several users: who starts it, who joins it, and when it ends.

They meet in a folder. Its named pipe `stdin` is the process's standard input: whoever uses the
process holds the pipe open for writing, and the process ends at the end of its input. The kernel
closes the pipe of a user that is killed, so no process outlives its users.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

START_SECONDS = 120.0
JOIN_SECONDS = 5.0
PAUSE_SECONDS = 0.02


@contextlib.contextmanager
def joined(place: Path, command: Sequence[str]) -> Iterator[str]:
    """Use the process of the folder `place`, and start it with `command` when there is none.

    Yields its address, a base URL. The process must print `{"address": ...}` as one line when it
    is ready, count the bytes on its standard input as `joined` in the answer to `GET /health`, and
    end with its input. Raises RuntimeError, with what it wrote to stderr, when it does not start.
    """
    place.mkdir(parents=True, exist_ok=True)
    with _alone(place):
        pipe = _join(place)
        if pipe is None:
            pipe = _start(place, command)
        address = _address(place)
    try:
        yield address
    finally:
        os.close(pipe)


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Keep out all others who want to join or start at the same time."""
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file closes, also by a kill
        yield


def _address(place: Path) -> str:
    """Where the process listens; empty while it has not said so."""
    line = (place / "address.json").read_text()
    return str(json.loads(line)["address"]) if line.endswith("\n") else ""


def _join(place: Path) -> int | None:
    """Hold the pipe of the running process open; None when none runs."""
    try:
        pipe = os.open(place / "stdin", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # there is no pipe, or nobody reads it
        return None
    if _counted(place, pipe):
        return pipe
    os.close(pipe)
    return None


def _counted(place: Path, pipe: int) -> bool:
    """Whether the process has counted this user.

    One that has just seen the end of its input, when its last user left, counts no more.
    """

    def count() -> int:
        answer = httpx.get(f"{_address(place)}/health", timeout=JOIN_SECONDS, trust_env=False)
        return int(answer.json()["joined"])

    with contextlib.suppress(httpx.HTTPError, OSError):
        before = count()
        os.write(pipe, b"+")
        deadline = time.monotonic() + JOIN_SECONDS
        while time.monotonic() < deadline:
            if count() > before:
                return True
            time.sleep(PAUSE_SECONDS)
    return False


def _start(place: Path, command: Sequence[str]) -> int:
    """Start the process, wait until it is ready, and return the pipe that keeps it."""
    stdin = place / "stdin"
    stdin.unlink(missing_ok=True)
    os.mkfifo(stdin)
    reader = os.open(stdin, os.O_RDONLY | os.O_NONBLOCK)  # opens although nobody writes yet
    pipe = os.open(stdin, os.O_WRONLY)
    os.set_blocking(reader, True)
    created = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        # Not subprocess.Popen, which complains of a process that outlives the one who started it.
        # A process group of its own: an interrupt from the keyboard is for the tests.
        child = os.posix_spawn(
            command[0],
            list(command),
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, reader, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(place / "address.json"), created, 0o600),
                (os.POSIX_SPAWN_OPEN, 2, str(place / "stderr.log"), created, 0o600),
            ],
            setpgroup=0,
        )
        _wait_until_ready(place, child)
    except BaseException:
        os.close(pipe)
        raise
    finally:
        os.close(reader)
    return pipe


def _wait_until_ready(place: Path, child: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _address(place):
        ended, _ = os.waitpid(child, os.WNOHANG)
        if ended or time.monotonic() > deadline:
            state = "ended" if ended else f"was not ready after {START_SECONDS:.0f} s"
            raise RuntimeError(f"it {state}:\n{(place / 'stderr.log').read_text()}")
        time.sleep(PAUSE_SECONDS)
