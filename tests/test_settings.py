"""Settings: from code, environment and file; and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from fhir_gateway.settings import Settings, SettingsRefused, load, problems

OPERATE = Path(__file__).parents[1] / "docs" / "operate.md"
GOOD: dict[str, Any] = {
    "base_url": "https://gateway.example",
    "database_url": "postgresql://gateway@db.example/gateway",
    "secret_keys": (SecretStr("k" * 32),),
    "pds_base_url": "https://api.service.nhs.uk/personal-demographics/FHIR/R4",
    "pds_token": SecretStr("token"),
    "notify_api_key": SecretStr("key"),
    "notify_template_id": "template",
    "alarm_webhook": "https://alarms.example/pifu",
    "fallback_dir": Path(__file__).parent,
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder, and no settings in the environment."""
    import os

    for name in [name for name in os.environ if name.startswith("FHIR_GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert Settings.model_fields[name].description
    table = OPERATE.read_text().partition("## Settings")[2].partition("\n## ")[0]
    assert f"`{name}`" in table


def test_nothing_but_settings_is_documented() -> None:
    import re

    table = OPERATE.read_text().partition("## Settings")[2].partition("\n##")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
    assert named == set(Settings.model_fields)


def test_code_wins_over_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "fhir-gateway.toml").write_text('host = "1.1.1.1"\nport = 1\nworker_id = "file"\n')
    monkeypatch.setenv("FHIR_GATEWAY_HOST", "2.2.2.2")
    monkeypatch.setenv("FHIR_GATEWAY_PORT", "2")
    settings = load(port=3)
    assert (settings.port, settings.host, settings.worker_id) == (3, "2.2.2.2", "file")


def test_the_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.toml"
    monkeypatch.setenv("FHIR_GATEWAY_SETTINGS", str(file))
    with pytest.raises(SettingsRefused, match="which is not there"):
        load()
    file.write_text("port = 7\n")
    assert load().port == 7


@pytest.mark.parametrize(
    "content", [b"port = ", b"port = 1\nport = 2\n", b"\xff\xfe", b"[[[", b'host = "a']
)
def test_a_file_that_cannot_be_read_is_said_with_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fhir-gateway.toml").write_bytes(content)
    with pytest.raises(SettingsRefused) as raised:
        load()
    (only,) = raised.value.problems
    assert only.startswith("fhir-gateway.toml cannot be read:")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PORT", "eighty", "port: "),
        ("PORT", "70000", "port: "),
        ("LOG_FORMAT", "xml", "log_format: "),
        ("WORKER_ID", "", "worker_id: "),
        ("CODES_PER_DAY", "0", "codes_per_day: "),
        ("SECRET_KEYS", "not json but a canary", "secret_keys"),
        ("SECRET_KEYS", '{"canary": 1}', "secret_keys"),
    ],
)
def test_what_is_wrong_is_named_and_never_quoted(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"FHIR_GATEWAY_{variable}", value)
    with pytest.raises(SettingsRefused) as raised:
        load()
    assert said in str(raised.value)
    assert "canary" not in str(raised.value)


def test_a_setting_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fhir-gateway.toml").write_text("prot = 7\nhosst = 1\n")
    with pytest.raises(SettingsRefused) as raised:
        load()
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize(
    ("variable", "serious", "said"),
    [
        ("FHIR_GATEWAY_TIMIN", True, "Did you mean FHIR_GATEWAY_TIMING?"),
        ("FHIR_GATEWAY_FALBACK_DIR", True, "Did you mean FHIR_GATEWAY_FALLBACK_DIR?"),
        ("FHIR_GATEWAY_SERVICE_HOST_OF_ANOTHER", False, "does nothing"),
    ],
)
def test_a_misspelt_name_in_the_environment_is_said(
    monkeypatch: pytest.MonkeyPatch, variable: str, serious: bool, said: str
) -> None:
    monkeypatch.setenv(variable, "secret-value")
    (found,) = problems(Settings(**GOOD))
    assert (found.setting, found.serious) == (variable, serious)
    assert said in found.text
    assert "secret-value" not in found.text


