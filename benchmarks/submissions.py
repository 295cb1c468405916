"""Made-up submissions for benchmarks/matching.py: what people type about themselves, with the
mistakes people make, and what impostors and relatives type. Deterministic for a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from fhir_gateway.matching.demographics import Demographics
from fhir_gateway.matching.spelling import FULL_NAMES, fold
from fhir_gateway.sandbox.pds.names import FAMILIES, MEN, WOMEN
from fhir_gateway.sandbox.pds.places import AREAS, area_of, new_postcode
from fhir_gateway.sandbox.pds.population import Population
from fhir_gateway.sandbox.pds.record import PRESENT_NAMES, Record
from fhir_gateway.sms.number import same_number

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Submission:
    """`truth`: NHS number of the record the request belongs to; None: of none. `proved`: the number
    whose code was accepted. `provable`: that number is on that record now, the record is open, and
    the person is grown up: nothing but what was typed can stand in the way of a match."""

    kind: str
    typed: Demographics
    truth: str | None
    proved: str | None
    by_patient: bool = True
    provable: bool = False

    @property
    def wanted(self) -> bool:
        """Whether this is the patient, writing for themselves about a record that exists."""
        return self.truth is not None and self.by_patient


class Maker:
    """Makes submissions about the people of a population."""

    def __init__(self, population: Population, seed: int, today: date) -> None:
        self.chance = random.Random(seed)
        self.today = today
        everyone = [r for r in population if r.written is None and r.birth_date and r.addresses]
        standing = [r for r in everyone if not r.superseded_by and r.confidentiality != "REDACTED"]
        self.adults = [r for r in standing if self.age(r) >= 16 and not r.death]
        self.reachable = [r for r in self.adults if self.mobile(r) and not r.is_restricted]
        self.everyone, self.standing = everyone, standing
        self.by_number = {r.nhs_number: r for r in standing}
        self.groups = _groups(standing)

    def age(self, r: Record) -> int:
        return (self.today - (r.birth_date or self.today)).days // 365

    def mobile(self, r: Record) -> str | None:
        now = (t for t in r.telecoms if t.use == "mobile" and t.period.includes(self.today))
        return next((t.value for t in now), None)

    def stranger_phone(self) -> str:
        """A number on nobody's record: one that GOV.UK Notify keeps for its tests."""
        return self.chance.choice(("07700 900000", "07700 900111", "07700 900222"))

    def typed(self, r: Record) -> Demographics:
        """What the person would type when they make no mistake."""
        name = next(n for n in r.names if n.use in PRESENT_NAMES)
        home = next((a for a in r.addresses if a.period.includes(self.today)), r.addresses[0])
        born = r.birth_date.isoformat() if r.birth_date else ""
        return Demographics(name.family, name.given[:1], born, home.postcode, r.gender or "", None)

    def one(self) -> Submission:
        """One submission of a kind drawn by its weight."""
        kinds = list(KINDS)
        while True:
            kind = self.chance.choices(kinds, weights=[KINDS[k][0] for k in kinds])[0]
            made = KINDS[kind][1](self, kind)
            if made is not None:
                return replace(made, provable=self._provable(made))

    def _provable(self, made: Submission) -> bool:
        own = self.by_number.get(made.truth or "")
        if own is None or not made.wanted or made.proved is None or own.is_restricted:
            return False
        known = self.mobile(own)
        alive = own.death is None or own.death.died is None
        proved = known is not None and same_number(made.proved, known)
        return proved and alive and self.age(own) >= 16

    def own(self, kind: str, change: Change | None = None) -> Submission | None:
        """A patient with their own phone; `change` spoils what they type (None: try another)."""
        r = self.chance.choice(self.reachable)
        typed = self.typed(r)
        changed = change(self, r, typed) if change else typed
        if changed is None or (change and changed == typed):
            return None
        return Submission(kind, changed, r.nhs_number, self.mobile(r))


Change = Callable[[Maker, Record, Demographics], Demographics | None]


