"""Claims of JWTs, as they must be (RFC 7519): each function raises BadToken with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fhir_gateway.auth.signed import BadToken

#: How far the clock of another machine may be from ours.
CLOCKS = timedelta(seconds=30)
_LONGEST = 300


def text(claims: Mapping[str, Any], name: str, *, longest: int = _LONGEST) -> str:
    """A claim that is a text."""
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise BadToken(f"The claim {name} must be a text of 1 to {longest} characters.")
    return value


def moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    """A claim that is a moment in seconds since 1970; None when it is not there."""
    value = claims.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise TypeError
        return datetime.fromtimestamp(float(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        raise BadToken(f"The claim {name} must be a number of seconds since 1970.") from None


def check_times(
    claims: Mapping[str, Any], *, now: datetime, longest: timedelta | None = None
) -> datetime:
    """`exp` is there, ahead, at most by `longest`; `nbf` and `iat` are not ahead. The end."""
    ends = moment(claims, "exp")
    if ends is None:
        raise BadToken("The claim exp is missing.")
    if ends + CLOCKS <= now:
        raise BadToken("It has expired (exp).")
    if longest is not None and ends > now + longest + CLOCKS:
        minutes = int(longest.total_seconds() // 60)
        raise BadToken(f"It lives for too long: exp may be {minutes} minutes ahead at the most.")
    for name in ("nbf", "iat"):
        begins = moment(claims, name)
        if begins is not None and begins > now + CLOCKS:
            raise BadToken(f"It is not good yet ({name}).")
    return ends


def check_audience(claims: Mapping[str, Any], wanted: str) -> None:
    """`aud` is `wanted`, or a list that has it."""
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    if wanted not in listed:
        raise BadToken(f"Its audience (aud) must be {wanted}.")
