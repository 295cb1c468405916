"""Whatever a script or a server says, a run ends with reports that can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_gateway.conformance import lint, report_folder, runs, script, suites
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import Outcome, Run
from fhir_gateway.conformance.script import Script

BASE = "https://epr.example/fhir"
TEXTS = st.sampled_from(
    "p r p2 x Patient Patient.id ${x} ${run} ${D4} ${p} /${x} ?a=b|c $.id fhir:Patient/fhir:id "
    "json xml none read create update search delete validate okay created 200 200,201 equals in "
    "empty contains eval get post Location ETag http://[ https://evil.example/ ../../etc/passwd "
    "#p fixtures/p.json true ' \" ]]>".split()
) | st.text(max_size=12)
SCALARS = TEXTS | st.booleans() | st.integers(-3, 10**6) | st.none()
JSON = st.recursive(
    SCALARS, lambda i: st.lists(i, max_size=3) | st.dictionaries(TEXTS, i, max_size=3), max_leaves=6
)
OPERATION_NAMES = (
    "type resource accept contentType destination encodeRequestUrl method origin params "
    "requestHeader requestId responseId sourceId targetId url description label"
).split()
ASSERT_NAMES = (
    "label description direction compareToSourceId compareToSourceExpression compareToSourcePath "
    "contentType expression headerField minimumId navigationLinks operator path requestMethod "
    "requestURL resource response responseCode sourceId validateProfileId value warningOnly "
    "stopTestOnFail"
).split()


def parts(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    values = SCALARS | JSON | st.fixed_dictionaries({"code": TEXTS})
    return st.dictionaries(st.sampled_from(names), values, max_size=6)


ACTIONS = st.lists(
    st.fixed_dictionaries({"operation": parts(OPERATION_NAMES)})
    | st.fixed_dictionaries({"assert": parts(ASSERT_NAMES)})
    | JSON,
    max_size=4,
)
PHASE = st.fixed_dictionaries({"action": ACTIONS}) | JSON
SCRIPTS = st.fixed_dictionaries(
    {"resourceType": st.just("TestScript")},
    optional={
        "id": SCALARS,
        "name": SCALARS,
        "url": SCALARS,
        "title": SCALARS,
        "setup": PHASE,
        "test": st.lists(PHASE, max_size=3) | JSON,
        "teardown": PHASE,
        "fixture": st.lists(
            st.fixed_dictionaries(
                {"id": TEXTS, "resource": st.fixed_dictionaries({"reference": TEXTS})},
                optional={"autocreate": SCALARS, "autodelete": SCALARS},
            )
            | JSON,
            max_size=2,
        ),
        "variable": st.lists(parts(["name", *ASSERT_NAMES, "defaultValue"]), max_size=3) | JSON,
        "profile": JSON,
        "contained": JSON,
        "metadata": JSON,
        "extension": JSON,
    },
)
ANSWERS = st.tuples(
    st.integers(100, 599).filter(lambda code: code >= 200),
    st.dictionaries(
        st.sampled_from(["content-type", "location", "etag", "x-odd"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
        max_size=3,
    ),
    JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=30)
    | st.fixed_dictionaries({"resourceType": TEXTS, "id": JSON}).map(
        lambda v: json.dumps(v).encode()
    )
    | st.just(b'<Patient xmlns="http://hl7.org/fhir"><id value="1"/></Patient>'),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("suite")
    (root / "fixtures").mkdir()
    (root / "fixtures" / "p.json").write_text('{"resourceType":"Patient","id":"${x}"}')
    return root


def run_against(folder: Path, resource: dict[str, Any], answer: tuple[int, Any, bytes]) -> Run:
    status, headers, body = answer

    def answers(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers, content=body)

    one = Script(resource, folder / "script.json", folder, "suite")
    suite = suites.Suite("suite", "Suite", "", folder, (one,))
    with Caller(BASE, transport=httpx.MockTransport(answers)) as caller:
        return runs.run(runs.Plan([suite]), {1: caller})


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(resource=SCRIPTS, answer=ANSWERS)
def test_a_run_always_ends_and_its_reports_can_be_read(
    folder: Path, resource: dict[str, Any], answer: tuple[int, Any, bytes]
) -> None:
    run = run_against(folder, resource, answer)

    files = report_folder.files(run)
    for name, content in files.items():
        if name.endswith((".json", ".har")):
            json.loads(content)
    ElementTree.fromstring(files["junit.xml"])
    for test in run.tests():
        judged = [step for step in test.steps if step.outcome != Outcome.SKIP]
        assert test.outcome != Outcome.PASS or judged, "nothing was judged, and it passed"


@settings(max_examples=300, deadline=None)
@given(resource=SCRIPTS)
def test_any_script_can_be_checked(resource: dict[str, Any]) -> None:
    one = Script(resource, Path("script.json"), Path("."), "suite")

    for finding in lint.findings(one):
        assert finding.level in ("error", "warning")
        assert finding.message


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=80) | JSON.map(lambda v: json.dumps(v).encode()))
def test_any_file_is_a_script_or_an_error_that_names_it(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("any") / "any.json"
    file.write_bytes(content)

    try:
        message = script.read_script(file).file.name
    except script.ScriptError as error:
        message = str(error)
    assert "any.json" in message
