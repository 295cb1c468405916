"""Live progress of a run: a bar on a terminal, a line for each test elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from fhir_gateway.conformance.results import Outcome, TestResult

_STYLES = {
    Outcome.PASS: "green",
    Outcome.WARNING: "yellow",
    Outcome.SKIP: "cyan",
    Outcome.FAIL: "red",
    Outcome.ERROR: "magenta",
}


@contextmanager
def shown(total: int, *, quiet: bool = False) -> Iterator[Callable[[TestResult], None]]:
    """Yields what to tell of each test that has ended. On standard error, so that `--json` stays
    clean; `quiet`: nothing at all unless it is a terminal."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if not sys.stderr.isatty():
        yield (lambda _result: None) if quiet else lambda result: console.print(line(result))
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total, now="")

        def told(result: TestResult) -> None:
            bar.console.print(line(result))
            bar.update(task, advance=1, now="")

        yield told


def line(result: TestResult) -> Text:
    """A test's outcome in one line, with why when it is no pass."""
    text = Text(f"{result.outcome.upper():8}", style=_STYLES[result.outcome])
    text.append(_printable(result.key), style="default")
    if result.message and result.outcome != Outcome.PASS:
        text.append(f"\n         {_printable(result.message)}", style="default")
    return text


def _printable(text: str) -> str:
    """Without control characters: a server's words must not steer a tester's terminal."""
    return "".join(char if char.isprintable() else "�" for char in text)
