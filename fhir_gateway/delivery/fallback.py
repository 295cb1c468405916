"""The second way: a request that its EPR has not taken for hours is laid down as a signed file (and
mailed, where that was chosen), so that people have it. It is tried on all the same.

`FOLDER/SERVICE/REFERENCE.json` is the Bundle that the EPR would have got, or, where it could not be
mapped, the QuestionnaireResponse in a collection Bundle. `REFERENCE.json.jws` signs it: a JWS with
detached content (RFC 7515, appendix F), ES256; the public key is in `FOLDER/jwks.json`. When the
request arrives in the EPR after all, `REFERENCE.delivered` says so.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import structlog
from joserfc import jws
from joserfc.jwk import ECKey, KeySet

from fhir_gateway.delivery.channels import Mail
from fhir_gateway.delivery.parts import Parts
from fhir_gateway.errors import TryLater
from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource
from fhir_gateway.store import listing, requests, standing
from fhir_gateway.store.requests import Request, RequestState

EVENT = "fallback"
ENDED = "fallback-ended"
_log = structlog.get_logger("delivery")


@dataclass(frozen=True, slots=True)
class Fallback:
    """Where such requests go. `key`: signs them."""

    folder: Path | None
    mail: Mail | None
    key: ECKey


def rescue(parts: Parts, fallback: Fallback) -> int:
    """Lay down what is overdue and was not laid down yet; how many requests."""
    before = parts.clock() - parts.timing.fallback_after
    with parts.database.transaction() as tx:
        overdue = standing.overdue(tx, before, EVENT)
    for request_id in overdue:
        with parts.database.transaction() as tx:
            request = requests.find(tx, request_id)
        if request is None:
            continue
        try:
            _lay_down(fallback, request)
        except (OSError, TryLater) as error:
            # Tried again at the next look: files have the same names, so nothing is there twice.
            _log.error("fallback failed", request=request_id, error=type(error).__name__)
            continue
        with parts.database.transaction() as tx:
            where = "file" if fallback.folder else "mail"
            requests.note(tx, request_id, EVENT, now=parts.clock(), detail=where)
        _log.warning("fallback", request=request_id)
    return len(overdue)


def mark_delivered(parts: Parts, fallback: Fallback) -> None:
    """Say beside the files which requests have arrived in the EPR after all."""
    if fallback.folder is None:
        return
    with parts.database.transaction() as tx:
        arrived = listing.with_event(
            tx, EVENT, without=ENDED, states=(RequestState.DELIVERED, RequestState.CONFIRMED)
        )
    for request in arrived:
        _write(_place(fallback.folder, request.service_slug, request.reference, "delivered"), b"")
        with parts.database.transaction() as tx:
            requests.note(tx, request.id, ENDED, now=parts.clock())


def signature(content: bytes, key: ECKey) -> str:
    """A compact JWS over `content`, with its middle part left out."""
    header = {"alg": "ES256", "kid": key.thumbprint(), "typ": "JOSE"}
    protected, _, value = jws.serialize_compact(header, content, key).split(".")
    return f"{protected}..{value}"


def own_signing_key(file: Path) -> ECKey:
    """The key in this PEM file; made at the first call, readable by its owner alone."""
    if not file.exists():
        key = ECKey.generate_key("P-256")
        _write(file, key.as_pem(private=True), first=True)
    return ECKey.import_key(file.read_bytes())


def _lay_down(fallback: Fallback, request: Request) -> None:
    content = fhir_json.dump(_bundle(request))
    if fallback.folder is not None:
        file = _place(fallback.folder, request.service_slug, request.reference, "json")
        keys = KeySet([fallback.key]).as_dict(private=False)
        _write(fallback.folder / "jwks.json", fhir_json.dump(dict(keys)))
        _write(file.with_suffix(".json.jws"), signature(content, fallback.key).encode())
        _write(file, content)
    if fallback.mail is not None:
        fallback.mail.send(
            f"Request {request.reference} for {request.service_slug} could not be delivered",
            "The EPR has not taken this request. It is attached, and is tried on all the same.",
            (f"{request.reference}.json", content),
        )


def _bundle(request: Request) -> Resource:
    if request.bundle is not None:
        return request.bundle
    entry = {"fullUrl": f"urn:uuid:{request.id}", "resource": request.response}
    return {"resourceType": "Bundle", "type": "collection", "entry": [entry]}


def _place(folder: Path, service_slug: str, reference: str, suffix: str) -> Path:
    return folder / service_slug / f"{reference}.{suffix}"


def _write(file: Path, content: bytes, *, first: bool = False) -> None:
    """Written whole or not at all, and readable by its owner and group alone. `first`: what another
    process wrote meanwhile stays."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(6)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    if not first:
        fresh.replace(file)
        return
    with contextlib.suppress(FileExistsError):
        os.link(fresh, file)
    fresh.unlink()
