"""Files of patients, coming back later, and other languages, on a running gateway over HTTP."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import text

from fhir_gateway.store import requests
from tests.web.conftest import Pages, running_pages
from tests.web.forms import CORE, form, item, options, when
from tests.web.walking import Walker

URL = "https://example.org/q/photos"
_CODE = re.compile(r"^([0-9]{6}) ")
_numbers = count(600)


def translated(text_: str) -> dict[str, Any]:
    parts = [{"url": "lang", "valueCode": "cy"}, {"url": "content", "valueString": text_}]
    return {"extension": [{"url": f"{CORE}/translation", "extension": parts}]}


def first_version() -> dict[str, Any]:
    colour = item("colour", "choice", "Which colour is it?", answerOption=options("red", "blue"))
    colour["_text"] = translated("Pa liw ydyw?")
    colour["answerOption"][0]["valueCoding"]["_display"] = translated("Coch")
    return form(
        item("where", "string", "Where is it?", required=True),
        colour,
        item("photo", "attachment", "Photos", repeats=True),
        item("itchy", "boolean", "Is it itchy?"),
        item("since", "string", "Since when?", enableWhen=[when("itchy", answerBoolean=True)]),
        url=URL,
        version="1",
    )


def second_version() -> dict[str, Any]:
    """Moved into a group, one option gone, one question gone, one new."""
    return form(
        item("about", "group", "About it", item=[
            item("where", "string", "Where is it?", required=True),
            item("colour", "choice", "Which colour is it?", answerOption=options("blue", "green")),
        ]),
        item("new", "boolean", "Is it new?"),
        item("photo", "attachment", "Photos", repeats=True),
        url=URL,
        version="2",
    )  # fmt: skip


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("questionnaires")
    for questionnaire in (first_version(), second_version()):
        name = f"photos-{questionnaire['version']}.json"
        (folder / name).write_text(json.dumps(questionnaire))
    data = tmp_path_factory.mktemp("saving")
    with running_pages(data, questionnaires=folder, offers=f"{URL}|1") as running:
        yield running


@pytest.fixture
def someone(gateway: Pages) -> Iterator[Walker]:
    gateway.offer(f"{URL}|1")
    with httpx.Client(follow_redirects=True, timeout=60) as http:
        walker = Walker(http, gateway.link())
        walker.post({"request": ["photos"]})
        yield walker
    gateway.clock.ahead = timedelta()


@pytest.fixture(autouse=True)
def clock_is_set_back() -> None:
    """Only this module's gateway is used, not the shared one."""


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30)) -> bytes:
    """A photo with a place in its EXIF."""
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at 53.8 N 1.5 W"
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, exif=exif)
    return out.getvalue()


def to_photos(walker: Walker) -> Walker:
    walker.post({"where": ["Arm"]})
    walker.post({"colour": ["red"]})
    assert walker.path.endswith("/page/photo")
    return walker


def sent_response(gateway: Pages, walker: Walker) -> dict[str, Any]:
    draft_id = walker.path.split("/")[2]
    with gateway.gateway.database.transaction() as tx:
        accepted = requests.by_draft(tx, draft_id)
        assert accepted is not None
        return dict(requests.find(tx, accepted.id).response)


