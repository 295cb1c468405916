"""Uploaded files on their way from the form to where they are kept."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from starlette.datastructures import UploadFile

from fhir_gateway.fhir.types import Element
from fhir_gateway.journey.files import KINDS, CleanFile, NotTaken, clean
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.web.components.files import MAX_FILE_BYTES, max_bytes, taken_types
from fhir_gateway.web.fields.reading import FileRefused, Keep

#: A page with files: some of the largest, and the rest of the form.
MAX_UPLOAD_BYTES = 2 * MAX_FILE_BYTES + 2_000_000
__all__ = ["MAX_UPLOAD_BYTES", "keep_in_memory", "keeper"]


def keeper(store: Callable[[str, CleanFile], None]) -> Keep:
    """Takes a file for a question: looks at it, gives it an id and hands it to `store`.

    The answer refers to it as `#id`; the file itself goes into the response when it is sent.
    """

    def keep(node: Node, upload: UploadFile) -> Element:
        data = upload.file.read()
        try:
            file = clean(data, taken=taken_types(node.item), max_bytes=max_bytes(node.item))
            file_id = secrets.token_hex(16)
            store(file_id, file)
        except NotTaken as error:
            raise FileRefused(error.kind, error.limit) from None
        number = len(node.answers) + 1
        # Our own name: the sender's can say who they are, or lie about what it is.
        name = f"{'Photo' if file.content_type.startswith('image/') else 'Document'} {number}"
        return {
            "valueAttachment": {
                "contentType": file.content_type,
                "url": f"#{file_id}",
                "size": len(file.data),
                "title": f"{name}.{KINDS[file.content_type].lower()}",
            }
        }

    return keep


def keep_in_memory(files: dict[str, tuple[str, bytes]]) -> Keep:
    """Keeps files in a dict, by id, with their media type."""

    def store(file_id: str, file: CleanFile) -> None:
        files[file_id] = (file.content_type, file.data)

    return keeper(store)
