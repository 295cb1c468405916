"""Public key sets (JWKS) of others: by value, and by address with a cache.

An address is asked again when a token names a key that is not known (keys roll over), but not more
often than every REST seconds whatever tokens name; and when what is kept is MAX_AGE old. A key set
that cannot be fetched is used for STALE more seconds. The cache is a process's own: another process
only fetches for itself.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from fhir_gateway.auth import addresses
from fhir_gateway.auth.signed import fits
from fhir_gateway.errors import GatewayError, Refused, TryLater
from fhir_gateway.fhir import json as strict_json

MAX_BYTES = 100_000
MAX_KEYS = 50
MAX_AGE, REST, STALE = 3600.0, 30.0, 86_400.0
_CAPACITY = 500
_TIMEOUT = httpx.Timeout(5.0, connect=3.0)
#: Seconds that all of an answer may take.
_LONGEST = 10.0
_OK = 200
#: Parts of a JWK that only its owner may have.
_PRIVATE = frozenset("d p q dp dq qi oth k".split())

Jwk = Mapping[str, Any]


def read_key_set(content: bytes, algorithms: Collection[str]) -> list[dict[str, Any]]:
    """The keys of a JWKS that can check one of these algorithms. Raises Refused with a sentence:
    for what is no key set, holds private or secret keys, or no key that can be used."""
    try:
        found = strict_json.parse(content, max_bytes=MAX_BYTES, max_depth=10)
    except strict_json.JsonRefused as error:
        raise Refused(f"It is no key set: {error}", code="key-set") from None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise Refused("It is no key set: it has no list `keys`.", code="key-set")
    if len(keys) > MAX_KEYS:
        raise Refused(f"A key set has {MAX_KEYS} keys at the most.", code="key-set")
    if any(_PRIVATE & key.keys() for key in keys):
        raise Refused(
            "It holds a private key. Make a new key: this one is not secret any more. Then "
            "give the public half.",
            code="key-set-private",
        )
    usable = [key for key in keys if _kid(key) and any(fits(key, name) for name in algorithms)]
    if not usable:
        raise Refused(
            f"It has no key with a kid for {' or '.join(sorted(algorithms))} (RSA of 2048 bits or "
            "more, or an elliptic curve).",
            code="key-set-useless",
        )
    return usable


@dataclass
class _Kept:
    keys: list[dict[str, Any]] = field(default_factory=list)
    fetched: float = float("-inf")
    tried: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)


class KeySets:
    """Key sets by their addresses. Safe between threads.

    `allowed`: names of hosts that may be reached by http and at private addresses. `ticks`: seconds
    of a clock that never goes back.
    """

    def __init__(
        self,
        algorithms: Collection[str],
        allowed: Collection[str] = (),
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._algorithms, self._allowed, self._ticks = algorithms, allowed, ticks
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def keys(self, url: str, kid: str) -> list[dict[str, Any]]:
        """The keys at an address, fetched when need be. Raises TryLater, Refused."""
        kept = self._entry(url)
        with kept.lock:
            now = self._ticks()
            known = any(key.get("kid") == kid for key in kept.keys)
            stale = now - kept.fetched > MAX_AGE
            if (known and not stale) or now - kept.tried < REST:
                return _good(kept, now)
            kept.tried = now
            try:
                kept.keys, kept.fetched = self.fetch(url), now
            except GatewayError:
                if not known:
                    raise
            return _good(kept, now)

    def fetch(self, url: str) -> list[dict[str, Any]]:
        """The key set at an address, now. Raises TryLater, Refused."""
        return read_key_set(fetch(url, self._allowed), self._algorithms)

    def _entry(self, url: str) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(url, _Kept())
            self._kept.move_to_end(url)
            if len(self._kept) > _CAPACITY:
                self._kept.popitem(last=False)
            return kept


def fetch(url: str, allowed: Collection[str]) -> bytes:
    """What is at an address, MAX_BYTES at the most. Raises Refused for an address that must not be
    called or an answer that is none, TryLater where nothing answers."""
    target = addresses.resolve(url, allowed)
    content, ends = bytearray(), time.monotonic() + _LONGEST
    # Neither redirects nor proxies: it goes where it was looked to lead.
    try:
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as http:
            response = http.send(target.request(http), stream=True)
            for chunk in response.iter_bytes():
                content.extend(chunk)
                if len(content) > MAX_BYTES or time.monotonic() > ends:
                    raise Refused("What is there is too long, or too slow.", code="key-set")
    except httpx.HTTPError as error:
        raise TryLater(
            f"It could not be reached ({type(error).__name__}).", code="key-set-away", after=REST
        ) from None
    if response.status_code != _OK:
        raise TryLater(
            f"It answered {response.status_code} instead of 200.", code="key-set-away", after=REST
        )
    return bytes(content)


def _good(kept: _Kept, now: float) -> list[dict[str, Any]]:
    if now - kept.fetched > MAX_AGE + STALE:
        raise TryLater("The key set could not be fetched.", code="key-set-away", after=REST)
    return kept.keys


def _kid(key: Jwk) -> bool:
    kid = key.get("kid")
    return isinstance(kid, str) and bool(kid)
