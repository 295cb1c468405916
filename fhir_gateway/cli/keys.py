"""Signing keys: `keys make`, `keys show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fhir_gateway.cli.terminal import fail, plain_errors, say, show_json

app = typer.Typer(no_args_is_help=True, help="Keys that sign token requests for PDS and others.")


@app.command("make")
def make(
    file: Annotated[Path, typer.Argument(help="New PEM file; its name becomes the key's kid.")],
) -> None:
    """Make a private key, readable by its owner alone."""
    from fhir_gateway.auth.keys import make_key_file

    try:
        make_key_file(file)
    except FileExistsError:
        fail(f"{file} is there already, and nothing was changed.", "Choose another name.")
    except OSError as error:
        fail(f"{file} could not be written ({type(error).__name__}).")
    say(f"{file} is a private key with the kid {file.stem}.")
    say("Add it at the end of signing_keys. Once neighbours had an hour to fetch the key set, put")
    say("it first: then it signs.")


@app.command("show")
def show() -> None:
    """Print the key set (JWKS) that is published, for registering it. Name the key in
    epr_credentials first, where it is for an EPR: the set says by which algorithm a key signs."""
    from fhir_gateway.auth.keys import read_key_ring
    from fhir_gateway.neighbours import key_ring
    from fhir_gateway.settings import load

    with plain_errors():
        show_json((key_ring(load()) or read_key_ring(())).key_set())
