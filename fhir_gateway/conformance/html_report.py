"""report.html: one file with all of a run, which needs no network and runs nothing of a server.

What a server sent is text: the template escapes it, and the page's policy lets only its own script
and style in, by their hashes.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fhir_gateway.conformance import coverage, curl
from fhir_gateway.conformance.exchange import Content
from fhir_gateway.conformance.results import BAD, Outcome, Run
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import json as fhir_json

_TEMPLATES = Path(__file__).parent / "templates"
#: The largest body that is shown, in characters; network.har has it whole.
MAX_SHOWN = 60_000
WORDS: Mapping[Outcome, str] = {
    Outcome.PASS: "Passed",
    Outcome.WARNING: "Warning",
    Outcome.SKIP: "Skipped",
    Outcome.FAIL: "Failed",
    Outcome.ERROR: "Error",
}


def document(run: Run) -> bytes:
    """The page of a run."""
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    page = (
        _environment()
        .get_template("report.html")
        .render(
            run=run,
            counts=run.counts(),
            bad=[test for test in run.tests() if test.outcome in BAD],
            covered=coverage.of_run(run),
            words=WORDS,
            policy=policy,
            # Our own files, not a server's words.
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
        )
    )
    return page.encode("utf-8", "replace")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["curl"] = curl.command
    environment.filters["readable"] = readable
    environment.filters["anchor"] = anchor
    environment.filters["web_address"] = web_address
    return environment


def readable(content: Content) -> str:
    """A body for people: JSON indented, long ones cut, what is no text only counted."""
    try:
        text = content.body.decode()
    except UnicodeDecodeError:
        return f"({len(content.body)} bytes that are no text)"
    if text.lstrip()[:1] in ("{", "["):
        with contextlib.suppress(Refused, TypeError):
            text = fhir_json.dump(fhir_json.parse(text), pretty=True).decode()
    if len(text) > MAX_SHOWN:
        return f"{text[:MAX_SHOWN]}\n… {len(text) - MAX_SHOWN} more characters: see network.har"
    return text


def anchor(key: str) -> str:
    """An id for a place of the page."""
    return f"t-{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:12]}"


def web_address(link: str) -> str:
    """A link of a script when it is one that a click may follow; else empty."""
    return link if link.startswith(("https://", "http://")) else ""


def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
