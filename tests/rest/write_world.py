"""A whole gateway's API over real HTTP, with PDS and phone beside it, and clients with tokens."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from fhir_gateway import shipped
from fhir_gateway.app import LONDON, Gateway, build, create_app
from fhir_gateway.delivery.showing import show_request, show_what_is_published
from fhir_gateway.fhir.types import Resource
from fhir_gateway.provider.service import read_service
from fhir_gateway.sandbox import overview
from fhir_gateway.sandbox.pds.app import BASE_PATH
from fhir_gateway.sandbox.pds.app import create_app as create_pds
from fhir_gateway.sandbox.pds.personas import person
from fhir_gateway.sandbox.phone.app import TEMPLATE_ID, api_key
from fhir_gateway.sandbox.phone.app import create_app as create_phone
from fhir_gateway.settings import load
from fhir_gateway.store import clients, resources, services
from tests.databases import emptied
from tests.serving import serve

RESPONSE = Path(__file__).parents[1] / "delivery" / "response.json"
FHIR = "/fhir/R4"
MOBILE = "+447700900101"
#: The demo's service is RZZ99's; another trust has one of its own.
OURS, THEIRS = "RZZ99", "RYY88"
SERVICES = {OURS: "rheumatology", THEIRS: "dermatology"}
IDENTIFIERS = "https://portal.example/ids"


@dataclass
class Writing:
    """The API at `http`. Tokens are by provider, or `ALL`. `ahead` moves its clock."""

    gateway: Gateway
    http: httpx.Client
    phone: str
    ahead: timedelta = field(default_factory=timedelta)
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def token(self, provider: str = OURS, scopes: str = "system/*.cruds") -> str:
        """A token of a client of a provider, `ALL` for an administrator; several with spaces."""
        if (provider, scopes) not in self.tokens:
            now = datetime.now(UTC)
            with self.gateway.database.transaction() as tx:
                client = clients.add(
                    tx,
                    f"client {provider}",
                    providers=[] if provider == "ALL" else provider.split(),
                    scopes=scopes,
                    admin=provider == "ALL",
                    jwks='{"keys": []}',
                    now=now,
                )
                self.tokens[provider, scopes] = clients.issue(
                    tx, client.id, scopes, expires_at=now + timedelta(days=30), now=now
                )
        return self.tokens[provider, scopes]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        provider: str | None = OURS,
        scopes: str = "system/*.cruds",
        **headers: str,
    ) -> httpx.Response:
        """One request; `body` as FHIR JSON, or as it is when it is bytes. `_` in the name of a
        header is `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if provider:
            named["Authorization"] = f"Bearer {self.token(provider, scopes)}"
        if body is not None and not isinstance(body, bytes):
            named.setdefault("Content-Type", "application/fhir+json")
            return self.http.request(method, f"{FHIR}/{path}", json=body, headers=named)
        return self.http.request(method, f"{FHIR}/{path}", content=body, headers=named)

    def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        """POST."""
        return self.call("POST", path, body, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """GET."""
        return self.call("GET", path, **options)

    def response(self, name: str = "", **changes: Any) -> Resource:
        """A completed response; `name`: the value of its identifier."""
        found: Resource = shipped.read_resource(RESPONSE)
        if name:
            found["identifier"] = {"system": IDENTIFIERS, "value": name}
        return {**found, **changes}

    def task(self) -> Resource:
        """The Task of a new request."""
        answer = self.post("QuestionnaireResponse", self.response())
        assert answer.status_code == 201, answer.text
        return self.task_of(answer.json())

    def task_of(self, response: Resource) -> Resource:
        """The Task of a response that was created."""
        found = self.get("Task", provider="ALL").json()
        wanted = f"QuestionnaireResponse/{response['id']}"
        (task,) = [
            entry["resource"]
            for entry in found.get("entry", [])
            if entry["resource"].get("reasonReference", {}).get("reference") == wanted
        ]
        return dict(task)

    def requests(self) -> int:
        """How many requests were accepted."""
        return self.count("request")

    def count(self, table: str) -> int:
        """Rows of a table."""
        from sqlalchemy import text

        with self.gateway.database.engine.connect() as connection:
            return int(connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar_one())

    def texts(self, mobile: str = MOBILE) -> list[str]:
        """The texts on a phone."""
        found = httpx.get(f"{self.phone}/messages", params={"to": mobile}).json()
        return [str(message.get("text", message)) for message in found]

    def reset(self) -> None:
        """An empty database with the two services."""
        emptied(self.gateway.database)
        self.tokens.clear()
        self.ahead = timedelta()
        now = self.gateway.parts.clock()
        with self.gateway.database.transaction() as tx:
            for provider, slug in SERVICES.items():
                services.save(tx, slug, service_bundle(provider, slug), now=now)
        show_what_is_published(self.gateway.database, self.gateway.parts.catalogue, now=now)


def service_bundle(provider: str, slug: str) -> Resource:
    """The demo's service as another provider's."""
    bundle: Resource = copy.deepcopy(
        shipped.read_resource(Path(overview.__file__).parent / "service.json")
    )
    service, organisation, endpoint = (entry["resource"] for entry in bundle["entry"])
    service["id"] = slug
    service["identifier"][0]["value"] = slug
    organisation["identifier"][0]["value"] = provider
    organisation["id"] = service["providedBy"]["reference"].rpartition("/")[2]
    endpoint["address"] = "https://epr.example.nhs.uk/fhir"
    assert read_service(bundle).slug == slug
    return bundle


@contextmanager
def writing(folder: Path, database_url: str | None = None, **settings: Any) -> Iterator[Writing]:
    """A gateway that does not deliver, until the block ends."""
    world: Writing

    def clock() -> datetime:
        return datetime.now(LONDON) + world.ahead

    with serve(create_pds()) as pds, serve(create_phone()) as phone:
        given = {
            "data_dir": folder,
            "database_url": database_url,
            "notify_base_url": phone,
            "notify_api_key": SecretStr(api_key()),
            "notify_template_id": TEMPLATE_ID,
            "pds_base_url": f"{pds}{BASE_PATH}",
            "texts_per_number": 1000,
            "api_limits": {"per_client": 100_000, "per_address": 100_000},
            "subscription_hosts": ("127.0.0.1",),
            **settings,
        }
        gateway = build(load(**given), clock=clock)
        world = Writing(gateway, httpx.Client(), phone)
        gateway.prepare()
        app = create_app(gateway, deliver=False)
        with serve(app) as address:
            world.http = httpx.Client(base_url=address, timeout=60)
            world.reset()
            yield world
            world.http.close()


__all__ = ["person", "resources", "show_request"]
