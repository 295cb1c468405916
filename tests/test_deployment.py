"""What is shipped to run the gateway with is well formed, and names commands and settings that
there are."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from fhir_gateway.cli.root import app
from fhir_gateway.settings import FILE_VARIABLE, Settings, load

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm/fhir-gateway"
NAMES = {f"FHIR_GATEWAY_{name.upper()}" for name in Settings.model_fields} | {FILE_VARIABLE}
COMMANDS = get_command(app)
_VARIABLE = re.compile(r"\bFHIR_GATEWAY_[A-Z_]+\b")
_ACTION = re.compile(r"{{-?(.*?)-?}}")


def rendered(name: str) -> list[Any]:
    """A template as YAML: control lines left out, values in braces replaced by a word."""
    lines = (CHART / "templates" / name).read_text().splitlines()
    kept = [line for line in lines if not re.fullmatch(r"\s*{{-.*}}", line)]
    return list(yaml.safe_load_all(_ACTION.sub("value", "\n".join(kept))))


def containers() -> Iterator[dict[str, Any]]:
    for name in ("web.yaml", "worker.yaml"):
        for document in rendered(name):
            yield from document["spec"]["template"]["spec"]["containers"]


@pytest.mark.parametrize("file", sorted(p for p in DEPLOY.rglob("*") if p.is_file()), ids=str)
def test_every_setting_that_is_named_exists(file: Path) -> None:
    assert set(_VARIABLE.findall(file.read_text())) <= NAMES


def test_commands_exist_with_their_options() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    lines = [compose["services"][name]["command"] for name in ("web", "worker")]
    lines += [container["args"] for container in containers()]
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "systemd/fhir-gateway.service")
    lines.append(unit["Service"]["ExecStart"].split()[1:])
    assert len(lines) == 5
    for command, *options in lines:
        known = COMMANDS.commands[command]  # type: ignore[attr-defined]
        names = {o for p in known.params for o in (*p.opts, *p.secondary_opts)}
        assert set(options) <= names


def test_all_processes_are_started_again_when_they_end() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert {s["restart"] for s in compose["services"].values()} == {"unless-stopped"}
    assert "Restart=always" in (DEPLOY / "systemd/fhir-gateway.service").read_text()


@pytest.mark.parametrize("name", sorted(p.name for p in (CHART / "templates").iterdir()))
def test_templates_are_yaml_and_use_values_that_there_are(name: str) -> None:
    assert all(document["kind"] and document["metadata"]["name"] for document in rendered(name))
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    text = (CHART / "templates" / name).read_text()
    assert text.count("{{") == text.count("}}")
    opened = len(re.findall(r"{{-? (?:if|range|with) ", text))
    assert opened == len(re.findall(r"{{-? end ?-?}}", text))
    for path in re.findall(r"\.Values\.([\w.]+)", text):
        value = values
        for part in path.split("."):
            assert part in value, f"values.yaml has no {path}"
            value = value[part]


def test_no_service_of_a_cluster_is_taken_for_a_setting() -> None:
    """A Service called fhir-gateway has FHIR_GATEWAY_PORT=tcp://… set in every pod that does not
    say no to it, and nothing would start."""
    for name in ("web.yaml", "worker.yaml"):
        (document,) = rendered(name)
        assert document["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_the_settings_file_of_compose_is_there_and_can_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    web = compose["services"]["web"]
    places = dict(place.split(":")[:2] for place in web["volumes"])
    named = Path(web["environment"][FILE_VARIABLE])
    (folder,) = [here for here, there in places.items() if Path(there) == named.parent]
    file = DEPLOY / folder / named.name
    monkeypatch.setenv(FILE_VARIABLE, str(file))
    load()
    # What it shows as an example are settings as well.
    shown = file.read_text().partition("container:\n")[2]
    example = tomllib.loads("\n".join(line.lstrip("# ") for line in shown.splitlines()))
    assert set(example) <= set(Settings.model_fields)


def test_the_chart_has_the_version_of_the_package() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.M)
    assert version is not None
    assert chart["appVersion"] == version[1]
