"""Signing keys that tests share: making one takes a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_gateway.auth.keys import KeyRing, make_key_file, read_key_ring


@pytest.fixture(scope="session")
def key_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two key files."""
    folder = tmp_path_factory.mktemp("keys")
    files = [folder / "gateway-1.pem", folder / "gateway-2.pem"]
    for file in files:
        make_key_file(file, bits=2048)
    return files


@pytest.fixture(scope="session")
def keys(key_files: list[Path]) -> KeyRing:
    """The ring of both."""
    return read_key_ring(key_files)
