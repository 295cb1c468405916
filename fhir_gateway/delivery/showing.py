"""Showing requests, services and definitions in the FHIR API: writes the resources that the API
reads, whenever what they are made of has changed. Nothing here may fail a request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import structlog
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError

from fhir_gateway.delivery import shown_resources
from fhir_gateway.delivery.mapping import launch_context
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.delivery.submitted import run_target
from fhir_gateway.errors import GatewayError
from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.provider.service import Service, ServiceRefused, read_service
from fhir_gateway.questionnaire.catalogue import Catalogue
from fhir_gateway.store import requests, resources, services
from fhir_gateway.store.database import Database, Transaction
from fhir_gateway.store.requests import Request, RequestState
from fhir_gateway.store.resource_tables import RequestShownRow, ResourceRow
from fhir_gateway.store.resources import EVERYTHING, PUBLIC
from fhir_gateway.store.tables import RequestRow

#: The mapping whose resources are shown, whichever form the EPR of a service takes.
SHOWN_BY = "uk-core-transaction"
DEFINITIONS = ("CodeSystem", "Questionnaire", "StructureDefinition", "ValueSet")
_AFTER_MAPPED = (RequestState.DELIVERED, RequestState.CONFIRMED)
_log = structlog.get_logger("showing")


def show_request(parts: Parts, request_id: str) -> list[tuple[str, str]]:
    """Show a request as it is now: the type and id of each of its resources. For one that was just
    accepted, after each of its steps, and to catch up; doing it again changes nothing.

    Checks of the way to an EPR, about invented patients, are not shown.
    """
    with parts.database.reading() as tx:
        request = requests.find(tx, request_id)
        if request is None:
            return []
        service = parts.service(tx, request.service_slug)
    if request.is_synthetic:
        with parts.database.transaction() as tx:
            _mark(tx, request)
        return []
    found = shown_resources.of_request(request, _bundle(parts, request, service), service)
    now = parts.clock()
    with parts.database.transaction() as tx:
        if requests.moved_at(tx, request_id) != request.updated_at:
            return []  # it moved on; who moved it shows it
        only_task = _is_shown_as_mapped(tx, request)
        shown = [
            _with_what_clients_wrote(tx, resource)
            for resource in found
            if resource["resourceType"] == "Task" or not only_task
        ]
        resources.write_all(tx, shown, provider=service.ods_code, now=now, request_id=request_id)
        _mark(tx, request)
    return [(resource["resourceType"], resource["id"]) for resource in found]


def show_quietly(parts: Parts, request_id: str) -> None:
    """`show_request`, for steps that must go on whatever happens here; catching up tries again."""
    try:
        try:
            show_request(parts, request_id)
        except IntegrityError:
            show_request(parts, request_id)  # another process showed it at the same moment
    except Exception as error:
        # Only the kind of the error: its text can hold what a patient typed.
        _log.error("not shown", request=request_id, error=type(error).__name__)


def not_shown(tx: Transaction, *, after: str, limit: int) -> list[str]:
    """Ids of requests that are not shown as they are now, by id from `after` on."""
    shown = RequestShownRow
    query = (
        select(RequestRow.id)
        .outerjoin(shown, shown.request_id == RequestRow.id)
        .where(
            RequestRow.id > after,
            or_(shown.updated_at.is_(None), shown.updated_at != RequestRow.updated_at),
        )
    )
    return list(tx.session.scalars(query.order_by(RequestRow.id).limit(limit)))


def catch_up(parts: Parts, *, at_once: int = 100) -> Iterator[int]:
    """Show all requests that are not shown as they are, in batches; how many each had."""
    after = ""
    while True:
        with parts.database.reading() as tx:
            ids = not_shown(tx, after=after, limit=at_once)
        if not ids:
            return
        for request_id in ids:
            show_quietly(parts, request_id)
        after = ids[-1]
        yield len(ids)


def show_services(tx: Transaction, *, now: datetime) -> None:
    """Show all services that were imported. Of an organisation with several, that of the first is
    shown."""
    seen: set[tuple[str, str]] = set()
    for slug in services.slugs(tx):
        bundle = services.find(tx, slug) or {}
        try:
            service = read_service(bundle)
        except ServiceRefused:
            continue
        for resource in shown_resources.of_service(bundle, service):
            key = (resource["resourceType"], resource["id"])
            if key not in seen:
                seen.add(key)
                resources.write(tx, resource, provider=service.ods_code, now=now)


def show_definitions(tx: Transaction, catalogue: Catalogue, *, now: datetime) -> None:
    """Show what this gateway publishes, and no longer what it published before."""
    published: dict[tuple[str, str], Resource] = {}
    for name in DEFINITIONS:
        listed = (
            catalogue.questionnaires()
            if name == "Questionnaire"
            else catalogue.registry.of_type(name)
        )
        for resource in listed:
            key = (name, as_str(resource.get("id")))
            if key in published:
                # An older version under the same id keeps an address of its own.
                older = published[key]
                other = f"{key[1]}-{as_str(older.get('version'))}"[:64]
                published[(name, other)] = {**older, "id": other}
            published[key] = resource
    for (name, resource_id), resource in published.items():
        if resource_id:
            resources.write(tx, {**resource, "resourceType": name}, provider=PUBLIC, now=now)
    query = select(ResourceRow.type, ResourceRow.id).where(
        ResourceRow.type.in_(DEFINITIONS),
        ResourceRow.deleted.is_(False),
        ResourceRow.by_client.is_(False),
    )
    for name, resource_id in tx.session.execute(query).all():
        if (name, resource_id) not in published:
            resources.remove(tx, name, resource_id, now=now)


def show_what_is_published(database: Database, catalogue: Catalogue, *, now: datetime) -> None:
    """Show definitions and services, at the start of a process. Processes that start at once write
    the same; who comes second finds it there."""
    for last in (False, True):
        try:
            with database.transaction() as tx:
                show_definitions(tx, catalogue, now=now)
                show_services(tx, now=now)
        except IntegrityError:
            if last:
                raise
        else:
            return


def _bundle(parts: Parts, request: Request, service: Service) -> Resource:
    """The request as a Bundle of resources, by the mapping that all requests are shown by; else by
    that of its service; else its answers and a Task."""
    mapped = request.bundle
    if mapped is not None and service.mapping_for(request.questionnaire) == SHOWN_BY:
        return mapped
    target = parts.targets.get(SHOWN_BY)
    if target is not None and target.applies(request.questionnaire):
        try:
            context = launch_context(parts, request, service, target)
            return run_target(parts, request, target, context).bundle
        except GatewayError as error:
            _log.warning("shown without mapping", request=request.id, code=error.code)
    if mapped is not None and mapped.get("type") == "transaction":
        return mapped
    return shown_resources.minimal(request, service)


def _with_what_clients_wrote(tx: Transaction, resource: Resource) -> tuple[Resource, bool]:
    """A resource as it is to be kept, and whether a client's words are in it."""
    if resource["resourceType"] == "Task":
        stored = resources.read(tx, "Task", resource["id"], EVERYTHING)
        if stored and stored.by_client and stored.resource:
            return shown_resources.merged_task(resource, stored.resource), True
    return resource, False


def _is_shown_as_mapped(tx: Transaction, request: Request) -> bool:
    """Whether all but the Task is there already: nothing else changes once a request is mapped."""
    shown = tx.session.get(RequestShownRow, request.id)
    if shown is None or request.state not in _AFTER_MAPPED:
        return False
    mapped = [e.at for e in requests.events(tx, request.id) if e.state == RequestState.MAPPED]
    return bool(mapped) and shown.updated_at >= mapped[-1]


def _mark(tx: Transaction, request: Request) -> None:
    row = tx.session.get(RequestShownRow, request.id)
    if row is None:
        tx.session.add(RequestShownRow(request_id=request.id, updated_at=request.updated_at))
    else:
        row.updated_at = request.updated_at
