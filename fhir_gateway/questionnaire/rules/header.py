"""What stands on the response itself: which Questionnaire, status, subject, dates."""

from __future__ import annotations

from collections.abc import Iterator

from fhir_gateway.fhir.types import Resource, as_dict, as_list, as_str
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.issues import Code, Issue
from fhir_gateway.questionnaire.rules.media import reference_type
from fhir_gateway.questionnaire.values import is_date_time, order

STATUSES = frozenset("in-progress completed amended entered-in-error stopped".split())
_QUESTIONNAIRE = "QuestionnaireResponse.questionnaire"
_AUTHORED = "QuestionnaireResponse.authored"


def check(definition: Definition, response: Resource) -> Iterator[Issue]:
    """Issues of the elements beside the items."""
    yield from _canonical(definition, as_str(response.get("questionnaire")))
    if as_str(response.get("status")) not in STATUSES:
        yield Issue(
            Code.STATUS,
            "error",
            f"status is one of {', '.join(sorted(STATUSES))}",
            "QuestionnaireResponse.status",
        )
    yield from _subject(definition, response)
    yield from _authored(definition, response)


def _canonical(definition: Definition, canonical: str) -> Iterator[Issue]:
    if not canonical:
        text = "no questionnaire is named"
        yield Issue(Code.NO_QUESTIONNAIRE, "information", text, _QUESTIONNAIRE)
        return
    url, _, version = canonical.partition("|")
    if url.startswith("#") or not definition.url:
        return
    if url != definition.url and not definition.url.endswith(f"/{url}"):
        # An address on a server ends with the id: probably the same form, by another name.
        by_id = url.rsplit("/", 1)[-1] == definition.raw.get("id")
        yield Issue(
            Code.OTHER_QUESTIONNAIRE,
            "warning" if by_id else "error",
            "the response names another Questionnaire than the one it is checked against",
            _QUESTIONNAIRE,
        )
    elif version and definition.version and version != definition.version:
        yield Issue(
            Code.OTHER_QUESTIONNAIRE,
            "warning",
            f"the response is to version {version[:64]}, not to {definition.version}",
            _QUESTIONNAIRE,
        )


def _subject(definition: Definition, response: Resource) -> Iterator[Issue]:
    allowed = [as_str(t) for t in as_list(definition.raw.get("subjectType"))]
    target = reference_type(as_dict(response.get("subject")), response)
    if allowed and target and target not in allowed:
        yield Issue(
            Code.SUBJECT_TYPE,
            "error",
            f"the subject is not a {' or '.join(allowed)}",
            "QuestionnaireResponse.subject",
        )


def _authored(definition: Definition, response: Resource) -> Iterator[Issue]:
    authored = response.get("authored")
    if authored is None:
        return
    if not is_date_time(authored):
        yield Issue(Code.AUTHORED, "error", "authored is not a dateTime", _AUTHORED)
        return
    period = as_dict(definition.raw.get("effectivePeriod"))
    for name, wrong, words, hl7 in (
        ("start", -1, "before", "QUESTIONNAIRE_QR_AUTHOR_START"),
        ("end", 1, "after", "QUESTIONNAIRE_QR_AUTHOR_END"),
    ):
        limit = period.get(name)
        if limit and order("DateTime", authored, limit) == wrong:
            yield Issue(
                Code.OUTSIDE_PERIOD,
                "warning",
                f"authored {words} the Questionnaire's effectivePeriod",
                _AUTHORED,
                hl7=hl7,
            )
