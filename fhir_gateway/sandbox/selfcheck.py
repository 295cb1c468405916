"""A check of a running demo from outside: one medical and one admin request through its pages,
codes read from the sandbox phone, and a look at what arrived in the EPR. HTTP only."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx

from fhir_gateway.errors import Refused
from fhir_gateway.fhir.identifiers import NHS_NUMBER, REFERENCE, token
from fhir_gateway.fhir.types import as_dict, as_list, as_str
from fhir_gateway.sandbox.htmlforms import PageForm, read_page
from fhir_gateway.sandbox.pds.personas import Persona, person

Answers = dict[str, list[str]]

_LINK = re.compile(r"https?://[^\s]+/r/[A-Za-z0-9_-]{22}")
_CODE = re.compile(r"^([0-9]{6}) ")
_REFERENCE = re.compile(r"<strong>([2-9A-Z]{4}-[2-9A-Z]{4})</strong>")
_MAX_PAGES = 60
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.5


@dataclass(slots=True)
class Result:
    """How one request went."""

    kind: str
    right: bool = True
    lines: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def expect(self, holds: bool, text: str) -> None:
        """Note one expectation."""
        self.lines.append(f"{'ok   ' if holds else 'WRONG'} {text}")
        self.right = self.right and holds

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {"kind": self.kind, "right": self.right, "checks": self.lines, **self.facts}


class CheckFailed(Refused):
    """The demo did not do what a person would need it to do."""

    def __init__(self, text: str) -> None:
        super().__init__(text, code="selfcheck-failed")


def check(addresses: dict[str, str], *, say: Callable[[str], None]) -> list[Result]:
    """Send both kinds of request and check what arrived. `say` tells progress.

    Raises CheckFailed when the demo is not there any more, or its pages lead nowhere.
    """
    try:
        return [
            _one(addresses, "medical", person("typical"), _medical(person("typical")), say),
            _one(addresses, "admin", person("typical_man"), _admin(person("typical_man")), say),
        ]
    except (httpx.HTTPError, ValueError) as error:
        kind = type(error).__name__
        raise CheckFailed(f"The demo does not answer as it should ({kind}). Is it up?") from None


def _one(
    addresses: dict[str, str],
    kind: str,
    who: Persona,
    answers: Answers,
    say: Callable[[str], None],
) -> Result:
    result = Result(kind)
    with httpx.Client(timeout=30, follow_redirects=True) as http:
        say(f"{kind}: texting a link to {who.given} {who.family}")
        reference = Walk(http, addresses, who.mobile or "").submit(kind, answers)
        result.facts["reference"] = reference
        say(f"{kind}: sent, the reference is {reference}; waiting for it in the EPR")
        _look_in_epr(http, addresses["epr"], reference, kind, who, result)
        text = _wait(lambda: _text_with(http, addresses["phone"], who, reference))
        result.expect(text is not None, "a confirmation text with the reference arrived")
        result.expect(len(text or "") <= 160, "and fits one text")  # noqa: PLR2004
    return result


class Walk:
    """A person who goes through the pages of a running demo."""

    def __init__(self, http: httpx.Client, addresses: dict[str, str], mobile: str) -> None:
        self._http = http
        self._addresses = addresses
        self._mobile = mobile

    def submit(self, kind: str, answers: Answers) -> str:
        """From the text to the reference. Raises CheckFailed where the pages lead elsewhere."""
        page = self._http.get(self.link())
        for _ in range(_MAX_PAGES):
            found = _REFERENCE.search(page.text)
            if found:
                return found[1]
            page = self._turn(page, {**answers, "request": [f"pifu-{kind}"]})
        raise CheckFailed("The pages do not come to an end.")

    def link(self) -> str:
        """Have a link texted by the overview page, and read it off the phone."""
        before = len(self.texts())
        sent = self._http.post(
            f"{self._addresses['gateway']}/demo/link", data={"mobile": self._mobile}
        )
        sent.raise_for_status()
        links = [m[0] for text in self.texts()[before:] if (m := _LINK.search(text))]
        if not links:
            raise CheckFailed("No text with a link arrived on the sandbox phone.")
        return links[-1]

    def texts(self) -> list[str]:
        """The texts on this person's phone, oldest first."""
        return _texts(self._http, self._addresses["phone"], self._mobile)

    def _turn(self, page: httpx.Response, answers: Answers) -> httpx.Response:
        if page.status_code != httpx.codes.OK:
            raise CheckFailed(f"A page answered {page.status_code}: {read_page(page.text).heading}")
        form, button = self._form(page, answers)
        url = urljoin(str(page.url), form.action)
        return self._http.post(url, data=_multi(form.filled(answers, button)))

    def _form(self, page: httpx.Response, answers: Answers) -> tuple[PageForm, str]:
        read = read_page(page.text)
        if not read.forms:
            raise CheckFailed(f"The page '{read.heading}' has no way on.")
        form = read.forms[0]
        if "security-code" in form.names():
            codes = [m[1] for text in self.texts() if (m := _CODE.search(text))]
            if not codes:
                raise CheckFailed("No security code arrived on the sandbox phone.")
            answers["security-code"] = [codes[-1]]
            return form, "check"
        return form, ""


