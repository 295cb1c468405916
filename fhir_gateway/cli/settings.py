"""Settings: `settings check` and `settings list`."""

from __future__ import annotations

import typer

from fhir_gateway.cli.terminal import AsJson, plain_errors, say, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="What the gateway is told by environment and file.")

_SECRET = ("secret_keys", "database_url", "epr_credentials")


@app.command("check")
def check(as_json: AsJson = False) -> None:
    """Say what is wrong with the settings; exit status 1 when anything is serious."""
    from fhir_gateway.settings import load, problems, settings_file

    with plain_errors():
        settings = load()
    found = problems(settings)
    serious = any(problem.serious for problem in found)
    if as_json:
        show_json(
            {
                "ok": not serious,
                "file": str(settings_file() or "") or None,
                "problems": [
                    {"setting": p.setting, "text": p.text, "serious": p.serious} for p in found
                ],
            }
        )
    else:
        say(f"Settings file: {settings_file() or 'none'}")
        show_table(
            ["Setting", "What", ""],
            [[p.setting, p.text, "must be mended" if p.serious else "note"] for p in found],
            empty="Nothing is wrong.",
        )
    if serious:
        raise typer.Exit(1)


@app.command("list")
def list_settings(as_json: AsJson = False) -> None:
    """List every setting with its value; secrets are not shown."""
    from pydantic import SecretStr

    from fhir_gateway.settings import Settings, load

    with plain_errors():
        settings = load()
    rows = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        # The address of a database can have a password in it.
        secret = isinstance(value, SecretStr) or (name in _SECRET and value)
        shown = "set, not shown" if secret else ("" if value in (None, ()) else str(value))
        rows.append([name, shown, field.description or ""])
    if as_json:
        show_json({name: value for name, value, _ in rows})
        return
    show_table(["Setting", "Value", "What it is"], rows, empty="")
