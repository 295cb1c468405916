"""A gateway's API over HTTP, with registered clients that sign with keys of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from fhir_gateway.auth.assertion import ASSERTION_TYPE
from fhir_gateway.auth.assertions_checked import ALGORITHMS
from fhir_gateway.auth.issuers import ExternalIssuer, Issuers
from fhir_gateway.auth.key_sets import KeySets
from fhir_gateway.fhir.types import Resource
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.rest import smart
from fhir_gateway.rest.app import BASE, create_fhir_app
from fhir_gateway.rest.auditor import Auditor
from fhir_gateway.rest.gatekeeper import Gatekeeper
from fhir_gateway.rest.registry import Answer, Call, Interaction, Registry
from fhir_gateway.rest.settings import ApiLimits
from fhir_gateway.rest.token import TokenDesk
from fhir_gateway.store import audit_log, clients, resources
from fhir_gateway.store.clients import Client
from fhir_gateway.store.database import Database
from tests.serving import serve

OBSERVER = "https://gateway.example"
BASE_URL = f"{OBSERVER}{BASE}"
TOKEN_URL = f"{BASE_URL}{smart.TOKEN_PATH}"
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"})
EC = ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa-1"})
#: A name that must be found nowhere but sealed.
CANARY = "Zzcanary"
TASKS = {
    "RA1": {
        "resourceType": "Task",
        "id": "a",
        "status": "requested",
        "intent": "order",
        "for": {"reference": "Patient/pa", "display": CANARY},
    },
    "RB2": {"resourceType": "Task", "id": "b", "status": "requested", "intent": "order"},
}


def key_set(*keys: RSAKey | ECKey) -> str:
    return json.dumps({"keys": [{**key.as_dict(private=False), "kid": key.kid} for key in keys]})


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class World:
    """The API at `http`, its database, and what its handlers were asked."""

    database: Database
    http: httpx.Client
    calls: list[str] = field(default_factory=list)

    def client(self, name: str = "portal", **given: Any) -> Client:
        registered = {
            "providers": ["RA1"],
            "scopes": "system/*.cruds",
            "jwks": key_set(RSA, EC),
            **given,
        }
        with self.database.transaction() as tx:
            return clients.add(tx, name, now=now(), **registered)

    def token(self, client: Client, scope: str = "system/*.cruds") -> str:
        answer = self.ask(assertion(client), scope)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def ask(self, signed: str, scope: str = "system/*.cruds", **form: str) -> httpx.Response:
        return self.http.post(
            f"{BASE}{smart.TOKEN_PATH}",
            data={
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": signed,
                "scope": scope,
                **form,
            },
        )

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.http.get(f"{BASE}/{path}", headers=headers)

    def audit(self, **query: Any) -> list[Resource]:
        with self.database.transaction() as tx:
            return audit_log.search(tx, audit_log.Query(**query), limit=100)


def claims(client: Client | str, **changes: Any) -> dict[str, Any]:
    name = client if isinstance(client, str) else client.id
    claimed = {
        "iss": name,
        "sub": name,
        "aud": TOKEN_URL,
        "jti": f"jti-{time.monotonic_ns()}",
        "exp": int(time.time()) + 240,
        **changes,
    }
    return {key: value for key, value in claimed.items() if value is not None}


def assertion(
    client: Client | str,
    key: RSAKey | ECKey | OctKey = RSA,
    alg: str = "RS384",
    header: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    """A signed assertion; `changes` are claims, None takes one away."""
    head = {"alg": alg, "typ": "JWT", "kid": key.kid, **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    if any(name in head for name in ("crit", "b64")):
        return unchecked(head, claims(client, **changes), key)
    return jwt.encode(head, claims(client, **changes), key, algorithms=[alg])


def moments(changes: dict[str, Any]) -> dict[str, Any]:
    """`changes` with each timedelta as a moment so far from now: parameters of tests are made long
    before the test runs, and have to be the same in every process."""
    now = time.time()
    return {
        name: int(now + value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in changes.items()
    }


def unchecked(head: dict[str, Any], claimed: dict[str, Any], key: Any) -> str:
    """A token whose header no library would write."""
    import base64

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    plain = jws.serialize_compact({"alg": "RS384"}, b"x", key, algorithms=["RS384"])
    return f"{part(head)}.{part(claimed)}.{plain.rpartition('.')[2]}"


def _create(call: Call) -> Answer:
    return Answer({**(call.resource or {}), "id": "new"}, status=201)


def register(registry: Registry) -> None:
    registry.offer("Task", {Interaction.CREATE: _create})
    registry.offer("HealthcareService", {Interaction.CREATE: _create})


def gatekeeper(database: Database) -> Gatekeeper:
    return Gatekeeper(database, Issuers(()), ApiLimits(), observer=OBSERVER, clock=now)


def app(
    database: Database,
    *,
    limits: ApiLimits | None = None,
    issuers: tuple[ExternalIssuer, ...] = (),
    hosts: tuple[str, ...] = ("127.0.0.1",),
    clock: Callable[[], datetime] = now,
) -> Any:
    allowed = limits or ApiLimits(per_client=10_000, per_address=10_000, tokens_per_address=10_000)
    gate = Gatekeeper(database, Issuers(issuers, hosts), allowed, observer=OBSERVER, clock=clock)
    desk = TokenDesk(
        database,
        KeySets(ALGORITHMS, hosts),
        allowed,
        token_url=TOKEN_URL,
        observer=OBSERVER,
        clock=clock,
    )
    return create_fhir_app(
        Catalogue([]),
        database,
        base_url=BASE_URL,
        clock=clock,
        authenticate=gate.authenticate,
        admit=gate.admit,
        observers=(Auditor(database, gate, base_url=BASE_URL, observer=OBSERVER, clock=clock),),
        security=smart.security(BASE_URL),
        register=register,
        routes=(smart.route(BASE, BASE_URL), desk.route(f"{BASE}{smart.TOKEN_PATH}")),
    )


def keep(database: Database) -> None:
    """The tasks, each at its provider, that are not there yet."""
    for ods, task in TASKS.items():
        with database.transaction() as tx:
            resources.write(tx, task, provider=ods, now=now())


@contextmanager
def world(database: Database, **given: Any) -> Iterator[World]:
    keep(database)
    with (
        serve(app(database, **given)) as address,
        httpx.Client(base_url=address, timeout=30) as http,
    ):
        yield World(database, http)
