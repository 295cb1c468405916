"""What an EPR's answer means: the one table from HTTP to the tree of errors (docs/epr.md).

For a write the question is whether it was done. For a read it is only whether to ask again.
"""

from __future__ import annotations

from fhir_gateway.epr.exchange import Answer
from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir.http import retry_after
from fhir_gateway.fhir.types import as_str

#: The EPR did not start on it.
_NOT_DONE = frozenset({408, 425, 429, 503})
_UNAUTHORISED = 401
CONFLICT = 409
PRECONDITION_FAILED = 412
#: Redirects that say the address is another: nothing was done at this one.
_MOVED = frozenset({301, 307, 308})
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
#: Seconds until credentials that were not taken are tried again; a person must mend them.
_CREDENTIALS_PAUSE = 60.0
#: What an OperationOutcome calls a resource that is there already; 59141 is Epic's.
_DUPLICATE = frozenset({"duplicate", "59141", "REC_CONFLICT", "SEND_CONFLICT", "PROXY_CONFLICT"})


class Present(Refused):
    """The EPR says that what we send, or something in its way, is there already: look.

    Never leaves this room: an adapter turns it into what the look says.
    """


class Duplicate(Present):
    """The EPR says in so many words (an issue code) that it has it already."""


def of_write(answer: Answer) -> GatewayError:
    """The error that an answer to a POST or PUT stands for; the answer is no success."""
    status = answer.status
    message, code = _message(answer), f"epr-{status}"
    if status in _NOT_DONE:
        return TryLater(message, code=code, after=retry_after(answer.headers.get("retry-after")))
    if status == _UNAUTHORISED:
        return TryLater(f"{message}: check the credentials", code=code, after=_CREDENTIALS_PAUSE)
    if _is_duplicate(answer):
        return Duplicate(message, code=code)
    if status in (CONFLICT, PRECONDITION_FAILED):
        return Present(message, code=code)
    if status in _MOVED:
        return Refused(
            f"{message}, a redirect, which is never followed: correct Endpoint.address", code=code
        )
    if _CLIENT_ERROR <= status < _SERVER_ERROR:
        return Refused(message, code=code)
    # 5xx: something broke, perhaps after it was done. 302, 303 and the rest: perhaps it was done.
    return OutcomeUnknown(message, code=code)


def of_read(answer: Answer) -> GatewayError:
    """The error that an answer to a GET stands for; the answer is no success."""
    error = of_write(answer)
    if isinstance(error, Present):
        return Refused(str(error), code=error.code)
    if isinstance(error, OutcomeUnknown):
        if answer.status < _CLIENT_ERROR:
            return Refused(
                f"{error}, a redirect, which is never followed: correct Endpoint.address",
                code=error.code,
            )
        # A read has no effect, so it can simply be tried again.
        after = retry_after(answer.headers.get("retry-after"))
        return TryLater(str(error), code=error.code, after=after)
    return error


def absent(error: Present) -> GatewayError:
    """What follows when what should be present was looked for and is not there."""
    if error.code == f"epr-{PRECONDITION_FAILED}":
        return Refused(str(error), code=error.code)
    return TryLater(str(error), code=error.code)


def _is_duplicate(answer: Answer) -> bool:
    below = _CLIENT_ERROR <= answer.status < _SERVER_ERROR
    # Some put into issue.code what belongs into its details.
    codes = [*answer.issue_codes, *(as_str(issue.get("code")) for issue in answer.issues)]
    return below and any(code in _DUPLICATE for code in codes)


def _message(answer: Answer) -> str:
    codes = ", ".join(answer.issue_codes[:4]) or "no OperationOutcome"
    return f"The EPR answered {answer.status} ({codes})"
