"""The inbox: what staff see and do."""

from __future__ import annotations

import html
import re

import httpx
import pytest

from tests.sandbox.epr.request_bundle import patient, request_bundle, send_request

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
HOSTILE = "<script>alert('x')</script>{{ 7*7 }}"


def _text(page: httpx.Response) -> str:
    """What a page says, without its markup."""
    body = re.sub(r"(?s)<(script|head).*?</\1>", " ", page.text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_an_empty_inbox_says_what_will_appear(epr: httpx.Client) -> None:
    page = epr.get("/")

    assert page.status_code == 200
    assert "No requests yet" in _text(page)
    assert "When a patient sends a request, it appears here" in _text(page)
    assert '<a class="nhsuk-link nhsuk-u-margin-left-3" href="/">Refresh' in page.text


def test_the_inbox_lists_requests_newest_first(epr: httpx.Client) -> None:
    send_request(epr, "PF-1")
    send_request(epr, "PF-2", admin=True, matched=False)

    page = epr.get("/")

    text = _text(page)
    assert "2 requests, newest first" in text
    assert text.index("PF-2") < text.index("PF-1")
    rows = page.text.split("<tbody")[1].split("</tr>")
    for row, expected in (
        (rows[0], ["PF-2", "Admin request", "nhsuk-tag--orange", "Not matched - identity to be"]),
        (rows[1], ["PF-1", "Medical request", "nhsuk-tag--green", "Matched to NHS record"]),
    ):
        assert all(part in row for part in [*expected, "Adaeze Ruth Okafor", "New"])
        assert re.search(r"\d{1,2} [A-Z][a-z]+ \d{4} at ([\d:]+[ap]m|midday|midnight)", row)


def test_the_list_goes_on_over_pages(epr: httpx.Client) -> None:
    for number in range(51):
        task = {"resourceType": "Task", "status": "requested", "intent": "order"}
        task["identifier"] = [{"value": f"N-{number}"}]
        epr.post("/fhir/Task", json=task).raise_for_status()

    first, second = epr.get("/"), epr.get("/?page=2")

    assert "51 requests" in _text(first)
    assert "N-50" in first.text
    assert 'href="/?page=2"' in first.text
    assert ">N-0<" in second.text
    assert 'href="/?page=1"' in second.text
    for odd in ("0", "-1", "99", "x", "9" * 50, "²"):
        assert epr.get("/", params={"page": odd}).status_code == 200


def test_a_sparse_task_is_listed_and_shown_too(epr: httpx.Client) -> None:
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "for": {"display": "Somebody else"},
    }
    there = epr.post("/fhir/Task", json=task).json()["id"]

    text = _text(epr.get("/"))
    page = _text(epr.get(f"/tasks/{there}"))

    assert "No reference" in text
    assert "Identity check not recorded" in text
    assert "No questionnaire came with this request." in page
    assert "Sent by Not recorded" in page


def test_a_request_shows_who_what_and_how_to_answer(epr: httpx.Client) -> None:
    text = _text(epr.get(send_request(epr, "PF-1")))

    for expected in (
        "Medical request Request PF-1 Matched to NHS record",
        "Progress New",
        "Name Adaeze Ruth Okafor Date of birth 5 March 1984 NHS number 999 000 0018",
        "NHS number check Checked against the NHS record and verified",
        "Address 1 Test Street, Leeds, LS1 6AE",
        "Preferred contact Text message Contact times Not on Friday mornings",
        "Mobile phone 07700 900123 Email adaeze@example.org",
        "Sent by The patient More about this request Times to avoid Monday morning Friday Ques",
        "About the problem What is the problem? My knee hurts. It is <b>swollen</b>.",
        "Is it getting worse? Yes Since when? 1 November 2026",
        "I have permission to send this Yes, I have",
        "Summary from the sending system Knee pain since 1 November .",
    ):
        assert expected in text


def test_a_request_of_somebody_else_names_them(epr: httpx.Client) -> None:
    text = _text(epr.get(send_request(epr, "PF-1", proxy=True, matched=False)))

    assert "Sent by Ngozi Okafor Relationship Daughter Phone 07700 900456" in text
    assert "Not matched - identity to be checked" in text
    assert "NHS number Not given" in text
    assert "NHS number check Checked, but no record or more than one record matched" in text


def test_a_request_links_to_its_own_resources_and_to_no_other(epr: httpx.Client) -> None:
    send_request(epr, "PF-1")
    page = epr.get(send_request(epr, "PF-2"))

    links = re.findall(r'href="(/fhir/[^"]+)"', page.text)
    types = sorted(link.split("/")[2] for link in links)
    assert types == ["Patient", "Provenance", "QuestionnaireResponse", "ServiceRequest", "Task"]
    for link in links:
        response = epr.get(link)
        assert response.status_code == 200
        assert response.text.startswith("{\n  ")
    assert "PF-1" not in "".join(epr.get(link).text for link in links)


