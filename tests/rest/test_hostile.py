"""What no client should send: no answer may be a server error, and every one is an outcome."""

from __future__ import annotations

import json
import os
import string
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error

from tests.databases import emptied
from tests.rest.conftest import Api
from tests.rest.people import request

JSON, XML = "application/fhir+json", "application/fhir+xml"
EXTRACT = "/QuestionnaireResponse/$extract"
NAMESPACE = 'xmlns="http://hl7.org/fhir"'
BILLION_LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "lol">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + f"]><QuestionnaireResponse {NAMESPACE}><id value='&i;'/></QuestionnaireResponse>"
)
FOREIGN = f'<!DOCTYPE x SYSTEM "file:///etc/passwd"><QuestionnaireResponse {NAMESPACE}/>'
EXTERNAL = (
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    f"<QuestionnaireResponse {NAMESPACE}><id value='a'/><text><status value='generated'/>"
    "<div xmlns='http://www.w3.org/1999/xhtml'>&e;</div></text></QuestionnaireResponse>"
)
DEEP = 2000
#: Of each operation; more by hand when the kernel changes.
EXAMPLES = int(os.environ.get("FHIR_GATEWAY_SCHEMATHESIS_EXAMPLES", "4"))


@pytest.fixture(scope="module")
def filled(running: Api) -> Api:
    """An API with one request."""
    emptied(running.database)
    running.keep(*request(1))
    return running


def is_refusal(answer: httpx.Response) -> bool:
    return 400 <= answer.status_code < 500 and "OperationOutcome" in answer.text


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b""),
        (JSON, b"{"),
        (JSON, b"[]"),
        (JSON, b"null"),
        (JSON, b"1e999999"),
        (JSON, b'{"resourceType": "QuestionnaireResponse", "resourceType": "Patient"}'),
        (JSON, b'{"resourceType": 7}'),
        (JSON, b'{"resourceType": "QuestionnaireResponse", "id": NaN}'),
        (JSON, b'{"resourceType": "QuestionnaireResponse", "id": "\xff\xfe"}'),
        (JSON, b'{"resourceType": "QuestionnaireResponse", "id": "\\ud800"}'),
        (JSON, b'{"resourceType": "QuestionnaireResponse", "id": "a\\u0000b"}'),
        (JSON, b'{"resourceType": "QuestionnaireResponse", "n": ' + b"9" * 10_000 + b"}"),
        (JSON, b'{"a":' * DEEP + b"1" + b"}" * DEEP),
        (JSON, b"[" * 1_000_000),
        (JSON, b" " * 5_000_001),
        (XML, b""),
        (XML, b"<"),
        (XML, BILLION_LAUGHS.encode()),
        (XML, BILLION_LAUGHS.encode("utf-16")),
        (XML, FOREIGN.encode()),
        (XML, EXTERNAL.encode()),
        (XML, f"<QuestionnaireResponse {NAMESPACE}>".encode() + b"<item>" * DEEP),
        (
            XML,
            f"<QuestionnaireResponse {NAMESPACE}>".encode()
            + b"<item>" * 200
            + b"</item>" * 200
            + b"</QuestionnaireResponse>",
        ),
        (XML, f"<Parameters {NAMESPACE}><x:a xmlns:x='urn:x'/></Parameters>".encode()),
        (XML, b"<QuestionnaireResponse xmlns='http://hl7.org/fhir'>\xff</QuestionnaireResponse>"),
        (XML, f"<!-- --><?x y?><Nonsense {NAMESPACE}/>".encode()),
        (XML, b"<a" + b" x='1'" * 100_000 + b"/>"),
    ],
    ids=lambda value: value[:40].decode("latin-1") if isinstance(value, bytes) else value,
)
def test_what_is_no_fhir_is_refused(filled: Api, kind: str, body: bytes) -> None:
    answer = filled.request("POST", EXTRACT, content=body, headers={"Content-Type": kind})
    assert is_refusal(answer), (answer.status_code, answer.text[:300])
    assert "root:" not in answer.text
    assert len(answer.content) < 2000


