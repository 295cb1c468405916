"""What a search parameter is, and how one of each kind is written down."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How values are indexed and compared. CANONICAL is what R4 declares as a reference too."""

    TOKEN = "token"  # noqa: S105 - a kind of search parameter
    STRING = "string"
    DATE = "date"
    REFERENCE = "reference"
    CANONICAL = "canonical"
    URI = "uri"

    @property
    def declared(self) -> str:
        """The code of search-param-type that stands for it in a CapabilityStatement."""
        return "reference" if self is Kind.CANONICAL else self.value


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter. `targets`: only references to these types count; empty means all.
    `system`: only a ContactPoint of this system counts. `others`: further parameters whose values
    count too, so that they are not kept twice. `implicit`: of an element of type code, the systems
    that its values are of without saying so."""

    name: str
    kind: Kind
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()
    personal: bool = False
    system: str = ""
    others: tuple[str, ...] = ()
    implicit: tuple[str, ...] = ()


def token(name: str, *paths: str) -> Parameter:
    """A parameter of tokens: codes and identifiers."""
    return Parameter(name, Kind.TOKEN, paths or (name,))


def string(name: str, *paths: str) -> Parameter:
    """A parameter of words."""
    return Parameter(name, Kind.STRING, paths or (name,))


def date(name: str, *paths: str) -> Parameter:
    """A parameter of dates and periods."""
    return Parameter(name, Kind.DATE, paths or (name,))


def uri(name: str, *paths: str) -> Parameter:
    """A parameter of addresses."""
    return Parameter(name, Kind.URI, paths or (name,))


def reference(name: str, *paths: str, targets: tuple[str, ...] = ()) -> Parameter:
    """A parameter of references; `targets` as in Parameter."""
    return Parameter(name, Kind.REFERENCE, paths or (name,), targets)


def patient(*paths: str) -> Parameter:
    """The parameter `patient`: references to a Patient alone."""
    return reference("patient", *paths, targets=("Patient",))
