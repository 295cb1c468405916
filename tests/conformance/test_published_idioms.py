"""What published scripts do that R4 does not quite say: HL7's examples and Touchstone's suites."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fhir_gateway.conformance import runs
from fhir_gateway.conformance.errors import ScriptError
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.script import read_script
from fhir_gateway.conformance.suites import Suite
from tests.conformance.conftest import RunScript
from tests.conformance.recorder import Recorder
from tests.conformance.writing import asserts, messages, operation, outcomes, script
from tests.requirements import require

PATIENT = {"resourceType": "Patient", "id": "example", "name": [{"family": "Test", "given": ["A"]}]}
#: In the style of HL7's first example: XML, R5's stopTestOnFail, a fixture by type and id, a path
#: without prefixes, the code system of interactions, XPath with the prefix fhir, a comparison at
#: the same place, a profile of the base specification.
IN_XML = """<TestScript xmlns="http://hl7.org/fhir"><id value="style"/><name value="Style"/>
<fixture id="made"><resource><reference value="Patient/example"/></resource></fixture>
<profile id="base"><reference value="http://hl7.org/fhir/StructureDefinition/Patient"/></profile>
<variable><name value="id"/><path value="Patient/id"/><sourceId value="made"/></variable>
<setup>
<action><operation><type><system value="http://hl7.org/fhir/restful-interaction"/>
<code value="delete"/></type><resource value="Patient"/><params value="/${id}"/>
</operation></action>
<action><assert><operator value="in"/><responseCode value="200,204"/>
<stopTestOnFail value="false"/><warningOnly value="true"/></assert></action>
<action><operation><type><code value="update"/></type><resource value="Patient"/>
<accept value="json"/><contentType value="json"/><params value="/${id}"/><sourceId value="made"/>
</operation></action>
<action><assert><direction value="response"/><responseCode value="201"/>
<stopTestOnFail value="false"/><warningOnly value="false"/></assert></action>
</setup>
<test id="read"><name value="Read"/>
<action><operation><type><code value="read"/></type><resource value="Patient"/>
<encodeRequestUrl value="false"/><responseId value="got"/><targetId value="made"/>
</operation></action>
<action><assert><response value="okay"/><warningOnly value="false"/></assert></action>
<action><assert><headerField value="Last-Modified"/><operator value="notEmpty"/>
<warningOnly value="false"/></assert></action>
<action><assert><resource value="Patient"/><warningOnly value="false"/></assert></action>
<action><assert><validateProfileId value="base"/><warningOnly value="false"/></assert></action>
<action><assert><operator value="equals"/><path value="fhir:Patient/fhir:name/fhir:family/@value"/>
<sourceId value="got"/><value value="Test"/><warningOnly value="false"/></assert></action>
<action><assert><compareToSourceId value="made"/>
<compareToSourceExpression value="Patient.name.first().family"/><operator value="equals"/>
<warningOnly value="false"/></assert></action>
<action><assert><compareToSourceId value="made"/>
<compareToSourcePath value="fhir:Patient/fhir:name/fhir:given/@value"/>
<path value="fhir:Patient/fhir:name/fhir:given/@value"/><sourceId value="got"/>
<warningOnly value="false"/></assert></action>
<action><assert><minimumId value="made"/><warningOnly value="false"/></assert></action>
</test>
<teardown><action><operation><type><code value="delete"/></type><resource value="Patient"/>
<targetId value="made"/></operation></action></teardown></TestScript>"""


def test_the_style_of_hl7s_first_example(tmp_path: Path, recorder: Recorder, server: str) -> None:
    (tmp_path / "style.xml").write_text(IN_XML)
    (tmp_path / "patient-example.xml").write_text(
        '<Patient xmlns="http://hl7.org/fhir"><id value="example"/>'
        '<name><family value="Test"/><given value="A"/></name></Patient>'
    )
    recorder.on("PUT /Patient/example", PATIENT, 201)
    recorder.on("GET /Patient/example", PATIENT, last_modified="Wed, 25 Nov 2026 10:00:00 GMT")
    recorder.on("DELETE /Patient/example", status=204)
    one = read_script(tmp_path / "style.xml")

    with Caller(server) as caller:
        run = runs.run(runs.Plan([Suite("s", "s", "", tmp_path, (one,))]), {1: caller})

    assert [s.message for t in run.tests() for s in t.steps if s.outcome != "pass"] == []
    assert run.ok
    assert [f"{a.method} {a.path}" for a in recorder.asked if a.path != "/metadata"] == [
        "DELETE /Patient/example",
        "PUT /Patient/example",
        "GET /Patient/example",
        "DELETE /Patient/example",
    ]


def test_a_created_resource_is_read_by_its_location(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    location = f"{server}/Patient/7/_history/1"
    recorder.on("POST /Patient", PATIENT, 201, location=location)
    recorder.on("GET /Patient/7/_history/1", PATIENT)
    actions = [
        operation("create", resource="Patient", sourceId="p", responseId="made"),
        asserts(response="created"),
        operation("read", url="${location}"),
        asserts(response="okay"),
    ]

    run = run_script(
        server,
        script(
            actions,
            fixture=[{"id": "p", "resource": {"reference": "Patient/example"}}],
            variable=[{"name": "location", "headerField": "Location", "sourceId": "made"}],
        ),
        {"patient-example.json": PATIENT},
    )

    assert outcomes(run) == ["pass"], messages(run)


def test_an_expression_may_start_within_the_resource_and_compare_numbers(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": 2, "entry": [{}, {}]}
    recorder.on("GET /Patient", bundle)
    actions = [
        operation("search", resource="Patient", params="?name=none"),
        asserts(expression="Bundle.total.toInteger() >= entry.count()"),
        asserts(expression="Bundle.total.toInteger()", operator="greaterThan", value="1"),
        asserts(expression="Bundle.total", value="${total}"),
    ]

    run = run_script(
        server,
        script(actions, variable=[{"name": "total", "expression": "Bundle.total.toInteger()"}]),
    )

    assert outcomes(run) == ["pass"], messages(run)


def test_an_operation_of_any_type_may_name_another_in_its_params(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on("POST /Observation/$get", {"resourceType": "Parameters"})
    actions = [
        operation("process-message", resource="Observation", params="/$get"),
        asserts(resource="Parameters"),
    ]

    assert outcomes(run_script(server, script(actions))) == ["pass"]


def reference_scripts() -> list[Path]:
    data = os.environ.get("FHIR_GATEWAY_REFERENCE_DATA")
    folder = Path(data) / "testscripts" if data else None
    if folder is None or not folder.is_dir():
        return []
    return sorted(f for f in folder.rglob("*") if f.suffix in (".json", ".xml"))


def test_scripts_of_the_reference_data_run(epr: str) -> None:
    found: list[Any] = []
    files = reference_scripts()
    if not files:
        require(
            "testscripts",
            "published TestScripts are not at hand: set FHIR_GATEWAY_REFERENCE_DATA to a folder "
            "with `testscripts` in it",
        )
    for file in files:
        try:
            one = read_script(file, root=file.parent, suite="reference")
        except ScriptError:
            continue  # a fixture
        with Caller(epr) as caller:
            run = runs.run(runs.Plan([Suite("s", "s", "", file.parent, (one,))]), {1: caller})
        found += [(file.name, s.message) for t in run.tests() for s in t.steps]
    assert [one for one in found if "the engine could not" in one[1]] == []
