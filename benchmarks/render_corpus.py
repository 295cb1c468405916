"""Every Questionnaire of a folder: rendered page by page, filled in, sent, validated, and looked at
by axe.

    python -m benchmarks.render_corpus DIR [--json] [--no-axe] [--rounds N]

Counts: exceptions (any answer that is no page), pages that took no guessed answer, responses that
are not valid at the end, axe violations (WCAG 2.2 AA), and what lint refuses, with its reasons.
Exit status 1 when there was an exception, an invalid response or a violation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from benchmarks.corpus_walk import Walk, Walker
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.registry import Registry
from fhir_gateway.questionnaire.assembly import assemble
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.linting import lint
from fhir_gateway.web.fields import SHOWN_TYPES
from fhir_gateway.web.preview import Trial, create_preview_app

ZONE = ZoneInfo("Europe/London")


@dataclass(slots=True)
class Result:
    """What became of one Questionnaire: `refused` with reasons by lint, or walked through."""

    file: str
    refused: list[str] = field(default_factory=list)
    pages: int = 0
    exceptions: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    axe: list[str] = field(default_factory=list)
    completed: int = 0
    milliseconds: list[float] = field(default_factory=list)


def main() -> int:
    """Run it; the exit status."""
    options = _arguments()
    logging.disable(logging.CRITICAL)
    results, html = [], []
    found = list(questionnaires(options.folder))
    for number, (file, questionnaire) in enumerate(found, 1):
        if not options.json:
            print(f"\r{number}/{len(found)} {file[:70]:70}", end="", file=sys.stderr)
        result, pages = asyncio.run(run(file, questionnaire, options))
        results.append(result)
        html.extend((result, name, page) for name, page in pages.items())
    if not options.json:
        print(file=sys.stderr)
    if not options.no_axe:
        _look(html)
    report = summary(results, peer_milliseconds(found))
    print(json.dumps(report, indent=2) if options.json else told(report))
    return int(bool(report["exceptions"] or report["invalid"] or report["axe_violations"]))


def questionnaires(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every Questionnaire in a folder of JSON files."""
    for file in sorted(folder.rglob("*.json")):
        try:
            resource = fhir_json.parse(file.read_bytes(), max_bytes=20_000_000)
        except fhir_json.JsonRefused:
            continue
        if isinstance(resource, dict) and resource.get("resourceType") == "Questionnaire":
            yield str(file.relative_to(folder)), resource


async def run(
    file: str, questionnaire: dict[str, Any], options: argparse.Namespace
) -> tuple[Result, dict[str, str]]:
    """One Questionnaire: lint, then as many walks as asked for, each with other answers."""
    result = Result(file)
    pages: dict[str, str] = {}
    try:
        registry = Registry([questionnaire])
        definition = Definition(assemble(questionnaire, registry.resolve), registry)
        found = lint(definition, shown_types=SHOWN_TYPES)
        result.refused = sorted({f"{f.code}: {f.text}" for f in found if f.severity == "error"})
        if result.refused and not options.all:
            return result, pages
        trial = Trial("1", definition, lambda: datetime.now(ZONE), found)
        transport = httpx.ASGITransport(create_preview_app([trial]))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", follow_redirects=True
        ) as http:
            for variant in range(options.rounds):
                walk = Walk(html=pages)
                await Walker(http, trial, variant, walk).go()
                _add(result, walk)
    except Exception:
        result.exceptions.append(traceback.format_exc(limit=-3))
    result.pages = len(pages)
    return result, pages


def _add(result: Result, walk: Walk) -> None:
    result.exceptions.extend(walk.failures)
    result.stuck.extend(walk.stuck)
    result.invalid.extend(walk.ended or [])
    result.completed += walk.ended == [] or walk.stopped
    result.milliseconds.extend(seconds * 1000 for seconds in walk.seconds)


def _look(html: list[tuple[Result, str, str]]) -> None:
    from benchmarks.axe import violations

    named = ((str(number), page) for number, (_, _, page) in enumerate(html))
    for number, found in violations(named):
        result, name, _ = html[int(number)]
        result.axe.extend(f"{name} {violation}" for violation in found)


def peer_milliseconds(found: list[tuple[str, dict[str, Any]]]) -> float:
    """p50 of fhir.resources (R4B) reading a Questionnaire of the corpus: what any Python renderer
    would spend on the models alone, before it draws anything."""
    from fhir.resources.R4B.questionnaire import Questionnaire

    times = []
    for _, questionnaire in found:
        data = fhir_json.dump(questionnaire)
        started = time.perf_counter()
        try:
            Questionnaire.model_validate_json(data)
        except ValueError:
            continue
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times) if times else 0.0


def summary(results: list[Result], peer: float) -> dict[str, Any]:
    """The counts of a run."""
    times = [ms for result in results for ms in result.milliseconds]
    reasons = Counter(reason.partition(":")[0] for r in results for reason in r.refused)
    p50 = statistics.median(times) if times else 0.0
    return {
        "questionnaires": len(results),
        "refused_by_lint": sum(bool(r.refused) for r in results),
        "refused_because": dict(reasons.most_common()),
        "walks_completed": sum(r.completed for r in results),
        "pages": sum(r.pages for r in results),
        "exceptions": sum(len(r.exceptions) for r in results),
        "stuck": sum(len(r.stuck) for r in results),
        "invalid": sum(len(r.invalid) for r in results),
        "axe_violations": sum(len(r.axe) for r in results),
        "page_p50_ms": round(p50, 1),
        "fhir_resources_parse_p50_ms": round(peer, 1),
        "page_to_parse_ratio": round(p50 / peer, 2) if peer else None,
        "results": [
            {key: value for key, value in asdict(r).items() if key != "milliseconds"}
            for r in results
        ],
    }


def told(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [
        f"{key.replace('_', ' ')}: {value}" for key, value in report.items() if key != "results"
    ]
    for result in report["results"]:
        for kind in ("refused", "exceptions", "stuck", "invalid", "axe"):
            lines.extend(f"{result['file']}: {kind}: {text}" for text in result[kind])
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "folder", type=Path, help="folder with Questionnaires (JSON), searched deep"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--no-axe", action="store_true", help="leave the accessibility check out")
    parser.add_argument("--rounds", type=int, default=2, help="walks a form, each other answers")
    parser.add_argument("--all", action="store_true", help="walk also what lint refuses")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
