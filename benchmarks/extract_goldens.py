"""Golden cases of template extraction: is what comes out what was written down, and how fast?

    python benchmarks/extract_goldens.py FOLDER [--json] [--peer] [--rounds N]

FOLDER has an index.json with `cases`; each names files for `questionnaire` and `response`, and
`expectedBundle` (a Bundle, or a list of resources), relative to FOLDER. A case without a response
or an expected Bundle is shown as not judged. Equal means: the same resources, deep-equal, in any
order, with UUIDs and what the clock decides taken out. `--peer` runs the npm engine
@aehrc/sdc-template-extract on the same cases and prints the ratio of times. Exit status 1 when a
case differs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fhir_gateway.fhir.bundle import resources as bundle_resources
from fhir_gateway.mapping import extract
from fhir_gateway.mapping.compare import resource_differences

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LATER = NOW + timedelta(days=400, seconds=3)


def main() -> int:
    """Run all cases of a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--peer", action="store_true", help="run the npm engine as well")
    parser.add_argument("--rounds", type=int, default=20, help="warm runs that are timed")
    options = parser.parse_args()
    index = options.folder / "index.json"
    if not index.is_file():
        parser.error(f"{options.folder} has no index.json")
    cases = json.loads(index.read_text())["cases"]
    results = [judge(options.folder, case, options.rounds) for case in cases]
    if options.peer:
        add_peer(options.folder, cases, results, options.rounds)
    if options.json:
        print(json.dumps(results, indent=2, ensure_ascii=False))
    else:
        show(results)
    return 1 if any(result["verdict"] in ("differs", "failed") for result in results) else 0


def judge(folder: Path, case: dict[str, Any], rounds: int) -> dict[str, Any]:
    """One case: verdict (equal, differs, not judged, failed), differences, issues, times."""
    result: dict[str, Any] = {"id": case.get("id"), "kind": case.get("kind")}
    try:
        questionnaire = read(folder, case, "questionnaire")
        response = read(folder, case, "response")
        expected = read(folder, case, "expectedBundle")
    except (OSError, ValueError) as error:
        return result | {"verdict": "failed", "differences": [str(error)]}
    if questionnaire is None or response is None:
        return result | {"verdict": "not judged", "why": "no questionnaire or no response"}
    loose = [read_file(folder / name) for name in case.get("resources") or ()]
    context = case.get("context") or {}
    started = time.perf_counter()
    first = extract(questionnaire, response, resources=loose, context=context, now=NOW)
    cold = time.perf_counter() - started
    second = extract(questionnaire, response, resources=loose, context=context, now=LATER)
    issues = [f"{i['severity']}: {i['diagnostics']}" for i in first.outcome["issue"]]
    result |= {"issues": issues, "coldMilliseconds": round(cold * 1000, 2)}
    result["warmMilliseconds"] = warm(questionnaire, response, loose, context, rounds)
    result["resources"] = len(list(bundle_resources(first.bundle)))
    if expected is None:
        return result | {"verdict": "not judged", "why": "no expected Bundle"}
    lines = compare(as_bundle(expected), first.bundle, second.bundle)
    return result | {"verdict": "differs" if lines else "equal", "differences": lines}


