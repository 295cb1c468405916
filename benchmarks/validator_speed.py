"""How fast a response is validated, as ratios against peers in the same run.

    python benchmarks/validator_speed.py [--java] [--rounds N] [--json]

Forms of 60 and 600 items are made here: texts, choices, numbers and dates in groups, with
conditions, limits and a regex. Peers: fhir.resources parsing the same response (which checks types
and nothing else), and with --java the HL7 validator (FhirInstanceValidator), warm, over its server
in tests/peers. `validate_response` reads the bytes and indexes the Questionnaire each time;
`issues` is what the gateway does, with the Questionnaire indexed once.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from fhir_gateway.fhir.outcome import has_errors
from fhir_gateway.questionnaire import validate_response
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.validation import issues

_URL = "https://example.org/Questionnaire/benchmark"
_SYSTEM = "https://example.org/CodeSystem/answers"
_EXTENSION = "http://hl7.org/fhir/StructureDefinition"


def form(size: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A Questionnaire of `size` items and a valid response that answers all of it."""
    groups, answers = [], []
    for number in range(size // 10):
        questions, given = _group(number)
        text = f"Section {number}"
        groups.append({"linkId": f"g{number}", "type": "group", "text": text, "item": questions})
        answers.append({"linkId": f"g{number}", "text": text, "item": given})
    questionnaire = {"resourceType": "Questionnaire", "url": _URL, "status": "active"}
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": _URL}
    return (
        {**questionnaire, "item": groups},
        {**response, "status": "completed", "authored": "2026-01-05T09:00:00Z", "item": answers},
    )


def _group(number: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    coding = {"system": _SYSTEM, "code": "often", "display": "Often"}
    options = [{"valueCoding": {"system": _SYSTEM, "code": c}} for c in ("never", "often", "daily")]
    first = f"g{number}.0"
    asks: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"type": "boolean", "required": True}, {"valueBoolean": True}),
        ({"type": "string", "maxLength": 40}, {"valueString": "Left knee"}),
        ({"type": "choice", "answerOption": options}, {"valueCoding": coding}),
        (
            {
                "type": "integer",
                "extension": [
                    {"url": f"{_EXTENSION}/minValue", "valueInteger": 0},
                    {"url": f"{_EXTENSION}/maxValue", "valueInteger": 10},
                ],
            },
            {"valueInteger": 7},
        ),
        ({"type": "date"}, {"valueDate": "2026-01-04"}),
        ({"type": "text", "maxLength": 2000}, {"valueString": "It hurts when I walk. " * 5}),
        (
            {
                "type": "string",
                "extension": [{"url": f"{_EXTENSION}/regex", "valueString": "[A-Z0-9 ]+"}],
            },
            {"valueString": "LS1 4AP"},
        ),
        ({"type": "decimal"}, {"valueDecimal": 36.6}),
        ({"type": "choice", "repeats": True, "answerOption": options}, {"valueCoding": coding}),
    ]
    questions, given = [], []
    for index, (asked, answer) in enumerate(asks):
        question = {"linkId": f"g{number}.{index}", "text": f"Question {index}?", **asked}
        if index:
            condition = {"question": first, "operator": "=", "answerBoolean": True}
            question["enableWhen"] = [condition]
        questions.append(question)
        item = {"linkId": question["linkId"], "text": question["text"]}
        given.append({**item, "answer": [answer]})
    return questions, given


def milliseconds(task: Callable[[], Any], rounds: int) -> float:
    """The median time of a task."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        task()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def measure(size: int, rounds: int, java: bool) -> dict[str, Any]:
    """Median milliseconds of each way to look at one response."""
    questionnaire, response = form(size)
    data = json.dumps(response).encode()
    definition = Definition(questionnaire)
    outcome = validate_response(questionnaire, response)
    if has_errors(outcome):
        raise SystemExit(f"the form of {size} items is not valid: {outcome['issue'][0]}")
    found = {
        "items": size,
        "bytes": len(data),
        "issues": milliseconds(lambda: issues(definition, json.loads(data)), rounds),
        "validate_response": milliseconds(
            lambda: validate_response(questionnaire, json.loads(data)), rounds
        ),
        "fhir.resources": milliseconds(
            lambda: QuestionnaireResponse.model_validate_json(data), rounds
        ),
    }
    if java:
        found["hl7"] = _hl7(questionnaire, response, max(5, rounds // 10))
    return found


def _hl7(questionnaire: dict[str, Any], response: dict[str, Any], rounds: int) -> float:
    from tests.peers.hl7_validator.client import Hl7Validator

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Questionnaire-benchmark.json"
        file.write_text(json.dumps({**questionnaire, "id": "benchmark"}))
        with Hl7Validator([Path(folder)]) as validator:
            for _ in range(5):
                validator.validate(response)
            return milliseconds(lambda: validator.validate(response), rounds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--java", action="store_true", help="also the HL7 validator")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    options = parser.parse_args()
    results = [measure(size, options.rounds, options.java) for size in (60, 600)]
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for found in results:
        print(f"{found['items']} items, {found['bytes']} bytes")
        for name in ("issues", "validate_response"):
            peers = [
                f"{found[peer] / found[name]:.2f} × as fast as {peer} ({found[peer]:.2f} ms)"
                for peer in ("fhir.resources", "hl7")
                if peer in found
            ]
            print(f"  {name}: {found[name]:.2f} ms; " + ", ".join(peers))


if __name__ == "__main__":
    main()
