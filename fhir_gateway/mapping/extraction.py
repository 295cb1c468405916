"""`$extract`: a completed QuestionnaireResponse becomes a transaction Bundle. Pure.

SDC 4.0 (https://hl7.org/fhir/uv/sdc/extraction.html): template-based, both variants (extraction
from templates of items and of a whole Bundle), definition-based and Observation-based, from the
Questionnaire's own extensions. Ids are derived from the response, so that extracting again names
the same resources.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir import path
from fhir_gateway.fhir.bundle import transaction
from fhir_gateway.fhir.outcome import issue, outcome
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str, extensions
from fhir_gateway.mapping import definition, observation, templates
from fhir_gateway.mapping.answered import answered
from fhir_gateway.mapping.extensions import TARGET_STRUCTURE_MAP
from fhir_gateway.mapping.form import Form, read_form
from fhir_gateway.mapping.numbers import exact, inexact, number_types
from fhir_gateway.mapping.run import Run
from fhir_gateway.mapping.scope import Ledger, Scope, TooCostly

_FINISHED = ("completed", "amended")
_UNFINISHED = ("in-progress", "entered-in-error", "stopped")


@dataclass(frozen=True, slots=True)
class Extraction:
    """What came out: a transaction Bundle, and what went wrong on the way."""

    bundle: Resource
    outcome: Resource


def extract(
    questionnaire: Resource,
    response: Resource,
    *,
    resources: Iterable[Resource] = (),
    context: Mapping[str, Any] | None = None,
    namespace: uuid.UUID | None = None,
    now: datetime | None = None,
    form: Form | None = None,
) -> Extraction:
    """Extract a response. Plain FHIR JSON in and out; raises nothing, whatever the JSON.

    `resources`: templates that the questionnaire names but does not contain, and
    StructureDefinitions of profiles. `context`: launch context, name to JSON, seen as `%name`.
    `namespace`: where ids are derived from (None: from the response). `now`: the clock of
    expressions (None: the system's, the same for all of them). `form`: the same questionnaire,
    read before, for callers with many responses to it. Errors are issues of the outcome, without
    answers; what is not affected by them is in the bundle.
    """
    ledger = Ledger()
    given: list[Any] = [response, list(resources), dict(context or {})]
    try:
        form = form or read_form(as_dict(questionnaire))
        numbers = number_types(given) | form.numbers
        floats = float in numbers or Decimal not in numbers
        if float in numbers:
            given, form = exact(given), read_form(exact(form.questionnaire))
        answers, loose, launch = given
        entries = _entries(
            form,
            as_dict(answers),
            [as_dict(resource) for resource in loose],
            dict(launch),
            namespace,
            now or datetime.now().astimezone().replace(microsecond=0),
            ledger,
        )
        bundle = transaction(inexact(entries) if floats else entries)
    except TooCostly:
        bundle = transaction([])
        ledger.issues.append(issue("fatal", "too-costly", "The extraction took too long."))
    except Exception as error:
        # A promise to callers who hand in what strangers wrote. The error's text can hold answers.
        bundle = transaction([])
        kind = "nested too deeply" if isinstance(error, RecursionError) else type(error).__name__
        ledger.issues.append(issue("fatal", "exception", f"The input cannot be extracted: {kind}"))
    return Extraction(bundle, outcome(ledger.issues))


def _entries(
    form: Form,
    response: Resource,
    resources: list[Resource],
    context: dict[str, Any],
    namespace: uuid.UUID | None,
    now: datetime,
    ledger: Ledger,
) -> list[Element]:
    questionnaire = form.questionnaire
    _refuse_strangers(questionnaire, response, ledger)
    kept = answered(form.definition, response, now)
    if kept.unknown:
        names = ", ".join(f"'{name}'" for name in kept.unknown[:10])
        ledger.note("warning", "not-found", f"not in the Questionnaire there: linkId {names}")
    run = Run(
        questionnaire=questionnaire,
        answered=kept,
        resources=tuple(resources),
        namespace=namespace or _namespace(response),
        ledger=ledger,
        used=form.used,
    )
    variables = {
        **context,
        "resource": kept.response,
        "rootResource": kept.response,
        "questionnaire": questionnaire,
        "qitem": [],
        **run.allocate(questionnaire, ""),
    }
    root = Scope(path.node_of(kept.response, "QuestionnaireResponse"), variables, now, ledger)
    entries = [
        *templates.entries(run, root),
        *definition.entries(run, root),
        *observation.entries(run, root),
    ]
    _say_what_was_not_done(questionnaire, bool(entries), ledger)
    _say_doubles(entries, ledger)
    return entries


def _refuse_strangers(questionnaire: Resource, response: Resource, ledger: Ledger) -> None:
    for resource, wanted in ((questionnaire, "Questionnaire"), (response, "QuestionnaireResponse")):
        if resource.get("resourceType") != wanted:
            ledger.note("error", "structure", f"a {wanted} is needed, and this is none")
    status = as_str(response.get("status"))
    if status not in _FINISHED:
        shown = status if status in _UNFINISHED else "not given"
        text = f"the response is not finished (status {shown}); SDC extracts finished ones"
        ledger.note("warning", "business-rule", text)


def _say_what_was_not_done(questionnaire: Resource, made: bool, ledger: Ledger) -> None:
    if extensions(questionnaire, TARGET_STRUCTURE_MAP):
        text = "StructureMap-based extraction (targetStructureMap) is not supported"
        ledger.note("warning" if made else "error", "not-supported", text)
    elif not made and not ledger.issues:
        text = "nothing was extracted: no extraction extension applies to what was answered"
        ledger.note("warning", "informational", text)


def _say_doubles(entries: list[Element], ledger: Ledger) -> None:
    """bdl-7: fullUrls are unique (https://hl7.org/fhir/R4/bundle.html#invs)."""
    seen: set[str] = set()
    for entry in entries:
        url = as_str(entry.get("fullUrl"))
        if url and url in seen:
            ledger.note("error", "duplicate", "two entries have the same fullUrl; see bdl-7")
        seen.add(url)


def _namespace(response: Resource) -> uuid.UUID:
    identifier = as_list(response.get("identifier")) or [response.get("identifier")]
    identity = as_str(response.get("id")) or as_str(as_dict(identifier[0]).get("value"))
    return uuid.uuid5(uuid.NAMESPACE_OID, identity or fhir_json.dump(response).decode())
