"""The stage of a chaos run: settings, processes, and patients who are about to send."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx

from fhir_gateway import shipped
from fhir_gateway.app import Gateway, build
from fhir_gateway.journey.invitations import make_link
from fhir_gateway.provider.service import Service, read_service
from fhir_gateway.sandbox import overview
from fhir_gateway.sandbox.pds.app import BASE_PATH
from fhir_gateway.sandbox.phone.app import TEMPLATE_ID, api_key
from fhir_gateway.settings import Settings
from fhir_gateway.store import drafts, services, visits
from fhir_gateway.store.drafts import Progress
from fhir_gateway.web import visitor
from tests.ports import kept_port
from tests.web.walking import MEDICAL, Walker

HERE = Path(__file__).parent
#: Seconds. Everything that takes minutes in a hospital, in the same proportions.
TIMING = {
    "beat": 1,
    "silence": 7,
    "freeze": 4,
    "epr_timeout": 1.5,
    "settle": 8,
    "text_settle": 8,
    "reconcile": 5,
    "stale": 15,
    "retry_first": 0.5,
    "retry_longest": 4,
    "look_after": 2,
}
#: The EPR is asked less than it could take, and left alone only for moments.
EPR_LIMITS = {"per_minute": 6000, "at_once": 16, "failures": 8, "window": 10, "rest": 1}
_START_SECONDS = 120.0
_SERVICE = Path(overview.__file__).parent / "service.json"


class Process:
    """A process that can be killed, frozen and started again."""

    def __init__(self, name: str, command: list[str], log: Path, **env: str) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._env = {**os.environ, **env}
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> None:
        """Start; it may take a while until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=subprocess.STDOUT, env=self._env
            )
        self.starts += 1

    def send(self, number: signal.Signals) -> None:
        """A signal, if it is there."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9, and bury it."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(timeout=30)

    @property
    def ended(self) -> int | None:
        """How it ended: the negative number of a signal; None while it runs."""
        return self._process.poll() if self._process is not None else 0

    def memory_mb(self) -> float:
        """Its resident set; 0 where that cannot be told."""
        with suppress(OSError, AttributeError):
            assert self._process is not None
            for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def cpu_seconds(self) -> float:
        """How long it has computed; 0 where that cannot be told."""
        with suppress(OSError, AttributeError, IndexError):
            assert self._process is not None
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
            user, system = stat.rpartition(")")[2].split()[11:13]
            return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def log(self) -> str:
        """What it printed."""
        return self._log.read_text(errors="replace")


class Stage:
    """Folder, addresses and settings of one run on one store."""

    def __init__(
        self,
        folder: Path,
        database_url: str | None,
        seed: int,
        submissions: int,
        *,
        at_once: int = 16,
        neighbours_only: bool = False,
        pds_per_second: float = 4.0,
        epr_behind: str = "",
    ) -> None:
        """`at_once`: how many POSTs an EPR gets at once. `neighbours_only`: no processes of the
        gateway but those that are added. `epr_behind`: the base of somebody's FHIR server, which
        is the EPR, behind our faults; else the sandbox EPR is."""
        self.folder = folder
        self._limits = {**EPR_LIMITS, "at_once": at_once}
        self._pds_per_second = pds_per_second
        self.epr_behind = epr_behind
        self.faults = folder / "faults"
        self.submissions = submissions
        self.database_url = database_url
        ports = {name: kept_port() for name in ("epr", "pds", "phone", "web-0", "web-1")}
        self.base = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        self.gateway: Gateway = build(Settings(**self._settings("chaos")))
        self.processes = {
            **{
                kind: self._neighbour(kind, ports[kind], seed + n)
                for n, kind in enumerate(("epr", "pds", "phone"))
            },
        }
        if not neighbours_only:
            # One delivers as well, as the embedded default does; the other does not.
            self.processes |= {
                "web-0": self._own("web-0", "serve", "--port", str(ports["web-0"])),
                "web-1": self._own("web-1", "serve", "--no-worker", "--port", str(ports["web-1"])),
                "worker": self._own("worker", "worker"),
            }

    def prepare(self) -> None:
        """Make the tables and the service, and let one patient walk to the last page."""
        self.gateway.prepare()
        bundle = shipped.read_resource(_SERVICE)
        bundle["entry"][2]["resource"]["address"] = f"{self.base['epr']}/fhir"
        self.service: Service = read_service(bundle)
        with self.gateway.database.transaction() as tx:
            services.save(tx, self.service.slug, bundle, now=self.gateway.parts.clock())
        for process in self.processes.values():
            process.start()
        self.wait_until_up()
        if "web-0" in self.processes:
            self._walk()

    def add_worker(self, name: str) -> Process:
        """One more delivering process."""
        self.processes[name] = self._own(name, "worker")
        self.processes[name].start()
        return self.processes[name]

    def wait_until_up(self) -> None:
        """Wait until every process is there."""
        deadline = time.monotonic() + _START_SECONDS
        for name, process in self.processes.items():
            while not self.is_up(name):
                if process.ended is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{name} did not start:\n{process.log()[-3000:]}")
                time.sleep(0.1)

    def is_up(self, name: str) -> bool:
        """Whether a process is ready for work since it was started last."""
        if name == "worker":
            return self.processes[name].log().count("Delivering as") >= self.processes[name].starts
        path = {"epr": "/fhir/metadata", "web-0": "/healthz", "web-1": "/healthz"}.get(name, "/")
        with suppress(httpx.HTTPError):
            httpx.get(self.base[name] + path, timeout=2)
            return True
        return False

    def draft(self) -> tuple[str, str, list[tuple[str, str]]]:
        """Another patient on the last page: the draft's id, the cookie and the form to post."""
        gateway = self.gateway
        token = visitor.new_token()
        now = gateway.parts.clock()
        with gateway.database.transaction() as tx:
            visit = visits.begin(tx, token, now=now)
            draft_id = drafts.create(
                tx,
                visit_id=visit.id,
                link_id=self._link_id,
                service_slug=self.service.slug,
                questionnaire=self._questionnaire,
                progress=deepcopy(self._progress),
                now=now,
            )
        form_token = visitor.form_token(gateway.database.sealer, token)
        form = [(k, form_token if k == visitor.FORM_TOKEN else v) for k, v in self._form]
        return draft_id, f"{visitor.cookie_name(gateway.site.base_url)}={token}", form

    def close(self) -> None:
        """End every process."""
        for process in self.processes.values():
            process.send(signal.SIGCONT)
            process.kill()
        self.gateway.close()

    def _walk(self) -> None:
        """One patient answers page after page, as far as the button that sends."""
        now = self.gateway.parts.clock()
        link = make_link(self.gateway.database, self.service, self.base["web-0"], now=now)
        with httpx.Client(follow_redirects=True, timeout=60) as http:
            walker = Walker(http, link.url).walk(MEDICAL, until="/check")
            draft_id = walker.path.split("/")[2]
            self._form = walker.form.filled(dict(MEDICAL))
            cookie = next(iter(http.cookies.jar)).value or ""
        with self.gateway.database.transaction() as tx:
            visit = visits.find(tx, cookie)
            draft = drafts.find(tx, draft_id, visit.id) if visit else None
        assert draft is not None
        self._progress: Progress = draft.progress
        self._link_id, self._questionnaire = draft.link_id, draft.questionnaire

    def _settings(self, worker_id: str) -> dict[str, Any]:
        return {
            "data_dir": str(self.folder),
            "database_url": self.database_url,
            "base_url": self.base["web-0"],
            "pds_base_url": f"{self.base['pds']}{BASE_PATH}",
            "notify_base_url": self.base["phone"],
            "notify_api_key": api_key(),
            "notify_template_id": TEMPLATE_ID,
            "texts_per_number": 1_000_000,
            "timing": TIMING,
            "pds_per_second": self._pds_per_second,
            "epr_limits": self._limits,
            "text_limits": self._limits,
            "worker_id": worker_id,
        }

    def _own(self, name: str, *command: str) -> Process:
        env = {
            f"FHIR_GATEWAY_{key.upper()}": json.dumps(value)
            if isinstance(value, dict)
            else str(value)
            for key, value in self._settings(name).items()
            if value is not None
        }
        line = [sys.executable, "-m", "fhir_gateway", *command]
        return Process(name, line, self.folder / f"{name}.log", **env)

    def _neighbour(self, kind: str, port: int, seed: int) -> Process:
        line = [sys.executable, str(HERE / "neighbour.py"), kind, "--port", str(port)]
        line += ["--faults", str(self.faults), "--seed", str(seed)]
        if kind == "epr" and self.epr_behind:
            line += ["--origin", self.epr_behind.removesuffix("/fhir")]
        elif kind != "pds":
            line += ["--storage", str(self.folder / f"{kind}.db")]
        return Process(kind, line, self.folder / f"{kind}.log")
