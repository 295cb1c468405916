"""What items say to those who show them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.terminology import NotExpandable
from fhir_gateway.fhir.types import Element
from fhir_gateway.questionnaire.definition import Definition
from fhir_gateway.questionnaire.enablement import Enablement
from fhir_gateway.questionnaire.item import Item
from fhir_gateway.questionnaire.response import ResponseTree
from fhir_gateway.questionnaire.texts import Texts
from tests.questionnaire.making import CORE, SDC, ask, code, form, having, path, reply

KG = {"system": "http://unitsofmeasure.org", "code": "kg", "display": "kg"}


def the(**more: object) -> Item:
    return Definition(form(ask("a", **more))).items[0]


def sdc(name: str, kind: str, value: object) -> list[Element]:
    return having(f"{SDC}/sdc-questionnaire-{name}", kind, value)


def control(*codes: str) -> list[Element]:
    return having(
        "questionnaire-itemControl", "CodeableConcept", {"coding": [{"code": c} for c in codes]}
    )


def test_every_control_is_read() -> None:
    item = the(extension=[*control("page", "x"), *control("radio-button")])
    assert item.controls == ("page", "x", "radio-button")
    assert item.control == "page"
    assert the().control == ""


def test_how_an_item_is_shown() -> None:
    item = the(
        prefix="1.",
        extension=[
            *sdc("shortText", "String", "Short"),
            *sdc("keyboard", "Coding", {"code": "phone"}),
            *sdc("openLabel", "String", "Something else"),
            *sdc("itemMedia", "Attachment", {"contentType": "image/png"}),
            *having("questionnaire-sliderStepValue", "Integer", 5),
            *having("questionnaire-supportLink", "Uri", "https://example.org/help"),
            *having("questionnaire-choiceOrientation", "Code", "horizontal"),
        ],
    )
    assert (item.prefix, item.short_text, item.open_label) == ("1.", "Short", "Something else")
    assert item.media == {"contentType": "image/png"}
    assert (item.slider_step, item.support_link) == (5, "https://example.org/help")
    assert item.orientation == "horizontal"


def test_units_come_from_one_unit_a_list_or_a_value_set() -> None:
    one = Definition(
        form(ask("a", "quantity", extension=having("questionnaire-unit", "Coding", KG)))
    )
    assert one.units(one.items[0]) == [KG]
    value_set = {
        "resourceType": "ValueSet",
        "url": "https://example.org/units",
        "expansion": {"contains": [KG]},
    }
    rule = having("questionnaire-unitValueSet", "Canonical", value_set["url"])
    asked = form(ask("a", "quantity", extension=rule))
    known = Definition(asked, Registry([value_set]))
    assert known.units(known.items[0]) == [KG]
    with pytest.raises(NotExpandable):
        Definition(asked).units(known.items[0])


def test_an_option_has_prefix_media_weight_and_display() -> None:
    option = {
        **code("x"),
        "initialSelected": True,
        "extension": [
            *having("questionnaire-optionPrefix", "String", "a)"),
            *having("itemWeight", "Decimal", Decimal("1.5")),
            *sdc("itemAnswerMedia", "Attachment", {"contentType": "image/png"}),
        ],
    }
    found = the(answerOption=[option, {"valueInteger": 3}]).options
    assert (found[0].prefix, found[0].score, found[0].selected) == ("a)", Decimal("1.5"), True)
    assert found[0].media == {"contentType": "image/png"}
    assert [(o.type, o.display) for o in found] == [("Coding", "x"), ("Integer", "3")]


def test_a_text_can_depend_on_answers() -> None:
    rule = {"extension": path(f"{CORE}/cqf-expression", "'For ' & %who")}
    asked = form(ask("a", _text=rule), extension=path(f"{CORE}/variable", "'you'", "who"))
    definition = Definition(asked)
    scope = Enablement(ResponseTree(definition, reply())).scope()
    assert Texts(scope).text(definition.items[0]) == "For you"


@pytest.mark.parametrize("value", [True, "5", 5.5, Decimal("NaN"), {}, None])
def test_a_number_that_is_none_reads_as_absent(value: object) -> None:
    assert the(maxLength=value).max_length is None
    assert the(extension=having("questionnaire-minOccurs", "Integer", value)).min_occurs is None
