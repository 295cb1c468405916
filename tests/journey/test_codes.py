"""The rules of security codes, each on SQLite and PostgreSQL. The sender only notes what it gets; what
a page makes of it is in tests/web/test_security_codes.py."""

from __future__ import annotations

import hmac
import re
import secrets
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from fhir_gateway.errors import TryLater
from fhir_gateway.journey import codes, tokens
from fhir_gateway.journey.codes import Checking, CodeText, Sending
from fhir_gateway.journey.limits import TextCaps
from fhir_gateway.sms.sender import SentText, TextStatus
from fhir_gateway.store import drafts, links, services, visits
from fhir_gateway.store.database import Database
from fhir_gateway.store.drafts import Draft, Progress

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
NUMBER = "+447700900101"
WORDS = CodeText("Rheumatology", "pifu.example.nhs.uk")
CAPS = TextCaps(6, 20, 300, 2000)


class Sender:
    """Notes texts."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        self.broken = False

    def send(self, *, to: str, text: str, reference: str) -> SentText:
        if self.broken:
            raise TryLater("down", code="down")
        self.texts.append((to, text))
        return SentText("1", reference, TextStatus.UNDER_WAY)

    def find(self, reference: str) -> SentText | None:
        return None

    def close(self) -> None:
        """Nothing."""

    @property
    def code(self) -> str:
        return self.texts[-1][1][:6]


class Desk:
    """A gateway's codes, with drafts to ask for them."""

    def __init__(self, database: Database) -> None:
        self.database, self.sender = database, Sender()
        with database.transaction() as tx:
            services.save(tx, "rheumatology", {"resourceType": "Bundle"}, now=NOON)

    def draft(self, link: str | None = None) -> Draft:
        with self.database.transaction() as tx:
            visit = visits.begin(tx, secrets.token_urlsafe(8), now=NOON)
            link_id = link or links.add(
                tx,
                secrets.token_urlsafe(16),
                "rheumatology",
                bound_to=None,
                expires_at=None,
                now=NOON,
            )
            draft_id = drafts.create(
                tx,
                visit_id=visit.id,
                link_id=link_id,
                service_slug="rheumatology",
                questionnaire="q",
                progress=Progress({}),
                now=NOON,
            )
            found = drafts.find(tx, draft_id, visit.id)
        assert found
        return found

    def send(self, draft: Draft, number: str = NUMBER, **given: Any) -> Sending:
        minutes = given.pop("minutes", 0.0)
        return codes.send(
            self.database,
            self.sender,
            draft,
            number,
            address=given.pop("address", "192.0.2.1"),
            words=WORDS,
            caps=given.pop("caps", CAPS),
            now=NOON + timedelta(minutes=minutes),
        )

    def check(
        self, draft: Draft, typed: str, number: str = NUMBER, minutes: float = 0.0
    ) -> Checking:
        now = NOON + timedelta(minutes=minutes)
        return codes.check(self.database, draft.id, draft.visit_id, number, typed, now=now)


@pytest.fixture
def desk(either: Database) -> Desk:
    return Desk(either)


def wrong(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 1_000_000:06d}"


def number(n: int) -> str:
    return f"+447700900{n:03}"


def test_a_code_is_accepted_once(desk: Desk) -> None:
    draft = desk.draft()
    assert desk.send(draft) is Sending.SENT
    assert desk.check(draft, desk.sender.code) is Checking.ACCEPTED
    assert desk.check(draft, desk.sender.code) is Checking.EXPIRED


def test_a_code_has_six_digits_and_any_may_come() -> None:
    made = [tokens.security_code(6) for _ in range(3000)]
    assert all(re.fullmatch(r"[0-9]{6}", code) for code in made)
    firsts = Counter(code[0] for code in made)
    assert set(firsts) == set("0123456789")
    assert max(firsts.values()) < 2 * min(firsts.values())


@pytest.mark.parametrize(("minutes", "outcome"), [(9.99, "accepted"), (10, "expired")])
def test_a_code_lives_ten_minutes(desk: Desk, minutes: float, outcome: str) -> None:
    draft = desk.draft()
    desk.send(draft)
    assert desk.check(draft, desk.sender.code, minutes=minutes) == outcome


def test_five_tries_and_then_not_even_the_right_one(desk: Desk) -> None:
    draft = desk.draft()
    desk.send(draft)
    code = desk.sender.code
    tries = [desk.check(draft, wrong(code, n)) for n in range(1, 6)]
    assert tries == [Checking.WRONG] * 4 + [Checking.TOO_MANY_TRIES]
    assert desk.check(draft, code) is Checking.TOO_MANY_TRIES


def test_guesses_at_once_have_no_more_than_five(desk: Desk) -> None:
    draft = desk.draft()
    desk.send(draft)
    code = desk.sender.code
    with ThreadPoolExecutor(8) as pool:
        tries = list(pool.map(lambda n: desk.check(draft, wrong(code, n)), range(1, 25)))
    assert tries.count(Checking.WRONG) <= 4
    assert tries.count(Checking.TOO_MANY_TRIES) == len(tries) - tries.count(Checking.WRONG)


def test_the_right_code_many_times_at_once_is_accepted_once(desk: Desk) -> None:
    draft = desk.draft()
    desk.send(draft)
    code = desk.sender.code
    with ThreadPoolExecutor(5) as pool:
        tries = list(pool.map(lambda _: desk.check(draft, code), range(5)))
    assert tries.count(Checking.ACCEPTED) == 1


