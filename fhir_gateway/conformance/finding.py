"""One thing that is wrong, or looks wrong, with a TestScript."""

from __future__ import annotations

from dataclasses import dataclass

ERROR = "error"
WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """`level`: error (a run would end in an error) or warning. `place`: where in the script."""

    level: str
    place: str
    message: str
