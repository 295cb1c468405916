"""Addresses that others give us to call."""

from __future__ import annotations

import pytest

from fhir_gateway.auth import addresses
from fhir_gateway.errors import Refused, TryLater


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)
def test_what_is_not_on_the_open_internet_is_private(address: str) -> None:
    assert not addresses.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_the_open_internet_is_public(address: str) -> None:
    assert addresses.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example/keys",
        "ftp://portal.example/keys",
        "https:///keys",
        "https://user:password@portal.example/keys",
        "https://portal.example/keys#part",
        "https://[broken/keys",
        "https://portal.example:port/keys",
        "portal.example/keys",
        "",
    ],
)
def test_only_https_with_a_host_is_called(url: str) -> None:
    with pytest.raises(Refused):
        addresses.resolve(url, ())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1"])
def test_however_this_machine_is_written_it_is_private(host: str) -> None:
    with pytest.raises((Refused, TryLater)):
        addresses.resolve(f"https://{host}/keys", ())


def test_what_is_called_is_the_address_that_was_looked_at() -> None:
    target = addresses.resolve("http://localhost:8123/keys?a=b", ("localhost",))
    assert target.url in ("http://127.0.0.1:8123/keys?a=b", "http://[::1]:8123/keys?a=b")
    assert (target.host, target.name) == ("localhost:8123", "localhost")


def test_a_name_that_is_not_known_may_be_known_later() -> None:
    with pytest.raises(TryLater):
        addresses.resolve("https://no-such-host.invalid/keys", ())
