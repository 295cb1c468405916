from __future__ import annotations

import uuid
from typing import Any

import pytest

from fhir_gateway.epr.clients import EprClients
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.provider.endpoint import EprEndpoint
from tests.epr.conftest import MakeAdapter
from tests.epr.scripted import CONTENT, Reply, Scripted
from tests.sandbox.epr.request_bundle import request_bundle

REQUEST = str(uuid.uuid4())


def refusal(epr: Scripted, adapter: MakeAdapter, **issue: Any) -> str:
    """What we say of a 422 with this issue."""
    body = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", **issue}]}
    epr.answer = lambda seen: Reply(422, body, CONTENT) if seen.method == "POST" else None
    with pytest.raises(Refused) as raised:
        adapter(EprEndpoint(epr.base)).send(
            request_bundle(request_id=REQUEST), REQUEST, lambda: lambda: None
        )
    return str(raised.value)


@pytest.mark.hazard("H08")
@pytest.mark.parametrize("code", ["Priya\x00Sharma", "x" * 500, "Canary 07700 900101", 5])
def test_what_an_epr_says_does_not_reach_our_errors(
    epr: Scripted, adapter: MakeAdapter, code: Any
) -> None:
    coding = [{"code": code}, {"code": "9990000018"}]
    said = refusal(epr, adapter, code=code, diagnostics="Canary", details={"coding": coding})
    assert said == "The EPR answered 422 (no OperationOutcome)"


def test_the_codes_of_an_issue_do(epr: Scripted, adapter: MakeAdapter) -> None:
    coding = [{"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": "59108"}]
    said = refusal(epr, adapter, code="business-rule", details={"coding": coding})
    assert said == "The EPR answered 422 (business-rule, 59108)"


def test_there_is_one_client_for_each_epr() -> None:
    clients = EprClients(None)
    one = clients.at("https://one.example/fhir")
    assert clients.at("https://one.example/fhir") is one
    assert clients.at("https://two.example/fhir") is not one
    clients.close()
    assert clients.at("https://one.example/fhir") is not one
    clients.close()


@pytest.mark.parametrize("what", ["auth", "verify"])
def test_credentials_that_cannot_be_used_hold_requests_up_and_refuse_none(what: str) -> None:
    """A key or a certificate that is not there: every request would need a person, one by one."""

    class Broken:
        def auth(self, base_url: str) -> None:
            if what == "auth":
                raise Refused("There is no signing key 'x' among signing_keys.", code="no-key")

        def verify(self, base_url: str) -> bool:
            raise Refused("The certificate cannot be used.", code="certificate")

    clients = EprClients(Broken())
    with pytest.raises(TryLater) as caught:
        clients.adapter_for(EprEndpoint("https://one.example/fhir"))
    assert caught.value.code == {"auth": "no-key", "verify": "certificate"}[what]
    assert caught.value.after is not None
    clients.close()
