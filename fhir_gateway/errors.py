"""The one tree of errors. Every client and every room maps what went wrong to one of these.

    GatewayError
    ├── Refused          final: our input, or what a neighbour said no to; trying again is useless
    ├── TryLater         not now: the same call may succeed after `after` seconds
    ├── OutcomeUnknown   sent, and we do not know whether it was done; look before sending again
    └── Defect           our own mistake; must be seen by a developer

Whether to retry is therefore a type, never a string to be parsed. Messages are for operators: they
name codes, states and ids, never what a patient typed.
"""

from __future__ import annotations


class GatewayError(Exception):
    """Base of all errors of this package.

    `code` is stable and fit for logs, metrics and tests; `str(error)` is a sentence for operators.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class Refused(GatewayError):
    """Final. The input is wrong or a neighbour gave a definite no."""


class TryLater(GatewayError):
    """Nothing was done; the same call may succeed later.

    `after`: seconds to wait at least, when the neighbour said so (Retry-After), else None.
    """

    def __init__(self, message: str, *, code: str, after: float | None = None) -> None:
        super().__init__(message, code=code)
        self.after = after


class OutcomeUnknown(GatewayError):
    """The call may or may not have had its effect (silence, broken connection after sending)."""


class Defect(GatewayError):
    """A mistake of ours, such as a mapping that yields an invalid resource."""
