from __future__ import annotations

import shlex
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_gateway.conformance import curl
from fhir_gateway.conformance.exchange import Sent
from fhir_gateway.conformance.masking import MASK

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(body=TEXT, url=TEXT, header=TEXT)
def test_nothing_in_a_request_becomes_a_command(body: str, url: str, header: str) -> None:
    sent = Sent(body.encode(), "", (("X-Test", header),), "POST", url)

    words = shlex.split(curl.command(sent).replace("\\\n", " ", 0))

    assert [word for word in words if word not in ("\n", "")][-1:] == [url] or url == "\n"
    if MASK not in header:
        assert f"X-Test: {header}" in words
    assert body in words


def test_a_shell_gives_curl_what_was_sent() -> None:
    sent = Sent(b'{"a": "it\'s $HOME `x`"}\n@', "", (("Accept", "a/b"),), "POST", "http://a/?b='c'")
    show = f'curl() {{ "{sys.executable}" -c "import sys; print(sys.argv[1:])" "$@"; }}\n'

    done = subprocess.run(
        ["bash", "-c", show + curl.command(sent)], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == str(
        [
            "--include",
            "--request",
            "POST",
            "--header",
            "Accept: a/b",
            "--data-raw",
            sent.body.decode(),
            "http://a/?b='c'",
        ]
    )


def test_credentials_are_a_variable_of_the_shell() -> None:
    command = curl.command(Sent(headers=(("Authorization", MASK), ("Host", "a")), url="http://a/"))

    assert '--header "Authorization: Bearer $TOKEN"' in command
    assert "Host" not in command


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a\0b"])
def test_a_body_that_is_no_text_is_a_file_of_the_reader(body: bytes) -> None:
    assert "--data-binary @BODY" in curl.command(Sent(body, "", (), "POST", "http://a/"))
