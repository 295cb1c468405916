"""Starts the HL7 validator (see README.md) and asks it to judge resources."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from fhir_gateway.fhir import json
from tests.peers.hl7_validator.sharing import joined

PEER = (str(Path(__file__).parents[3] / "script" / "peer"), "hl7-validator")
CANNOT_RUN_HERE = 69
JUDGE_SECONDS = 120.0  # the first judgement reads all of R4


@functools.cache
def missing() -> str | None:
    """Why the validator cannot run on this machine; None when it can. Builds it when needed.

    Raises RuntimeError when all is there and the build fails: that is a mistake of ours.
    """
    build = subprocess.run([*PEER, "--build"], capture_output=True, text=True, check=False)
    if build.returncode == 0:
        return None
    if build.returncode == CANNOT_RUN_HERE:
        return build.stderr.strip().splitlines()[-1]
    raise RuntimeError(f"the HL7 validator does not build:\n{build.stderr}")


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing the validator has to say about a resource."""

    severity: str  # fatal, error, warning or information
    code: str  # an issue type of FHIR
    message_id: str | None  # the validator's own name of the rule
    location: str | None  # a FHIRPath, such as Patient.identifier[0]
    text: str

    def __str__(self) -> str:
        """One line for a failed assertion."""
        return f"{self.location or '-'}: {self.text} [{self.message_id or '-'}]"


class Hl7Validator:
    """A running validator that knows the conformance resources in `folders`.

    Users that name the same `meeting_place`, a folder, share one process (see sharing.py); they
    must name the same `folders`. Without one the process is this user's own.
    """

    def __init__(self, folders: Sequence[Path] = (), *, meeting_place: Path | None = None) -> None:
        self._folders = folders
        self._meeting_place = meeting_place
        self._closing = contextlib.ExitStack()
        self._http: httpx.Client | None = None

    def __enter__(self) -> Self:
        """Join the running process, or start it.

        Raises RuntimeError, with what the process said, when it does not start.
        """
        command = [*PEER, "--stop-with-stdin", *(str(folder) for folder in self._folders)]
        with contextlib.ExitStack() as opened:
            place = self._meeting_place
            if place is None:
                place = Path(opened.enter_context(tempfile.TemporaryDirectory()))
            address = opened.enter_context(joined(place, command))
            client = httpx.Client(base_url=address, timeout=JUDGE_SECONDS, trust_env=False)
            self._http = opened.enter_context(client)
            self._closing = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the process; it stops when nobody uses it any more."""
        self._http = None
        self._closing.close()

    def validate(self, resource: dict[str, Any], profiles: Iterable[str] = ()) -> list[Issue]:
        """All the validator says of `resource`: R4, its meta.profile, and `profiles` (canonicals).

        Raises RuntimeError when it does not judge, for instance when a profile is not loaded.
        """
        answer = self._post("/validate", resource, params={"profile": list(profiles)})
        return [_issue(issue) for issue in answer["issue"]]

    def errors(self, resource: dict[str, Any], profiles: Iterable[str] = ()) -> list[str]:
        """What is wrong with `resource`, each as one line; empty when it is valid."""
        issues = self.validate(resource, profiles)
        return [str(issue) for issue in issues if issue.severity in ("error", "fatal")]

    def learn(self, questionnaire: dict[str, Any]) -> None:
        """Judge responses to this Questionnaire from now on, such as one just assembled.

        It replaces one of the same url and version, for all who share the process.
        """
        self._post("/questionnaires", questionnaire)

    def _post(self, path: str, body: dict[str, Any], **options: Any) -> dict[str, Any]:
        if self._http is None:
            raise RuntimeError("the HL7 validator runs only within its `with` block")
        answer = self._http.post(path, content=json.dump(body), **options)
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"the HL7 validator answers {answer.status_code}: {answer.text}")
        content: dict[str, Any] = answer.json()
        return content


def _issue(issue: dict[str, Any]) -> Issue:
    codings = issue.get("details", {}).get("coding", [])
    return Issue(
        severity=issue["severity"],
        code=issue["code"],
        message_id=codings[0]["code"] if codings else None,
        location=issue["expression"][0] if issue.get("expression") else None,
        text=issue.get("diagnostics", ""),
    )
