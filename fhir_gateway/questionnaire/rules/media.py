"""Attachments, references and addresses."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from fhir_gateway.fhir.path import is_resource_type
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.response import Node
from fhir_gateway.questionnaire.rules.context import Checking


def check(
    node: Node, place: str, value_type: str, value: Any, checking: Checking
) -> Iterator[Issue]:
    """Issues of an Attachment, a Reference or a uri."""
    if value_type == "Attachment":
        yield from _attachment(node, place, as_dict(value))
    elif value_type == "Reference":
        yield from _reference(node, place, as_dict(value), checking)
    elif not is_uri(value):
        yield _issue(Code.INVALID_VALUE, node, place, "not a valid uri")


def is_uri(value: Any) -> bool:
    """Whether text can be a URI: no spaces, backslashes or controls, and a UUID that is one."""
    text = as_str(value)
    if not text or any(c.isspace() or c in '\\<>"{}|^`' or ord(c) < 32 for c in text):  # noqa: PLR2004
        return False
    if text.lower().startswith("urn:uuid:"):
        return _is_uuid(text[9:])
    return True


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _attachment(node: Node, place: str, attachment: Element) -> Iterator[Issue]:
    allowed = node.item.mime_types
    given = as_str(attachment.get("contentType"))
    if allowed and not given:
        yield Issue(
            Code.ATTACHMENT_TYPE,
            "error",
            "the attachment does not say of which type it is",
            place,
            node.item.link_id,
            node.address,
            {"allowed": allowed},
            hl7="QUESTIONNAIRE_QR_ITEM_NOT_ATTACHMENT_MIMETYPE",
        )
    elif allowed and not is_allowed_type(given, allowed):
        yield _issue(
            Code.ATTACHMENT_TYPE,
            node,
            place,
            "an attachment of this type is not allowed",
            allowed=allowed,
        )
    size = _size(attachment)
    if size is None:
        yield _issue(Code.INVALID_VALUE, node, place, "the attachment's data is not base64")
    elif node.item.max_size is not None and size > node.item.max_size:
        yield _issue(
            Code.ATTACHMENT_SIZE,
            node,
            place,
            f"more than {node.item.max_size} bytes",
            limit=node.item.max_size,
        )


def is_allowed_type(given: str, allowed: list[str]) -> bool:
    """Whether a content type is one of those allowed: exactly, without parameters and case, or
    within `image/*`."""
    kind = given.split(";")[0].strip().lower()
    for pattern in (entry.split(";")[0].strip().lower() for entry in allowed):
        if pattern in (kind, "*/*") or (pattern.endswith("/*") and kind.startswith(pattern[:-1])):
            return True
    return False


def _size(attachment: Element) -> int | None:
    """The size in bytes: of the data, or as it says; 0 when unknown, None when not base64."""
    data = attachment.get("data")
    if data is None:
        size = attachment.get("size")
        return size if isinstance(size, int) and not isinstance(size, bool) else 0
    try:
        return len(binascii.a2b_base64("".join(as_str(data).split()), strict_mode=True))
    except (binascii.Error, ValueError):
        return None


def _reference(node: Node, place: str, reference: Element, checking: Checking) -> Iterator[Issue]:
    target = reference_type(reference, checking.enablement.tree.response)
    if target and not is_resource_type(target):
        yield Issue(
            Code.REFERENCE_TYPE,
            "error",
            f"'{target[:64]}' is no resource type of R4",
            place,
            node.item.link_id,
            node.address,
            hl7="QUESTIONNAIRE_QR_ITEM_REF_INVALID_GENERAL",
        )
        return
    allowed = node.item.reference_types
    if target and allowed and target not in allowed and "Resource" not in allowed:
        yield _issue(
            Code.REFERENCE_TYPE,
            node,
            place,
            f"a {target} is not one of {', '.join(allowed)}",
            allowed=allowed,
        )


def reference_type(reference: Element, response: Element) -> str:
    """The resource type that a Reference points to; '' when that cannot be said."""
    if as_str(reference.get("type")):
        return as_str(reference["type"]).rsplit("/", 1)[-1]
    target = as_str(reference.get("reference"))
    if target.startswith("#"):
        for contained in map(as_dict, as_list(response.get("contained"))):
            if contained.get("id") == target[1:]:
                return as_str(contained.get("resourceType"))
        return ""
    if not target or target.startswith("urn:"):
        return ""
    parts = target.split("?")[0].split("/_history/")[0].split("/")
    return parts[-2] if len(parts) >= 2 and parts[-2][:1].isupper() else ""  # noqa: PLR2004


def _issue(code: Code, node: Node, place: str, text: str, **args: Any) -> Issue:
    return Issue(code, "error", text, place, node.item.link_id, node.address, args)
