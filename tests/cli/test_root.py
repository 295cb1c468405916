"""Every command: help that a stranger can follow, a place in the docs, plain errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer.main

from fhir_gateway import __version__
from fhir_gateway.cli.root import app
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
DOCS = "\n".join(file.read_text() for file in [*ROOT.glob("docs/*.md"), ROOT / "README.md"])


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in getattr(group, "commands", {}).items():
        yield (*path, name)
        yield from commands(command, (*path, name))


ALL = list(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_explains_itself(run: Run, path: tuple[str, ...]) -> None:
    done = run(*path, "--help")
    assert done.exit_code == 0
    assert "Usage:" in done.stdout
    assert len(done.stdout.split()) > 15


@pytest.mark.parametrize("path", [p for p in ALL if len(p) == 1], ids=" ".join)
def test_every_command_is_in_the_docs(path: tuple[str, ...]) -> None:
    assert f"fhir-gateway {path[0]}" in DOCS


@pytest.mark.parametrize("path", [p for p in ALL if len(p) == 2], ids=" ".join)
def test_every_command_of_a_group_is_in_the_docs(path: tuple[str, ...]) -> None:
    group, name = path
    lines = [line for line in DOCS.splitlines() if f"fhir-gateway {group}" in line]
    assert any(name in line for line in lines)


def test_the_version_is_shown(run: Run) -> None:
    assert run("--version").stdout.strip() == __version__


@pytest.mark.parametrize("arguments", [("nonsense",), ("queue", "nonsense"), ("link", "send")])
def test_what_is_no_command_is_a_usage_error(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Usage:" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DATABASE_URL", "nonsense", "The database could not be used"),
        ("DATABASE_URL", "mysql://u:canary@h/d", "The database could not be used"),
        (
            "DATABASE_URL",
            "postgresql://u:canary@127.0.0.1:9/d?connect_timeout=2",
            "The database could not be used",
        ),
        ("DATA_DIR", "/dev/null/data", "/dev/null/data could not be used"),
        ("SECRET_KEYS", '["canary"]', "at least 32 bytes"),
        ("SECRET_KEYS", "canary", "secret_keys"),
        ("NOTIFY_API_KEY", "canary", "The API key of Notify"),
        ("PORT", "many", "port: "),
    ],
)
def test_bad_settings_end_with_a_sentence_and_without_a_secret(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"FHIR_GATEWAY_{variable}", value)
    done = run("service", "list")
    assert done.exit_code == 1
    assert said in done.stderr
    assert "canary" not in done.output
    assert "Traceback" not in done.output


def test_a_file_that_is_no_database_ends_with_a_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gateway.db").write_text("not a database at all" * 100)
    done = run("queue", "list")
    assert done.exit_code == 1
    assert "The database could not be used" in done.stderr
