"""What the sandbox PDS knows about one person, before any rule hides a part of it.

Only values: how a record looks in an answer is `resources.py`, who may find it is `search.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fhir_gateway.fhir.types import Resource


class NameUse(StrEnum):
    """The uses of a name that PDS returns (PDS FHIR API, HumanName)."""

    USUAL = "usual"
    NICKNAME = "nickname"
    TEMP = "temp"
    OLD = "old"
    MAIDEN = "maiden"


#: The names a search without history looks at, and the only ones it returns.
PRESENT_NAMES = frozenset({NameUse.USUAL, NameUse.NICKNAME, NameUse.TEMP})


class Confidentiality(StrEnum):
    """Codes of v3-Confidentiality as PDS uses them; REDACTED marks an invalidated record."""

    UNRESTRICTED = "U"
    RESTRICTED = "R"
    REDACTED = "REDACTED"


class DeathStatus(StrEnum):
    """UKCore-DeathNotificationStatus. WITHDRAWN: the notice was taken back, the person lives."""

    INFORMAL = "1"
    FORMAL = "2"
    WITHDRAWN = "U"


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, both included; `end` None means until further notice."""

    start: date
    end: date | None = None

    def includes(self, day: date) -> bool:
        """Whether `day` lies within the period."""
        return self.start <= day and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Name:
    """One name. `given` in order, middle names too; a compound first name is one item."""

    given: tuple[str, ...]
    family: str
    period: Period
    use: NameUse = NameUse.USUAL
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """One address; `use` is home, temp, work or billing, `postcode` is written with its space."""

    lines: tuple[str, ...]
    postcode: str
    period: Period
    use: str = "home"


@dataclass(frozen=True, slots=True)
class Telecom:
    """A phone number or email address exactly as somebody once typed it into PDS."""

    system: str
    value: str
    use: str
    period: Period


@dataclass(frozen=True, slots=True)
class Death:
    """A death notice. `died` is None when it was withdrawn."""

    status: DeathStatus
    effective: date
    died: date | None


@dataclass(frozen=True, slots=True)
class Removal:
    """Why somebody is no longer registered with a GP: DEA, EMB or SCT, and since when."""

    code: str
    display: str
    since: date


@dataclass(frozen=True, slots=True)
class Language:
    """What somebody speaks (code and name as PDS sends them), and if an interpreter is needed."""

    code: str
    display: str
    interpreter: bool


@dataclass(frozen=True, slots=True)
class Preference:
    """How somebody wants to be contacted: codes with their displays, and times in free text."""

    method: tuple[str, str]
    written_format: tuple[str, str]
    times: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A related person who is on PDS too: NHS number, and role and type as (code, display)."""

    nhs_number: str
    role: tuple[str, str]
    kind: tuple[str, str]
    since: date


@dataclass(frozen=True, slots=True)
class Practice:
    """The GP practice somebody is registered with, by ODS code."""

    ods_code: str
    period: Period


@dataclass(frozen=True, slots=True)
class Written:
    """How the public sandbox writes a record, but for what every record has: whole, and in a
    search; `host` is that of its fullUrl there."""

    retrieved: Resource
    found: Resource
    host: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One person on PDS. Everything but the NHS number may be missing, as on the real PDS."""

    nhs_number: str
    version: int = 1
    confidentiality: Confidentiality = Confidentiality.UNRESTRICTED
    superseded_by: str | None = None
    names: tuple[Name, ...] = ()
    gender: str | None = None
    birth_date: date | None = None
    addresses: tuple[Address, ...] = ()
    telecoms: tuple[Telecom, ...] = ()
    practice: Practice | None = None
    emergency_phone: str | None = None
    death: Death | None = None
    removal: Removal | None = None
    language: Language | None = None
    preference: Preference | None = None
    pharmacy: str | None = None
    birth_place: str | None = None
    relations: tuple[Relation, ...] = ()
    #: Which of several born at once.
    birth_order: int | None = None
    written: Written | None = None

    @property
    def is_restricted(self) -> bool:
        """Whether everything that could tell where the person is must be kept back."""
        return self.confidentiality is not Confidentiality.UNRESTRICTED
