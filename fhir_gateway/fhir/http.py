"""Rules of HTTP that every neighbour shares."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: A neighbour may ask for patience, but not for ever.
MAX_RETRY_AFTER = 3600.0


def retry_after(header: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds to wait that a Retry-After header asks for, in either of its forms; at most an hour.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after. None for no or a broken header. `now`
    is for the form with a date (None: the system's clock).
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
