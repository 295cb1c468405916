from __future__ import annotations

import json
from typing import Any

import pytest

from fhir_gateway.auth.bearer import FixedBearer
from fhir_gateway.conformance.results import Outcome
from tests.conformance.conftest import RunScript
from tests.conformance.recorder import Recorder
from tests.conformance.writing import asserts, messages, operation, outcomes, script

PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "https://example.org/test", "value": "${run}"}],
    "name": [{"family": "Testfall", "given": ["Anna"]}],
}
FIXTURE = {"id": "p", "resource": {"reference": "fixtures/patient.json"}}
READ = operation("read", resource="Patient", params="/1")


def test_a_script_runs_against_a_real_server(epr: str, run_script: RunScript) -> None:
    actions = [
        operation("create", resource="Patient", sourceId="p", responseId="created"),
        asserts(response="created"),
        asserts(headerField="Location", operator="notEmpty"),
        operation("read", targetId="p"),
        asserts(response="okay"),
        asserts(contentType="json"),
        asserts(minimumId="p"),
        asserts(validateProfileId="patient"),
        asserts(path="fhir:Patient/fhir:name/fhir:family/@value", value="Testfall"),
        asserts(expression="Patient.id = '${id}'"),
        asserts(compareToSourceId="p", compareToSourceExpression="Patient.name.first().family"),
        operation(
            "search", resource="Patient", params="?identifier=https://example.org/test|${run}"
        ),
        asserts(expression="Bundle.entry.count()", value="1"),
        asserts(requestMethod="get", direction="request"),
        asserts(requestURL="identifier", operator="contains"),
    ]

    run = run_script(
        epr,
        script(
            actions,
            fixture=[FIXTURE],
            variable=[{"name": "id", "expression": "Patient.id", "sourceId": "created"}],
            profile=[
                {"id": "patient", "reference": "http://hl7.org/fhir/StructureDefinition/Patient"}
            ],
        ),
        {"patient.json": PATIENT},
    )

    assert [s.message for t in run.tests() for s in t.steps if s.outcome != Outcome.PASS] == []
    assert run.ok
    assert "sandbox EPR" in run.software


def test_fixtures_are_created_before_and_deleted_after(epr: str, run_script: RunScript) -> None:
    fixture = {**FIXTURE, "autocreate": True, "autodelete": True}
    search = operation(
        "search", resource="Patient", params="?identifier=https://example.org/test|${run}"
    )

    run = run_script(
        epr,
        script(
            [search, asserts(expression="Bundle.total", value="1")],
            [operation("read", targetId="p"), asserts(response="okay")],
            fixture=[fixture],
        ),
        {"patient.json": PATIENT},
    )

    assert outcomes(run) == ["pass", "pass"]
    [deleted] = run.scripts[0].teardown
    assert deleted.exchange is not None
    assert deleted.exchange.sent.method == "DELETE"
    assert deleted.exchange.answer is not None
    assert deleted.exchange.answer.status in (200, 204)


