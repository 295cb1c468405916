"""How safe and how complete the trace on PDS is: ten thousand made-up submissions.

    python benchmarks/matching.py [--seed N] [--submissions N] [--json] [--plot FILE]

Drives the real client, plan and grading against the sandbox PDS over HTTP, with signed JWTs. Prints
false matches (a request joined to a record that is not the patient's; must be 0), recall (of true
requests whose phone proves them: what was typed is all that can stand in the way), calls to PDS per
submission by kind, and a confusion table; compares with two simpler policies on the same answers.
Writes a plot (SVG). The last line is JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

import uvicorn
from submissions import WHY_LOST, Submission, submissions

from fhir_gateway.auth.bearer import TokenBearer
from fhir_gateway.auth.keys import make_key_file, read_key_ring
from fhir_gateway.auth.tokens import Application, TokenSource
from fhir_gateway.delivery.identify import Traced, identify
from fhir_gateway.matching import plan
from fhir_gateway.matching.grade import Proof, grade
from fhir_gateway.matching.policy import Policy
from fhir_gateway.pds.answers import Answer
from fhir_gateway.pds.client import PdsClient
from fhir_gateway.sandbox.pds.app import BASE_PATH, create_app
from fhir_gateway.sandbox.pds.population import Population, create_population
from fhir_gateway.sms.number import same_number

APPLICATION = "benchmark"
PEOPLE = 3000
STRICT = Policy(frozenset())
LEVELS = ("verified", "probable", "conflicting", "none")


@dataclass
class Tally:
    """Results by kind."""

    kinds: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    confusion: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    steps: Counter[str] = field(default_factory=Counter)
    false_examples: list[str] = field(default_factory=list)

    def add(self, made: Submission, traced: Traced, today: date) -> None:
        """Count one."""
        row = self.kinds[made.kind]
        row["submissions"] += 1
        row["calls"] += len(traced.steps)
        row["wanted"] += made.wanted
        row["provable"] += made.provable
        self.steps.update(traced.steps)
        own = traced.record["id"] if traced.record else None
        right = own is not None and own == made.truth and made.wanted
        if traced.identity.matched:
            row["matched" if right else "false"] += 1
            if not right:
                self.false_examples.append(f"{made.kind}: {traced.identity.outcome}")
        self._compare(row, made, traced, right, today)
        whose = "their record" if right else "another's record" if own else "no record"
        self.confusion[f"{_who(made)}, PDS gave {whose}"][traced.identity.level] += 1

    def _compare(
        self, row: Counter[str], made: Submission, traced: Traced, right: bool, today: date
    ) -> None:
        """What two simpler policies would have done with the same answer."""
        if not traced.record:
            return
        if made.proved and made.by_patient and (made.provable or not right):
            row["unique matched" if right else "unique false"] += 1
        asked = made.typed.nhs_number
        graded = grade(
            made.typed, traced.record, proof(made), today=today, asked=asked, policy=STRICT
        )
        if graded.matched:
            row["strict matched" if right else "strict false"] += 1

    def total(self, what: str) -> int:
        """Over all kinds."""
        return sum(row[what] for row in self.kinds.values())


def _who(made: Submission) -> str:
    if made.wanted:
        return "patient"
    return "somebody for the patient" if not made.by_patient else "not the patient"


def proof(made: Submission) -> Proof:
    """What the code proved."""
    numbers = (made.proved,) if made.proved else ()
    return Proof(numbers, made.by_patient, same_number)


@contextlib.contextmanager
def sandbox(population: Population) -> Iterator[PdsClient]:
    """The sandbox PDS over HTTP, and a client of it that signs its token requests."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{APPLICATION}-1.pem"
        make_key_file(file, bits=2048)
        keys = read_key_ring([file])
        app = create_app(population=population, applications={APPLICATION: keys.key_set()})
        with serve(app) as base:
            source = TokenSource(Application(APPLICATION, f"{base}/oauth2/token"), keys)
            client = PdsClient(f"{base}{BASE_PATH}", auth=TokenBearer(source))
            yield client
            client.close()
            source.close()


