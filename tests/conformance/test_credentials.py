from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt

from fhir_gateway.auth.keys import make_key_file, read_key_ring
from fhir_gateway.conformance import credentials
from fhir_gateway.conformance.exchange import Sent
from fhir_gateway.conformance.http import Caller
from fhir_gateway.errors import Refused
from tests.auth.certificates import make_certificates, serve_mutual_tls
from tests.conformance.recorder import Recorder


def write(folder: Path, **given: Any) -> Path:
    file = folder / "auth.json"
    file.write_text(json.dumps(given))
    return file


def authorization(file: Path, server: str, recorder: Recorder) -> str | None:
    given = credentials.read(file, server)
    with Caller(server, auth=given.auth, verify=given.verify) as caller:
        exchange = caller.send(Sent(url=f"{server}/Patient/1"))
    assert exchange.answer is not None, exchange.problem
    return recorder.asked[-1].headers.get("authorization")


def test_a_bearer_token_from_the_environment(
    tmp_path: Path, recorder: Recorder, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_OF_TEST", "tok-1")
    file = write(tmp_path, method="bearer", token="env:TOKEN_OF_TEST")

    assert authorization(file, server, recorder) == "Bearer tok-1"
    assert credentials.read(file, server).hidden == ("tok-1",)


def test_an_api_key(tmp_path: Path, recorder: Recorder, server: str) -> None:
    file = write(tmp_path, method="header", name="apikey", value="k-1")

    assert authorization(file, server, recorder) is None
    assert recorder.asked[-1].headers["apikey"] == "k-1"


def test_none(tmp_path: Path, recorder: Recorder, server: str) -> None:
    assert authorization(write(tmp_path, method="none"), server, recorder) is None


def test_a_client_secret(tmp_path: Path, recorder: Recorder, server: str) -> None:
    recorder.on("POST /token", {"access_token": "t-2"}, content_type="application/json")
    file = write(
        tmp_path,
        method="client-secret",
        client_id="tester",
        client_secret="s",
        token_url=f"{server}/token",
    )

    assert authorization(file, server, recorder) == "Bearer t-2"


def test_smart_backend_services(tmp_path: Path, recorder: Recorder, server: str) -> None:
    make_key_file(tmp_path / "tester.pem", bits=2048)
    configuration = {"token_endpoint": f"{server}/token"}
    recorder.on(
        "GET /.well-known/smart-configuration", configuration, content_type="application/json"
    )
    recorder.on("POST /token", {"access_token": "t-3"}, content_type="application/json")
    file = write(
        tmp_path, method="smart", client_id="tester", key_file="tester.pem", scope="system/*.rs"
    )

    assert authorization(file, server, recorder) == "Bearer t-3"
    form = dict(part.split("=") for part in recorder.asked[1].body.decode().split("&"))
    key = read_key_ring([tmp_path / "tester.pem"]).signing.key
    claims = jwt.decode(form["client_assertion"], key, algorithms=["RS384"]).claims
    assert claims["iss"] == claims["sub"] == "tester"


def test_a_token_that_cannot_be_fetched_is_a_problem_of_the_call(
    tmp_path: Path, recorder: Recorder, server: str
) -> None:
    file = write(
        tmp_path,
        method="client-secret",
        client_id="tester",
        client_secret="s",
        token_url=f"{server}/token",
    )
    given = credentials.read(file, server)

    with Caller(server, auth=given.auth) as caller:
        exchange = caller.send(Sent(url=f"{server}/Patient/1"))

    assert exchange.answer is None
    assert "token endpoint answered 404" in exchange.problem


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"method": "bearer"}, "also needs token"),
        ({"method": "guess"}, "method"),
        ({"method": "bearer", "token": "env:NOT_THERE_AT_ALL"}, "NOT_THERE_AT_ALL is not set"),
        ({"method": "smart", "client_id": "a", "key_file": "no.pem"}, "cannot be read"),
        ({"method": "header", "name": "x"}, "needs name and value"),
        ({"method": "bearer", "token": "very-secret", "tokn": 1}, "tokn"),
    ],
)
def test_what_is_wrong_is_said_without_a_secret(
    tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said) as raised:
        credentials.read(write(tmp_path, **given), "https://epr.example")

    assert "very-secret" not in str(raised.value)


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_file_that_is_no_json_object_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "auth.json").write_bytes(content)

    with pytest.raises(Refused, match=r"auth\.json"):
        credentials.read(tmp_path / "auth.json", "https://epr.example")


def test_certificates_both_ways(tmp_path: Path) -> None:
    files = make_certificates(tmp_path)
    with serve_mutual_tls(files) as base:
        known = credentials.verification(
            files.authority, files.client, files.client_key, insecure=False
        )
        without = credentials.verification(files.authority, None, None, insecure=False)
        anyone = credentials.verification(None, files.client, files.client_key, insecure=True)
        answered = {}
        for name, verify in {"known": known, "without": without, "anyone": anyone}.items():
            with Caller(base, verify=verify, timeout=5) as caller:
                answered[name] = caller.send(Sent(url=f"{base}/metadata")).answer is not None
        with Caller(base, timeout=5) as caller:
            stranger = caller.send(Sent(url=f"{base}/metadata"))

    assert answered == {"known": True, "without": False, "anyone": True}
    assert "CERTIFICATE_VERIFY_FAILED" in stranger.problem
