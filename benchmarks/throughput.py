"""How many requests a second are accepted and delivered, beside the bare POST rate of the same EPR.

    python benchmarks/throughput.py --submissions 400
    python benchmarks/throughput.py --submissions 50000 --stores sqlite --workers 4 --json

Real processes throughout: the sandbox EPR, PDS and phone, and `fhir-gateway worker` once and four
times. Requests are accepted by the real transaction, one after the other; then workers deliver
them. The peer is the EPR itself: the same Bundles are posted to it by one HTTP client, one by one,
in the same run. `delivered/bare` is the ratio that counts: how much of what this EPR can take the
gateway makes use of. Memory is the resident set of the largest worker at the end.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
from sqlalchemy import select

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from fhir_gateway.delivery.accept import accept_response  # noqa: E402
from fhir_gateway.fhir import json as fhir_json  # noqa: E402
from fhir_gateway.store import requests  # noqa: E402
from fhir_gateway.store.tables import RequestEventRow, RequestRow  # noqa: E402
from tests.faults.audit import unfinished  # noqa: E402
from tests.faults.stage import Process, Stage  # noqa: E402

RESPONSE = ROOT / "tests/delivery/response.json"
_BARE = 100
#: The ids of requests begin so, and those of their copies, which the EPR must take for new.
_OURS, _COPY = b"00000000-0000-4000-8000-", b"11111111-0000-4000-8000-"
_PATIENCE = 3600.0


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. Rates are a second, latencies seconds from accepted to delivered."""

    store: str
    workers: int
    accepted_rate: float
    delivered_rate: float
    bare_rate: float
    delivered_to_bare: float
    p50: float
    p95: float
    p99: float
    memory_mb: float


def measure(store: str, workers: int, submissions: int, folder: Path) -> Row:
    """One run in a fresh folder."""
    with ExitStack() as stack:
        url = None
        if store == "postgresql":
            from tests.faults.postgres import CrashablePostgres

            url = stack.enter_context(CrashablePostgres(folder / "postgres")).url
        stage = Stage(folder, url, 0, submissions, at_once=64, neighbours_only=True)
        stack.callback(stage.close)
        stage.prepare()
        accepted = _accept(stage, submissions)
        delivering = [stage.add_worker(f"worker-{n}") for n in range(workers)]
        delivered, memory = _deliver(stage, delivering, submissions)
        bare = _bare(stage)
        latencies = _latencies(stage)
    cuts = statistics.quantiles(latencies, n=100)
    return Row(
        store,
        workers,
        round(accepted, 1),
        round(delivered, 1),
        round(bare, 1),
        round(delivered / bare, 2),
        *(round(cuts[n - 1], 2) for n in (50, 95, 99)),
        memory_mb=round(memory, 1),
    )


def _accept(stage: Stage, submissions: int) -> float:
    response = json.loads(RESPONSE.read_text())
    gateway = stage.gateway
    started = time.perf_counter()
    for number in range(submissions):
        with gateway.database.transaction() as tx:
            accept_response(
                tx,
                gateway.engine,
                request_id=f"{_OURS.decode()}{number:012d}",
                draft_id=None,
                service_slug=stage.service.slug,
                questionnaire=response["questionnaire"],
                response=response,
                evidence={},
                now=gateway.parts.clock(),
            )
    return submissions / (time.perf_counter() - started)


def _deliver(stage: Stage, delivering: list[Process], submissions: int) -> tuple[float, float]:
    """Requests a second from the first move to the last, and MB of the largest worker."""
    deadline = time.monotonic() + _PATIENCE
    while unfinished(stage) and time.monotonic() < deadline:
        time.sleep(0.2)
    memory = max(process.memory_mb() for process in delivering)
    with stage.gateway.database.transaction() as tx:
        query = select(RequestEventRow.at).where(RequestEventRow.state.in_(("traced", "delivered")))
        moments = sorted(tx.session.scalars(query))
    return submissions / (moments[-1] - moments[0]).total_seconds(), memory


def _bare(stage: Stage) -> float:
    """The same Bundles under other names, posted one by one."""
    with stage.gateway.database.transaction() as tx:
        ids = list(tx.session.scalars(select(RequestRow.id).limit(_BARE)))
        bundles = [found.bundle for name in ids if (found := requests.find(tx, name))]
    contents = [fhir_json.dump(bundle or {}).replace(_OURS, _COPY) for bundle in bundles]
    headers = {"Content-Type": "application/fhir+json"}
    with httpx.Client(timeout=60) as http:
        started = time.perf_counter()
        for content in contents:
            http.post(f"{stage.base['epr']}/fhir", content=content, headers=headers)
        return len(contents) / (time.perf_counter() - started)


def _latencies(stage: Stage) -> list[float]:
    with stage.gateway.database.transaction() as tx:
        query = (
            select(RequestRow.accepted_at, RequestEventRow.at)
            .join(RequestEventRow, RequestEventRow.request_id == RequestRow.id)
            .where(RequestEventRow.state == "delivered")
        )
        return [(at - accepted).total_seconds() for accepted, at in tx.session.execute(query)]


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=400)
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = []
    for store in given.stores:
        for workers in given.workers:
            print(f"{store}, {workers} workers ...", file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="throughput-") as folder:
                rows.append(measure(store, workers, given.submissions, Path(folder)))
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    columns = list(asdict(rows[0]))
    table = [columns, *([str(value) for value in asdict(row).values()] for row in rows)]
    widths = [max(len(line[n]) for line in table) for n in range(len(columns))]
    for line in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


if __name__ == "__main__":
    main()
