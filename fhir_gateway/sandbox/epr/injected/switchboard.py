"""Which faults are on, and the addresses by which they are switched.

GET    /faults          all, and whether each is on
PUT    /faults/NAME     switch one on
DELETE /faults/NAME     switch one off
DELETE /faults          switch all off
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from fhir_gateway.errors import Refused
from fhir_gateway.sandbox.epr.injected.catalogue import FAULTS
from fhir_gateway.sandbox.epr.injected.exchange import Fault

FAULTS_PATH = "/faults"
router = APIRouter(prefix=FAULTS_PATH)


class Switchboard:
    """The faults that are on, in the order of the catalogue. Safe between threads."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Raises Refused for a name that no fault has."""
        self._lock = threading.Lock()
        self._on: dict[str, Fault] = {}
        for name in names:
            self.switch_on(name)

    def switch_on(self, name: str) -> None:
        """Switch a fault on; one that is on begins anew. Raises Refused for an unknown name."""
        if name not in FAULTS:
            known = ", ".join(FAULTS)
            raise Refused(f"There is no fault '{name}'. There are: {known}.", code="unknown-fault")
        with self._lock:
            self._on[name] = FAULTS[name].make()

    def switch_off(self, *names: str) -> None:
        """Switch these off, or all."""
        with self._lock:
            for name in names or tuple(self._on):
                self._on.pop(name, None)

    @property
    def names(self) -> list[str]:
        """Those that are on."""
        with self._lock:
            return [name for name in FAULTS if name in self._on]

    @property
    def faults(self) -> list[Fault]:
        """Those that are on."""
        with self._lock:
            return [self._on[name] for name in FAULTS if name in self._on]


@router.get("")
def listed(request: Request) -> Response:
    """Every fault: name, what it does, whether it is on."""
    on = _board(request).names
    return JSONResponse(
        [
            {"name": known.name, "does": known.sentence, "on": known.name in on}
            for known in FAULTS.values()
        ]
    )


@router.put("/{name}")
def switched_on(request: Request, name: str) -> Response:
    """Switch one on."""
    try:
        _board(request).switch_on(name)
    except Refused as error:
        return JSONResponse({"error": str(error)}, status_code=404)
    return Response(status_code=204)


@router.delete("/{name}")
def switched_off(request: Request, name: str) -> Response:
    """Switch one off."""
    if name not in FAULTS:
        return JSONResponse({"error": f"There is no fault '{name}'."}, status_code=404)
    _board(request).switch_off(name)
    return Response(status_code=204)


@router.delete("")
def all_off(request: Request) -> Response:
    """Switch all off."""
    _board(request).switch_off()
    return Response(status_code=204)


def _board(request: Request) -> Switchboard:
    board: Switchboard = request.app.state.faults
    return board
