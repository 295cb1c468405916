"""What each answer of an EPR means, for a write and for a look (docs/epr.md has the table)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from fhir_gateway.epr.progress import MemoryProgress
from fhir_gateway.errors import GatewayError, OutcomeUnknown, Refused, TryLater
from fhir_gateway.fhir.identifiers import REQUEST_ID, identifier
from fhir_gateway.provider.endpoint import EprEndpoint, RepeatMode, Strategy
from tests.epr.conftest import MakeAdapter
from tests.epr.scripted import CONTENT, Reply, Scripted, Seen, declared, outcome, searchset
from tests.sandbox.epr.request_bundle import request_bundle

REQUEST = str(uuid.uuid4())
HTML = {"Content-Type": "text/html"}
TYPES = ("Patient", "ServiceRequest", "QuestionnaireResponse", "Task", "Provenance")


def unguarded():  # type: ignore[no-untyped-def]
    return lambda: None


def only_writes(reply: Reply):  # type: ignore[no-untyped-def]
    return lambda seen: reply if seen.method == "POST" else None


def sending(epr: Scripted, adapter: MakeAdapter, strategy: Strategy, patience: float = 15.0) -> Any:
    way = adapter(EprEndpoint(epr.base, strategy), patience=patience)
    return way.send(request_bundle(request_id=REQUEST, matched=False), REQUEST, unguarded)


DEFINITE = [
    (Reply(400, outcome("invalid"), CONTENT), Refused, "epr-400"),
    (Reply(401), TryLater, "epr-401"),
    (Reply(403, outcome("forbidden"), CONTENT), Refused, "epr-403"),
    (Reply(404, b"<html>no</html>", HTML), Refused, "epr-404"),
    (Reply(405), Refused, "epr-405"),
    (Reply(406), Refused, "epr-406"),
    (Reply(408), TryLater, "epr-408"),
    (Reply(409, outcome("conflict"), CONTENT), TryLater, "epr-409"),
    (Reply(410), Refused, "epr-410"),
    (Reply(412, outcome("conflict"), CONTENT), Refused, "epr-412"),
    (Reply(413), Refused, "epr-413"),
    (Reply(415), Refused, "epr-415"),
    (Reply(422, outcome("invariant"), CONTENT), Refused, "epr-422"),
    (Reply(425), TryLater, "epr-425"),
    (Reply(429, None, {"Retry-After": "7"}), TryLater, "epr-429"),
    (Reply(503, b"busy", HTML), TryLater, "epr-503"),
    (Reply(301, None, {"Location": "https://elsewhere.example.org/"}), Refused, "epr-301"),
    (Reply(307, None, {"Location": "https://elsewhere.example.org/"}), Refused, "epr-307"),
    (Reply(308, None, {"Location": "https://elsewhere.example.org/"}), Refused, "epr-308"),
]
UNKNOWN = [
    (Reply(500, outcome("exception"), CONTENT), "epr-500"),
    (Reply(502, b"<html>bad gateway</html>", HTML), "epr-502"),
    (Reply(504), "epr-504"),
    (Reply(302, None, {"Location": "/login"}), "epr-302"),
    (Reply(303, None, {"Location": "/result"}), "epr-303"),
    (Reply(drop=True), "epr-silent"),
    (Reply(pause=2.0), "epr-silent"),
    (Reply(200, b"{" + b" " * 60, CONTENT, trickle=0.05), "epr-silent"),
    (Reply(200, outcome("processing"), CONTENT), "epr-contradicts"),
    (Reply(201, outcome("processing", severity="fatal"), CONTENT), "epr-contradicts"),
]


@pytest.mark.parametrize("strategy", [Strategy.TRANSACTION, Strategy.CREATES])
@pytest.mark.parametrize(("reply", "kind", "code"), DEFINITE, ids=[c for _, _, c in DEFINITE])
def test_a_definite_answer(
    epr: Scripted,
    adapter: MakeAdapter,
    reply: Reply,
    kind: type[GatewayError],
    code: str,
    strategy: Strategy,
) -> None:
    epr.answer = only_writes(reply)
    with pytest.raises(kind) as caught:
        sending(epr, adapter, strategy)
    assert caught.value.code == code
    assert len(epr.writes()) == 1, "it was sent once"


@pytest.mark.parametrize("strategy", [Strategy.TRANSACTION, Strategy.CREATES])
@pytest.mark.parametrize(("reply", "code"), UNKNOWN, ids=[c for _, c in UNKNOWN])
def test_an_answer_after_which_nobody_knows(
    epr: Scripted, adapter: MakeAdapter, reply: Reply, code: str, strategy: Strategy
) -> None:
    epr.answer = only_writes(reply)
    patience = 1.0 if reply.pause or reply.trickle else 15.0
    with pytest.raises(OutcomeUnknown) as caught:
        sending(epr, adapter, strategy, patience)
    assert caught.value.code == code
    assert len(epr.writes()) == 1, "it was sent once"


@pytest.mark.parametrize("end", ["", "/"])
def test_a_transaction_goes_to_the_base_without_a_slash(
    epr: Scripted, adapter: MakeAdapter, end: str
) -> None:
    """https://hl7.org/fhir/R4/http.html#transaction: POST [base]. Servers that tell the two apart
    redirect from one to the other, and a redirect is never followed."""
    epr.answer = only_writes(Reply(503))
    way = adapter(EprEndpoint(f"{epr.base}{end}", Strategy.TRANSACTION))
    with pytest.raises(TryLater):
        way.send(request_bundle(request_id=REQUEST, matched=False), REQUEST, unguarded)
    assert [seen.path for seen in epr.writes()] == ["/fhir"]


def test_retry_after_is_handed_on(epr: Scripted, adapter: MakeAdapter) -> None:
    epr.answer = only_writes(Reply(429, None, {"Retry-After": "7"}))
    with pytest.raises(TryLater) as caught:
        sending(epr, adapter, Strategy.TRANSACTION)
    assert caught.value.after == 7


def test_nobody_listens(epr: Scripted, adapter: MakeAdapter) -> None:
    way = adapter(EprEndpoint("http://127.0.0.1:9/fhir"))
    with pytest.raises(TryLater) as caught:
        way.send(request_bundle(request_id=REQUEST), REQUEST, unguarded)
    assert caught.value.code == "epr-unreachable"


def test_a_redirect_is_never_followed(epr: Scripted, adapter: MakeAdapter) -> None:
    target = f"{epr.base}/elsewhere"
    epr.answer = only_writes(Reply(307, None, {"Location": target}))
    with pytest.raises(Refused, match="redirect"):
        sending(epr, adapter, Strategy.TRANSACTION)
    assert not [s for s in epr.seen if "elsewhere" in s.path]


def test_words_of_the_epr_are_in_no_error(epr: Scripted, adapter: MakeAdapter) -> None:
    epr.answer = only_writes(Reply(422, outcome("invalid", text="Adaeze Okafor"), CONTENT))
    with pytest.raises(Refused) as caught:
        sending(epr, adapter, Strategy.TRANSACTION)
    assert "Okafor" not in str(caught.value)
    assert "invalid" in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"<html>welcome</html>",
        b"{broken",
        {"resourceType": "Bundle", "type": "transaction-response", "entry": []},
        {"resourceType": "Bundle", "type": "searchset"},
        outcome("informational", severity="information"),
        b'{"x":"' + b"a" * 6_000_000 + b'"}',
    ],
    ids="empty html broken no-entries searchset outcome huge".split(),
)
def test_a_success_that_does_not_say_what_became_of_the_transaction(
    epr: Scripted, adapter: MakeAdapter, body: Any
) -> None:
    epr.answer = only_writes(Reply(200, body, CONTENT))
    with pytest.raises(OutcomeUnknown) as caught:
        sending(epr, adapter, Strategy.TRANSACTION)
    assert caught.value.code == "epr-no-response"


def there(resource_type: str) -> dict[str, Any]:
    """The request's resource as the EPR has it."""
    return {
        "resourceType": resource_type,
        "id": "77",
        "meta": {"versionId": "3"},
        "identifier": [identifier(REQUEST_ID, REQUEST)],
    }


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_because_the_request_is_there_is_a_delivery(
    epr: Scripted, adapter: MakeAdapter, status: int
) -> None:
    def answer(seen: Seen) -> Reply | None:
        if seen.method == "POST":
            return Reply(status, outcome("conflict"), CONTENT)
        if "/ServiceRequest?" in seen.path:
            return Reply(200, searchset(there("ServiceRequest")), CONTENT)
        return None

    epr.answer = answer
    delivered = sending(epr, adapter, Strategy.TRANSACTION)
    assert delivered.references == ["ServiceRequest/77"]
    assert delivered.resources[0].version == "3"


