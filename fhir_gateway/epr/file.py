"""Strategy `file`: the Bundle as a file in a folder that an integration engine empties.

`REQUEST.json` is the Bundle, `REQUEST.json.jws` a detached signature of its bytes (RFC 7515
appendix F), written first. Files appear whole or not at all. What was dropped is also kept in
`.dropped`, so that a request is known after the engine took its file.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from fhir_gateway.epr.adapter import Delivered, Landed
from fhir_gateway.epr.fence import Guard
from fhir_gateway.errors import TryLater
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource
from fhir_gateway.provider.endpoint import RepeatMode

_KEPT = ".dropped"


class Signer(Protocol):
    """Signs what leaves as a file."""

    def detached(self, content: bytes) -> str:
        """A detached JWS over `content`."""


class FileAdapter:
    """An EprAdapter. `address`: `file:///FOLDER`. `signer`: None leaves files unsigned."""

    mode = RepeatMode.CONDITIONAL_CREATE  # the same name again replaces nothing

    def __init__(self, address: str, signer: Signer | None = None) -> None:
        self.folder = Path(unquote(urlsplit(address).path))
        self._signer = signer

    def find(self, bundle: Resource, request_id: str) -> Delivered | None:
        """See EprAdapter."""
        del bundle
        name = f"{request_id}.json"
        there = (self.folder / name).exists() or (self.folder / _KEPT / name).exists()
        return Delivered((Landed(name),)) if there else None

    def send(self, bundle: Resource, request_id: str, guard: Guard) -> Delivered:
        """See EprAdapter. Raises TryLater when the folder cannot be written."""
        found = self.find(bundle, request_id)
        if found:
            return found
        content = fhir_json.dump(bundle, pretty=True)
        check = guard()
        check()
        name = f"{request_id}.json"
        try:
            kept = self.folder / _KEPT
            kept.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._signer:
                signature = self._signer.detached(content).encode()
                _put(self.folder, f"{name}.jws", signature)
            _put(self.folder, name, content)
            # A mark without content: the Bundle itself must not outlive the engine's taking it.
            _put(kept, name, b"")
        except OSError as error:
            raise TryLater(
                f"The folder for files cannot be written ({type(error).__name__})",
                code="epr-folder",
            ) from None
        return Delivered((Landed(name),))


def _put(folder: Path, name: str, content: bytes) -> None:
    """Write a file that is whole, on disk and readable by its owner and group alone."""
    fresh = folder / f".{name}.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        fresh.replace(folder / name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            fresh.unlink()
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
