"""QuestionnaireResponses that clients create: accepted as those of the pages are, and once."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest

from fhir_gateway.fhir import exchange_xml
from fhir_gateway.rest.response_create import REFERENCE_GIVEN, SERVICE
from fhir_gateway.store import requests
from tests.rest.write_world import IDENTIFIERS, OURS, SERVICES, THEIRS, Writing

HERE = "QuestionnaireResponse"


def test_a_response_is_accepted_with_a_reference_and_a_task(world: Writing) -> None:
    answer = world.post(HERE, world.response("one"))
    assert answer.status_code == 201, answer.text
    created = answer.json()
    (given,) = [e for e in created["extension"] if e["url"] == REFERENCE_GIVEN]
    reference = given["valueIdentifier"]["value"]
    with world.gateway.database.transaction() as tx:
        request = requests.by_reference(tx, reference)
    assert request is not None
    assert request.evidence["verified"] == {}
    assert answer.headers["location"].endswith(f"{HERE}/{created['id']}/_history/1")
    assert answer.headers["etag"] == 'W/"1"'
    read = world.get(f"{HERE}/{created['id']}")
    assert read.status_code == 200
    assert read.json()["item"] == created["item"]
    task = world.task_of(created)
    assert task["status"] == "requested"


def test_the_same_identifier_makes_one_request(world: Writing) -> None:
    first = world.post(HERE, world.response("one"))
    again = world.post(HERE, world.response("one"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert again.json()["extension"] == first.json()["extension"]
    assert world.requests() == 1


def test_an_identifier_on_another_response_is_a_conflict(world: Writing) -> None:
    assert world.post(HERE, world.response("one")).status_code == 201
    other = world.response("one", authored="2026-11-25T10:00:00Z")
    answer = world.post(HERE, other)
    assert answer.status_code == 409
    assert answer.json()["issue"][0]["code"] == "duplicate"
    assert world.requests() == 1


def test_if_none_exist_finds_what_is_there(world: Writing) -> None:
    there = f"identifier={IDENTIFIERS}|one"
    first = world.post(HERE, world.response("one"), If_None_Exist=there)
    other = world.response("one", authored="2026-11-25T10:00:00Z")
    again = world.post(HERE, other, If_None_Exist=there)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert world.requests() == 1


def test_if_none_exist_that_is_not_understood_creates_nothing(world: Writing) -> None:
    answer = world.post(HERE, world.response("one"), If_None_Exist="colour=blue")
    assert answer.status_code == 400
    assert world.requests() == 0


def test_two_at_once_make_one_request(world: Writing) -> None:
    world.token()
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: world.post(HERE, world.response("one")), range(6)))
    assert sorted(a.status_code for a in answers) == [200] * 5 + [201]
    assert world.requests() == 1


def test_a_wrong_answer_is_said_with_its_place(world: Writing) -> None:
    response = copy.deepcopy(world.response())
    response["item"][0]["item"][0]["item"][0]["answer"] = [{"valueString": "Canary 9990001006"}]
    answer = world.post(HERE, response)
    assert answer.status_code == 422
    issues = answer.json()["issue"]
    assert any(issue["expression"][0].startswith("QuestionnaireResponse.item") for issue in issues)
    assert "Canary" not in answer.text
    assert world.requests() == 0


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"status": "in-progress"}, "status"),
        ({"questionnaire": "https://example.org/q|1"}, "questionnaire"),
        ({"questionnaire": ""}, ""),
        ({"item": []}, ""),
    ],
)
def test_what_is_no_completed_response_of_ours_is_refused(
    world: Writing, changes: dict[str, object], place: str
) -> None:
    answer = world.post(HERE, world.response(**changes))
    assert answer.status_code == 422
    if place:
        assert answer.json()["issue"][0]["expression"] == [f"{HERE}.{place}"]
    assert world.requests() == 0


def named(world: Writing, slug: str) -> dict[str, object]:
    return world.response(
        extension=[{"url": SERVICE, "valueReference": {"reference": f"HealthcareService/{slug}"}}]
    )


def test_a_client_creates_for_its_own_services_alone(world: Writing) -> None:
    ours = world.post(HERE, named(world, SERVICES[OURS]))
    theirs = world.post(HERE, named(world, SERVICES[THEIRS]))
    unknown = world.post(HERE, named(world, "nowhere"))
    assert ours.status_code == 201
    assert theirs.status_code == unknown.status_code == 422
    assert theirs.json() == unknown.json()
    both = world.post(HERE, world.response(), provider=f"{OURS} {THEIRS}")
    assert both.status_code == 422
    assert "For which service" in both.text


def test_another_provider_sees_nothing_of_it(world: Writing) -> None:
    created = world.post(HERE, world.response("one")).json()
    assert world.get(f"{HERE}/{created['id']}", provider=THEIRS).status_code == 404
    assert "entry" not in world.get(HERE, provider=THEIRS).json()
    # The identifier is another provider's own: no conflict, and nothing told.
    theirs = world.post(HERE, world.response("one"), provider=THEIRS)
    assert theirs.status_code == 201
    assert theirs.json()["id"] != created["id"]


def test_it_needs_a_token_and_its_scope(world: Writing) -> None:
    assert world.post(HERE, world.response(), provider=None).status_code == 401
    reading = world.post(HERE, world.response(), scopes=f"system/{HERE}.rs")
    assert reading.status_code == 403
    assert world.requests() == 0


def test_prefer_minimal_gives_no_body(world: Writing) -> None:
    answer = world.post(HERE, world.response(), Prefer="return=minimal")
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["location"]


def test_a_response_can_be_xml(world: Writing) -> None:
    body = exchange_xml.dump(world.response("xml"))
    xml = "application/fhir+xml"
    answer = world.call("POST", HERE, body, Content_Type=xml, Accept=xml)
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"].startswith(xml)
    again = world.post(HERE, world.response("xml"))
    assert again.status_code == 200, again.text


def test_a_response_that_is_kept_is_extracted_by_who_may_read_it(world: Writing) -> None:
    made = world.post("QuestionnaireResponse", world.response()).json()
    here = f"QuestionnaireResponse/{made['id']}/$extract"
    for answer in (world.get(here), world.post(here, None)):
        assert answer.status_code == 200, answer.text
        assert answer.json()["resourceType"] in ("Bundle", "Parameters")
    assert world.get(here, provider=None).status_code == 401
    assert world.get(here, provider=THEIRS).status_code == 404
    assert world.get(here, scopes="system/Task.rs").status_code == 403
