"""Names in the environment that are no setting. In the settings file they are refused; here what is
not like any may be somebody else's, such as what a cluster tells of its services. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

_ALIKE = 0.8


def misspelt(
    variables: Iterable[str], names: Collection[str], prefix: str
) -> Iterator[tuple[str, str, bool]]:
    """The variable, a sentence, and whether it looks like a setting with a slip in its name.

    `names`: of the settings, in small letters and without the prefix.
    """
    for variable in sorted(variables):
        name = variable.upper().removeprefix(prefix).lower()
        if not variable.upper().startswith(prefix) or name in names:
            continue
        like = get_close_matches(name, names, n=1, cutoff=_ALIKE)
        meant = f" Did you mean {prefix}{like[0].upper()}?" if like else ""
        yield variable, f"It is no setting, and does nothing.{meant}", bool(like)
