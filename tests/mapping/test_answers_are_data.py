"""Answers are data: whatever a patient types comes out as the text it is, wherever it goes."""

from __future__ import annotations

import copy
import html
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_gateway.fhir import check
from fhir_gateway.fhir.bundle import resources, walk
from fhir_gateway.mapping import extract
from fhir_gateway.mapping.golden import run_example
from fhir_gateway.mapping.target import Example
from tests.mapping.forms import Json, answer, context, form, group, item, response, uses, value
from tests.mapping.shipped_cases import MAPPINGS, example, questionnaire_of, targets

HOSTILE = [
    "%resource",
    "%identity.nhsNumber",
    "now()",
    "{{ %resource.subject }}",
    "{{7*7}}",
    "${7*7}",
    "#{7*7}",
    "' | %resource.id | '",
    "trace('x')",
    "<script>alert(1)</script>",
    "<b>bold</b> & <i>it</i>",
    "&lt;b&gt;",
    "]]> <!-- -->",
    "\\u003cb\\u003e \\1 $1 $&",
    "**bold** [link](javascript:alert(1))",
    "urn:uuid:6f6177d2-13ee-4d27-b0e8-3eaf663dd031",
    "#t",
    '", "x": "y',
    "\u202eright to left 😀",
]
TEXTS = [
    "medical-problem",
    "medical-tried",
    "communication-details",
    "patient-given",
    "patient-family",
]
words = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60),
).filter(str.strip)  # blanks are no FHIR string: the validator lets none through


def every_place() -> Json:
    """A form whose template takes the answer in every way there is."""
    template = {
        "resourceType": "Basic",
        "id": "t",
        "author": {"display": "x", "_display": value("item.answer.value")},
        "identifier": [
            context("item.answer.value", system="s", _value=value("$this")),
            context("item", "one", _value=value("%one.answer.value")),
            context("item.answer", assigner={"_display": value("value")}),
        ],
        "code": {
            "coding": [{"_display": value("item.answer.value")}],
            "_text": value("'' & item.answer.value"),
        },
        "_language": value("item.answer.value"),
    }
    return form(item("g", "group", uses("t"), item=[item("a")]), templates=(template,))


@given(words)
@settings(max_examples=150, deadline=None)
def test_an_answer_comes_out_as_it_was_typed(typed: str) -> None:
    [found] = resources(extract(every_place(), response(group("g", answer("a", typed)))).bundle)
    assert found == {
        "resourceType": "Basic",
        "author": {"display": typed},
        "identifier": [
            {"system": "s", "value": typed},
            {"value": typed},
            {"assigner": {"display": typed}},
        ],
        "code": {"coding": [{"display": typed}], "text": typed},
        "language": typed,
    }


def answered_with(case: Example, typed: str) -> Json:
    """The example's response with this text as every typed answer."""
    answers = copy.deepcopy(case.response)
    for element in walk(answers):
        if element.get("linkId") in TEXTS:
            element["answer"] = [{"valueString": typed}]
    return answers


@pytest.mark.parametrize("mapping", [m for m in MAPPINGS if m != "document"])
@given(typed=words)
@settings(max_examples=20, deadline=None)
def test_the_shipped_mappings_take_any_text_as_text(mapping: str, typed: str) -> None:
    target = targets()[mapping]
    case = example(mapping, "medical-proxy-unmatched")
    hostile = Example("hostile", answered_with(case, typed), case.context, {})
    bundle = run_example(target, questionnaire_of(case), hostile).bundle
    plain = run_example(target, questionnaire_of(case), case).bundle
    assert shape(bundle) == shape(plain)
    assert [p for p in check.problems(bundle) if p["severity"] == "error"] == []
    for resource in resources(bundle):
        for markup in ("<script", "<b>bold", "<i>it", "<!--"):
            assert markup not in resource["text"]["div"]


@pytest.mark.parametrize("typed", HOSTILE)
def test_markup_in_an_annotation_is_escaped_and_reads_as_typed(typed: str) -> None:
    case = example("uk-core-transaction", "medical-me-matched")
    hostile = Example("hostile", answered_with(case, typed), case.context, {})
    bundle = run_example(targets()["uk-core-transaction"], questionnaire_of(case), hostile).bundle
    [request] = resources(bundle, "ServiceRequest")
    notes = [note["text"] for note in request["note"]]
    [tried] = [note for note in notes if note.startswith("Tried so far: ")]
    assert html.unescape(tried).removeprefix("Tried so far: ") == html.unescape(
        typed.replace("&", "&amp;").replace("<", "&lt;")
    )
    assert "<" not in tried
    assert request["reasonCode"] == [{"text": typed}]


def shape(value_: Any) -> Any:
    """The JSON without its texts: what there is, not what it says."""
    if isinstance(value_, dict):
        kept = {k: shape(v) for k, v in value_.items() if k not in ("text", "size", "data")}
        return kept
    if isinstance(value_, list):
        return [shape(part) for part in value_]
    return type(value_).__name__


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                "resourceType item linkId type answer contained extension url valueString "
                "valueExpression expression name valueReference reference id definition code "
                "enableWhen question".split()
            )
            | st.text(max_size=6),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(json_values, json_values)
@settings(max_examples=300, deadline=None)
def test_no_json_makes_it_raise(questionnaire: Any, answers: Any) -> None:
    extraction = extract(questionnaire, answers)
    assert extraction.bundle["resourceType"] == "Bundle"
    assert extraction.outcome["issue"]


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_damage_to_a_good_form_makes_it_raise(data: st.DataObject) -> None:
    questionnaire, answers = every_place(), response(group("g", answer("a", "x")))
    spots = list(_spots(data.draw(st.sampled_from([questionnaire, answers]))))
    holder, key = data.draw(st.sampled_from(spots))
    holder[key] = data.draw(json_values)
    assert extract(questionnaire, answers).outcome["issue"]


def _spots(value_: Any) -> Iterator[tuple[Any, Any]]:
    keys = list(value_) if isinstance(value_, dict) else range(len(value_))
    for key in keys:
        yield value_, key
        if isinstance(value_[key], dict | list):
            yield from _spots(value_[key])


def test_a_form_nested_beyond_reason_is_an_issue() -> None:
    deep: Any = {"linkId": "a", "type": "group"}
    answers: Any = {"linkId": "a"}
    for _ in range(20_000):
        deep = {"linkId": "a", "type": "group", "item": [deep]}
        answers = {"linkId": "a", "item": [answers]}
    extraction = extract(form(deep), response(answers))
    assert extraction.outcome["issue"]
