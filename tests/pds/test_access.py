from __future__ import annotations

import pytest

from fhir_gateway.errors import Refused
from fhir_gateway.pds.access import (
    AccessMode,
    ApplicationRestricted,
    HealthcareWorker,
    PatientAccess,
)

ONE = [("_max-results", "1")]


def test_an_application_gets_one_result_and_reads_any_record() -> None:
    mode = ApplicationRestricted()
    mode.check_search(ONE)
    mode.check_search([("family", "Sharma")])
    mode.check_read("9990001006")
    with pytest.raises(Refused):
        mode.check_search([("_max-results", "2")])


def test_a_patient_reads_their_own_record_and_searches_nothing() -> None:
    mode = PatientAccess("9990001006")
    mode.check_read("9990001006")
    with pytest.raises(Refused):
        mode.check_read("9990001014")
    with pytest.raises(Refused):
        mode.check_search(ONE)


@pytest.mark.parametrize("most", ["1", "50"])
def test_staff_get_up_to_fifty(most: str) -> None:
    HealthcareWorker("555").check_search([("_max-results", most)])
    HealthcareWorker("555").check_read("9990001006")


@pytest.mark.parametrize("most", ["0", "51", "many", ""])
def test_and_no_more(most: str) -> None:
    with pytest.raises(Refused):
        HealthcareWorker("555").check_search([("_max-results", most)])


@pytest.mark.parametrize(
    ("mode", "headers"),
    [
        (ApplicationRestricted(), {}),
        (PatientAccess("9990001006"), {}),
        (HealthcareWorker("555"), {"NHSD-Session-URID": "555"}),
    ],
)
def test_only_staff_say_in_which_role_they_work(mode: AccessMode, headers: dict[str, str]) -> None:
    assert mode.headers == headers
