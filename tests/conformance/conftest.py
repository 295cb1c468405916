"""What the tests of conformance testing share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway.conformance import runs
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import Run
from fhir_gateway.conformance.suites import read_suite
from fhir_gateway.sandbox.epr.app import create_app
from tests.conformance.recorder import Recorder
from tests.serving import serve

#: Runs a TestScript against a base; keyword arguments are those of `Plan`.
RunScript = Callable[..., Run]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def server(recorder: Recorder) -> Iterator[str]:
    """The base address of the recorder's server."""
    with serve(recorder.app) as base:
        yield base


@pytest.fixture(scope="session")
def epr() -> Iterator[str]:
    """The FHIR base of a sandbox EPR."""
    with serve(create_app()) as base:
        yield f"{base}/fhir"


@pytest.fixture
def run_script(tmp_path: Path) -> RunScript:
    """Runs a script with its fixtures (name in `fixtures/` to content) as a suite `suite`."""

    def run(
        base: str,
        resource: Mapping[str, Any],
        fixtures: Mapping[str, Any] | None = None,
        *,
        auth: Any = None,
        hidden: Sequence[str] = (),
        **plan: Any,
    ) -> Run:
        root = tmp_path / "suite"
        (root / "fixtures").mkdir(parents=True, exist_ok=True)
        (root / "script.json").write_text(json.dumps(resource))
        for name, content in (fixtures or {}).items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            (root / "fixtures" / name).write_bytes(data)
        with Caller(base, auth=auth, timeout=30) as caller:
            return runs.run(
                runs.Plan([read_suite(root)], **plan), {1: caller}, secrets_to_hide=hidden
            )

    return run
