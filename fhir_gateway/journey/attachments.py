"""The files of a draft: while it is made, answers refer to them as `#id`; what is sent has them in
it (Attachment.data)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from fhir_gateway.fhir.types import Resource, as_dict, as_str
from fhir_gateway.journey.files import CleanFile, NotTaken
from fhir_gateway.store import attachments, drafts
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.drafts import Draft

#: All files of one request: what a response with them in it may weigh (store/seal.py).
MAX_TOTAL_BYTES = 10_000_000


def keep(tx: Transaction, draft: Draft, *, now: datetime) -> Callable[[str, CleanFile], None]:
    """Where uploaded files of a draft go; raises NotTaken when there are too many."""

    def store(file_id: str, file: CleanFile) -> None:
        if attachments.total_size(tx, draft.id) + len(file.data) > MAX_TOTAL_BYTES:
            raise NotTaken("file-too-many", f"{MAX_TOTAL_BYTES / 1_000_000:g} MB")
        attachments.add(tx, file_id, draft.id, file.content_type, file.data, now=now)

    return store


def keep_response(tx: Transaction, draft: Draft, response: Resource, *, now: datetime) -> None:
    """Keep a response whose files changed, and delete the files that are not in it any more."""
    draft.progress.response = response
    drafts.save(tx, draft, now=now)
    attachments.keep_only(tx, draft.id, set(file_ids(response)))


def file_ids(value: Any) -> Iterator[str]:
    """The ids of the files that a response refers to."""
    if isinstance(value, list):
        for entry in value:
            yield from file_ids(entry)
    elif isinstance(value, dict):
        url = as_str(as_dict(value.get("valueAttachment")).get("url"))
        if url.startswith("#"):
            yield url[1:]
        for part in value.values():
            yield from file_ids(part)


def with_data(response: Resource, data_of: Callable[[str], bytes | None]) -> Resource:
    """The response with its files in it. One that is not there any more leaves its title behind."""

    def fill(value: Any) -> Any:
        if isinstance(value, list):
            return [fill(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        filled = {key: fill(part) for key, part in value.items()}
        attachment = as_dict(value.get("valueAttachment"))
        url = as_str(attachment.get("url"))
        if url.startswith("#"):
            data = data_of(url[1:])
            kept = {key: part for key, part in attachment.items() if key != "url"}
            encoded = {"data": base64.b64encode(data).decode()} if data is not None else {}
            filled["valueAttachment"] = {**kept, **encoded}
        return filled

    filled: Resource = fill(response)
    return filled


def stored(tx: Transaction, draft_id: str) -> Callable[[str], bytes | None]:
    """Reads the files of a draft."""

    def read(file_id: str) -> bytes | None:
        found = attachments.find(tx, file_id, draft_id)
        return found.data if found else None

    return read
