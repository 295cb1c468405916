"""What a running script knows: its fixtures, what its operations sent and got, and the ids that
the server gave."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from fhir_gateway.conformance import fixtures, substitution
from fhir_gateway.conformance.addresses import Target
from fhir_gateway.conformance.errors import NothingYet, ScriptError
from fhir_gateway.conformance.exchange import Answer, Content, Exchange, Sent
from fhir_gateway.conformance.script import Script
from fhir_gateway.conformance.variables import Variables
from fhir_gateway.errors import Refused
from fhir_gateway.fhir.profiles import Profiles
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

_LOCATION = re.compile(
    r"(?:^|/)([A-Z][A-Za-z]{1,63})/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?/?$"
)
_CREATED = 201
_DONE = frozenset({200, 201})


class State:
    """The state of one run of one script; a scope for requests and asserts."""

    def __init__(
        self,
        script: Script,
        base: str,
        media_type: str,
        *,
        run: str,
        given: Mapping[str, str],
        profiles: Sequence[Profiles] = (),
    ) -> None:
        self.base = base
        self.media_type = media_type
        self.profiles = profiles
        self.last: Exchange | None = None
        #: The server that the last operation meant, by its index.
        self.destination = 1
        #: Fixtures that this run created, with their place by the index of the server.
        self.created: dict[str, dict[int, Target]] = {}
        self._script = script
        self._ids: dict[str, dict[int, Target]] = {}
        self._kept: dict[str, Content] = {}
        self._requests: dict[str, Sent] = {}
        self._fixtures: dict[str, Content | Refused] = {}
        for fixture in map(as_dict, as_list(script.resource.get("fixture"))):
            try:
                self._fixtures[as_str(fixture.get("id"))] = fixtures.raw(script, fixture)
            except Refused as error:
                self._fixtures[as_str(fixture.get("id"))] = error
        declared = {
            as_str(one.get("name")): one
            for one in map(as_dict, as_list(script.resource.get("variable")))
        }
        self._variables = Variables(declared, given, run, base, self._look)

    @property
    def script(self) -> Resource:
        """The TestScript."""
        return self._script.resource

    @property
    def destinations(self) -> list[int]:
        """The indexes of the servers that the script declares."""
        return self._script.destinations

    @property
    def resolve(self) -> Callable[[str], substitution.Value]:
        """The value of a variable. Raises ScriptError, NotSupported."""
        return self._variables.value

    def content(self, source_id: str) -> Content:
        """What an id holds: an answer or a request so far, or a fixture with its variables.

        Raises NothingYet, ScriptError, NotSupported.
        """
        if source_id in self._kept:
            return self._kept[source_id]
        found = self._fixtures.get(source_id)
        if found is None:
            raise NothingYet(f"'{source_id}' is no fixture, and no operation has given it so far")
        if isinstance(found, Refused):
            raise found
        return fixtures.filled(found, self.resolve)

    def request(self, source_id: str) -> Sent:
        """The request that an operation kept under an id, or whose answer it did. Raises
        NothingYet."""
        if source_id not in self._requests:
            raise NothingYet(f"no request is known as '{source_id}', so far")
        return self._requests[source_id]

    def target(self, target_id: str) -> Target:
        """What an id stands for on the server. Raises ScriptError, NotSupported."""
        places = self._ids.get(target_id)
        if places:
            return places.get(self.destination) or list(places.values())[-1]
        content = self.content(target_id)
        found = located(content) or of_resource(content)
        if found is None:
            raise ScriptError(f"'{target_id}' has no type and id that could be called")
        return found

    def record(self, operation: Element, exchange: Exchange) -> None:
        """Keep what an operation sent and got under the ids that it names."""
        self.last = exchange
        request_id = as_str(operation.get("requestId"))
        response_id = as_str(operation.get("responseId"))
        source_id = as_str(operation.get("sourceId"))
        for name in filter(None, (request_id, response_id)):
            self._requests[name] = exchange.sent
        if request_id:
            self._kept[request_id] = exchange.sent
        answer = exchange.answer
        if answer is None:
            self._kept.pop(response_id, None)
            return
        if response_id:
            self._kept[response_id] = answer
            self._ids.pop(response_id, None)
        if answer.status not in _DONE or exchange.sent.method not in ("POST", "PUT"):
            return
        place = located(answer) or of_resource(answer)
        if place is None or place.resource_type in ("Bundle", "OperationOutcome", "Parameters"):
            return
        for name in filter(None, (response_id, source_id)):
            places = self._ids.setdefault(name, {})
            places.pop(self.destination, None)
            places[self.destination] = place
        if source_id and answer.status == _CREATED:
            self.created.setdefault(source_id, {})[self.destination] = place

    def _look(self, source_id: str | None) -> Content:
        if source_id is not None:
            return self.content(source_id)
        if self.last is None or self.last.answer is None:
            raise NothingYet("there is no answer yet")
        return self.last.answer


def located(content: Content) -> Target | None:
    """What a Location (or Content-Location) header names; None when it names nothing."""
    if not isinstance(content, Answer):
        return None
    header = content.header("Location") or content.header("Content-Location") or ""
    found = _LOCATION.search(header.split("?", 1)[0])
    if found is None or not found[2].strip("."):
        return None  # no id, but a way up
    return Target(found[1], found[2], found[3] or "")


def of_resource(content: Content) -> Target | None:
    """What the resource's own type and id name."""
    resource = content.resource or {}
    kind, identity = as_str(resource.get("resourceType")), as_str(resource.get("id"))
    version = as_str(as_dict(resource.get("meta")).get("versionId"))
    return Target(kind, identity, version) if kind and identity else None