def test_a_422_that_means_duplicate_is_looked_into(epr: Scripted, adapter: MakeAdapter) -> None:
    epr.answer = only_writes(Reply(422, outcome("duplicate"), CONTENT))
    with pytest.raises(TryLater) as caught:
        sending(epr, adapter, Strategy.TRANSACTION)
    assert caught.value.code == "epr-422"


def entries(*statuses: str) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "batch-response",
        "entry": [
            {"response": {"status": s, "location": f"{t}/{i}/_history/1"}}
            for i, (t, s) in enumerate(zip(TYPES, statuses, strict=True))
        ],
    }


def test_a_half_applied_transaction_needs_a_person_and_a_retry_sends_only_the_rest(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    progress = MemoryProgress()
    bundle = request_bundle(request_id=REQUEST, matched=False)
    way = adapter(EprEndpoint(epr.base, Strategy.TRANSACTION), progress)
    epr.answer = only_writes(
        Reply(200, entries("201", "201", "201 Created", "422", "400 Bad Request"), CONTENT)
    )
    # The parts are sent in the order of their references, which is not that of the Bundle.
    with pytest.raises(Refused) as caught:
        way.send(bundle, REQUEST, unguarded)
    assert caught.value.code == "epr-half-applied"
    kept = [landed for landed in progress.load(REQUEST).values() if landed]
    assert kept
    assert way.find(bundle, REQUEST) is None

    before = len(epr.writes())

    def rest(seen: Seen) -> Reply | None:
        if seen.method != "POST":
            return None
        name = seen.path.rsplit("/", 1)[-1]
        return Reply(201, None, {"Location": f"{epr.base}/{name}/r{len(epr.seen)}/_history/1"})

    epr.answer = rest
    delivered = way.send(bundle, REQUEST, unguarded)
    assert len(epr.writes()) - before == 5 - len(kept)
    assert len(delivered.resources) == 5


def test_no_entry_of_a_transaction_was_taken(epr: Scripted, adapter: MakeAdapter) -> None:
    epr.answer = only_writes(Reply(200, entries(*["422"] * 5), CONTENT))
    with pytest.raises(Refused) as caught:
        sending(epr, adapter, Strategy.TRANSACTION)
    assert caught.value.code == "epr-entries-refused"


def test_an_epr_that_does_not_declare_transactions_gets_none(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    epr.statement = declared(system=("batch",))
    with pytest.raises(Refused) as caught:
        sending(epr, adapter, Strategy.TRANSACTION)
    assert caught.value.code == "epr-no-transaction"
    assert not epr.writes()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, None), TryLater),
        (Reply(200, b"<html>maintenance</html>", HTML), TryLater),
        (Reply(200, outcome("informational", severity="information"), CONTENT), TryLater),
        (Reply(500), TryLater),
        (Reply(503), TryLater),
        (Reply(drop=True), TryLater),
        (Reply(302, None, {"Location": "/login"}), Refused),
        (Reply(400), Refused),
        (Reply(401), TryLater),
        (Reply(404), Refused),
    ],
)
def test_a_look_that_does_not_tell_is_never_taken_for_absence(
    epr: Scripted, adapter: MakeAdapter, reply: Reply, kind: type[GatewayError]
) -> None:
    epr.answer = lambda seen: reply if "/ServiceRequest?" in seen.path else None
    way = adapter(EprEndpoint(epr.base, Strategy.TRANSACTION))
    with pytest.raises(kind):
        way.find(request_bundle(request_id=REQUEST), REQUEST)


def test_a_search_that_passes_over_the_identifier_does_not_tell(
    epr: Scripted, adapter: MakeAdapter
) -> None:
    other = {**there("ServiceRequest"), "identifier": [identifier(REQUEST_ID, "another")]}
    epr.answer = lambda seen: (
        Reply(200, searchset(other), CONTENT) if "/ServiceRequest?" in seen.path else None
    )
    way = adapter(EprEndpoint(epr.base, Strategy.TRANSACTION))
    with pytest.raises(OutcomeUnknown) as caught:
        way.find(request_bundle(request_id=REQUEST), REQUEST)
    assert caught.value.code == "epr-cannot-look"


def test_where_there_is_no_search_a_person_must_look(epr: Scripted, adapter: MakeAdapter) -> None:
    epr.statement = declared(identifier=False)
    way = adapter(EprEndpoint(epr.base, Strategy.TRANSACTION, RepeatMode.OPERATOR_CHECK))
    with pytest.raises(OutcomeUnknown) as caught:
        way.find(request_bundle(request_id=REQUEST), REQUEST)
    assert caught.value.code == "epr-cannot-look"
