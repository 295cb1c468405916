"""Shape of the response: items known, in place, order and kind. HL7 rules 4 to 8, 15 to 19."""

from __future__ import annotations

import pytest

from tests.questionnaire.making import (
    CORE,
    ask,
    codes,
    form,
    found,
    hl7_ids,
    hold,
    reply,
    say,
    text,
)

ASKED = form(
    ask("a"),
    ask("g", "group", ask("b"), ask("c")),
    ask("d", "display"),
    ask("q", "string", ask("n")),
)


@pytest.mark.parametrize(
    ("given", "code", "hl7"),
    [
        ({"text": "x"}, "no-link-id", "Questionnaire_QR_Item_NoLinkId"),
        (say("zz", text("x")), "unknown-link-id", "Questionnaire_QR_Item_NotFound"),
        ({"linkId": "a", "text": "b"}, "text-differs", "Questionnaire_QR_Item_Text"),
        (say("g", text("x")), "group-has-answer", "Questionnaire_QR_Item_Group"),
        (say("d", text("x")), "display-has-answer", "QUESTIONNAIRE_QR_ITEM_DISPLAY_NO_VALUE"),
        (hold("d", say("a")), "display-has-content", "Questionnaire_QR_Item_Display"),
        (
            hold("q", say("n", text("x"))),
            "item-outside-answer",
            "Questionnaire_QR_Item_GroupAnswer",
        ),
    ],
)
def test_what_is_out_of_shape_is_an_error(given: dict[str, object], code: str, hl7: str) -> None:
    assert codes(ASKED, reply(given)) == [code]
    assert hl7 in hl7_ids(ASKED, reply(given))


def test_items_come_in_the_order_of_the_questionnaire() -> None:
    given = reply(hold("g", say("b", text("x"))), say("a", text("x")))
    assert found(ASKED, given) == ["error out-of-order at QuestionnaireResponse.item[1]"]


def test_an_item_under_the_wrong_parent_is_named_and_still_looked_at() -> None:
    given = reply(say("b", {"valueString": 1}))
    assert "wrong-place" in codes(ASKED, given)


def test_items_below_a_question_stand_in_its_answers() -> None:
    nested = {"valueString": "x", "item": [say("n", text("y"))]}
    assert codes(ASKED, reply(say("q", nested))) == []
    assert codes(ASKED, reply(say("q", {"item": [say("n", text("y"))]}))) == []


def test_an_item_without_a_type_is_named() -> None:
    asked = form({"linkId": "a", "text": "a"})
    assert hl7_ids(asked, reply({"linkId": "a"})) == ["Questionnaire_QR_Item_NoType"]


def test_a_translated_text_is_the_text_of_the_questionnaire() -> None:
    parts = [
        {"url": "lang", "valueCode": "cy"},
        {"url": "content", "valueString": "Enw"},
    ]
    sibling = {"extension": [{"url": f"{CORE}/translation", "extension": parts}]}
    asked = form(ask("a", text="Name", _text=sibling))
    assert codes(asked, reply({"linkId": "a", "text": "Enw"})) == []
    assert codes(asked, reply({"linkId": "a", "text": "Nom"})) == ["text-differs"]


def test_json_of_the_wrong_kind_is_named() -> None:
    assert codes(ASKED, {**reply(), "item": {"linkId": "a"}}) == ["not-a-response"]
    assert codes(ASKED, reply({"linkId": "a", "answer": "x"})) == ["not-a-response"]
    assert codes(ASKED, {**reply(), "item": [None]}) == ["not-a-response"]
    assert codes(ASKED, {**reply(), "item": []}) == ["empty"]
    assert codes(ASKED, reply({"linkId": "a", "answer": []})) == ["empty"]
    assert codes(ASKED, reply({"linkId": "a", "answer": [None]})) == ["no-value"]
