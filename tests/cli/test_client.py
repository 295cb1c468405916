"""The commands `client` and `audit`, as an operator runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.rest.clients_world import RSA, key_set

CLAIMS = ["--ods", "RA1", "--scope", "system/Task.rus"]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / "portal.jwks.json"
    file.write_text(key_set(RSA))
    return file


def test_a_client_is_added_listed_shown_and_revoked(
    run: Run, run_json: Callable[..., Any], keys: Path
) -> None:
    added = run_json("client", "add", "Portal", *CLAIMS, "--jwks", keys)
    assert added["scopes"] == "system/Task.rus"
    assert added["token_endpoint"] == "http://127.0.0.1:8080/fhir/R4/auth/token"
    assert added["warnings"] == ["No service of RA1 is there yet."]
    (listed,) = run_json("client", "list")
    assert (listed["id"], listed["providers"], listed["revoked"]) == (added["id"], ["RA1"], None)
    assert added["id"] in run("client", "show", "Portal").stdout
    assert "is revoked" in run("client", "revoke", added["id"]).stdout
    assert "was revoked before" in run("client", "revoke", added["id"]).stdout
    assert run_json("client", "show", "Portal")["revoked"]
    audit = run_json("audit", "list")
    acts = [event["subtype"][0]["code"] for event in audit]
    assert acts == ["client-revoke", "client-add"]
    assert [e["subtype"][0]["code"] for e in run_json("audit", "list", "--limit", 1)] == [
        "audit-list"
    ]
    assert "no problems" in run("audit", "verify").stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--scope", "system/Task.rs"], "--ods CODE"),
        (["--ods", "RA1", "--scope", "Task.rs"], "Not known as a scope"),
        (["--ods", "RA1", "--scope", "system/Task.rs?x=1"], "Not known as a scope"),
        (["--ods", "ra1", "--scope", "system/Task.rs"], "ODS code"),
        (["--ods", "RA1", "--scope", "system/Questionnaire.c"], "--admin"),
        (["--ods", "RA1", "--scope", "system/*.rs system/Endpoint.u"], "--admin"),
    ],
)
def test_what_cannot_be_registered_is_said(
    run: Run, keys: Path, options: list[str], said: str
) -> None:
    done = run("client", "add", "Portal", *options, "--jwks", keys)
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no json", "no key set"),
        ('{"keys": 1}', "no key set"),
        ('{"keys": []}', "no key with a kid"),
        (json.dumps({"keys": [{**RSA.as_dict(private=True), "kid": "a"}]}), "private key"),
        ('{"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}]}', "private key"),
        (json.dumps({"keys": [RSA.as_dict(private=False) | {"kid": ""}]}), "no key with a kid"),
    ],
)
def test_a_key_set_that_cannot_be_used_is_refused(
    run: Run, tmp_path: Path, content: str, said: str
) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content)
    done = run("client", "add", "Portal", *CLAIMS, "--jwks", file)
    assert done.exit_code == 1
    assert said in done.stderr
    assert RSA.as_dict(private=True)["d"] not in done.output


def test_an_address_of_keys_must_be_https_and_is_tried(
    run: Run, run_json: Callable[..., Any]
) -> None:
    done = run("client", "add", "P", *CLAIMS, "--jwks-url", "http://portal.example/keys")
    assert "https" in done.stderr
    added = run_json("client", "add", "P", *CLAIMS, "--jwks-url", "https://127.0.0.1/keys")
    assert "private address" in added["warnings"][0]
    both = run("client", "add", "P", *CLAIMS)
    assert "--jwks FILE" in both.stderr


def test_a_name_that_is_not_there_or_not_one_is_said(run: Run, keys: Path) -> None:
    assert "no client" in run("client", "show", "Portal").stderr
    for _ in range(2):
        run("client", "add", "Portal", *CLAIMS, "--jwks", keys)
    assert "2 clients" in run("client", "revoke", "Portal").stderr


def test_a_token_is_for_a_demo_alone(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    assert "--demo" in run("client", "token", "--data-dir", folder).stderr
    nothing = run("client", "token", "--demo", "--data-dir", folder)
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert "No demo runs" in nothing.stderr
    names = ("gateway", "fhir", "pds", "epr", "phone")
    (folder / "demo.json").write_text(json.dumps(dict.fromkeys(names, "http://127.0.0.1:9")))
    pretended = run("client", "token", "--demo", "--data-dir", folder)
    assert (pretended.exit_code, pretended.stdout) == (1, "")
    assert "not the data folder of a demo" in pretended.stderr


def test_an_audit_that_was_changed_is_found(
    run: Run, run_json: Callable[..., Any], keys: Path, tmp_path: Path
) -> None:
    import sqlite3

    run("client", "add", "Portal", *CLAIMS, "--jwks", keys)
    before = tmp_path / "before.json"
    before.write_text(json.dumps(run_json("audit", "verify")))
    assert run("audit", "verify", "--against", before).exit_code == 0
    with sqlite3.connect(tmp_path / "data" / "gateway.db") as database:
        database.execute("UPDATE audit_event SET outcome = '8'")
    done = run("audit", "verify")
    assert done.exit_code == 1
    assert "was changed" in done.stdout
    assert run("audit", "verify", "--against", keys).exit_code == 2
