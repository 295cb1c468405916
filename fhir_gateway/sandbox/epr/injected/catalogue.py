"""Every fault by its name, with a sentence that says what an EPR with it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fhir_gateway.sandbox.epr.injected import (
    answering,
    bundling,
    declaring,
    searching,
    storing,
)
from fhir_gateway.sandbox.epr.injected.access import without_token
from fhir_gateway.sandbox.epr.injected.exchange import Fault, on_answer, on_request, on_stored


class Known(NamedTuple):
    """A fault that can be switched on. `make`: it may remember what it saw, so each is new."""

    name: str
    sentence: str
    make: Callable[[], Fault]


def _always(name: str, sentence: str, fault: Fault) -> Known:
    return Known(name, sentence, lambda: fault)


_STORING = (
    _always(
        "forgets-if-none-exist",
        "Takes conditional creates for creates, so that a second send doubles.",
        on_request(storing.without_condition),
    ),
    _always(
        "creates-when-many-match",
        "Creates one more resource where a conditional create matches several.",
        answering.many_is_none,
    ),
    _always(
        "drops-extensions",
        "Keeps no extension, such as the contact preference of a patient.",
        on_stored(storing.without_extensions),
    ),
    _always(
        "drops-foreign-identifiers",
        "Keeps no identifier but the NHS number.",
        on_stored(storing.without_foreign_identifiers),
    ),
    _always(
        "drops-attachments",
        "Keeps no data of attachments, such as the letter of a request.",
        on_stored(storing.without_attachments),
    ),
    _always(
        "drops-references",
        "Keeps what is referred to by its name alone.",
        on_stored(storing.without_references),
    ),
    _always(
        "drops-narrative",
        "Keeps no narrative, which is what staff read where nothing else is shown.",
        on_stored(storing.without_narrative),
    ),
    _always(
        "drops-canonical-version",
        "Keeps which questionnaire was answered without its version.",
        on_stored(storing.without_versions),
    ),
    _always(
        "drops-what-it-does-not-show",
        "Keeps no element that its screens have no place for, such as the input of a Task.",
        on_stored(storing.without_what_it_does_not_show),
    ),
    _always(
        "sets-own-status",
        "Gives requests and Tasks a status of its own.",
        on_stored(storing.of_own_status),
    ),
    _always(
        "lower-cases-values",
        "Keeps identifiers, names and addresses in lower case.",
        on_stored(storing.in_lower_case),
    ),
    _always(
        "cuts-long-text",
        "Cuts what patients wrote after 60 characters.",
        on_stored(storing.cut),
    ),
    _always(
        "loses-emoji",
        "Keeps a question mark for each character that takes four bytes in UTF-8.",
        on_stored(storing.without_emoji),
    ),
    _always(
        "joins-lines",
        "Keeps what patients wrote on one line.",
        on_stored(storing.on_one_line),
    ),
    _always(
        "loses-time-of-day",
        "Keeps the day of a request and not its time.",
        on_stored(storing.by_day),
    ),
    _always(
        "refuses-client-ids",
        "Answers 405 to a PUT of an id that is new, and declares that it would take it.",
        answering.no_new_ids,
    ),
    _always(
        "chooses-own-ids",
        "Gives a PUT of an id that is new an id of its own.",
        answering.only_own_ids,
    ),
    _always(
        "accepts-invalid-resources",
        "Answers 201 to a resource that is not valid FHIR.",
        on_answer(answering.invalid_is_taken),
    ),
    _always(
        "ignores-delete",
        "Answers 204 to a delete and keeps the resource.",
        answering.deaf_to_delete,
    ),
    Known(
        "stale-read-after-write",
        "Does not find what was written a moment ago, the first time that it is asked.",
        bundling.Stale,
    ),
)
_SEARCHING = (
    _always(
        "ignores-search-parameters",
        "Answers a search with everything of the type.",
        on_request(searching.without_parameters),
    ),
    _always(
        "ignores-identifier-system",
        "Searches identifiers by their value, in whatever system.",
        on_request(searching.without_system),
    ),
    _always(
        "case-sensitive-search",
        "Finds a name only as it is written.",
        on_answer(searching.by_case),
    ),
    _always(
        "finds-no-identifier",
        "Declares search by identifier and finds nothing by it.",
        on_answer(searching.nothing),
    ),
    _always(
        "hides-all-but-one",
        "Tells of one match where there are several.",
        on_answer(searching.merged),
    ),
    _always(
        "wrong-total",
        "Counts one match too many in Bundle.total.",
        on_answer(searching.one_too_many),
    ),
    _always(
        "search-without-bundle",
        "Answers a search with a list of resources that is no Bundle.",
        on_answer(searching.as_list_of_resources),
    ),
    _always(
        "empty-search-is-404",
        "Answers 404 to a search that finds nothing.",
        on_answer(searching.none_is_missing),
    ),
)
_ANSWERING = (
    _always(
        "wrong-location",
        "Names a resource that is not there in the Location of a create.",
        on_answer(answering.wrong_location),
    ),
    _always(
        "missing-location",
        "Answers a create without a Location.",
        on_answer(answering.no_location),
    ),
    _always(
        "create-answers-200",
        "Answers 200 where it created a resource.",
        on_answer(answering.created_is_200),
    ),
    _always(
        "found-answers-201",
        "Answers 201 to a conditional create that found the resource.",
        on_answer(answering.found_is_201),
    ),
    _always(
        "empty-create",
        "Answers a create without a body, whatever the client prefers.",
        on_answer(answering.empty_create),
    ),
    _always(
        "answers-202",
        "Answers a create with 202 and nothing more.",
        on_answer(answering.accepted),
    ),
    _always(
        "error-in-success",
        "Answers a create with 201 and an OperationOutcome that says that it failed.",
        on_answer(answering.error_in_success),
    ),
    _always(
        "answers-with-login-page",
        "Answers everything with 200 and a page in HTML where people log in.",
        on_answer(answering.login_page),
    ),
    _always(
        "wrong-content-type",
        "Calls its JSON text/plain.",
        on_answer(answering.plain_text),
    ),
    _always("missing-etag", "Gives no ETag.", on_answer(answering.no_etag)),
    _always(
        "missing-version",
        "Names no version: neither in the ETag, nor in the Location, nor in meta.versionId.",
        on_answer(answering.no_version),
    ),
    _always(
        "errors-in-html",
        "Answers errors with a page in HTML.",
        on_answer(answering.html_errors),
    ),
    _always(
        "errors-with-200",
        "Answers errors with 200 and an OperationOutcome.",
        on_answer(answering.errors_are_200),
    ),
    _always(
        "not-found-is-empty-200",
        "Answers a read of what is not there with 200 and no body.",
        on_answer(answering.missing_is_empty),
    ),
    _always(
        "malformed-is-500",
        "Answers 500 to JSON that it cannot read.",
        on_answer(answering.broken_is_500),
    ),
)
_BUNDLING = (
    _always(
        "half-applied-transaction",
        "Does what it can of a transaction that it refuses.",
        bundling.half_applied,
    ),
    _always(
        "transaction-as-batch",
        "Carries a transaction out as a batch, each entry by itself.",
        bundling.as_batch,
    ),
    _always(
        "answers-batch-response",
        "Calls its answer to a transaction a batch-response.",
        on_answer(bundling.called_batch),
    ),
    _always(
        "wrong-ids-in-response",
        "Names resources that are not there in a transaction-response.",
        on_answer(bundling.other_ids),
    ),
    _always(
        "response-out-of-order",
        "Answers the entries of a transaction in another order.",
        on_answer(bundling.backwards),
    ),
    _always(
        "response-one-short",
        "Leaves the last entry out of a transaction-response.",
        on_answer(bundling.one_short),
    ),
    _always(
        "says-message-failed",
        "Takes a message and answers that it failed.",
        on_answer(bundling.message_failed),
    ),
    Known(
        "leaves-urn-references",
        "Leaves references within a transaction as urn:uuid.",
        bundling.UrnsLeft,
    ),
)
_DECLARING = (
    _always("metadata-fails", "Answers 500 at /metadata.", declaring.metadata_fails),
    _always(
        "wrong-fhir-version",
        "Says in /metadata that it speaks FHIR 3.0.2.",
        declaring.of_metadata(declaring.of_stu3),
    ),
    _always(
        "claims-xml",
        "Declares XML and answers 406 to who asks for it.",
        declaring.of_metadata(declaring.with_xml),
    ),
    _always(
        "claims-transactions",
        "Declares transactions and answers 404 to them.",
        declaring.no_transactions,
    ),
    _always(
        "claims-messages",
        "Declares $process-message and answers 404 to it.",
        declaring.no_messages,
    ),
    _always(
        "refuses-provenance",
        "Declares the create of Provenance and answers 403 to it.",
        declaring.no_provenance,
    ),
    _always(
        "declares-no-create",
        "Declares no create, although it takes it.",
        declaring.of_metadata(declaring.without_create),
    ),
    _always(
        "declares-no-identifier-search",
        "Declares no search by identifier, although it knows it.",
        declaring.of_metadata(declaring.without_identifier_search),
    ),
    _always(
        "accepts-without-token",
        "Answers those who bring no token, or a wrong one.",
        without_token,
    ),
    _always(
        "unauthorised-is-500",
        "Answers 500 to those who bring no token.",
        on_answer(answering.unauthorised_is_500),
    ),
    _always(
        "no-smart-configuration",
        "Wants tokens and does not say where they are.",
        declaring.no_smart_configuration,
    ),
)

#: Every fault by its name.
FAULTS: dict[str, Known] = {
    known.name: known for known in (*_STORING, *_SEARCHING, *_ANSWERING, *_BUNDLING, *_DECLARING)
}
