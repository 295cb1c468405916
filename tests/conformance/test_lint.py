from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway.conformance import lint
from fhir_gateway.conformance.finding import ERROR
from fhir_gateway.conformance.script import read_script
from tests.conformance.writing import asserts, operation, script

READ = operation("read", resource="Patient", params="/1")
OKAY = asserts(response="okay")
LINK = {
    "metadata": {
        "capability": [
            {
                "required": True,
                "validated": False,
                "link": ["https://hl7.org/fhir/R4/http.html#read"],
                "capabilities": "https://example.org/CapabilityStatement/any",
            }
        ]
    }
}


def found(folder: Path, *tests: list[Any], **more: Any) -> list[str]:
    file = folder / "script.json"
    file.write_text(json.dumps(script(*tests, **LINK, **more)))
    return [f"{one.level}: {one.place}: {one.message}" for one in lint.findings(read_script(file))]


def test_a_good_script_has_no_finding(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"resourceType":"Patient","id":"${x}"}')

    assert (
        found(
            tmp_path,
            [
                operation("create", sourceId="p", responseId="r"),
                asserts(response="created", sourceId="r"),
                asserts(expression="Patient.id = '${id}'"),
                asserts(path="fhir:Patient/fhir:id/@value", value="${run}"),
                asserts(path="$.id", operator="notEmpty"),
                asserts(validateProfileId="patient"),
            ],
            fixture=[
                {
                    "id": "p",
                    "autocreate": False,
                    "autodelete": True,
                    "resource": {"reference": "p.json"},
                }
            ],
            variable=[
                {"name": "id", "expression": "Patient.id", "sourceId": "r"},
                {"name": "x", "defaultValue": "1"},
            ],
            profile=[
                {"id": "patient", "reference": "http://hl7.org/fhir/StructureDefinition/Patient"}
            ],
        )
        == []
    )


@pytest.mark.parametrize(
    ("actions", "finding"),
    [
        ([operation("frob"), OKAY], "error: test[0].action[0].operation: the operation 'frob'"),
        ([operation(method="brew"), OKAY], "error: test[0].action[0].operation: 'BREW'"),
        ([operation(), OKAY], "error: test[0].action[0].operation: neither type nor method"),
        ([operation("read"), OKAY], "error: test[0].action[0].operation: nothing says which"),
        (
            [operation("read", targetId="x"), OKAY],
            "error: test[0].action[0].operation: targetId 'x' is neither",
        ),
        ([operation("create", resource="Patient"), OKAY], "warning: test[0].action[0].operation"),
        ([OKAY], "error: test[0].action[0].assert: no operation before it"),
        ([READ, asserts()], "error: test[0].action[1].assert: it checks nothing"),
        ([READ, asserts(response="fine")], "error: test[0].action[1].assert: 'fine' is no resp"),
        (
            [READ, asserts(responseCode="200", operator="is")],
            "error: test[0].action[1].assert: 'is' is no operator",
        ),
        ([READ, OKAY, asserts(expression="a.((")], "error: test[0].action[2].assert: FHIRPath"),
        ([READ, OKAY, asserts(path="//[")], "error: test[0].action[2].assert: XPath"),
        (
            [READ, OKAY, asserts(path="$.a[?length(@.b)]", value="1")],
            "warning: test[0].action[2].assert: not supported: the JSONPath",
        ),
        (
            [READ, OKAY, asserts(validateProfileId="x")],
            "error: test[0].action[2].assert: there is no profile 'x'",
        ),
        (
            [READ, OKAY, asserts(headerField="ETag")],
            "error: test[0].action[2].assert: a header without a value",
        ),
        (
            [READ, OKAY, asserts(expression="id", value="${nobody}")],
            "error: TestScript: ${nobody} is not declared",
        ),
        ([READ], "warning: test[0]: it has no assert, so it cannot fail"),
        (
            [READ, asserts(response="okay", warningOnly=True)],
            "warning: test[0]: all its asserts are warningOnly",
        ),
        (
            [READ, asserts(expression="Bundle.entry.all(resource.exists())")],
            "warning: test[0]: 'Bundle.entry.all(resource.exists())' is true of any answer",
        ),
        (
            [READ, OKAY, asserts(headerField="a", operator="contains", value="")],
            "error: test[0].action[2].assert: it compares with an empty value",
        ),
        (
            [READ, OKAY, asserts(navigationLinks=False)],
            "error: test[0].action[2].assert: it checks",
        ),
        ([READ, OKAY, {"assert": {"response": "okay"}}], "error: TestScript: "),
    ],
)
def test_what_is_wrong_is_found_at_its_place(
    tmp_path: Path, actions: list[Any], finding: str
) -> None:
    assert any(one.startswith(finding) for one in found(tmp_path, actions)), found(
        tmp_path, actions
    )


def test_names_that_lead_nowhere_and_names_that_nobody_uses(tmp_path: Path) -> None:
    listed = found(
        tmp_path,
        [READ, OKAY],
        fixture=[
            {"id": "p", "autocreate": False, "autodelete": False, "resource": {"reference": "#no"}}
        ],
        variable=[{"name": "v", "expression": "a", "sourceId": "nobody"}],
    )

    assert (
        "error: fixture[0]: the fixture 'p' names the contained 'no', which is not there" in listed
    )
    assert "error: variable[0]: sourceId 'nobody' is neither fixture nor answer" in listed
    assert "warning: TestScript: the variable 'v' is not used" in listed
    assert "warning: TestScript: the fixture 'p' is not used" in listed


def test_two_tests_of_one_name_are_an_error(tmp_path: Path) -> None:
    file = tmp_path / "script.json"
    resource = script([READ, OKAY], [READ, OKAY], **LINK)
    resource["test"][1]["id"] = "t1"
    file.write_text(json.dumps(resource))

    errors = [one.message for one in lint.findings(read_script(file)) if one.level == ERROR]

    assert errors == [f"2 tests are called {tmp_path.name}/script/t1"]
