"""Credentials for EPRs, against a token endpoint over real HTTP."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import KeySet
from pydantic import SecretStr, ValidationError

from fhir_gateway.auth import smart
from fhir_gateway.auth.credentials import CredentialBook, EprCredentials
from fhir_gateway.auth.keys import KeyRing, make_key_file, read_key_ring
from fhir_gateway.auth.smart import Discovery
from fhir_gateway.epr.client import EprClient
from fhir_gateway.errors import Defect, Refused, TryLater
from tests.epr.scripted import CONTENT, Reply, Scripted, Seen, scripted

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """An RSA key and one on P-384."""
    folder = tmp_path_factory.mktemp("keys")
    make_key_file(folder / "rsa-1.pem", bits=2048)
    key = ec.generate_private_key(ec.SECP384R1())
    (folder / "ec-1.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return read_key_ring([folder / "rsa-1.pem", folder / "ec-1.pem"])


class TokenEpr:
    """An EPR with SMART configuration, a token endpoint, and data behind tokens."""

    def __init__(self, epr: Scripted) -> None:
        self.epr = epr
        self.tokens: list[dict[str, list[str]]] = []
        self.good = {"token-1", "token-2"}
        self.configuration: dict[str, Any] = {
            "token_endpoint": f"{epr.base}/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "capabilities": ["permission-v2", "client-confidential-asymmetric"],
        }
        self.refusal: Reply | None = None
        epr.answer = self.answer

    def answer(self, seen: Seen) -> Reply | None:
        if seen.path.endswith("/.well-known/smart-configuration"):
            return Reply(200, self.configuration, JSON)
        if seen.path.endswith("/token"):
            self.tokens.append(parse_qs(seen.body.decode()))
            if self.refusal:
                return self.refusal
            body = {"access_token": f"token-{len(self.tokens)}", "expires_in": 300}
            return Reply(200, {**body, "token_type": "bearer"}, JSON)
        token = seen.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.good:
            return Reply(401)
        return None

    def client(self, ring: KeyRing | None, **given: Any) -> EprClient:
        credentials = EprCredentials(base_url=self.epr.base, **given)
        book = CredentialBook([credentials], ring)
        return EprClient(self.epr.base, auth=book.auth(self.epr.base), verify=False)


@pytest.fixture
def epr() -> Iterator[TokenEpr]:
    with scripted() as server:
        yield TokenEpr(server)


@pytest.mark.parametrize(("kid", "algorithm"), [("rsa-1", "RS384"), ("ec-1", "ES384")])
def test_smart_backend_services(epr: TokenEpr, ring: KeyRing, kid: str, algorithm: str) -> None:
    client = epr.client(ring, method="smart", client_id="gateway", key=kid)
    client.metadata()
    client.metadata()
    client.close()

    assert len(epr.tokens) == 1, "a token is asked for once"
    form = {name: values[0] for name, values in epr.tokens[0].items()}
    assert form["grant_type"] == "client_credentials"
    assert "system/Communication.crs" in form["scope"].split()
    published = KeySet.import_key_set(ring.for_smart({kid}).key_set())
    token = jwt.decode(form["client_assertion"], published, algorithms=[algorithm])
    assert token.header == {"alg": algorithm, "typ": "JWT", "kid": kid}
    claims = token.claims
    assert claims["iss"] == claims["sub"] == "gateway"
    assert claims["aud"] == f"{epr.epr.base}/token"
    assert 0 < claims["exp"] - time.time() <= 300


def test_a_refused_token_is_replaced_once_with_a_fresh_assertion(
    epr: TokenEpr, ring: KeyRing
) -> None:
    client = epr.client(ring, method="smart", client_id="gateway", key="rsa-1")
    epr.good = {"token-2"}
    client.metadata()
    client.close()
    first, second = (form["client_assertion"][0] for form in epr.tokens)
    assert first != second


def test_credentials_that_are_wrong_hold_requests_up_and_refuse_none(
    epr: TokenEpr, ring: KeyRing
) -> None:
    client = epr.client(ring, method="smart", client_id="gateway", key="rsa-1")
    epr.refusal = Reply(400, {"error": "invalid_client"}, JSON)
    with pytest.raises(TryLater) as caught:
        client.metadata()
    assert "credentials" in str(caught.value)
    epr.refusal, epr.good = None, set()
    with pytest.raises(TryLater):
        client.metadata()
    client.close()


def test_a_write_is_made_again_whole_with_the_new_token(epr: TokenEpr, ring: KeyRing) -> None:
    client = epr.client(ring, method="smart", client_id="gateway", key="rsa-1")
    epr.good = {"token-2"}
    inner = epr.answer

    def answer(seen: Seen) -> Reply | None:
        found = inner(seen)
        if found is None and seen.method == "POST":
            return Reply(201, None, {**CONTENT, "Location": "Task/1"})
        return found

    epr.epr.answer = answer
    client.write("POST", "Task", {"resourceType": "Task"}, request_id="x")
    client.close()
    posts = [s for s in epr.epr.seen if s.path.endswith("/Task")]
    assert [p.body for p in posts] == [{"resourceType": "Task"}] * len(posts)


def test_a_client_secret(epr: TokenEpr) -> None:
    client = epr.client(
        None,
        method="client-secret",
        client_id="gateway",
        client_secret="s3cret",
        token_url=f"{epr.epr.base}/token",
        scope="system/*.write",
    )
    client.metadata()
    client.close()
    assert epr.tokens == [{"grant_type": ["client_credentials"], "scope": ["system/*.write"]}]
    asked = next(s for s in epr.epr.seen if s.path.endswith("/token"))
    assert asked.headers["authorization"].startswith("Basic ")


def test_a_fixed_token(epr: TokenEpr) -> None:
    epr.good = {"fixed"}
    client = epr.client(None, method="bearer", token="fixed")
    client.metadata()
    client.close()
    assert not epr.tokens


def test_an_epr_that_takes_no_signed_assertion_says_so_before_anything_is_sent(
    epr: TokenEpr, ring: KeyRing
) -> None:
    epr.configuration["token_endpoint_auth_methods_supported"] = ["client_secret_basic"]
    client = epr.client(ring, method="smart", client_id="gateway", key="rsa-1")
    with pytest.raises(TryLater) as caught:
        client.metadata()
    assert caught.value.code == "smart-method"
    assert not epr.tokens
    client.close()


@pytest.mark.parametrize("endpoint", ["http://tokens.example.org/token", "", "ftp://x/y", None])
def test_a_token_endpoint_without_tls_is_not_used(
    epr: TokenEpr, ring: KeyRing, endpoint: str | None
) -> None:
    epr.configuration["token_endpoint"] = endpoint
    client = epr.client(ring, method="smart", client_id="gateway", key="rsa-1")
    with pytest.raises(TryLater) as caught:
        client.metadata()
    assert caught.value.code == "smart-configuration"
    client.close()


def test_scopes_of_both_versions() -> None:
    nothing: frozenset[str] = frozenset()
    v1 = Discovery("https://x/t", nothing, nothing, nothing, frozenset({"permission-v1"}))
    v2 = Discovery("https://x/t", nothing, nothing, nothing, frozenset({"permission-v2"}))
    offered = frozenset({"system/Patient.crs", "openid"})
    some = Discovery("https://x/t", nothing, nothing, offered, frozenset({"permission-v2"}))
    assert smart.scopes(v1, ["Patient"]) == "system/Patient.read system/Patient.write"
    assert smart.scopes(v2, ["Patient"]) == "system/Patient.crs"
    assert smart.scopes(some, ["Patient", "Task"]) == "system/Patient.crs"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.org/fhir/Patient/1",
        "https://epr.example.nhs.uk.evil.example.org/fhir/Patient/1",
        "http://epr.example.nhs.uk/fhir/Patient/1",
        "https://epr.example.nhs.uk:8443/fhir/Patient/1",
        "https://epr.example.nhs.uk/other/Patient/1",
        "https://epr.example.nhs.uk/fhirx/Patient/1",
    ],
)
def test_a_token_never_leaves_for_another_place(url: str) -> None:
    book = CredentialBook([], None, SecretStr("secret-token"))
    auth = book.auth("https://epr.example.nhs.uk/fhir")
    seen: list[httpx.Request] = []
    transport = httpx.MockTransport(lambda request: seen.append(request) or httpx.Response(200))
    with httpx.Client(transport=transport, auth=auth) as http, pytest.raises(Defect):
        http.get(url)
    assert not seen


def test_each_epr_has_its_own_credentials() -> None:
    def bearer(base: str, token: str) -> EprCredentials:
        return EprCredentials(base_url=base, method="bearer", token=SecretStr(token))

    book = CredentialBook([bearer("https://a.example/fhir", "a"), bearer("https://b.example", "b")])
    assert book.of("https://a.example/fhir/R4") is not None
    assert book.of("https://a.example/fhirx") is None
    assert book.of("https://b.example/fhir") is not None
    assert book.auth("https://c.example/fhir") is None


@pytest.mark.parametrize(
    "given",
    [
        {"method": "smart", "client_id": "x"},
        {"method": "client-secret", "client_id": "x"},
        {"method": "bearer"},
        {"method": "magic"},
        {"method": "none", "base_url": "ftp://x"},
        {"method": "none", "base_url": "https://user:password@x"},
    ],
)
def test_incomplete_credentials_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        EprCredentials(**{"base_url": "https://a.example/fhir", **given})  # type: ignore[arg-type]
    assert "password" not in str(caught.value)


def test_secrets_are_not_shown() -> None:
    given = EprCredentials(
        base_url="https://a.example", method="bearer", token=SecretStr("very-secret")
    )
    assert "very-secret" not in repr(given)
    assert "very-secret" not in json.dumps(given.model_dump(), default=str)


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    given = EprCredentials(
        base_url="https://a.example", method="none", certificate=tmp_path / "none.pem"
    )
    with pytest.raises(Refused) as caught:
        CredentialBook([given]).verify("https://a.example")
    assert caught.value.code == "certificate"


def test_smart_without_its_key_is_refused_at_once(ring: KeyRing) -> None:
    given = EprCredentials(
        base_url="https://a.example", method="smart", client_id="x", key="missing"
    )
    with pytest.raises(Refused, match="missing"):
        CredentialBook([given], ring).auth("https://a.example")


def test_mutual_tls(tmp_path: Path) -> None:
    """A server that asks for a client certificate gets it, and refuses a client without."""
    from tests.auth.certificates import make_certificates, serve_mutual_tls

    files = make_certificates(tmp_path)
    with serve_mutual_tls(files) as base:
        given = EprCredentials(
            base_url=base,
            method="none",
            certificate=files.client,
            certificate_key=files.client_key,
            authority=files.authority,
        )
        book = CredentialBook([given])
        with httpx.Client(verify=book.verify(base)) as http:
            assert http.get(base).text == "gateway"
        stranger = ssl.create_default_context(cafile=files.authority)
        with httpx.Client(verify=stranger) as http, pytest.raises(httpx.HTTPError):
            http.get(base)
