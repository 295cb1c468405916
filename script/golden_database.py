"""Makes the golden database of a release: work in progress, as a process of that release leaves it
when it is killed. Run it with the code that is released, once, and keep what it writes:

    python script/golden_database.py tests/delivery/golden/0.1.0

The test tests/delivery/test_golden.py has the present code pick every one of them up.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from fhir_gateway import shipped  # noqa: E402
from fhir_gateway.app import Gateway, build  # noqa: E402
from fhir_gateway.delivery.accept import accept  # noqa: E402
from fhir_gateway.journey.invitations import make_link  # noqa: E402
from fhir_gateway.journey.requests import Submission  # noqa: E402
from fhir_gateway.provider.service import Service, read_service  # noqa: E402
from fhir_gateway.sandbox import overview  # noqa: E402
from fhir_gateway.sandbox.pds.app import BASE_PATH  # noqa: E402
from fhir_gateway.sandbox.pds.app import create_app as create_pds  # noqa: E402
from fhir_gateway.settings import load  # noqa: E402
from fhir_gateway.store import drafts, links, services, visits  # noqa: E402
from fhir_gateway.store.drafts import Progress  # noqa: E402

RESPONSE = ROOT / "tests/delivery/response.json"
IN_HAND, WAITING = 3, 2


def main(folder: Path) -> None:
    """Make the database in `folder`, with its key."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, socket.socket() as silent:
        data = Path(temporary)
        # An EPR that takes connections and never answers: attempts stay open.
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        pds = socket.socket()
        pds.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_pds(), log_level="warning"))
        threading.Thread(target=server.run, kwargs={"sockets": [pds]}, daemon=True).start()
        values = {
            "data_dir": str(data),
            "pds_base_url": f"http://127.0.0.1:{pds.getsockname()[1]}{BASE_PATH}",
            "worker_id": "golden",
        }
        gateway = build(load(**values))
        gateway.prepare()
        service = _service(gateway, f"http://127.0.0.1:{silent.getsockname()[1]}/fhir")
        for _ in range(IN_HAND):
            _accept(gateway, service)
        _work_until_sent(data / "gateway.db", values)
        for _ in range(WAITING):
            _accept(gateway, service)
        gateway.close()
        _pack(data, folder)
        server.should_exit = True


def _service(gateway: Gateway, epr: str) -> Service:
    bundle = shipped.read_resource(Path(overview.__file__).parent / "service.json")
    bundle["entry"][2]["resource"]["address"] = epr
    service = read_service(bundle)
    with gateway.database.transaction() as tx:
        services.save(tx, service.slug, bundle, now=datetime.now(UTC))
    return service


def _accept(gateway: Gateway, service: Service) -> None:
    now = datetime.now(UTC)
    response = json.loads(RESPONSE.read_text())
    link = make_link(gateway.database, service, "http://127.0.0.1:8080", now=now)
    with gateway.database.transaction() as tx:
        visit = visits.begin(tx, os.urandom(16).hex(), now=now)
        found = links.by_id(tx, link.link_id)
        assert found is not None
        draft_id = drafts.create(
            tx,
            visit_id=visit.id,
            link_id=found.id,
            service_slug=service.slug,
            questionnaire=response["questionnaire"],
            progress=Progress(response=response),
            now=now,
        )
        draft = drafts.find(tx, draft_id, visit.id)
        assert draft is not None
        submission = Submission(response, {"verified": {}, "bound_to": None})
        accept(tx, gateway.engine, draft, submission, now=now)


def _work_until_sent(database: Path, values: dict[str, str]) -> None:
    """Deliver in a process until every request has an open attempt, then kill it."""
    env = {f"FHIR_GATEWAY_{name.upper()}": value for name, value in values.items()}
    worker = subprocess.Popen(
        [sys.executable, "-m", "fhir_gateway", "worker"], env={**os.environ, **env}
    )
    opened = 0
    while opened < IN_HAND:
        time.sleep(0.2)
        with sqlite3.connect(database) as connection:
            query = "SELECT count(*) FROM delivery_attempt WHERE resolved_at IS NULL"
            (opened,) = connection.execute(query).fetchone()
        connection.close()
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def _pack(data: Path, folder: Path) -> None:
    whole = data / "whole.db"
    connection = sqlite3.connect(data / "gateway.db")
    connection.execute("VACUUM INTO ?", (str(whole),))
    connection.close()
    (folder / "gateway.db.gz").write_bytes(gzip.compress(whole.read_bytes(), mtime=0))
    (folder / "secret.key").write_bytes((data / "secret.key").read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
