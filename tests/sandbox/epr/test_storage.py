"""The storage under several clients at once, and under failure."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Barrier

import httpx
import pytest

from fhir_gateway.fhir.identifiers import NHS_NUMBER
from fhir_gateway.sandbox.epr.references import Key
from fhir_gateway.sandbox.epr.storage import Storage
from tests.sandbox.epr.request_bundle import patient, request_bundle

Start = Callable[..., AbstractContextManager[httpx.Client]]
AT_ONCE = 8


def _at_once(call: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """The answers to the same call, made by eight threads at the same moment."""
    barrier = Barrier(AT_ONCE)

    def wait_and_call(_: int) -> httpx.Response:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(wait_and_call, range(AT_ONCE)))


@pytest.mark.parametrize("in_memory", [True, False])
def test_eight_conditional_creates_at_once_make_one_resource(
    start: Start, tmp_path: Path, in_memory: bool
) -> None:
    condition = {"If-None-Exist": f"identifier={NHS_NUMBER}|9990000018"}
    with start(storage=None if in_memory else tmp_path / "epr.sqlite") as epr:
        answers = _at_once(lambda: epr.post("/fhir/Patient", json=patient(), headers=condition))

        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert epr.get("/fhir/Patient").json()["total"] == 1


def test_eight_equal_transactions_at_once_make_one_request(epr: httpx.Client) -> None:
    bundle = request_bundle()

    answers = _at_once(lambda: epr.post("/fhir", json=bundle))

    assert {answer.status_code for answer in answers} == {200}
    for name in ("Patient", "ServiceRequest", "QuestionnaireResponse", "Task"):
        assert epr.get(f"/fhir/{name}").json()["total"] == 1


def test_of_eight_updates_of_one_version_one_wins(epr: httpx.Client) -> None:
    there = epr.post("/fhir/Patient", json=patient()).json()
    address = f"/fhir/Patient/{there['id']}"

    answers = _at_once(lambda: epr.put(address, json=there, headers={"If-Match": 'W/"1"'}))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    assert epr.get(address).json()["meta"]["versionId"] == "2"


def test_two_storages_of_one_file_see_each_other(tmp_path: Path) -> None:
    one, other = Storage(tmp_path / "epr.sqlite"), Storage(tmp_path / "epr.sqlite")
    key = Key("Patient", "1")
    with one.session() as session:
        session.write(key, patient(), "PUT")

    with other.session() as session:
        assert session.is_live(key)
    one.close()
    other.close()


def test_a_session_that_fails_leaves_no_trace_and_no_lock() -> None:
    storage = Storage(None)
    key = Key("Patient", "1")

    def fail() -> None:
        with storage.session() as session:
            session.write(key, patient(), "PUT")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with storage.session() as session:
        assert session.latest(key) is None
        assert session.select("SELECT count(*) FROM search_value") == [(0,)]