def test_a_new_code_kills_the_old(desk: Desk) -> None:
    draft = desk.draft()
    desk.send(draft)
    old = desk.sender.code
    desk.send(draft)
    if old != desk.sender.code:
        assert desk.check(draft, old) is Checking.WRONG
    assert desk.check(draft, desk.sender.code) is Checking.ACCEPTED


def test_a_code_is_good_for_its_draft_and_number_alone(desk: Desk) -> None:
    mine, other = desk.draft(), desk.draft()
    desk.send(mine)
    code = desk.sender.code
    assert desk.check(other, code) is Checking.EXPIRED
    assert desk.check(mine, code, number=number(102)) is Checking.WRONG
    assert desk.check(mine, code) is Checking.ACCEPTED


def test_three_codes_in_any_half_hour(desk: Desk) -> None:
    """Not in each half hour of the clock: 27, 28, 29 and then 31 past twelve is a fourth."""
    draft = desk.draft()
    sent = [desk.send(draft, minutes=m) for m in (27, 28, 29, 31, 40, 55)]
    assert sent == [Sending.SENT] * 3 + [Sending.LIMITED] * 3
    assert len(desk.sender.texts) == 3
    assert desk.send(draft, minutes=64) is Sending.SENT


def test_a_code_that_was_not_sent_does_not_kill_the_one_that_was(desk: Desk) -> None:
    draft = desk.draft()
    for _ in range(3):
        desk.send(draft)
    code = desk.sender.code
    assert desk.send(draft) is Sending.LIMITED
    assert desk.check(draft, code) is Checking.ACCEPTED


@pytest.mark.parametrize(
    ("caps", "sends"),
    [
        (TextCaps(4, 20, 300, 2000), {"number": NUMBER}),
        (TextCaps(6, 4, 300, 2000), {"number": NUMBER}),
        (TextCaps(6, 20, 4, 2000), {"address": "192.0.2.7"}),
        (TextCaps(6, 20, 300, 4), {}),
        (TextCaps(6, 20, 300, 2000, 4), {"link": "the same"}),
    ],
    ids=["codes to a number", "texts to a number", "an address", "all", "a link"],
)
def test_every_cap_holds_over_many_drafts(
    desk: Desk, caps: TextCaps, sends: dict[str, str]
) -> None:
    """A bill by text pumping is impossible: whatever changes from call to call, one cap stays."""
    first = desk.draft()
    sent = []
    for n in range(7):
        draft = desk.draft(first.link_id if "link" in sends else None)
        to = sends.get("number", number(200 + n))
        address = sends.get("address", f"192.0.2.{n}")
        sent.append(desk.send(draft, to, address=address, caps=caps))
    assert sent == [Sending.SENT] * 4 + [Sending.LIMITED] * 3
    assert len(desk.sender.texts) == 4


def test_caps_hold_when_many_ask_at_once(desk: Desk) -> None:
    waiting = [desk.draft() for _ in range(12)]
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(desk.send, waiting))
    assert sent.count(Sending.SENT) == CAPS.codes_per_number


def test_asking_in_vain_uses_up_nothing_of_others(desk: Desk) -> None:
    """Else whoever asks over and over could keep everybody from getting a code."""
    caps = TextCaps(6, 20, 300, 5)
    nuisance = desk.draft()
    for _ in range(50):
        desk.send(nuisance, caps=caps)
    assert len(desk.sender.texts) == 3
    assert desk.send(desk.draft(), number(150), address="198.51.100.1", caps=caps) is Sending.SENT


def test_a_provider_that_is_down_is_told_to_the_person(desk: Desk) -> None:
    desk.sender.broken = True
    assert desk.send(desk.draft()) is Sending.FAILED


@pytest.mark.parametrize("typed", ["12345", "1234567", "", "١٢٣٤٥٦", "12345a", "1e5000", "0x1F2A"])
def test_what_is_no_code_costs_no_try(desk: Desk, typed: str) -> None:
    draft = desk.draft()
    desk.send(draft)
    for _ in range(7):
        assert desk.check(draft, typed) is Checking.MALFORMED
    assert desk.check(draft, desk.sender.code) is Checking.ACCEPTED


def test_neither_code_nor_number_is_in_the_database(desk: Desk) -> None:
    draft = desk.draft()
    desk.send(draft)
    code = desk.sender.code
    with desk.database.transaction() as tx:
        rows = repr(
            [
                tx.session.execute(text(f"SELECT * FROM {table}")).all()
                for table in ("security_code", "counter")
            ]
        )
    assert "7700900101" not in rows
    assert not re.search(rf"\b{code}\b", rows)


def test_the_same_code_is_kept_differently_each_time_and_needs_the_key(desk: Desk) -> None:
    sealer = desk.database.sealer
    one, two = (sealer.mac("security-code", str(uuid.uuid4()), "123456") for _ in range(2))
    assert one != two
    assert len(one) == 64


def test_codes_are_compared_in_constant_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    original = hmac.compare_digest

    def noting(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return original(left, right)

    draft = desk.draft()
    desk.send(draft)
    code = desk.sender.code
    monkeypatch.setattr("fhir_gateway.store.seal.hmac.compare_digest", noting)
    desk.check(draft, wrong(code), number=number(103))
    # Both the code and the number are compared, whichever of them is wrong.
    assert len(compared) >= 2
    assert {len(left) for left, _ in compared} <= {64}


def test_a_code_is_never_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    draft = desk.draft()
    desk.send(draft)
    desk.check(draft, wrong(desk.sender.code))
    desk.check(draft, desk.sender.code)
    assert desk.sender.code not in caplog.text
    assert "7700900101" not in caplog.text
