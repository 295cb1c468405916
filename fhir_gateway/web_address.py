"""What an address in the settings is: of the web at all, and of this machine alone. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_address(text: str) -> bool:
    """Whether it is an http or https address with a host."""
    try:
        address = urlsplit(text)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:  # brackets without an end, a port that is no number
        return False


def is_local(address: str) -> bool:
    """Whether it is an address of this machine."""
    return is_address(address) and urlsplit(address).hostname in _LOOPBACK
