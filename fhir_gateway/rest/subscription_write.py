"""Creating, changing and deleting Subscriptions. The address must be one that may be called; it is
told of nothing before it has answered a handshake (delivery/notifier.py)."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable

from fhir_gateway.auth import addresses
from fhir_gateway.errors import Refused, TryLater
from fhir_gateway.fhir.identifiers import is_ods_code
from fhir_gateway.fhir.types import Resource, as_dict, as_str, extension_value
from fhir_gateway.rest import written
from fhir_gateway.rest.access import ALL, Access, concerns
from fhir_gateway.rest.conditions import check_if_match
from fhir_gateway.rest.desk import (
    Desk,
    Pending,
    checked,
    reading,
    refuse_errors,
    run,
    unprocessable,
)
from fhir_gateway.rest.problem import BAD_REQUEST, FORBIDDEN, Problem, not_found
from fhir_gateway.rest.registry import Answer, Call
from fhir_gateway.rest.stored import visible_to
from fhir_gateway.rest.subscription_read import (
    HIDDEN,
    ORGANIZATION,
    Wanted,
    as_kept,
    read,
    with_secret,
)
from fhir_gateway.store import resources, subscriptions
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.resources import Stored
from fhir_gateway.store.subscriptions import Channel, Subscription, SubscriptionState

MAX_SUBSCRIPTIONS = 50
_NO_CONTENT = 204
_TYPE = "Subscription"


def prepare_create(desk: Desk, call: Call) -> Pending:
    """Check a new one. Raises Problem."""
    resource = checked(call, _TYPE)
    wanted = _wanted(desk, resource)
    provider = _provider(call.access, resource)
    concerns(call.request, {provider})
    kept = as_kept(resource, wanted, status="requested")
    kept["id"] = str(uuid.uuid4())
    if any(value == HIDDEN for value in wanted.headers.values()):
        raise unprocessable("value", "A header has no value.", "Subscription.channel.header")
    secret = secrets.token_urlsafe(32)
    channel = Channel(wanted.endpoint, wanted.headers, secret, wanted.content)
    return Pending(
        lambda tx: _add(desk, call, kept, wanted, channel, provider, tx), f"{_TYPE}/{kept['id']}"
    )


def _add(
    desk: Desk,
    call: Call,
    kept: Resource,
    wanted: Wanted,
    channel: Channel,
    provider: str,
    tx: Transaction,
) -> Callable[[], Answer]:
    now = desk.parts.clock()
    if subscriptions.count(tx, call.access.client_id) >= MAX_SUBSCRIPTIONS:
        text = f"A client may have {MAX_SUBSCRIPTIONS} subscriptions at the most."
        raise unprocessable("too-costly", text, _TYPE)
    stored = resources.write(tx, kept, provider=provider, now=now, by_client=True)
    subscriptions.add(
        tx,
        subscription_id=kept["id"],
        client_id=call.access.client_id,
        provider=provider,
        topic=wanted.topic,
        channel=channel,
        ends_at=wanted.ends_at,
        now=now,
    )
    shown = stored.resource if stored and stored.resource else kept
    desk.keep(tx, call, written.CREATED, shown)
    whole = with_secret(shown, channel.secret)
    return lambda: written.answer(call, whole, status=written.CREATED)


def update(desk: Desk, call: Call) -> Answer:
    """Change one: its address, headers or topic; `requested` asks for a handshake, `off` stops."""
    resource = checked(call, _TYPE)
    if resource.get("id") != call.id:
        text = "The id in the body must be the one of the address."
        raise Problem(BAD_REQUEST, "value", text, expression=["Subscription.id"])
    stored, before = _own(desk, call)
    check_if_match(call.request, str(stored.version))
    wanted = _wanted(desk, resource)
    return run(desk, Pending(lambda tx: _change(desk, call, resource, wanted, before, tx)))


def _change(
    desk: Desk,
    call: Call,
    resource: Resource,
    wanted: Wanted,
    before: Subscription,
    tx: Transaction,
) -> Callable[[], Answer]:
    now = desk.parts.clock()
    old = before.channel
    headers = {
        name: old.headers.get(name, "") if value == HIDDEN else value
        for name, value in wanted.headers.items()
    }
    channel = Channel(wanted.endpoint, headers, old.secret, wanted.content)
    state = SubscriptionState.OFF if wanted.off else SubscriptionState.REQUESTED
    again = channel != old or before.state is not SubscriptionState.ACTIVE
    if not wanted.off and not again and resource.get("status") == "active":
        state = SubscriptionState.ACTIVE
    subscriptions.change(
        tx, before.id, state=state, topic=wanted.topic, channel=channel, ends_at=wanted.ends_at
    )
    if state is SubscriptionState.REQUESTED:
        subscriptions.drop_notices(tx, before.id)
        subscriptions.ask_handshake(tx, before.id, now=now)
    if state is SubscriptionState.OFF:
        subscriptions.drop_notices(tx, before.id)
    kept = as_kept(resource, wanted, status=state)
    resources.write(tx, kept, provider=before.provider, now=now, by_client=True)
    found = resources.read(tx, _TYPE, before.id, resources.EVERYTHING)
    shown = found.resource if found and found.resource else kept
    desk.keep(tx, call, written.OK, shown)
    return lambda: written.answer(call, shown)


def delete(desk: Desk, call: Call) -> Answer:
    """End one for good; one that was ended is ended, so that a client may ask again."""
    if _is_ended(desk, call):
        return Answer(None, _NO_CONTENT)
    _, before = _own(desk, call)

    def apply(tx: Transaction) -> Callable[[], Answer]:
        resources.remove(tx, _TYPE, before.id, now=desk.parts.clock())
        subscriptions.remove(tx, before.id)
        desk.keep(tx, call, _NO_CONTENT, None)
        return lambda: Answer(None, _NO_CONTENT)

    return run(desk, Pending(apply))


def _is_ended(desk: Desk, call: Call) -> bool:
    """Whether it was one of this client's providers, and was deleted."""
    with reading(desk) as tx:
        stored = resources.read(tx, _TYPE, call.id, visible_to(call.access))
    return stored is not None and stored.resource is None


