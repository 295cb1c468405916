from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import nhs_number
import pytest

from fhir_gateway.sandbox.pds.crowd import AS_OF
from fhir_gateway.sandbox.pds.personas import people
from fhir_gateway.sandbox.pds.places import area_of
from fhir_gateway.sandbox.pds.population import Population, create_population
from fhir_gateway.sandbox.pds.record import Confidentiality, NameUse, Record
from fhir_gateway.sandbox.pds.spelling import compact_postcode, is_postcode

EVERYONE = list(create_population(with_published=False))
PERSONAS = {p.nhs_number for p in people()}
CROWD = [record for record in EVERYONE if record.nhs_number not in PERSONAS]
#: GOV.UK Notify treats these differently in its own tests.
NOTIFY_NUMBERS = {"07700900000", "07700900002", "07700900003", "07700900111", "07700900222"}


def national(phone: str) -> str:
    """A stored UK number as eleven digits, however it was typed."""
    digits = re.sub(r"[^0-9+]", "", phone.replace("(0)", ""))
    return re.sub(r"^(\+44|0044)", "0", digits)


def mobiles(records: list[Record]) -> list[str]:
    return [national(t.value) for r in records for t in r.telecoms if t.use == "mobile"]


def test_there_are_3000_people_and_all_personas() -> None:
    assert len(EVERYONE) == 3000
    assert {r.nhs_number for r in EVERYONE} >= PERSONAS


def test_every_nhs_number_is_valid_unique_and_of_the_test_range() -> None:
    numbers = [r.nhs_number for r in create_population(5000, with_published=False)]
    assert len(set(numbers)) == len(numbers) == 5000
    assert all(nhs_number.is_valid(n) and re.fullmatch(r"999[0-9]{7}", n) for n in numbers)


def test_every_mobile_number_belongs_to_nobody_real_and_only_families_share_one() -> None:
    owners: dict[str, set[str]] = {}
    for record in EVERYONE:
        for number in mobiles([record]):
            assert re.fullmatch(r"07700900[0-9]{3}", number)
            owners.setdefault(number, set()).add(record.addresses[0].postcode)
    assert not owners.keys() & NOTIFY_NUMBERS
    assert {number for number, homes in owners.items() if len(homes) > 1} == set()


@pytest.mark.parametrize(
    ("number", "genuine"),
    [
        ("01134960123", True),
        ("02079460123", True),
        ("01632960123", True),
        ("01134950123", False),
    ],
)
def test_the_check_for_drama_landlines_is_sound(number: str, genuine: bool) -> None:
    assert is_drama_landline(number) is genuine


def is_drama_landline(number: str) -> bool:
    """Ofcom's ranges for drama that the sandbox uses."""
    return (
        re.fullmatch(r"(01[1-9]{2}496|01914980|02079460|02920180|01632960)0?[0-9]{3}", number)
        is not None
    )


def test_every_landline_belongs_to_nobody() -> None:
    landlines = [
        national(t.value)
        for r in EVERYONE
        for t in r.telecoms
        if t.system == "phone" and t.use == "home"
    ]
    assert len(landlines) > 50
    assert all(is_drama_landline(number) for number in landlines)
    assert all(r.emergency_phone is None or is_drama_landline(r.emergency_phone) for r in EVERYONE)


def test_no_email_address_can_reach_anybody() -> None:
    emails = [t.value for r in EVERYONE for t in r.telecoms if t.system == "email"]
    assert len(emails) > 100
    assert all(re.fullmatch(r"[a-z0-9.-]+@example\.com", email) for email in emails)


def test_every_postcode_has_the_form_of_one() -> None:
    postcodes = {a.postcode for r in EVERYONE for a in r.addresses}
    assert all(" " in p and is_postcode(compact_postcode(p)) for p in postcodes)
    assert len({p.split(" ")[0] for p in postcodes}) > 20


def test_the_population_is_the_same_each_time() -> None:
    assert list(create_population(with_published=False)) == EVERYONE
    assert list(create_population(seed=1)) != EVERYONE


def test_a_smaller_population_is_the_beginning_of_a_larger_one() -> None:
    assert list(create_population(50, with_published=False)) == EVERYONE[:50]
    assert list(create_population(3500, with_published=False))[:3000] == EVERYONE
    assert len(create_population(0, with_published=False)) == len(people())