def _groups(people: list[Record]) -> dict[str, list[tuple[Record, Record]]]:
    """Pairs of people who are easily taken for one another, by how."""
    found: dict[str, list[tuple[Record, Record]]] = {"twin": [], "namesake": [], "junior": []}
    found["sibling"] = []
    by_home: dict[tuple[str, str], list[Record]] = {}
    by_name: dict[tuple[str, str, date | None], list[Record]] = {}
    for r in people:
        name = r.names[0]
        by_home.setdefault((name.family, r.addresses[0].postcode), []).append(r)
        by_name.setdefault((name.family, name.given[0], r.birth_date), []).append(r)
    for family in by_home.values():
        for one, other in ((a, b) for a in family for b in family if a is not b):
            same_name = one.names[0].given[0] == other.names[0].given[0]
            born = one.birth_date == other.birth_date
            kind = "twin" if born else "junior" if same_name else "sibling"
            found[kind].append((one, other))
    for same in by_name.values():
        found["namesake"] += [(a, b) for a in same for b in same if a is not b]
    return found


def _slip(chance: random.Random, word: str) -> str:
    at = chance.randrange(1, len(word)) if len(word) > 1 else 0
    way = chance.choice(("change", "drop", "double", "swap"))
    if way == "change":
        return word[:at] + chance.choice(_LETTERS) + word[at + 1 :]
    if way == "drop":
        return word[:at] + word[at + 1 :]
    if way == "double":
        return word[:at] + word[at] + word[at:]
    return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]


def _formatting(m: Maker, r: Record, t: Demographics) -> Demographics:
    case = m.chance.choice((str.lower, str.upper, str.title))
    family = case(t.family).replace("'", m.chance.choice(("'", "’", "", "‘")))
    family = family.replace("-", m.chance.choice(("-", " ", "–")))
    given = tuple(f" {case(g)} " for g in t.given)
    postcode = m.chance.choice((t.postcode.lower(), t.postcode.replace(" ", ""), f" {t.postcode} "))
    return replace(t, family=family, given=given, postcode=postcode)


def _plain_letters(m: Maker, r: Record, t: Demographics) -> Demographics:
    return replace(t, family=fold(t.family).title(), given=tuple(fold(g).title() for g in t.given))


def _all_names(m: Maker, r: Record, t: Demographics) -> Demographics:
    return replace(t, given=(" ".join(r.names[0].given),))


def _initial(m: Maker, r: Record, t: Demographics) -> Demographics | None:
    given = r.names[0].given
    return replace(t, given=(f"{given[0]} {given[1][0]}",)) if len(given) > 1 else None


def _middle(m: Maker, r: Record, t: Demographics) -> Demographics | None:
    given = r.names[0].given
    return replace(t, given=(given[1],)) if len(given) > 1 else None


def _nickname(m: Maker, r: Record, t: Demographics) -> Demographics | None:
    shorts = [s for s, full in FULL_NAMES.items() if fold(t.given[0]) in full]
    return replace(t, given=(m.chance.choice(shorts).title(),)) if shorts else None


def _family_slip(m: Maker, r: Record, t: Demographics) -> Demographics:
    return replace(t, family=_slip(m.chance, t.family))


def _given_slip(m: Maker, r: Record, t: Demographics) -> Demographics:
    return replace(t, given=(_slip(m.chance, t.given[0]),))


def _postcode_slip(m: Maker, r: Record, t: Demographics) -> Demographics:
    head, last = t.postcode[:-1], m.chance.choice("ABDEFGHJLNPQRSTUWXYZ")
    if m.chance.random() < 0.5:
        return replace(t, postcode=head + last)
    at = len(t.postcode) - 3
    return replace(t, postcode=f"{t.postcode[:at]}{m.chance.randrange(10)}{t.postcode[at + 1 :]}")


def _birth_slip(m: Maker, r: Record, t: Demographics) -> Demographics | None:
    born = date.fromisoformat(t.birth_date)
    if m.chance.random() < 0.5 and born.day <= 12:
        return replace(t, birth_date=date(born.year, born.day, born.month).isoformat())
    other = m.chance.choice((1, 2, 10, -1, -10))
    try:
        return replace(t, birth_date=born.replace(year=born.year + other).isoformat())
    except ValueError:
        return None


def _old_address(m: Maker, r: Record, t: Demographics) -> Demographics | None:
    old = [a.postcode for a in r.addresses if not a.period.includes(m.today)]
    return replace(t, postcode=m.chance.choice(old)) if old else None


def _moved(m: Maker, r: Record, t: Demographics) -> Demographics:
    near = area_of(t.postcode) if m.chance.random() < 0.6 else m.chance.choice(AREAS)
    return replace(t, postcode=new_postcode(m.chance, near))


def _maiden(m: Maker, r: Record, t: Demographics) -> Demographics | None:
    before = [n.family for n in r.names if n.use not in PRESENT_NAMES]
    return replace(t, family=before[0]) if before else None


