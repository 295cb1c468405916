from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fhir_gateway.cli.root import app

runner = CliRunner()


def test_a_key_is_made_once_and_its_public_half_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pifu-1.pem"
    assert "kid pifu-1" in runner.invoke(app, ["keys", "make", str(file)]).output
    again = runner.invoke(app, ["keys", "make", str(file)])
    assert again.exit_code == 1
    assert "nothing was changed" in again.output
    monkeypatch.setenv("FHIR_GATEWAY_SIGNING_KEYS", json.dumps([str(file)]))
    [key] = json.loads(runner.invoke(app, ["keys", "show"]).stdout)["keys"]
    assert key["kid"] == "pifu-1"
    assert "d" not in key


def test_a_key_for_an_epr_is_shown_as_it_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An EPR that reads another algorithm in the key's JWK takes no assertion signed by it."""
    file = tmp_path / "epr-1.pem"
    runner.invoke(app, ["keys", "make", str(file)])
    credentials = {
        "base_url": "https://epr.example/fhir",
        "method": "smart",
        "client_id": "gateway",
        "key": "epr-1",
    }
    monkeypatch.setenv("FHIR_GATEWAY_SIGNING_KEYS", json.dumps([str(file)]))
    monkeypatch.setenv("FHIR_GATEWAY_EPR_CREDENTIALS", json.dumps([credentials]))
    [key] = json.loads(runner.invoke(app, ["keys", "show"]).stdout)["keys"]
    assert (key["kid"], key["alg"]) == ("epr-1", "RS384")


def test_without_a_key_the_command_says_so() -> None:
    result = runner.invoke(app, ["keys", "show"])
    assert result.exit_code == 1
    assert "no signing key" in result.output
