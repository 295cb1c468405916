"""Transactions, migrations and the settings of connections, on both databases."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from fhir_gateway.store import counters, links, services, visits
from fhir_gateway.store.database import Database, create_store_engine
from fhir_gateway.store.seal import Sealer
from fhir_gateway.store.tables import Base
from tests.databases import KEY, KINDS, fresh_database, migrated
from tests.store.conftest import NOW


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if request.param == "postgresql":
        return fresh_database(request.getfixturevalue("postgresql"))
    return f"sqlite:///{tmp_path / 'empty.db'}"


def test_what_a_block_did_is_there_after_it(database: Database) -> None:
    with database.transaction() as tx:
        services.save(tx, "cardiology", {"resourceType": "Bundle"}, now=NOW)
    with database.transaction() as tx:
        assert services.slugs(tx) == ["cardiology"]


def test_an_exception_rolls_the_whole_block_back(database: Database) -> None:
    def fail_half_way() -> None:
        with database.transaction() as tx:
            services.save(tx, "cardiology", {"resourceType": "Bundle"}, now=NOW)
            tx.session.flush()
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        fail_half_way()
    with database.transaction() as tx:
        assert services.slugs(tx) == []


def test_migrations_make_the_tables_that_the_code_describes(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing_and_loses_nothing(database: Database) -> None:
    with database.transaction() as tx:
        services.save(tx, "cardiology", {"resourceType": "Bundle"}, now=NOW)
    database.migrate()
    with database.transaction() as tx:
        assert services.slugs(tx) == ["cardiology"]


_MIGRATE = """
import sys
from fhir_gateway.store.database import Database
from fhir_gateway.store.seal import Sealer
database = Database(sys.argv[1], Sealer([b"k" * 32]))
print("ready", flush=True)
sys.stdin.readline()
database.migrate()
database.close()
"""


def test_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _MIGRATE, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    database = Database(empty_url, Sealer([KEY]))
    tables = set(inspect(database.engine).get_table_names())
    database.close()
    assert set(Base.metadata.tables) <= tables


def test_counting_from_many_threads_loses_no_count(database: Database) -> None:
    def count() -> None:
        for _ in range(10):
            with database.transaction() as tx:
                counters.add(tx, "stop:x", timedelta(days=1), now=NOW)

    threads = [threading.Thread(target=count) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction() as tx:
        assert counters.total(tx, "stop:") == {"stop:x": 50}


def test_times_come_back_aware_and_in_utc(database: Database) -> None:
    summer = datetime(2026, 7, 1, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    with database.transaction() as tx:
        visits.begin(tx, "cookie", now=summer)
    with database.transaction() as tx:
        found = visits.find(tx, "cookie")
    assert found is not None
    assert found.started_at == summer
    assert found.started_at.tzinfo is UTC or found.started_at.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(database: Database) -> None:
    naive = datetime(2026, 7, 1, 10, 0)
    with (
        pytest.raises(StatementError, match="naive datetime"),
        database.transaction() as tx,
    ):
        visits.begin(tx, "cookie", now=naive)


def test_a_row_that_names_what_is_not_there_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.transaction() as tx:
        links.add(tx, "token", "no-such-service", bound_to=None, expires_at=None, now=NOW)


def test_sqlite_writes_are_safe_from_a_power_cut(tmp_path: Path) -> None:
    engine = create_store_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        answers = {
            pragma: connection.execute(text(f"PRAGMA {pragma}")).scalar_one()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert answers == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 30_000,
    }


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_usual_postgresql_url_uses_the_driver_that_is_installed(scheme: str) -> None:
    engine = create_store_engine(f"{scheme}://gateway:secret@db.example/gateway")
    assert engine.dialect.driver == "psycopg"
    assert engine.url.host == "db.example"
    engine.dispose()


def test_a_database_that_is_not_there_is_an_operational_error() -> None:
    database = Database("postgresql://nobody@127.0.0.1:9/none?connect_timeout=2", Sealer([KEY]))
    with pytest.raises(OperationalError), database.transaction() as tx:
        services.slugs(tx)
    database.close()


def test_what_is_kept_is_there_after_a_restart(empty_url: str) -> None:
    first = migrated(empty_url)
    with first.transaction() as tx:
        services.save(tx, "cardiology", {"resourceType": "Bundle"}, now=NOW)
    first.close()
    second = migrated(empty_url)
    with second.transaction() as tx:
        found = services.find(tx, "cardiology")
    second.close()
    assert found == {"resourceType": "Bundle"}
