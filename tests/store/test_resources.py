"""Resources, their versions, and what the index of them holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fhir_gateway.fhir.search.reading import Reading, read_query
from fhir_gateway.store import resource_links, resources, search
from fhir_gateway.store.database import Database, Transaction
from fhir_gateway.store.resources import EVERYTHING, Visible, macs_of
from fhir_gateway.store.seal import Sealer
from tests.databases import KEY
from tests.store.conftest import NOW

PATIENT = {"resourceType": "Patient", "id": "p", "name": [{"family": "Canary"}]}
NEWER_KEY = b"another key for tests that is 32 bytes or more"


def kept(tx: Transaction, resource: dict[str, Any], **more: Any) -> resources.Stored | None:
    return resources.write(tx, resource, provider="RX1", now=NOW, **more)


def found(tx: Transaction, **parameters: str) -> list[str]:
    query = read_query("Patient", parameters.items(), Reading(macs_of(tx.sealer), NOW))
    return [match.id for match in search.run(tx, query, EVERYTHING).matches]


def test_each_change_is_a_version(tx: Transaction) -> None:
    first = kept(tx, PATIENT)
    assert first is not None
    assert first.resource is not None
    assert first.resource["meta"] == {"versionId": "1", "lastUpdated": "2026-11-25T09:30:00.000Z"}
    second = kept(tx, {**PATIENT, "gender": "other"})
    assert second is not None
    assert second.version == 2
    versions = resource_links.versions(tx, "Patient", EVERYTHING, resource_id="p")
    assert [(v.version, v.method) for v in versions] == [(2, "PUT"), (1, "POST")]


def test_the_same_again_is_no_version(tx: Transaction) -> None:
    kept(tx, PATIENT)
    assert kept(tx, {**PATIENT, "meta": {"versionId": "7", "lastUpdated": "2020-01-01"}}) is None
    assert kept(tx, {**PATIENT, "meta": {"tag": [{"code": "a"}]}}) is not None


def test_a_change_of_an_older_version_is_refused(tx: Transaction) -> None:
    kept(tx, PATIENT)
    kept(tx, {**PATIENT, "gender": "other"}, expected=1)
    with pytest.raises(resources.VersionConflict):
        kept(tx, PATIENT, expected=1)
    with pytest.raises(resources.VersionConflict):
        kept(tx, {**PATIENT, "id": "new"}, expected=1)


def test_an_id_of_another_provider_cannot_be_taken(tx: Transaction) -> None:
    kept(tx, PATIENT)
    with pytest.raises(resources.OtherProvider):
        resources.write(tx, {**PATIENT, "gender": "other"}, provider="RX2", now=NOW)


def test_what_is_removed_comes_back_when_it_is_written_again(tx: Transaction) -> None:
    kept(tx, PATIENT)
    assert resources.remove(tx, "Patient", "p", now=NOW)
    assert not resources.remove(tx, "Patient", "p", now=NOW)
    assert not resources.remove(tx, "Patient", "nobody", now=NOW)
    gone = resources.read(tx, "Patient", "p", EVERYTHING)
    assert gone is not None
    assert gone.resource is None
    assert found(tx, family="canary") == []
    assert kept(tx, PATIENT) is not None
    assert found(tx, family="canary") == ["p"]


def test_only_what_is_visible_is_read(tx: Transaction) -> None:
    kept(tx, PATIENT)
    resources.write(tx, {**PATIENT, "id": "public"}, provider="", now=NOW)
    for visible, seen in (
        (EVERYTHING, True),
        (Visible(frozenset({"RX1", "RX3"})), True),
        (Visible(frozenset({"RX2"})), False),
        (Visible(frozenset()), False),
    ):
        assert (resources.read(tx, "Patient", "p", visible) is not None) is seen
        assert resources.read(tx, "Patient", "public", visible) is not None
        listed = resource_links.versions(tx, "Patient", visible)
        assert len(listed) == 1 + seen == resource_links.count_versions(tx, "Patient", visible)


def test_what_was_hashed_before_the_key_changed_is_found_after(database: Database) -> None:
    with database.transaction() as tx:
        kept(tx, PATIENT)
    changed = Database(database.url, Sealer([NEWER_KEY, KEY]))
    with changed.transaction() as tx:
        kept(tx, {**PATIENT, "id": "q"})
        assert sorted(found(tx, family="canary")) == ["p", "q"]
        assert found(tx, **{"family:exact": "canary"}) == []
    changed.close()


def test_versions_of_one_moment_are_paged_without_loss(tx: Transaction) -> None:
    for number in range(5):
        kept(tx, {**PATIENT, "gender": str(number)})
    seen, before = [], None
    while page := resource_links.versions(tx, "Patient", EVERYTHING, before=before, limit=2):
        seen += [version.version for version in page]
        before = (page[-1].at, page[-1].sequence, page[-1].version)
    assert seen == [5, 4, 3, 2, 1]


def test_readers_do_not_wait_for_writers(database: Database) -> None:
    with database.transaction() as tx:
        kept(tx, PATIENT)
    with database.transaction() as writer:
        kept(writer, {**PATIENT, "gender": "other"})
        with database.reading() as reader:
            stored = resources.read(reader, "Patient", "p", EVERYTHING)
    assert stored is not None
    assert stored.version == 1


def test_includes_are_bounded_and_say_so(tx: Transaction, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_links, "MAX_INCLUDED", 2)
    kept(tx, PATIENT)
    for number in range(3):
        task = {"resourceType": "Task", "id": f"t{number}", "for": {"reference": "Patient/p"}}
        resources.write(tx, task, provider="RX1", now=NOW + timedelta(seconds=number))
    query = read_query(
        "Patient", [("_revinclude", "Task:patient")], Reading(macs_of(tx.sealer), NOW)
    )
    matches = search.run(tx, query, EVERYTHING).matches
    included, whole = resource_links.included(tx, matches, query.includes, EVERYTHING)
    assert (len(included), whole) == (2, False)


def test_a_page_does_not_weigh_more_than_memory_allows(
    tx: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        kept(tx, {**PATIENT, "id": f"p{number}", "photo": [{"data": "A" * 30_000}]})
    monkeypatch.setattr(search, "MAX_PAGE_BYTES", 100_000)
    query = read_query("Patient", [], Reading(macs_of(tx.sealer), NOW))
    seen: list[list[str]] = []
    after = None
    while not seen or after is not None:
        page = search.run(tx, query, EVERYTHING, after=after)
        seen.append([match.id for match in page.matches])
        assert page.total == 4
        after = page.after
    assert seen == [["p3", "p2"], ["p1", "p0"]]
    monkeypatch.setattr(search, "MAX_PAGE_BYTES", 1)
    assert len(search.run(tx, query, EVERYTHING).matches) == 1
