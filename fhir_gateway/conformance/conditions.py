"""Conditions of tests on what the target says of itself in its CapabilityStatement."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from fhir_gateway.conformance import capabilities, paths
from fhir_gateway.conformance.errors import ScriptError
from fhir_gateway.conformance.exchange import Sent
from fhir_gateway.conformance.http import Caller
from fhir_gateway.fhir import wire
from fhir_gateway.fhir.types import Resource, as_dict, as_str

_OK = 200


class Conditions:
    """Answers from the target's /metadata, which is read once, when it is first asked for."""

    def __init__(self, caller: Caller, media_type: str = wire.JSON) -> None:
        self._caller = caller
        self._media_type = media_type

    @cached_property
    def statement(self) -> Resource | None:
        """The CapabilityStatement; None when the target gives none."""
        headers = (("Accept", self._media_type),)
        sent = Sent(headers=headers, url=f"{self._caller.base}/metadata")
        answer = self._caller.send(sent).answer
        found = answer.resource if answer and answer.status == _OK else None
        return found if found and found.get("resourceType") == "CapabilityStatement" else None

    @property
    def software(self) -> str:
        """What the target calls itself."""
        software = as_dict(as_dict(self.statement).get("software"))
        return " ".join(filter(None, (as_str(software.get(k)) for k in ("name", "version"))))

    def unmet(self, expressions: Sequence[str]) -> str:
        """Why a test does not apply to this target; empty when it does."""
        for expression in expressions:
            if self.statement is None:
                return "it depends on the CapabilityStatement, and the target gives none"
            try:
                met = paths.evaluate(expression, self.statement) == [True]
            except ScriptError as error:
                return f"its condition cannot be evaluated: {error}"
            if not met:
                return f"the target's CapabilityStatement does not say: {expression}"
        return ""

    def incapable(self, wanted: Resource) -> str:
        """What of another statement the target's does not have; empty when it has all."""
        if self.statement is None:
            return "it requires capabilities, and the target gives no CapabilityStatement"
        lacks = capabilities.lacking(wanted, self.statement)
        if not lacks:
            return ""
        return f"the target's CapabilityStatement lacks what it requires: {', '.join(lacks)}"
