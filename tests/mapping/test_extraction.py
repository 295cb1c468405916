"""SDC template-based extraction: what each extension does, and what goes wrong without harm."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fhir_gateway.fhir.bundle import resources
from fhir_gateway.mapping import Extraction, extract
from fhir_gateway.mapping.extensions import TARGET_STRUCTURE_MAP
from tests.mapping.forms import (
    Json,
    allocates,
    answer,
    context,
    form,
    group,
    item,
    response,
    uses,
    value,
    whole_bundle,
)


def basic(**more: Any) -> Json:
    return {"resourceType": "Basic", "id": "t", **more}


def made(extraction: Extraction) -> list[Json]:
    return list(resources(extraction.bundle))


def said(extraction: Extraction, severity: str = "error") -> list[str]:
    return [i["diagnostics"] for i in extraction.outcome["issue"] if i["severity"] == severity]


def of_item(template: Json, *items: Json, **parts: str) -> Json:
    """A form whose group `g` has the template."""
    return form(item("g", "group", uses("t", **parts), item=list(items)), templates=(template,))


def test_a_value_replaces_what_the_template_says() -> None:
    template = basic(author={"display": "nobody", "_display": value("item.answer.value")})
    extraction = extract(of_item(template, item("a")), response(group("g", answer("a", "Ann"))))
    assert made(extraction) == [{"resourceType": "Basic", "author": {"display": "Ann"}}]
    assert said(extraction) == []


def test_a_value_without_a_result_removes_the_element_and_what_becomes_empty() -> None:
    template = basic(
        language="en", author={"display": "nobody", "_display": value("item.where(false)")}
    )
    extraction = extract(of_item(template, item("a")), response(group("g", answer("a", "x"))))
    assert made(extraction) == [{"resourceType": "Basic", "language": "en"}]


def test_three_results_of_a_context_are_three_copies() -> None:
    template = basic(identifier=[context("item.answer.value", system="s", _value=value("$this"))])
    form_ = of_item(template, item("a", repeats=True))
    extraction = extract(form_, response(group("g", answer("a", "1", "2", "3"))))
    assert made(extraction)[0]["identifier"] == [
        {"system": "s", "value": "1"},
        {"system": "s", "value": "2"},
        {"system": "s", "value": "3"},
    ]


def test_values_of_a_list_of_primitives_stand_beside_fixed_ones() -> None:
    template = {
        "resourceType": "Patient",
        "id": "t",
        "name": [{"given": ["Fixed", None], "_given": [None, value("item.answer.value")]}],
    }
    form_ = of_item(template, item("a", repeats=True))
    extraction = extract(form_, response(group("g", answer("a", "Ann", "Bea"))))
    assert made(extraction)[0]["name"] == [{"given": ["Fixed", "Ann", "Bea"]}]


def test_only_the_entry_whose_context_is_empty_goes() -> None:
    template = basic(
        identifier=[
            context("item.where(linkId='b')", system="gone"),
            context("item.where(linkId='a')", system="stays"),
        ]
    )
    extraction = extract(
        of_item(template, item("a"), item("b")), response(group("g", answer("a", "x")))
    )
    assert made(extraction)[0]["identifier"] == [{"system": "stays"}]


def test_the_name_of_a_context_is_a_variable_below_it() -> None:
    template = basic(
        identifier=[
            context(
                "item.where(linkId='a').answer", "one", assigner={"_display": value("%one.value")}
            )
        ]
    )
    extraction = extract(of_item(template, item("a")), response(group("g", answer("a", "x"))))
    assert made(extraction)[0]["identifier"] == [{"assigner": {"display": "x"}}]


def test_a_whole_coding_is_put_in_place_with_what_is_fixed_beside_it() -> None:
    coding = {"system": "s", "code": "c", "display": "d", "version": "1"}
    template = basic(code={"coding": [{"userSelected": True, **value("item.answer.value")}]})
    form_ = of_item(template, item("a", "choice"))
    extraction = extract(form_, response(group("g", answer("a", coding, key="valueCoding"))))
    assert made(extraction)[0]["code"] == {"coding": [{"userSelected": True, **coding}]}


def test_extensions_of_others_stay() -> None:
    other = {"url": "https://example.org/other", "valueBoolean": True}
    own = context("item.answer.value")["extension"][0]
    template = basic(author={"extension": [own, other], "_display": value("$this")})
    extraction = extract(of_item(template, item("a")), response(group("g", answer("a", "Ann"))))
    assert made(extraction)[0]["author"] == {"extension": [other], "display": "Ann"}


def test_each_instance_of_a_repeating_item_is_a_resource_of_its_own() -> None:
    form_ = form(
        item(
            "g",
            "group",
            uses("t", fullUrl="%own"),
            allocates("own"),
            repeats=True,
            item=[item("a")],
        ),
        templates=(
            basic(author={"_display": value("item.answer.value"), "_reference": value("%own")}),
        ),
    )
    extraction = extract(
        form_, response(group("g", answer("a", "1")), group("g", answer("a", "2")))
    )
    first, second = extraction.bundle["entry"]
    assert first["resource"]["author"] == {"display": "1", "reference": first["fullUrl"]}
    assert first["fullUrl"].startswith("urn:uuid:")
    assert first["fullUrl"] != second["fullUrl"]


def test_an_item_without_an_answer_makes_nothing_and_the_root_always_does() -> None:
    form_ = form(
        item("a", "string", uses("t")), templates=(basic(),), extensions=(uses("t"), allocates("x"))
    )
    assert len(made(extract(form_, response({"linkId": "a"})))) == 1
    assert len(made(extract(form_, response(answer("a", "x"))))) == 2


def test_a_disabled_answer_never_comes_out() -> None:
    hidden = item("secret", enableWhen=[{"question": "a", "operator": "=", "answerString": "show"}])
    template = basic(
        author={"_display": value("%resource.repeat(item).where(linkId='secret').answer.value")},
        identifier=[{"_value": value("%resource.descendants().where($this = 'hush').first()")}],
        language="en",
    )
    form_ = form(item("a"), hidden, templates=(template,), extensions=(uses("t"),))
    extraction = extract(form_, response(answer("a", "hide"), answer("secret", "hush")))
    assert made(extraction) == [{"resourceType": "Basic", "language": "en"}]
    shown = extract(form_, response(answer("a", "show"), answer("secret", "hush")))
    assert made(shown)[0]["author"] == {"display": "hush"}


def test_an_answer_at_a_place_the_questionnaire_does_not_have_is_left_out_and_said() -> None:
    template = basic(author={"_display": value("%resource.descendants().where($this='hush')")})
    form_ = form(item("a"), templates=(template,), extensions=(uses("t"),))
    extraction = extract(form_, response(group("b", answer("a", "hush"))))
    assert "hush" not in json.dumps(extraction.bundle)
    assert "linkId 'a', 'b'" in said(extraction, "warning")[0]


def test_a_resource_id_makes_a_put_and_conditions_come_out() -> None:
    form_ = of_item(
        basic(language="en"),
        item("a"),
        resourceId="item.answer.value",
        ifMatch="'W/\"3\"'",
        ifNoneMatch="'*'",
        ifModifiedSince="'2026-01-01T00:00:00Z'",
        ifNoneExist="'identifier=s|' & item.answer.value",
    )
    [entry] = extract(form_, response(group("g", answer("a", "id-1")))).bundle["entry"]
    assert entry["resource"]["id"] == "id-1"
    assert entry["request"] == {
        "method": "PUT",
        "url": "Basic/id-1",
        "ifNoneMatch": "*",
        "ifModifiedSince": "2026-01-01T00:00:00Z",
        "ifMatch": 'W/"3"',
        "ifNoneExist": "identifier=s|id-1",
    }


@pytest.mark.parametrize("typed", ["../Patient/1", "a b", "x" * 65, "1?_x=y"])
def test_an_answer_that_is_no_id_addresses_nothing(typed: str) -> None:
    form_ = of_item(basic(language="en"), item("a"), resourceId="item.answer.value")
    extraction = extract(form_, response(group("g", answer("a", typed))))
    assert made(extraction) == []
    assert said(extraction) == ["t: resourceId gave no FHIR id; left out"]


def test_a_bundle_template_gives_each_copy_of_an_entry_its_own_address() -> None:
    template = {
        "resourceType": "Bundle",
        "id": "b",
        "type": "transaction",
        "entry": [
            {
                **context("item.where(linkId='g')"),
                "fullUrl": "urn:uuid:6f6177d2-13ee-4d27-b0e8-3eaf663dd031",
                "resource": {
                    "resourceType": "Basic",
                    "author": {"_display": value("item.answer.value")},
                },
                "request": {"method": "POST", "url": "Basic"},
            },
            {
                **context("item.where(linkId='none')"),
                "resource": {"resourceType": "Basic", "language": "en"},
            },
        ],
    }
    form_ = form(
        item("g", "group", repeats=True, item=[item("a")]),
        templates=(template,),
        extensions=(whole_bundle("b"),),
    )
    bundle = extract(
        form_, response(group("g", answer("a", "1")), group("g", answer("a", "2")))
    ).bundle
    assert [e["resource"]["author"]["display"] for e in bundle["entry"]] == ["1", "2"]
    assert bundle["entry"][0]["fullUrl"] == "urn:uuid:6f6177d2-13ee-4d27-b0e8-3eaf663dd031"
    assert bundle["entry"][1]["fullUrl"] != bundle["entry"][0]["fullUrl"]
    assert bundle["entry"][0]["request"] == {"method": "POST", "url": "Basic"}
    assert "id" not in bundle


def test_an_error_of_one_element_leaves_the_others_and_says_no_answer() -> None:
    template = basic(
        language="en", author={"_display": value("item.answer.value.toQuantity('x') > 1")}
    )
    form_ = of_item(template, item("a", repeats=True))
    extraction = extract(form_, response(group("g", answer("a", "private", "words"))))
    assert made(extraction) == [{"resourceType": "Basic", "language": "en"}]
    assert said(extraction)[0].startswith("t.author.display: FHIRPath")
    assert "private" not in json.dumps(extraction.outcome)


def test_trace_is_refused() -> None:
    template = basic(language="en", author={"_display": value("item.answer.value.trace('t')")})
    extraction = extract(of_item(template, item("a")), response(group("g", answer("a", "x"))))
    assert "trace() is not allowed" in said(extraction)[0]


def test_a_template_that_is_missing_is_said_and_may_be_given_besides() -> None:
    form_ = form(item("a"), extensions=(uses("t"),))
    assert said(extract(form_, response(answer("a", "x")))) == ["template 't' is not there"]
    loose = basic(language="en")
    assert made(extract(form_, response(answer("a", "x")), resources=[loose])) == [
        {"resourceType": "Basic", "language": "en"}
    ]


def test_launch_context_is_seen_by_its_names() -> None:
    template = basic(author={"_display": value("%service.name")})
    form_ = form(item("a"), templates=(template,), extensions=(uses("t"),))
    extraction = extract(form_, response(answer("a", "x")), context={"service": {"name": "Knees"}})
    assert made(extraction)[0]["author"] == {"display": "Knees"}


def test_ids_are_the_same_each_time_and_others_for_another_response() -> None:
    form_ = form(item("a"), templates=(basic(),), extensions=(uses("t"), allocates("x")))
    first = extract(form_, response(answer("a", "x"))).bundle
    assert extract(form_, response(answer("a", "x"))).bundle == first
    other = extract(form_, response(answer("a", "x"), id="r2")).bundle
    assert other["entry"][0]["fullUrl"] != first["entry"][0]["fullUrl"]
    named = extract(form_, response(answer("a", "x")), namespace=uuid.UUID(int=7)).bundle
    assert named["entry"][0]["fullUrl"] != first["entry"][0]["fullUrl"]


def test_the_clock_is_the_callers() -> None:
    template = basic(_created=value("today()"), author={"_display": value("now()")})
    form_ = form(item("a"), templates=(template,), extensions=(uses("t"),))
    moment = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
    [found] = made(extract(form_, response(answer("a", "x")), now=moment))
    assert found["created"] == "2026-03-04"
    assert found["author"]["display"] == "2026-03-04T09:30:00+00:00"


def test_numbers_come_back_as_they_were_given() -> None:
    template = {
        "resourceType": "Observation",
        "id": "t",
        "valueQuantity": {"_value": value("item.answer.value * 100"), "_code": value("'cm'")},
        "component": [{"valueQuantity": {"_value": value("item.answer.value")}}],
    }
    form_ = of_item(template, item("a", "decimal"))

    def quantities(number: Any) -> tuple[Any, Any]:
        [found] = made(
            extract(form_, response(group("g", answer("a", number, key="valueDecimal"))))
        )
        return found["valueQuantity"]["value"], found["component"][0]["valueQuantity"]["value"]

    assert quantities(1.78) == (178, 1.78)
    assert json.dumps(quantities(36.6)) == "[3660, 36.6]"
    computed, copied = quantities(Decimal("1.780"))
    assert (str(computed), str(copied)) == ("178.000", "1.780")


def test_structure_maps_are_said_not_to_be_supported() -> None:
    form_ = form(item("a"), extensions=({"url": TARGET_STRUCTURE_MAP, "valueCanonical": "x"},))
    assert "not supported" in said(extract(form_, response(answer("a", "x"))))[0]


def test_an_unfinished_response_is_extracted_with_a_warning() -> None:
    form_ = form(item("a"), templates=(basic(language="en"),), extensions=(uses("t"),))
    extraction = extract(form_, response(answer("a", "x"), status="in-progress"))
    assert len(made(extraction)) == 1
    assert "in-progress" in said(extraction, "warning")[0]


def test_an_extraction_that_would_take_for_ever_stops() -> None:
    ten = "1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10"
    thousand = f"({ten}).select({ten}).select({ten})"
    inner = context(thousand, _value=value("'x'"))
    template = basic(identifier=[context(thousand, deeper=[inner])])
    form_ = form(item("a"), templates=(template,), extensions=(uses("t"),))
    extraction = extract(form_, response(answer("a", "x")))
    assert said(extraction, "fatal") == ["The extraction took too long."]
    assert made(extraction) == []
