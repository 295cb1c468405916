"""The folder of a run's reports: what is written, and what a later run reads again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fhir_gateway.conformance import har, html_report, junit, run_json, test_report
from fhir_gateway.conformance.results import BAD, Run
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import as_dict, as_list, as_str

RESULTS = "results.json"
_MAX_BYTES = 200_000_000


def files(run: Run) -> Mapping[str, bytes]:
    """Every report of a run, by its name in the folder."""
    found = {
        RESULTS: _json(run_json.of_run(run)),
        "junit.xml": junit.document(run),
        "network.har": har.document(run),
        "report.html": html_report.document(run),
    }
    for result in run.scripts:
        name = re.sub(r"[^A-Za-z0-9._-]", "-", f"TestReport-{result.suite}-{result.script}")[:180]
        taken = sum(other.startswith(name) for other in found)
        end = f"-{taken + 1}" if f"{name}.json" in found else ""
        content = _json(test_report.report(run, result))
        found[f"{name}{end}.json"] = content
    return found


def _json(value: Any) -> bytes:
    """JSON of texts that may be anybody's: halves of surrogate pairs become question marks."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return text.encode("utf-8", "replace")


def write(run: Run, folder: Path) -> None:
    """Write them; TestReports of an earlier run that are there go. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("TestReport-*.json"):
        old.unlink()
    for name, content in files(run).items():
        (folder / name).write_bytes(content)


def read(folder: Path) -> dict[str, Any]:
    """The results of an earlier run. Raises Refused."""
    file = folder / RESULTS if folder.is_dir() else folder
    try:
        found = as_dict(fhir_json.parse(file.read_bytes(), max_bytes=_MAX_BYTES))
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}", code="usage") from None
    except fhir_json.JsonRefused as error:
        raise Refused(f"{file}: {error}", code="usage") from None
    if found.get("version") != run_json.VERSION:
        raise Refused(f"{file} holds no results of this version of the tool.", code="usage")
    return found


def outcomes(results: Mapping[str, Any]) -> dict[str, str]:
    """How each test ended, by its key."""
    return {
        as_str(test.get("key")): as_str(test.get("outcome"))
        for script in map(as_dict, as_list(results.get("scripts")))
        for test in map(as_dict, as_list(script.get("tests")))
    }


def failed_keys(folder: Path) -> frozenset[str]:
    """The tests that failed or could not be judged in an earlier run. Raises Refused."""
    return frozenset(key for key, outcome in outcomes(read(folder)).items() if outcome in BAD)
