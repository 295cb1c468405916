"""Sealing: what is in the database cannot be read without the key."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_gateway.errors import Defect, Refused
from fhir_gateway.store.seal import Sealer, same, token_hash

OLD, NEW = b"o" * 32, b"n" * 32


def test_what_is_sealed_can_be_opened_and_not_read() -> None:
    sealed = Sealer([OLD]).seal({"name": "Priya", "dose": Decimal("2.50")})
    assert b"Priya" not in sealed
    assert Sealer([OLD]).open(sealed) == {"name": "Priya", "dose": Decimal("2.50")}


def test_the_same_is_never_sealed_the_same_way_twice() -> None:
    sealer = Sealer([OLD])
    assert sealer.seal({"a": 1}) != sealer.seal({"a": 1})


@pytest.mark.parametrize("change", [lambda s: s[:-2] + b"AA", lambda s: b"", lambda s: b"nonsense"])
def test_what_was_tampered_with_is_a_defect_and_not_data(change) -> None:  # type: ignore[no-untyped-def]
    sealed = Sealer([OLD]).seal({"a": 1})
    with pytest.raises(Defect) as raised:
        Sealer([OLD]).open(change(sealed))
    assert raised.value.code == "seal-broken"


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(Defect, match="cannot be decrypted"):
        Sealer([NEW]).open(Sealer([OLD]).seal({"a": 1}))


def test_keys_rotate_with_the_old_one_behind_the_new() -> None:
    sealed_before = Sealer([OLD]).seal({"a": 1})
    rotating = Sealer([NEW, OLD])
    assert rotating.open(sealed_before) == {"a": 1}
    assert Sealer([NEW]).open(rotating.seal({"a": 2})) == {"a": 2}


@pytest.mark.parametrize("keys", [[], [b"short"], [OLD, b"short"]])
def test_a_key_that_is_too_short_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(Refused, match="at least 32 bytes") as raised:
        Sealer(keys)
    assert raised.value.code == "key-refused"
    assert "short" not in str(raised.value)


def test_keyed_hashes_differ_by_key_purpose_and_parts() -> None:
    sealer = Sealer([OLD])
    hashes = {
        sealer.mac("code", "a", "bc"),
        sealer.mac("code", "ab", "c"),
        sealer.mac("limit", "a", "bc"),
        Sealer([NEW]).mac("code", "a", "bc"),
    }
    assert len(hashes) == 4
    assert all(len(found) == 64 for found in hashes)
    assert sealer.mac("code", "a", "bc") == Sealer([OLD]).mac("code", "a", "bc")


def test_hashes_are_compared_whole() -> None:
    assert same(token_hash("a"), token_hash("a"))
    assert not same(token_hash("a"), token_hash("b"))
    assert not same("a", "ä")