def _newly_married(m: Maker, r: Record, t: Demographics) -> Demographics:
    return replace(t, family=m.chance.choice(FAMILIES))


def _double_name(m: Maker, r: Record, t: Demographics) -> Demographics:
    if "-" in t.family:
        return replace(t, family=m.chance.choice(t.family.split("-")))
    return replace(t, family=f"{t.family}-{m.chance.choice(FAMILIES)}")


def _swapped(m: Maker, r: Record, t: Demographics) -> Demographics:
    return replace(t, family=t.given[0], given=(t.family,))


def _number(m: Maker, r: Record, t: Demographics) -> Demographics:
    return replace(t, nhs_number=r.nhs_number)


def _two(m: Maker, r: Record, t: Demographics) -> Demographics | None:
    first, second = m.chance.sample((_family_slip, _postcode_slip, _moved, _newly_married), 2)
    return second(m, r, first(m, r, t))


def _spoiled(change: Change | None) -> Callable[[Maker, str], Submission | None]:
    return lambda m, kind: m.own(kind, change)


def _new_phone(m: Maker, kind: str) -> Submission | None:
    made = m.own(kind)
    return made and replace(made, proved=m.stranger_phone())


def _no_code(m: Maker, kind: str) -> Submission | None:
    made = m.own(kind)
    return made and replace(made, proved=None)


def _of(people: str, proved: Callable[[Maker, Record], str | None]) -> Callable[..., Submission]:
    def make(m: Maker, kind: str) -> Submission:
        r = m.chance.choice(getattr(m, people))
        return Submission(kind, m.typed(r), r.nhs_number, proved(m, r))

    return make


def _restricted(m: Maker, kind: str) -> Submission:
    r = m.chance.choice([one for one in m.adults if one.is_restricted])
    return Submission(kind, m.typed(r), r.nhs_number, m.mobile(r) or m.stranger_phone())


def _of_the_dead(m: Maker, kind: str) -> Submission:
    """Somebody writes as a person who died, with the phone that is on the record."""
    r = m.chance.choice([one for one in m.standing if one.death and m.age(one) >= 16])
    return Submission(kind, m.typed(r), None, m.mobile(r))


def _superseded(m: Maker, kind: str) -> Submission:
    reachable = {r.nhs_number for r in m.reachable}
    old = m.chance.choice([r for r in m.everyone if r.superseded_by in reachable])
    typed = replace(m.typed(old), nhs_number=old.nhs_number)
    return Submission(kind, typed, old.superseded_by, m.mobile(old) or m.stranger_phone())


def _proxy(m: Maker, kind: str) -> Submission:
    r = m.chance.choice(m.reachable)
    return Submission(kind, m.typed(r), r.nhs_number, m.mobile(r), by_patient=False)


def _child(m: Maker, kind: str) -> Submission:
    """A child, or a parent as if they were the child, with the number on the child's record."""
    r = m.chance.choice([one for one in m.standing if m.age(one) < 16 and not one.is_restricted])
    return Submission(kind, m.typed(r), r.nhs_number, m.mobile(r) or m.stranger_phone())


def _impostor(m: Maker, kind: str) -> Submission:
    """Knows name, birth date and postcode, sometimes the NHS number; has a phone of their own."""
    r = m.chance.choice(m.reachable)
    typed = m.typed(r)
    if m.chance.random() < 0.3:
        typed = replace(typed, nhs_number=r.nhs_number)
    own = m.chance.choice([m.stranger_phone(), m.mobile(m.chance.choice(m.reachable))])
    proved = None if own == m.mobile(r) or m.chance.random() < 0.2 else own
    return Submission(kind, typed, None, proved)


def _confused(group: str) -> Callable[[Maker, str], Submission | None]:
    """One of two who are easily confused writes for themselves, with a number on the other's
    record half of the time, as families share phones; now and then by a short form."""

    def make(m: Maker, kind: str) -> Submission | None:
        me, other = m.chance.choice(m.groups[group])
        if m.age(me) < 16 or me.death or (not m.mobile(me) and m.chance.random() < 0.8):
            return None
        own = m.mobile(me) or m.stranger_phone()
        shared = m.mobile(other) if group != "namesake" else None
        proved = shared if shared and m.chance.random() < 0.5 else own
        typed = m.typed(me)
        if m.chance.random() < 0.3:
            typed = _nickname(m, me, typed) or typed
        if m.chance.random() < 0.1:
            typed = _moved(m, me, typed)
        return Submission(kind, typed, me.nhs_number, proved)

    return make


