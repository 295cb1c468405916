"""An EPR that answers the same search from memory, as HAPI FHIR does for a minute."""

from __future__ import annotations

import uuid

from fhir_gateway.epr.fence import unguarded
from fhir_gateway.provider.endpoint import EprEndpoint, RepeatMode, Strategy
from fhir_gateway.sandbox.epr.app import create_app
from tests.epr.conftest import MakeAdapter
from tests.faults.neighbour import Remembering
from tests.sandbox.epr.request_bundle import request_bundle
from tests.serving import serve


def test_what_was_written_since_the_last_look_is_found(adapter: MakeAdapter) -> None:
    request_id = str(uuid.uuid4())
    bundle = request_bundle(request_id=request_id)
    with serve(Remembering(create_app())) as address:
        endpoint = EprEndpoint(f"{address}/fhir", Strategy.TRANSACTION, RepeatMode.INTENT_SEARCH)
        way = adapter(endpoint)
        assert way.find(bundle, request_id) is None
        way.send(bundle, request_id, unguarded)
        assert way.find(bundle, request_id) is not None
