"""Searching over HTTP, on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fhir_gateway.fhir import check
from tests.rest.conftest import Api, matches
from tests.rest.people import NHS, patient, request, response, task

CASES: list[tuple[str, str, list[str]]] = [
    # tokens
    ("Task", "status=requested", ["t3", "t2", "t1"]),
    ("Task", "status=requested,completed", ["t4", "t3", "t2", "t1"]),
    ("Task", "status:not=requested", ["t4"]),
    ("Task", "code=urn:kinds|medical", ["t4", "t3", "t2", "t1"]),
    ("Task", "code=urn:kinds|", ["t4", "t3", "t2", "t1"]),
    ("Task", "code=|medical", []),
    ("Task", "status=|completed", ["t4"]),
    ("Task", "code:text=MEDICAL", ["t4", "t3", "t2", "t1"]),
    ("Task", "identifier=request-2", ["t2"]),
    ("Task", "status=requested&code=medical&identifier=request-3", ["t3"]),
    ("Task", "_id=t2,t1", ["t2", "t1"]),
    ("Task", "_id=nobody", []),
    ("Patient", f"identifier={NHS}|9990000002", ["p2"]),
    ("Patient", "identifier=9990000002", ["p2"]),
    ("Patient", f"identifier={NHS}|", ["p4", "p3", "p2", "p1"]),
    ("Patient", "identifier=urn:other|9990000002", []),
    ("Patient", "phone=07700900003", ["p3"]),
    ("Patient", "telecom=07700 900003", ["p3"]),
    ("Patient", "phone=%2B447700900003", ["p3"]),
    ("Patient", "phone=+44 7700 900003", ["p3"]),
    ("Patient", "telecom=phone|00447700900003", ["p3"]),
    ("Patient", "telecom=email|07700900003", []),
    ("Patient", "gender=male", ["p4", "p2"]),
    # a code's own system, which its element does not name
    ("Task", "status=http://hl7.org/fhir/task-status|completed", ["t4"]),
    ("Task", "status=http://hl7.org/fhir/task-status|", ["t4", "t3", "t2", "t1"]),
    ("Task", "status=http://hl7.org/fhir/event-status|completed", []),
    ("Task", "status:not=http://hl7.org/fhir/task-status|requested", ["t4"]),
    ("Task", "intent=http://hl7.org/fhir/request-intent|order&status=completed", ["t4"]),
    ("Patient", "gender=http://hl7.org/fhir/administrative-gender|male", ["p4", "p2"]),
    # strings
    ("Patient", "family=ozturk", ["p4", "p3", "p2", "p1"]),
    ("Patient", "family=ÖZTÜRK-3", ["p3"]),
    ("Patient", "family=turk", []),
    ("Patient", "family:exact=Öztürk-3", ["p3"]),
    ("Patient", "family:exact=öztürk-3", []),
    ("Patient", "name=mary", ["p4", "p3", "p2", "p1"]),
    ("Patient", "name=mrs ann", ["p4", "p3", "p2", "p1"]),
    ("Patient", "address-postalcode=LS1", ["p4", "p3", "p2", "p1"]),
    # dates
    ("Patient", "birthdate=1952", ["p2"]),
    ("Patient", "birthdate=1952-03", ["p2"]),
    ("Patient", "birthdate=1952-03-05", ["p2"]),
    ("Patient", "birthdate=1952-03-06", []),
    ("Patient", "birthdate=ge1952-03-05", ["p4", "p3", "p2"]),
    ("Patient", "birthdate=gt1952-03-05", ["p4", "p3"]),
    ("Patient", "birthdate=le1952-03-05", ["p2", "p1"]),
    ("Patient", "birthdate=lt1952-03-05", ["p1"]),
    ("Patient", "birthdate=ne1952-03-05", ["p4", "p3", "p1"]),
    ("Patient", "birthdate=ge1952&birthdate=lt1954", ["p3", "p2"]),
    ("Task", "authored-on=2026-11-02", ["t2"]),
    ("Task", "authored-on=eq2026-11", ["t4", "t3", "t2", "t1"]),
    ("Task", "authored-on=gt2026-11-02", ["t4", "t3"]),
    ("Task", "authored-on=sa2026-11-02", ["t4", "t3"]),
    ("Task", "authored-on=lt2026-11-02", ["t1"]),
    ("Task", "authored-on=eb2026-11-02", ["t1"]),
    ("Task", "authored-on=ge2026-11-02T09:30:00Z", ["t4", "t3", "t2"]),
    ("Task", "authored-on=le2026-11-02T10:30:00%2B01:00", ["t2", "t1"]),
    ("Task", "authored-on=ne2026-11-02", ["t4", "t3", "t1"]),
    ("Task", "authored-on=ap2026-11-02", ["t4", "t3", "t2", "t1"]),
    ("Task", "_lastUpdated=lt2026-11-25", []),
    ("Task", "_lastUpdated=2026-11-25", ["t4", "t3", "t2", "t1"]),
    # references
    ("Task", "patient=p2", ["t2"]),
    ("Task", "patient=Patient/p2", ["t2"]),
    ("Task", "subject:Patient=p2", ["t2"]),
    ("Task", "patient=https://gateway.example/fhir/R4/Patient/p2", ["t2"]),
    ("Task", "patient=https://elsewhere.example/Patient/p2", []),
    ("Task", "focus=ServiceRequest/s1,ServiceRequest/s3", ["t3", "t1"]),
    ("Task", "owner:identifier=urn:ods|RX1", ["t4", "t3", "t2", "t1"]),
    ("Task", "owner:missing=false", ["t4", "t3", "t2", "t1"]),
    ("Task", "owner:missing=true", []),
    ("Task", "requester:missing=true", ["t4", "t3", "t2", "t1"]),
    # chains
    ("ServiceRequest", f"patient.identifier={NHS}|9990000003", ["s3"]),
    ("ServiceRequest", "subject:Patient.family=ozturk-1", ["s1"]),
    ("Task", "focus:ServiceRequest.patient.birthdate=1954", ["t4"]),
    ("Task", "focus:ServiceRequest.status=completed", []),
    # what refers to them
    ("Patient", "_has:Task:patient:status=completed", ["p4"]),
    ("Patient", "_has:Task:subject:identifier=request-2,request-3", ["p3", "p2"]),
    ("ServiceRequest", "_has:Task:focus:status:not=requested", ["s4"]),
    ("Patient", "_has:ServiceRequest:subject:_has:Task:focus:status=completed", ["p4"]),
    ("Patient", "_has:Task:patient:focus.status=completed", []),
    ("ServiceRequest", "patient._has:Task:patient:status=completed", ["s4"]),
    # canonicals and uris
    (
        "QuestionnaireResponse",
        "questionnaire=https://w3id.org/fhir-gateway/Questionnaire/pifu-medical",
        ["r4", "r3", "r2", "r1"],
    ),
    (
        "QuestionnaireResponse",
        "questionnaire=https://w3id.org/fhir-gateway/Questionnaire/pifu-medical|2.0.0",
        [],
    ),
    # the order
    ("Task", "_sort=authored-on", ["t1", "t2", "t3", "t4"]),
    ("Task", "_sort=-authored-on", ["t4", "t3", "t2", "t1"]),
    ("Task", "_sort=-status,authored-on", ["t1", "t2", "t3", "t4"]),
    ("Task", "_sort=_id", ["t1", "t2", "t3", "t4"]),
    ("Task", "_sort=-_lastUpdated", ["t4", "t3", "t2", "t1"]),
    ("Task", "_sort=period,_id", ["t1", "t2", "t3", "t4"]),
]


@pytest.fixture
def four(api: Api) -> Api:
    """Four requests of one provider, the last of them completed; and one of another provider."""
    for number in range(1, 5):
        api.keep(
            *request(number)[:3], task(number, status="requested" if number < 4 else "completed")
        )
    api.keep(*request(9), provider="RX9")
    return api


def test_searches_find_what_they_ask_for(four: Api) -> None:
    for resource_type, query, wanted in CASES:
        bundle = four.get(f"/{resource_type}?{query}").raise_for_status().json()
        assert matches(bundle) == wanted, query
        assert bundle["total"] == len(wanted), query
        assert [p for p in check.problems(bundle) if p["severity"] == "error"] == [], query


def test_a_search_by_form_finds_the_same(four: Api) -> None:
    for resource_type, query, wanted in CASES:
        form = {name: values for name, values in parse_qs(query, keep_blank_values=True).items()}
        done = four.request("POST", f"/{resource_type}/_search", data=form)
        assert matches(done.raise_for_status().json()) == wanted, query


@pytest.mark.parametrize(
    "query",
    [
        "birthdate=yesterday",
        "birthdate=xx1999",
        "birthdate:exact=1999",
        "family:contains=turk",
        "gender:in=urn:x",
        "identifier=a|b|c",
        "active:missing=perhaps",
        "_count=-1",
        "_count=many",
        "_total=all",
        "_summary=perhaps",
        "family.given=x",
        "organization.partof.partof.partof.name=x",
        "_sort=" + ",".join(["_id"] * 6),
        "&".join(["_revinclude=Task:patient"] * 21),
        "_id=" + ",".join(map(str, range(501))),
    ],
)
def test_what_cannot_be_searched_for_is_said(four: Api, query: str) -> None:
    answer = four.get(f"/Patient?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_what_is_personal_is_in_no_link(four: Api) -> None:
    for parameters in (
        {"family": "ozturk", "_count": "2"},
        {"identifier": "9990000001"},
        {"birthdate": "ge1950", "_count": "1"},
    ):
        bundle = four.get("/Patient", params=parameters).json()
        for link in bundle["link"]:
            assert parse_qs(urlsplit(link["url"]).query).keys() == {"_cursor"}
        again = four.get(bundle["link"][0]["url"]).json()
        assert matches(again) == matches(bundle)


def test_chained_personal_values_are_in_no_link(four: Api) -> None:
    bundle = four.get("/Task?patient.identifier=9990000001").json()
    assert matches(bundle) == ["t1"]
    assert "9990000001" not in bundle["link"][0]["url"]


def test_a_link_is_good_for_the_client_it_was_made_for_alone(four: Api) -> None:
    bundle = four.get("/Patient?family=ozturk&_count=1").json()
    link = bundle["link"][-1]["url"]
    assert four.get(link).status_code == 200
    assert four.get(link, "RX9").status_code == 410
    assert four.get(link.replace("/Patient", "/Task")).status_code == 410
    assert four.get("/Patient?_cursor=nonsense").status_code == 410
    assert four.get("/Patient?_cursor=%C3%A9").status_code == 410


def test_includes_bring_what_matches_refer_to(four: Api) -> None:
    def brought(path: str) -> list[str]:
        entries = four.get(path).raise_for_status().json()["entry"]
        return sorted(e["resource"]["id"] for e in entries if e["search"]["mode"] == "include")

    assert brought("/Task?_id=t1&_include=Task:patient") == ["p1"]
    assert brought("/Task?_id=t1&_include=Task:focus:ServiceRequest") == ["s1"]
    assert brought("/Task?_id=t1&_include=Task:focus:Communication") == []
    assert brought("/Task?_id=t1&_include=Task:*") == ["p1", "s1"]
    assert brought("/Task?_id=t1&_include=*") == ["p1", "s1"]
    assert brought("/Patient?_id=p1&_revinclude=Task:patient") == ["t1"]
    assert brought("/Patient?_id=p1&_revinclude=Task:patient&_revinclude=ServiceRequest:*") == [
        "s1",
        "t1",
    ]
    iterated = "/Task?_id=t1&_include=Task:focus&_include:iterate=ServiceRequest:subject"
    assert brought(iterated) == ["p1", "s1"]


def test_a_reference_to_elsewhere_is_found_by_all_of_it(four: Api) -> None:
    numbers = ("https://pds.example/Patient/9990000018", "Patient/9990000018")
    for index, reference in enumerate(numbers):
        four.keep(task(20 + index, **{"for": {"reference": reference}}))
    assert four.ids(f"/Task?subject={numbers[0]}") == ["t20"]
    assert four.ids(f"/Task?subject={numbers[1]}") == ["t21"]
    assert four.ids("/Task?patient=9990000018") == ["t21"]
    assert four.ids("/Task?subject:Patient=9990000018") == ["t21"]


def test_a_questionnaire_comes_along_with_its_responses(four: Api) -> None:
    form = {
        "resourceType": "Questionnaire",
        "id": "q",
        "url": "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical",
        "version": "1.0.0",
        "status": "active",
    }
    four.keep(form, {**form, "id": "q2", "version": "2.0.0"}, provider="")
    path = "/QuestionnaireResponse?_id=r1&_include=QuestionnaireResponse:questionnaire"
    entries = four.get(path).json()["entry"]
    assert [e["resource"]["id"] for e in entries] == ["r1", "q"]


def test_responses_come_along_with_their_questionnaire(four: Api) -> None:
    form = {
        "resourceType": "Questionnaire",
        "id": "q",
        "url": "https://w3id.org/fhir-gateway/Questionnaire/pifu-medical",
        "version": "1.0.0",
        "status": "active",
    }
    four.keep(form, {**form, "id": "q2", "version": "2.0.0"}, provider="")
    four.keep(response(5, questionnaire=form["url"]))

    def brought(name: str, provider: str = "RX1") -> list[str]:
        path = f"/Questionnaire?_id={name}&_revinclude=QuestionnaireResponse:questionnaire"
        entries = four.get(path, provider).json()["entry"]
        return sorted(e["resource"]["id"] for e in entries if e["search"]["mode"] == "include")

    assert brought("q") == ["r1", "r2", "r3", "r4", "r5"]
    assert brought("q2") == ["r5"]
    assert brought("q", "RX9") == ["r9"]
    assert brought("q", "RX1 Questionnaire") == []


def test_what_is_declared_to_come_along_does_or_is_not_declared(four: Api) -> None:
    statement = four.get("/metadata").json()
    for served in statement["rest"][0]["resource"]:
        declared = [*served.get("searchInclude", []), *served.get("searchRevInclude", [])]
        assert not any(name.startswith("AuditEvent:") for name in declared)
    bundle = four.get("/Task?_id=t1&_revinclude=AuditEvent:entity").json()
    assert bundle["entry"][-1]["search"]["mode"] == "outcome"


def test_a_media_type_is_found_with_its_plus_sign_as_it_stands(four: Api) -> None:
    channel = {"type": "rest-hook", "payload": "application/fhir+json"}
    four.keep({"resourceType": "Subscription", "id": "a", "status": "off", "channel": channel})
    for query in (
        "payload=application/fhir+json",
        "payload=urn:ietf:bcp:13|application/fhir%2Bjson",
    ):
        assert four.ids(f"/Subscription?{query}") == ["a"]


def test_totals_are_as_asked(four: Api) -> None:
    assert four.get("/Task?_total=none").json().get("total") is None
    assert four.get("/Task?_total=accurate&_count=1").json()["total"] == 4
    only = four.get("/Task?_summary=count").json()
    assert (only["total"], "entry" in only) == (4, False)
    none = four.get("/Task?_count=0").json()
    assert (none["total"], "entry" in none) == (4, False)


def test_other_providers_are_in_no_answer(four: Api) -> None:
    queries = [query for _, query, _ in CASES if not query.startswith("_id")]
    for resource_type, query, _ in CASES:
        found = four.ids(f"/{resource_type}?{query}", "RX9")
        assert all(name.endswith("9") for name in found), query
        assert not any(n.endswith("9") for n in four.ids(f"/{resource_type}?{query}")), query
    assert queries
    assert set(four.ids("/Task", "ALL")) == {"t1", "t2", "t3", "t4", "t9"}
    assert four.get("/Patient/p1", "RX9").status_code == 404
    assert four.get("/Patient/p1/_history", "RX9").status_code == 404
    assert four.get("/Patient/p1/_history/1", "RX9").status_code == 404


def test_nothing_of_others_comes_along_or_through_chains(four: Api) -> None:
    four.keep(task(5, **{"for": {"reference": "Patient/p9"}}))
    assert four.ids("/Task?patient.family=ozturk-9") == []
    entries = four.get("/Task?_id=t5&_include=Task:patient").json()["entry"]
    assert len(entries) == 1
    four.keep({**task(6), "for": {"reference": "Patient/p1"}}, provider="RX9")
    entries = four.get("/Patient?_id=p1&_revinclude=Task:patient").json()["entry"]
    assert sorted(e["resource"]["id"] for e in entries) == ["p1", "t1"]


def test_types_without_a_scope_come_neither_along_nor_through_chains(four: Api) -> None:
    entries = four.get("/Task?_id=t1&_include=Task:patient", "RX1 Task").json()["entry"]
    assert [e["resource"]["id"] for e in entries] == ["t1"]
    assert four.get("/Task?patient.family=ozturk", "RX1 Task").status_code == 403
    assert four.get("/Patient?_has:Task:patient:status=x", "RX1 Patient").status_code == 403
    assert four.get("/Patient", "RX1 Task").status_code == 403
    assert four.get("/Patient", None).status_code == 401


def test_a_chain_of_any_type_goes_through_those_that_may_be_read(four: Api) -> None:
    assert four.ids("/Task?subject.family=ozturk-1", "RX1 Task,Patient") == ["t1"]
    assert four.get("/Task?subject.family=ozturk", "RX1 Task,Binary").status_code == 403


@pytest.mark.parametrize(
    "query",
    ["_has=x", "_has:Task:patient=x", "_has:Task:status:code=x", "_has:AuditEvent:entity:type=x"],
)
def test_a_has_that_leads_nowhere_is_passed_over_with_a_warning(four: Api, query: str) -> None:
    bundle = four.get(f"/Patient?{query}").json()
    assert bundle["entry"][-1]["search"]["mode"] == "outcome"
    strict = {"Prefer": "handling=strict"}
    assert four.get(f"/Patient?{query}", headers=strict).status_code == 400


def test_what_refers_to_a_person_by_their_data_is_in_no_link(four: Api) -> None:
    bundle = four.get("/ServiceRequest?_has:Task:focus:patient.family=ozturk-1").json()
    assert matches(bundle) == ["s1"]
    assert "ozturk" not in bundle["link"][0]["url"]
    four.keep(task(6, focus={"reference": "ServiceRequest/s1"}, status="failed"), provider="RX9")
    assert four.ids("/ServiceRequest?_has:Task:focus:status=failed") == []


def test_a_resource_without_a_search_value_sorts_last(four: Api) -> None:
    four.keep({key: value for key, value in task(7).items() if key != "authoredOn"})
    assert four.ids("/Task?_sort=authored-on")[-1] == "t7"
    assert four.ids("/Task?_sort=-authored-on")[-1] == "t7"
    asked: dict[str, Any] = {"_sort": "authored-on", "_count": "1"}
    bundle = four.get("/Task", params=asked).json()
    seen = matches(bundle)
    while links := [link["url"] for link in bundle["link"] if link["relation"] == "next"]:
        bundle = four.get(links[0]).json()
        seen += matches(bundle)
    assert seen == ["t1", "t2", "t3", "t4", "t7"]


def test_what_cannot_be_sorted_by_is_passed_over_with_a_warning(four: Api) -> None:
    bundle = four.get("/Patient?_sort=family").json()
    assert bundle["entry"][-1]["search"]["mode"] == "outcome"
    strict = {"Prefer": "handling=strict"}
    assert four.get("/Patient?_sort=family", headers=strict).status_code == 400


def test_a_changed_resource_is_found_by_what_it_is_now(four: Api) -> None:
    four.keep(patient(1, name=[{"family": "Renamed"}]), response(1, status="amended"))
    assert four.ids("/Patient?family=ozturk-1") == []
    assert four.ids("/Patient?family=renamed") == ["p1"]
    assert four.ids("/QuestionnaireResponse?status=amended") == ["r1"]
