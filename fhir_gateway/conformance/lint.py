"""What is wrong with a TestScript, found without running it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fhir_gateway.conformance import fixtures, lint_steps, substitution
from fhir_gateway.conformance.errors import NotSupported
from fhir_gateway.conformance.finding import ERROR, WARNING, Finding
from fhir_gateway.conformance.lint_expressions import expression, path
from fhir_gateway.conformance.lint_names import Names
from fhir_gateway.conformance.script import Script, actions
from fhir_gateway.conformance.variables import is_built_in
from fhir_gateway.errors import Refused
from fhir_gateway.fhir import check
from fhir_gateway.fhir.types import Element, as_dict, as_list, as_str


def findings(script: Script) -> list[Finding]:
    """All findings, in the order of the script; of an R4 check of its structure first."""
    names = Names.of(script.resource)
    found = [
        Finding(ERROR if one.get("severity") == "error" else WARNING, "TestScript", text)
        for one in check.problems(script.resource)
        if (text := as_str(one.get("diagnostics")))
    ]
    found += _fixtures(script)
    found += _variables(script, names)
    found += _conditions(script)
    found += _unused(script, names)
    phases: list[tuple[str, Element]] = [("setup", as_dict(script.resource.get("setup")))]
    phases += [(f"test[{i}]", test) for i, test in enumerate(script.tests)]
    phases.append(("teardown", as_dict(script.resource.get("teardown"))))
    asked = False
    for place, phase in phases:
        is_test, listed = place[:4] == "test", actions(phase)
        found += lint_steps.findings(place, listed, names, is_test=is_test, asked=asked)
        asked = asked or any(isinstance(one.get("operation"), dict) for one in listed)
    found += _tests(script)
    return found


def _fixtures(script: Script) -> Iterator[Finding]:
    for index, fixture in enumerate(map(as_dict, as_list(script.resource.get("fixture")))):
        place = f"fixture[{index}]"
        if not fixture.get("id"):
            yield Finding(ERROR, place, "a fixture without an id cannot be used")
        try:
            content = fixtures.raw(script, fixture)
        except NotSupported as error:
            yield Finding(WARNING, place, str(error))
        except Refused as error:
            yield Finding(ERROR, place, str(error))
        else:
            declared = Names.of(script.resource).variables
            text = content.body.decode("utf-8", "replace")
            for name in dict.fromkeys(substitution.names_in(text)):
                if name not in declared and not is_built_in(name):
                    yield Finding(ERROR, place, f"${{{name}}} is not declared")


def _variables(script: Script, names: Names) -> Iterator[Finding]:
    for index, variable in enumerate(map(as_dict, as_list(script.resource.get("variable")))):
        place = f"variable[{index}]"
        source = as_str(variable.get("sourceId"))
        if source and source not in names.fixtures | names.kept:
            yield Finding(ERROR, place, f"sourceId '{source}' is neither fixture nor answer")
        if sum(bool(variable.get(n)) for n in ("expression", "path", "headerField")) > 1:
            yield Finding(ERROR, place, "it has more than one of expression, path and headerField")
        if isinstance(variable.get("expression"), str):
            yield from expression(place, variable["expression"])
        if isinstance(variable.get("path"), str):
            yield from path(place, variable["path"])
    for name in names.mentioned(script.resource):
        if name not in names.variables and not is_built_in(name):
            yield Finding(ERROR, "TestScript", f"${{{name}}} is not declared")


def _conditions(script: Script) -> Iterator[Finding]:
    for place, test in [("TestScript", None), *((f"test[{i}]", t) for i, t in _indexed(script))]:
        for condition in script.requires(test):
            yield from expression(place, condition)


def _unused(script: Script, names: Names) -> Iterator[Finding]:
    used = names.used(script)
    for name in sorted(names.variables - used.variables):
        yield Finding(WARNING, "TestScript", f"the variable '{name}' is not used")
    for name in sorted(names.fixtures - used.sources):
        yield Finding(WARNING, "TestScript", f"the fixture '{name}' is not used")


def _tests(script: Script) -> Iterator[Finding]:
    if not script.tests:
        yield Finding(WARNING, "TestScript", "there is no test")
    keys = Counter(script.key(index) for index in range(len(script.tests)))
    for key, count in keys.items():
        if count > 1:
            yield Finding(ERROR, "TestScript", f"{count} tests are called {key}")
    for index, test in _indexed(script):
        requirements = script.requirements(test)
        if not any(one.link for one in requirements):
            yield Finding(
                WARNING,
                f"test[{index}]",
                "it does not say, with a link, which requirement it checks",
            )


def _indexed(script: Script) -> list[tuple[int, Element]]:
    return list(enumerate(script.tests))
