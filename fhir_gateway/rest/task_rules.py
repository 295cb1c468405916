"""What a client may change of a Task, and in which order: the inbox contract. Pure.

A Task is a request in the inbox of a team. The gateway makes it; who works on it says how far they
are. The states are a part of https://hl7.org/fhir/R4/task.html#statemachine.
"""

from __future__ import annotations

from collections.abc import Iterator

from fhir_gateway.fhir.narrative import renewed
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str

#: From each status, those that may follow. What is not named here stays as it is.
TRANSITIONS: dict[str, frozenset[str]] = {
    "requested": frozenset({"received", "accepted", "in-progress", "completed", "rejected"}),
    "received": frozenset({"accepted", "in-progress", "completed", "rejected"}),
    "on-hold": frozenset({"received", "accepted", "in-progress", "completed", "rejected"}),
    "accepted": frozenset({"in-progress", "completed", "rejected"}),
    "in-progress": frozenset({"accepted", "completed", "rejected"}),
    "completed": frozenset(),
    "rejected": frozenset(),
}
STATUSES = tuple(TRANSITIONS)
#: What a client may write.
WRITABLE = ("status", "statusReason", "businessStatus", "owner", "note", "executionPeriod")
#: What the gateway writes itself, whatever a client sends.
_OURS = ("meta", "text", "lastModified")
MAX_NOTES = 100


def problems(before: Resource, after: Resource) -> list[Element]:
    """What is wrong with a change of a Task, as issues with expressions."""
    return [
        *_untouched(before, after),
        *_status(as_str(before.get("status")), after),
        *_notes(before, after),
    ]


def merged(before: Resource, after: Resource, *, moment: str) -> Resource:
    """The Task as it is kept: of the change only what may be written, told by its narrative too."""
    written = {name: after[name] for name in WRITABLE if name in after}
    kept = {name: value for name, value in before.items() if name not in WRITABLE}
    merged = {**kept, **written, "lastModified": moment}
    # In the order of the resource, so that a diff shows the change alone.
    order = [*before, *(name for name in merged if name not in before)]
    return renewed({name: merged[name] for name in order if name in merged})


def _untouched(before: Resource, after: Resource) -> Iterator[Element]:
    for name in sorted(before.keys() | after.keys()):
        if name in WRITABLE or name in _OURS:
            continue
        if before.get(name) != after.get(name):
            shown = name if name.isidentifier() else "?"
            yield issue(
                "error",
                "business-rule",
                f"Only {', '.join(WRITABLE)} of a Task can be changed.",
                expression=[f"Task.{shown}"],
            )


def _status(before: str, after: Resource) -> Iterator[Element]:
    status = as_str(after.get("status"))
    if status not in TRANSITIONS:
        text = f"The status of a Task here is one of {', '.join(STATUSES)}."
        yield issue("error", "code-invalid", text, expression=["Task.status"])
        return
    if status != before and status not in TRANSITIONS.get(before, frozenset()):
        following = ", ".join(sorted(TRANSITIONS.get(before, ()))) or "nothing"
        text = f"A Task that is {before} cannot become {status}: {following} can follow."
        yield issue("error", "business-rule", text, expression=["Task.status"])
    if status == "rejected" and not _said(as_dict(after.get("statusReason"))):
        text = "A rejected Task needs a statusReason, with a text or a coding."
        yield issue("error", "required", text, expression=["Task.statusReason"])


def _said(concept: Element) -> bool:
    codings = [as_dict(c) for c in as_list(concept.get("coding"))]
    return bool(as_str(concept.get("text")).strip() or any(as_str(c.get("code")) for c in codings))


def _notes(before: Resource, after: Resource) -> Iterator[Element]:
    """Notes are added, never taken away or changed."""
    old, new = as_list(before.get("note")), as_list(after.get("note"))
    if new[: len(old)] != old:
        text = "A note that is there stays as it is: add yours behind it."
        yield issue("error", "business-rule", text, expression=["Task.note"])
    if len(new) > MAX_NOTES:
        text = f"A Task may have {MAX_NOTES} notes at the most."
        yield issue("error", "too-costly", text, expression=["Task.note"])