def _own(desk: Desk, call: Call) -> tuple[Stored, Subscription]:
    """A subscription that this client made. Raises Problem: 404, or 403 for another client's."""
    with reading(desk) as tx:
        stored = resources.read(tx, _TYPE, call.id, visible_to(call.access))
        found = subscriptions.find(tx, call.id)
    if stored is None or stored.resource is None or found is None:
        raise not_found(_TYPE)
    concerns(call.request, {found.provider})
    if found.client_id != call.access.client_id and not call.access.sees_all:
        raise Problem(FORBIDDEN, "forbidden", "Another client made this Subscription.")
    return stored, found


def _wanted(desk: Desk, resource: Resource) -> Wanted:
    wanted, issues = read(resource)
    refuse_errors(issues)
    assert wanted is not None
    if wanted.ends_at is not None and wanted.ends_at <= desk.parts.clock():
        raise unprocessable("value", "It would be over already.", "Subscription.end")
    try:
        addresses.resolve(wanted.endpoint, desk.hosts)
    except Refused as error:
        place = "Subscription.channel.endpoint"
        raise unprocessable("security", f"The endpoint: {error}", place) from None
    except TryLater:
        text = "The name of the endpoint cannot be resolved."
        raise unprocessable("not-found", text, "Subscription.channel.endpoint") from None
    return wanted


def _provider(access: Access, resource: Resource) -> str:
    """Whose requests it is about: the client's only organisation, or the one that is named."""
    named = as_dict(extension_value(resource, ORGANIZATION))
    code = as_str(as_dict(named.get("identifier")).get("value"))
    code = code or as_str(named.get("reference")).rpartition("Organization/")[2]
    place = f"Subscription.extension('{ORGANIZATION}')"
    if code:
        if not is_ods_code(code) or not access.sees(code):
            raise unprocessable("not-found", "There is no such organisation.", place)
        return code
    own = sorted(access.providers - {ALL})
    if len(own) != 1:
        text = (
            f"About whose requests? Name the organisation in the extension {ORGANIZATION}, as a "
            "Reference with its ODS code."
        )
        raise unprocessable("required", text, place)
    return own[0]
