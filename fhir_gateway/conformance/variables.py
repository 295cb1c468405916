"""The variables of a script, evaluated when they are used, on what their source holds then.

Besides those that a script declares there are `${run}`, the same in all scripts of a run and
different in the next, and placeholders for random values as Touchstone has them: `${C4}` letters,
`${D4}` digits, `${CD4}` both (the number is the length), `${UUID}`; and `${TODAY}`, `${NOW}`. Each
keeps its value within a script.
"""

from __future__ import annotations

import re
import secrets
import string
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from fhir_gateway.conformance import paths, substitution
from fhir_gateway.conformance.errors import NoResource, NothingYet, NotSupported, ScriptError
from fhir_gateway.conformance.exchange import Content
from fhir_gateway.conformance.substitution import Value
from fhir_gateway.fhir.types import Element, as_str

_RANDOM = re.compile(r"(CD|C|D)([1-9][0-9]?)")
_ALPHABETS = {
    "C": string.ascii_letters,
    "D": string.digits,
    "CD": string.ascii_letters + string.digits,
}
#: Built-in names besides the random ones.
BUILT_IN = ("run", "UUID", "TODAY", "NOW", "target")
_MAX_DEPTH = 8
#: How many variables one value may be made of, with those within those: more is a trap.
_MAX_WITHIN = 1_000
_SOURCES = ("expression", "path", "headerField")


def is_built_in(name: str) -> bool:
    """Whether a name has a value without being declared."""
    return name in BUILT_IN or _RANDOM.fullmatch(name) is not None


def is_input(variable: Element) -> bool:
    """Whether a tester has to give the value: nothing says where it comes from."""
    return not any(
        name in variable for name in ("headerField", "path", "expression", "defaultValue")
    )


class Variables:
    """The values of one run of one script.

    `look`: gives the content of a source id, or of the last answer for None; raises ScriptError.
    `given`: what the tester set, which wins.
    """

    def __init__(
        self,
        declared: Mapping[str, Element],
        given: Mapping[str, str],
        run: str,
        target: str,
        look: Callable[[str | None], Content],
    ) -> None:
        self._declared = declared
        self._given = given
        self._look = look
        now = datetime.now(UTC)
        self._made = {
            "run": run,
            "target": target,
            "TODAY": now.date().isoformat(),
            "NOW": now.isoformat(timespec="seconds"),
        }
        self._depth = 0
        self._within = 0

    def value(self, name: str) -> Value:
        """The value of a variable. Raises ScriptError when it has none, NotSupported when the
        tester has to give it."""
        if name in self._given:
            return Value(self._given[name], authored=True)
        if name in self._declared:
            return self._bounded(name)
        return Value(self._built_in(name), authored=True)

    def _bounded(self, name: str) -> Value:
        self._within = self._within + 1 if self._depth else 0
        if self._depth >= _MAX_DEPTH or self._within > _MAX_WITHIN:
            raise ScriptError(f"${{{name}}} is defined by itself, or by too many others")
        self._depth += 1
        try:
            value = self._declared_value(name, self._declared[name])
        finally:
            self._depth -= 1
        if len(value.text) > substitution.MAX_VALUE:
            raise ScriptError(f"the value of ${{{name}}} is too long")
        return value

    def _declared_value(self, name: str, variable: Element) -> Value:
        if is_input(variable):
            hint = as_str(variable.get("description")) or as_str(variable.get("hint"))
            raise NotSupported(f"needs --variable {name}=…{f' ({hint})' if hint else ''}")
        default = variable.get("defaultValue")
        try:
            found = self._from_source(variable)
        except (NothingYet, NoResource):
            if default is None:
                raise
            found = []
        if found:
            return Value(found[0], authored=False)
        if default is not None:
            return Value(substitution.plain(str(default), self.value), authored=True)
        raise ScriptError(f"${{{name}}} has no value: its source holds nothing there")

    def _from_source(self, variable: Element) -> list[str]:
        expression, path, header = (as_str(variable.get(name)) for name in _SOURCES)
        sources = [name for name in _SOURCES if as_str(variable.get(name))]
        if not sources:
            return []
        if len(sources) > 1:
            raise ScriptError(f"a variable has one source, not {' and '.join(sources)}")
        content = self._look(as_str(variable.get("sourceId")) or None)
        if header:
            value = content.header(header)
            return [] if value is None else [value]
        if expression:
            filled = substitution.into_expression(expression, self.value)
            return paths.by_fhirpath(filled, content, primitive=True)
        backslash = paths.kind(path) == "fhirpath"
        filled = substitution.into_expression(path, self.value, backslash=backslash)
        return paths.at_path(filled, content, primitive=True)

    def _built_in(self, name: str) -> str:
        if name not in self._made:
            random = _RANDOM.fullmatch(name)
            if random:
                alphabet, length = _ALPHABETS[random[1]], int(random[2])
                self._made[name] = "".join(secrets.choice(alphabet) for _ in range(length))
            elif name == "UUID":
                self._made[name] = str(uuid.uuid4())
            else:
                raise ScriptError(f"${{{name}}} is not declared")
        return self._made[name]
