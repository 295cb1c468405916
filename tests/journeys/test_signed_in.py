"""The demo's gateway signs in on the sandbox PDS as it would on the real one."""

from __future__ import annotations

import httpx

from tests.journeys.running import RunningDemo

OWN = {"X-Request-ID": "60E0B220-8136-4CA5-AE46-1D97EF59D068"}


def test_the_gateway_publishes_its_key_and_nothing_private(demo: RunningDemo) -> None:
    answer = httpx.get(f"{demo.addresses['gateway']}/.well-known/jwks.json")
    [key] = answer.json()["keys"]
    assert (key["kid"], key["alg"]) == ("demo-1", "RS512")
    assert not {"d", "p", "q"} & key.keys()


def test_pds_takes_no_token_but_those_it_gave(demo: RunningDemo) -> None:
    """So the requests of the other journeys, which are matched, were traced with real ones."""
    url = f"{demo.addresses['pds']}/Patient/9990001006"
    refused = httpx.get(url, headers={**OWN, "Authorization": "Bearer invented"})
    assert refused.status_code == 401
