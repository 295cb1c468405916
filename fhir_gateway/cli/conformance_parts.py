"""What `conformance run` is put together from."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from fhir_gateway import shipped
from fhir_gateway.cli.terminal import fail
from fhir_gateway.conformance import credentials, progress, report_folder, runs, suites, words
from fhir_gateway.conformance.http import Caller
from fhir_gateway.conformance.results import Run
from fhir_gateway.conformance.runs import Plan
from fhir_gateway.conformance.suites import Suite
from fhir_gateway.errors import GatewayError, Refused
from fhir_gateway.fhir.types import as_str


@dataclass(frozen=True, slots=True)
class Tls:
    """How certificates are checked and shown."""

    authority: Path | None
    certificate: Path | None
    key: Path | None
    insecure: bool


@contextmanager
def usage_errors() -> Iterator[None]:
    """What is wrong with how a command was given ends it with a sentence and status 2."""
    try:
        yield
    except GatewayError as error:
        fail(str(error), code=2)
    except OSError as error:
        fail(f"{error.filename or 'A file'} could not be used: {error.strerror}.", code=2)


def find(names: Sequence[str]) -> list[Suite]:
    """The suites of these names. Raises Refused."""
    return suites.find(names, shipped.folder("conformance"))


def plan(
    found: Sequence[Suite],
    format_: str,
    variables: Sequence[str],
    only: Sequence[str],
    failed: Path | None,
    profiles: Sequence[Path],
) -> Plan:
    """What to run. Raises Refused."""
    folders = [*profiles, *(suite.profiles for suite in found if suite.profiles)]
    keys = report_folder.failed_keys(failed) if failed else None
    if keys is not None and not keys:
        raise Refused(
            f"Nothing failed in {failed}, so there is nothing to run again.", code="usage"
        )
    planned = Plan(
        found,
        format_,
        dict(_pair(one, "--variable") for one in variables),
        tuple(only),
        keys,
        [shipped.read_profiles(folder) for folder in folders],
    )
    selected = any(
        planned.selects(script.key(index), script.tags(test))
        for suite in found
        for script in suite.scripts
        for index, test in enumerate(script.tests)
    )
    if not selected and not any(suite.problems for suite in found):
        raise Refused("No test of these suites is selected.", code="usage")
    return planned


def callers(
    target: str, destinations: Sequence[str], auth: Path | None, tls: Tls, timeout: float
) -> tuple[dict[int, Caller], Collection[str]]:
    """Who calls each server, and what no report may show. Raises Refused."""
    base = _address(target, "--target")
    given = credentials.read(auth, base) if auth else credentials.Credentials()
    own = credentials.verification(tls.authority, tls.certificate, tls.key, insecure=tls.insecure)
    verify = given.verify if own is True else own
    found = {1: Caller(base, auth=given.auth, verify=verify, timeout=timeout)}
    for one in destinations:
        number, url = _pair(one, "--destination")
        if not number.isdecimal() or not 1 < int(number) < 100:  # noqa: PLR2004
            raise Refused(f"--destination {one}: write 2=URL.", code="usage")
        found[int(number)] = Caller(_address(url, "--destination"), verify=own, timeout=timeout)
    return found, given.hidden


def execute(
    planned: Plan, using: Mapping[int, Caller], hidden: Collection[str], *, quiet: bool
) -> Run:
    """Run it, with progress on standard error."""
    total = sum(
        planned.selects(script.key(index), script.tags(test))
        for suite in planned.suites
        for script in suite.scripts
        for index, test in enumerate(script.tests)
    )
    with progress.shown(total, quiet=quiet) as told, _stoppable() as stopped:
        return runs.run(planned, using, secrets_to_hide=hidden, on_test=told, stopped=stopped)


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """The first Ctrl-C lets the test that runs end, cleans up and writes the reports; the second
    ends at once."""
    asked = threading.Event()

    def on_signal(*_: object) -> None:
        asked.set()
        signal.signal(signal.SIGINT, before)
        typer.echo("Stopping after this test. Press Ctrl-C again to end at once.", err=True)

    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    signal.signal(signal.SIGINT, on_signal)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def beside_tests(finished: Run) -> Iterator[str]:
    """What went wrong outside of any test, which progress does not show."""
    for script in finished.scripts:
        if script.beside_tests:
            failed = (step.message for step in script.setup if step.outcome == script.beside_tests)
            reason = script.problem or next(failed, "")
            yield f"{script.beside_tests.upper()} {script.suite}/{script.script}: {reason}"


def write(finished: Run, folder: Path) -> None:
    """Write all reports into a folder. Raises OSError."""
    report_folder.write(finished, folder)


def _pair(text: str, option: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise Refused(f"{option} {text}: write name=value.", code="usage")
    return name, value


def _address(text: str, option: str) -> str:
    try:
        split = urlsplit(text)
        fine = split.scheme in ("http", "https") and bool(split.hostname)
        fine = fine and not split.username and not split.query and not split.fragment
        _ = split.port
    except ValueError:
        fine = False
    if not fine or any(char.isspace() for char in text):
        raise Refused(
            f"{option} must be the http(s) address of a FHIR server, without user, query and "
            "fragment; credentials go into --auth.",
            code="usage",
        )
    return text.rstrip("/")


def explained(wanted: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """The tests whose key has a name in it, in words. Raises Refused when there is none."""
    home = shipped.folder("conformance")
    found = [
        {
            "key": script.key(index),
            "name": as_str(test.get("name")),
            "description": as_str(test.get("description")),
            "tags": list(script.tags(test)),
            "requirements": [asdict(one) for one in script.requirements(test)],
            "requires": [*script.requires(None), *script.requires(test)],
            "steps": words.test_steps(script, index),
        }
        for suite in (suites.find(names, home) if names else suites.shipped(home))
        for script in suite.scripts
        for index, test in enumerate(script.tests)
        if f"/{script.key(index)}".endswith(f"/{wanted}")
        or f"/{wanted}/" in f"/{script.key(index)}"
    ]
    if not found:
        raise Refused(
            f"There is no test '{wanted}'. `fhir-gateway conformance list --json` names all; with "
            "--suite others than the shipped ones are looked through.",
            code="usage",
        )
    return found
