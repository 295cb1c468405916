"""What an EPR says that it can take."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_gateway.epr.capability import creatable, missing, system_interactions


def statement(*types: str, system: tuple[str, ...] = ("transaction",)) -> dict[str, Any]:
    return {
        "rest": [
            {
                "mode": "server",
                "interaction": [{"code": code} for code in system],
                "resource": [
                    {"type": name, "interaction": [{"code": "read"}, {"code": "create"}]}
                    for name in types
                ]
                + [{"type": "Observation", "interaction": [{"code": "read"}]}],
            }
        ]
    }


def test_nothing_is_missing_where_all_is_declared() -> None:
    assert missing(statement("Task", "Patient"), {"Task", "Patient"}) == []


def test_each_thing_that_is_missing_is_a_sentence() -> None:
    assert missing(statement("Task", system=("batch",)), {"Task", "Patient", "Observation"}) == [
        "It does not declare the system interaction 'transaction'.",
        "It does not declare create for Observation, Patient.",
    ]


def test_what_it_does_as_a_client_does_not_count() -> None:
    client = statement("Task")
    client["rest"][0]["mode"] = "client"
    assert system_interactions(client) == set()
    assert creatable(client) == set()


@pytest.mark.parametrize("broken", [{}, {"rest": "x"}, {"rest": [None, {"mode": "server"}]}])
def test_a_broken_statement_declares_nothing(broken: dict[str, Any]) -> None:
    assert system_interactions(broken) == set()
    assert creatable(broken) == set()
