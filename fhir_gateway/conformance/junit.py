"""JUnit XML, as CI servers read it: a suite for each TestScript, a case for each test.

The dialect of Jenkins' and GitLab's readers: `failure` for a fail, `error` for what could not be
judged, `skipped` with its reason; warnings pass, and are in `system-out`.
"""

from __future__ import annotations

from lxml import etree

from fhir_gateway.conformance.results import Outcome, Run, ScriptResult, TestResult

_ELEMENTS = {Outcome.FAIL: "failure", Outcome.ERROR: "error", Outcome.SKIP: "skipped"}


def document(run: Run) -> bytes:
    """The report of a run."""
    root = etree.Element("testsuites", name=_clean(run.target))
    for result in run.scripts:
        root.append(_suite(result))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{run.seconds:.3f}")
    content: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return content


def _suite(result: ScriptResult) -> etree._Element:
    suite = etree.Element("testsuite", name=_clean(f"{result.suite}/{result.script}"))
    if result.started:
        suite.set("timestamp", result.started.replace(tzinfo=None).isoformat(timespec="seconds"))
    cases = [_case(result, test) for test in result.tests]
    if result.beside_tests:
        message = result.problem or next(
            s.message for s in result.setup if s.outcome == result.beside_tests
        )
        whole = TestResult(
            f"{result.suite}/{result.script}/setup", "setup", result.beside_tests, message
        )
        cases.append(_case(result, whole))
    suite.extend(cases)
    for name, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(element) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    suite.set("time", f"{sum(test.seconds for test in result.tests):.3f}")
    return suite


def _case(result: ScriptResult, test: TestResult) -> etree._Element:
    case = etree.Element(
        "testcase",
        classname=_clean(f"{result.suite}.{result.script}"),
        name=_clean(test.name),
        time=f"{test.seconds:.3f}",
    )
    element = _ELEMENTS.get(test.outcome)
    if element:
        child = etree.SubElement(case, element, message=_clean(test.message or test.outcome))
        if element != "skipped":
            child.set("type", str(test.outcome))
        child.text = _clean("\n".join(_lines(test)))
    elif test.outcome == Outcome.WARNING:
        out = etree.SubElement(case, "system-out")
        out.text = _clean("\n".join(_lines(test)))
    return case


def _lines(test: TestResult) -> list[str]:
    lines = [test.key]
    lines += [f"{r.specification} {r.version} {r.section} {r.link}" for r in test.requirements]
    lines += [f"[{step.outcome}] {step.label}: {step.message}" for step in test.steps]
    return lines


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(
        char
        for char in text
        if char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "�" or char > "\uffff"
    )
