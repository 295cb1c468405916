"""`settings check` and `settings list`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fhir_gateway.settings import Settings
from tests.cli.conftest import Run


def test_the_default_says_what_is_missing(run: Run) -> None:
    done = run("settings", "check")
    assert done.exit_code == 1
    assert "Settings file: none" in done.stdout
    assert "Without it no text can be sent." in done.stdout


def test_good_settings_are_fine(run: Run, phone: str) -> None:
    done = run("settings", "check", "--json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["ok"] is True
    assert found["file"] is None
    assert all(not problem["serious"] for problem in found["problems"])


def test_a_broken_file_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "fhir-gateway.toml").write_text("port = ")
    done = run("settings", "check")
    assert done.exit_code == 1
    assert "fhir-gateway.toml cannot be read" in done.stderr


def test_every_setting_is_listed_and_no_secret_shown(
    run: Run, run_json: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FHIR_GATEWAY_DATABASE_URL", "postgresql://user:canary@host/name")
    monkeypatch.setenv("FHIR_GATEWAY_SECRET_KEYS", json.dumps(["canary" * 8]))
    monkeypatch.setenv("FHIR_GATEWAY_PDS_TOKEN", "canary")
    listed = run_json("settings", "list")
    assert set(listed) == set(Settings.model_fields)
    assert listed["pds_token"] == listed["secret_keys"] == "set, not shown"
    assert listed["port"] == "8080"
    assert "canary" not in json.dumps(listed) + run("settings", "list").output
