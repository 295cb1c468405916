"""Whether the names that were typed are names of a record: one and the same name of it, both ways
round, now or before, whole or in part. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from fhir_gateway.fhir.types import Element, Resource, as_list, as_str
from fhir_gateway.matching import record as pds
from fhir_gateway.matching.demographics import Demographics
from fhir_gateway.matching.policy import Difference
from fhir_gateway.matching.spelling import fold, one_slip, short_form, words

#: Nothing differs.
_SAME: frozenset[Difference] = frozenset()


@dataclass(frozen=True, slots=True)
class NameFit:
    """How the typed names fit the name of a record that fits best. None: not at all."""

    family: frozenset[Difference] | None
    given: frozenset[Difference] | None
    whole: frozenset[Difference] = _SAME

    @property
    def differences(self) -> frozenset[Difference]:
        """All that differs but could be forgiven."""
        return (self.family or _SAME) | (self.given or _SAME) | self.whole

    @property
    def worth(self) -> tuple[int, int]:
        """For the best of several: parts that do not fit, then differences."""
        return (self.family is None) + (self.given is None), len(self.differences)


def fit_names(record: Resource, typed: Demographics, today: date) -> NameFit:
    """The best fit of the typed names with any one name of the record."""
    return min(_fits(record, typed, today), key=lambda fit: fit.worth, default=NameFit(None, None))


def gives_every_name(record: Resource, typed: Demographics, today: date) -> bool:
    """Whether every given name of a current name was typed: what tells twins apart who share the
    first of them."""
    written = "".join(fold(given) for given in typed.given)
    return any(
        written == "".join(fold(as_str(given)) for given in as_list(name.get("given")))
        for name, is_past in pds.names(record, today)
        if not is_past
    )


def _fits(record: Resource, typed: Demographics, today: date) -> Iterator[NameFit]:
    for name, is_past in pds.names(record, today):
        past = frozenset({Difference.PREVIOUS_NAME}) if is_past else _SAME
        yield NameFit(_family(typed.family, name), _given(typed.given, name), past)
        if typed.given:
            swapped = past | {Difference.SWAPPED_NAMES}
            family = _family(" ".join(typed.given), name)
            yield NameFit(family, _given((typed.family,), name), swapped)


def _family(typed: str, name: Element) -> frozenset[Difference] | None:
    written, known = fold(typed), fold(as_str(name.get("family")))
    if not written or not known:
        return None
    if written == known:
        return _SAME
    typed_words, known_words = words(typed), words(as_str(name.get("family")))
    if _is_part(typed_words, known_words) or _is_part(known_words, typed_words):
        return frozenset({Difference.PART_OF_NAME})
    return frozenset({Difference.FAMILY_NAME_SLIP}) if one_slip(written, known) else None


def _is_part(part: Sequence[str], double: Sequence[str]) -> bool:
    """Whether a name is one word of a double one. `de` and `O` are no names."""
    return len(part) == 1 and len(double) > 1 and len(part[0]) > 2 and part[0] in double  # noqa: PLR2004


def _given(typed: Sequence[str], name: Element) -> frozenset[Difference] | None:
    known = [as_str(part) for part in as_list(name.get("given")) if as_str(part).strip()]
    written = [word for part in typed for word in words(part)]
    if not known or not written:
        return None
    folded = [fold(part) for part in known]
    # People type the first name alone, or with some of those after it, as one word or several.
    if "".join(written) in {"".join(folded[: count + 1]) for count in range(len(folded))}:
        return _SAME
    return _given_words(written, [word for part in known for word in words(part)])


def _given_words(written: Sequence[str], known: Sequence[str]) -> frozenset[Difference] | None:
    """The same, word by word: initials, parts, short forms."""
    first, *others = written
    rest = list(known[1:])
    if first == known[0]:
        if all(_is_initial(one, two) for one, two in zip(others, rest, strict=False)):
            # The record may lack a later name; a different one is another person's.
            initials_only = len(others) <= len(rest) and others
            return _SAME if initials_only else frozenset({Difference.PART_OF_NAME})
        return None
    # A later name alone is not forgiven: it may be what a twin is called.
    if not others and short_form(first, known[0]):
        return frozenset({Difference.SHORT_FORM})
    return None


def _is_initial(one: str, two: str) -> bool:
    """Whether two further names are the same, or one is the initial of the other."""
    return one == two or (min(len(one), len(two)) == 1 and one[0] == two[0])