def test_nothing_that_was_sent_becomes_markup(epr: httpx.Client) -> None:
    person = patient() | {"name": [{"family": HOSTILE}], "address": [{"text": HOSTILE}]}
    person["telecom"][0]["value"] = HOSTILE
    bundle = request_bundle(HOSTILE, person=person, narrative=f"<p>x{'<b>' * 3}y")
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Task":
            entry["resource"]["code"]["text"] = HOSTILE
        if entry["resource"]["resourceType"] == "QuestionnaireResponse":
            group = entry["resource"]["item"][0]
            group["text"] = group["item"][0]["text"] = HOSTILE
            group["item"][0]["answer"] = [{"valueString": HOSTILE}]
    answer = epr.post("/fhir", json=bundle).raise_for_status().json()
    task = answer["entry"][3]["response"]["location"].split("/")[1]

    for path in ("/", f"/tasks/{task}"):
        page = epr.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text
        assert "{{ 7*7 }}" in page.text


@pytest.mark.parametrize("status", ["in-progress", "completed"])
def test_staff_can_mark_a_request(epr: httpx.Client, status: str) -> None:
    path = send_request(epr, "PF-1")

    response = epr.post(f"{path}/status", data={"status": status}, headers=FORM)

    assert response.status_code == 303
    assert response.headers["location"] == path
    task = epr.get(f"/fhir/Task/{path.split('/')[2]}")
    assert task.json()["status"] == status
    assert task.json()["lastModified"]
    assert task.headers["etag"] == 'W/"2"'
    shown = _text(epr.get(path))
    assert ("Mark as in progress" in shown) is False
    assert ("Mark as done" in shown) is (status == "in-progress")
    assert ("Done" if status == "completed" else "In progress") in _text(epr.get("/"))


def test_a_request_that_is_done_stays_done(epr: httpx.Client) -> None:
    path = send_request(epr, "PF-1")

    for status in ("completed", "completed", "in-progress"):
        assert epr.post(f"{path}/status", data={"status": status}, headers=FORM).is_redirect

    task = epr.get(f"/fhir/Task/{path.split('/')[2]}").json()
    assert (task["status"], task["meta"]["versionId"]) == ("completed", "2")


def test_marking_keeps_the_order_and_the_time_of_arrival(epr: httpx.Client) -> None:
    older = send_request(epr, "PF-1")
    send_request(epr, "PF-2")

    epr.post(f"{older}/status", data={"status": "in-progress"}, headers=FORM)

    text = _text(epr.get("/"))
    assert text.index("PF-2") < text.index("PF-1")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("rejected", {}),
        ("", {}),
        ("completed", {"Sec-Fetch-Site": "cross-site"}),
        ("completed", {"Sec-Fetch-Site": "same-site"}),
    ],
)
def test_other_marks_and_other_sites_change_nothing(
    epr: httpx.Client, status: str, headers: dict[str, str]
) -> None:
    path = send_request(epr, "PF-1")

    response = epr.post(f"{path}/status", data={"status": status}, headers=FORM | headers)

    assert response.status_code == 400
    assert "The request was not changed" in _text(response)
    assert epr.get(f"/fhir/Task/{path.split('/')[2]}").headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("path", ["/tasks/none", "/nowhere", "/tasks/none/status"])
def test_what_is_not_there_is_a_page_that_leads_back(epr: httpx.Client, path: str) -> None:
    response = (
        epr.get(path)
        if not path.endswith("status")
        else epr.post(path, data={"status": "completed"}, headers=FORM)
    )

    assert response.status_code == 404
    assert "Page not found" in _text(response)
    assert '<a class="nhsuk-link" href="/">' in response.text


def test_a_method_that_a_page_does_not_have_is_answered_with_a_page(epr: httpx.Client) -> None:
    response = epr.delete("/")

    assert response.status_code == 405
    assert "That is not possible" in _text(response)


def test_a_request_without_some_of_its_resources_is_shown_still(epr: httpx.Client) -> None:
    path = send_request(epr, "PF-1")
    provenance = epr.get("/fhir/Provenance").json()["entry"][0]["resource"]
    response = epr.get("/fhir/QuestionnaireResponse").json()["entry"][0]["resource"]
    loose = {"linkId": "x", "text": "Anything else?", "answer": [{"valueString": "No"}]}
    response["item"] = [loose, loose | {"linkId": "y", "text": "And now?"}, {"linkId": "empty"}]
    del response["source"]
    epr.put(f"/fhir/QuestionnaireResponse/{response['id']}", json=response).raise_for_status()
    epr.delete(f"/fhir/Provenance/{provenance['id']}").raise_for_status()

    page = epr.get(path)

    assert "Anything else? No And now? No Summary" in _text(page)
    assert "Sent by Not recorded" in _text(page)
    assert "/fhir/Provenance/" not in page.text
