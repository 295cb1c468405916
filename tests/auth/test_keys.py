from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fhir_gateway.auth.keys import KeyRing, make_key_file, read_key_ring
from fhir_gateway.errors import Refused

PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}


def test_the_key_set_has_every_key_and_nothing_private(keys: KeyRing) -> None:
    published = keys.key_set()["keys"]
    assert [key["kid"] for key in published] == ["gateway-1", "gateway-2"]
    for key in published:
        assert not PRIVATE & key.keys()
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS512")


def test_the_first_key_signs(keys: KeyRing, key_files: list[Path]) -> None:
    assert keys.signing.kid == "gateway-1"
    assert read_key_ring(key_files[::-1]).signing.kid == "gateway-2"


def test_a_key_file_is_its_owner_s_and_is_never_overwritten(key_files: list[Path]) -> None:
    assert stat.S_IMODE(key_files[0].stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        make_key_file(key_files[0])


def test_what_is_no_key_is_refused_by_name(tmp_path: Path, key_files: list[Path]) -> None:
    text = tmp_path / "text.pem"
    text.write_text("-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n")
    curve = tmp_path / "curve.pem"
    curve.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    for files, code in (
        ([], "no-key"),
        ([tmp_path / "missing.pem"], "key-file"),
        ([text], "key-file"),
        ([curve], "key-kind"),
        ([key_files[0], key_files[0]], "key-name"),
    ):
        with pytest.raises(Refused) as refused:
            read_key_ring(files)
        assert refused.value.code == code
        assert "secret" not in str(refused.value)
