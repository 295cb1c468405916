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


def test_without_a_key_the_command_says_so() -> None:
    result = runner.invoke(app, ["keys", "show"])
    assert result.exit_code == 1
    assert "no signing key" in result.output
