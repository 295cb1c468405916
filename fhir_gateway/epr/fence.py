"""The fence around each POST: a process that was frozen on its way must not send what another has
taken over (docs/decisions/0024).

A POST leaves in two writes: everything but its last byte, then, if the fence still holds, the last
byte. Without it no server has a whole request, so nothing was done when the fence does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx

#: Raises TryLater when too much time went by since the POST was announced.
Check = Callable[[], None]
#: Called right before each POST that has an effect: commits that it leaves now, and gives the check
#: for its last byte. Raises TryLater when it must not leave.
Guard = Callable[[], Check]


class FencedBody(httpx.SyncByteStream):
    """The content of a POST; `check` is called before its last byte. It can be sent again, as an
    `httpx.Auth` does with a fresh token."""

    def __init__(self, content: bytes, check: Check) -> None:
        self._content = content
        self._check = check

    def __iter__(self) -> Iterator[bytes]:
        yield self._content[:-1]
        self._check()
        yield self._content[-1:]

    @property
    def headers(self) -> dict[str, str]:
        """Its length, so that it is not sent in chunks, which some servers do not take."""
        return {"Content-Length": str(len(self._content))}


def unguarded() -> Check:
    """A Guard that keeps nothing, for tests and for trying an EPR out."""
    return lambda: None
