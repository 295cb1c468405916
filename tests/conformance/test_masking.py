from __future__ import annotations

import httpx
import pytest

from fhir_gateway.conformance import report_folder
from fhir_gateway.conformance.masking import MASK, Masker
from tests.conformance.conftest import RunScript
from tests.conformance.recorder import Recorder
from tests.conformance.writing import asserts, operation, script


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {MASK}"),
        ('{"access_token": "abc"}', f'{{"access_token": "{MASK}"}}'),
        ("client_secret=abc&scope=x", f"client_secret={MASK}&scope=x"),
        ("https://a.example/?access_token=abc#x", f"https://a.example/?access_token={MASK}#x"),
        ("it says s3cret-value here", f"it says {MASK} here"),
        ("the bearer of news", "the bearer of news"),
    ],
)
def test_secrets_go_wherever_they_stand(text: str, masked: str) -> None:
    assert Masker(["s3cret-value"]).text(text) == masked


class Token(httpx.Auth):
    def auth_flow(self, request):  # type: ignore[no-untyped-def]
        request.headers["Authorization"] = "Bearer fetched-token-of-the-run"
        yield request


def test_no_report_holds_a_secret_even_when_the_server_repeats_it(
    recorder: Recorder, server: str, run_script: RunScript
) -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"diagnostics": "bad fetched-token-of-the-run and known-secret-1"}],
    }
    recorder.on("GET /Patient/1", outcome, 401, set_cookie="session=cookie-secret", x_api_key="k1k")

    run = run_script(
        server,
        script(
            [
                operation("read", resource="Patient", params="/1?access_token=in-the-address"),
                asserts(expression="OperationOutcome.issue.diagnostics", value="x"),
            ]
        ),
        auth=Token(),
        hidden=["known-secret-1"],
    )

    for name, content in report_folder.files(run).items():
        for secret in (b"fetched-token", b"known-secret", b"cookie-secret", b"k1k", b"in-the-add"):
            assert secret not in content, (name, secret)
    assert recorder.asked[0].headers["authorization"] == "Bearer fetched-token-of-the-run"
