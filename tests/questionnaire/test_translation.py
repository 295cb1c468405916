"""A form in another language."""

from __future__ import annotations

from fhir_gateway.fhir.registry import Registry
from fhir_gateway.fhir.types import Element
from fhir_gateway.questionnaire.definition import Definition
from tests.questionnaire.making import CORE, ask, code, form


def words(**by_language: str) -> Element:
    return {
        "extension": [
            {
                "url": f"{CORE}/translation",
                "extension": [
                    {"url": "lang", "valueCode": language},
                    {"url": "content", "valueString": content},
                ],
            }
            for language, content in by_language.items()
        ]
    }


CODING = {**code("y")["valueCoding"], "display": "Yes", "_display": words(cy="Ie")}
VALUE_SET = {
    "resourceType": "ValueSet",
    "url": "https://example.org/vs",
    "compose": {
        "include": [
            {
                "system": "https://example.org/codes",
                "concept": [
                    {
                        "code": "n",
                        "display": "No",
                        "designation": [{"language": "cy", "value": "Na"}],
                    }
                ],
            }
        ]
    },
}
ASKED = form(
    ask(
        "a",
        "choice",
        text="Agree?",
        _text=words(cy="Cytuno?", fr="D'accord ?"),
        answerOption=[{"valueCoding": CODING}],
    ),
    ask("b", "choice", answerValueSet=VALUE_SET["url"]),
    language="en-GB",
    title="Consent",
    _title=words(cy="Caniatâd"),
)


def test_texts_options_and_value_sets_come_in_the_language() -> None:
    definition = Definition(ASKED, Registry([VALUE_SET]))
    assert definition.languages == ["cy", "fr"]
    welsh = definition.in_language("cy")
    assert (welsh.title, welsh.language) == ("Caniatâd", "cy")
    first, second = welsh.items
    assert first.text == "Cytuno?"
    assert [option.display for option in welsh.options(first)] == ["Ie"]
    assert [option.display for option in welsh.options(second)] == ["Na"]


def test_what_has_no_translation_stays_as_it_is() -> None:
    french = Definition(ASKED, Registry([VALUE_SET])).in_language("fr-FR")
    assert [item.text for item in french.items] == ["D'accord ?", "b"]
    assert french.title == "Consent"


def test_its_own_language_is_itself() -> None:
    definition = Definition(ASKED)
    assert definition.in_language("en-GB") is definition
    assert definition.in_language("cy") is definition.in_language("cy")
