"""The operator's guide names every setting of delivery."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from fhir_gateway.delivery.gate import Limits
from fhir_gateway.delivery.settings import DeliverySettings
from fhir_gateway.delivery.timing import Timing

GUIDE = (Path(__file__).parents[2] / "docs/operate.md").read_text()
PARTS = [field.name for kind in (Timing, Limits) for field in fields(kind)]


@pytest.mark.parametrize("name", [*DeliverySettings.model_fields, *PARTS])
def test_the_operators_guide_names_it(name: str) -> None:
    assert f"`{name}`" in GUIDE
