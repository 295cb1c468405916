from __future__ import annotations

from xml.etree import ElementTree

from fhir_gateway.conformance import junit
from tests.conformance import report_runs

NUMBERS = ("tests", "failures", "errors", "skipped")


def read() -> ElementTree.Element:
    return ElementTree.fromstring(junit.document(report_runs.run()))


def test_the_counts_are_those_of_the_cases() -> None:
    root = read()

    assert {name: root.get(name) for name in NUMBERS} == {
        "tests": "6",
        "failures": "1",
        "errors": "2",
        "skipped": "1",
    }
    for suite in root:
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases))
        for number, name in zip(NUMBERS[1:], ("failure", "error", "skipped"), strict=True):
            assert suite.get(number) == str(sum(c.find(name) is not None for c in cases))


def test_only_elements_and_attributes_of_the_dialect_are_there() -> None:
    allowed = {
        "testsuites": {"name", "time", *NUMBERS},
        "testsuite": {"name", "time", "timestamp", *NUMBERS},
        "testcase": {"classname", "name", "time"},
        "failure": {"message", "type"},
        "error": {"message", "type"},
        "skipped": {"message"},
        "system-out": set(),
    }
    for element in read().iter():
        assert element.tag in allowed
        assert set(element.keys()) <= allowed[element.tag]


def test_a_failure_says_why_and_what_was_checked() -> None:
    failure = read().find(".//failure")

    assert failure is not None
    assert (failure.get("message") or "").startswith("because <script>")
    assert "https://hl7.org/fhir/R4/http.html#ccreate" in (failure.text or "")
