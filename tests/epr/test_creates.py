"""Single creates: order, references, what is kept, and going on after each kind of failure."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fhir_gateway.epr.adapter import Landed
from fhir_gateway.epr.progress import MemoryProgress
from fhir_gateway.errors import Defect, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir.identifiers import REQUEST_ID, identifier
from fhir_gateway.provider.endpoint import EprEndpoint, Strategy
from tests.epr.conftest import MakeAdapter
from tests.epr.scripted import CONTENT, Reply, Scripted, Seen, declared, searchset
from tests.sandbox.epr.request_bundle import patient, request_bundle

REQUEST = str(uuid.uuid4())


def unguarded():  # type: ignore[no-untyped-def]
    return lambda: None


def name_of(seen: Seen) -> str:
    return seen.path.split("?")[0].rsplit("/", 1)[-1]


class Keeping:
    """Creates what is posted, as `Type/n`, and finds it by the request's identifier; what `faults`
    has for a type is answered once instead, after it was done or not."""

    def __init__(self, epr: Scripted) -> None:
        self.kept: dict[str, list[dict[str, Any]]] = {}
        self.faults: dict[str, tuple[Reply, bool]] = {}
        epr.answer = self.answer

    def answer(self, seen: Seen) -> Reply | None:
        if seen.path.endswith("/metadata"):
            return None
        name = name_of(seen)
        if seen.method == "GET":
            return Reply(200, searchset(*self.kept.get(name, [])), CONTENT)
        fault, done = self.faults.pop(name, (None, True))
        if done:
            resources = self.kept.setdefault(name, [])
            resources.append({**seen.body, "id": f"{name[:2]}{len(resources) + 1}"})
        if fault is not None:
            return fault
        return Reply(201, None, {"Location": f"{name}/{self.kept[name][-1]['id']}/_history/1"})

    def counts(self) -> dict[str, int]:
        return {name: len(found) for name, found in self.kept.items()}


ONCE = {"Patient": 1, "ServiceRequest": 1, "QuestionnaireResponse": 1, "Task": 1, "Provenance": 1}


@pytest.fixture
def keeping(epr: Scripted) -> Keeping:
    return Keeping(epr)


def bundle() -> dict[str, Any]:
    """A request that is matched to nobody: its Patient carries its identifier."""
    person = {**patient(None, status="04"), "identifier": [identifier(REQUEST_ID, REQUEST)]}
    return request_bundle(request_id=REQUEST, person=person, matched=False)


def test_each_resource_comes_after_those_it_refers_to(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter
) -> None:
    adapter(EprEndpoint(epr.base, Strategy.CREATES)).send(bundle(), REQUEST, unguarded)
    order = [name_of(s) for s in epr.writes()]
    assert order.index("Patient") == 0
    assert order.index("Task") > max(
        order.index("ServiceRequest"), order.index("QuestionnaireResponse")
    )
    assert order[-1] == "Provenance"


def test_if_none_exist_is_always_sent(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter
) -> None:
    adapter(EprEndpoint(epr.base, Strategy.CREATES)).send(bundle(), REQUEST, unguarded)
    by_name = {name_of(s): s.headers.get("if-none-exist", "") for s in epr.writes()}
    assert by_name["ServiceRequest"] == f"identifier={REQUEST_ID}|{REQUEST}"
    assert by_name["Task"] == by_name["QuestionnaireResponse"] == by_name["ServiceRequest"]
    assert all("?" not in value for value in by_name.values())


FAULTS = [
    pytest.param(name, reply, done, kind, id=f"{name}-{label}")
    for name in ONCE
    for label, reply, done, kind in [
        ("503", Reply(503), False, TryLater),
        ("422", Reply(422), False, Refused),
        ("500-not-done", Reply(500), False, OutcomeUnknown),
        ("500-done", Reply(500), True, OutcomeUnknown),
        ("dropped-done", Reply(drop=True), True, OutcomeUnknown),
        ("dropped-not-done", Reply(drop=True), False, OutcomeUnknown),
    ]
    # It is found by its targets once it is the last one missing, see below.
    if not (name == "Provenance" and done)
]


@pytest.mark.parametrize(("name", "reply", "done", "kind"), FAULTS)
def test_a_retry_goes_on_where_the_last_try_stopped(
    epr: Scripted,
    keeping: Keeping,
    adapter: MakeAdapter,
    name: str,
    reply: Reply,
    done: bool,
    kind: type[Exception],
) -> None:
    progress, sent = MemoryProgress(), bundle()
    keeping.faults[name] = (reply, done)
    with pytest.raises(kind):
        adapter(EprEndpoint(epr.base, Strategy.CREATES), progress).send(sent, REQUEST, unguarded)

    # Another process goes on.
    way = adapter(EprEndpoint(epr.base, Strategy.CREATES), progress)
    assert way.find(sent, REQUEST) is None
    delivered = way.send(sent, REQUEST, unguarded)

    assert keeping.counts() == ONCE
    assert len(delivered.resources) == 5
    assert way.find(sent, REQUEST) is not None


def test_a_provenance_is_known_by_its_targets_and_time(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter
) -> None:
    progress, sent = MemoryProgress(), bundle()
    keeping.faults["Provenance"] = (Reply(drop=True), True)
    way = adapter(EprEndpoint(epr.base, Strategy.CREATES), progress)
    with pytest.raises(OutcomeUnknown):
        way.send(sent, REQUEST, unguarded)
    found = way.find(sent, REQUEST)
    assert found is not None
    assert found.references[-1] == "Provenance/Pr1"


@pytest.mark.parametrize(
    "headers",
    [
        {"Location": "4_0_0/ServiceRequest/abc"},
        {"Location": "ServiceRequest/abc/_history/2"},
        {"Location": "/fhir/ServiceRequest/abc"},
        {"Location": "https://elsewhere.example.org/fhir/ServiceRequest/abc/_history/2"},
        {"Content-Location": "ServiceRequest/abc"},
    ],
)
def test_every_form_of_location_names_the_resource(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter, headers: dict[str, str]
) -> None:
    reply = Reply(201, None, {**headers, "ETag": 'W/"2"'})
    keeping.faults["ServiceRequest"] = (reply, True)
    way = adapter(EprEndpoint(epr.base, Strategy.CREATES))
    delivered = way.send(bundle(), REQUEST, unguarded)
    assert Landed("ServiceRequest/abc", "2") in delivered.resources
    task = next(s for s in epr.writes() if name_of(s) == "Task")
    assert task.body["focus"] == {"reference": "ServiceRequest/abc"}


@pytest.mark.parametrize("reply", [Reply(201), Reply(204), Reply(200, b"<html/>")])
def test_without_a_location_the_resource_is_looked_for(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter, reply: Reply
) -> None:
    keeping.faults["ServiceRequest"] = (reply, True)
    way = adapter(EprEndpoint(epr.base, Strategy.CREATES))
    assert "ServiceRequest/Se1" in way.send(bundle(), REQUEST, unguarded).references
    assert keeping.counts() == ONCE


def test_without_a_location_and_not_to_be_found_nobody_knows(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter
) -> None:
    keeping.faults["ServiceRequest"] = (Reply(201), False)
    way = adapter(EprEndpoint(epr.base, Strategy.CREATES))
    with pytest.raises(OutcomeUnknown) as caught:
        way.send(bundle(), REQUEST, unguarded)
    assert caught.value.code == "epr-no-location"


@pytest.mark.parametrize("search", [Reply(503), Reply(403), Reply(200, b"<html/>")])
def test_without_a_location_and_where_looking_fails_nobody_knows(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter, search: Reply
) -> None:
    """It was taken: what goes on at once, as after an answer that says that nothing was done,
    meets an index that does not have it yet, and doubles it."""
    keeping.faults["ServiceRequest"] = (Reply(201), True)

    def answer(seen: Seen) -> Reply | None:
        looks = seen.method == "GET" and "/ServiceRequest?" in seen.path
        return search if looks else keeping.answer(seen)

    epr.answer = answer
    with pytest.raises(OutcomeUnknown) as caught:
        adapter(EprEndpoint(epr.base, Strategy.CREATES)).send(bundle(), REQUEST, unguarded)
    assert caught.value.code == "epr-no-location"


def test_a_body_names_the_resource_where_no_header_does(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter
) -> None:
    body = {"resourceType": "ServiceRequest", "id": "body", "meta": {"versionId": "9"}}
    keeping.faults["ServiceRequest"] = (Reply(201, body, CONTENT), True)
    delivered = adapter(EprEndpoint(epr.base, Strategy.CREATES)).send(bundle(), REQUEST, unguarded)
    assert Landed("ServiceRequest/body", "9") in delivered.resources


def test_warnings_are_kept(epr: Scripted, keeping: Keeping, adapter: MakeAdapter) -> None:
    issue = {"severity": "warning", "code": "processing", "details": {"text": "No such clinic"}}
    body = {"resourceType": "OperationOutcome", "issue": [issue]}
    reply = Reply(201, body, {**CONTENT, "Location": "ServiceRequest/1"})
    keeping.faults["ServiceRequest"] = (reply, True)
    delivered = adapter(EprEndpoint(epr.base, Strategy.CREATES)).send(bundle(), REQUEST, unguarded)
    assert "warning processing: No such clinic" in delivered.warnings
    assert delivered.as_stored()["warnings"] == list(delivered.warnings)


def test_what_the_epr_does_not_take_is_left_out_and_referred_to_logically(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter
) -> None:
    epr.statement = declared("Patient ServiceRequest QuestionnaireResponse")
    sent = request_bundle(request_id=REQUEST, matched=False, proxy=True)
    delivered = adapter(EprEndpoint(epr.base, Strategy.CREATES)).send(sent, REQUEST, unguarded)
    assert keeping.counts() == {"Patient": 1, "ServiceRequest": 1, "QuestionnaireResponse": 1}
    source = keeping.kept["QuestionnaireResponse"][0]["source"]
    assert source == {"type": "RelatedPerson", "display": "Ngozi Okafor"}
    assert any("Provenance, RelatedPerson, Task" in w for w in delivered.warnings)


def test_an_epr_that_does_not_take_the_root_gets_nothing(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter
) -> None:
    epr.statement = declared("Patient Communication QuestionnaireResponse")
    with pytest.raises(Refused) as caught:
        adapter(EprEndpoint(epr.base, Strategy.CREATES)).send(bundle(), REQUEST, unguarded)
    assert caught.value.code == "epr-cannot-take"
    assert not epr.writes()


def test_resources_in_a_circle_are_a_mistake_of_the_mapping(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    sent = bundle()
    focus, task = sent["entry"][1], sent["entry"][3]
    focus["resource"]["supportingInfo"] = [{"reference": task["fullUrl"]}]
    with pytest.raises(Defect) as caught:
        adapter(EprEndpoint(epr.base, Strategy.CREATES)).send(sent, REQUEST, unguarded)
    assert caught.value.code == "bundle-circle"


def test_the_guard_is_asked_before_each_write_and_can_stop_it(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter
) -> None:
    asked = []

    def guard():  # type: ignore[no-untyped-def]
        asked.append(len(epr.writes()))
        if len(asked) == 3:
            raise TryLater("taken over", code="taken-over")
        return lambda: None

    progress = MemoryProgress()
    way = adapter(EprEndpoint(epr.base, Strategy.CREATES), progress)
    with pytest.raises(TryLater):
        way.send(bundle(), REQUEST, guard)
    assert asked == [0, 1, 2]
    assert len([p for p in progress.load(REQUEST).values() if p]) == 2


def test_two_copies_from_an_earlier_gateway_are_not_made_three(
    epr: Scripted, keeping: Keeping, adapter: MakeAdapter
) -> None:
    progress, sent = MemoryProgress(), bundle()
    keeping.faults["ServiceRequest"] = (Reply(500), True)
    way = adapter(EprEndpoint(epr.base, Strategy.CREATES), progress)
    with pytest.raises(OutcomeUnknown):
        way.send(sent, REQUEST, unguarded)
    copy = {**keeping.kept["ServiceRequest"][0], "id": "copy"}
    assert copy["identifier"] == [identifier(REQUEST_ID, REQUEST)]
    keeping.kept["ServiceRequest"].append(copy)
    way.send(sent, REQUEST, unguarded)
    assert len(keeping.kept["ServiceRequest"]) == 2
