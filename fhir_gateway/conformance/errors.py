"""Why a step of a TestScript could not be judged; neither is ever a pass."""

from __future__ import annotations

from fhir_gateway.errors import Refused


class ScriptError(Refused):
    """The script is wrong here: an unknown fixture, an expression that does not parse, a variable
    without a value. The step is an error."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="script-error")


class NotSupported(Refused):
    """This engine cannot do what the script asks, or lacks what it needs. The step is skipped, with
    this message as its reason."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="not-supported")


class NoResource(NotSupported):
    """There is no FHIR resource to look into. When an answer should have held it, that is a failure
    of the server."""

    def __init__(self, why: str) -> None:
        super().__init__(f"there is no FHIR resource in it. {why}")


class NothingYet(ScriptError):
    """A source that a step names holds nothing: it is unknown, or its operation did not run."""
