"""Composition: the parts of a gateway, put together from its settings. Knows everyone."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from anyio import to_thread
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from fhir_gateway import neighbours, shipped
from fhir_gateway.api import create_api, create_discovery
from fhir_gateway.auth.jwks import PATH as JWKS_PATH
from fhir_gateway.auth.jwks import create_jwks_app
from fhir_gateway.conformance_mount import conformance_pages
from fhir_gateway.delivery import duties, processes, steps
from fhir_gateway.delivery.capabilities import NightlyCheck
from fhir_gateway.delivery.catching_up import CatchingUp
from fhir_gateway.delivery.engine import DbosEngine
from fhir_gateway.delivery.notifier import Notifier
from fhir_gateway.delivery.parts import AllLimits, Parts
from fhir_gateway.delivery.settings import limits_by_epr
from fhir_gateway.delivery.watch import Watch
from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.journey.limits import TextCaps
from fhir_gateway.matching.policy import Policy
from fhir_gateway.ops import PATHS, create_ops_app
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest.callbacks import PATH as CALLBACK_PATH
from fhir_gateway.rest.callbacks import create_callback_app
from fhir_gateway.rest.smart import WELL_KNOWN as DISCOVERY_PATH
from fhir_gateway.settings import Settings
from fhir_gateway.store import published
from fhir_gateway.store.database import Database
from fhir_gateway.store.right_key import check_key
from fhir_gateway.store.seal import Sealer
from fhir_gateway.terminology.server import TerminologyServer
from fhir_gateway.web.app import create_web_app
from fhir_gateway.web.environment import create_environment
from fhir_gateway.web.site import Site

#: Patients are in the United Kingdom: `today` is today there.
LONDON = ZoneInfo("Europe/London")
FHIR_BASE = "/fhir/R4"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway process."""

    settings: Settings
    database: Database
    engine: DbosEngine
    parts: Parts
    terminology: TerminologyServer | None = None

    @property
    def site(self) -> Site:
        """What the patient pages work with."""
        return Site(
            base_url=self.settings.base_url.rstrip("/"),
            database=self.database,
            catalogue=self.parts.catalogue,
            sender=self.parts.sender,
            engine=self.engine,
            clock=self.parts.clock,
            environment=create_environment(),
            caps=self.parts.caps,
        )

    def prepare(self) -> None:
        """Bring the database up to date. Raises Refused when its data has another key."""
        self.database.migrate()
        self.engine.migrate()
        with self.database.reading() as tx:
            check_key(tx)

    def close(self) -> None:
        """Close connections."""
        self.parts.close()
        if self.terminology:
            self.terminology.close()
        self.database.close()


def build(settings: Settings, *, clock: Callable[[], datetime] | None = None) -> Gateway:
    """Put a gateway together. Reads the shipped and configured folders, opens the database; does
    not touch the network. Raises what a bad folder or key raises."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database, Sealer(_keys(settings)))
    folders = [shipped.folder("questionnaires"), settings.questionnaires]
    resources = [r for folder in folders if folder for r in shipped.read_resources(folder)]
    targets = shipped.read_targets(shipped.folder("mappings"))
    if settings.mappings:
        targets |= shipped.read_targets(settings.mappings)
    terminology = neighbours.terminology_server(settings)
    parts = Parts(
        database=database,
        catalogue=Catalogue(resources, terminology),
        targets=targets,
        pds=neighbours.pds_client(settings, database),
        eprs=neighbours.epr_clients(settings, database),
        sender=neighbours.text_sender(settings),
        clock=clock or _now,
        gateway_name=settings.base_url,
        profiles=shipped.read_profiles(settings.profiles) if settings.profiles else Profiles(),
        caps=TextCaps(
            codes_per_number=settings.codes_per_number,
            texts_per_number=settings.texts_per_number,
            codes_per_address=settings.codes_per_address,
            codes_per_day=settings.codes_per_day,
            codes_per_link=settings.codes_per_link,
        ),
        timing=settings.timing,
        limits=AllLimits(settings.epr_limits, settings.text_limits, limits_by_epr(settings)),
        policy=Policy(frozenset(settings.matching_forgiven), settings.matching_youngest),
    )
    parts.catalogue.follow(lambda: published.questionnaires(database))
    return Gateway(settings, database, DbosEngine(database), parts, terminology)


class Worker:
    """Delivery in this process, between `start` and `stop`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._executor_id = processes.fresh_executor_id(gateway.settings.worker_id)
        self._watch = Watch(
            gateway.parts,
            gateway.engine,
            self._executor_id,
            duties.of(gateway.settings, gateway.settings.data_dir),
        )
        self._check = NightlyCheck(gateway.parts)
        hosts, base_url = gateway.settings.subscription_hosts, gateway.site.base_url
        self._notifier = Notifier(gateway.parts, f"{base_url}{FHIR_BASE}", hosts)

    def start(self) -> None:
        """Start delivering and watching."""
        gateway = self._gateway
        self._watch.enter()
        gateway.engine.work(steps.bind(gateway.parts), self._executor_id)
        self._watch.start()
        self._check.start()
        self._notifier.start()

    def stop(self) -> None:
        """Stop in order; what is under way is taken up by others or at the next start."""
        self._notifier.stop()
        self._check.stop()
        self._watch.stop()
        self._gateway.engine.stop()
        self._watch.leave()


