"""How far this validator agrees with others, on a folder of cases.

    python benchmarks/validator_agreement.py DIR [--json]

DIR: a folder with an index.json, or a folder of such folders. Cases of kind `qr-validation` name a
questionnaire, a response and `supporting` resources, and what is expected: `expectedValid`, or
`expected` with `valid` and `issues` for each validator. Cases of kind `enableWhen` name an item and
whether it is enabled.

A case is *agreed* where everybody who judged it says the same. Exit status 1 when an agreed case
comes out differently here. Issues are compared with those errors of the HL7 validator (`java`) that
have a message id: by id and place.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fhir_gateway.fhir.outcome import has_errors
from fhir_gateway.questionnaire import enabled_items, validate_response
from fhir_gateway.questionnaire.issues import HL7_SYSTEM
from fhir_gateway.shipped import FolderRefused, read_resource


@dataclass
class Result:
    """One case: what others say, what we say, and the message ids on both sides."""

    suite: str
    id: str
    agreed: bool
    expected: str
    found: str
    notes: str = ""
    hl7_only: list[str] = field(default_factory=list)
    both: list[str] = field(default_factory=list)
    ours_only: list[str] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        return self.expected != self.found


def main() -> int:
    """Run all cases and print the agreement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    options = parser.parse_args()
    indexes = sorted(options.folder.glob("index.json")) or sorted(
        options.folder.glob("*/index.json")
    )
    if not indexes:
        parser.error(f"there is no index.json in {options.folder}")
    results = [result for index in indexes for result in judge(index)]
    if options.json:
        print(json.dumps([asdict(r) for r in results], indent=2))
    else:
        report(results)
    return 1 if any(r.agreed and r.differs for r in results) else 0


def judge(index: Path) -> Iterator[Result]:
    """The result of every case of one index that has an expectation."""
    suite = json.loads(index.read_text())
    for case in suite.get("cases", []):
        if case.get("kind") == "enableWhen":
            yield _enablement(index.parent, case)
        elif case.get("kind") == "qr-validation" and case.get("response"):
            yield from _validation(index.parent, case)


def _enablement(folder: Path, case: dict[str, Any]) -> Result:
    questionnaire = read_resource(folder / case["questionnaire"])
    response = read_resource(folder / case["response"])
    found = case["targetLinkId"] in enabled_items(questionnaire, response)
    names = {True: "enabled", False: "disabled"}
    return Result(folder.name, case["id"], True, names[case["expectedEnabled"]], names[found])


def _validation(folder: Path, case: dict[str, Any]) -> Iterator[Result]:
    verdicts = _verdicts(case)
    if not verdicts:
        return
    try:
        response = read_resource(folder / case["response"])
        questionnaire = _read(folder, case.get("questionnaire"))
        resources = [_read(folder, file) for file in case.get("supporting", [])]
        outcome = validate_response(questionnaire, response, resources=resources)
    except FolderRefused as error:
        outcome = {"issue": [{"severity": "fatal", "diagnostics": str(error)}]}
    valid = not has_errors(outcome)
    agreed = len(set(verdicts.values())) == 1
    expected = "valid" if next(iter(verdicts.values())) else "invalid"
    if not agreed:
        expected = ", ".join(f"{who} {'valid' if v else 'invalid'}" for who, v in verdicts.items())
    errors = [i for i in outcome["issue"] if i["severity"] in ("error", "fatal")]
    result = Result(
        folder.name,
        case["id"],
        agreed,
        expected,
        "valid" if valid else "invalid",
        "; ".join(i.get("diagnostics", "") for i in errors) or case.get("notes", ""),
    )
    _compare_issues(result, case, errors)
    yield result


def _verdicts(case: dict[str, Any]) -> dict[str, bool]:
    if "expectedValid" in case:
        return {"upstream": case["expectedValid"]}
    expected = case.get("expected", {})
    return {who: said["valid"] for who, said in expected.items() if _is_about_response(said)}


def _is_about_response(said: dict[str, Any]) -> bool:
    """Whether a verdict is about the response: not when every error is about a resource that it
    contains (such as a package of extensions that the run did not load)."""
    errors = [i for i in said.get("issues", []) if i.get("severity") in ("error", "fatal")]
    places = [(error.get("expression") or [""])[0] for error in errors]
    return "valid" in said and not (places and all(".contained[" in place for place in places))


def _read(folder: Path, name: str | None) -> Any:
    return read_resource(folder / name) if name else None


def _compare_issues(result: Result, case: dict[str, Any], errors: list[dict[str, Any]]) -> None:
    said = case.get("expected", {}).get("java", {}).get("issues", [])
    theirs = {
        f"{_family(i['messageId'])} {_place(i.get('expression'))}"
        for i in said
        if i.get("severity") in ("error", "fatal") and i.get("messageId")
    }
    ours = {
        f"{_family(coding['code'])} {_place(issue.get('expression'))}"
        for issue in errors
        for coding in issue.get("details", {}).get("coding", [])
        if coding["system"] == HL7_SYSTEM
    }
    result.both = sorted(theirs & ours)
    result.hl7_only = sorted(theirs - ours)
    result.ours_only = sorted(ours - theirs) if "java" in case.get("expected", {}) else []


def _family(message_id: str) -> str:
    """`…WrongType_one` and `…WrongType_other` are one message in two grammatical numbers."""
    for ending in ("_one", "_other", "_many"):
        message_id = message_id.removesuffix(ending)
    return message_id


def _place(expressions: list[str] | None) -> str:
    """The item or answer: HL7 goes on to `.value.ofType(…)`."""
    return (expressions or [""])[0].split(".value")[0]


def report(results: list[Result]) -> None:
    """The agreement and every disagreement, for people."""
    for suite in dict.fromkeys(r.suite for r in results):
        of_suite = [r for r in results if r.suite == suite]
        agreed = [r for r in of_suite if r.agreed]
        same = sum(1 for r in agreed if not r.differs)
        print(f"{suite}: {same} of {len(agreed)} agreed cases come out the same here")
    both = sum(len(r.both) for r in results)
    theirs = both + sum(len(r.hl7_only) for r in results)
    print(f"issues of the HL7 validator found here with the same id and place: {both} of {theirs}")
    for result in results:
        if result.differs:
            kind = "DIFFERS" if result.agreed else "not agreed by others"
            print(f"\n{kind}: {result.suite} {result.id}")
            print(f"  expected {result.expected}, here {result.found}. {result.notes}")
        for name in ("hl7_only", "ours_only"):
            for message in getattr(result, name):
                print(f"  {result.id}: {name.replace('_', ' ')}: {message}")


if __name__ == "__main__":
    sys.exit(main())
