"""Publishing Questionnaires and services through the API, for administrators.

Lint is the gate of a Questionnaire; a version that somebody has begun to answer never changes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from fhir_gateway.delivery.service_parts import unknown_parts
from fhir_gateway.delivery.showing import show_services
from fhir_gateway.fhir import check
from fhir_gateway.fhir.outcome import issue
from fhir_gateway.fhir.types import Element, Resource, as_dict, as_list, as_str
from fhir_gateway.provider.service import ServiceRefused, read_service
from fhir_gateway.rest import written
from fhir_gateway.rest.conditions import check_if_match
from fhir_gateway.rest.desk import Desk, Pending, checked, reading, refuse_errors, unprocessable
from fhir_gateway.rest.operations.validate import questionnaire_issues
from fhir_gateway.rest.problem import BAD_REQUEST, CONFLICT, UNPROCESSABLE, Problem, not_found
from fhir_gateway.rest.registry import Answer, Call
from fhir_gateway.store import published, resources, services
from fhir_gateway.store.database import Transaction
from fhir_gateway.store.resources import EVERYTHING, PUBLIC, OtherProvider
from fhir_gateway.web.fields import SHOWN_TYPES

_SERVICE_PARTS = ("HealthcareService", "Organization", "Endpoint")


def prepare_questionnaire(desk: Desk, call: Call) -> Pending:
    """Check a new Questionnaire. Raises Problem: 422 with what lint finds, 409 when its version is
    another's."""
    questionnaire = _linted(desk, call)
    kept = {**questionnaire, "id": str(uuid.uuid4())}
    return Pending(lambda tx: _publish(desk, call, kept, tx), f"Questionnaire/{kept['id']}")


def _publish(desk: Desk, call: Call, kept: Resource, tx: Transaction) -> Callable[[], Answer]:
    before = _published(desk, tx, kept)
    if before is not None:
        if _content(before) == _content(kept):
            return lambda: written.answer(call, before)
        text = "This version is published already, with another content: give it a new version."
        raise Problem(CONFLICT, "duplicate", text, expression=["Questionnaire.version"])
    return _write(desk, call, kept, tx, written.CREATED)


def prepare_questionnaire_update(desk: Desk, call: Call) -> Pending:
    """Check a change of a Questionnaire that nobody has begun to answer."""
    questionnaire = _linted(desk, call)
    if questionnaire.get("id") != call.id:
        text = "The id in the body must be the one of the address."
        raise Problem(BAD_REQUEST, "value", text, expression=["Questionnaire.id"])
    with reading(desk) as tx:
        found = resources.read(tx, "Questionnaire", call.id, EVERYTHING)
    if found is None or found.resource is None:
        raise not_found("Questionnaire")
    if not found.by_client:
        text = "It is of the gateway's own folders: publish a new version instead."
        raise Problem(CONFLICT, "business-rule", text)
    check_if_match(call.request, str(found.version))
    before, version = found.resource, found.version
    if _canonical(before) != _canonical(questionnaire):
        text = "url and version stay what they are: publish another version instead."
        raise Problem(CONFLICT, "business-rule", text, expression=["Questionnaire.version"])

    def apply(tx: Transaction) -> Callable[[], Answer]:
        if published.is_used(tx, _canonical(before)):
            text = "Somebody has begun to answer this version: publish a new one instead."
            raise Problem(CONFLICT, "business-rule", text)
        return _write(desk, call, questionnaire, tx, written.OK, expected=version)

    return Pending(apply, f"Questionnaire/{call.id}")


def _write(
    desk: Desk,
    call: Call,
    kept: Resource,
    tx: Transaction,
    status: int,
    expected: int | None = None,
) -> Callable[[], Answer]:
    now = desk.parts.clock()
    try:
        stored = resources.write(
            tx, kept, provider=PUBLIC, now=now, by_client=True, expected=expected
        )
    except resources.VersionConflict:
        raise Problem(412, "conflict", "It has changed since: read it again.") from None
    found = stored or resources.read(tx, "Questionnaire", kept["id"], EVERYTHING)
    shown = found.resource if found and found.resource else kept
    desk.keep(tx, call, status, shown)

    def end() -> Answer:
        desk.parts.catalogue.publish(shown)
        return written.answer(call, shown, status=status)

    return end


def _linted(desk: Desk, call: Call) -> Resource:
    questionnaire = checked(call, "Questionnaire")
    for element in ("url", "version"):
        if not as_str(questionnaire.get(element)):
            text = f"A Questionnaire needs a {element}, so that responses can name it."
            raise unprocessable("required", text, f"Questionnaire.{element}")
    found = questionnaire_issues(questionnaire, desk.parts.catalogue, shown_types=SHOWN_TYPES)
    refuse_errors(found)
    return questionnaire


