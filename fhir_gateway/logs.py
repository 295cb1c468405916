"""Logs: one line an event, with keys from a list; anything else is dropped (docs/operate.md).

A log line says which request, which step and how it went; never what a patient typed, no
address with a token, no text of an exception.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

import structlog

#: The only keys that reach a log.
ALLOWED = frozenset(
    "event level timestamp step request tries wait error code worker taken method route status "
    "milliseconds address service dropped".split()
)


def configure(log_format: str) -> None:
    """Set up structlog and quieten what would log addresses. `log_format`: `json` or `text`."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
    # httpx logs whole URLs, and PDS search parameters are in them.
    for name in ("httpx", "httpcore", "uvicorn.access", "alembic", "sqlalchemy.engine"):
        logging.getLogger(name).setLevel(logging.WARNING)


def only_allowed(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop every key that is not allowed, and say how many were."""
    del logger, method
    unknown = [key for key in event if key not in ALLOWED]
    for key in unknown:
        del event[key]
    if unknown:
        event["dropped"] = len(unknown)
    return event