def test_when_mobile_numbers_run_out_people_have_none() -> None:
    numbers = mobiles(list(create_population(3000)))
    assert 900 < len(set(numbers)) < 1000


def test_some_of_the_crowd_are_easily_taken_for_one_another() -> None:
    def same(*parts: str) -> Counter[tuple[object, ...]]:
        values = {
            "born": lambda r: r.birth_date,
            "family": lambda r: r.names[0].family,
            "given": lambda r: r.names[0].given[0],
            "home": lambda r: r.addresses[0].postcode,
        }
        return Counter(tuple(values[p](r) for p in parts) for r in CROWD if not r.superseded_by)

    twins = [k for k, n in same("born", "family", "home").items() if n > 1]
    namesakes = [k for k, n in same("born", "family", "given").items() if n > 1]
    juniors = [k for k, n in same("family", "given", "home").items() if n > 1]
    assert len(twins) > 50
    assert len(namesakes) > 30
    assert len(juniors) > 10
    assert sum(r.birth_order is not None for r in CROWD) > 30
    assert sum(r.superseded_by is not None for r in CROWD) > 20
    assert any(r.birth_order and r.is_restricted for r in CROWD)


def test_the_crowd_has_the_untidy_records_real_people_have() -> None:
    texts = [t.value for r in CROWD for t in r.telecoms if t.system == "phone"]
    assert any(text.startswith("+44") for text in texts)
    assert any(text.startswith("0044 ") for text in texts)
    assert any("(0)" in text for text in texts)
    assert any(t.period.end and t.period.end < AS_OF for r in CROWD for t in r.telecoms)
    assert any(n.use is NameUse.MAIDEN for r in CROWD for n in r.names)
    assert any(n.use is NameUse.NICKNAME for r in CROWD for n in r.names)
    assert any(len(r.addresses) > 1 for r in CROWD)
    assert any(len(r.names[0].given) > 1 for r in CROWD)
    assert any(not r.telecoms for r in CROWD)
    assert any(r.death for r in CROWD)
    assert any(r.removal and not r.death for r in CROWD)
    assert any(r.is_restricted for r in CROWD)
    assert any(r.language and r.language.interpreter for r in CROWD)


def test_nothing_in_a_life_happens_before_birth_or_ends_before_it_starts() -> None:
    for record in CROWD:
        assert record.birth_date
        periods = [name.period for name in record.names]
        periods += [address.period for address in record.addresses]
        periods += [telecom.period for telecom in record.telecoms]
        assert all(record.birth_date <= p.start <= AS_OF for p in periods)
        assert all(p.end is None or p.start <= p.end <= AS_OF for p in periods)
        assert record.death is None or record.birth_date <= record.death.effective


def test_nobody_in_the_crowd_is_born_on_the_day_of_a_persona() -> None:
    born = {p.birth_date for p in people()}
    assert not any(str(r.birth_date) in born for r in create_population(3000) if r not in EVERYONE)
    assert not any(str(r.birth_date) in born for r in CROWD)


def test_a_chain_of_superseded_records_is_followed_to_its_end() -> None:
    first = Record("9990001308", superseded_by="9990001316")
    second = Record("9990001316", superseded_by="9990001324")
    third = Record("9990001324")
    population = Population([first, second, third])
    assert population.standing(first) == third
    assert population.standing(third) == third


def test_a_broken_chain_ends_where_it_breaks() -> None:
    first = Record("9990001308", superseded_by="9990001316")
    assert Population([first]).standing(first) == first
    circle = Record("9990001316", superseded_by="9990001308")
    assert Population([first, circle]).standing(first) == circle


def test_a_postcode_of_elsewhere_is_in_no_area() -> None:
    assert area_of("LS6 2AB").town == "Leeds"
    with pytest.raises(KeyError):
        area_of("AB10 1AA")


def test_an_unknown_number_is_nobody() -> None:
    assert create_population(0).get("9990001308") is None


def test_only_unrestricted_records_are_open() -> None:
    record = Record("9990001308")
    assert not record.is_restricted
    assert replace(record, confidentiality=Confidentiality.RESTRICTED).is_restricted
    assert replace(record, confidentiality=Confidentiality.REDACTED).is_restricted
