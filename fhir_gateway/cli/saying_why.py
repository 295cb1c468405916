"""The reason that commands ask for, to be recorded with who gave it."""

from __future__ import annotations

import typer


def said_why(reason: str) -> str:
    """The reason of `--reason`. Raises typer.BadParameter when it says nothing."""
    if not reason.strip():
        raise typer.BadParameter("Say why: others read it later.")
    return reason.strip()
