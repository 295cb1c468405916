"""Work in progress survives an upgrade: what processes of a release left when they were killed is
picked up by the present code, and arrives once."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from fhir_gateway.fhir.identifiers import REQUEST_ID
from fhir_gateway.sandbox.epr.app import create_app as create_epr
from fhir_gateway.sandbox.pds.app import BASE_PATH
from fhir_gateway.sandbox.pds.app import create_app as create_pds
from fhir_gateway.store.database import Database
from fhir_gateway.store.seal import Sealer
from tests.serving import serve

GOLDEN = Path(__file__).parent / "golden"
RELEASES = sorted(path.name for path in GOLDEN.iterdir())
_PATIENCE = 90.0


@pytest.mark.hazard("H01")
@pytest.mark.parametrize("release", RELEASES)
def test_work_in_progress_of_a_release_is_picked_up(tmp_path: Path, release: str) -> None:
    database = tmp_path / "gateway.db"
    database.write_bytes(gzip.decompress((GOLDEN / release / "gateway.db.gz").read_bytes()))
    (tmp_path / "secret.key").write_bytes((GOLDEN / release / "secret.key").read_bytes())
    storage = tmp_path / "epr.db"
    with serve(create_epr(storage=storage)) as epr, serve(create_pds()) as pds:
        _point_to(database, f"{epr}/fhir")
        env = {
            "FHIR_GATEWAY_DATA_DIR": str(tmp_path),
            "FHIR_GATEWAY_PDS_BASE_URL": f"{pds}{BASE_PATH}",
            "FHIR_GATEWAY_TIMING": json.dumps({"beat": 0.5}),
        }
        worker = subprocess.Popen(
            [sys.executable, "-m", "fhir_gateway", "worker"], env={**os.environ, **env}
        )
        try:
            states = _until_done(database)
        finally:
            worker.terminate()
            worker.wait(30)
    assert states == {"confirmed": 5}
    with sqlite3.connect(storage) as connection:
        arrived = connection.execute(
            "SELECT value FROM search_value WHERE type = 'ServiceRequest' AND system = ?",
            (REQUEST_ID,),
        ).fetchall()
    connection.close()
    assert sorted(Counter(arrived).values()) == [1] * 5


def _point_to(database: Path, epr: str) -> None:
    """The service's EPR is where the test has it."""
    with sqlite3.connect(database) as connection:
        (bundle,) = connection.execute("SELECT bundle FROM service").fetchone()
        content = json.loads(bundle)
        content["entry"][2]["resource"]["address"] = epr
        connection.execute("UPDATE service SET bundle = ?", (json.dumps(content).encode(),))
    connection.close()


def _until_done(database: Path) -> dict[str, int]:
    deadline = time.monotonic() + _PATIENCE
    states: dict[str, int] = {}
    while set(states) != {"confirmed"} and time.monotonic() < deadline:
        time.sleep(0.3)
        with sqlite3.connect(database, timeout=30) as connection:
            rows = connection.execute("SELECT state, count(*) FROM request GROUP BY state")
            states = dict(rows.fetchall())
        connection.close()
    return states


@pytest.mark.parametrize("release", RELEASES)
def test_processes_of_a_release_can_work_on_the_migrated_tables(
    tmp_path: Path, release: str
) -> None:
    database = tmp_path / "gateway.db"
    database.write_bytes(gzip.decompress((GOLDEN / release / "gateway.db.gz").read_bytes()))
    before = _columns(database)
    migrated = Database(f"sqlite:///{database}", Sealer([b"k" * 40]))
    migrated.migrate()
    migrated.close()
    after = _columns(database)
    for table, columns in before.items():
        if table in ("alembic_version", "sqlite_sequence"):
            continue
        assert set(columns) <= set(after[table]), f"{table} lost a column"
        for name in set(after[table]) - set(columns):
            # A process of the release leaves it out when it inserts a row.
            assert after[table][name], f"{table}.{name} has no default and must not be null"


def _columns(database: Path) -> dict[str, dict[str, bool]]:
    """The columns of every table, and whether a row can be inserted without each."""
    with sqlite3.connect(database) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        tables = [row[0] for row in connection.execute(query)]
        found = {
            table: {
                name: not required or default is not None
                for _, name, _, required, default, _ in connection.execute(
                    f"PRAGMA table_info({table})"
                )
            }
            for table in tables
        }
    connection.close()
    return found
