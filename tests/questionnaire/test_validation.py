"""The validator as a library: its shape, what it takes, and its bounds."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_gateway.questionnaire import enabled_items, lint, populate, validate_response
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.issues import LINK_ID, MESSAGE_KEY
from fhir_gateway.questionnaire.validation import issues
from tests.questionnaire.making import ask, codes, form, found, having, hold, reply, say, text

#: Names that steer the code, so that random JSON gets somewhere.
NAMES = st.sampled_from(
    "resourceType item linkId type answer valueString valueCoding valueQuantity valueDecimal "
    "valueDate extension url enableWhen question operator answerBoolean answerCoding required "
    "repeats text answerOption answerValueSet code system display contained id status value _text "
    "questionnaire maxLength coding concept compose include valueExpression expression name "
    "enableBehavior initial readOnly subject reference authored".split()
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(
        "QuestionnaireResponse Questionnaire a b group choice string date quantity display 2020 = "
        "exists > completed http://hl7.org/fhir/StructureDefinition/minValue "
        "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint".split()
    )
    | st.text(max_size=6)
)
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=30,
)


def resource(kind: str) -> st.SearchStrategy[Any]:
    items = st.lists(st.dictionaries(NAMES, JSON, max_size=8), max_size=4)
    return JSON | st.fixed_dictionaries({"resourceType": st.just(kind), "item": items})


@settings(max_examples=150, deadline=None)
@given(resource("Questionnaire"), resource("QuestionnaireResponse"), st.lists(JSON, max_size=2))
def test_no_json_makes_the_library_raise(asked: Any, given: Any, resources: list[Any]) -> None:
    outcome = validate_response(asked, given, resources=resources)
    assert outcome["resourceType"] == "OperationOutcome"
    assert outcome["issue"]
    assert all(isinstance(link_id, str) for link_id in enabled_items(asked, given))
    assert isinstance(lint(asked, resources=resources), list)
    assert populate(asked)["resourceType"] == "QuestionnaireResponse"


def test_a_valid_response_gets_one_issue_of_information() -> None:
    outcome = validate_response(form(ask("q")), reply(say("q", text("x"))))
    assert [issue["severity"] for issue in outcome["issue"]] == ["information"]


def test_an_issue_names_code_place_link_id_and_key_of_the_words_for_patients() -> None:
    outcome = validate_response(form(ask("g", "group", ask("q", required=True))), reply(hold("g")))
    issue = outcome["issue"][0]
    assert [coding["code"] for coding in issue["details"]["coding"]] == [
        "required",
        "Questionnaire_QR_Item_Missing",
    ]
    assert issue["expression"] == ["QuestionnaireResponse.item[0]"]
    said = {extension["url"]: extension["valueString"] for extension in issue["extension"]}
    assert said == {LINK_ID: "q", MESSAGE_KEY: "response-issue.required"}


def test_no_message_holds_an_answer() -> None:
    asked = form(ask("q", maxLength=3), ask("n", "integer"), ask("d", "date"))
    secret = "my private words"
    given = reply(say("q", text(secret)), say("n", text(secret)), say("d", {"valueDate": secret}))
    assert secret not in json.dumps(validate_response(asked, given))


@pytest.mark.parametrize("response", [None, 1, "x", [], {}, {"resourceType": "Patient"}])
def test_what_is_no_response_is_fatal(response: Any) -> None:
    assert found(form(ask("q")), response)[0].startswith("fatal not-a-response")


def test_without_a_questionnaire_the_one_that_is_named_is_used() -> None:
    asked = form(ask("q", required=True))
    assert codes(None, reply()) == ["not-resolved"]
    assert codes(None, reply(), resources=[asked]) == ["required"]
    contained = {**asked, "id": "form"}
    assert codes(None, reply(questionnaire="#form", contained=[contained])) == ["required"]


def test_what_was_asked_on_pages_is_required_even_in_an_empty_optional_group() -> None:
    asked = form(ask("g", "group", ask("q", required=True)))
    assert codes(asked, reply()) == []
    strict = issues(Definition(asked), reply())
    assert [(issue.code, issue.severity) for issue in strict] == [("required", "error")]


def _seconds(asked: Any, given: Any) -> tuple[float, list[str]]:
    started = time.perf_counter()
    said = codes(asked, given)
    return time.perf_counter() - started, said


@pytest.mark.parametrize(
    ("asked", "given", "expected"),
    [
        (form(ask("q")), reply(say("q", text("x" * 10_000_000))), "invalid-value"),
        (
            form(ask("q", repeats=True)),
            reply(say("q", *[text("x")] * 100_000)),
            "too-large",
        ),
        (form(ask("q")), reply(*[say("q", text("x"))] * 100_000), "too-large"),
        (form(ask("q")), reply(*[say("other", text("x"))] * 100_000), "unknown-link-id"),
        (form(*[ask(str(n)) for n in range(20_000)]), reply(), "too-large"),
    ],
    ids=["ten megabytes", "answers", "items", "unknown items", "a questionnaire"],
)
def test_what_is_too_large_is_refused_in_bounded_time(
    asked: Any, given: Any, expected: str
) -> None:
    seconds, said = _seconds(asked, given)
    assert expected in said
    assert seconds < 20


def test_endless_nesting_is_refused() -> None:
    asked, given = ask("a", "group"), hold("a")
    for _ in range(5_000):
        asked, given = ask("a", "group", asked), hold("a", given)
    assert "too-large" in codes(form(asked), reply(given))


@pytest.mark.parametrize("pattern", ["(a+)+$", "(?=(a+)+$)(a+)+$", r"(a*)*\1b"])
def test_a_hostile_regex_comes_to_an_end(pattern: str) -> None:
    asked = form(ask("q", "text", extension=having("regex", "String", pattern)))
    seconds, said = _seconds(asked, reply(say("q", text("a" * 50_000 + "!"))))
    assert seconds < 20
    assert said in (["regex"], [])


@pytest.mark.parametrize(
    "expression",
    [
        "(1|2).repeat($this + 1).count() > 0",
        "%resource.descendants().where($this.descendants().count() > 3).count() > 0",
        "10.power(999999999) > 1",
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a+)+$')",
    ],
)
def test_a_hostile_expression_comes_to_an_end(expression: str) -> None:
    rule = {
        "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint",
        "extension": [
            {"url": "key", "valueId": "slow"},
            {"url": "expression", "valueString": expression},
        ],
    }
    asked = form(*[ask(f"q{n}", extension=[rule]) for n in range(100)])
    seconds, _ = _seconds(asked, reply(*[say(f"q{n}", text("x")) for n in range(100)]))
    assert seconds < 30


def test_importing_the_library_takes_no_time_and_no_server() -> None:
    program = (
        "import sys, time; started = time.process_time()\n"
        "from fhir_gateway.questionnaire import (\n"
        "    assemble, enabled_items, lint, populate, validate_response)\n"
        "print(time.process_time() - started)\n"
        "print([m for m in ('httpx', 'sqlalchemy', 'fastapi', 'pydantic', 'pint', 'lark')\n"
        "       if m in sys.modules])\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    seconds = min(float(run.stdout.split("\n")[0]) for run in runs)
    assert seconds < 0.3
    assert runs[0].stdout.split("\n")[1] == "[]"
