"""The asserts on requests, of operations that are not the last one as well."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.conftest import RunScript
from tests.conformance.recorder import Recorder
from tests.conformance.writing import asserts, messages, operation, outcomes, script

SEARCH = operation("search", resource="Patient", params="?identifier=urn:x|1&name=Ann B")


@pytest.mark.parametrize(
    ("kept", "source"), [("requestId", "asked"), ("responseId", "answered"), ("requestId", "")]
)
def test_a_request_is_judged_by_the_id_under_which_it_was_kept(
    server: str, run_script: RunScript, kept: str, source: str
) -> None:
    first = operation("read", resource="Patient", params="/1", **{kept: source or "asked"})
    of = {"sourceId": source} if source else {}
    wanted = ("get", "/Patient/1") if source else ("delete", "/Patient/2")
    actions = [
        first,
        asserts(response="notFound"),
        operation("delete", resource="Patient", params="/2"),
        asserts(requestMethod=wanted[0], direction="request", **of),
        asserts(requestURL=wanted[1], direction="request", **of),
        asserts(requestURL=wanted[1], direction="request", operator="notEquals", **of),
    ]

    run = run_script(server, script(actions))

    assert [str(s.outcome) for s in next(run.tests()).steps][3:] == ["pass", "pass", "fail"]


def test_a_request_that_nobody_kept_is_an_error(server: str, run_script: RunScript) -> None:
    run = run_script(server, script([SEARCH, asserts(requestMethod="get", sourceId="nobody")]))

    assert outcomes(run) == ["error"]
    assert "no request is known as 'nobody'" in messages(run)[0]


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({"requestURL": "/Patient"}, "pass"),
        ({"requestURL": "Patient"}, "pass"),
        ({"requestURL": "/Patient?identifier=urn:x|1&name=Ann B"}, "pass"),
        ({"requestURL": "?identifier=urn:x|1&name=Ann B"}, "pass"),
        ({"requestURL": "identifier=urn:x|1", "operator": "contains"}, "pass"),
        ({"requestURL": "identifier=urn:x%7C1", "operator": "contains"}, "pass"),
        ({"requestURL": "/Group,/Patient", "operator": "in"}, "pass"),
        ({"requestURL": "/Group,/Patient", "operator": "notIn"}, "fail"),
        ({"requestURL": "${target}/Patient"}, "pass"),
        ({"requestURL": "atient"}, "fail"),
        ({"requestURL": "/Group"}, "fail"),
        ({"requestURL": "/Group", "operator": "notEquals"}, "pass"),
        ({"requestURL": "/Patient", "operator": "notEquals"}, "fail"),
        ({"requestURL": "urn:x|1", "operator": "notContains"}, "fail"),
    ],
)
def test_an_address_is_compared_as_it_was_sent_and_as_it_was_written(
    recorder: Recorder, server: str, run_script: RunScript, given: dict[str, Any], outcome: str
) -> None:
    recorder.on("GET /Patient", {"resourceType": "Bundle", "type": "searchset"})

    run = run_script(server, script([SEARCH, asserts(direction="request", **given)]))

    assert outcomes(run) == [outcome], messages(run)


def test_navigation_links_that_are_not_to_be_judged_leave_the_rest_of_an_assert(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    recorder.on("GET /Patient", {"resourceType": "Bundle", "type": "searchset"})
    actions = [SEARCH, asserts(navigationLinks=False, response="okay")]
    links = [{"relation": name, "url": "?page=1"} for name in ("first", "next", "last")]
    paged = {"resourceType": "Bundle", "type": "searchset", "link": links}
    recorder.on("GET /Group", paged)
    group = operation("search", resource="Group")

    run = run_script(
        server,
        script(
            actions, [SEARCH, asserts(navigationLinks=True)], [group, asserts(navigationLinks=True)]
        ),
    )

    assert outcomes(run) == ["pass", "fail", "pass"], messages(run)


@pytest.mark.parametrize(
    ("answered", "given", "outcome"),
    [
        ("application/fhir+json", {"contentType": "json"}, "pass"),
        ("application/fhir+json; charset=utf-8", {"contentType": "application/fhir+json"}, "pass"),
        ("application/fhir+json", {"contentType": "application/fhir+json;charset=UTF-8"}, "pass"),
        (
            'application/fhir+json;charset="UTF-8"; fhirVersion=4.0',
            {"contentType": "Application/FHIR+JSON; charset=utf-8;fhirVersion=4.0"},
            "pass",
        ),
        (
            "application/fhir+json; charset=utf-8",
            {"contentType": "application/fhir+json;charset=iso-8859-1"},
            "fail",
        ),
        ("application/fhir+json", {"contentType": "application/fhir+json;fhirVersion=4.0"}, "fail"),
        ("application/json", {"contentType": "json"}, "fail"),
        ("application/json", {"contentType": "json", "operator": "notEquals"}, "pass"),
        ("application/json", {"contentType": "xml,application/json", "operator": "in"}, "pass"),
        ("application/json", {"contentType": "xml,json", "operator": "notIn"}, "pass"),
        ("application/fhir+xml", {"contentType": "xml,json", "operator": "notIn"}, "fail"),
        ("application/json", {"contentType": "json", "operator": "contains"}, "pass"),
    ],
)
def test_the_parameters_of_a_content_type_count_where_the_assert_names_them(
    recorder: Recorder,
    server: str,
    run_script: RunScript,
    answered: str,
    given: dict[str, Any],
    outcome: str,
) -> None:
    recorder.on("GET /Patient", {"resourceType": "Bundle"}, content_type=answered)

    run = run_script(server, script([SEARCH, asserts(**given)]))

    assert outcomes(run) == [outcome], messages(run)
