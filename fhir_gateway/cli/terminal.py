"""How commands speak: tables and sentences for people, JSON for scripts, one shape for errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

#: The option of every command whose answer a script would read.
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

_out = Console(soft_wrap=True, highlight=False)
_err = Console(stderr=True, soft_wrap=True, highlight=False)


def say(text: str) -> None:
    """A line for people; square brackets are shown as they are."""
    _out.print(text, markup=False)


def show_json(value: Any) -> None:
    """A value as JSON on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """A table, or a sentence when there are no rows."""
    if not rows:
        say(empty)
        return
    table = Table(show_edge=False, pad_edge=False)
    for column in columns:
        # Whole canonicals and ids, on several lines if need be: people copy them.
        table.add_column(column, overflow="fold")
    for row in rows:
        # As text: what stands in square brackets would be taken for a style and left out.
        table.add_row(*map(Text, row))
    _out.print(table)


def fail(*lines: str, code: int = 1) -> NoReturn:
    """Say what is wrong and what to do, on standard error, and end."""
    for line in lines:
        _err.print(line, markup=False)
    raise typer.Exit(code)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Errors that a person can do something about end the command with a sentence, not a trace."""
    from sqlalchemy.exc import ArgumentError, DBAPIError

    from fhir_gateway.errors import GatewayError
    from fhir_gateway.settings import SettingsRefused

    try:
        yield
    except SettingsRefused as error:
        fail(
            "The settings cannot be used:",
            *(f"  - {problem}" for problem in error.problems),
            "`fhir-gateway settings check` says more.",
        )
    except GatewayError as error:
        fail(str(error))
    except (DBAPIError, ArgumentError) as error:
        # Only the kind: the text can hold the address with its password.
        kind = type(error.orig if isinstance(error, DBAPIError) else error).__name__
        fail(
            f"The database could not be used ({kind}).",
            "Check database_url or data_dir: `fhir-gateway settings check`.",
        )
    except OSError as error:
        fail(f"{error.filename or 'A file'} could not be used: {error.strerror}.")