def answers_of(response: dict[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for element in response.get("item", []):
        for answer in element.get("answer", []):
            value = next(v for k, v in answer.items() if k.startswith("value"))
            found.setdefault(element["linkId"], []).append(value)
        found.update(answers_of(element))
    return found


def test_photos_are_previewed_removed_cleaned_and_sent_within_the_response(
    gateway: Pages, someone: Walker
) -> None:
    to_photos(someone)
    someone.post({}, files={"photo-file": picture()}, button="upload:photo")
    someone.post({}, files={"photo-file": picture("PNG")}, button="upload:photo")
    assert "Photo 1.jpg" in someone.page.text
    assert "IMG_1234" not in someone.page.text
    preview = re.search(r'<img class="app-file__preview" src="([^"]+)"', someone.page.text)
    assert preview
    shown = someone.http.get(httpx.URL(str(someone.page.url)).join(preview[1]))
    assert shown.headers["content-type"] == "image/jpeg"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert not Image.open(io.BytesIO(shown.content)).getexif()
    stranger = httpx.get(shown.url)
    assert stranger.status_code == 404
    someone.post({}, button="drop:photo~1")
    assert "Photo 2" not in someone.page.text
    someone.post({})
    someone.post({"itchy": ["false"]})
    assert "Photo 1.jpg" in someone.page.text
    someone.post({})
    assert someone.path.endswith("/sent"), someone.errors
    photo = answers_of(sent_response(gateway, someone))["photo"]
    assert len(photo) == 1
    assert photo[0]["contentType"] == "image/jpeg"
    assert "url" not in photo[0]
    data = base64.b64decode(photo[0]["data"])
    assert len(data) == photo[0]["size"]
    assert b"53.8" not in data
    with gateway.gateway.database.transaction() as tx:
        draft_id = someone.path.split("/")[2]
        query = text("select count(*) from attachment where draft_id = :id")
        assert tx.session.execute(query, {"id": draft_id}).scalar() == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"MZ\x90\x00 a programme called x.jpg", "must be a JPG, PNG or PDF"),
        (b"\xff\xd8\xff broken", "could not be read"),
        (b"GIF89a" + b"\0" * 50, "must be a JPG, PNG or PDF"),
        (b"%PDF-1.7\n/Encrypt 5 0 R\n%%EOF", "password protected"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 8_100_000, "smaller than 8 MB"),
    ],
)
def test_files_that_cannot_be_taken_are_explained(someone: Walker, data: bytes, words: str) -> None:
    to_photos(someone)
    someone.post({}, files={"photo-file": data}, button="upload:photo")
    assert any(words in line for line in someone.errors), someone.errors
    assert someone.page.status_code == 422
    assert "app-file__preview" not in someone.page.text


def test_what_is_stored_shows_nothing_of_the_file(gateway: Pages, someone: Walker) -> None:
    to_photos(someone)
    pdf = b"%PDF-1.4 Priya Sharma %%EOF"
    someone.post({}, files={"photo-file": pdf}, button="upload:photo")
    with gateway.gateway.database.transaction() as tx:
        rows = tx.session.execute(text("select content_sealed from attachment")).scalars().all()
    assert rows
    assert all(b"Priya" not in bytes(row) for row in rows)


def save(gateway: Pages, walker: Walker, number: str) -> str:
    """Save, and give the link in the text."""
    walker.get(f"/requests/{walker.path.split('/')[2]}/save")
    walker.post({"mobile": [number]})
    assert walker.heading == "Your answers are saved"
    return re.findall(r"https?://\S+/continue", gateway.texts(number)[-1])[-1]


def come_back(gateway: Pages, http: httpx.Client, link: str, number: str) -> Walker:
    walker = Walker(http, link)
    walker.post({"mobile": [number]})
    code = _CODE.match(gateway.texts(number)[-1])
    assert code, "no code was texted"
    walker.post({"security-code": [code[1]]})
    return walker


def test_a_saved_request_goes_on_days_later_in_another_browser(
    gateway: Pages, someone: Walker
) -> None:
    number = f"07700 900{next(_numbers)}"
    to_photos(someone)
    someone.post({}, files={"photo-file": picture()}, button="upload:photo")
    link = save(gateway, someone, number)
    gateway.clock.ahead = timedelta(days=6)
    with httpx.Client(follow_redirects=True, timeout=60) as http:
        again = come_back(gateway, http, link, number)
        assert again.path.endswith("/page/photo")
        assert "Photo 1.jpg" in again.page.text
        again.get(f"/requests/{again.path.split('/')[2]}/page/where")
        assert again.shown("where") == "Arm"
    # The first browser's session was over long before.
    assert someone.get(someone.path).status_code in (404, 410)


