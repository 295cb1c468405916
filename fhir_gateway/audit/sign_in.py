"""AuditEvents of tokens: those that were issued (ITI-71 in BALP) and those that were refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from fhir_gateway.audit import codes
from fhir_gateway.audit.event import Happened, Party, audit_event, query
from fhir_gateway.audit.record import record
from fhir_gateway.store.database import Transaction


def of_token(
    tx: Transaction,
    client: Party,
    *,
    asked: str,
    refused: str,
    providers: Iterable[str],
    token_url: str,
    observer: str,
    now: datetime,
) -> None:
    """A token was asked for. `asked`: the form without its assertion; `refused`: why it was not
    given, "" where it was."""
    happened = Happened(
        codes.USER_AUTHENTICATION,
        codes.GET_ACCESS_TOKEN,
        "E",
        codes.MINOR if refused else codes.SUCCESS,
        refused,
        # In BALP's package this profile is of the transaction of IUA.
        profile="IHE.IUA.71",
    )
    service = Party(observer, address=token_url)
    agents = [
        client.agent(codes.APPLICATION, requestor=True),
        service.agent(codes.AUTH_SERVICE, requestor=False),
    ]
    event = audit_event(
        str(uuid.uuid4()), happened, agents, [query(asked)], observer=observer, now=now
    )
    record(tx, event, agent=client.value, providers=providers, now=now)


def of_bad_token(tx: Transaction, client: Party, *, why: str, observer: str, now: datetime) -> None:
    """The API was called with a token that is not good."""
    happened = Happened(codes.USER_AUTHENTICATION, codes.LOGIN, "E", codes.MINOR, why)
    agents = [client.agent(codes.APPLICATION, requestor=True)]
    event = audit_event(str(uuid.uuid4()), happened, agents, [], observer=observer, now=now)
    record(tx, event, agent=client.value, providers=(), now=now)
