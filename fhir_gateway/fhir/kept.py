"""The last results of something that is computed again and again, by key. Safe between threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """At most `most` results; the one that was asked for longest ago goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[K, V] = {}
        self._lock = threading.Lock()

    def get(self, key: K, compute: Callable[[], V]) -> V:
        """The result for a key, computed when it is not at hand. Two threads that ask at once may
        both compute it; what `compute` raises is not kept."""
        with self._lock:
            if key in self._values:
                # The order of a dict is the order of insertion.
                value = self._values[key] = self._values.pop(key)
                return value
        value = compute()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                del self._values[next(iter(self._values))]
        return value

    def forget(self, key: K) -> None:
        """Drop the result for a key, if there is one."""
        with self._lock:
            self._values.pop(key, None)

    def __len__(self) -> int:
        return len(self._values)