def compare(expected: dict[str, Any], first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """What differs once the clock is out: that is where two runs with different clocks differ."""
    moments = clock_paths(list(bundle_resources(first)), list(bundle_resources(second)))
    return resource_differences(mask(expected, moments), mask(first, moments))


def clock_paths(first: list[Any], second: list[Any]) -> set[tuple[str, ...]]:
    """Resource type and property names of what the clock decides."""
    found: set[tuple[str, ...]] = set()

    def walk(one: Any, other: Any, path: tuple[str, ...]) -> None:
        if isinstance(one, dict) and isinstance(other, dict):
            for key in one.keys() & other.keys():
                walk(one[key], other[key], (*path, key))
        elif isinstance(one, list) and isinstance(other, list):
            for left, right in zip(one, other, strict=False):
                walk(left, right, path)
        elif one != other:
            found.add(path)

    for one, other in zip(first, second, strict=False):
        walk(one, other, (str(one.get("resourceType")),))
    return found


def mask(bundle: dict[str, Any], paths: set[tuple[str, ...]]) -> dict[str, Any]:
    """The Bundle with the values at these paths taken out."""

    def walk(value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, dict):
            return {key: walk(part, (*path, key)) for key, part in value.items()}
        if isinstance(value, list):
            return [walk(part, path) for part in value]
        return "(clock)" if path in paths and isinstance(value, str) else value

    masked = [walk(r, (str(r.get("resourceType")),)) for r in bundle_resources(bundle)]
    return as_bundle(masked)


def warm(questionnaire: Any, response: Any, loose: list[Any], context: Any, rounds: int) -> float:
    """Median time of a warm run, in milliseconds."""
    times = []
    for _ in range(max(rounds, 1)):
        started = time.perf_counter()
        extract(questionnaire, response, resources=loose, context=context, now=NOW)
        times.append(time.perf_counter() - started)
    return round(statistics.median(times) * 1000, 3)


def add_peer(
    folder: Path, cases: list[dict[str, Any]], results: list[dict[str, Any]], rounds: int
) -> None:
    """Run the npm engine on the same cases, and add what it made and how long it took."""
    sys.path.insert(0, str(ROOT))
    from tests.peers.sdc_template_extract.client import NpmEngine, missing

    reason = missing()
    if reason:
        raise SystemExit(reason)
    with NpmEngine() as peer:
        for case, result in zip(cases, results, strict=True):
            if "warmMilliseconds" not in result or "extract" not in str(case.get("kind")):
                continue
            questionnaire = read(folder, case, "questionnaire")
            response = read(folder, case, "response")
            run = peer.extract(questionnaire, response, rounds=rounds)
            ours = [extract(questionnaire, response, now=now).bundle for now in (NOW, LATER)]
            result["peerDifferences"] = compare(run.bundle or {}, *ours)
            result["peerWarmMilliseconds"] = round(run.milliseconds, 3)
            if result["warmMilliseconds"]:
                ratio = run.milliseconds / result["warmMilliseconds"]
                result["timesFasterThanPeer"] = round(ratio, 1)


def show(results: list[dict[str, Any]]) -> None:
    """Print results for people."""
    for result in results:
        times = ""
        if "warmMilliseconds" in result:
            times = f"  {result['warmMilliseconds']} ms warm, {result['coldMilliseconds']} ms cold"
        if "timesFasterThanPeer" in result:
            times += f"; {result['timesFasterThanPeer']} times faster than the npm engine warm"
        why = f" ({result['why']})" if "why" in result else ""
        print(f"{result['verdict']:10} {result['id']}{why}{times}")
        for line in result.get("differences", ()):
            print(f"    {line}")
        if "peerDifferences" in result:
            same = not result["peerDifferences"]
            print("    the npm engine makes the same" if same else "    the npm engine differs:")
            for line in result["peerDifferences"]:
                print(f"        {line}")
        for line in result.get("issues", ()):
            if not line.startswith("information"):
                print(f"    ({line})")
    judged = [r for r in results if r["verdict"] in ("equal", "differs")]
    equal = sum(r["verdict"] == "equal" for r in judged)
    print(f"{equal} of {len(judged)} judged cases equal")
    ratios = [r["timesFasterThanPeer"] for r in results if "timesFasterThanPeer" in r]
    if ratios:
        print(f"median: {statistics.median(ratios):.1f} times faster than the npm engine, warm")


def read(folder: Path, case: dict[str, Any], key: str) -> Any:
    """The JSON of a file that a case names; None when it names none, or one that is not JSON."""
    name = case.get(key)
    return read_file(folder / name) if isinstance(name, str) and name.endswith(".json") else None


def read_file(path: Path) -> Any:
    """The JSON of a file."""
    return json.loads(path.read_text())


def as_bundle(expected: Any) -> dict[str, Any]:
    """A Bundle; a list of resources or one resource is put into one."""
    if isinstance(expected, dict) and expected.get("resourceType") == "Bundle":
        return expected
    listed = expected if isinstance(expected, list) else [expected]
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in listed]}


if __name__ == "__main__":
    sys.exit(main())