def _unknown_twin(m: Maker, kind: str) -> Submission:
    """A twin of whom PDS has no record, with the same home and the same phone."""
    r = m.chance.choice(m.reachable)
    own = {fold(g) for g in r.names[0].given}
    given = m.chance.choice([n for n in (*MEN, *WOMEN) if fold(n) not in own])
    sex = "female" if given in WOMEN else "male"
    return Submission(kind, replace(m.typed(r), given=(given,), gender=sex), None, m.mobile(r))


def _recycled(m: Maker, kind: str) -> Submission:
    """Has a number that still is on a stranger's record, and a record without it."""
    me, stranger = m.chance.sample(m.reachable, 2)
    return Submission(kind, m.typed(me), me.nhs_number, m.mobile(stranger))


def _others_number(m: Maker, kind: str) -> Submission:
    """Types the NHS number of somebody else, such as a spouse's off the same letter."""
    me, other = m.chance.sample(m.reachable, 2)
    typed = replace(m.typed(me), nhs_number=other.nhs_number)
    return Submission(kind, typed, me.nhs_number, m.mobile(me))


#: Kind: how often, and how it is made. Weights are guesses at how often people do each, with the
#: dangerous ones many times more often than in life.
KINDS: dict[str, tuple[float, Callable[[Maker, str], Submission | None]]] = {
    "no mistake": (30, _spoiled(None)),
    "NHS number, no mistake": (8, _spoiled(_number)),
    "case, spaces, apostrophes": (9, _spoiled(_formatting)),
    "accents left out": (2, _spoiled(_plain_letters)),
    "all given names": (3, _spoiled(_all_names)),
    "initial of a second name": (1, _spoiled(_initial)),
    "goes by a second name": (1, _spoiled(_middle)),
    "short form of the name": (3, _spoiled(_nickname)),
    "slip in the family name": (3, _spoiled(_family_slip)),
    "slip in the given name": (2, _spoiled(_given_slip)),
    "slip in the postcode": (2, _spoiled(_postcode_slip)),
    "slip in the birth date": (1.5, _spoiled(_birth_slip)),
    "names swapped": (1, _spoiled(_swapped)),
    "old address": (2, _spoiled(_old_address)),
    "moved, PDS does not know": (3, _spoiled(_moved)),
    "maiden name": (2, _spoiled(_maiden)),
    "married, PDS does not know": (1.5, _spoiled(_newly_married)),
    "half of a double name": (1, _spoiled(_double_name)),
    "two mistakes": (1, _spoiled(_two)),
    "phone not on the record": (4, _new_phone),
    "no code": (3, _no_code),
    "number of a superseded record": (0.5, _superseded),
    "somebody else's NHS number": (0.5, _others_number),
    "restricted record": (1, _restricted),
    "recycled phone number": (1, _recycled),
    "twin": (4, _confused("twin")),
    "brother or sister": (2, _confused("sibling")),
    "parent's name": (1, _confused("junior")),
    "same name and birth date": (2, _confused("namesake")),
    "under 16": (1, _child),
    "for somebody else": (2, _proxy),
    "as a person who died": (0.5, _of_the_dead),
    "impostor without the phone": (4, _impostor),
    "twin without a record": (1.5, _unknown_twin),
}

#: Why a true request of this kind is not matched, where that is the policy.
WHY_LOST = {
    "goes by a second name": "cannot be told from a twin who is called so",
    "slip in the given name": "the given name alone tells twins apart",
    "slip in the birth date": "PDS and the policy want the whole date of birth",
    "moved, PDS does not know": "the postcode was never one of the record",
    "married, PDS does not know": "the family name was never one of the record",
    "two mistakes": "one difference is forgiven, not two",
    "phone not on the record": "nothing proves that the phone's owner is the patient",
    "no code": "nothing proves who wrote",
    "somebody else's NHS number": "a number that conflicts is for staff",
    "restricted record": "never by a machine; PDS does not find it by postcode",
    "recycled phone number": "the phone is not on the patient's record",
    "under 16": "the phone on a child's record is usually a parent's",
}


def submissions(population: Population, count: int, seed: int, today: date) -> Iterator[Submission]:
    """`count` submissions, the same for the same seed."""
    maker = Maker(population, seed, today)
    for _ in range(count):
        yield maker.one()
