"""Versions of resources, read and written within one transaction of the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.types import Resource, as_dict
from fhir_gateway.sandbox.epr import indexing, moments
from fhir_gateway.sandbox.epr.references import Key, links

#: Bound on what is read back; more than the largest body the server takes.
_MAX_STORED = 4_000_000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a resource. `resource` is None when this version is its deletion.

    `at` is a FHIR instant, `method` the HTTP method that made the version.
    """

    key: Key
    number: int
    at: str
    method: str
    resource: Resource | None

    @property
    def etag(self) -> str:
        """The weak entity tag of this version (https://hl7.org/fhir/R4/http.html#versioning)."""
        return f'W/"{self.number}"'

    @property
    def location(self) -> str:
        """Where this version is, relative to the server's base."""
        return f"{self.key}/_history/{self.number}"


class Session:
    """Reading and writing within one transaction."""

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], datetime]) -> None:
        self._connection = connection
        self._clock = clock

    def select(self, sql: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self._connection.execute(sql, arguments).fetchall()

    def now(self) -> datetime:
        """The present time by the storage's clock."""
        return self._clock()

    def latest(self, key: Key) -> Version | None:
        """The newest version, also when it is the deletion; None when there never was one."""
        found = self._versions(key, "ORDER BY number DESC LIMIT 1")
        return found[0] if found else None

    def version(self, key: Key, number: int) -> Version | None:
        """One version, or None."""
        found = self._versions(key, "AND number = ?", number)
        return found[0] if found else None

    def history(self, key: Key) -> list[Version]:
        """All versions, newest first."""
        return self._versions(key, "ORDER BY number DESC")

    def resources(self, keys: Sequence[Key]) -> list[Version]:
        """The newest version of each of these resources that is alive, in the order asked for."""
        found = (self.latest(key) for key in keys)
        return [version for version in found if version and version.resource]

    def is_live(self, key: Key) -> bool:
        """Whether there is such a resource, and it is not deleted."""
        return bool(self.select("SELECT 1 FROM live WHERE type = ? AND id = ?", key))

    def dangling(self, key: Key) -> list[Key]:
        """What a resource refers to and is not there."""
        return self._keys(
            "SELECT to_type, to_id FROM link WHERE type = ? AND id = ? AND NOT EXISTS"
            " (SELECT 1 FROM live WHERE live.type = to_type AND live.id = to_id)",
            key,
        )

    def links_from(self, key: Key) -> list[Key]:
        """What a resource refers to."""
        return self._keys("SELECT to_type, to_id FROM link WHERE type = ? AND id = ?", key)

    def links_to(self, key: Key) -> list[Key]:
        """What refers to a resource."""
        return self._keys("SELECT type, id FROM link WHERE to_type = ? AND to_id = ?", key)

    def write(self, key: Key, resource: Resource | None, method: str) -> Version:
        """Add a version with the next number and the present time; None deletes.

        `id`, `meta.versionId` and `meta.lastUpdated` are set; the rest is kept as it came.
        """
        latest = self.latest(key)
        number = latest.number + 1 if latest else 1
        at = moments.instant(self.now())
        if resource is not None:
            meta = {**as_dict(resource.get("meta")), "versionId": str(number), "lastUpdated": at}
            head = {"resourceType": key.type, "id": key.id, "meta": meta}
            resource = {**head, **resource, **head}
        body = None if resource is None else fhir_json.dump(resource)
        sequence = self._connection.execute(
            "INSERT INTO version (type, id, number, at, method, body) VALUES (?, ?, ?, ?, ?, ?)",
            (*key, number, at, method, body),
        ).lastrowid
        self._index(key, resource, sequence)
        return Version(key, number, at, method, resource)

    def _index(self, key: Key, resource: Resource | None, sequence: int | None) -> None:
        execute = self._connection.execute
        first = self.select("SELECT first FROM live WHERE type = ? AND id = ?", key)
        execute("DELETE FROM live WHERE type = ? AND id = ?", key)
        execute("DELETE FROM search_value WHERE type = ? AND id = ?", key)
        execute("DELETE FROM link WHERE type = ? AND id = ?", key)
        if resource is None:
            return
        execute(
            "INSERT INTO live VALUES (?, ?, ?, ?)",
            (*key, sequence, first[0][0] if first else sequence),
        )
        self._connection.executemany(
            "INSERT INTO search_value VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(*key, *row) for row in indexing.rows(resource)],
        )
        self._connection.executemany(
            "INSERT INTO link VALUES (?, ?, ?, ?)", [(*key, *to) for to in links(resource)]
        )

    def _versions(self, key: Key, condition: str, *arguments: Any) -> list[Version]:
        found = self.select(
            f"SELECT number, at, method, body FROM version WHERE type = ? AND id = ? {condition}",  # noqa: S608 - conditions are of this file
            (*key, *arguments),
        )
        return [
            Version(key, number, at, method, _parsed(body)) for number, at, method, body in found
        ]

    def _keys(self, sql: str, arguments: Sequence[Any]) -> list[Key]:
        return [Key(*row) for row in self.select(sql, arguments)]


def _parsed(body: bytes | None) -> Resource | None:
    resource: Resource | None = (
        None if body is None else fhir_json.parse(body, max_bytes=_MAX_STORED)
    )
    return resource
