"""Bundles at the base: batch, each entry by itself, and transaction, all or none.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.rest.access import require
from fhir_gateway.rest.bundle_entries import Entry, as_patch, in_order, renamed, request_of
from fhir_gateway.rest.conditions import is_unmodified
from fhir_gateway.rest.desk import Desk, Pending, Prepare, run_all
from fhir_gateway.rest.dispatch import Observer, problem_of
from fhir_gateway.rest.negotiation import cut
from fhir_gateway.rest.problem import (
    BAD_REQUEST,
    UNPROCESSABLE,
    Problem,
    status_line,
)
from fhir_gateway.rest.registry import LETTERS, Answer, Call, Interaction, Registry
from fhir_gateway.rest.routing import resolve

MAX_ENTRIES = 100
_NOT_MODIFIED = 304


def register(
    registry: Registry,
    desk: Desk,
    prepares: Mapping[tuple[str, str], Prepare],
    observers: tuple[Observer, ...],
) -> None:
    """Serve both. `prepares`: what can be within a transaction, by type and interaction."""
    bundles = Bundles(registry, desk, prepares, observers)
    registry.system[Interaction.BATCH] = bundles.batch
    registry.system[Interaction.TRANSACTION] = bundles.transaction


class Bundles:
    """The handlers."""

    def __init__(
        self,
        registry: Registry,
        desk: Desk,
        prepares: Mapping[tuple[str, str], Prepare],
        observers: tuple[Observer, ...],
    ) -> None:
        self._registry, self._desk, self._prepares = registry, desk, prepares
        self._observers = observers

    def batch(self, call: Call) -> Answer:
        """Each entry by itself, whatever becomes of the others."""
        return _response("batch", [self._by_itself(call, e, n) for n, e in _entries(call)])

    def _by_itself(self, call: Call, given: Element, number: int) -> Element:
        try:
            entry = self._entry(call, given, number)
        except Exception as error:
            return _refused(problem_of(error))
        return self._done(entry)

    def _done(self, entry: Entry) -> Element:
        """What became of an entry that was done by itself; recorded, whatever it was."""
        try:
            answer = entry.route.handler(entry.call)
            self._tell(entry.call, answer.status, answer.resource)
            return _answered(_as_asked(entry.call, answer))
        except Exception as error:
            problem = problem_of(error)
        try:
            self._tell(entry.call, problem.status, problem.outcome())
        except Exception as error:
            problem = problem_of(error)
        return _refused(problem)

    def transaction(self, call: Call) -> Answer:
        """All entries or none. Creates are checked first, those that others refer to before
        those; then everything is written in one transaction; then reads are answered, each with
        what became of it: by then it is written."""
        entries = []
        for number, given in _entries(call):
            with _within(number):
                entries.append(self._entry(call, given, number))
        writes = [e for e in entries if e.call.interaction not in _READS]
        answers: dict[int, Element] = {}
        names: dict[str, str] = {}
        pending: list[Pending] = []
        ordered = list(in_order(writes))
        for entry in ordered:
            with _within(entry.number):
                pending.append(self._prepared(renamed(entry, names)))
            if entry.full_url and pending[-1].reference:
                names[entry.full_url] = pending[-1].reference
        for entry, answer in zip(ordered, run_all(self._desk, pending), strict=True):
            self._tell(entry.call, answer.status, answer.resource)
            answers[entry.number] = _answered(answer)
        for entry in entries:
            if entry.number not in answers:
                answers[entry.number] = self._done(entry)
        return _response("transaction", [answers[e.number] for e in entries])

    def _prepared(self, entry: Entry) -> Pending:
        call = entry.call
        prepare = self._prepares.get((call.resource_type, call.interaction))
        if prepare is None:
            raise Problem(
                UNPROCESSABLE,
                "not-supported",
                f"{call.interaction} of {call.resource_type} cannot be within a transaction: use a "
                "batch.",
            )
        return prepare(call)

    def _entry(self, call: Call, given: Element, number: int) -> Entry:
        """An entry as a call, with the access of its own type. Raises Problem."""
        asked = as_dict(given.get("request"))
        method, url = as_str(asked.get("method")).upper(), as_str(asked.get("url"))
        if not method or not url:
            raise Problem(BAD_REQUEST, "required", "An entry needs request.method and request.url.")
        parts = urlsplit(url.removeprefix(f"{call.base_url}/"))
        if parts.scheme or parts.netloc:
            raise Problem(BAD_REQUEST, "value", "request.url is relative to the base.")
        request = request_of(call.request, method, parts.path, parts.query, asked)
        route = resolve(self._registry, method, parts.path.strip("/"))
        if not route.resource_type or route.operation is not None:
            text = "Operations, and Bundles within Bundles, are asked for by themselves."
            raise Problem(UNPROCESSABLE, "not-supported", text)
        letter = LETTERS[Interaction(route.interaction)]
        access = call.access
        if not route.public:
            access = require(request, route.resource_type, letter)
        resource = given.get("resource")
        inner = Call(
            request=request,
            base_url=call.base_url,
            interaction=route.interaction,
            resource_type=route.resource_type,
            id=route.id,
            version=route.version,
            access=access,
            parameters=parse_qsl(parts.query, keep_blank_values=True),
            resource=resource if isinstance(resource, dict) else None,
        )
        if route.interaction == Interaction.PATCH:
            inner = as_patch(inner)
        elif method in ("POST", "PUT") and inner.resource is None:
            raise Problem(BAD_REQUEST, "required", f"A {method} needs a resource.")
        return Entry(number, inner, route, as_str(given.get("fullUrl")))

    def _tell(self, call: Call, status: int, resource: Resource | None) -> None:
        for observer in self._observers:
            observer(call, status, resource)


_READS = frozenset(
    {
        Interaction.READ,
        Interaction.VREAD,
        Interaction.SEARCH,
        Interaction.HISTORY_INSTANCE,
        Interaction.HISTORY_TYPE,
    }
)


def _entries(call: Call) -> list[tuple[int, Element]]:
    found = as_list((call.resource or {}).get("entry"))
    if len(found) > MAX_ENTRIES:
        text = f"A Bundle may have {MAX_ENTRIES} entries at the most."
        raise Problem(UNPROCESSABLE, "too-costly", text)
    return list(enumerate(map(as_dict, found)))


class _within:
    """Says in a Problem which entry it is about."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Problem):
            place = f"Bundle.entry[{self._number}]"
            issues = [
                {**one, "expression": [place, *as_list(one.get("expression"))]}
                for one in error.outcome()["issue"]
            ]
            raise Problem(
                error.status, "", error.diagnostics, issues=issues, headers=error.headers
            ) from None


