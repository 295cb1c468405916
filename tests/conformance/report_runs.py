"""A run with every outcome in it, and with a hostile server, for tests of reports."""

from __future__ import annotations

from datetime import UTC, datetime

from fhir_gateway.conformance.exchange import Answer, Exchange, Sent
from fhir_gateway.conformance.results import (
    Outcome,
    Requirement,
    Run,
    ScriptResult,
    Step,
    TestResult,
)

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
EVIL = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>]]>&\x00\x1b[31m\ud800"
REQUIREMENTS = (
    Requirement(
        "FHIR",
        "4.0.1",
        "3.1.0.8.1 Conditional create",
        "https://hl7.org/fhir/R4/http.html#ccreate",
        "SHALL",
        "One match: 200",
    ),
    Requirement("Local", section="2", link="javascript:alert(1)", strength="SHOULD", text=EVIL),
)


def exchange(*, answered: bool = True) -> Exchange:
    """A request and, unless nobody answered, a hostile answer."""
    sent = Sent(
        b'{"resourceType":"Patient"}',
        "application/fhir+json",
        (("Content-Type", "application/fhir+json"), ("Accept", "application/fhir+json")),
        "POST",
        "https://epr.example/fhir/Patient?name=a%20b&empty=",
    )
    body = ('{"text": "</pre></script>' + EVIL[:60] + '"}').encode()
    answer = Answer(
        body, "text/html", (("X-Evil", EVIL[:60]), ("Location", "Patient/1")), 201, EVIL[:30]
    )
    return Exchange(
        sent, answer if answered else None, NOW, 0.0123, "" if answered else "no answer"
    )


def run(*, hostile: bool = True) -> Run:
    """A run in which each outcome occurs. `hostile`: with markup wherever a server could put it."""
    word = EVIL if hostile else "a message"
    tests = tuple(
        TestResult(
            f"suite/script/{outcome}",
            f"Test {outcome} {word}",
            outcome,
            "" if outcome == Outcome.PASS else f"because {word}",
            f"It checks {word}",
            REQUIREMENTS,
            ("smoke",),
            (
                Step("operation", "Create", Outcome.PASS, "201 Created", exchange()),
                Step("assert", "Look", outcome, word),
            ),
            0.5,
        )
        for outcome in Outcome
    )
    silent = Step("operation", "", Outcome.ERROR, "no answer", exchange(answered=False))
    scripts = (
        ScriptResult(
            "suite",
            "script",
            f"Title {word}",
            "https://example.org/TestScript/script",
            (Step("operation", "Prepare", Outcome.PASS, "", exchange()),),
            tests,
            (silent,),
            NOW,
        ),
        ScriptResult("suite", "broken", "broken.json", problem=f"no JSON {word}", started=NOW),
    )
    return Run("https://epr.example/fhir", "abcdefghij", NOW, "tool 1", "json", word, 1.5, scripts)