def _published(desk: Desk, tx: Transaction, questionnaire: Resource) -> Resource | None:
    """What has this url and version already."""
    canonical = _canonical(questionnaire)
    known = desk.parts.catalogue.registry.resolve(canonical)
    if known is not None:
        return known
    del tx
    for later in published.questionnaires(desk.parts.database):
        if _canonical(later) == canonical:
            return later
    return None


def _canonical(questionnaire: Resource) -> str:
    return f"{as_str(questionnaire.get('url'))}|{as_str(questionnaire.get('version'))}"


def _content(questionnaire: Resource) -> Resource:
    return {k: v for k, v in questionnaire.items() if k not in ("id", "meta")}


def prepare_service(desk: Desk, call: Call) -> Pending:
    """Check a service: a HealthcareService that contains its Organization and Endpoint, or the
    Bundle that `service import` takes. PUT replaces one, POST makes a new one."""
    bundle = _as_bundle(call.resource or {})
    refuse_errors([one for part in _parts(bundle) for one in check.problems(part)])
    try:
        service = read_service(bundle)
    except ServiceRefused as error:
        raise _refused(error.problems) from None
    unknown = unknown_parts(desk.parts, service)
    if unknown:
        raise _refused(unknown)
    if call.id and call.id != service.slug:
        text = "The short name of the service must be the id of the address."
        raise Problem(BAD_REQUEST, "value", text, expression=["HealthcareService.identifier"])

    def apply(tx: Transaction) -> Callable[[], Answer]:
        return _save(desk, call, service.slug, bundle, tx)

    return Pending(apply, f"HealthcareService/{service.slug}")


def _save(
    desk: Desk, call: Call, slug: str, bundle: Resource, tx: Transaction
) -> Callable[[], Answer]:
    now = desk.parts.clock()
    before = services.find(tx, slug)
    if call.id and before is None:
        raise not_found("HealthcareService")
    if not call.id and before is not None and before != bundle:
        text = "There is a service with this short name: PUT changes it."
        raise Problem(CONFLICT, "duplicate", text, expression=["HealthcareService.identifier"])
    stored = resources.read(tx, "HealthcareService", slug, EVERYTHING)
    if stored is not None:
        check_if_match(call.request, str(stored.version))
    services.save(tx, slug, bundle, now=now)
    try:
        show_services(tx, now=now)
    except OtherProvider:
        text = "The service is another organisation's: its Organization cannot change."
        raise Problem(CONFLICT, "business-rule", text) from None
    shown = resources.read(tx, "HealthcareService", slug, EVERYTHING)
    resource = shown.resource if shown and shown.resource else {}
    status = written.OK if before is not None else written.CREATED
    desk.keep(tx, call, status, resource)
    return lambda: written.answer(call, resource, status=status)


def _as_bundle(given: Resource) -> Resource:
    """The Bundle of a service, whichever way it came."""
    if given.get("resourceType") == "Bundle":
        return {**given, "entry": [{"resource": part} for part in _parts(given)]}
    if given.get("resourceType") != "HealthcareService":
        text = "The body is a HealthcareService that contains its Organization and Endpoint."
        raise Problem(BAD_REQUEST, "invalid", text)
    contained = [as_dict(c) for c in as_list(given.get("contained"))]
    whole = {k: v for k, v in given.items() if k != "contained"}
    parts = [p for p in (whole, *contained) if p.get("resourceType") in _SERVICE_PARTS]
    names = {f"#{as_str(c.get('id'))}": f"{c.get('resourceType')}/{c.get('id')}" for c in contained}
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": _renamed(part, names)} for part in parts],
    }


def _parts(bundle: Resource) -> list[Resource]:
    entries = map(as_dict, as_list(bundle.get("entry")))
    return [as_dict(entry.get("resource")) for entry in entries]


def _renamed(value: Element, names: dict[str, str]) -> Element:
    """With references to what was contained as references within the Bundle."""
    found: Element = {}
    for key, inner in value.items():
        if key == "reference" and isinstance(inner, str):
            found[key] = names.get(inner, inner)
        elif isinstance(inner, dict):
            found[key] = _renamed(inner, names)
        elif isinstance(inner, list):
            found[key] = [_renamed(i, names) if isinstance(i, dict) else i for i in inner]
        else:
            found[key] = inner
    return found


def _refused(problems: list[str]) -> Problem:
    found = [issue("error", "business-rule", text) for text in problems]
    return Problem(UNPROCESSABLE, "", "refused", issues=found)
