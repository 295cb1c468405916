"""Everything of the API that writes or operates, put into its registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fhir_gateway.fhir.terminology import Expander
from fhir_gateway.rest import (
    bundles,
    existing,
    invite,
    publish,
    response_create,
    subscription_write,
    task_update,
)
from fhir_gateway.rest.conditions import if_match
from fhir_gateway.rest.desk import Desk, Pending, Prepare, run
from fhir_gateway.rest.dispatch import Observer
from fhir_gateway.rest.operations import match, questionnaires, terminology, validate
from fhir_gateway.rest.problem import PRECONDITION_FAILED, Problem
from fhir_gateway.rest.registry import (
    Answer,
    Call,
    Handler,
    Interaction,
    Operation,
    Registry,
)

INVITE = "https://w3id.org/fhir-gateway/OperationDefinition/CommunicationRequest-invite"
_TRIES = 3
_CONDITIONAL = {"conditionalCreate": True}


def register(
    registry: Registry,
    desk: Desk,
    *,
    expander: Expander | None = None,
    observers: tuple[Observer, ...] = (),
) -> None:
    """Serve it. After everything else that is served: `$validate` is for each type there is.
    `observers`: told of each entry of a Bundle."""
    prepares = _prepares(desk)
    for (resource_type, interaction), prepare in prepares.items():
        registry.offer(resource_type, {Interaction(interaction): _handler(desk, prepare)})
    registry.offer(
        "CommunicationRequest",
        {Interaction.CREATE: lambda call: invite.create(desk, call)},
    )
    registry.offer(
        "Subscription",
        {
            Interaction.UPDATE: lambda call: subscription_write.update(desk, call),
            Interaction.DELETE: lambda call: subscription_write.delete(desk, call),
        },
    )
    for served in registry.types():
        if Interaction.CREATE in served.handlers:
            served.declared.update(_CONDITIONAL)
    registry.operation(
        Operation(
            "invite",
            INVITE,
            lambda call: invite.invite_batch(desk, call),
            "CommunicationRequest",
            letter="c",
            raw=True,
        )
    )
    _operations(registry, desk, expander)
    bundles.register(registry, desk, prepares, observers)


def _operations(registry: Registry, desk: Desk, expander: Expander | None) -> None:
    parts = desk.parts
    questionnaires.register(registry, parts.catalogue, parts.clock)
    terminology.register(registry, parts.catalogue, parts.clock, expander)
    match.register(registry, parts)
    validate.register(registry, parts.catalogue, parts.profiles, parts.clock)


def _prepares(desk: Desk) -> Mapping[tuple[str, str], Prepare]:
    """What can be within a transaction, by type and interaction."""

    def bound(prepare: Callable[[Desk, Call], Pending]) -> Prepare:
        return lambda call: prepare(desk, call)

    def conditional(prepare: Callable[[Desk, Call], Pending]) -> Prepare:
        return lambda call: existing.unless(prepare(desk, call), call, desk.parts.clock)

    create, update, patch = Interaction.CREATE, Interaction.UPDATE, Interaction.PATCH
    return {
        ("QuestionnaireResponse", create): bound(response_create.prepare),
        ("Task", update): bound(task_update.prepare_put),
        ("Task", patch): bound(task_update.prepare_patch),
        ("Subscription", create): conditional(subscription_write.prepare_create),
        ("Questionnaire", create): conditional(publish.prepare_questionnaire),
        ("Questionnaire", update): bound(publish.prepare_questionnaire_update),
        ("HealthcareService", create): conditional(publish.prepare_service),
        ("HealthcareService", update): bound(publish.prepare_service),
    }


def _handler(desk: Desk, prepare: Prepare) -> Handler:
    def handler(call: Call) -> Answer:
        for _ in range(_TRIES - 1):
            try:
                return run(desk, prepare(call))
            except Problem as problem:
                # A patch that names no version is for whatever is there.
                named = call.interaction != Interaction.PATCH or if_match(call.request)
                if named or problem.status != PRECONDITION_FAILED:
                    raise
        return run(desk, prepare(call))

    return handler
