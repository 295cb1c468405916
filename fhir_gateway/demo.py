"""The demo: a gateway with its embedded default and the three stand-ins, in one process."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from pydantic import SecretStr

from fhir_gateway import demo_clients, shipped
from fhir_gateway.app import FHIR_BASE, Gateway, build, create_app
from fhir_gateway.auth.jwks import PATH as JWKS_PATH
from fhir_gateway.auth.keys import make_key_file
from fhir_gateway.errors import Refused
from fhir_gateway.fhir.bundle import resources
from fhir_gateway.fhir.narrative import narrative
from fhir_gateway.fhir.types import Resource
from fhir_gateway.journey.invitations import send_link
from fhir_gateway.provider.service import Service, read_service
from fhir_gateway.sandbox import overview
from fhir_gateway.sandbox.epr.app import create_app as create_epr
from fhir_gateway.sandbox.pds.app import BASE_PATH
from fhir_gateway.sandbox.pds.app import create_app as create_pds
from fhir_gateway.sandbox.pds.personas import person
from fhir_gateway.sandbox.phone.app import TEMPLATE_ID, api_key
from fhir_gateway.sandbox.phone.app import create_app as create_phone
from fhir_gateway.settings import Settings, load
from fhir_gateway.store import services

#: The API key under which the sandbox PDS knows the demo's gateway.
_APPLICATION = "demo-gateway"
ADDRESS_FILE = "demo.json"
_NAMES = ("gateway", "fhir", "pds", "epr", "phone")
_SERVICE = Path(overview.__file__).parent / "service.json"
_START_SECONDS = 60.0


class PortInUse(Refused):
    """The port that was asked for is taken."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} is in use. Choose another with --port.", code="port-in-use")


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that can be run: its addresses, and the apps by the sockets they listen on."""

    addresses: overview.Addresses
    gateway: Gateway
    servers: list[tuple[Any, socket.socket]]
    data_dir: Path


def prepare(data_dir: Path, port: int, host: str = "127.0.0.1") -> Demo:
    """Put a demo together. The gateway listens on `port` (0: any), the stand-ins on the next free
    ones. Raises PortInUse."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data_dir / ADDRESS_FILE).unlink(missing_ok=True)
    sockets = _sockets(host, port)
    bases = [f"http://{host}:{bound.getsockname()[1]}" for bound in sockets]
    addresses = overview.Addresses(
        gateway=bases[0],
        fhir=f"{bases[0]}{FHIR_BASE}",
        pds=f"{bases[1]}{BASE_PATH}",
        epr=f"{bases[2]}/fhir",
        phone=bases[3],
        inbox=bases[2],
        people=bases[1],
    )
    gateway = build(_settings(data_dir, addresses))
    gateway.prepare()
    service = _import_service(gateway, addresses)
    home = overview.create_app(
        addresses,
        service_name=service.name,
        text_link=_texter(gateway, service),
        token_command=demo_clients.token_command(data_dir),
    )
    apps = [
        create_app(gateway, deliver=True, home=home),
        create_pds(applications={_APPLICATION: f"{addresses.gateway}{JWKS_PATH}"}),
        create_epr(storage=data_dir / "epr.db", patients=_patients()),
        create_phone(storage=data_dir / "phone.db"),
    ]
    return Demo(addresses, gateway, list(zip(apps, sockets, strict=True)), data_dir)