def create_app(gateway: Gateway, *, deliver: bool, home: ASGIApp | None = None) -> ASGIApp:
    """The ASGI app of a gateway: patient pages, and the FHIR API under /fhir/R4.

    `deliver`: whether this process delivers requests too. `home`: what answers at `/` instead of
    the plain page (the demo's overview).
    """
    worker = Worker(gateway) if deliver else None
    showing = CatchingUp(gateway.parts)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        # In a thread: databases and DBOS must not be waited for in the event loop.
        await to_thread.run_sync(gateway.prepare)
        await to_thread.run_sync(showing.start)
        if worker:
            await to_thread.run_sync(worker.start)
        yield
        if worker:
            await to_thread.run_sync(worker.stop)
        await to_thread.run_sync(showing.stop)
        gateway.close()

    web = create_web_app(gateway.site, lifespan=lifespan, home=home)
    operators = create_ops_app(
        gateway.database,
        gateway.settings.timing,
        gateway.parts.clock,
        neighbours.plain(gateway.settings.ops_token) or None,
    )
    keys = create_jwks_app(neighbours.key_ring(gateway.settings))
    callbacks = create_callback_app(
        gateway.database,
        neighbours.callback_keys(gateway.settings),
        base_url=gateway.site.base_url,
        clock=gateway.parts.clock,
    )
    below: dict[str, ASGIApp] = {
        FHIR_BASE: create_api(gateway),
        DISCOVERY_PATH: create_discovery(gateway),
        JWKS_PATH: keys,
        CALLBACK_PATH: callbacks,
        **dict.fromkeys(PATHS, operators),
    }
    below |= conformance_pages(gateway.settings, gateway.parts.clock)
    return _Split(below, web)


class _Split:
    """Sends what is under a path to its app and the rest, the lifespan too, to another."""

    def __init__(self, below: Mapping[str, ASGIApp], others: ASGIApp) -> None:
        self._below, self._others = below, others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        for start, app in self._below.items():
            if path == start or path.startswith(f"{start}/"):
                await app(scope, receive, send)
                return
        await self._others(scope, receive, send)


def _now() -> datetime:
    return datetime.now(LONDON)


def _keys(settings: Settings) -> list[bytes]:
    """The configured keys, or the one in data_dir, made when there is none."""
    if settings.secret_keys:
        return [key.get_secret_value().encode() for key in settings.secret_keys]
    return [own_key(settings.data_dir / "secret.key")]


def own_key(file: Path) -> bytes:
    """The key of this file, made at the first call; readable by its owner alone. Two processes
    that start at once get the same key."""
    if not file.exists():
        fresh = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(secrets.token_urlsafe(48).encode())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    return file.read_bytes().strip()