def _as_asked(call: Call, answer: Answer) -> Answer:
    """What a read by itself would get: nothing when it is unmodified, and what was asked for."""
    if call.interaction not in _READS or answer.resource is None:
        return answer
    if is_unmodified(call.request, dict(answer.headers)):
        return Answer(None, _NOT_MODIFIED, answer.headers)
    resource = cut(answer.resource, dict(call.parameters))
    return Answer(resource, answer.status, answer.headers)


def _answered(answer: Answer) -> Element:
    response: Element = {"status": status_line(answer.status)}
    if "Location" in answer.headers:
        response["location"] = answer.headers["Location"]
    if "ETag" in answer.headers:
        response["etag"] = answer.headers["ETag"]
    resource = answer.resource
    changed = as_str(as_dict((resource or {}).get("meta")).get("lastUpdated"))
    if changed and "ETag" in answer.headers:
        response["lastModified"] = changed
    if resource is not None and resource.get("resourceType") == "OperationOutcome":
        return {"response": {**response, "outcome": resource}}
    return {"resource": resource, "response": response} if resource else {"response": response}


def _refused(problem: Problem) -> Element:
    return {"response": {"status": status_line(problem.status), "outcome": problem.outcome()}}


def _response(kind: str, entries: list[Element]) -> Answer:
    bundle: Resource = {"resourceType": "Bundle", "type": f"{kind}-response"}
    return Answer({**bundle, "entry": entries} if entries else bundle)