@pytest.mark.parametrize(
    "limits",
    [{"per_minute": 0}, {"at_once": 0}, {"failures": 0}, {"rest": 0}, {"window": "-PT1S"}],
    ids=str,
)
@pytest.mark.parametrize("name", ["epr_limits", "text_limits", "epr_limits_by_base"])
def test_limits_that_let_nothing_through_are_refused(name: str, limits: dict[str, Any]) -> None:
    given = {"https://epr.example/fhir": limits} if name == "epr_limits_by_base" else limits
    with pytest.raises(SettingsRefused):
        load(**{name: given})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alarm_webhook", "http://[bad"),
        ("alarm_webhook", "alarms.example"),
        ("notify_base_url", "ftp://notify.example"),
        ("nhs_notify_base_url", "comms"),
        ("smtp_url", SecretStr("http://user:secret@mail.example")),
        ("smtp_url", SecretStr("smtp://mail.example:none")),
        ("signing_keys", (Path("nowhere.pem"),)),
    ],
)
def test_what_could_not_be_used_is_said_by_the_check(name: str, value: object) -> None:
    mail = {"alarm_email": ("ops@example.nhs.uk",), "smtp_from": "gateway@example.nhs.uk"}
    given = {**GOOD, "smtp_url": SecretStr("smtps://mail.example"), **mail, name: value}
    (found,) = problems(Settings(**given))
    assert (found.setting, found.serious) == (name, True)
    assert "secret" not in found.text


@pytest.mark.parametrize(
    ("changes", "serious", "said"),
    [
        ({"key": "absent"}, True, "no signing key 'absent' for https://epr.example/fhir"),
        ({"certificate": "nowhere.pem"}, True, "nowhere.pem for https://epr.example/fhir"),
        ({}, False, "used for both"),
    ],
)
def test_credentials_that_cannot_be_used_are_said(
    tmp_path: Path, changes: dict[str, str], serious: bool, said: str
) -> None:
    (tmp_path / "one.pem").touch()
    smart = {"base_url": "https://epr.example/fhir", "method": "smart", "client_id": "g"}
    first = {"pds_client_id": "x", "pds_token": None, "signing_keys": (tmp_path / "one.pem",)}
    if changes.get("certificate"):
        first = {}
        smart = {**smart, "method": "none"}
    given = {**GOOD, **first, "epr_credentials": ({**smart, "key": "one", **changes},)}
    (found,) = problems(Settings(**given))
    assert (found.setting, found.serious) == ("epr_credentials", serious)
    assert said in found.text


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_GATEWAY_SECRET_KEYS", '["canary-canary-canary-canary-canary"]')
    monkeypatch.setenv("FHIR_GATEWAY_EPR_TOKEN", "canary")
    settings = load()
    assert "canary" not in repr(settings) + str(settings.model_dump())
    assert settings.secret_keys[0].get_secret_value().startswith("canary")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 7  # type: ignore[misc]


def test_without_a_url_the_database_is_in_the_data_folder(tmp_path: Path) -> None:
    assert load(data_dir=tmp_path).database == f"sqlite:///{tmp_path / 'gateway.db'}"
    assert load(database_url="postgresql://x/y").database == "postgresql://x/y"


def test_nothing_is_wrong_with_good_settings() -> None:
    assert problems(load(**GOOD)) == []


@pytest.mark.parametrize(
    ("change", "setting", "serious"),
    [
        ({"base_url": "http://gateway.example"}, "base_url", True),
        ({"base_url": "gateway.example"}, "base_url", True),
        ({"base_url": "https://"}, "base_url", True),
        ({"base_url": "https://[broken"}, "base_url", True),
        ({"base_url": "https://gateway.example:notaport"}, "base_url", True),
        ({"base_url": "https://gateway.example/pifu"}, "base_url", True),
        ({"base_url": "https://gateway.example?a=b"}, "base_url", True),
        ({"secret_keys": (SecretStr("short"),)}, "secret_keys", True),
        ({"secret_keys": ()}, "secret_keys", True),
        ({"notify_api_key": None}, "notify_api_key", True),
        ({"notify_template_id": ""}, "notify_template_id", True),
        ({"pds_token": None}, "pds_token", True),
        ({"pds_base_url": "https://[broken"}, "pds_base_url", True),
        ({"pds_base_url": "https://sandbox.api.service.nhs.uk/x"}, "pds_base_url", False),
        ({"database_url": None}, "database_url", False),
        ({"database_url": "nonsense"}, "database_url", True),
        ({"questionnaires": Path("/nowhere")}, "questionnaires", True),
        ({"mappings": Path("/nowhere")}, "mappings", True),
    ],
)
def test_what_would_harm_real_patients_is_said(
    change: dict[str, Any], setting: str, serious: bool
) -> None:
    found = problems(load(**{**GOOD, **change}))
    assert {(p.setting, p.serious) for p in found} == {(setting, serious)}


def test_on_this_machine_alone_a_key_in_the_data_folder_is_only_a_note() -> None:
    local = {**GOOD, "base_url": "http://127.0.0.1:8080", "secret_keys": ()}
    assert [(p.setting, p.serious) for p in problems(load(**local))] == [("secret_keys", False)]
