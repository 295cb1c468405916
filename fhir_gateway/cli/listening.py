"""A port on this machine alone."""

from __future__ import annotations

import socket

from fhir_gateway.errors import Refused


def bound_socket(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1; port 0 takes a free one. Raises Refused when it is taken."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise Refused(
            f"Port {port} cannot be used: {error.strerror}. Choose another with --port.",
            code="port-taken",
        ) from None
    listening.listen(128)
    return listening
