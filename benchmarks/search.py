"""How long searches of the API take, parameter by parameter, and how that grows with the data.

    python benchmarks/search.py --sizes 1000 10000
    python benchmarks/search.py --sizes 10000 100000 --stores sqlite postgresql --json

Made-up requests (Patient, QuestionnaireResponse, ServiceRequest, Task, Provenance) of ten providers
go through the real index into a real database, in bulk; then one provider's client searches: the
parameters are read, the statement run, the total counted and a page of 50 opened. The peer in the
same run is the cheapest thing the API does, reading one resource by its id: `to_read` is how many
of those a search costs at its 95th percentile. `growth`: the p95 by that at the first size.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from sqlalchemy import insert, text  # noqa: E402

from fhir_gateway.fhir.search.reading import Reading, read_query  # noqa: E402
from fhir_gateway.fhir.types import Resource  # noqa: E402
from fhir_gateway.sandbox.pds.names import FAMILIES, MEN, WOMEN  # noqa: E402
from fhir_gateway.store import resource_links, resources, search  # noqa: E402
from fhir_gateway.store.database import Database  # noqa: E402
from fhir_gateway.store.resource_tables import (  # noqa: E402
    ResourceRow,
    ResourceVersionRow,
    SearchValueRow,
)
from fhir_gateway.store.resources import Visible, index_rows, macs_of, with_meta  # noqa: E402
from tests.databases import fresh_database, migrated, postgresql_server  # noqa: E402

NHS = "https://fhir.nhs.uk/Id/nhs-number"
REQUEST = "https://w3id.org/fhir-gateway/Id/request"
FORM = "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical"
PROVIDERS = [f"RX{n}" for n in range(10)]
BATCH = 500
START = datetime(2026, 1, 1, tzinfo=UTC)
GIVEN = [*WOMEN, *MEN]
PARAMETERS = (
    "Task?_id={task}",
    "Task?identifier={request}",
    "Task?status=requested",
    "Task?status=completed",
    "Task?status=rejected",
    "Task?status:not=requested",
    "Task?patient={patient}",
    "Task?authored-on=ge{day}",
    "Task?authored-on={day}",
    "Task?_lastUpdated=ge{day}",
    "Task?status=requested&_sort=authored-on",
    "Task?status=requested&authored-on=ge{day}&_sort=-authored-on",
    "Task?patient.identifier={nhs}",
    "Task?focus:ServiceRequest.patient.birthdate={born}",
    "Task?status=requested&_include=Task:patient&_include=Task:focus",
    "Patient?identifier={nhs}",
    "Patient?family={family}",
    "Patient?family={family}&birthdate={born}",
    "Patient?name={given}",
    "Patient?birthdate={born}",
    "Patient?birthdate=ge1990",
    "Patient?_id={patient}&_revinclude=Task:patient&_revinclude=Provenance:target",
    "QuestionnaireResponse?questionnaire=" + FORM,
    "QuestionnaireResponse?subject={patient}&authored=ge{day}",
    "Provenance?target=Task/{task}",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter at one size. Times in milliseconds."""

    store: str
    submissions: int
    query: str
    p50: float
    p95: float
    growth: float
    to_read: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found: list[Row] = []
    for store in chosen.stores:
        found += measure(store, sorted(chosen.sizes), chosen.repeats)
    if chosen.json:
        print(json.dumps([asdict(row) for row in found], indent=2))
        return
    for row in found:
        print(
            f"{row.store:<11}{row.submissions:>8} {row.p50:8.1f} {row.p95:8.1f} ms  "
            f"growth {row.growth:5.1f}  to_read {row.to_read:6.1f}  {row.query}"
        )


