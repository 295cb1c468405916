"""How names and postcodes are compared: folding, slips, short forms, parts of double names."""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = re.compile(r"['’‘ʼ`´ʻ′]")
_DASHES_AND_SPACES = re.compile(r"[\s\-‐‑‒–—−.,]+")
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
#: Shorter names have too many neighbours at one slip: Lee and Leo, Ali and Alia.
_MIN_FOR_SLIP = 4

#: Full names with the short forms that are used for them, folded. Short forms that are as common as
#: names of their own (Jack, Harry, Liam, Molly) are left out: brothers are called John and Jack.
_SHORT_FORMS = """
abigail: abi abby gail; alexander: alex sandy xander; alexandra: alex sandra lexi; andrew: andy drew
anthony: tony ant; antony: tony; benjamin: ben benny; bernadette: bernie; bernard: bernie
catherine: cath cathy kate katie; katherine: kath kathy kate katie; kathryn: kath kathy kate katie
charlotte: lottie; christina: chris tina; christine: chris chrissie; christopher: chris
daniel: dan danny; danielle: dani; david: dave davy davey; deborah: deb debbie debs; derek: del
dorothy: dot dottie; edward: ed eddie ted; eleanor: ellie nell; elizabeth: liz lizzie beth betty
emily: em; florence: flo florrie; frances: fran; francis: frank fran; frederick: fred freddie
gabrielle: gabby; geoffrey: geoff; georgina: georgie; gerald: gerry; gregory: greg gregg
isabella: izzy bella; isabelle: izzy; jacqueline: jackie jacqui; james: jim jimmy; janet: jan
jeffrey: jeff; jennifer: jen jenny jenni; jessica: jess jessie; joanna: jo; joanne: jo
jonathan: jon jonny; joseph: joe joey; joshua: josh; judith: judy; kenneth: ken kenny
kimberley: kim; lawrence: larry; leonard: len lenny; louise: lou; madeleine: maddie
margaret: maggie meg peggy marge; matthew: matt; maxwell: max; michael: mike mick micky
michelle: shell; mohammed: mo; mohammad: mo; muhammad: mo; mohamed: mo; natalie: nat; nathan: nat
nicholas: nick nicky; nicola: nicky nikki; oliver: ollie; olivia: liv livvy; pamela: pam
patricia: pat trish tricia patsy; patrick: pat paddy; penelope: penny; peter: pete
philip: phil; phillip: phil; raymond: ray; rebecca: becky becca bex; richard: rich rick dick ricky
robert: rob bob robbie bobby; ronald: ron ronnie; rosemary: rose; samantha: sam sammy
samuel: sam sammy; sandra: sandy; sarah: sal sally; stanley: stan; stephanie: steph
stephen: steve; steven: steve; stuart: stu; susan: sue susie; suzanne: sue suzie; theodore: theo ted
theresa: terri tess; terence: terry; thomas: tom tommy; timothy: tim timmy; tracey: trace
valerie: val; veronica: ronnie; victoria: vicky vicki tori; vincent: vince vinny; vivienne: viv
walter: walt wally; wendy: wend; william: will bill billy willy; winifred: winnie
zachary: zach zac zak
"""


def fold(name: str) -> str:
    """A name as it is compared: no case, accents, apostrophes, hyphens or spaces."""
    return _DASHES_AND_SPACES.sub("", _plain(name))


def words(name: str) -> tuple[str, ...]:
    """The folded words of a name, taken apart at spaces and hyphens."""
    return tuple(part for part in _DASHES_AND_SPACES.split(_plain(name)) if part)


def fold_postcode(postcode: str) -> str:
    """A postcode as it is compared: upper case, without spaces and dashes."""
    return _DASHES_AND_SPACES.sub("", unicodedata.normalize("NFKC", postcode)).upper()


def spaced_postcode(postcode: str) -> str:
    """A postcode as it is written: upper case, a space before the last three characters."""
    folded = fold_postcode(postcode)
    return f"{folded[:-3]} {folded[-3:]}" if len(folded) > 3 else folded  # noqa: PLR2004


def searched(name: str) -> str:
    """A name as PDS is asked for it: straight apostrophes and hyphens, single spaces, no `*`."""
    straight = re.sub(r"[‐‑‒–—−]", "-", _APOSTROPHES.sub("'", unicodedata.normalize("NFC", name)))
    return " ".join(straight.replace("*", " ").split())


def one_slip(one: str, other: str) -> bool:
    """Whether two folded names of four letters or more differ by one letter typed wrongly, left
    out, put in, or changed round with its neighbour."""
    if one == other or min(len(one), len(other)) < _MIN_FOR_SLIP:
        return False
    if len(one) > len(other):
        one, other = other, one
    same = next((i for i, c in enumerate(one) if c != other[i]), len(one))
    if len(one) == len(other):
        return _one_change(one[same:], other[same:])
    return one[same:] == other[same + 1 :]


def one_postcode_slip(one: str, other: str) -> bool:
    """Whether two folded postcodes differ in one character, or two that changed places."""
    return one != other and len(one) == len(other) and one_slip(one, other)


def short_form(one: str, other: str) -> bool:
    """Whether one folded given name is a short form of the other, or both of one full name."""
    return one != other and bool(_full_names(one) & _full_names(other))


def _one_change(one: str, other: str) -> bool:
    """Of two rests that begin differently: one letter changed, or two swapped."""
    swapped = one[:2] == other[:2][::-1] and one[2:] == other[2:]
    return one[1:] == other[1:] or (len(one) > 1 and swapped)


def _plain(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold()).translate(_LETTERS)
    plain = "".join(c for c in plain if not unicodedata.combining(c) and c.isprintable())
    return _APOSTROPHES.sub("", plain)


def _full_names(name: str) -> frozenset[str]:
    return FULL_NAMES.get(name, frozenset()) | {name}


def _read_short_forms(table: str) -> dict[str, frozenset[str]]:
    full: dict[str, frozenset[str]] = {}
    for line in re.split(r"[;\n]", table.strip()):
        name, _, shorts = line.partition(":")
        for short in shorts.split():
            full[short] = full.get(short, frozenset()) | {name.strip()}
    return full


#: Short form to the full names it stands for, all folded.
FULL_NAMES = _read_short_forms(_SHORT_FORMS)
