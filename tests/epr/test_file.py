"""The file drop."""

from __future__ import annotations

import base64
import json
import stat
import uuid
from pathlib import Path

import pytest
from joserfc import jws

from fhir_gateway.auth.keys import make_key_file, read_key_ring
from fhir_gateway.epr.file import FileAdapter
from fhir_gateway.errors import TryLater
from tests.sandbox.epr.request_bundle import request_bundle

REQUEST = str(uuid.uuid4())


def unguarded():  # type: ignore[no-untyped-def]
    return lambda: None


def test_the_bundle_is_a_whole_file_and_signed(tmp_path: Path) -> None:
    make_key_file(tmp_path / "gateway.pem", bits=2048)
    key = read_key_ring([tmp_path / "gateway.pem"]).signing
    folder = tmp_path / "drop"
    folder.mkdir()
    bundle = request_bundle(request_id=REQUEST)

    delivered = FileAdapter(folder.as_uri(), key).send(bundle, REQUEST, unguarded)

    file = folder / f"{REQUEST}.json"
    assert delivered.references == [file.name]
    assert json.loads(file.read_bytes()) == bundle
    assert not stat.S_IMODE(file.stat().st_mode) & stat.S_IRWXO, "nobody else may read it"
    head, middle, signature = (folder / f"{file.name}.jws").read_text().split(".")
    assert middle == ""
    payload = base64.urlsafe_b64encode(file.read_bytes()).rstrip(b"=").decode()
    jws.deserialize_compact(f"{head}.{payload}.{signature}", key.key, algorithms=[key.algorithm])
    left = sorted(p.name for p in folder.iterdir())
    assert left == sorted([".dropped", file.name, f"{file.name}.jws"])


def test_the_same_request_is_dropped_once_even_after_it_was_taken_away(tmp_path: Path) -> None:
    way = FileAdapter(tmp_path.as_uri())
    bundle = request_bundle(request_id=REQUEST)
    assert way.find(bundle, REQUEST) is None
    way.send(bundle, REQUEST, unguarded)
    file = tmp_path / f"{REQUEST}.json"
    file.unlink()

    assert way.find(bundle, REQUEST) is not None
    way.send(bundle, REQUEST, unguarded)

    assert not file.exists()
    assert (tmp_path / ".dropped" / file.name).read_bytes() == b"", "no patient data stays behind"


def test_a_folder_that_cannot_be_written_is_tried_later(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    way = FileAdapter((tmp_path / "file").as_uri())
    with pytest.raises(TryLater) as caught:
        way.send(request_bundle(request_id=REQUEST), REQUEST, unguarded)
    assert caught.value.code == "epr-folder"


def test_a_guard_that_does_not_hold_leaves_nothing(tmp_path: Path) -> None:
    def stale():  # type: ignore[no-untyped-def]
        raise TryLater("taken over", code="taken-over")

    with pytest.raises(TryLater):
        FileAdapter(tmp_path.as_uri()).send(request_bundle(), REQUEST, lambda: stale)
    assert not list(tmp_path.iterdir())
