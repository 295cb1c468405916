"""Where the people of the sandbox live: areas with their postcodes, towns, phones and practices.

Streets and full postcodes are invented; outward codes, towns and dialling codes go together. Phone
numbers are of the ranges Ofcom keeps for drama.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Area:
    """One area. `dialling` is the start of its drama numbers, three digits short of a number."""

    outward: tuple[str, ...]
    town: str
    county: str
    dialling: str
    practices: tuple[str, ...]


AREAS = (
    Area(
        ("LS1", "LS6", "LS9", "LS17"), "Leeds", "West Yorkshire", "01134960", ("Y90101", "Y90102")
    ),
    Area(("BD3", "BD8", "BD10"), "Bradford", "West Yorkshire", "01632960", ("Y90111", "Y90112")),
    Area(("S7", "S10", "S11"), "Sheffield", "South Yorkshire", "01144960", ("Y90121", "Y90122")),
    Area(
        ("M14", "M20", "M22"), "Manchester", "Greater Manchester", "01614960", ("Y90131", "Y90132")
    ),
    Area(("L8", "L15", "L18"), "Liverpool", "Merseyside", "01514960", ("Y90141", "Y90142")),
    Area(("B13", "B29", "B31"), "Birmingham", "West Midlands", "01214960", ("Y90151", "Y90152")),
    Area(("LE2", "LE3", "LE5"), "Leicester", "Leicestershire", "01164960", ("Y90161", "Y90162")),
    Area(("BS3", "BS6", "BS16"), "Bristol", "Avon", "01174960", ("Y90171", "Y90172")),
    Area(("NE3", "NE4", "NE6"), "Newcastle upon Tyne", "Tyne and Wear", "01914980", ("Y90181",)),
    Area(("E17", "E8"), "London", "Greater London", "02079460", ("Y90191", "Y90192")),
    Area(("N4", "N16"), "London", "Greater London", "02079460", ("Y90193",)),
    Area(("SE5", "SE15"), "London", "Greater London", "02079460", ("Y90194", "Y90195")),
    Area(("CF14", "CF23", "CF5"), "Cardiff", "South Glamorgan", "02920180", ("W90101", "W90102")),
)

STREETS = (
    "Albert Road",
    "Ash Grove",
    "Beech Avenue",
    "Bramble Close",
    "Canal Street",
    "Chapel Lane",
    "Church View",
    "Clarence Terrace",
    "Elm Crescent",
    "Foundry Row",
    "Hawthorn Way",
    "Kestrel Drive",
    "Lime Tree Walk",
    "Mill Lane",
    "Orchard Place",
    "Park Rise",
    "Quarry Hill",
    "Station Road",
    "Victoria Street",
    "Willow Court",
)

#: The letters that end a postcode are never C, I, K, M, O or V (BS 7666).
_UNIT_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


def area_of(postcode: str) -> Area:
    """The area a postcode of the sandbox lies in. Raises KeyError for any other."""
    outward = postcode.split(" ")[0]
    for area in AREAS:
        if outward in area.outward:
            return area
    raise KeyError(outward)


def new_postcode(chance: random.Random, area: Area) -> str:
    """A postcode of the area, written with its space."""
    unit = "".join(chance.choice(_UNIT_LETTERS) for _ in range(2))
    return f"{chance.choice(area.outward)} {chance.randrange(1, 10)}{unit}"


def address_lines(house: int, street: str, area: Area) -> tuple[str, ...]:
    """The lines of an address as PDS keeps them, without the postcode."""
    return (f"{house} {street}", area.town, area.county)