@contextlib.contextmanager
def serve(app: Any) -> Iterator[str]:
    """An app on a free port of this machine, in a thread."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def run(seed: int, count: int, *, progress: bool) -> Tally:
    """Trace `count` submissions."""
    population = create_population(PEOPLE, seed=seed)
    today = date.today()
    tally = Tally()
    started = time.monotonic()
    with sandbox(population) as client:

        def ask(question: plan.Question) -> Answer:
            call = uuid.uuid4()
            if isinstance(question, plan.Read):
                return client.read(question.nhs_number, request_id=call, ods_code="Y90001")
            return client.search(question.params, request_id=call, ods_code="Y90001")

        for number, made in enumerate(submissions(population, count, seed, today), 1):
            tally.add(made, identify(made.typed, proof(made), ask, today=today), today)
            if progress and number % 1000 == 0:
                seconds = time.monotonic() - started
                print(f"{number} of {count}, {seconds:.0f} s", file=sys.stderr, flush=True)
    return tally


def summary(tally: Tally, seed: int, seconds: float) -> dict[str, Any]:
    """The figures that scripts read."""
    wanted, count = tally.total("wanted"), tally.total("submissions")
    provable = tally.total("provable")
    recall = {
        kind: round(row["matched"] / row["provable"], 4)
        for kind, row in sorted(tally.kinds.items())
        if row["provable"]
    }
    return {
        "submissions": count,
        "seed": seed,
        "false_matches": tally.total("false"),
        "recall": round(tally.total("matched") / max(provable, 1), 4),
        "recall_of_all_true": round(tally.total("matched") / max(wanted, 1), 4),
        "recall_by_kind": recall,
        "true_submissions": wanted,
        "provable_submissions": provable,
        "matched": tally.total("matched"),
        "calls_per_submission": round(tally.total("calls") / max(count, 1), 3),
        "calls_by_step": dict(sorted(tally.steps.items())),
        "peers": {
            "unique record and code": {
                "false_matches": tally.total("unique false"),
                "recall": round(tally.total("unique matched") / max(provable, 1), 4),
            },
            "no difference forgiven": {
                "false_matches": tally.total("strict false"),
                "recall": round(tally.total("strict matched") / max(provable, 1), 4),
            },
        },
        "seconds": round(seconds, 1),
    }


def report(tally: Tally, figures: dict[str, Any]) -> None:
    """Tables for people."""
    columns = ("made", "true", "provable", "matched", "recall", "false", "calls")
    head = f"{'kind':<32}" + "".join(f"{column:>9}" for column in columns)
    print(head, "-" * len(head), sep="\n")
    for kind, row in sorted(tally.kinds.items(), key=lambda item: -item[1]["submissions"]):
        recall = f"{row['matched'] / row['provable']:.1%}" if row["provable"] else "-"
        calls = row["calls"] / row["submissions"]
        counts = [row[what] for what in ("submissions", "wanted", "provable", "matched")]
        cells = (*counts, recall, row["false"], f"{calls:.2f}")
        why = f"  {WHY_LOST[kind]}" if kind in WHY_LOST and row["wanted"] else ""
        print(f"{kind:<32}" + "".join(f"{cell:>9}" for cell in cells) + why)
    print("\nWho wrote, and what PDS gave" + " " * 27 + "".join(f"{level:>13}" for level in LEVELS))
    for who, levels in sorted(tally.confusion.items()):
        print(f"{who:<55}" + "".join(f"{levels[level]:>13}" for level in LEVELS))
    mine, own = max(figures["recall"], 1e-9), figures["false_matches"]
    print(
        f"\nThis policy: {own} false matches, recall {figures['recall']:.1%} of those whose "
        f"phone proves them, {figures['recall_of_all_true']:.1%} of all true ones"
    )
    for name, peer in figures["peers"].items():
        print(
            f"Policy `{name}`: {peer['false_matches']} false matches, "
            f"recall {peer['recall']:.1%} ({peer['recall'] / mine:.2f} of ours)"
        )


def plot(tally: Tally, file: Path) -> None:
    """A bar for each kind: matched, left to staff, and false."""
    rows = sorted(tally.kinds.items(), key=lambda item: -item[1]["submissions"])
    width, left, step = 900, 250, 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{len(rows) * step + 60}"'
        ' font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
        '<text x="10" y="20" font-size="15">Submissions by kind: matched to their own record'
        " (blue), left to staff (grey), matched to a wrong one (red)</text>"
    ]
    most = max(row["submissions"] for _, row in rows)
    for place, (kind, row) in enumerate(rows):
        y, x = place * step + 40, float(left)
        parts.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(kind)}</text>')
        rest = row["submissions"] - row["matched"] - row["false"]
        for value, colour in (
            (row["matched"], "#005eb8"),
            (rest, "#aeb7bd"),
            (row["false"], "#d5281b"),
        ):
            long = value / most * (width - left - 60)
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{long:.1f}" height="17" fill="{colour}"/>'
            )
            x += long
        share = f"{row['matched'] / row['provable']:.0%}" if row["provable"] else "none wanted"
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 13}">{share}</text>')
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*parts, "</svg>\n"]))


def main() -> int:
    """Run, report; 1 when there was a false match."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=999)
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON")
    parser.add_argument("--plot", type=Path, default=Path(__file__).parent / "results/matching.svg")
    given = parser.parse_args()
    started = time.monotonic()
    tally = run(given.seed, given.submissions, progress=not given.json)
    figures = summary(tally, given.seed, time.monotonic() - started)
    plot(tally, given.plot)
    if not given.json:
        report(tally, figures)
        for example in tally.false_examples[:20]:
            print(f"FALSE MATCH {example}")
        print(f"Plot: {given.plot}\n")
    print(json.dumps(figures))
    return 1 if figures["false_matches"] else 0


if __name__ == "__main__":
    sys.exit(main())
