"""Everything that can go wrong on the pages, seen in a real browser on a phone and on a desktop:
the message beside the field and in the summary, what was typed still there, nothing for axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import count

import httpx
import pytest
from playwright.sync_api import Browser

from fhir_gateway.store import links
from tests.conftest import WIDTHS
from tests.journeys.browsing import Person, Phone
from tests.web.bad_input import DATES, FIELDS, KINDS, OTHER, admin
from tests.web.conftest import Pages
from tests.web.walking import MEDICAL, Answers, Walker

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("pages")]
#: Pages whose build others look at on a desktop as well.
ON_A_PHONE = pytest.mark.parametrize("width", [WIDTHS["phone"]], ids=["phone"])
OpenLink = Callable[[], Person]
_numbers = count(800)


@pytest.fixture
def mobile() -> str:
    """A number that no other test texts."""
    return f"07700 900{next(_numbers)}"


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """Whether the browser runs scripts, for the journeys that are made both ways."""
    return bool(request.param)


def browse(browser: Browser, pages: Pages, width: int, *, scripts: bool = True) -> Iterator[Person]:
    context = browser.new_context(
        viewport={"width": width, "height": 844}, java_script_enabled=scripts
    )
    window = context.new_page()
    window.set_default_timeout(15_000)
    someone = Person(window, Phone({"phone": pages.phone}, ""), axe=scripts)
    yield someone
    context.close()
    assert someone.failed_pages == []


@pytest.fixture
def visitor(browser: Browser, pages: Pages, width: int) -> Iterator[Person]:
    """Somebody in a fresh browser."""
    yield from browse(browser, pages, width)


@pytest.fixture
def person(visitor: Person, pages: Pages) -> OpenLink:
    """Somebody in a fresh browser who opens a fresh link."""

    def make() -> Person:
        visitor.open(pages.link())
        return visitor

    return make


def many(answers: Answers) -> Mapping[str, str | list[str]]:
    """As Person takes them: text as it is, choices as lists."""
    return {name: given[0] if len(given) == 1 else given for name, given in answers.items()}


def quickly(person: Person, answers: Answers, until: str) -> None:
    """Pass the pages that others look at, over HTTP and as the same visitor."""
    context, url = person.page.context, person.page.url
    with httpx.Client(follow_redirects=True, timeout=30) as http:
        for held in context.cookies():
            http.cookies.set(held["name"], held["value"], held["domain"], held["path"])
        walker = Walker(http, url).walk(answers, until=until)
        context.add_cookies(
            [
                {"name": new.name, "value": new.value, "domain": "127.0.0.1", "path": new.path}
                for new in http.cookies.jar
            ]
        )
    person.open(str(walker.page.url))


def assert_explained(person: Person, field: str, words: str, what: str) -> None:
    """The message is beside the field, in the summary, in the title, and the summary has focus."""
    assert any(words in line for line in person.errors()), (what, person.errors())
    assert words in person.error_at(field), (what, person.error_at(field))
    assert person.page.title().startswith("Error: "), what
    focused = "document.activeElement.className.includes('nhsuk-error-summary')"
    assert person.page.evaluate(focused), what
    targets = person.page.locator(".nhsuk-error-summary__list a").evaluate_all(
        "links => links.map(link => document.querySelector(link.hash) !== null)"
    )
    assert targets
    assert all(targets), what


@ON_A_PHONE
@pytest.mark.parametrize(
    ("answers", "page", "field", "cases"), FIELDS, ids=[field for _, _, field, _ in FIELDS]
)
def test_each_bad_answer_is_explained_where_it_was_typed(
    person: OpenLink, answers: Answers, page: str, field: str, cases: dict[str, str]
) -> None:
    someone = person()
    quickly(someone, answers, f"/page/{page}")
    looked = someone.axe
    for number, (typed, words) in enumerate(cases.items()):
        if "\n" in typed or "\x00" in typed:
            continue  # a browser's field does not let it through
        given = {**many(answers), "patient-email": "", "requester-email": "", field: typed}
        someone.fill(given)
        # Messages differ, the page's build does not: axe looks at the first and the second.
        someone.axe = looked if number < 2 else None
        someone.go_on()
        assert_explained(someone, field, words, typed[:40])
        if typed.strip():
            assert someone.page.locator(f'[name="{field}"]').input_value() == typed


@ON_A_PHONE
def test_each_bad_date_is_explained_where_it_was_typed(person: OpenLink) -> None:
    someone = person()
    quickly(someone, MEDICAL, "/page/patient-birth-date")
    looked = someone.axe
    for number, (parts, words) in enumerate(DATES.items()):
        if any("\x00" in part for part in parts):
            continue
        names = [f"patient-birth-date-{part}" for part in ("day", "month", "year")]
        someone.fill(dict(zip(names, parts, strict=True)))
        someone.axe = looked if number < 2 else None
        someone.go_on()
        assert any(words in line for line in someone.errors()), (parts, someone.errors())
        assert words in someone.error_at(names[0])
        shown = [someone.page.locator(f'[name="{name}"]').input_value() for name in names]
        assert shown == list(parts)


#: Pages that look alike in a medical and in an admin request; they are left empty in the first.
_ALIKE = (
    "emergency-check",
    "who-for",
    "patient-",
    "verify-",
    "preferred-contact",
    "times-to-avoid",
)


@pytest.mark.parametrize(
    ("answers", "alike", "refusals"),
    [
        pytest.param(MEDICAL, (), 15, id="medical"),
        pytest.param(
            OTHER, ("emergency-check", "medical-", "communication-"), 15, id="someone-else"
        ),
        *(pytest.param(admin(kind), _ALIKE, 2, id=kind) for kind in KINDS),
    ],
)
def test_every_page_left_empty_says_what_to_do_or_goes_on(
    person: OpenLink, answers: Answers, alike: tuple[str, ...], refusals: int
) -> None:
    someone = person()
    looks, someone.axe = someone.axe, None
    refused = 0
    given = many(answers)
    while not someone.page.url.endswith("/check"):
        before = someone.page.url
        if before.rpartition("/")[2].startswith(alike):
            someone.answer(given)
            continue
        someone.axe = looks
        someone.go_on()
        someone.axe = None
        if someone.page.url == before or "/landing" in someone.page.url:
            assert someone.errors(), before
            refused += 1
            someone.answer(given)
    assert refused >= refusals
    someone.axe = looks
    someone.go_on()
    assert "Confirm" in someone.errors()[0] or "confirm" in someone.errors()[0]


def test_a_wrong_and_a_late_code_are_explained(person: OpenLink, pages: Pages, mobile: str) -> None:
    someone = person()
    answers = {**MEDICAL, "patient-mobile": [mobile], "verify-patient-mobile": ["true"]}
    quickly(someone, answers, "/code/verify-patient-mobile")
    code = pages.texts(mobile)[-1][:6]
    for typed, words in {
        "": "Enter the 6 digit security code",
        "12ab": "Enter the 6 digit security code",
        f"{(int(code) + 1) % 1_000_000:06d}": "The security code is incorrect",
    }.items():
        someone.fill({"security-code": typed})
        someone.go_on()
        assert_explained(someone, "security-code", words, typed)
    pages.clock.ahead = timedelta(minutes=11)
    someone.fill({"security-code": code})
    someone.go_on()
    assert_explained(someone, "security-code", "expired", code)


def test_unknown_and_closed_links_and_pages_help(visitor: Person, pages: Pages) -> None:
    for path in ("/r/" + "a" * 22, "/r/%3Cscript%3E", "/nothing", "/requests/none/check"):
        visitor.open(pages.base + path)
        assert visitor.page.get_by_role("link", name="111").count() >= 1, path
    link = pages.link()
    with pages.gateway.database.transaction() as tx:
        found = links.by_token(tx, link.rpartition("/")[2])
        assert found is not None
        links.revoke(tx, found.id, now=pages.clock())
    visitor.open(link)
    assert visitor.heading == "This link does not work"


def test_the_pages_of_the_footer_are_there(person: OpenLink) -> None:
    someone = person()
    for name in ("Accessibility", "Privacy and cookies"):
        someone.page.get_by_role("link", name=name).click()
        someone.look()
        someone.page.go_back()


def test_a_form_without_its_token_gets_a_page_that_leads_back(person: OpenLink) -> None:
    someone = person()
    quickly(someone, MEDICAL, "/page/medical-onset")
    someone.page.evaluate("document.querySelector('[name=form_token]').remove()")
    someone.fill(many(MEDICAL))
    someone.go_on()
    assert someone.heading == "Your answers were not sent"


@pytest.mark.parametrize("cookie", [None, "tampered"])
def test_without_the_right_cookie_a_page_says_where_to_begin(
    person: OpenLink, pages: Pages, cookie: str | None
) -> None:
    someone = person()
    quickly(someone, MEDICAL, "/page/medical-onset")
    someone.page.context.clear_cookies()
    if cookie:
        someone.page.context.add_cookies([{"name": "visit", "value": cookie, "url": pages.base}])
    someone.open(someone.page.url)
    assert someone.heading == "We cannot find your request in this browser"


def test_a_step_too_early_leads_to_the_one_that_is_due(person: OpenLink) -> None:
    someone = person()
    quickly(someone, MEDICAL, "/page/medical-problem")
    someone.open(someone.page.url.replace("page/medical-problem", "check"))
    assert someone.heading == "What is the problem?"


def test_a_draft_left_alone_locks_and_opens_again(person: OpenLink, pages: Pages) -> None:
    someone = person()
    quickly(someone, MEDICAL, "/page/patient-postcode")
    pages.clock.ahead = timedelta(minutes=31)
    someone.open(someone.page.url)
    assert someone.heading == "Do you want to go on with your request?"
    someone.fill({**many(MEDICAL), "patient-birth-date-day": "13"})
    someone.go_on()
    assert someone.errors() == ["This is not what you gave before. Check it and try again"]
    someone.answer(many(MEDICAL))
    assert someone.heading == "What is your home postcode?"
    quickly(someone, MEDICAL, "/check")
    assert "Swollen hands" in someone.page.locator("main").inner_text()


def test_a_draft_left_for_hours_has_ended(person: OpenLink, pages: Pages) -> None:
    someone = person()
    quickly(someone, MEDICAL, "/page/patient-postcode")
    pages.clock.ahead = timedelta(hours=2, minutes=1)
    someone.open(someone.page.url)
    assert someone.heading == "Your time to finish has run out"
    someone.open(someone.page.url)
    assert someone.heading == "This request has ended"


def test_too_much_at_once_is_explained(person: OpenLink) -> None:
    someone = person()
    quickly(someone, MEDICAL, "/page/medical-problem")
    someone.page.locator("textarea").evaluate("field => { field.value = 'x'.repeat(3000000) }")
    someone.go_on()
    assert someone.heading == "That was too much to send at once"


def test_the_whole_way_works_with_and_without_scripts(
    browser: Browser, pages: Pages, width: int, mobile: str, scripts: bool
) -> None:
    walk = browse(browser, pages, width, scripts=scripts)
    someone = next(walk)
    someone.phone.number = mobile
    someone.open(pages.link())
    answers = {**MEDICAL, "patient-mobile": [mobile], "verify-patient-mobile": ["true"]}
    someone.walk(many(answers), until="/sent")
    assert someone.heading.startswith("Request sent")
    next(walk, None)
