from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.conformance import words
from tests.conformance.writing import asserts, operation


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (
            operation("create", sourceId="p", responseId="r", accept="xml"),
            "POST [base]/[its type], sending 'p', asking for xml; the answer is kept as 'r'",
        ),
        (operation("read", targetId="p"), "GET [base]/[type and id of 'p']"),
        (operation("search", resource="Patient", params="?a=b"), "GET [base]/Patient?a=b"),
        (operation("capabilities"), "GET [base]/metadata"),
        (operation("everything", targetId="p"), "GET [base]/[type and id of 'p']/$everything"),
        (operation(method="head", url="${x}", destination=2), "HEAD ${x}, at the server 2"),
        (
            operation("update", sourceId="p", requestHeader=[{"field": "If-Match", "value": "1"}]),
            "PUT [base]/[its type]/[its id], sending 'p', with If-Match: 1",
        ),
        (asserts(response="created"), "the status must be 201 (created)"),
        (asserts(responseCode="200,201", operator="in"), "the status must be one of 200,201"),
        (asserts(headerField="ETag", operator="notEmpty"), "the header ETag must be there"),
        (asserts(expression="a", value="1"), "a must be '1'"),
        (asserts(expression="a.exists()", sourceId="r"), "a.exists() must be true (of 'r')"),
        (asserts(minimumId="p"), "at least everything of 'p' must be there"),
        (
            asserts(compareToSourceId="p", compareToSourceExpression="a"),
            "a must be what 'p' has there",
        ),
        (
            asserts(path="a", compareToSourceId="p", compareToSourcePath="b"),
            "a must be b of 'p'",
        ),
        (
            asserts(navigationLinks=True, warningOnly=True),
            "the paging links must be complete; else a warning only",
        ),
        (
            asserts(requestMethod="get", direction="request"),
            "the request's method must be get (of the request)",
        ),
        (
            asserts(resource="Bundle", stopTestOnFail=False),
            "the resource must be Bundle; the test goes on if not",
        ),
        (asserts(), "checks nothing"),
        (asserts(navigationLinks=False), "checks nothing"),
        (asserts(navigationLinks=False, response="gone"), "the status must be 410 (gone)"),
    ],
)
def test_each_step_in_words(action: dict[str, Any], said: str) -> None:
    assert words.step(action) == said
