"""Texting patients their link: PDS first, nobody twice, and each row with its own outcome."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway.fhir.types import Resource
from fhir_gateway.journey.inviting import Invitee, Inviter, invite
from fhir_gateway.pds.answers import Found
from fhir_gateway.provider.service import Service, read_service
from fhir_gateway.sandbox.pds.personas import person
from tests.rest.write_world import IDENTIFIERS, OURS, THEIRS, Writing, service_bundle, writing

HERE = "CommunicationRequest"
CSV = "text/csv; charset=utf-8"
_numbers = iter(range(100, 999))
_lock = threading.Lock()


def fresh_mobile() -> str:
    """A number that nobody was texted at in this run."""
    with _lock:
        return f"07700 900{next(_numbers)}"


def request(key: str = "typical", mobile: str = "", name: str = "", **changes: Any) -> Resource:
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": person(key).nhs_number}
        ],
        "telecom": [{"system": "phone", "value": mobile or fresh_mobile()}],
    }
    found: Resource = {
        "resourceType": HERE,
        "status": "active",
        "contained": [patient],
        "recipient": [{"reference": "#p"}],
        "sender": {"reference": "HealthcareService/rheumatology"},
    }
    if name:
        found["identifier"] = [{"system": IDENTIFIERS, "value": name}]
    return {**found, **changes}


def e164(mobile: str) -> str:
    return "+44" + mobile.replace(" ", "")[1:]


def test_a_patient_is_texted_their_link(world: Writing) -> None:
    mobile = fresh_mobile()
    answer = world.post(HERE, request(mobile=mobile))
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "completed"
    (text,) = world.texts(e164(mobile))
    assert "/r/" in text
    assert world.get(f"{HERE}/{answer.json()['id']}").status_code == 200
    assert world.get(f"{HERE}/{answer.json()['id']}", provider=THEIRS).status_code == 404


def test_the_same_identifier_texts_once(world: Writing) -> None:
    mobile = fresh_mobile()
    first = world.post(HERE, request(mobile=mobile, name="a"))
    again = world.post(HERE, request(mobile=mobile, name="a"))
    other = world.post(HERE, request("typical_man", name="a"))
    assert [a.status_code for a in (first, again, other)] == [201, 200, 409]
    assert again.json()["id"] == first.json()["id"]
    assert len(world.texts(e164(mobile))) == 1


@pytest.mark.hazard("H40")
def test_two_at_once_text_once(world: Writing) -> None:
    mobile = fresh_mobile()
    world.token()
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda _: world.post(HERE, request(mobile=mobile, name="b")), range(4))
        )
    assert {a.status_code for a in answers} <= {200, 201, 503}
    assert len(world.texts(e164(mobile))) == 1


@pytest.mark.hazard("H40")
@pytest.mark.parametrize("key", ["deceased", "restricted"])
def test_who_must_not_be_texted_is_not(world: Writing, key: str) -> None:
    mobile = fresh_mobile()
    answer = world.post(HERE, request(key, mobile))
    assert answer.status_code == 422, answer.text
    assert world.texts(e164(mobile)) == []
    assert world.count("link") == 0
    assert person(key).nhs_number not in answer.text
    assert person(key).family not in answer.text


@pytest.mark.parametrize(
    "wanted",
    [
        request(mobile="0113 496 0000"),
        {**request(), "contained": []},
        {**request(), "status": "completed"},
        {**request(), "sender": {"reference": "HealthcareService/dermatology"}},
        {**request(), "occurrencePeriod": {"end": "2020-01-01"}},
        {"resourceType": HERE},
    ],
)
def test_what_is_no_invitation_is_refused(world: Writing, wanted: Resource) -> None:
    answer = world.post(HERE, wanted)
    assert answer.status_code == 422, answer.text
    assert world.count("link") == 0


def batch(world: Writing, rows: str, name: str = "monday", **options: Any) -> Any:
    path = f"{HERE}/$invite?batch={name}&service=rheumatology"
    return world.call("POST", path, rows.encode(), Content_Type=CSV, **options)


def test_each_row_of_a_batch_has_its_own_outcome(world: Writing) -> None:
    mobiles = [fresh_mobile() for _ in range(4)]
    keys = ["typical", "deceased", "restricted", "typical_man"]
    lines = ["nhs_number,mobile"]
    lines += [f"{person(k).nhs_number},{m}" for k, m in zip(keys, mobiles, strict=True)]
    lines += ["123,07700900101", f"{person('typical').nhs_number},not a number", "too,many,fields"]
    answer = batch(world, "\r\n".join(lines))
    assert answer.status_code == 200, answer.text
    statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert statuses == ["201", "422", "422", "201", "422", "422", "422"]
    assert [len(world.texts(e164(m))) for m in mobiles] == [1, 0, 0, 1]
    again = batch(world, "\r\n".join(lines))
    statuses = [entry["response"]["status"][:3] for entry in again.json()["entry"]]
    assert statuses == ["200", "422", "422", "200", "422", "422", "422"]
    assert [len(world.texts(e164(m))) for m in mobiles] == [1, 0, 0, 1]


def test_a_batch_can_be_a_bundle(world: Writing) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": IDENTIFIERS, "value": "tuesday"},
        "entry": [{"resource": request()}, {"resource": {"resourceType": "Patient"}}],
    }
    answer = world.post(f"{HERE}/$invite", bundle)
    assert answer.status_code == 200, answer.text
    statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert statuses == ["201", "422"]


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ("", 422),
        ("name,mobile\nx,y", 422),
        ("nhs_number,mobile", 422),
        ('nhs_number,mobile\n"x', 422),
        ("nhs_number,mobile\n\x00,1", 422),
        ("nhs_number,mobile\n" + "1,2\n" * 101, 422),
    ],
)
def test_a_file_that_is_no_batch_is_refused_whole(world: Writing, rows: str, status: int) -> None:
    assert batch(world, rows).status_code == status


def test_a_batch_needs_a_name_a_token_and_its_scope(world: Writing) -> None:
    rows = f"nhs_number,mobile\n{person('typical').nhs_number},{fresh_mobile()}"
    assert batch(world, rows, name="").status_code == 400
    assert batch(world, rows, provider=None).status_code == 401
    assert batch(world, rows, scopes="system/Task.cruds").status_code == 403
    theirs = batch(world, rows, provider=THEIRS)
    assert theirs.json()["entry"][0]["response"]["status"].startswith("422")
    assert world.call("POST", f"{HERE}/$invite?batch=b", b"\xff\xfe", Content_Type=CSV).is_error
    assert OURS


@pytest.mark.hazard("H40")
def test_a_text_that_left_before_a_process_was_killed_is_not_sent_again(
    world: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    mobile = fresh_mobile()

    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr("fhir_gateway.journey.inviting.invitations.settle", killed)
        wanted = Invitee(
            (OURS, "one", f"{IDENTIFIERS}|k"),
            read_service(service_bundle(OURS, "rheumatology")),
            person("typical").nhs_number,
            e164(mobile),
        )
        with pytest.raises(SystemExit):
            invite(inviter(world), wanted)
    assert len(world.texts(e164(mobile))) == 1
    early = world.post(HERE, request(mobile=mobile, name="k"))
    assert early.status_code == 503
    assert int(early.headers["retry-after"]) > 0
    world.ahead = timedelta(minutes=3)
    later = world.post(HERE, request(mobile=mobile, name="k"))
    assert later.status_code == 201, later.text
    assert len(world.texts(e164(mobile))) == 1


def inviter(world: Writing) -> Inviter:
    parts = world.gateway.parts

    def read(service: Service, nhs_number: str) -> Resource | None:
        found = parts.pds.read(nhs_number, request_id=uuid.uuid4(), ods_code=service.ods_code)
        return found.record if isinstance(found, Found) else None

    return Inviter(
        parts.database, parts.sender, parts.caps, "https://gw.example", read, parts.clock
    )


def test_while_pds_cannot_be_asked_nobody_is_texted_and_it_is_said(tmp_path: Path) -> None:
    with writing(tmp_path, pds_base_url="http://127.0.0.1:9/none") as world:
        mobile = fresh_mobile()
        answer = world.post(HERE, request(mobile=mobile, name="p"))
        assert answer.status_code == 503, answer.text
        rows = f"nhs_number,mobile\n{person('typical').nhs_number},{mobile}"
        (row,) = batch(world, rows).json()["entry"]
        assert row["response"]["status"].startswith("503")
        assert world.post("Patient/$match", patient_of("typical")).status_code == 503
        assert world.texts(e164(mobile)) == []
        assert world.count("link") == 0


def patient_of(key: str) -> Resource:
    system = "https://fhir.nhs.uk/Id/nhs-number"
    number = person(key).nhs_number
    return {"resourceType": "Patient", "identifier": [{"system": system, "value": number}]}
