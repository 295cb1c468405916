"""What commands about mappings share: finding mappings and forms, checking, showing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fhir_gateway.cli.terminal import fail, say

if TYPE_CHECKING:
    from fhir_gateway.fhir.profiles import Profiles
    from fhir_gateway.fhir.types import Resource
    from fhir_gateway.mapping.extraction import Extraction
    from fhir_gateway.mapping.target import Target


def extracted(mapping: str, answered: Resource, given: dict[str, Any]) -> Extraction:
    """What a mapping, or a Questionnaire file of its own, makes of a response."""
    from fhir_gateway import shipped
    from fhir_gateway.mapping.extraction import extract
    from fhir_gateway.mapping.golden import run_example
    from fhir_gateway.mapping.target import Example

    if mapping.endswith(".json"):
        return extract(shipped.read_resource(Path(mapping)), answered, context=given)
    target = target_named(all_targets(), mapping)
    questionnaire = questionnaire_of(answered)
    return run_example(target, questionnaire, Example("run", answered, given, {}))


def show_results(results: list[dict[str, Any]], *, written: bool) -> None:
    """Print the verdict on each example, and what differs or is invalid."""
    for result in results:
        verdict = "written" if written else "differs" if result["diff"] else "equal"
        say(f"{verdict:7} {result['mapping']} {result['example']}")
        for line in (*result["diff"], *result["invalid"]):
            say(f"    {line}")
    if not results:
        say("There are no examples.")


def write_expected(target: Target, case: str, extraction: Extraction) -> None:
    """Write what came out as what must come out, into the mapping's own folder."""
    from fhir_gateway.fhir import json as fhir_json
    from fhir_gateway.mapping.golden import golden as as_written
    from fhir_gateway.settings import load

    base = load().mappings
    if base is None or not (base / target.name).is_dir():
        fail(
            f"'{target.name}' is not in the mappings folder of the settings, so nothing is written."
        )
    folder = base / target.name / "examples"
    folder.mkdir(exist_ok=True)
    content = fhir_json.dump(as_written(extraction.bundle), pretty=True)
    (folder / f"{case}.expected.json").write_bytes(content + b"\n")


def profiles_of(path: Path | None) -> Profiles | None:
    """The profiles of a folder or package; None when none is named."""
    from fhir_gateway import shipped

    return shipped.read_profiles(path) if path else None


def invalid(bundle: Resource, profiles: Profiles | None) -> list[str]:
    """What our checks, and the profiles when given, find wrong."""
    from fhir_gateway.fhir import check

    problems = [*check.problems(bundle), *(profiles.problems(bundle) if profiles else ())]
    return [f"{p['severity']}: {p['diagnostics']}" for p in problems if p["severity"] != "warning"]


def chosen(names: list[str] | None) -> list[Target]:
    """The named mappings, or all."""
    targets = all_targets()
    return [target_named(targets, name) for name in names] if names else list(targets.values())


def all_targets() -> dict[str, Target]:
    """Every mapping, shipped and of the settings, by name."""
    from fhir_gateway import shipped
    from fhir_gateway.settings import load

    targets = shipped.read_targets(shipped.folder("mappings"))
    more = load().mappings
    return targets | (shipped.read_targets(more) if more else {})


def target_named(targets: dict[str, Target], name: str) -> Target:
    """A mapping by name; ends the command when there is none."""
    if name not in targets:
        fail(f"There is no mapping '{name}'. There are: {', '.join(sorted(targets))}.")
    return targets[name]


def catalogue() -> Any:
    """The Questionnaires at hand."""
    from fhir_gateway.cli import questionnaire

    return questionnaire.catalogue()


def questionnaire_named(canonical: str) -> Resource:
    """An assembled Questionnaire."""
    found: Resource = catalogue().definition(canonical).raw
    return found


def questionnaire_of(response: Resource) -> Resource:
    """The Questionnaire that a response names; ends the command when it names none."""
    from fhir_gateway.fhir.types import as_str

    canonical = as_str(response.get("questionnaire"))
    if not canonical:
        fail("The response does not name its questionnaire (QuestionnaireResponse.questionnaire).")
    return questionnaire_named(canonical)