def _multi(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    posted: dict[str, list[str]] = {}
    for name, value in pairs:
        posted.setdefault(name, []).append(value)
    return posted


def _texts(http: httpx.Client, phone: str, mobile: str) -> list[str]:
    answer = http.get(f"{phone}/messages", params={"to": mobile})
    answer.raise_for_status()
    return [as_str(as_dict(message).get("text")) for message in answer.json()]


def _text_with(http: httpx.Client, phone: str, who: Persona, reference: str) -> str | None:
    texts = _texts(http, phone, who.mobile or "")
    return next((text for text in texts if reference in text), None)


def _look_in_epr(
    http: httpx.Client, epr: str, reference: str, kind: str, who: Persona, result: Result
) -> None:
    task = _wait(lambda: _task(http, epr, reference))
    result.expect(task is not None, "a Task with the reference is in the EPR")
    if task is None:
        return
    focus = _read(http, epr, as_dict(task.get("focus")))
    wanted = "ServiceRequest" if kind == "medical" else "Communication"
    result.expect(focus.get("resourceType") == wanted, f"its focus is a {wanted}")
    patient = _read(http, epr, as_dict(task.get("for")))
    numbers = [
        as_str(as_dict(i).get("value"))
        for i in as_list(patient.get("identifier"))
        if as_dict(i).get("system") == NHS_NUMBER
    ]
    result.expect(numbers == [who.nhs_number], "it is for the patient with the right NHS number")
    status = as_dict((as_list(as_dict(task.get("businessStatus")).get("coding")) or [{}])[0])
    result.expect(status.get("code") == "matched", "it is marked as matched")
    answers = _read(http, epr, as_dict(task.get("reasonReference")))
    result.expect(
        answers.get("resourceType") == "QuestionnaireResponse" and bool(answers.get("item")),
        "the questions and answers are there",
    )
    result.facts["task"] = f"Task/{task.get('id')}"
    result.facts["focus"] = f"{focus.get('resourceType')}/{focus.get('id')}"


def _task(http: httpx.Client, epr: str, reference: str) -> dict[str, Any] | None:
    answer = http.get(f"{epr}/Task", params={"identifier": token(REFERENCE, reference)})
    entries = as_list(as_dict(answer.json()).get("entry"))
    return as_dict(as_dict(entries[0]).get("resource")) if entries else None


def _read(http: httpx.Client, epr: str, reference: dict[str, Any]) -> dict[str, Any]:
    answer = http.get(f"{epr}/{as_str(reference.get('reference'))}")
    return as_dict(answer.json()) if answer.is_success else {}


def _wait(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := look()) is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return found


def _person(who: Persona) -> Answers:
    year, month, day = who.birth_date.split("-")
    return {
        "emergency-answer": ["none"],
        "who-for": ["me"],
        "patient-given": [who.given],
        "patient-family": [who.family],
        "patient-birth-date-day": [str(int(day))],
        "patient-birth-date-month": [str(int(month))],
        "patient-birth-date-year": [year],
        "patient-sex": [who.gender],
        "patient-postcode": [who.postcode],
        "patient-nhs-number-known": ["false"],
        "patient-mobile": [who.mobile or ""],
        "verify-patient-mobile": ["true"],
        "preferred-contact": ["text"],
        "times-to-avoid": ["any-time"],
        "declaration": ["true"],
    }


def _medical(who: Persona) -> Answers:
    return {
        **_person(who),
        "medical-problem": ["My hands and knees are more swollen and stiff than last month."],
        "medical-onset": ["weeks"],
        "medical-course": ["worse"],
        "medical-tried": ["Rest, and paracetamol in the morning."],
        "medical-help": ["advice", "appointment"],
        "communication-needs": ["none"],
    }


def _admin(who: Persona) -> Answers:
    return {
        **_person(who),
        "admin-kind": ["appointment"],
        "appointment-request": ["change"],
        "appointment-details": ["I am away on that day. Any other weekday is fine."],
    }
