"""What an author's FHIRPath can see: the response, the Questionnaire, and the root's variables.

https://hl7.org/fhir/uv/sdc/expressions.html#variables. Variables of the root are evaluated in
order, each seeing those before it; one that fails is empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fhir_gateway.fhir import path
from fhir_gateway.fhir.types import Resource, as_dict, as_str, extensions
from fhir_gateway.questionnaire import extensions as ext
from fhir_gateway.questionnaire.definition import Definition


class Scope:
    """Evaluates expressions for one state of a response.

    `response`: the response without disabled answers. `now`: the clock (None: the system's).
    """

    def __init__(
        self, definition: Definition, response: Resource, *, now: datetime | None = None
    ) -> None:
        self.response = response
        self.now = now
        self.variables: dict[str, Any] = {
            "resource": response,
            "questionnaire": definition.raw,
        }
        for extension in extensions(definition.raw, ext.VARIABLE):
            expression = as_dict(extension.get("valueExpression"))
            name = as_str(expression.get("name"))
            if name:
                self.variables[name] = self._variable(as_str(expression.get("expression")))

    def evaluate(self, expression: str, context: Any = None, **more: Any) -> list[Any]:
        """Typed results of `expression` on `context` (None: the response).

        Raises path.PathRefused.
        """
        variables = {**self.variables, **more} if more else self.variables
        target = self.response if context is None else context
        return path.evaluate(expression, target, variables, now=self.now)

    def _variable(self, expression: str) -> list[Any]:
        try:
            return self.evaluate(expression)
        except path.PathRefused:
            return []
