"""Where a page begins, as one sealed word: what was searched for can be a patient's, and links end
up in logs (docs/decisions/0031-paging-links-are-sealed.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fhir_gateway.errors import Defect
from fhir_gateway.fhir.types import as_dict
from fhir_gateway.rest.problem import GONE, Problem
from fhir_gateway.store.seal import Sealer
from fhir_gateway.store.search import Position

#: Name of the parameter that a link has.
NAME = "_cursor"
_GOOD_FOR = timedelta(hours=24)
_KIND = "cursor"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A page of a search (or history): its parameters, and the position that it comes after."""

    at: str
    client_id: str
    pairs: tuple[tuple[str, str], ...]
    after: Position | None = None


def sealed(cursor: Cursor, sealer: Sealer, *, now: datetime) -> str:
    """The word for a page. It opens for this client and address alone, for a day."""
    value = {
        "kind": _KIND,
        "at": cursor.at,
        "client": cursor.client_id,
        "pairs": [list(pair) for pair in cursor.pairs],
        "keys": list(cursor.after.keys) if cursor.after else None,
        "sequence": cursor.after.sequence if cursor.after else 0,
        "until": (now + _GOOD_FOR).isoformat(),
    }
    return sealer.seal(value).decode()


def opened(word: str, sealer: Sealer, *, at: str, client_id: str, now: datetime) -> Cursor:
    """The page that a word stands for. Raises Problem (410) for one that is no longer good, or was
    made for somebody or something else."""
    try:
        value = as_dict(sealer.open(word.encode()))
    except (Defect, UnicodeEncodeError):
        value = {}
    right = (value.get("kind"), value.get("at"), value.get("client")) == (_KIND, at, client_id)
    if not right or datetime.fromisoformat(value["until"]) < now:
        raise Problem(GONE, "expired", "This link to a page is not good any more: search again.")
    keys: Sequence[str] | None = value["keys"]
    after = Position(tuple(keys), value["sequence"]) if keys is not None else None
    return Cursor(at, client_id, tuple((n, v) for n, v in value["pairs"]), after)