def measure(store: str, sizes: list[int], repeats: int) -> list[Row]:
    """All parameters at all sizes on one store."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if store == "sqlite":
            url = f"sqlite:///{folder / 'search.db'}"
        else:
            url = fresh_database(stack.enter_context(postgresql_server(folder)))
        database = migrated(url)
        stack.callback(database.close)
        found: list[Row] = []
        first: dict[str, float] = {}
        there = 0
        for size in sizes:
            began = time.perf_counter()
            fill(database, there, size)
            there = size
            seconds = time.perf_counter() - began
            print(f"{store}: {size} submissions are there after {seconds:.0f} s", file=sys.stderr)
            read = percentile(times_of_reading(database, size, repeats), 95)
            for query in PARAMETERS:
                times = times_of(database, query, size, repeats)
                p95 = percentile(times, 95)
                first.setdefault(query, p95)
                p50 = statistics.median(times)
                found.append(Row(store, size, query, p50, p95, p95 / first[query], p95 / read))
        return found


def percentile(times: list[float], percent: int) -> float:
    """The percentile, in milliseconds."""
    return statistics.quantiles(times, n=100)[percent - 1]


def fill(database: Database, start: int, end: int) -> None:
    """Keep the submissions from `start` until before `end`; then the planner may look at them."""
    for begin in range(start, end, BATCH):
        numbers = range(begin, min(begin + BATCH, end))
        kept, versions, values = [], [], []
        for number in numbers:
            moment = moment_of(number)
            for offset, resource in enumerate(submission(number)):
                sequence = number * 5 + offset + 1
                content = with_meta(resource, 1, moment)
                sealed = database.sealer.seal(content)
                provider = PROVIDERS[number % len(PROVIDERS)]
                kept.append(
                    {
                        "sequence": sequence,
                        "type": resource["resourceType"],
                        "id": resource["id"],
                        "provider": provider,
                        "version": 1,
                        "updated_at": moment,
                        "deleted": False,
                        "by_client": False,
                        "digest": "",
                        "content_sealed": sealed,
                        "request_id": None,
                    }
                )
                versions.append(
                    {
                        "sequence": sequence,
                        "version": 1,
                        "method": "POST",
                        "at": moment,
                        "content_sealed": sealed,
                    }
                )
                values += index_rows(database.sealer, sequence, provider, content)
        with database.engine.begin() as connection:
            connection.execute(insert(ResourceRow), kept)
            connection.execute(insert(ResourceVersionRow), versions)
            connection.execute(insert(SearchValueRow), values)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def moment_of(number: int) -> datetime:
    """When a submission arrived: one every five minutes."""
    return START + timedelta(minutes=5 * number)


def facts(number: int) -> dict[str, Any]:
    """What is made up about a submission; the same each time."""
    chance = random.Random(number)
    born = datetime(1930, 1, 1, tzinfo=UTC) + timedelta(days=chance.randrange(29_000))
    return {
        "family": chance.choice(FAMILIES),
        "given": chance.choice(GIVEN),
        "born": born.date().isoformat(),
        "nhs": f"999{number:07}",
        "request": f"request-{number}",
        "patient": f"p{number}",
        "task": f"t{number}",
        "day": moment_of(number).date().isoformat(),
        "status": chance.choices(
            ["requested", "accepted", "completed", "rejected"], [20, 10, 69, 1]
        )[0],
    }


def submission(number: int) -> Iterator[Resource]:
    """The resources of one submission."""
    about = facts(number)
    subject = {"reference": f"Patient/{about['patient']}"}
    moment = moment_of(number).isoformat()
    business = {"system": REQUEST, "value": about["request"]}
    owner = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RX1"}
    yield {
        "resourceType": "Patient",
        "id": about["patient"],
        "identifier": [{"system": NHS, "value": about["nhs"]}],
        "name": [{"family": about["family"], "given": [about["given"]]}],
        "telecom": [{"system": "phone", "value": f"07700900{number % 1000:03}"}],
        "gender": "female",
        "birthDate": about["born"],
        "address": [{"postalCode": "LS1 4AP"}],
    }
    yield {
        "resourceType": "QuestionnaireResponse",
        "id": f"r{number}",
        "identifier": business,
        "questionnaire": f"{FORM}|1.0.0",
        "status": "completed",
        "subject": subject,
        "authored": moment,
        "item": [{"linkId": "a", "answer": [{"valueString": "My knee is swollen. " * 20}]}],
    }
    yield {
        "resourceType": "ServiceRequest",
        "id": f"s{number}",
        "identifier": [business],
        "status": "active",
        "intent": "proposal",
        "subject": subject,
        "authoredOn": moment,
    }
    yield {
        "resourceType": "Task",
        "id": about["task"],
        "identifier": [business],
        "status": about["status"],
        "intent": "order",
        "priority": "routine",
        "focus": {"reference": f"ServiceRequest/s{number}"},
        "for": subject,
        "authoredOn": moment,
        "owner": {"type": "Organization", "identifier": owner},
    }
    yield {
        "resourceType": "Provenance",
        "id": f"v{number}",
        "target": [{"reference": f"Task/{about['task']}"}, subject],
        "recorded": moment,
        "agent": [{"who": subject}],
    }


def drawn(size: int, repeats: int) -> Iterator[tuple[dict[str, Any], Visible]]:
    """Submissions to search for, and whose client asks: that of the submission's provider."""
    chance = random.Random(size)
    for _ in range(repeats):
        number = chance.randrange(size)
        yield facts(number), Visible(frozenset({PROVIDERS[number % len(PROVIDERS)]}))


def times_of(database: Database, template: str, size: int, repeats: int) -> list[float]:
    """Milliseconds of a search with different values."""
    resource_type, _, parameters = template.partition("?")
    times = []
    for about, visible in drawn(size, repeats):
        pairs = [tuple(part.format(**about).split("=", 1)) for part in parameters.split("&")]
        began = time.perf_counter()
        with database.reading() as tx:
            reading = Reading(macs_of(tx.sealer), START)
            query = read_query(resource_type, pairs, reading, strict=True)  # type: ignore[arg-type]
            page = search.run(tx, query, visible)
            resource_links.included(tx, page.matches, query.includes, visible)
        times.append((time.perf_counter() - began) * 1000)
    return times


def times_of_reading(database: Database, size: int, repeats: int) -> list[float]:
    """Milliseconds of reading a Task by its id."""
    times = []
    for about, visible in drawn(size, repeats):
        began = time.perf_counter()
        with database.reading() as tx:
            assert resources.read(tx, "Task", about["task"], visible) is not None
        times.append((time.perf_counter() - began) * 1000)
    return times


if __name__ == "__main__":
    main()
