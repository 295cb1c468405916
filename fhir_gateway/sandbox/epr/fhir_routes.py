"""The addresses of the FHIR server. https://hl7.org/fhir/R4/http.html"""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from fhir_gateway.sandbox.epr import (
    batch,
    capability,
    interactions,
    negotiation,
    search,
    searchset,
    transaction,
)
from fhir_gateway.sandbox.epr.entries import bundle_type
from fhir_gateway.sandbox.epr.faults import BAD_REQUEST, fault
from fhir_gateway.sandbox.epr.fhir_http import (
    FHIR_PATH,
    Body,
    answer,
    base_of,
    done_answer,
    json_content,
    version_answer,
)
from fhir_gateway.sandbox.epr.messages import Messages
from fhir_gateway.sandbox.epr.query import Pairs, read_query
from fhir_gateway.sandbox.epr.references import Key
from fhir_gateway.sandbox.epr.storage import Storage


def _check_accept(request: Request) -> None:
    negotiation.check_accept(request.headers, request.query_params)


router = APIRouter(prefix=FHIR_PATH, dependencies=[Depends(_check_accept)])


@router.get("/metadata")
def metadata(request: Request) -> Response:
    """What this server can do."""
    statement = capability.statement(base_of(request), request.app.state.started)
    return answer(request, 200, statement)


@router.post("")
@router.post("/")
def bundle(request: Request, body: Body) -> Response:
    """A batch or a transaction."""
    sent = json_content(request, body)
    run = transaction.run if bundle_type(sent) == "transaction" else batch.run
    wanted = negotiation.preferences(request.headers).returns == "representation"
    result = run(_storage(request), sent, base_of(request), representation=wanted)
    return answer(request, 200, result)


@router.post("/$process-message")
def process_message(request: Request, body: Body) -> Response:
    """A message."""
    messages: Messages = request.app.state.messages
    reply = messages.process(_storage(request), json_content(request, body), base_of(request))
    return answer(request, 200, reply)


@router.get("/{resource_type}")
def search_by_get(request: Request, resource_type: str) -> Response:
    """Search."""
    return _search(request, resource_type, request.query_params.multi_items())


@router.post("/{resource_type}/_search")
def search_by_post(request: Request, resource_type: str, body: Body) -> Response:
    """Search, with the parameters in the body, so that no log on the way has them."""
    negotiation.check_form(request.headers)
    try:
        sent = parse_qsl(body.decode("utf-8"), keep_blank_values=True)
    except UnicodeDecodeError:
        raise fault(BAD_REQUEST, "structure", "The form is not UTF-8 text.") from None
    return _search(request, resource_type, [*request.query_params.multi_items(), *sent])


@router.post("/{resource_type}")
def create(request: Request, resource_type: str, body: Body) -> Response:
    """Create, or find by If-None-Exist."""
    interactions.check_type(resource_type)
    resource = interactions.checked(json_content(request, body), resource_type)
    stored = interactions.linked(resource, base_of(request))
    with _storage(request).session() as session:
        done = interactions.create(session, stored, request.headers.get("if-none-exist"))
    return done_answer(request, done)


@router.get("/{resource_type}/{resource_id}")
def read(request: Request, resource_type: str, resource_id: str) -> Response:
    """The present version."""
    interactions.check_type(resource_type)
    with _storage(request).session() as session:
        version = interactions.read(session, Key(resource_type, resource_id))
    return version_answer(request, 200, version)


@router.put("/{resource_type}/{resource_id}")
def update(request: Request, resource_type: str, resource_id: str, body: Body) -> Response:
    """Replace, or create under the client's id."""
    interactions.check_type(resource_type)
    resource = interactions.checked(json_content(request, body), resource_type)
    stored = interactions.linked(resource, base_of(request))
    with _storage(request).session() as session:
        done = interactions.update(
            session, Key(resource_type, resource_id), stored, request.headers.get("if-match")
        )
    return done_answer(request, done)


@router.delete("/{resource_type}/{resource_id}")
def delete(request: Request, resource_type: str, resource_id: str) -> Response:
    """Delete; its history stays."""
    interactions.check_type(resource_type)
    with _storage(request).session() as session:
        interactions.delete(session, Key(resource_type, resource_id))
    return Response(status_code=204)


@router.get("/{resource_type}/{resource_id}/_history")
def history(request: Request, resource_type: str, resource_id: str) -> Response:
    """All versions."""
    interactions.check_type(resource_type)
    with _storage(request).session() as session:
        versions = interactions.versions(session, Key(resource_type, resource_id))
    return answer(request, 200, searchset.history(versions, base_of(request)))


@router.get("/{resource_type}/{resource_id}/_history/{number}")
def vread(request: Request, resource_type: str, resource_id: str, number: str) -> Response:
    """One version."""
    interactions.check_type(resource_type)
    with _storage(request).session() as session:
        version = interactions.vread(session, Key(resource_type, resource_id), number)
    return version_answer(request, 200, version)


def _search(request: Request, resource_type: str, pairs: Pairs) -> Response:
    interactions.check_type(resource_type)
    strict = negotiation.preferences(request.headers).strict
    query = read_query(resource_type, pairs, strict=strict, base=base_of(request))
    with _storage(request).session() as session:
        page = search.run(session, query)
    return answer(request, 200, searchset.searchset(page, base_of(request)))


def _storage(request: Request) -> Storage:
    storage: Storage = request.app.state.storage
    return storage
