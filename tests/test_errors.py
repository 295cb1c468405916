"""The one tree of errors."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import fhir_gateway
from fhir_gateway.errors import Defect, GatewayError, OutcomeUnknown, Refused, TryLater

KINDS = (Refused, TryLater, OutcomeUnknown, Defect)


def _all_errors(base: type[GatewayError]) -> set[type[GatewayError]]:
    found = set(base.__subclasses__())
    return found.union(*map(_all_errors, found)) if found else found


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_has_a_sentence_and_a_code(kind: type[GatewayError]) -> None:
    error = kind("A sentence.", code="a-code")
    assert str(error) == "A sentence."
    assert error.code == "a-code"


def test_only_trying_later_knows_when() -> None:
    assert TryLater("Not now.", code="x").after is None
    assert TryLater("Not now.", code="x", after=3.0).after == 3.0


def test_every_error_of_the_package_is_of_exactly_one_kind() -> None:
    for module in pkgutil.walk_packages(fhir_gateway.__path__, "fhir_gateway."):
        if not module.name.endswith(("__main__", ".env")) and ".versions" not in module.name:
            importlib.import_module(module.name)
    errors = _all_errors(GatewayError) - set(KINDS)
    assert len(errors) > 10
    for error in errors:
        assert sum(issubclass(error, kind) for kind in KINDS) == 1, error


def test_the_tree_in_the_words_is_the_tree() -> None:
    from fhir_gateway import errors

    assert errors.__doc__ is not None
    drawn = {line.split()[1] for line in errors.__doc__.splitlines() if "── " in line}
    assert drawn == {kind.__name__ for kind in GatewayError.__subclasses__()}
