"""The patient pages of a gateway that accepts but does not deliver, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from fhir_gateway import shipped
from fhir_gateway.app import LONDON, Gateway, build, create_app
from fhir_gateway.journey.invitations import make_link
from fhir_gateway.provider.service import read_service
from fhir_gateway.sandbox import overview
from fhir_gateway.sandbox.phone.app import TEMPLATE_ID, api_key
from fhir_gateway.sandbox.phone.app import create_app as create_phone
from fhir_gateway.settings import load
from fhir_gateway.store import services
from tests.ports import kept_port
from tests.serving import serve
from tests.web.walking import Walker

SERVICE = Path(overview.__file__).parent / "service.json"


class Clock:
    """A clock that tests can move."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(LONDON) + self.ahead


class Pages:
    """A running gateway and what tests do with it."""

    def __init__(
        self, gateway: Gateway, base: str, phone: str, clock: Clock, questionnaire: str = ""
    ) -> None:
        self.gateway = gateway
        self.base = base
        self.phone = phone
        self.clock = clock
        bundle = shipped.read_resource(SERVICE)
        bundle["entry"][2]["resource"]["address"] = "http://127.0.0.1:9/fhir"
        if questionnaire:
            self.offer(questionnaire, bundle)
        else:
            self._save(bundle)

    def offer(self, questionnaire: str, bundle: Any = None) -> None:
        """Let the service use this Questionnaire (canonical) for its first request type."""
        bundle = bundle or self.bundle
        request_type = bundle["entry"][0]["resource"]["extension"][0]
        request_type["extension"][0]["valueCanonical"] = questionnaire
        self._save(bundle)

    def _save(self, bundle: Any) -> None:
        self.bundle = bundle
        self.service = read_service(bundle)
        with self.gateway.database.transaction() as tx:
            services.save(tx, self.service.slug, bundle, now=self.clock())

    def link(self) -> str:
        """A fresh link to the service."""
        made = make_link(self.gateway.database, self.service, self.base, now=self.clock())
        return made.url

    def texts(self, mobile: str) -> list[str]:
        """The texts on a phone."""
        answer = httpx.get(f"{self.phone}/messages", params={"to": mobile})
        return [message["text"] for message in answer.json()]


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A running gateway that many tests share."""
    with running_pages(tmp_path_factory.mktemp("pages")) as running:
        yield running


def running_pages(folder: Path, *, questionnaires: Path | None = None, offers: str = ""):  # type: ignore[no-untyped-def]
    """A running gateway of one's own; a context manager that yields Pages. `questionnaires`: a
    folder of more of them; `offers`: the canonical of the one that the service uses."""
    import contextlib

    @contextlib.contextmanager
    def run() -> Iterator[Pages]:
        clock = Clock()
        port = kept_port()
        base = f"http://127.0.0.1:{port}"
        with serve(create_phone()) as phone:
            settings = load(
                data_dir=folder,
                base_url=base,
                notify_base_url=phone,
                notify_api_key=SecretStr(api_key()),
                notify_template_id=TEMPLATE_ID,
                pds_base_url="http://127.0.0.1:9/none",
                questionnaires=questionnaires,
            )
            gateway = build(settings, clock=clock)
            with serve(create_app(gateway, deliver=False), port) as address:
                yield Pages(gateway, address, phone, clock, offers)

    return run()


@pytest.fixture
def walker(pages: Pages) -> Iterator[Callable[[], Walker]]:
    """Makes people who open a fresh link, each with cookies of their own."""
    clients: list[httpx.Client] = []

    def make() -> Walker:
        clients.append(httpx.Client(follow_redirects=True, timeout=30))
        return Walker(clients[-1], pages.link())

    yield make
    for client in clients:
        client.close()


@pytest.fixture(autouse=True)
def clock_is_set_back(pages: Pages) -> Iterator[None]:
    """What a test did to the clock ends with it."""
    yield
    pages.clock.ahead = timedelta()
