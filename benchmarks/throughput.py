"""How many requests a second are accepted and delivered, beside the bare POST rate of the same EPR.

    python benchmarks/throughput.py --submissions 400
    python benchmarks/throughput.py --submissions 50000 --stores sqlite --workers 4 --json

Real processes throughout: the sandbox EPR, PDS and phone, and `fhir-gateway worker` once and four
times. Requests are accepted by the real transaction, one after the other; then workers deliver
them. The peer is the EPR itself: the same Bundles are posted to it by one HTTP client, one by one,
in the same run. `delivered/bare` is the ratio that counts: how much of what this EPR can take the
gateway makes use of. PDS is asked as often as need be: at PDS's own limit of 5 calls a second
(`pds_per_second`) no more can be delivered, whatever the machine.

Memory is the resident set of the largest worker at the end, and how much it grows with each 1,000
requests once half of them are done; `busy_errors` is how often SQLite was locked for too long.
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
from fhir_gateway.fhir.identifiers import NHS_NUMBER  # noqa: E402
from fhir_gateway.store import requests  # noqa: E402
from fhir_gateway.store.tables import RequestEventRow, RequestRow  # noqa: E402
from tests.faults.audit import unfinished  # noqa: E402
from tests.faults.stage import Process, Stage  # noqa: E402

RESPONSE = ROOT / "tests/delivery/response.json"
_BARE = 100
#: The ids of requests begin so, and those of their copies, which the EPR must take for new.
_OURS, _COPY = b"00000000-0000-4000-8000-", b"11111111-0000-4000-8000-"
#: The patient of the response, as PDS knows her, and the number whose code was accepted.
_NHS_NUMBER, _MOBILE = "9990001006", "+447700900101"
_PATIENCE = 3600.0
#: Requests of each worker before its computing is measured: the first ones import and parse.
_WARM = 5
#: Fewer points are no line.
_LEAST = 5


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
    cpu_ms: float
    memory_mb: float
    growth_mb: float
    busy_errors: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """`rate`: requests a second from the first move to the last. `cpu`: milliseconds that workers
    computed for each once they were warm. `memory`: MB of the largest worker at the end, and
    `growth`: MB for each 1,000 requests. `busy`: times that SQLite was too busy for one."""

    rate: float
    cpu: float
    memory: float
    growth: float
    busy: int


def measure(store: str, workers: int, submissions: int, folder: Path) -> Row:
    """One run in a fresh folder."""
    with ExitStack() as stack:
        url = None
        if store == "postgresql":
            from tests.faults.postgres import CrashablePostgres

            url = stack.enter_context(CrashablePostgres(folder / "postgres")).url
        stage = Stage(
            folder, url, 0, submissions, at_once=64, neighbours_only=True, pds_per_second=1000
        )
        stack.callback(stage.close)
        stage.prepare()
        _register(stage)
        accepted = _accept(stage, submissions)
        delivering = [stage.add_worker(f"worker-{n}") for n in range(workers)]
        done = _deliver(stage, delivering, submissions)
        bare = _bare(stage)
        latencies = _latencies(stage)
    cuts = statistics.quantiles(latencies, n=100)
    return Row(
        store,
        workers,
        round(accepted, 1),
        round(done.rate, 1),
        round(bare, 1),
        round(done.rate / bare, 2),
        *(round(cuts[n - 1], 2) for n in (50, 95, 99)),
        cpu_ms=round(done.cpu, 1),
        memory_mb=round(done.memory, 1),
        growth_mb=round(done.growth, 2),
        busy_errors=done.busy,
    )


def _register(stage: Stage) -> None:
    """The patient is in the EPR before they write, as patients of a hospital are."""
    known = {"system": NHS_NUMBER, "value": _NHS_NUMBER}
    found = {"resourceType": "Patient", "identifier": [known]}
    httpx.post(f"{stage.base['epr']}/fhir/Patient", json=found, timeout=60).raise_for_status()


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
                evidence={"verified": {_MOBILE: gateway.parts.clock().isoformat()}},
                now=gateway.parts.clock(),
            )
    return submissions / (time.perf_counter() - started)


def _deliver(stage: Stage, delivering: list[Process], submissions: int) -> Delivery:
    """Wait until all is delivered."""
    deadline = time.monotonic() + _PATIENCE
    warm: tuple[float, int] | None = None
    memory: list[tuple[int, float]] = []
    while (left := unfinished(stage)) and time.monotonic() < deadline:
        done = submissions - left
        if warm is None and done >= _WARM * len(delivering):
            warm = (_computed(delivering), left)
        memory.append((done, max(process.memory_mb() for process in delivering)))
        time.sleep(0.2)
    cpu = (_computed(delivering) - warm[0]) / warm[1] if warm else 0.0
    with stage.gateway.database.transaction() as tx:
        query = select(RequestEventRow.at).where(RequestEventRow.state.in_(("traced", "delivered")))
        moments = sorted(tx.session.scalars(query))
    return Delivery(
        submissions / (moments[-1] - moments[0]).total_seconds(),
        cpu * 1000,
        memory[-1][1],
        _growth(memory, submissions),
        sum(process.log().count("database is locked") for process in delivering),
    )


def _growth(memory: list[tuple[int, float]], submissions: int) -> float:
    """MB for each 1,000 requests: the slope of the line that fits the second half best. What is
    kept on purpose has its bounds and is there by then."""
    half = [(done, mb) for done, mb in memory if done >= submissions / 2]
    if len({done for done, _ in half}) < _LEAST:
        return 0.0
    return 1000 * statistics.linear_regression(*zip(*half, strict=True)).slope


def _computed(processes: list[Process]) -> float:
    return sum(process.cpu_seconds() for process in processes)


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
