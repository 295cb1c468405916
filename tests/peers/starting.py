"""Starts peers that are servers: build once, run until the tests are done."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.requirements import require

PEER = str(Path(__file__).parents[2] / "script" / "peer")
CANNOT_RUN_HERE = 69
#: 0: tests leave HAPI FHIR JPA out, which is 390 MB and half a minute to start.
WITH_HAPI = "FHIR_GATEWAY_HAPI"
#: For parameters that name it.
HAPI_MARKS = (pytest.mark.java, pytest.mark.xdist_group("hapi"))


@functools.cache
def missing(name: str) -> str | None:
    """Why a peer cannot run on this machine; None when it can. Fetches it when needed.

    Raises RuntimeError when all is there and it does not build: that is a mistake of ours.
    """
    built = subprocess.run([PEER, name, "--build"], capture_output=True, text=True, check=False)
    if built.returncode == 0:
        return None
    if built.returncode == CANNOT_RUN_HERE:
        return built.stderr.strip().splitlines()[-1]
    raise RuntimeError(f"the peer {name} does not build:\n{built.stderr}")


def unavailable(name: str) -> str | None:
    """Why a peer is not to be run, or cannot be; None when it can."""
    if name == "hapi-jpa" and os.environ.get(WITH_HAPI) == "0":
        return f"{WITH_HAPI}=0 leaves it out"
    return missing(name)


@contextlib.contextmanager
def running(name: str, needs: str) -> Iterator[str]:
    """A peer that prints its address and ends with its input; yields the address.

    The test is skipped, or fails where `needs` is required, when it cannot run here.
    """
    reason = unavailable(name)
    if reason:
        require(needs, reason)
    with subprocess.Popen([PEER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        try:
            # Servers may print words of their own before they are ready.
            for line in process.stdout:
                if line.startswith(b'{"address"'):
                    yield str(json.loads(line)["address"])
                    break
            else:
                raise RuntimeError(f"the peer {name} ended before it was ready")
        finally:
            process.stdin.close()
            process.wait(timeout=20)
