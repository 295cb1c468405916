"""What PDS says about a person leaves no trace where the submitter could see it: the same pages and
the same texts for a matched patient, a stranger, a restricted patient, and one who died."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import httpx
import pytest

from fhir_gateway.sandbox.pds.personas import Persona, person
from fhir_gateway.sandbox.selfcheck import _medical
from tests.journeys.records import Records
from tests.journeys.running import RunningDemo
from tests.web.walking import Walker

_REFERENCE = re.compile(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}")
STRANGER = Persona(
    key="stranger",
    story="Is not on PDS.",
    nhs_number="",
    given="Zebedee",
    family="Zzyzx",
    birth_date="1984-03-12",
    gender="male",
    postcode="LS6 2AB",
    mobile="07700 900222",
)


@dataclass
class Seen:
    """What one person saw, without what is their own."""

    addresses: list[str]
    sent: str
    sent_later: str
    text: str
    match: str


def plain(html: str, who: Persona) -> str:
    """A page or text without what differs between any two requests."""
    html = _REFERENCE.sub("REFERENCE", html)
    html = re.sub(r'nonce="[^"]+"|value="[0-9a-f]{64}"|/requests/[0-9a-f]{16}', "", html)
    for own in (who.given, who.family, who.postcode, who.mobile or ""):
        html = html.replace(own, "OWN")
    return html


def submit(demo: RunningDemo, records: Records, who: Persona) -> Seen:
    """A request with the code, and a look at everything once more when it is in the EPR."""
    gateway, phone = demo.addresses["gateway"], demo.addresses["phone"]
    mobile = who.mobile or ""

    def texts() -> list[str]:
        return [t["text"] for t in http.get(f"{phone}/messages", params={"to": mobile}).json()]

    with httpx.Client(timeout=30, follow_redirects=True) as http:
        http.post(f"{gateway}/demo/link", data={"mobile": mobile})
        link = re.findall(r"https?://\S+/r/\S+", texts()[-1])[-1]
        walker = Walker(http, link)
        answers = {**_medical(who), "request": ["pifu-medical"]}
        addresses = []
        while not walker.path.endswith("/sent"):
            if "/code/" in walker.path:
                walker.post({"security-code": [texts()[-1][:6]]}, button="check")
            else:
                walker.post(answers)
            addresses.append(re.sub(r"[0-9a-f]{16}", "", walker.path))
            assert len(addresses) < 60
        sent = walker.page.text
        [reference] = set(_REFERENCE.findall(sent))
        match = records.arrived(reference).match
        deadline = time.monotonic() + 20
        while not any(reference in text for text in texts()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        later = walker.get(walker.path).text
        [text] = [t for t in texts() if reference in t]
    return Seen(addresses, plain(sent, who), plain(later, who), plain(text, who), match)


@pytest.mark.hazard("H08")
def test_the_outcome_of_the_trace_leaves_no_trace(demo: RunningDemo, records: Records) -> None:
    people = [person("typical"), STRANGER, person("restricted"), person("deceased")]
    seen = [submit(demo, records, who) for who in people]
    assert [one.match for one in seen] == ["matched", "unmatched", "unmatched", "unmatched"]
    for other in seen[1:]:
        assert other.addresses == seen[0].addresses
        assert other.sent == seen[0].sent
        assert other.sent_later == seen[0].sent_later
        assert other.text == seen[0].text
    assert "OWN" not in seen[0].text
