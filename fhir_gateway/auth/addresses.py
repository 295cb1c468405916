"""Addresses that others give us to call: https on the open internet, or what an operator allows.

A name is resolved once, every address it has is looked at, and the call goes to exactly that one,
so that a name which resolves differently the next time gains nothing (DNS rebinding). Redirects and
proxies are not followed.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from fhir_gateway.errors import Refused, TryLater

#: They carry an IPv4 address within, which could be a private one.
_CARRIERS = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")))
_HTTPS, _HTTP = 443, 80


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be called: the URL to call, and the name that it stands for."""

    url: str
    host: str
    name: str

    def request(self, client: httpx.Client) -> httpx.Request:
        """A GET of it; TLS is checked against the name."""
        return client.build_request(
            "GET",
            self.url,
            headers={"Host": self.host, "Accept": "application/json"},
            extensions={"sni_hostname": self.name},
        )


def check_form(url: str, allowed: Collection[str]) -> None:
    """Raises Refused when the URL is not one to call, by its form alone. `allowed`: names of hosts
    that may be reached by http and at private addresses."""
    try:
        parts = urlsplit(url)
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("It is no address.", code="address-refused") from None
    if not name or parts.username or parts.password or parts.fragment:
        raise Refused(
            "It must be an address with a host, without a user or a fragment.",
            code="address-refused",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and name in allowed):
        raise Refused("It must begin with https://.", code="address-refused")


def resolve(url: str, allowed: Collection[str]) -> Target:
    """Where a URL leads, once. Raises Refused for what must not be called, TryLater when the name
    cannot be resolved now."""
    check_form(url, allowed)
    parts = urlsplit(url)
    name = parts.hostname or ""
    port = parts.port or (_HTTPS if parts.scheme == "https" else _HTTP)
    try:
        found = socket.getaddrinfo(name, port, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        raise TryLater("Its name cannot be resolved.", code="address-unknown") from None
    addresses = [str(entry[4][0]) for entry in found]
    if name not in allowed and not all(map(is_public, addresses)):
        raise Refused("It leads to a private address.", code="address-private")
    host = f"[{addresses[0]}]" if ":" in addresses[0] else addresses[0]
    query = f"?{parts.query}" if parts.query else ""
    pinned = f"{parts.scheme}://{host}:{port}{parts.path or '/'}{query}"
    return Target(pinned, parts.netloc, name)


def is_public(address: str) -> bool:
    """Whether an IP address is on the open internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        elif any(ip in carrier for carrier in _CARRIERS):
            return False
    return ip.is_global and not ip.is_multicast
