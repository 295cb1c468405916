"""Transactions: all entries or none. https://hl7.org/fhir/R4/http.html#trules

Order: deletes; then, for creates, which resource each becomes (a conditional create may find one
that is there); then all references are rewritten to those; then creates, updates, and reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl

from fhir_gateway.fhir.types import Resource
from fhir_gateway.sandbox.epr import interactions, responses
from fhir_gateway.sandbox.epr.entries import METHODS, Entry, read_entries
from fhir_gateway.sandbox.epr.faults import BAD_REQUEST, PRECONDITION_FAILED, blaming, fault
from fhir_gateway.sandbox.epr.interactions import Done
from fhir_gateway.sandbox.epr.query import read_criteria
from fhir_gateway.sandbox.epr.references import Change, Key, is_conditional, local_key
from fhir_gateway.sandbox.epr.search import only_match
from fhir_gateway.sandbox.epr.session import Session, Version
from fhir_gateway.sandbox.epr.storage import Storage


def run(storage: Storage, bundle: Resource, base: str, *, representation: bool) -> Resource:
    """Carry out a transaction and answer with its transaction-response.

    `representation`: whether created and updated resources are to come back. Raises Fault, whose
    issues name the entries; then nothing at all was done.
    """
    entries = read_entries(bundle, base)
    _check_identities(entries)
    with storage.session() as session:
        answers = _Transaction(session, entries, base, representation).carry_out()
    return responses.bundle("transaction-response", [answers[entry.index] for entry in entries])


class _Transaction:
    """One transaction under way."""

    def __init__(
        self, session: Session, entries: Sequence[Entry], base: str, representation: bool
    ) -> None:
        self.session = session
        self.base = base
        self.representation = representation
        self.entries = {
            method: [entry for entry in entries if entry.method == method] for method in METHODS
        }
        self.answers: dict[int, Resource] = {}

    def carry_out(self) -> dict[int, Resource]:
        """Do everything; the answer of each entry by its index."""
        for entry in self.entries["DELETE"]:
            interactions.remove(self.session, entry.key)
            self.answers[entry.index] = responses.deleted()
        found, keys = self._identify()
        written = self._write(found, keys)
        self._settle(written)
        for entry in self.entries["GET"]:
            with blaming(entry.index):
                self.answers[entry.index] = responses.get(self.session, entry, self.base)
        return self.answers

    def _identify(self) -> tuple[dict[int, Version], dict[int, Key]]:
        """What conditional creates find, and which resource each POST and PUT becomes.

        Two creates with the same criteria become one resource, as they would one after the other.
        """
        found: dict[int, Version] = {}
        keys = {entry.index: entry.key for entry in self.entries["PUT"]}
        chosen: dict[tuple[str, str], Key] = {}
        for entry in self.entries["POST"]:
            resource_type, criteria = entry.segments[0], entry.if_none_exist
            with blaming(entry.index):
                version = interactions.existing(self.session, resource_type, criteria)
            key = version.key if version else interactions.new_key(resource_type)
            if version:
                found[entry.index] = version
            elif criteria:
                key = chosen.setdefault((resource_type, criteria), key)
            keys[entry.index] = key
        return found, keys

    def _write(self, found: Mapping[int, Version], keys: Mapping[int, Key]) -> dict[int, Key]:
        """Write what is new or changed; which entry wrote which resource."""
        entries = self.entries["POST"] + self.entries["PUT"]
        targets = {entry.full_url: keys[entry.index] for entry in entries if entry.full_url}
        resources: dict[int, Resource] = {}
        for entry in entries:
            with blaming(entry.index):
                change = self._change(entry, targets)
                resources[entry.index] = interactions.linked(entry.resource, self.base, change)
        written: dict[int, Key] = {}
        for entry in entries:
            key = keys[entry.index]
            with blaming(entry.index):
                if entry.index in found:
                    done = Done(200, found[entry.index])
                elif key in written.values():
                    done = Done(200, interactions.read(self.session, key))
                else:
                    written[entry.index] = key
                    done = self._write_one(entry, key, resources[entry.index])
            self.answers[entry.index] = responses.done(done, representation=self.representation)
        return written

    def _write_one(self, entry: Entry, key: Key, resource: Resource) -> Done:
        if entry.method == "PUT":
            return interactions.put(self.session, key, resource, entry.if_match)
        return Done(201, self.session.write(key, resource, "POST"))

    def _change(self, entry: Entry, targets: Mapping[str, Key]) -> Change:
        """How references of an entry change: to what other entries become, or to what is found."""
        root = _service_root(entry.full_url)

        def change(name: str, reference: str) -> str | None:
            address, hash_mark, fragment = reference.partition("#")
            target = targets.get(address)
            if target is None and root and local_key(address):
                target = targets.get(f"{root}/{address}")
            if target is None and name == "reference" and is_conditional(reference):
                target = self._resolve(reference)
            return f"{target}{hash_mark}{fragment}" if target else None

        return change

    def _resolve(self, reference: str) -> Key:
        """The one resource that a conditional reference selects. Raises Fault (404, 412)."""
        resource_type, _, criteria = reference.partition("?")
        interactions.check_type(resource_type)
        query = read_criteria(resource_type, parse_qsl(criteria, keep_blank_values=True))
        key = only_match(self.session, query)
        if key is None:
            raise fault(
                PRECONDITION_FAILED, "not-found", f"No {resource_type} matches the reference."
            )
        return key

    def _settle(self, written: Mapping[int, Key]) -> None:
        """Whether all references hold, now that everything is in its place."""
        for index, key in written.items():
            with blaming(index):
                interactions.settle(self.session, key)
        for entry in self.entries["DELETE"]:
            with blaming(entry.index):
                interactions.check_unreferenced(self.session, entry.key)


def _service_root(full_url: str) -> str:
    """The server part of a fullUrl such as `http://one.example/fhir/Patient/1`, or ''.

    Relative references within that entry are relative to it
    (https://hl7.org/fhir/R4/bundle.html#references).
    """
    parts = full_url.rsplit("/", 2)
    is_url = full_url.startswith(("http://", "https://")) and len(parts) == 3  # noqa: PLR2004
    return parts[0] if is_url else ""


def _check_identities(entries: Iterable[Entry]) -> None:
    """No fullUrl twice, and no resource both deleted and updated, or twice so."""
    seen: set[object] = set()
    for entry in entries:
        names: list[object] = [entry.full_url] if entry.full_url and entry.resource else []
        if entry.method in ("PUT", "DELETE"):
            names.append(entry.key)
        with blaming(entry.index):
            if seen.intersection(names):
                raise fault(BAD_REQUEST, "invalid", "Two entries are about the same resource.")
        seen.update(names)