def test_what_was_there_before_is_not_deleted(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on("POST /Patient", {"resourceType": "Patient", "id": "old"}, 200)
    fixture = {**FIXTURE, "autodelete": True}
    create = operation(
        "create", sourceId="p", requestHeader=[{"field": "If-None-Exist", "value": "identifier=1"}]
    )

    run_script(
        server,
        script([create, asserts(response="okay")], fixture=[fixture]),
        {"patient.json": PATIENT},
    )

    assert [one.method for one in recorder.asked if one.method == "DELETE"] == []


def test_a_location_that_leads_upwards_names_nothing(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on("POST /Patient", status=201, location="Patient/..")

    run_script(
        server,
        script(
            [operation("create", sourceId="p"), asserts(response="created")],
            fixture=[{**FIXTURE, "autodelete": True}],
        ),
        {"patient.json": PATIENT},
    )

    assert [one.path for one in recorder.asked if one.method == "DELETE"] == []


def test_a_failed_assert_ends_its_test_and_no_other(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on("GET /Patient/1", {"resourceType": "Patient", "id": "1"})

    run = run_script(
        server,
        script(
            [READ, asserts(response="gone"), READ, asserts(response="okay")],
            [READ, asserts(response="okay")],
        ),
    )

    assert outcomes(run) == ["fail", "pass"]
    assert messages(run)[0] == "the status must be '410': it is '200'"
    assert [str(s.outcome) for s in next(run.tests()).steps] == ["pass", "fail", "skip", "skip"]
    assert len([one for one in recorder.asked if one.path == "/Patient/1"]) == 2


@pytest.mark.parametrize(
    "going_on",
    [
        {"stopTestOnFail": False},
        {
            "extension": [
                {
                    "url": "http://hl7.org/fhir/5.0/StructureDefinition/"
                    "extension-TestScript.setup.action.assert.stopTestOnFail",
                    "valueBoolean": False,
                }
            ]
        },
    ],
)
def test_a_test_goes_on_where_the_script_says_so(
    server: str, run_script: RunScript, going_on: dict[str, Any]
) -> None:
    run = run_script(
        server,
        script([READ, asserts(response="okay", **going_on), asserts(response="notFound")]),
    )

    assert outcomes(run) == ["fail"]
    assert [str(s.outcome) for s in next(run.tests()).steps] == ["pass", "fail", "pass"]


def test_a_warning_does_not_fail(server: str, run_script: RunScript) -> None:
    run = run_script(
        server,
        script([READ, asserts(response="notFound"), asserts(response="okay", warningOnly=True)]),
    )

    assert outcomes(run) == ["warning"]
    assert run.ok


def test_a_failed_setup_keeps_tests_from_running_and_teardown_is_tried(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    run = run_script(
        server,
        script(
            [operation("read", resource="Patient", params="/2"), asserts(response="okay")],
            setup={"action": [READ, asserts(response="okay", description="Find it")]},
            teardown={"action": [operation("delete", resource="Patient", params="/1")]},
        ),
    )

    assert outcomes(run) == ["error"]
    assert "setup did not succeed: Find it" in messages(run)[0]
    assert [(one.method, one.path) for one in recorder.asked] == [
        ("GET", "/Patient/1"),
        ("DELETE", "/Patient/1"),
        ("GET", "/metadata"),
    ]


def test_a_setup_that_fails_and_goes_on_is_not_lost(server: str, run_script: RunScript) -> None:
    run = run_script(
        server,
        script(
            [READ, asserts(response="notFound")],
            setup={"action": [READ, asserts(response="okay", stopTestOnFail=False)]},
        ),
    )

    assert outcomes(run) == ["pass"]
    assert not run.ok
    assert run.counts()["fail"] == 1


def test_an_error_that_no_assert_looks_at_is_a_warning(server: str, run_script: RunScript) -> None:
    run = run_script(server, script([READ, READ, asserts(response="notFound")]))

    assert outcomes(run) == ["warning"]
    assert messages(run) == ["404 Not Found, and no assert looks at it"]


@pytest.mark.parametrize(
    ("actions", "outcome", "message"),
    [
        ([operation("frobnicate")], "skip", "'frobnicate'"),
        ([operation("read", targetId="nobody")], "error", "'nobody' is no fixture"),
        ([operation("read", resource="Patient", params="/${x}")], "error", "not declared"),
        ([operation("read", resource="Patient", params="/${input}")], "skip", "--variable input="),
        ([operation("read", resource="Patient", params="/1", destination=2)], "skip", "second"),
        ([READ, asserts(expression="Patient.((")], "error", "FHIRPath"),
        ([READ, asserts()], "error", "checks nothing"),
        ([READ, asserts(navigationLinks=False)], "error", "checks nothing"),
        ([READ, asserts(response="splendid")], "error", "no response code"),
        ([READ, asserts(responseCode="200", operator="resembles")], "error", "no operator"),
        ([READ, asserts(validateProfileId="x")], "error", "no profile 'x'"),
        ([READ, asserts(headerField="ETag")], "error", "needs a value"),
        ([READ, asserts(path="$.a[?length(@.b)]", value="x")], "skip", "JSONPath"),
        ([asserts(response="okay")], "error", "no operation has run"),
        ([{}], "error", "one operation or one assert"),
        ([{"operation": {}, "assert": {}}], "error", "one operation or one assert"),
        ([], "error", "no action"),
    ],
)
def test_what_cannot_be_judged_never_passes(
    server: str, run_script: RunScript, actions: list[Any], outcome: str, message: str
) -> None:
    run = run_script(server, script(actions, variable=[{"name": "input"}]))

    assert outcomes(run) == [outcome]
    assert message in messages(run)[0]
    assert not run.ok


def test_a_tester_gives_the_inputs(recorder: Recorder, server: str, run_script: RunScript) -> None:
    recorder.on("GET /Patient/77", {"resourceType": "Patient"})
    actions = [operation("read", resource="Patient", params="/${id}"), asserts(response="okay")]

    run = run_script(server, script(actions, variable=[{"name": "id"}]), variables={"id": "77"})

    assert outcomes(run) == ["pass"]


def test_a_test_runs_only_where_the_server_says_it_can(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    statement = {"resourceType": "CapabilityStatement", "rest": [{"mode": "server"}]}
    recorder.on("GET /metadata", statement)
    resource = script([READ, asserts(response="notFound")], [READ, asserts(response="notFound")])
    url = "https://w3id.org/fhir-gateway/StructureDefinition/testscript-requires"
    for test, condition in zip(
        resource["test"], ["rest.mode = 'server'", "rest.mode = 'client'"], strict=True
    ):
        test["extension"] = [{"url": url, "valueString": condition}]

    run = run_script(server, resource)

    assert outcomes(run) == ["pass", "skip"]
    assert "does not say: rest.mode = 'client'" in messages(run)[1]


def test_who_may_enter_is_only_judged_by_a_run_that_identifies_itself(
    server: str, run_script: RunScript
) -> None:
    url = "https://w3id.org/fhir-gateway/StructureDefinition/testscript-credentials"
    resource = script([READ, asserts(response="notFound")], [READ, asserts(response="notFound")])
    resource["test"][0]["extension"] = [{"url": url, "valueBoolean": True}]

    without, with_token = (
        run_script(server, resource),
        run_script(server, resource, auth=FixedBearer("synthetic-token")),
    )

    assert outcomes(without) == ["skip", "pass"]
    assert "--auth" in messages(without)[0]
    assert outcomes(with_token) == ["pass", "pass"]


def test_without_a_capability_statement_conditional_tests_are_skipped(
    server: str, run_script: RunScript
) -> None:
    url = "https://w3id.org/fhir-gateway/StructureDefinition/testscript-requires"
    resource = script(
        [READ, asserts(response="notFound")], extension=[{"url": url, "valueString": "true"}]
    )

    run = run_script(server, resource)

    assert outcomes(run) == ["skip"]
    assert not run.ok


def test_only_what_is_selected_runs(server: str, run_script: RunScript) -> None:
    resource = script([READ, asserts(response="notFound")], [READ, asserts(response="okay")])
    url = "https://w3id.org/fhir-gateway/StructureDefinition/testscript-tag"
    resource["test"][0]["extension"] = [{"url": url, "valueCode": "smoke"}]

    by_tag = run_script(server, resource, only=("smoke",))
    by_key = run_script(server, resource, keys=frozenset({"suite/script/t2"}))

    assert [test.key for test in by_tag.tests()] == ["suite/script/t1"]
    assert [test.key for test in by_key.tests()] == ["suite/script/t2"]


def test_xml_both_ways(recorder: Recorder, server: str, run_script: RunScript) -> None:
    xml = b'<Patient xmlns="http://hl7.org/fhir"><id value="1"/><active value="true"/></Patient>'
    recorder.on("POST /Patient", xml, 201, "application/fhir+xml", location="Patient/1")
    statement = (
        b'<CapabilityStatement xmlns="http://hl7.org/fhir"><software><name value="X"/></software>'
        b"</CapabilityStatement>"
    )
    recorder.on("GET /metadata", statement, 200, "application/fhir+xml")
    actions = [
        operation("create", sourceId="p"),
        asserts(response="created"),
        asserts(contentType="xml"),
        asserts(contentType="xml", direction="request"),
        asserts(expression="Patient.active"),
    ]

    run = run_script(
        server, script(actions, fixture=[FIXTURE]), {"patient.json": PATIENT}, format="xml"
    )

    assert outcomes(run) == ["pass"], messages(run)
    assert run.software == "X"
    assert {one.headers["accept"] for one in recorder.asked} == {"application/fhir+xml"}
    [asked] = [one for one in recorder.asked if one.method == "POST"]
    assert asked.headers["accept"] == asked.headers["content-type"] == "application/fhir+xml"
    assert asked.body.startswith(b"<?xml")


def test_an_answer_without_a_resource_fails_what_looks_into_it(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on("GET /Patient/1", b"<html></html>", content_type="text/html")

    run = run_script(server, script([READ, asserts(expression="Patient.id.exists()")]))

    assert outcomes(run) == ["fail"]
    assert messages(run) == [
        "the answer: there is no FHIR resource in it. "
        "It is text/html, and neither a JSON object nor FHIR XML."
    ]


def test_a_server_cannot_write_expressions(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on("GET /Patient/1", {"resourceType": "Patient", "id": "x' or 'a' = 'a"})
    variable = [{"name": "id", "expression": "Patient.id", "sourceId": "r"}]
    read = operation("read", resource="Patient", params="/1", responseId="r")

    quoted = run_script(
        server, script([read, asserts(expression="'b' = '${id}'")], variable=variable)
    )
    bare = run_script(server, script([read, asserts(expression="${id}")], variable=variable))

    assert outcomes(quoted) == ["fail"]
    assert outcomes(bare) == ["error"]


def test_a_link_of_a_server_to_elsewhere_is_not_called(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on(
        "GET /Patient",
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "link": [{"relation": "next", "url": "https://elsewhere.example/steal"}],
        },
    )
    actions = [
        operation("search", resource="Patient", responseId="page"),
        asserts(response="okay"),
        operation(method="get", url="${next}"),
        asserts(response="okay"),
    ]
    variable = {
        "name": "next",
        "expression": "Bundle.link.where(relation = 'next').url",
        "sourceId": "page",
    }

    run = run_script(server, script(actions, variable=[variable]))

    assert outcomes(run) == ["error"]
    assert "another host" in messages(run)[0]


def test_a_body_that_a_fixture_holds_is_sent_with_its_variables_escaped(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on("POST /Patient", {"resourceType": "Patient", "id": "1"}, 201)

    run_script(
        server,
        script([operation("create", sourceId="p"), asserts(response="created")], fixture=[FIXTURE]),
        {"patient.json": {**PATIENT, "id": "${name}"}},
        variables={"name": 'a"b'},
    )

    [asked] = [one for one in recorder.asked if one.method == "POST"]
    assert json.loads(asked.body)["id"] == 'a"b'


def test_a_test_can_look_at_the_last_answer_of_setup_or_of_the_test_before(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on("POST /Patient", status=201, location=f"{server}/Patient/7/_history/1")
    recorder.on("GET /Patient/7/_history/1", {"resourceType": "Patient"})
    create = operation("create", resource="Patient", sourceId="p")
    resource = script(
        [asserts(response="created"), operation("read", url="${location}")],
        [asserts(response="okay"), asserts(resource="Patient")],
        setup={"action": [create]},
        fixture=[FIXTURE],
        variable=[{"name": "location", "headerField": "Location"}],
    )

    run = run_script(server, resource, {"patient.json": PATIENT})
    alone = run_script(server, resource, keys=frozenset({"suite/script/t2"}))

    assert outcomes(run) == ["pass", "pass"], messages(run)
    assert outcomes(alone) == ["pass"], messages(alone)


def test_a_test_does_not_look_at_an_answer_before_the_one_that_was_not_asked_for(
    server: str, run_script: RunScript
) -> None:
    run = run_script(
        server,
        script(
            [READ, asserts(response="okay"), operation("delete", resource="Patient", params="/1")],
            [asserts(response="notFound")],
        ),
    )

    assert outcomes(run) == ["fail", "error"]


def test_the_pages_of_a_real_server_are_linked_as_r4_asks(epr: str, run_script: RunScript) -> None:
    fixtures = [{**FIXTURE, "id": name, "autocreate": True, "autodelete": True} for name in "ab"]
    of_run = "?identifier=https://example.org/test|${run}"

    run = run_script(
        epr,
        script(
            *(
                [
                    operation("search", resource="Patient", params=f"{of_run}{page}"),
                    asserts(navigationLinks=True),
                ]
                for page in ("&_count=1", "&_count=1&_offset=1", "")
            ),
            fixture=fixtures,
        ),
        {"patient.json": PATIENT},
    )

    assert outcomes(run) == ["pass", "pass", "fail"], messages(run)
    assert messages(run)[2].startswith("there is no link 'first'")


@pytest.mark.parametrize(
    "compared",
    [
        {"minimumId": "p"},
        {"compareToSourceId": "p", "compareToSourceExpression": "Patient.id"},
        {"compareToSourceId": "p", "compareToSourcePath": "$.id", "path": "$.id"},
    ],
)
def test_a_fixture_that_holds_nothing_to_compare_with_is_no_failure_of_the_server(
    recorder: Recorder, server: str, run_script: RunScript, compared: dict[str, str]
) -> None:
    recorder.on("GET /Patient/1", {"resourceType": "Patient", "id": "1"})

    run = run_script(
        server,
        script([READ, asserts(**compared)], fixture=[FIXTURE]),
        {"patient.json": b"{broken"},
    )

    assert outcomes(run) == ["error"]
    assert "'p' has no FHIR resource in it" in messages(run)[0]
