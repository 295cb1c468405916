"""The gateway is killed and started between every two steps, or stopped in order between some; the
request still goes through."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from fhir_gateway.sandbox.pds.personas import person as persona
from tests.journeys.browsing import Phone
from tests.journeys.records import Records
from tests.journeys.running import RunningDemo
from tests.web.walking import MEDICAL, Walker


@pytest.mark.hazard("H01")
@pytest.mark.parametrize(
    ("kill", "every"), [(False, 4), (True, 1)], ids=["stopped in order", "killed"]
)
def test_a_request_survives_restarts_between_its_steps(
    tmp_path: Path, kill: bool, every: int
) -> None:
    who = persona("typical")
    answers = {**MEDICAL, "verify-patient-mobile": ["true"], "preferred-contact": ["text"]}
    with (
        RunningDemo(tmp_path / "demo") as demo,
        httpx.Client(follow_redirects=True, timeout=30) as http,
    ):
        phone = Phone(demo.addresses, who.mobile or "")
        someone = Walker(http, phone.link())
        pages = 0
        while "Request sent" not in someone.heading:
            if pages % every == 0:
                demo.restart(kill=kill)
            codes = {"security-code": phone.codes()[-1:]}
            button = "check" if "/code/" in someone.path else ""
            someone.post({**answers, **codes}, button=button)
            assert someone.page.status_code == 200, (someone.path, someone.errors)
            pages += 1
            assert pages < 40
        demo.restart(kill=kill)
        someone.get(someone.path)
        reference = someone.page.text.partition("<strong>")[2].partition("</strong>")[0]
        arrived = Records(demo.addresses).arrived(reference)
        assert arrived.match == "matched"
        assert arrived.focus["reasonCode"][0]["text"] == "Swollen hands"
        assert Records(demo.addresses).count("Task") == 1
        assert pages > 15