@pytest.mark.parametrize(
    "path",
    [
        "/Patient?" + "&".join(f"_id={i}" for i in range(41)),
        "/Patient?_include=" + "x" * 5000,
        "/Patient?_sort=" + ",".join(["birthdate"] * 1000),
        "/Patient?birthdate=ge0000&birthdate=9999-99-99",
        "/Patient?birthdate=9999&birthdate=0001",
        "/Task?authored-on=ap9999",
        "/Task?authored-on=ap0001",
        "/Task?authored-on=9999-12-31T23:59:59-14:00",
        "/Task?_lastUpdated=ap0001-01-01",
        "/Patient?name=%00&family=%EF%BF%BE",
        "/Patient?identifier=%7C",
        "/Patient?identifier=%5C",
        "/Task?code:text=%25_%5C",
        "/Task?_count=99999999999999999999",
        "/Task?_summary=count&_elements=a&_format=xml",
        "/Task?_format=xml&%01=%02",
        "/Task/t1?_elements=%00",
        "/Task/_history?_since=0000",
        "/Task/_history?_since=9999-12-31T23:59:59-23:59",
        "/Task/t1/_history/%D9%A1",
        "/Task/%00",
        "/%F0%9F%98%80",
        "/Task?subject:Nonsense.name=x",
        "/Task?subject.=x",
        "/Task?.subject=x",
        "/Task?_cursor=" + "A" * 3000,
        "/$nonsense",
        "/Task/$nonsense",
        "/Task/t1/$nonsense/more",
    ],
)
def test_a_strange_address_is_no_server_error(filled: Api, path: str) -> None:
    for headers in ({}, {"Prefer": "handling=strict"}, {"Accept": XML}):
        answer = filled.get(path, headers=headers)
        assert answer.status_code < 500, (path, answer.text[:300])


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "item",
                    "linkId",
                    "answer",
                    "valueString",
                    "extension",
                    "url",
                    "contained",
                    "text",
                    "resourceType",
                    "questionnaire",
                    "parameter",
                    "resource",
                    "name",
                    "status",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)
HOSTILE = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@HOSTILE
@given(body=VALUES, kind=st.sampled_from(["QuestionnaireResponse", "Parameters", "Patient"]))
def test_no_json_at_all_is_a_server_error(filled: Api, body: Any, kind: str) -> None:
    whole = {**body, "resourceType": kind} if isinstance(body, dict) else body
    answer = filled.request("POST", EXTRACT, content=json.dumps(whole).encode())
    assert answer.status_code < 500, answer.text[:300]


@HOSTILE
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "status",
                    "authored-on",
                    "patient",
                    "code:text",
                    "owner:identifier",
                    "_sort",
                    "_include",
                    "_revinclude",
                    "_count",
                    "_total",
                    "_summary",
                    "_elements",
                    "_id",
                    "_lastUpdated",
                    "identifier",
                    "patient.birthdate",
                    "focus:ServiceRequest.patient",
                    "period",
                    "_tag",
                    "_profile:below",
                    "_format",
                    "_cursor",
                ]
            )
            | st.text(string.printable, max_size=8),
            st.text(max_size=12)
            | st.sampled_from(["ge2026", "a|b", "Task:focus", "-status", "true", "x,y", "p1"]),
        ),
        max_size=5,
    )
)
def test_no_search_at_all_is_a_server_error(filled: Api, pairs: list[tuple[str, str]]) -> None:
    try:
        answer = filled.get("/Task", params=pairs)
    except UnicodeEncodeError:
        return  # half of a surrogate pair, which no URL can have
    assert answer.status_code < 500, answer.text[:300]


def test_nothing_that_the_description_allows_is_a_server_error(filled: Api) -> None:
    description = schemathesis.openapi.from_dict(filled.client.get("/openapi.json").json())
    tried = 0
    for found in description.get_all_operations():
        operation = found.ok()

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def try_one(case: schemathesis.Case) -> None:
            nonlocal tried
            tried += 1
            answer = case.call(
                base_url=f"{filled.address}/fhir/R4", headers={"Authorization": "Bearer RX1"}
            )
            case.validate_response(answer, checks=[not_a_server_error])

        try_one()
    assert tried > 100
