"""`link send`, `make` and `revoke`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Run

SEND = ("link", "send", "--service", "rheumatology")


def test_a_link_is_texted(run_json: Callable[..., Any], service: str, phone: str) -> None:
    sent = run_json(*SEND, "--mobile", "07700 900201")
    texts = httpx.get(f"{phone}/messages", params={"to": "07700900201"}).json()
    assert sent["url"] in texts[-1]["text"]
    assert texts[-1]["id"] == sent["text"]


def test_a_link_can_be_for_one_patient(run: Run, service: str, phone: str) -> None:
    done = run(*SEND, "--mobile", "07700900202", "--nhs-number", "999 000 1006", "--days", 7)
    assert done.exit_code == 0
    assert "Sent. The link is http://127.0.0.1:8080/r/" in done.stdout
    assert "fhir-gateway link revoke" in done.stdout
    assert "9990001006" not in done.output.replace(" ", "")


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (("--mobile", "020 7946 0123"), 2, "not a UK mobile number"),
        (("--mobile", "07700900203", "--nhs-number", "9990001007"), 2, "not a valid NHS number"),
        (("--mobile", "07700900203", "--days", "0"), 2, "--days"),
        (("--mobile", "07700900203", "--days", "99999999"), 2, "--days"),
        ((), 2, "--mobile"),
    ],
)
def test_bad_input_is_refused(
    run: Run, service: str, phone: str, more: tuple[str, ...], code: int, said: str
) -> None:
    done = run(*SEND, *more)
    assert done.exit_code == code
    assert said in done.stderr


def test_an_unknown_service_and_a_missing_provider_are_said(run: Run, service: str) -> None:
    unknown = run("link", "send", "--service", "nonsense", "--mobile", "07700900204")
    assert unknown.exit_code == 1
    assert "fhir-gateway service list" in unknown.stderr
    unsent = run(*SEND, "--mobile", "07700900204")
    assert unsent.exit_code == 1
    assert "No text provider is configured." in unsent.stderr


def test_a_number_that_had_its_texts_is_said(
    run: Run, service: str, phone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FHIR_GATEWAY_TEXTS_PER_NUMBER", "1")
    assert run(*SEND, "--mobile", "07700900205").exit_code == 0
    refused = run(*SEND, "--mobile", "07700900205")
    assert refused.exit_code == 1
    assert "Try again tomorrow" in refused.stderr


def test_a_link_is_made_without_a_text_and_revoked(
    run: Run, run_json: Callable[..., Any], service: str
) -> None:
    made = run_json("link", "make", "--service", service)
    assert made["url"].startswith("http://127.0.0.1:8080/r/")
    assert made["url"] != run("link", "make", "--service", service).stdout.splitlines()[0]
    assert run("link", "revoke", made["link"]).exit_code == 0
    unknown = run("link", "revoke", "nonsense")
    assert unknown.exit_code == 1
    assert "There is no link with this id." in unknown.stderr
