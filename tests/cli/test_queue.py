"""`queue list`, `show` and `retry`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway.app import build
from fhir_gateway.settings import load
from fhir_gateway.store import attempts, requests
from fhir_gateway.store.requests import RequestState
from tests.cli.conftest import Run

ID = "5b2f0c3e-6a0e-4a52-8b0a-0f3a4a2d7c11"
REFERENCE = "7K2M-9QXD"
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.fixture
def accepted(service: str) -> str:
    """A request that its EPR refused."""
    gateway = build(load())
    with gateway.database.transaction() as tx:
        requests.add(
            tx,
            request_id=ID,
            reference=REFERENCE,
            draft_id=None,
            service_slug=service,
            questionnaire="urn:q|1",
            response={"resourceType": "QuestionnaireResponse", "id": "canary"},
            evidence={"verified": {"+447700900999": "canary"}},
            now=NOW,
        )
        attempt = attempts.open_attempt(tx, ID, "epr.example", now=NOW)
        attempts.resolve(tx, attempt, "epr-422", now=NOW)
        requests.move(
            tx, ID, RequestState.NEEDS_ATTENTION, now=NOW, detail="The EPR answered 422 [x]"
        )
    gateway.close()
    return ID


def test_an_empty_queue_says_so(run: Run, run_json: Callable[..., Any]) -> None:
    assert "Nothing is waiting." in run("queue", "list").stdout
    assert run_json("queue", "list") == []


def test_requests_are_listed_by_state(
    run: Run, run_json: Callable[..., Any], accepted: str
) -> None:
    (only,) = run_json("queue", "list")
    assert (only["id"], only["reference"], only["state"]) == (ID, REFERENCE, "needs-attention")
    assert run_json("queue", "list", "--state", "accepted", "--state", "mapped") == []
    assert REFERENCE in run("queue", "list", "--state", "needs-attention").stdout


@pytest.mark.parametrize("more", [("--state", "nonsense"), ("--limit", "0"), ("--limit", "many")])
def test_bad_input_is_refused(run: Run, more: tuple[str, ...]) -> None:
    assert run("queue", "list", *more).exit_code == 2


@pytest.mark.parametrize("name", [ID, REFERENCE, REFERENCE.lower()])
def test_every_move_of_a_request_is_shown(
    run: Run, run_json: Callable[..., Any], accepted: str, name: str
) -> None:
    shown = run_json("queue", "show", name)
    assert [event["state"] for event in shown["events"]] == ["accepted", "needs-attention"]
    assert shown["attempts"][0]["outcome"] == "epr-422"
    assert "[x]" in run("queue", "show", name).stdout


@pytest.mark.hazard("H08")
def test_nothing_that_a_patient_typed_is_shown(run: Run, accepted: str) -> None:
    printed = run("queue", "list").output + run("queue", "show", ID, "--json").output
    assert "canary" not in printed
    assert "7700900999" not in printed


def test_a_request_that_needs_attention_goes_on(
    run: Run, run_json: Callable[..., Any], accepted: str
) -> None:
    done = run("queue", "retry", REFERENCE, "--reason", "the EPR is mended")
    assert done.exit_code == 0
    assert f"fhir-gateway queue show {REFERENCE}" in done.stdout
    shown = run_json("queue", "show", ID)
    assert shown["state"] == "accepted"
    replayed = shown["events"][-1]
    assert replayed["state"] == "replayed"
    assert re.fullmatch(r"by .+@.+: the EPR is mended", replayed["detail"])
    assert replayed["at"]
    again = run("queue", "retry", REFERENCE, "--remap", "--reason", "once more")
    assert again.exit_code == 1
    assert "does not need attention: it is accepted" in again.stderr


def test_nothing_is_replayed_without_a_reason(
    run: Run, run_json: Callable[..., Any], accepted: str
) -> None:
    for command in (("retry", REFERENCE), ("resolve", REFERENCE, "--not-arrived")):
        assert run("queue", *command).exit_code == 2
    assert run_json("queue", "show", ID)["state"] == "needs-attention"


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (("retry", REFERENCE, "--reason", " "), 2, "Say why"),
        (("pause", "--texts", "--reason", ""), 2, "Say why"),
        (("retry", REFERENCE, "--service", "x", "--reason", "x"), 2, "narrow --all"),
        (("retry", "--all", "--service", "nobody", "--reason", "x"), 1, "no service 'nobody'"),
        (("pause", "--service", "nobody", "--reason", "x"), 1, "no service 'nobody'"),
        (("resume", "--service", "nobody"), 1, "no service 'nobody'"),
        (("resolve", REFERENCE, "--arrived", "yes", "--reason", "x"), 1, "ServiceRequest/123"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    run: Run,
    run_json: Callable[..., Any],
    accepted: str,
    command: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    done = run("queue", *command)
    assert done.exit_code == code
    assert said in " ".join(done.stderr.split())
    assert run_json("queue", "show", ID)["state"] == "needs-attention"


def test_a_replay_of_nothing_says_so(run: Run, accepted: str) -> None:
    done = run("queue", "retry", "--all", "--why", "epr-499", "--reason", "x")
    assert "No request needs attention" in done.stdout


def test_a_pause_and_its_end_are_in_the_audit(run: Run, run_json: Callable[..., Any]) -> None:
    run("queue", "pause", "--texts", "--reason", "the bill")
    assert run("queue", "resume", "--texts").exit_code == 0
    acts = [event["subtype"][0]["code"] for event in run_json("audit", "list")]
    assert {"pause", "resume"} <= set(acts)


@pytest.mark.parametrize("command", [("show",), ("retry", "--reason", "x")])
def test_an_unknown_request_is_said(run: Run, command: tuple[str, ...]) -> None:
    done = run("queue", command[0], "AAAA-AAAA", *command[1:])
    assert done.exit_code == 1
    assert "There is no request with this id or reference." in done.stderr


def test_the_data_folder_is_its_owners_alone(run: Run, tmp_path: Path) -> None:
    run("queue", "list")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", [("queue", "list"), ("worker",), ("serve", "--port", "0")])
def test_a_restored_database_without_its_key_is_not_started_with_another(
    run: Run, accepted: str, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "data" / "secret.key").unlink()
    done = run(*command)
    assert done.exit_code == 1
    assert "Put that key back" in " ".join(done.stderr.split())
