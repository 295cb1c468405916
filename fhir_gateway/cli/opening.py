"""Opening the gateway of the settings, for commands that look at its data; and who gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fhir_gateway.app import Gateway


def who() -> str:
    """Who gives the command, for the record."""
    import getpass
    import socket

    return f"{getpass.getuser()}@{socket.gethostname()}"


def open_gateway() -> Gateway:
    """The gateway, with its database up to date; to be closed."""
    from fhir_gateway.app import build
    from fhir_gateway.settings import load

    gateway = build(load())
    gateway.prepare()
    return gateway
