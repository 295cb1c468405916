"""Writes the audit of the API: told of every call before its answer leaves, and when it cannot
write, the answer does not leave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import event as database_events
from starlette.requests import Request

from fhir_gateway.audit import codes
from fhir_gateway.audit.event import Party
from fhir_gateway.audit.record import record
from fhir_gateway.audit.rest_event import Exchange, events, patients_of
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.rest import rates
from fhir_gateway.rest.access import ALL
from fhir_gateway.rest.gatekeeper import Caller, Gatekeeper
from fhir_gateway.rest.registry import Call
from fhir_gateway.store.database import Database, Transaction

_BAD, _FAILED = 400, 500
#: Characters that are kept of what was asked.
_LONGEST = 20_000
_KEPT = "audit_kept"


class Auditor:
    """An observer of the dispatcher. `gate`: who tells by a token whose it is, also where none was
    needed; `base_url`: of the API; `observer`: the gateway's address."""

    def __init__(
        self,
        database: Database,
        gate: Gatekeeper,
        *,
        base_url: str,
        observer: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database, self._gate, self._clock = database, gate, clock
        self._server = Party(base_url, address=base_url)
        self._observer = observer

    def __call__(self, call: Call, status: int, resource: Resource | None) -> None:
        """Record a call by somebody who showed a token. Raises what the database raises."""
        if call.resource_type or status >= _BAD:
            self._gate.recognise(call.request)
        caller: Caller | None = getattr(call.request.state, "caller", None)
        if caller is None or (status < _BAD and getattr(call.request.state, _KEPT, False)):
            return
        with self._database.transaction() as tx:
            if getattr(call.request.state, "throttled", False) and not rates.is_first(
                tx, "throttled", caller.access.client_id, now=self._clock()
            ):
                return  # of a flood one event a minute is kept
            self._write(tx, call, caller, status, resource)

    def keep(self, tx: Transaction, call: Call, status: int, resource: Resource | None) -> None:
        """Record a call in the transaction that does it: then both are true, or neither. It is not
        recorded again once the transaction is committed."""
        caller: Caller = call.request.state.caller
        self._write(tx, call, caller, status, resource)

        def committed(session: object) -> None:
            del session
            setattr(call.request.state, _KEPT, True)

        database_events.listen(tx.session, "after_commit", committed, once=True)

    def _write(
        self, tx: Transaction, call: Call, caller: Caller, status: int, resource: Resource | None
    ) -> None:
        now = self._clock()
        exchange = Exchange(
            interaction=call.interaction or "operation",
            client=caller.party,
            server=self._server,
            target=_target(call, resource),
            asked=asked(call),
            request_id=call.request.headers.get("x-request-id", "").strip()[:200],
            patients=_patients(call, status, resource),
            outcome=_outcome(status),
            outcome_text=_said(status, resource),
        )
        for event in events(exchange, observer=self._observer, now=now):
            record(
                tx,
                event,
                agent=caller.access.client_id,
                providers=_providers(call.request, caller),
                now=now,
            )


def _providers(request: Request, caller: Caller) -> set[str]:
    """Whose data a call was about: as its handler said, and that of a client of one provider."""
    own = caller.access.providers - {ALL}
    told: set[str] = getattr(request.state, "concerned", set())
    return told | own if len(own) == 1 else told


def asked(call: Call) -> str:
    """Method, path and all parameters of a call, those of a form too."""
    request = call.request
    query = request.url.query
    form = [pair for pair in call.parameters if pair not in request.query_params.multi_items()]
    said = f"{request.method} {request.url.path}{'?' if query else ''}{query}"
    said += "\n" + "&".join(f"{name}={value}" for name, value in form) if form else ""
    return said[:_LONGEST]


def _target(call: Call, resource: Resource | None) -> str:
    """What it is about; of something that was created, what it became."""
    resource_type, resource_id, version = call.resource_type, call.id, call.version
    answered = resource if (resource or {}).get("resourceType") == resource_type else None
    if answered:
        resource_id = resource_id or as_str(answered.get("id"))
        version = version or as_str(as_dict(answered.get("meta")).get("versionId"))
    if not resource_id:
        return resource_type
    named = f"{resource_type}/{resource_id}"
    return f"{named}/_history/{version}" if version else named


def _patients(call: Call, status: int, resource: Resource | None) -> list[Element]:
    if status >= _BAD:
        return patients_of(call.resource)
    return patients_of(resource) or patients_of(call.resource)


def _outcome(status: int) -> str:
    if status >= _FAILED:
        return codes.SERIOUS
    return codes.MINOR if status >= _BAD else codes.SUCCESS


def _said(status: int, resource: Resource | None) -> str:
    if status < _BAD:
        return ""
    issues = as_list((resource or {}).get("issue"))
    text = "; ".join(as_str(as_dict(issue).get("diagnostics")) for issue in issues[:3])
    return f"{status} {text}".strip()[:1000]
