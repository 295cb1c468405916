"""The selfcheck says what is wrong, and not only what is right."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import respx

from fhir_gateway.sandbox import selfcheck
from fhir_gateway.sandbox.pds.personas import person
from fhir_gateway.sandbox.selfcheck import CheckFailed, Result, Walk, check

ADDRESSES = {
    "gateway": "http://gateway.example",
    "fhir": "http://gateway.example/fhir/R4",
    "pds": "http://pds.example",
    "epr": "http://epr.example/fhir",
    "phone": "http://phone.example",
}
LINK = "http://gateway.example/r/" + "a" * 22


@pytest.fixture
def demo() -> Iterator[respx.MockRouter]:
    """A demo that lies."""
    with respx.mock(assert_all_called=False) as router:
        yield router


def test_a_result_is_right_while_all_that_is_expected_holds() -> None:
    result = Result("medical")
    result.expect(True, "one")
    assert result.right
    result.expect(False, "two")
    result.expect(True, "three")
    assert result.as_json() == {
        "kind": "medical",
        "right": False,
        "checks": ["ok    one", "WRONG two", "ok    three"],
    }


def test_no_text_on_the_phone_is_said(demo: respx.MockRouter) -> None:
    demo.get(url__startswith="http://phone.example/messages").respond(200, json=[])
    demo.post("http://gateway.example/demo/link").respond(200)
    with pytest.raises(CheckFailed, match="No text with a link arrived"):
        check(ADDRESSES, say=lambda _: None)


@pytest.mark.parametrize(
    ("status", "page", "said"),
    [
        (500, "<h1>Sorry</h1>", "A page answered 500: Sorry"),
        (200, "<h1>Nothing here</h1>", "The page 'Nothing here' has no way on"),
        (200, '<form method="post" action="/r"><button>Go</button></form>', "come to an end"),
    ],
)
def test_pages_that_lead_nowhere_are_said(
    demo: respx.MockRouter, status: int, page: str, said: str
) -> None:
    texts = iter([[], *[[{"text": f"Contact us: {LINK}"}]] * 9])
    demo.get(url__startswith="http://phone.example/messages").mock(
        side_effect=lambda _: httpx.Response(200, json=next(texts))
    )
    demo.post("http://gateway.example/demo/link").respond(200)
    demo.get(LINK).respond(status, html=page)
    demo.post("http://gateway.example/r").respond(200, html=page)
    with httpx.Client() as http, pytest.raises(CheckFailed, match=said):
        Walk(http, ADDRESSES, "07700900101").submit("medical", {})


def test_what_never_arrives_or_is_wrong_in_the_epr_is_said(
    demo: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selfcheck, "_PATIENCE_SECONDS", 0.0)
    who, result = person("typical"), Result("medical")
    tasks = demo.get(url__startswith="http://epr.example/fhir/Task")
    tasks.respond(200, json={"resourceType": "Bundle"})
    with httpx.Client() as http:
        selfcheck._look_in_epr(http, ADDRESSES["epr"], "7K2M-9QXD", "medical", who, result)
        assert result.lines == ["WRONG a Task with the reference is in the EPR"]
        task = {"resourceType": "Task", "id": "1", "focus": {"reference": "Basic/1"}}
        tasks.respond(200, json={"entry": [{"resource": task}]})
        demo.get(url__startswith="http://epr.example/fhir/").respond(404)
        result = Result("medical")
        selfcheck._look_in_epr(http, ADDRESSES["epr"], "7K2M-9QXD", "medical", who, result)
    assert [line[:5] for line in result.lines] == ["ok   ", *["WRONG"] * 4]
    assert not result.right
