"""Everything that reaches the EPR is valid FHIR R4 and UK Core, by the HL7 validator."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from fhir_gateway.sandbox.pds.personas import person as persona
from tests.journeys.browsing import Phone
from tests.journeys.records import Arrived, Records
from tests.journeys.running import RunningDemo
from tests.peers.hl7_validator.client import Hl7Validator
from tests.web.bad_input import KINDS, OTHER
from tests.web.walking import ADMIN, MEDICAL, Answers, Walker

pytestmark = [pytest.mark.java, pytest.mark.xdist_group("journeys")]

CASES: dict[str, Answers] = {
    "medical, code verified": {**MEDICAL, "verify-patient-mobile": ["true"]},
    "medical, without a code": MEDICAL,
    "medical, NHS number typed": {
        **MEDICAL,
        "patient-nhs-number-known": ["true"],
        "patient-nhs-number": ["999 000 1006"],
    },
    "medical, no such person": {**MEDICAL, "patient-family": ["Nobody-Atall"]},
    "medical, by email": {
        **MEDICAL,
        "patient-mobile": [""],
        "patient-email": ["priya@example.com"],
        "preferred-contact": ["email"],
        "patient-sex": ["unknown"],
    },
    "medical, hostile words": {
        **MEDICAL,
        "medical-problem": ["<script>alert('x')</script> {{7*7}} %resource ${x} \u202e 😀 & <"],
        "medical-tried": ["]]> <!-- --> \n\n two lines"],
        "communication-needs": ["interpreter", "other"],
        "communication-details": ["<i>Polish</i>"],
    },
    "medical, for somebody else": {
        **OTHER,
        "patient-mobile": [""],
        "requester-relationship": ["carer"],
        "requester-permission": ["best-interests"],
    },
    **{f"admin, {kind}": {**ADMIN, "admin-kind": [kind]} for kind in KINDS},
}


@pytest.fixture(scope="module")
def submit(demo: RunningDemo) -> Callable[[Answers], Arrived]:
    def walk(answers: Answers) -> Arrived:
        phone = Phone(demo.addresses, persona("typical").mobile or "")
        with httpx.Client(follow_redirects=True, timeout=30) as http:
            someone = Walker(http, phone.link())
            for _ in range(40):
                if "Request sent" in someone.heading:
                    break
                codes = {"security-code": phone.codes()[-1:]}
                button = "check" if "/code/" in someone.path else ""
                someone.post({**answers, **codes}, button=button)
                assert someone.page.status_code == 200, (someone.path, someone.errors)
            reference = someone.page.text.partition("<strong>")[2].partition("</strong>")[0]
        return Records(demo.addresses).arrived(reference)

    return walk


@pytest.mark.parametrize("answers", CASES.values(), ids=CASES.keys())
def test_every_resource_is_valid_uk_core(
    submit: Callable[[Answers], Arrived], ukcore_validator: Hl7Validator, answers: Answers
) -> None:
    arrived = submit(answers)
    for resource in arrived.everything():
        found = ukcore_validator.validate(resource)
        serious = [i for i in found if i.severity in ("error", "fatal", "warning")]
        assert serious == [], (resource["resourceType"], serious)
        assert resource["text"]["status"] == "generated"
        assert "<script" not in resource["text"]["div"]
