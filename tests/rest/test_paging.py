"""Pages of a search while data arrives, and searches against a filter written another way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_gateway.fhir.search.reading import Reading, read_query
from fhir_gateway.fhir.types import Resource
from fhir_gateway.store import resources, search
from fhir_gateway.store.database import Database
from fhir_gateway.store.resources import Visible
from tests.databases import emptied
from tests.rest.conftest import NOW, Api, matches
from tests.rest.people import task

RX1 = Visible(frozenset({"RX1"}))
SLOW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
STATUSES = ("requested", "accepted", "completed")


def keep(database: Database, resource: Resource, provider: str = "RX1", seconds: int = 0) -> None:
    with database.transaction() as tx:
        moment = NOW + timedelta(seconds=seconds)
        resources.write(tx, resource, provider=provider, now=moment)


def page(
    database: Database, pairs: list[tuple[str, str]], after: search.Position | None = None
) -> search.Page:
    with database.reading() as tx:
        query = read_query("Task", pairs, Reading(resources.macs_of(tx.sealer), NOW), strict=True)
        return search.run(tx, query, RX1, after=after)


@SLOW
@given(
    before=st.lists(st.tuples(st.integers(1, 28), st.sampled_from(STATUSES)), max_size=20),
    arriving=st.lists(st.tuples(st.integers(1, 28), st.sampled_from(STATUSES)), max_size=10),
    count=st.integers(1, 7),
    sort=st.sampled_from(
        ["", "authored-on", "-authored-on", "status,-authored-on", "-_id", "_lastUpdated"]
    ),
)
def test_paging_visits_everything_exactly_once_while_data_arrives(
    running: Api, before: list[Any], arriving: list[Any], count: int, sort: str
) -> None:
    database = running.database
    emptied(database)
    there = set()
    for number, (day, status) in enumerate(before):
        keep(database, task(number, status=status, authoredOn=f"2026-11-{day:02}"))
        there.add(f"t{number}")
    pairs = [("_count", str(count)), *([("_sort", sort)] if sort else [])]
    seen: list[str] = []
    after = None
    while True:
        found = page(database, pairs, after)
        seen += [match.id for match in found.matches]
        for day, status in arriving[:2]:
            number = 1000 + len(arriving)
            keep(database, task(number, status=status, authoredOn=f"2026-11-{day:02}"))
            arriving = arriving[1:]
        after = found.after
        if after is None:
            break
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


TASKS = st.lists(
    st.tuples(
        st.sampled_from(STATUSES),
        st.sampled_from(["2026-11-01", "2026-11-02", "2026-11", "2026-11-02T10:00:00Z", None]),
        st.sampled_from(["RX1", "RX2"]),
        st.sampled_from(["urn:a", "urn:b", ""]),
        st.sampled_from(["x", "y"]),
    ),
    max_size=12,
)


def by_hand(kept: list[Any], name: str, value: str) -> set[str]:
    """The same search as a plain filter."""

    def holds(status: str, day: str | None, provider: str, system: str, code: str) -> bool:
        if provider != "RX1":
            return False
        if name == "status":
            return status in value.split(",")
        if name == "status:not":
            return status not in value.split(",")
        if name == "code":
            wanted_system, bar, wanted = value.rpartition("|")
            return (not bar or system == wanted_system) and (not wanted or code == wanted)
        if day is None:
            return name == "authored-on:missing" and value == "true"
        if name == "authored-on:missing":
            return value == "false"
        prefix, wanted = value[:2], value[2:]
        low, high = ends(day)
        asked_low, asked_high = ends(wanted)
        within = asked_low <= low and high <= asked_high
        return {
            "eq": within,
            "ne": not within,
            "gt": high > asked_high,
            "lt": low < asked_low,
            "ge": high > asked_high or within,
            "le": low < asked_low or within,
            "sa": low >= asked_high,
            "eb": high <= asked_low,
        }[prefix]

    return {f"t{i}" for i, one in enumerate(kept) if holds(*one)}


def ends(day: str) -> tuple[int, int]:
    """The seconds of November 2026 that a date stands for, counted by hand."""
    if day == "2026-11":
        return 0, 30 * 86400
    start = (int(day[8:10]) - 1) * 86400
    if len(day) == 10:
        return start, start + 86400
    start += int(day[11:13]) * 3600
    return start, start + 1


@SLOW
@given(
    kept=TASKS,
    asked=st.one_of(
        st.tuples(
            st.sampled_from(["status", "status:not"]),
            st.sampled_from(["requested", "requested,completed", "draft"]),
        ),
        st.tuples(st.just("code"), st.sampled_from(["x", "urn:a|x", "urn:a|", "|y", "urn:b|y"])),
        st.tuples(st.just("authored-on:missing"), st.sampled_from(["true", "false"])),
        st.tuples(
            st.just("authored-on"),
            st.builds(
                "{}{}".format,
                st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]),
                st.sampled_from(["2026-11-01", "2026-11-02", "2026-11", "2026-11-02T10:00:00Z"]),
            ),
        ),
    ),
)
def test_a_search_finds_what_a_plain_filter_finds(
    running: Api, kept: list[Any], asked: tuple[str, str]
) -> None:
    emptied(running.database)
    for number, (status, day, provider, system, code) in enumerate(kept):
        coding = {"code": code} | ({"system": system} if system else {})
        resource = task(number, status=status, code={"coding": [coding]})
        del resource["authoredOn"]
        if day:
            resource["authoredOn"] = day
        keep(running.database, resource, provider)
    found = page(running.database, [asked, ("_count", "100")])
    assert {match.id for match in found.matches} == by_hand(kept, *asked)


def test_pages_over_http_lead_from_first_to_last(api: Api) -> None:
    api.keep(*(task(number) for number in range(7)))
    path, seen = "/Task?_count=3&status=requested", []
    while path:
        bundle = api.get(path).raise_for_status().json()
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        assert bundle["total"] == 7 + len(seen) // 3
        seen += matches(bundle)
        api.keep(task(100 + len(seen)))
        if len(seen) > 3:  # the first page is of now, the others are of what was there then
            assert matches(api.get(links["self"]).json()) == matches(bundle)
        path = links.get("next", "")
    assert seen == [f"t{number}" for number in range(6, -1, -1)]


@pytest.mark.parametrize("count", [0, 1, 500, 501, 999_999_999])
def test_a_page_has_at_most_so_many(api: Api, count: int) -> None:
    api.keep(*(task(number) for number in range(3)))
    assert len(api.ids(f"/Task?_count={count}")) == min(count, 3)