def run(demo: Demo, *, ready: Callable[[Demo], None]) -> None:
    """Serve until interrupted; `ready` is called once everything answers and demo.json is there."""
    servers = [
        (uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning")), bound)
        for app, bound in demo.servers
    ]
    threads = [
        threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        for server, bound in servers[1:]
    ]
    for thread in threads:
        thread.start()
    announcing = threading.Thread(
        target=_announce, args=(demo, [server for server, _ in servers], ready), daemon=True
    )
    announcing.start()
    main, bound = servers[0]
    try:
        main.run(sockets=[bound])
    finally:
        (demo.data_dir / ADDRESS_FILE).unlink(missing_ok=True)
        for server, _ in servers[1:]:
            server.should_exit = True
        for thread in threads:
            thread.join(timeout=5)
    if not main.started:
        raise SystemExit(3)


def _announce(demo: Demo, servers: list[uvicorn.Server], ready: Callable[[Demo], None]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not all(server.started for server in servers):
        if time.monotonic() > deadline:
            return
        time.sleep(0.05)
    content = {name: getattr(demo.addresses, name) for name in _NAMES}
    content["token_command"] = demo_clients.token_command(demo.data_dir)
    # Written whole or not at all: a script may be waiting for it.
    file = demo.data_dir / ADDRESS_FILE
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(content, indent=2) + "\n")
    fresh.replace(file)
    ready(demo)


def _sockets(host: str, port: int) -> list[socket.socket]:
    """Four listening sockets: the port that was asked for, then the next free ones."""
    first = _bind(host, port)
    if first is None:
        raise PortInUse(port)
    bound = [first]
    candidate = first.getsockname()[1]
    while len(bound) < 4:  # noqa: PLR2004 - gateway, PDS, EPR, phone
        candidate += 1
        another = _bind(host, candidate if candidate < 2**16 else 0)
        if another:
            bound.append(another)
    return bound


def _bind(host: str, port: int) -> socket.socket | None:
    # Naming the protocol lets asyncio switch Nagle's delays off.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(128)
    except OSError:
        bound.close()
        return None
    return bound


def _settings(data_dir: Path, addresses: overview.Addresses) -> Settings:
    return load(
        data_dir=data_dir,
        database_url=None,
        base_url=addresses.gateway,
        pds_base_url=addresses.pds,
        pds_token=None,
        pds_client_id=_APPLICATION,
        pds_token_url="",
        signing_keys=(_signing_key(data_dir),),
        epr_token=None,
        notify_base_url=addresses.phone,
        notify_api_key=SecretStr(api_key()),
        notify_template_id=TEMPLATE_ID,
        worker_id="demo",
        # Who tries the demo sends much to one invented person.
        codes_per_number=200,
        texts_per_number=2000,
        codes_per_address=5000,
        codes_per_link=5000,
        codes_per_day=20000,
        # Whoever tries subscriptions listens on the machine that the demo runs on.
        subscription_hosts=("127.0.0.1", "localhost"),
        log_format="text",
    )


def _signing_key(data_dir: Path) -> Path:
    """The demo's own key; the sandbox PDS fetches its public half from the gateway."""
    file = data_dir / "demo-1.pem"
    if not file.exists():
        make_key_file(file, bits=2048)
    return file


def _import_service(gateway: Gateway, addresses: overview.Addresses) -> Service:
    bundle = shipped.read_resource(_SERVICE)
    for endpoint in resources(bundle, "Endpoint"):
        endpoint["address"] = addresses.epr
    service = read_service(bundle)
    now = gateway.parts.clock()
    with gateway.database.transaction() as tx:
        services.save(tx, service.slug, bundle, now=now)
        demo_clients.register(tx, gateway.settings.data_dir, service.ods_code, now=now)
    return service


def _texter(gateway: Gateway, service: Service) -> Callable[[str], str]:
    def text_link(number: str) -> str:
        invitation = send_link(
            gateway.database,
            gateway.parts.sender,
            service,
            gateway.site.base_url,
            caps=gateway.parts.caps,
            mobile=number,
            now=gateway.parts.clock(),
        )
        return invitation.url

    return text_link


def _patients() -> list[Resource]:
    """Some people of the sandbox PDS are in the EPR already, as a hospital's patients are."""
    known = (person("typical"), person("typical_man"), person("child"))
    patients: list[Resource] = [
        {
            "resourceType": "Patient",
            "identifier": [
                {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": one.nhs_number},
                {"system": "https://epr.example.nhs.uk/Id/hospital-number", "value": f"H{number}"},
            ],
            "active": True,
            "name": [{"use": "official", "family": one.family, "given": [one.given]}],
            "gender": one.gender,
            "birthDate": one.birth_date,
        }
        for number, one in enumerate(known, 1000001)
    ]
    return [{**patient, "text": narrative(patient)} for patient in patients]


def read_addresses(data_dir: Path) -> dict[str, str]:
    """The addresses of a demo that runs with this data folder. Raises Refused when none does."""
    file = data_dir / ADDRESS_FILE
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(file.read_text())
        if isinstance(found, dict) and set(_NAMES) <= found.keys():
            return {str(k): str(v) for k, v in found.items()}
    raise Refused(
        f"No demo runs with the data folder {data_dir}: there is no {ADDRESS_FILE}. "
        "Start one with `fhir-gateway demo`.",
        code="no-demo",
    )
