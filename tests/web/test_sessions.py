"""Sessions, forms and links: what is not in order leads to a helpful page, and the draft is still
there when it can be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from fhir_gateway.store import links
from tests.web.conftest import Pages
from tests.web.walking import MEDICAL, Walker

MakeWalker = Callable[[], Walker]


@pytest.mark.parametrize(
    "token",
    [
        "a" * 22,
        "short",
        "x" * 500,
        "../../etc/passwd",
        "%00%00",
        "<script>alert(1)</script>",
        "{{7*7}}",
    ],
)
def test_an_unknown_link_leads_to_a_helpful_page(pages: Pages, token: str) -> None:
    answer = httpx.get(f"{pages.base}/r/{token}")
    assert answer.status_code == 404
    assert "NHS" in answer.text
    assert "call 999" in answer.text
    assert "<script>alert" not in answer.text


def test_a_revoked_link_leads_to_a_helpful_page(pages: Pages, walker: MakeWalker) -> None:
    someone = walker()
    assert someone.page.status_code == 200
    token = someone.link.rpartition("/")[2]
    with pages.gateway.database.transaction() as tx:
        found = links.by_token(tx, token)
        assert found is not None
        assert links.revoke(tx, found.id, now=pages.clock())
    someone.get(someone.link)
    assert someone.page.status_code == 404
    assert someone.heading == "This link does not work"


def test_looking_at_a_link_creates_nothing(pages: Pages, walker: MakeWalker) -> None:
    from sqlalchemy import text

    def count() -> int:
        with pages.gateway.database.transaction() as tx:
            visits = tx.session.execute(text("select count(*) from visit")).scalar_one()
            return int(visits)

    before = count()
    someone = walker()
    for _ in range(3):
        someone.get(someone.link)
    assert count() == before


def test_no_choice_on_the_landing_page_is_an_error(walker: MakeWalker) -> None:
    someone = walker()
    someone.post({})
    assert someone.page.status_code == 422
    assert someone.errors == ["Select what you need"]


def test_a_form_without_its_token_is_refused_and_the_draft_stays(walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/medical-onset")
    page = someone.path
    someone.post({"medical-onset": ["weeks"]}, drop="form_token")
    assert someone.page.status_code == 403
    assert someone.heading == "Your answers were not sent"
    someone.get(page)
    assert someone.heading == "When did it start?"
    someone.walk(MEDICAL, until="/check")
    assert "Swollen hands" in someone.page.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://attacker.example"},
    ],
)
def test_a_form_from_another_site_is_refused(walker: MakeWalker, headers: dict[str, str]) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/medical-onset")
    someone.http.headers.update(headers)
    someone.post({"medical-onset": ["weeks"]})
    assert someone.page.status_code == 403


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-origin"}])
def test_a_form_of_our_own_is_taken(walker: MakeWalker, headers: dict[str, str]) -> None:
    someone = walker()
    someone.http.headers.update(headers)
    someone.post({"request": ["pifu-admin"]})
    assert someone.heading == "Check this is not an emergency"


def test_a_token_of_somebody_else_does_not_fit(walker: MakeWalker) -> None:
    mine, other = walker(), walker()
    mine.walk(MEDICAL, until="/page/medical-onset")
    other.walk(MEDICAL, until="/page/medical-onset")
    token = next(c.value for c in other.form.controls if c.name == "form_token")
    answer = mine.http.post(
        str(mine.page.url), data={"form_token": token, "medical-onset": "weeks"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("value", ["tampered", "", "a" * 5000, "æøå", "../x", "x; y=z"])
def test_a_tampered_cookie_leads_to_a_helpful_page(walker: MakeWalker, value: str) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/medical-onset")
    address = str(someone.page.url)
    answer = httpx.get(address, headers={b"cookie": f"visit={value}".encode()})
    assert answer.status_code == 404
    assert "We cannot find your request in this browser" in answer.text
    # Who has the right cookie still has the draft.
    assert someone.get(address).status_code == 200


def test_a_draft_opens_for_its_own_browser_only(walker: MakeWalker) -> None:
    mine, other = walker(), walker()
    mine.walk(MEDICAL, until="/page/patient-name")
    other.walk(MEDICAL, until="/page/who-for")
    for path in (mine.path, mine.path.replace("page/patient-name", "check")):
        assert other.get(path).status_code == 404
        assert "Swollen" not in other.page.text


def test_a_start_gets_a_fresh_session_cookie(walker: MakeWalker) -> None:
    someone = walker()
    before = someone.http.cookies["visit"]
    someone.post({"request": ["pifu-admin"]})
    assert someone.http.cookies["visit"] != before


def test_an_accepted_code_changes_the_cookie_and_kills_the_old_one(
    pages: Pages, walker: MakeWalker
) -> None:
    someone = walker()
    answers = {**MEDICAL, "patient-mobile": ["07700 900501"], "verify-patient-mobile": ["true"]}
    someone.walk(answers, until="/code/verify-patient-mobile")
    before = someone.http.cookies["visit"]
    code = pages.texts("07700 900501")[-1][:6]
    someone.post({"security-code": [code]}, button="check")
    assert someone.http.cookies["visit"] != before
    stolen = httpx.get(str(someone.page.url), cookies={"visit": before})
    assert stolen.status_code == 404


@pytest.mark.parametrize("step", ["page/patient-name", "page/preferred-contact", "check", "code/x"])
def test_a_step_out_of_order_leads_to_the_first_open_one(walker: MakeWalker, step: str) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/medical-problem")
    base = someone.path.partition("/page/")[0]
    someone.get(f"{base}/{step}")
    assert someone.path.endswith("/page/medical-problem")


def test_posting_to_a_later_step_keeps_nothing(walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/medical-problem")
    base = someone.path.partition("/page/")[0]
    token = next(c.value for c in someone.form.controls if c.name == "form_token")
    for step in ("page/patient-name", "check"):
        answer = someone.http.post(
            f"{someone.link.partition('/r/')[0]}{base}/{step}",
            data={"form_token": token, "patient-given": "Early", "declaration": "true"},
        )
        assert answer.url.path.endswith("/page/medical-problem")
    someone.walk(MEDICAL, until="/page/patient-name")
    assert someone.shown("patient-given") == ""


def test_a_page_that_does_not_exist_is_a_helpful_404(pages: Pages) -> None:
    answer = httpx.get(f"{pages.base}/nothing/here")
    assert answer.status_code == 404
    assert "Page not found" in answer.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_get_a_page_too(pages: Pages, method: str) -> None:
    answer = httpx.request(method, f"{pages.base}/privacy")
    assert answer.status_code == 405
    assert "<h1" in answer.text


def test_after_half_an_hour_the_date_of_birth_opens_the_draft_again(
    pages: Pages, walker: MakeWalker
) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/patient-postcode")
    pages.clock.ahead = timedelta(minutes=31)
    someone.get(someone.path)
    assert someone.heading == "Do you want to go on with your request?"
    assert "Priya" not in someone.page.text
    assert "Swollen" not in someone.page.text
    wrong = {"patient-birth-date-day": ["13"], "patient-birth-date-month": ["3"]}
    someone.post({**wrong, "patient-birth-date-year": ["1984"]})
    assert someone.page.status_code == 422
    someone.post(MEDICAL)
    assert someone.heading == "What is your home postcode?"
    someone.walk(MEDICAL, until="/check")
    assert "Swollen hands" in someone.page.text


def test_without_a_date_of_birth_a_locked_draft_opens_by_a_button(
    pages: Pages, walker: MakeWalker
) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/medical-onset")
    pages.clock.ahead = timedelta(minutes=31)
    someone.get(someone.path)
    someone.post({})
    assert someone.heading == "When did it start?"


def test_five_wrong_dates_of_birth_delete_the_draft(pages: Pages, walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/patient-postcode")
    page = someone.path
    pages.clock.ahead = timedelta(minutes=31)
    someone.get(page)
    for _ in range(5):
        someone.post({"patient-birth-date-day": ["1"]})
    assert someone.page.status_code == 410
    assert someone.get(page).status_code == 410
    assert someone.heading == "This request has ended"


def test_a_locked_draft_can_be_deleted(pages: Pages, walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/patient-postcode")
    page = someone.path
    pages.clock.ahead = timedelta(minutes=31)
    someone.get(page)
    discard = page.partition("/page/")[0] + "/discard"
    token = next(c.value for c in someone.form.controls if c.name == "form_token")
    someone.page = someone.http.post(f"{pages.base}{discard}", data={"form_token": token})
    assert someone.path == "/r/" + someone.link.rpartition("/")[2]
    assert someone.get(page).status_code == 410


def test_after_two_hours_a_draft_is_deleted(pages: Pages, walker: MakeWalker) -> None:
    someone = walker()
    someone.walk(MEDICAL, until="/page/patient-postcode")
    pages.clock.ahead = timedelta(hours=2, minutes=1)
    someone.get(someone.path)
    assert someone.page.status_code == 410
    assert someone.heading == "Your time to finish has run out"
    pages.clock.ahead = timedelta()
    assert someone.get(someone.path).status_code == 410


def test_working_on_a_draft_keeps_it_open(pages: Pages, walker: MakeWalker) -> None:
    someone = walker()

    def later() -> None:
        pages.clock.ahead += timedelta(minutes=4)

    someone.walk(MEDICAL, until="/check", each=later)
    assert pages.clock.ahead > timedelta(minutes=60)


def test_two_requests_in_two_tabs_do_not_meet(walker: MakeWalker) -> None:
    someone = walker()
    first = someone.walk(MEDICAL, until="/page/medical-problem").path
    someone.get(someone.link)
    second = someone.walk({**MEDICAL, "request": ["pifu-admin"]}, until="/page/admin-kind").path
    assert first.split("/")[2] != second.split("/")[2]
    assert someone.get(first).status_code == 200
    someone.walk(MEDICAL, until="/check")
    assert someone.get(second).status_code == 200


def test_the_session_cookie_says_nothing_and_scripts_cannot_read_it(pages: Pages) -> None:
    header = httpx.get(pages.link()).headers["set-cookie"]
    assert "HttpOnly" in header
    assert "SameSite=lax" in header
    assert "Path=/" in header
    assert "Max-Age" not in header
    assert "expires" not in header.lower()
