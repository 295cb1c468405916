"""Starts the npm engine of SDC template extraction (see README.md) and asks it to extract."""

from __future__ import annotations

import functools
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fhir_gateway.fhir import json

PEER = (str(Path(__file__).parents[3] / "script" / "peer"), "sdc-template-extract")
CANNOT_RUN_HERE = 69


@functools.cache
def missing() -> str | None:
    """Why the engine cannot run on this machine; None when it can. Installs it when needed.

    Raises RuntimeError when all is there and it fails to install: that is a mistake of ours.
    """
    build = subprocess.run([*PEER, "--build"], capture_output=True, text=True, check=False)
    if build.returncode == 0:
        return None
    if build.returncode == CANNOT_RUN_HERE:
        return build.stderr.strip().splitlines()[-1]
    raise RuntimeError(f"the npm engine does not install:\n{build.stderr}")


@dataclass(frozen=True, slots=True)
class PeerExtraction:
    """What the engine made: a Bundle or None, issues or None, and the median time of a round."""

    bundle: dict[str, Any] | None
    issues: dict[str, Any] | None
    milliseconds: float


class NpmEngine:
    """A running engine; use it in a `with` block."""

    def __enter__(self) -> Self:
        """Start the process."""
        self._process = subprocess.Popen(
            [*PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it, by ending its input."""
        self._process.communicate(timeout=30)

    def extract(
        self, questionnaire: dict[str, Any], response: dict[str, Any], *, rounds: int = 1
    ) -> PeerExtraction:
        """Extract `rounds` times; the result of the last. Raises RuntimeError when it died."""
        asked = {"questionnaire": questionnaire, "response": response, "rounds": rounds}
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dump(asked) + b"\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            assert self._process.stderr is not None
            said = self._process.stderr.read().decode()
            raise RuntimeError(f"the npm engine ended: {said}")
        answer = json.parse(line, max_bytes=50_000_000)
        return PeerExtraction(answer["bundle"], answer["issues"], float(answer["milliseconds"]))
