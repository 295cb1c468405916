"""What stands between the client and PDS: one limiter and one circuit breaker per application.

Both must hold across all processes, so what keeps them is handed in (delivery keeps them in the
database); here is what the client asks of it.
"""

from __future__ import annotations

from typing import Protocol

#: The code of a TryLater for a call that found too many others waiting.
BUSY = "pds-busy"


class Gate(Protocol):
    """Admits calls. Implementations raise TryLater where a call must not be made now."""

    def admit(self) -> float:
        """Seconds to wait before the call that this admits. Raises TryLater: the breaker is open,
        or too many calls are waiting already."""
        ...

    def succeeded(self) -> None:
        """PDS answered, whatever it said."""
        ...

    def failed(self) -> None:
        """PDS fell silent, answered 5xx or 408, or told us to slow down."""
        ...


class OpenGate:
    """No limit and no breaker: for sandboxes and tests."""

    def admit(self) -> float:
        """Never waits."""
        return 0.0

    def succeeded(self) -> None:
        """Nothing to remember."""

    def failed(self) -> None:
        """Nothing to remember."""
