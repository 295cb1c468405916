"""How names, sounds and postcodes are compared: folding, Soundex, short forms, typing slips."""

from __future__ import annotations

import re
import unicodedata

#: Letters that Unicode does not take apart into a letter and an accent.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
_PUNCTUATION = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "‐": "-", "–": "-", "—": "-"})
_SPACES = re.compile(r"\s+")

#: Soundex digits (National Archives; vowels and y separate, h and w do not).
_SOUNDEX = {
    letter: digit
    for letters, digit in (
        ("bfpv", "1"),
        ("cgjkqsxz", "2"),
        ("dt", "3"),
        ("l", "4"),
        ("mn", "5"),
        ("r", "6"),
    )
    for letter in letters
}
_SOUNDEX_LENGTH = 4

#: Names that are used for one another, folded. A name may be in one group only.
_SHORT_FORMS = (
    "alexander alex sandy xander",
    "andrew andy drew",
    "anthony antony tony",
    "benjamin ben benny",
    "catherine katherine kathryn cathy kathy kate katie",
    "charles charlie chas",
    "christopher chris kit",
    "daniel dan danny",
    "david dave davey",
    "deborah debra deb debbie",
    "edward eddie ned ted teddy",
    "elizabeth beth betty eliza lizzie liz",
    "frederick fred freddie",
    "geoffrey jeffrey geoff jeff",
    "james jim jimmy jamie",
    "jennifer jen jenny",
    "john johnny jack",
    "joseph joe joey",
    "joshua josh",
    "margaret maggie meg peggy",
    "matthew matt mat",
    "michael mike mick mickey",
    "mohammed mohammad muhammad mohamed mo",
    "nicholas nick nicky",
    "patricia pat patsy tricia",
    "patrick paddy",
    "peter pete",
    "philip phillip phil",
    "rebecca becky becca",
    "richard rick dick ricky",
    "robert rob bob bobby robbie",
    "ronald ron ronnie",
    "samuel sam sammy",
    "stephen steven steve",
    "susan sue susie",
    "thomas tom tommy",
    "timothy tim",
    "victoria vicky tori",
    "william will bill billy liam",
    "zachary zach zac",
)
_GROUP = {name: number for number, names in enumerate(_SHORT_FORMS) for name in names.split()}

_POSTCODE = re.compile(r"(GIR ?0AA|[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2})")


def tidy(text: str) -> str:
    """Case, runs of spaces and the shapes of apostrophes and dashes set aside; accents kept."""
    composed = unicodedata.normalize("NFC", text).translate(_PUNCTUATION)
    return _SPACES.sub(" ", composed).strip().casefold()


def fold(text: str) -> str:
    """`tidy`, and accents set aside too: `Kamiński` and `KAMINSKI` become the same."""
    apart = unicodedata.normalize("NFD", tidy(text).translate(_LETTERS))
    return "".join(char for char in apart if not unicodedata.combining(char))


def soundex(name: str) -> str:
    """The Soundex code of a name, such as `S530` for Smith and Smythe; empty without letters.

    https://www.archives.gov/research/census/soundex
    """
    letters = [char for char in fold(name) if "a" <= char <= "z"]
    if not letters:
        return ""
    digits = ""
    last = _SOUNDEX.get(letters[0], "")
    for letter in letters[1:]:
        digit = _SOUNDEX.get(letter, "")
        if digit and digit != last:
            digits += digit
        if letter not in "hw":
            last = digit
    return (letters[0].upper() + digits).ljust(_SOUNDEX_LENGTH, "0")[:_SOUNDEX_LENGTH]


def are_forms_of_one_name(one: str, other: str) -> bool:
    """Whether both are forms of one given name, such as Joe and Joseph."""
    group = _GROUP.get(fold(one))
    return group is not None and group == _GROUP.get(fold(other))


def compact_postcode(text: str) -> str:
    """A postcode in capitals without spaces: `ls1 6ae` becomes `LS16AE`."""
    return _SPACES.sub("", text).upper()


def is_postcode(compact: str) -> bool:
    """Whether a compact postcode has the form of one (BS 7666, simplified)."""
    return _POSTCODE.fullmatch(compact) is not None


def slips(one: str, other: str, *, most: int) -> int:
    """How many characters must be typed differently to turn `one` into `other` (Levenshtein).

    Stops counting at `most` + 1.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            change = previous + (left != right)
            previous = row[j]
            row[j] = min(row[j] + 1, row[j - 1] + 1, change)
    return min(row[-1], most + 1)


def fits_pattern(text: str, pattern: str) -> bool:
    """Whether `text` fits `pattern`, where each `*` stands for any characters or none.

    Linear in time for any number of `*`, which a regular expression would not be.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    if not text.startswith(first):
        return False
    *middle, last = rest
    position = len(first)
    for part in middle:
        found = text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return len(text) - len(last) >= position and text.endswith(last)
