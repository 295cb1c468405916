"""Logs hold what is on a list, and nothing that a patient typed: a whole journey at DEBUG."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from pydantic import SecretStr

from fhir_gateway import logs, shipped
from fhir_gateway.app import build, create_app
from fhir_gateway.journey.invitations import send_link
from fhir_gateway.logs import ALLOWED
from fhir_gateway.provider.service import read_service
from fhir_gateway.sandbox import overview
from fhir_gateway.sandbox.epr.app import create_app as create_epr
from fhir_gateway.sandbox.pds.app import BASE_PATH
from fhir_gateway.sandbox.pds.app import create_app as create_pds
from fhir_gateway.sandbox.phone.app import TEMPLATE_ID, api_key
from fhir_gateway.sandbox.phone.app import create_app as create_phone
from fhir_gateway.settings import load
from fhir_gateway.store import listing, services
from fhir_gateway.store.requests import RequestState
from tests.ports import kept_port
from tests.serving import serve
from tests.web.walking import MEDICAL, Walker

OPERATE = Path(__file__).parents[1] / "docs" / "operate.md"


def lines(printed: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def test_what_is_not_on_the_list_is_dropped_and_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("json")
    structlog.get_logger("x").info("step", request="r", name="Priya", nhs_number="9990001006")
    (line,) = lines(capsys.readouterr().out)
    assert {"event": "step", "request": "r", "dropped": 2, "level": "info"}.items() <= line.items()
    assert set(line) <= ALLOWED
    assert "Priya" not in json.dumps(line)


def test_people_can_read_logs_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("text")
    structlog.get_logger("x").info("step", request="r")
    printed = capsys.readouterr().out
    assert "request=r" in printed
    assert not printed.startswith("{")


def test_debug_lines_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    structlog.get_logger("x").debug("canary")
    assert capsys.readouterr().out == ""


class Everything(logging.Handler):
    """Keeps every record of every library."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(f"{record.name}: {record.getMessage()} {record.exc_info or ''}")


@pytest.fixture
def everything() -> Iterator[Everything]:
    """The root logger at DEBUG."""
    root = logging.getLogger()
    before, handler = root.level, Everything()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(before)
    root.removeHandler(handler)


def wait_for(holds: Callable[[], bool]) -> None:
    import time

    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.hazard("H08")
@pytest.mark.xdist_group("journeys")
def test_a_whole_journey_leaves_nothing_of_the_patient_in_logs_tables_and_urls(
    tmp_path: Path, everything: Everything, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("json")
    answers = {
        **MEDICAL,
        "medical-problem": ["Canaryproblem"],
        "patient-postcode": ["LS6 2AB"],
        "verify-patient-mobile": ["true"],
        "preferred-contact": ["text"],
    }
    urls: list[str] = []
    port = kept_port()
    with serve(create_pds()) as pds, serve(create_epr()) as epr, serve(create_phone()) as phone:
        settings = load(
            data_dir=tmp_path,
            base_url=f"http://127.0.0.1:{port}",
            pds_base_url=f"{pds}{BASE_PATH}",
            notify_base_url=phone,
            notify_api_key=SecretStr(api_key()),
            notify_template_id=TEMPLATE_ID,
            worker_id="logs",
        )
        gateway = build(settings)
        gateway.prepare()
        bundle = shipped.read_resource(Path(overview.__file__).parent / "service.json")
        bundle["entry"][2]["resource"]["address"] = f"{epr}/fhir"
        service = read_service(bundle)
        now = gateway.parts.clock()
        with gateway.database.transaction() as tx:
            services.save(tx, service.slug, bundle, now=now)
        link = send_link(
            gateway.database,
            gateway.parts.sender,
            service,
            settings.base_url,
            caps=gateway.parts.caps,
            mobile="+447700900101",
            nhs_number="9990001006",
            now=now,
        )
        hooks = {"request": [lambda request: urls.append(str(request.url))]}
        with (
            serve(create_app(gateway, deliver=True), port),
            httpx.Client(follow_redirects=True, timeout=30, event_hooks=hooks) as http,
        ):
            walker = Walker(http, link.url)
            code = ""
            for _ in range(40):
                if "Request sent" in walker.heading:
                    break
                if "/code/" in walker.path:
                    texts = httpx.get(f"{phone}/messages", params={"to": "07700900101"}).json()
                    code = texts[-1]["text"][:6]
                    walker.post({"security-code": [code]}, button="check")
                else:
                    walker.post(answers)
            assert "Request sent" in walker.heading
            assert code.isdigit()

            def confirmed() -> bool:
                with gateway.database.transaction() as tx:
                    return bool(listing.in_states(tx, (RequestState.CONFIRMED,)))

            wait_for(confirmed)
            # What the write-ahead log still holds is part of the database too.
            kept = b"".join(file.read_bytes() for file in tmp_path.glob("gateway.db*"))
    # What SQLite and libraries wrote about the test's own look at PDS and phone is not ours.
    printed = "".join(capfd.readouterr())
    own = [line for line in everything.kept if not line.startswith(("httpx", "httpcore"))]
    token = link.url.rpartition("/")[2]
    typed = ["Priya", "Sharma", "Canaryproblem", "LS6 2AB", "1984-03-12", "9990001006"]
    private = [*typed, "7700900101", "7700 900101", token]
    everywhere = printed + "\n".join(own)
    assert '"step": "confirm"' in printed
    assert [word for word in [*private, code] if word in everywhere] == []
    stored = kept.decode("latin-1")
    assert [word for word in private if word in stored] == []
    assert [word for word in [*typed, "7700900101"] if word in " ".join(urls)] == []


@pytest.mark.parametrize("name", ["httpx", "httpcore", "uvicorn.access", "sqlalchemy.engine"])
def test_libraries_that_would_log_addresses_and_values_are_quiet(name: str) -> None:
    logs.configure("json")
    assert not logging.getLogger(name).isEnabledFor(logging.INFO)
