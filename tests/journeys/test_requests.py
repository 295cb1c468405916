"""The main job in a real browser, on a phone and on a desktop: from a text to the EPR."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fhir_gateway.sandbox.pds.personas import person as persona
from tests.journeys.browsing import Person
from tests.journeys.people import ADMIN, MEDICAL, about, for_somebody
from tests.journeys.records import Records

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
MakePerson = Callable[..., Person]


def reference_of(person: Person) -> str:
    assert person.heading.startswith("Request sent")
    return person.page.locator(".nhsuk-panel strong").inner_text()


@pytest.mark.hazard("H03")
def test_a_medical_request_for_oneself_arrives_matched(
    person: MakePerson, records: Records
) -> None:
    who = persona("typical")
    patient = person(who.mobile or "")
    patient.open(patient.phone.link())
    assert "Rheumatology" in patient.heading
    patient.walk({**MEDICAL, **about(who)}, until="/check")
    shown = patient.page.locator("main").inner_text()
    assert "An interpreter for Polish" in shown
    assert "12 March 1984" in shown
    assert "Confirmed" in shown
    patient.answer(about(who))
    arrived = records.arrived(reference_of(patient))
    assert arrived.match == "matched"
    assert arrived.nhs_numbers == [who.nhs_number]
    assert arrived.focus["resourceType"] == "ServiceRequest"
    assert arrived.focus["reasonCode"][0]["text"] == MEDICAL["medical-problem"]
    assert arrived.related == []


def test_a_confirmation_text_has_the_reference_and_nothing_clinical(
    person: MakePerson, records: Records
) -> None:
    who = persona("typical_man")
    patient = person(who.mobile or "", axe=False)
    patient.open(patient.phone.link())
    patient.walk({**MEDICAL, **about(who)}, until="/sent")
    reference = reference_of(patient)
    records.arrived(reference)
    patient.page.wait_for_timeout(1500)
    text = patient.phone.texts()[-1]
    assert reference in text
    assert len(text) <= 160
    for private in (who.family, who.given, "swollen", who.postcode):
        assert private not in text


@pytest.mark.hazard("H06")
def test_a_medical_request_for_somebody_else_without_a_code_arrives_unmatched(
    person: MakePerson, records: Records
) -> None:
    child, parent = persona("child"), persona("parent")
    writer = person(parent.mobile or "")
    writer.open(writer.phone.link())
    codes_before = len(writer.phone.codes())
    writer.walk({**MEDICAL, **for_somebody(child, parent)}, until="/sent")
    assert len(writer.phone.codes()) == codes_before
    arrived = records.arrived(reference_of(writer))
    assert arrived.match == "unmatched"
    assert arrived.nhs_numbers == []
    assert arrived.patient["name"][0]["family"] == child.family
    assert len(arrived.related) == 1
    assert arrived.related[0]["name"][0]["given"] == [parent.given]
    assert arrived.related[0]["patient"]["reference"].startswith("Patient/")
    assert arrived.focus["requester"]["reference"].startswith("RelatedPerson/")
    assert arrived.response["author"]["reference"].startswith("RelatedPerson/")


def test_the_questions_speak_of_them_when_it_is_for_somebody_else(person: MakePerson) -> None:
    child, parent = persona("child"), persona("parent")
    writer = person(parent.mobile or "", axe=False)
    writer.open(writer.phone.link())
    writer.walk({**MEDICAL, **for_somebody(child, parent)}, until="/page/patient-birth-date")
    assert writer.heading == "What is their date of birth?"


def test_an_admin_request_arrives_as_a_communication(person: MakePerson, records: Records) -> None:
    who = persona("hyphenated")
    patient = person(who.mobile or "")
    patient.open(patient.phone.link())
    patient.walk({**ADMIN, **about(who)}, until="/sent")
    arrived = records.arrived(reference_of(patient))
    assert arrived.focus["resourceType"] == "Communication"
    assert arrived.match == "matched"
    said = " ".join(payload["contentString"] for payload in arrived.focus["payload"])
    assert "Methotrexate 2.5mg tablets" in said


@pytest.mark.hazard("H04")
def test_a_sign_of_an_emergency_ends_the_request(person: MakePerson, records: Records) -> None:
    before = records.count("Task")
    patient = person("07700 900301")
    patient.open(patient.phone.link())
    patient.answer({"request": "pifu-medical"})
    assert patient.heading == "Check this is not an emergency"
    question = patient.page.url
    patient.answer({"emergency-answer": "at-least-one"})
    assert patient.heading == "Get help now"
    assert patient.page.get_by_role("link", name="Call 999").is_visible()
    assert patient.page.locator("main form").count() == 0
    # Neither the back button nor an address leads on from here.
    patient.page.go_back()
    patient.open(question)
    assert patient.heading == "Get help now"
    patient.open(question.replace("page/emergency-check", "page/who-for"))
    assert patient.heading == "Get help now"
    assert records.count("Task") == before


@pytest.mark.hazard("H04")
def test_only_an_explicit_confirmation_leads_past_the_emergency_page(person: MakePerson) -> None:
    patient = person("07700 900302")
    patient.open(patient.phone.link())
    patient.answer({"request": "pifu-admin"})
    patient.go_on()
    assert patient.errors() == ["Select if any of these signs is there now"]
    assert patient.page.title().startswith("Error: ")
    patient.answer({"emergency-answer": "none"})
    assert patient.heading == "Who is this request for?"


def test_nhs_advice_leads_to_the_nhs_website_and_sends_nothing(person: MakePerson) -> None:
    patient = person("07700 900303")
    patient.open(patient.phone.link())
    patient.answer({"request": "advice"})
    assert patient.heading == "NHS online advice"
    targets = patient.page.locator("main a").evaluate_all("links => links.map(l => l.href)")
    assert "https://www.nhs.uk/conditions/" in targets
    assert "https://111.nhs.uk/" in targets
    assert "tel:999" in targets


def test_change_on_the_check_page_leads_back_there(person: MakePerson, records: Records) -> None:
    who = persona("apostrophe")
    patient = person(who.mobile or "", axe=False)
    patient.open(patient.phone.link())
    patient.walk({**ADMIN, **about(who)}, until="/check")
    patient.page.get_by_role("link", name="Change postcode").click()
    assert patient.page.locator('[name="patient-postcode"]').input_value() != ""
    patient.answer({"patient-postcode": "m20 4wx"})
    assert patient.page.url.endswith("/check")
    # A change that opens new questions leads through them first.
    patient.page.get_by_role("link", name="Change request about").click()
    patient.answer({"admin-kind": "letter"})
    assert "/page/admin-letter" in patient.page.url
    patient.answer({"letter-request": "employer", "letter-details": "For my manager"})
    assert patient.page.url.endswith("/check")
    patient.answer(about(who))
    arrived = records.arrived(reference_of(patient))
    said = str(arrived.focus["payload"])
    assert "For my manager" in said
    assert "Methotrexate" not in str(arrived.response)


def test_a_changed_number_needs_a_new_code(person: MakePerson) -> None:
    who = persona("typical")
    patient = person(who.mobile or "", axe=False)
    patient.open(patient.phone.link())
    patient.walk({**ADMIN, **about(who)}, until="/check")
    patient.page.get_by_role("link", name="Change mobile number").click()
    patient.answer({"patient-mobile": "07700 900399"})
    assert "/code/" in patient.page.url


@pytest.mark.hazard("H02")
def test_sending_twice_reloading_and_going_back_send_once(
    person: MakePerson, records: Records
) -> None:
    who = persona("accented")
    patient = person(who.mobile or "", axe=False)
    patient.open(patient.phone.link())
    patient.walk({**ADMIN, **about(who)}, until="/check")
    before = records.count("Task")
    check = patient.page.url
    patient.fill(about(who))
    form = patient.page.locator("main form")
    posted = form.evaluate("form => new URLSearchParams(new FormData(form)).toString()")
    # Two clicks at once: the same form is posted twice beside each other.
    statuses = patient.page.evaluate(
        """async ([url, body]) => {
            const headers = {"Content-Type": "application/x-www-form-urlencoded"};
            const send = () => fetch(url, {method: "POST", body, headers});
            const answers = await Promise.all([send(), send(), send()]);
            return answers.map(answer => [answer.status, answer.url]);
        }""",
        [check, posted],
    )
    assert {status for status, _ in statuses} == {200}
    assert all(url.endswith("/sent") for _, url in statuses)
    patient.open(check)
    reference = reference_of(patient)
    patient.page.reload()
    assert reference_of(patient) == reference
    patient.page.go_back()
    patient.open(check)
    assert reference_of(patient) == reference
    records.arrived(reference)
    assert records.count("Task") == before + 1
