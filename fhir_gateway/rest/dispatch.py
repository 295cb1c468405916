"""One request through the API: route, access, body, handler, answer. Whatever goes wrong on the way
is an OperationOutcome."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import structlog
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from fhir_gateway.errors import TryLater
from fhir_gateway.fhir.types import Resource, as_str
from fhir_gateway.rest import binary
from fhir_gateway.rest.access import require
from fhir_gateway.rest.conditions import is_unmodified
from fhir_gateway.rest.forms import form_parameters
from fhir_gateway.rest.negotiation import (
    check_accept,
    check_encoding,
    parameters_of,
    problem_response,
    read_resource,
    respond,
)
from fhir_gateway.rest.problem import BAD_REQUEST, FAILED, Problem
from fhir_gateway.rest.registry import LETTERS, Answer, Call, Interaction, Registry
from fhir_gateway.rest.routing import Route, resolve

#: Told of every call with its status and what was answered, in the thread of the call, before the
#: answer leaves: what it raises fails the request.
Observer = Callable[[Call, int, Resource | None], None]

#: Asked before a request that needs no token is served. Raises Problem for one too many.
Admit = Callable[[Request], None]

_NOT_MODIFIED = 304
_UNAVAILABLE = 503
_WITH_BODY = (Interaction.CREATE, Interaction.UPDATE, Interaction.BATCH, Interaction.TRANSACTION)
_log = structlog.get_logger("rest")


class Dispatcher:
    """Serves a registry. `base`: path of the API; `base_url`: its own address, without a slash at
    the end."""

    def __init__(
        self,
        registry: Registry,
        *,
        base: str,
        base_url: str,
        observers: tuple[Observer, ...] = (),
        admit: Admit = lambda _: None,
    ) -> None:
        self._admit = admit
        self._registry = registry
        self._base = base
        self._base_url = base_url
        self._observers = observers

    async def answer(self, request: Request) -> Response:
        """The answer to any request at all."""
        call = Call(request, self._base_url, "")
        try:
            path = request.url.path.removeprefix(self._base).strip("/")
            route = resolve(self._registry, request.method, path)
            call = replace(
                call,
                interaction=route.interaction,
                resource_type=route.resource_type,
                id=route.id,
                version=route.version,
                parameters=parameters_of(request),
            )
            if not _raw(call):
                check_accept(request)
            if _counts_token(request, route):
                # What comes along with something public can be the client's own.
                access = await run_in_threadpool(require, request, "", "")
                call = replace(call, access=access)
            elif route.public and (route.resource_type or route.operation):
                await run_in_threadpool(self._admit, request)
            if not route.public:
                access = await run_in_threadpool(
                    require, request, route.resource_type, _letter(route)
                )
                call = replace(call, access=access)
            call = await _with_body(call, route)
            handler = _handler(self._registry, route, call)
            return await run_in_threadpool(self._done, call, handler)
        except Exception as error:
            return await self._refused(call, problem_of(error))

    def _done(self, call: Call, handler: Callable[[Call], Answer]) -> Response:
        answer = handler(call)
        headers = dict(answer.headers)
        if _raw(call) and answer.resource is not None:
            response = binary.content(answer.resource, headers)
        else:
            response = respond(call.request, answer.resource, status=answer.status, headers=headers)
        if call.request.method == "GET" and is_unmodified(call.request, headers):
            response = Response(status_code=_NOT_MODIFIED, headers=headers)
        self._tell(call, response.status_code, answer.resource)
        return response

    async def _refused(self, call: Call, problem: Problem) -> Response:
        try:
            await run_in_threadpool(self._tell, call, problem.status, problem.outcome())
        except Exception as error:
            problem = problem_of(error)
        return problem_response(call.request, problem)

    def _tell(self, call: Call, status: int, resource: Resource | None) -> None:
        for observer in self._observers:
            observer(call, status, resource)


def _counts_token(request: Request, route: Route) -> bool:
    """Whether a token that is not needed counts all the same, because one came."""
    searches = route.public and route.interaction == Interaction.SEARCH
    return searches and bool(request.headers.get("authorization"))


def _raw(call: Call) -> bool:
    """Whether the answer is a Binary's content."""
    reads = call.interaction in (Interaction.READ, Interaction.VREAD)
    return reads and call.resource_type == "Binary" and binary.wants_content(call.request)


async def _with_body(call: Call, route: Route) -> Call:
    """The call with its form, its resource or its bytes."""
    request = call.request
    if request.method not in ("POST", "PUT", "PATCH"):
        return call
    check_encoding(request)
    if route.interaction == Interaction.SEARCH:
        request.state.parameters = [*call.parameters, *await form_parameters(request)]
        check_accept(request)
        return replace(call, parameters=request.state.parameters)
    body = await request.body()
    raw = route.operation is not None and (route.operation.raw or not body)
    if raw or (route.operation is None and route.interaction not in _WITH_BODY):
        return replace(call, body=body)
    return replace(call, body=body, resource=await read_resource(request))


def _handler(registry: Registry, route: Route, call: Call) -> Callable[[Call], Answer]:
    """The route's handler; of a Bundle at the base, that of its type."""
    if route.interaction not in (Interaction.BATCH, Interaction.TRANSACTION):
        return route.handler
    kind = as_str((call.resource or {}).get("type"))
    for interaction, handler in registry.system.items():
        if interaction == kind:
            return handler
    raise Problem(
        BAD_REQUEST,
        "value",
        f"The base takes Bundles of the type {' or '.join(sorted(registry.system))}.",
    )


def _letter(route: Route) -> str:
    if route.operation is not None:
        return route.operation.letter or "r"
    return LETTERS.get(Interaction(route.interaction), "")


def problem_of(error: Exception) -> Problem:
    """What a client is told of an error. Of one that no handler foresaw only the kind is logged:
    its text can hold what a patient typed."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, TryLater):
        after = {"Retry-After": str(math.ceil(error.after))} if error.after else {}
        return Problem(_UNAVAILABLE, "transient", "Try again later.", headers=after)
    _log.error("request failed", error=type(error).__name__)
    return Problem(FAILED, "exception", "The gateway failed. Its log says more.")
