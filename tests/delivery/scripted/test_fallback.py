"""After four hours a request is laid down, signed, for people; and it is tried on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, KeySet

from fhir_gateway.delivery.channels import Mail
from fhir_gateway.delivery.fallback import Fallback, mark_delivered, own_signing_key, rescue
from fhir_gateway.delivery.send import send
from fhir_gateway.store.requests import RequestState
from tests.delivery.scripted.conftest import World
from tests.delivery.scripted.test_alarms import mail_server


@pytest.fixture
def drop(tmp_path: Path) -> Fallback:
    return Fallback(tmp_path / "drop", None, own_signing_key(tmp_path / "key.pem"))


def test_what_is_overdue_is_laid_down_once_with_a_signature_that_holds(
    world: World, drop: Fallback
) -> None:
    request_id = world.request()
    world.clock.forward(hours=3, minutes=59)
    assert rescue(world.parts, drop) == 0
    world.clock.forward(minutes=2)
    assert rescue(world.parts, drop) == 1
    assert rescue(world.parts, drop) == 0
    assert drop.folder is not None
    file = drop.folder / "rheumatology" / f"{request_id[:8].upper()}.json"
    assert json.loads(file.read_bytes())["entry"][0]["resource"]["resourceType"] == "ServiceRequest"
    assert file.stat().st_mode & 0o007 == 0
    keys = KeySet.import_key_set(json.loads((drop.folder / "jwks.json").read_bytes()))
    signature = file.with_suffix(".json.jws").read_text()
    payload = file.read_bytes()
    whole = jws.detach_content  # the library knows detached content by this name
    assert whole is not None
    protected, _, value = signature.split(".")
    import base64

    middle = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    assert jws.deserialize_compact(f"{protected}.{middle}.{value}", keys).payload == payload
    assert "private" not in (drop.folder / "jwks.json").read_text()
    assert '"d"' not in (drop.folder / "jwks.json").read_text()


def test_it_is_tried_on_and_the_arrival_is_noted_beside_the_file(
    world: World, drop: Fallback
) -> None:
    request_id = world.request()
    world.clock.forward(hours=5)
    rescue(world.parts, drop)
    assert world.state(request_id) is RequestState.MAPPED
    assert send(world.parts, request_id, 0) is None
    mark_delivered(world.parts, drop)
    mark_delivered(world.parts, drop)
    assert drop.folder is not None
    assert (drop.folder / "rheumatology" / f"{request_id[:8].upper()}.delivered").exists()
    assert world.events(request_id).count("fallback-ended") == 1


def test_a_folder_that_cannot_be_written_is_tried_again(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    bad = Fallback(tmp_path / "file", None, ECKey.generate_key("P-256"))
    request_id = world.request()
    world.clock.forward(hours=5)
    rescue(world.parts, bad)
    assert "fallback file" not in world.events(request_id)
    good = Fallback(tmp_path / "drop", None, bad.key)
    assert rescue(world.parts, good) == 1


def test_by_mail_where_that_was_chosen(world: World, drop: Fallback) -> None:
    request_id = world.request()
    world.clock.forward(hours=5)
    with mail_server() as (port, received):
        mail = Mail(f"smtp://127.0.0.1:{port}", "g@example.nhs.uk", ["inbox@nhs.net"])
        rescue(world.parts, Fallback(None, mail, drop.key))
    assert f'filename="{request_id[:8].upper()}.json"' in received[0]


def test_the_signing_key_stays_the_same_and_is_its_owners_alone(tmp_path: Path) -> None:
    first = own_signing_key(tmp_path / "key.pem")
    assert own_signing_key(tmp_path / "key.pem").thumbprint() == first.thumbprint()
    assert (tmp_path / "key.pem").stat().st_mode & 0o007 == 0


def test_processes_that_start_together_sign_with_one_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each finds no key. The one that comes second must take the key of the first, or what the
    first signs has no public key beside it."""
    file = tmp_path / "key.pem"
    first = own_signing_key(file)
    monkeypatch.setattr(Path, "exists", lambda self: False)
    assert own_signing_key(file).thumbprint() == first.thumbprint()
    assert [p.name for p in tmp_path.iterdir()] == ["key.pem"]
