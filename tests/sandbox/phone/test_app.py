"""The sandbox phone: Notify's API for the gateway, phones for people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.sandbox.phone.app import SECRET, SERVICE_ID, TEMPLATE_ID, api_key, create_app
from fhir_gateway.sandbox.phone.messages import Messages
from fhir_gateway.sandbox.phone.pages import linked
from fhir_gateway.sms.notify import NotifySender
from tests.serving import serve

SMS = "/v2/notifications/sms"
NUMBER = "+447700900301"


@pytest.fixture(scope="module")
def phone() -> Iterator[httpx.Client]:
    """A client of a phone that keeps its texts in memory."""
    with serve(create_app()) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture
def sender(phone: httpx.Client) -> Iterator[NotifySender]:
    """The gateway's own sender."""
    opened = NotifySender(str(phone.base_url), api_key(), TEMPLATE_ID)
    yield opened
    opened.close()


def token(**change: Any) -> str:
    secret = change.pop("secret", SECRET)
    claims = {"iss": SERVICE_ID, "iat": int(time.time()), **change}
    key = OctKey.import_key(secret.encode())
    return jwt.encode({"typ": "JWT", "alg": "HS256"}, claims, key)


def body(**change: Any) -> dict[str, Any]:
    made = {
        "phone_number": NUMBER,
        "template_id": TEMPLATE_ID,
        "personalisation": {"text": "Hello"},
        "reference": "r",
    }
    return {k: v for k, v in {**made, **change}.items() if v is not None}


def post(phone: httpx.Client, content: Any = None, bearer: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {bearer or token()}"}
    return phone.post(SMS, json=content if content is not None else body(), headers=headers)


def test_a_text_arrives_on_the_phone_and_can_be_looked_up(
    phone: httpx.Client, sender: NotifySender
) -> None:
    sent = sender.send(to=NUMBER, text="Hello there", reference="a-reference")
    found = sender.find("a-reference")
    assert found is not None
    assert (found.id, found.reference) == (sent.id, "a-reference")
    assert sender.find("another") is None
    (only,) = phone.get("/messages", params={"to": "07700 900301"}).json()
    assert (only["id"], only["to"], only["text"]) == (sent.id, NUMBER, "Hello there")


def test_the_answer_is_notifys(phone: httpx.Client) -> None:
    answer = post(phone)
    assert answer.status_code == 201
    made = answer.json()
    assert made["content"]["body"] == "Hello"
    assert made["template"]["id"] == TEMPLATE_ID
    headers = {"Authorization": f"Bearer {token()}"}
    one = phone.get(f"/v2/notifications/{made['id']}", headers=headers)
    assert one.json()["status"] == "delivered"
    gone = phone.get("/v2/notifications/nonsense", headers=headers)
    assert (gone.status_code, gone.json()["errors"][0]["error"]) == (404, "NoResultFound")


@pytest.mark.parametrize(
    ("bearer", "status", "said"),
    [
        ("nonsense", 403, "API key not found"),
        ({"secret": SERVICE_ID}, 403, "API key not found"),
        ({"iss": "another"}, 403, "service not found"),
        ({"iat": int(time.time()) - 3600}, 403, "30 seconds"),
        ({"iat": "now"}, 403, ""),
    ],
)
def test_a_wrong_token_is_refused(phone: httpx.Client, bearer: Any, status: int, said: str) -> None:
    answer = post(phone, bearer=bearer if isinstance(bearer, str) else token(**bearer))
    assert answer.status_code == status
    assert said in answer.json()["errors"][0]["message"]
    assert answer.json()["status_code"] == status


@pytest.mark.parametrize("path", ["/v2/notifications", "/v2/notifications/x"])
def test_without_a_token_nothing_is_told(phone: httpx.Client, path: str) -> None:
    assert phone.get(path).status_code == 401
    assert phone.post(SMS, json=body()).status_code == 401


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"phone_number": None}, "phone_number is a required property"),
        ({"phone_number": "020 7946 0123"}, "Not a UK mobile number"),
        ({"template_id": None}, "template_id is a required property"),
        ({"template_id": "another"}, "Template not found"),
        ({"personalisation": {}}, "Missing personalisation: text"),
    ],
)
def test_a_wrong_text_is_refused_as_notify_does(
    phone: httpx.Client, change: dict[str, Any], said: str
) -> None:
    answer = post(phone, body(**change))
    assert answer.status_code == 400
    assert said in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff"])
def test_what_is_no_json_is_refused(phone: httpx.Client, content: bytes) -> None:
    headers = {"Authorization": f"Bearer {token()}"}
    assert phone.post(SMS, content=content, headers=headers).status_code == 400


def test_too_many_texts_are_refused_until_later() -> None:
    with serve(create_app(per_minute=1)) as address:
        sender = NotifySender(address, api_key(), TEMPLATE_ID)
        sender.send(to=NUMBER, text="one", reference="1")
        with pytest.raises(TryLater) as raised:
            sender.send(to=NUMBER, text="two", reference="2")
        assert raised.value.code == "notify-429-rate"
        sender.close()
        wrong = NotifySender(address, api_key(), "another-template")
        with pytest.raises(Refused):
            wrong.send(to=NUMBER, text="x", reference="3")
        wrong.close()


def test_texts_are_there_after_a_restart(tmp_path: Path) -> None:
    first = Messages(tmp_path / "deep" / "phone.db")
    kept = first.add(NUMBER, "Hello", "r", "t")
    first.close()
    second = Messages(tmp_path / "deep" / "phone.db")
    assert second.find(kept.id) == kept
    assert second.all() == second.to(NUMBER) == second.with_reference("r") == [kept]
    second.close()


def test_people_open_a_phone_by_its_number(phone: httpx.Client, sender: NotifySender) -> None:
    sender.send(to=NUMBER, text="See http://127.0.0.1:8080/r/abc. <b>", reference="x")
    opened = phone.get("/", params={"number": "07700 900 301"})
    assert (opened.status_code, opened.headers["location"]) == (303, "/phones/07700900301")
    page = phone.get("/phones/07700900301").text
    assert '<a href="http://127.0.0.1:8080/r/abc">' in page
    assert "&lt;b&gt;" in page
    assert "07700 900301" in phone.get("/").text


@pytest.mark.parametrize(
    ("path", "status"), [("/?number=nonsense", 422), ("/phones/nonsense", 404), ("/phones/1", 404)]
)
def test_what_is_no_number_gets_a_page_that_helps(
    phone: httpx.Client, path: str, status: int
) -> None:
    answer = phone.get(path)
    assert answer.status_code == status
    assert "<form" in answer.text


def test_scripts_get_nothing_for_what_is_no_number(phone: httpx.Client) -> None:
    assert phone.get("/messages", params={"to": "nonsense"}).json() == []
    assert isinstance(phone.get("/messages").json(), list)


@pytest.mark.hazard("H11")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a <script>x</script>", "a &lt;script&gt;x&lt;/script&gt;"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ('http://a/"onclick="x', '<a href="http://a/">http://a/</a>&#34;onclick=&#34;x'),
        ("http://a/b?c=1&d=2.", '<a href="http://a/b?c=1&amp;d=2">http://a/b?c=1&amp;d=2</a>.'),
    ],
)
def test_only_web_addresses_become_links_and_all_else_is_text(text: str, shown: str) -> None:
    assert str(linked(text)) == shown
