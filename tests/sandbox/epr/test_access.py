"""An EPR that asks for tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fhir_gateway.auth.credentials import CredentialBook, EprCredentials
from fhir_gateway.auth.keys import make_key_file, read_key_ring
from fhir_gateway.epr.client import EprClient
from fhir_gateway.sandbox.epr.access import Access


def test_without_a_token_only_what_the_server_is_can_be_read(start) -> None:  # type: ignore[no-untyped-def]
    with start(access=Access(["synthetic-token"])) as client:
        assert client.get("/fhir/metadata").status_code == 200
        assert client.get("/fhir/.well-known/smart-configuration").status_code == 200
        for path in ("/fhir/Patient", "/fhir/Patient/1", "/fhir/Patient?_id=1"):
            answer = client.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["resourceType"] == "OperationOutcome"
        assert client.post("/fhir", json={}).status_code == 401


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer synthetic-token", 200),
        ("bearer synthetic-token", 200),
        ("Bearer other", 401),
        ("Bearer", 401),
        ("Basic synthetic-token", 401),
        ("", 401),
    ],
)
def test_only_a_good_token_lets_in(start, authorization: str, status: int) -> None:  # type: ignore[no-untyped-def]
    with start(access=Access(["synthetic-token"], {})) as client:
        answer = client.get("/fhir/Patient", headers={"Authorization": authorization})
        assert answer.status_code == status


def test_the_gateway_gets_in_by_smart_backend_services(start, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    make_key_file(tmp_path / "rsa-1.pem", bits=2048)
    ring = read_key_ring([tmp_path / "rsa-1.pem"])
    keys = json.loads(json.dumps(ring.for_smart({"rsa-1"}).key_set()))
    with start(access=Access(clients={"gateway": keys})) as server:
        base = f"{server.base_url}/fhir".replace("//fhir", "/fhir")
        credentials = EprCredentials(
            base_url=base, method="smart", client_id="gateway", key="rsa-1"
        )
        book = CredentialBook([credentials], ring)
        client = EprClient(base, auth=book.auth(base))
        assert client.by_identifier("Patient", "https://example.com/Id", "1") == []
        client.close()
