"""Each kind of question over HTTP, without scripts: what it takes, what it says, what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.web.forms import CORE, SDC, components, control, form, item, options, when
from tests.web.previewing import Visitor, preview


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    with preview(components()) as someone:
        yield someone


def test_every_kind_of_question_is_filled_in_sent_and_valid(visitor: Visitor) -> None:
    answers = {
        "smoker": ["true"],
        "cigarettes": ["20"],
        "symptom": ["pain", "~other"],
        "symptom-other": ["Itching"],
        "medicine-search": ["methotrexate"],
        "joint": ["knee"],
        "pain": ["7"],
        "weight": ["80.5"],
        "weight-unit": ["kg"],
        "height": ["180"],
        "started-day": ["27"],
        "started-month": ["March"],
        "started-year": ["2026"],
        "started-hour": ["14"],
        "started-minute": ["05"],
        "call-time-hour": ["9"],
        "call-time-minute": ["30"],
        "picture": ["a"],
        "substance@0": ["Penicillin"],
        "since@0-month": ["5"],
        "since@0-year": ["2001"],
        "reaction@0": ["rash", "breath"],
        "other-name~0": ["Ann"],
        "abroad": ["no"],
        "clinic": ["Dr Example"],
        "site": ["https://example.com/"],
        "notes": ["One\r\ntwo"],
        "line": ["1 High Street"],
        "town": ["Leeds"],
        "code": ["LS1 4AP"],
    }
    visitor.walk(answers, until="/end")
    kept = visitor.answers()
    assert kept["smoker"] == [True]
    assert kept["cigarettes"] == [20]
    assert kept["symptom"][1] == "Itching"
    assert kept["medicine"][0]["display"] == "Methotrexate"
    assert Decimal(str(kept["weight"][0]["value"])) == Decimal("80.5")
    assert kept["weight"][0]["code"] == "kg"
    assert kept["started"] == ["2026-03-27T14:05:00+00:00"]
    assert kept["call-time"] == ["09:30:00"]
    assert kept["since"] == ["2001-05"]
    assert [c["code"] for c in kept["reaction"]] == ["rash", "breath"]
    assert kept["clinic"] == [{"display": "Dr Example"}]
    assert kept["notes"] == ["One\ntwo"]
    assert "country" not in kept
    assert "The completed response is valid." in visitor.page.text


def test_a_question_that_an_answer_opens_is_shown_before_it_can_be_wrong(visitor: Visitor) -> None:
    visitor.post({"smoker": ["true"]}, drop="cigarettes")
    assert visitor.path.endswith("/page/smoker")


def test_without_scripts_the_server_shows_the_page_again_with_the_opened_question() -> None:
    asks = item(
        "abroad",
        "boolean",
        required=True,
        item=[
            item(
                "country", "string", required=True, enableWhen=[when("abroad", answerBoolean=True)]
            )
        ],
    )
    with preview(form(asks)) as visitor:
        shown = [(n, v) for n, v in visitor.form.filled({"abroad": ["true"]}) if v != "country"]
        page = visitor.http.post(
            visitor.base + visitor.form.action,
            data={n: [v for name, v in shown if name == n] for n, _ in shown if n != "country"},
        )
        visitor.page = page
        assert visitor.errors == []
        assert "country" in visitor.form.names()
        visitor.post({"country": [""]})
        assert visitor.errors == ["Enter question country"]
        visitor.post({"country": ["France"]})
        assert visitor.path.endswith("/check")


@pytest.mark.parametrize(
    ("page", "typed", "words"),
    [
        ("cigarettes", {"smoker": ["true"], "cigarettes": ["many"]}, "must be a number"),
        ("symptom", {"symptom": ["~other"], "symptom-other": [""]}, "Enter what it is"),
        ("symptom", {"symptom": ["pain", "none"]}, "on its own"),
        ("pain", {"pain": ["11"]}, "10 or less"),
        ("weight", {"weight": ["80"], "weight-unit": [""]}, "Select a unit"),
        ("weight", {"weight": ["heavy"], "weight-unit": ["kg"]}, "must be a number"),
        (
            "started",
            {"started-day": ["31"], "started-month": ["2"], "started-year": ["2026"]},
            "real date",
        ),
        ("started", {"started-day": ["1"]}, "must include a month and a year"),
        ("call-time", {"call-time-hour": ["25"], "call-time-minute": ["0"]}, "real time"),
        ("call-time", {"call-time-hour": ["9"], "call-time-minute": [""]}, "hour and minutes"),
    ],
)  # fmt: skip
def test_a_bad_answer_is_explained_beside_its_field_and_stays(
    visitor: Visitor, page: str, typed: dict[str, list[str]], words: str
) -> None:
    first = {"smoker": ["false"]} if page != "cigarettes" else {}
    while (
        page not in visitor.page.text.partition("<form")[2] or f"/page/{page}" not in visitor.path
    ):
        if page == "cigarettes":
            break
        visitor.post(first)
    visitor.post(typed)
    assert visitor.page.status_code == 422
    assert any(words in line for line in visitor.errors), visitor.errors
    assert any(words in line for line in visitor.messages), visitor.messages
    assert "<title>Error: " in visitor.page.text
    for name, values in typed.items():
        if name in visitor.form.names() and len(values) == 1 and not values[0].startswith("~"):
            assert values[0] in [c.value for c in visitor.form.controls if c.name == name]


MEDICINES = [f"medicine {n}" for n in range(30)]


def test_a_long_list_is_searched_on_the_server() -> None:
    asks = item(
        "drug", "choice", extension=[control("autocomplete")], answerOption=options(*MEDICINES)
    )
    with preview(form(asks)) as visitor:
        assert "drug" not in visitor.form.names()
        visitor.post({"drug-search": ["medicine 2"]}, button="search:drug")
        found = [c.value for c in visitor.form.controls if c.name == "drug"]
        assert found == ["medicine 2", *(f"medicine {n}" for n in range(20, 30))]
        visitor.post({"drug": ["medicine 25"]})
        assert visitor.path.endswith("/check")
        assert visitor.answers()["drug"][0]["code"] == "medicine 25"


def test_enter_in_the_search_field_searches_and_says_when_nothing_is_there() -> None:
    asks = item(
        "drug", "choice", extension=[control("autocomplete")], answerOption=options(*MEDICINES)
    )
    with preview(form(asks)) as visitor:
        visitor.post({"drug-search": ["zzz"]})
        assert "Nothing found for ‘zzz’" in visitor.page.text
        assert visitor.path.endswith("/page/drug")


def test_groups_repeat_with_add_and_remove_and_lose_nothing_that_was_typed() -> None:
    group = item("pets", "group", "Pets", repeats=True, item=[
        item("name", "string"), item("age", "integer"),
    ])  # fmt: skip
    with preview(form(group)) as visitor:
        visitor.post({"name@0": ["Rex"], "age@0": ["old"]}, button="add:pets")
        assert visitor.page.status_code == 200
        assert visitor.shown("age@0") == "old"
        visitor.post({"name@1": ["Tom"], "age@1": ["3"]}, button="add:pets")
        visitor.post({"name@2": ["Ida"]}, button="remove:pets@0")
        assert [visitor.shown(f"name@{n}") for n in (0, 1)] == ["Tom", "Ida"]
        visitor.post({})
        assert visitor.path.endswith("/check")
        assert visitor.answers() == {"name": ["Tom", "Ida"], "age": [3]}
        visitor.get("/1/page/pets?change=1")
        visitor.post({}, button="remove:pets@0")
        visitor.post({})
        assert visitor.answers() == {"name": ["Ida"]}


def test_an_added_group_that_stays_empty_is_left_out() -> None:
    group = item(
        "pets", "group", "Pets", repeats=True, item=[item("name", "string", required=True)]
    )
    with preview(form(group)) as visitor:
        visitor.post({"name@0": ["Rex"]}, button="add:pets")
        visitor.post({"name@1": ["Tom"]}, button="add:pets")
        visitor.post({"name@0": [""], "name@1": ["Tom"], "name@2": [""]})
        assert visitor.path.endswith("/check")
        assert visitor.answers() == {"name": ["Tom"]}


def test_groups_within_groups_repeat_each_for_itself() -> None:
    inner = item("visits", "group", "Visits", repeats=True, item=[item("day", "string")])
    group = item("clinics", "group", "Clinics", repeats=True, item=[item("place", "string"), inner])
    with preview(form(group)) as visitor:
        visitor.post({"place@0": ["Leeds"], "day@0@0": ["Monday"]}, button="add:clinics")
        visitor.post({"place@1": ["York"], "day@1@0": ["Friday"]}, button="add:visits@1")
        visitor.post({"day@1@1": ["Sunday"]})
        assert visitor.path.endswith("/check")
        assert visitor.answers() == {
            "place": ["Leeds", "York"],
            "day": ["Monday", "Friday", "Sunday"],
        }


def test_questions_repeat_with_add_and_remove_and_errors_beside_the_right_answer() -> None:
    asks = item("ages", "integer", repeats=True, extension=[
        {"url": f"{CORE}/maxValue", "valueInteger": 120},
        {"url": f"{CORE}/questionnaire-maxOccurs", "valueInteger": 3},
    ])  # fmt: skip
    with preview(form(asks)) as visitor:
        visitor.post({"ages~0": ["3"]}, button="add:ages")
        visitor.post({"ages~1": ["300"]}, button="add:ages")
        assert "add:ages" not in visitor.page.text
        visitor.post({"ages~2": ["5"]})
        assert visitor.errors == ["Question ages must be 120 or less"]
        assert 'href="#ages-answer-1"' in visitor.page.text
        visitor.post({}, button="remove:ages~1")
        visitor.post({})
        assert visitor.answers() == {"ages": [3, 5]}


def test_an_exclusive_option_stands_last_and_alone(visitor: Visitor) -> None:
    visitor.post({"smoker": ["false"]})
    boxes = [c.value for c in visitor.form.controls if c.name == "symptom"]
    assert boxes == ["pain", "swelling", "~other", "none"]


def test_headers_footers_hints_notes_and_pictures_are_where_the_author_put_them(
    visitor: Visitor,
) -> None:
    text = visitor.page.text.partition("<main")[2]
    assert text.index("For appointments in March 2027") < text.index("Do you smoke?")
    assert text.index("Do you smoke?") < text.index("Thank you for helping us")
    assert "Include vaping." in text
    visitor.post({"smoker": ["false"]})
    assert "More information" in visitor.page.text
    while "/page/picture" not in visitor.path:
        visitor.post({})
    assert 'alt="Two kinds of rash"' in visitor.page.text
    assert "a) Red spots" in visitor.page.text


def test_read_only_answers_are_said_and_cannot_be_posted() -> None:
    known = item("nhs-number", "string", readOnly=True, initial=[{"valueString": "999 000 0018"}])
    with preview(form(known, item("why", "string"))) as visitor:
        assert "999 000 0018" in visitor.page.text
        visitor.post({"why": ["Pain"], "nhs-number": ["1"]})
        assert visitor.answers() == {"nhs-number": ["999 000 0018"], "why": ["Pain"]}


def test_options_of_texts_and_numbers_are_chosen_not_typed() -> None:
    slot = item(
        "slot", "string", answerOption=[{"valueString": "Morning"}, {"valueString": "Evening"}]
    )
    with preview(form(slot)) as visitor:
        assert [c.kind for c in visitor.form.controls if c.name == "slot"] == ["radio", "radio"]
        visitor.post({"slot": ["Evening"]})
        assert visitor.answers() == {"slot": ["Evening"]}


def test_units_can_be_open() -> None:
    dose = item("dose", "quantity", extension=[
        {"url": f"{SDC}/sdc-questionnaire-unitOpen", "valueCode": "optionsOrString"},
    ])  # fmt: skip
    with preview(form(dose)) as visitor:
        visitor.post({"dose": ["2"], "dose-unit": ["spoons"]})
        assert visitor.answers() == {"dose": [{"value": 2, "unit": "spoons"}]}


def test_names_that_the_page_needs_itself_are_no_trouble_as_link_ids() -> None:
    names = ["form_token", "change", "do", "maincontent", "a-day", "1", "x y", "<b>", "~do"]
    with preview(form(*(item(name, "string") for name in names))) as visitor:
        for name in names:
            visitor.post(
                {("q:" if name in ("form_token", "change", "do", "~do") else "") + name: [name]}
            )
        assert visitor.path.endswith("/check")
        assert visitor.answers() == {name: [name] for name in names}


def test_authors_say_how_a_question_looks() -> None:
    picture = {"contentType": "image/png", "data": "iVBORw0KGgo="}
    elsewhere = {"contentType": "video/mp4", "url": "https://example.org/v", "title": "The video"}
    inline = {"url": f"{CORE}/questionnaire-choiceOrientation", "valueCode": "horizontal"}
    step = {"url": f"{CORE}/questionnaire-sliderStepValue", "valueInteger": 5}
    phone = {"code": "phone"}
    short = {"url": f"{SDC}/sdc-questionnaire-shortText", "valueString": "Brief"}
    option = options("a")[0]
    option["extension"] = [
        {"url": f"{CORE}/questionnaire-optionPrefix", "valueString": "1."},
        {"url": f"{SDC}/sdc-questionnaire-itemAnswerMedia", "valueAttachment": picture},
    ]
    page = item("page", "group", extension=[control("page")], item=[
        item("side", "choice", extension=[inline], answerOption=[option, *options("b")]),
        item("slide", "integer", extension=[control("slider"), step]),
        item("call", "string", prefix="2.", extension=[
            {"url": f"{SDC}/sdc-questionnaire-keyboard", "valueCoding": phone},
            {"url": f"{CORE}/questionnaire-supportLink", "valueUri": "https://www.nhs.uk/help"},
            {"url": f"{SDC}/sdc-questionnaire-itemMedia", "valueAttachment": elsewhere},
            short,
        ]),
        item("find", "choice", extension=[control("lookup")], answerOption=options("x", "y")),
        item("own", "open-choice", answerOption=options("x"), extension=[
            {"url": f"{SDC}/sdc-questionnaire-openLabel", "valueString": "Another one"}]),
    ])  # fmt: skip
    with preview(form(page)) as visitor:
        text = visitor.page.text
        assert "nhsuk-radios--inline" in text
        assert 'src="data:image/png;base64,iVBORw0KGgo="' in text
        assert "1. A" in text
        assert "In steps of 5" in text
        assert "2. Question call" in text
        assert 'type="tel"' in text
        assert 'href="https://www.nhs.uk/help"' in text
        assert ">The video</a>" in text
        assert 'value="search:find"' in text
        assert "Another one" in text
        visitor.post({})
        assert "Brief" in visitor.page.text
