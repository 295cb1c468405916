"""Putting a demo together; tests/journeys runs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_gateway.demo import Demo, PortInUse, prepare, read_addresses
from fhir_gateway.errors import Refused
from fhir_gateway.store import services
from tests.serving import free_socket


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo that does not run."""
    made = prepare(tmp_path / "data", 0)
    yield made
    for _, bound in made.servers:
        bound.close()
    made.gateway.close()


def test_everything_has_a_port_of_its_own_and_the_service_is_there(demo: Demo) -> None:
    ports = {bound.getsockname()[1] for _, bound in demo.servers}
    assert len(ports) == 4
    assert demo.addresses.fhir == f"{demo.addresses.gateway}/fhir/R4"
    assert demo.addresses.epr == f"{demo.addresses.inbox}/fhir"
    with demo.gateway.database.transaction() as tx:
        bundle = services.find(tx, "rheumatology")
    assert demo.addresses.epr in json.dumps(bundle)
    assert demo.gateway.settings.notify_base_url == demo.addresses.phone
    assert demo.gateway.settings.pds_base_url == demo.addresses.pds


def test_the_data_are_their_owners_alone(demo: Demo) -> None:
    assert demo.data_dir.stat().st_mode & 0o777 == 0o700


def test_nobody_is_told_that_it_is_ready_before_it_is(demo: Demo) -> None:
    with pytest.raises(Refused, match="No demo runs"):
        read_addresses(demo.data_dir)


def test_a_port_that_is_taken_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    with free_socket() as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} is in use"):
            prepare(tmp_path, port)
    assert list(tmp_path.iterdir()) == []