def test_after_its_time_a_saved_request_is_gone(gateway: Pages, someone: Walker) -> None:
    number = f"07700 900{next(_numbers)}"
    someone.post({"where": ["Arm"]})
    link = save(gateway, someone, number)
    gateway.clock.ahead = timedelta(days=8)
    with httpx.Client(follow_redirects=True, timeout=60) as http:
        walker = Walker(http, link)
        before = len(gateway.texts(number))
        walker.post({"mobile": [number]})
        assert walker.page.status_code == 200
        assert len(gateway.texts(number)) == before


def test_nobody_learns_whether_something_was_saved_and_codes_cannot_be_guessed(
    gateway: Pages, someone: Walker
) -> None:
    saved, other = f"07700 900{next(_numbers)}", f"07700 900{next(_numbers)}"
    someone.post({"where": ["Arm"]})
    link = save(gateway, someone, saved)
    with httpx.Client(follow_redirects=True, timeout=60) as http:
        pages = []
        for number in (saved, other):
            walker = Walker(http, link)
            walker.post({"mobile": [number]})
            secret = r'name="(saved|form_token)" value="[^"]*"|nonce="[^"]*"'
            pages.append(re.sub(secret, "", walker.page.text))
            assert number.replace(" ", "")[1:] not in walker.page.text.replace(" ", "")
        assert pages[0] == pages[1]
        for guess in ("000000", "123456"):
            walker.post({"security-code": [guess]})
            assert walker.page.status_code == 422
            assert "/page/" not in walker.path


def test_on_a_newer_version_what_fits_is_kept_and_what_does_not_is_said(
    gateway: Pages, someone: Walker
) -> None:
    number = f"07700 900{next(_numbers)}"
    to_photos(someone)
    someone.post({}, files={"photo-file": picture()}, button="upload:photo")
    someone.post({})
    someone.post({"itchy": ["true"]})
    link = save(gateway, someone, number)
    gateway.offer(f"{URL}|2")
    with httpx.Client(follow_redirects=True, timeout=60) as http:
        again = come_back(gateway, http, link, number)
        assert again.heading == "Some questions have changed since you saved"
        assert "Which colour is it?" in again.page.text
        assert "Is it itchy?" in again.page.text
        assert "Where is it?" not in again.page.text
        again.post({})
        again.walk({"new": ["false"], "colour": ["green"]}, until="/check")
        assert "Arm" in again.page.text
        again.post({})
        response = sent_response(gateway, again)
        kept = answers_of(response)
        assert response["questionnaire"] == f"{URL}|2"
        assert kept["where"] == ["Arm"]
        assert kept["colour"][0]["code"] == "green"
        assert "itchy" not in kept
        assert len(kept["photo"]) == 1


def test_pages_in_welsh_and_a_response_in_the_published_words(
    gateway: Pages, someone: Walker
) -> None:
    address = f"/requests/{someone.path.split('/')[2]}/language"
    page = someone.http.post(
        httpx.URL(str(someone.page.url)).join(address),
        data={"form_token": someone.shown("form_token"), "language": "cy"},
    )
    someone.page = page
    assert '<html lang="cy"' in page.text
    assert "Parhau" in page.text
    someone.post({"where": [""]})
    assert "<title>Gwall: " in someone.page.text
    assert someone.errors == ["Rhowch where is it"]
    someone.post({"where": ["Braich"]})
    assert "Pa liw ydyw?" in someone.page.text
    assert "Coch" in someone.page.text
    someone.post({"colour": ["red"]})
    someone.walk({"itchy": ["false"]}, until="/check")
    assert "Coch" in someone.page.text
    someone.post({})
    response = sent_response(gateway, someone)
    assert answers_of(response)["colour"][0]["display"] == "Red"
    assert [i["text"] for i in response["item"]][1] == "Which colour is it?"
