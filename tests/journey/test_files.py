"""Files are told by their first bytes, made harmless, and bounded."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fhir_gateway.journey.files import MAX_SIDE, NotTaken, clean

ALL = ["image/jpeg", "image/png", "application/pdf"]
LIMIT = 8_000_000


def photo(kind: str, size: tuple[int, int] = (60, 40), **more: object) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif[0x0112] = 6  # the camera was held upright
    picture = Image.new("RGB", size, (10, 200, 30))
    picture.save(out, kind, exif=exif, **more)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.hazard("H20")
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pictures_lose_their_exif_and_what_hides_behind_them_and_stand_upright(kind: str) -> None:
    made = clean(photo(kind) + b"<script>hidden</script>", taken=ALL, max_bytes=LIMIT)
    picture = Image.open(io.BytesIO(made.data))
    assert not picture.getexif()
    assert b"secret" not in made.data
    assert b"hidden" not in made.data
    assert picture.size == (40, 60)


def test_comments_and_profiles_of_pictures_go_too() -> None:
    made = clean(photo("JPEG", comment=b"my name"), taken=ALL, max_bytes=LIMIT)
    assert b"my name" not in made.data


def test_large_pictures_are_made_smaller() -> None:
    made = clean(photo("JPEG", (4000, 3000)), taken=ALL, max_bytes=LIMIT)
    assert max(Image.open(io.BytesIO(made.data)).size) == MAX_SIDE


def bomb() -> bytes:
    """A small PNG that says it has 10,000 million pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    end = chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + end


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "file-empty"),
        (b"hello", "file-type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file-type"),
        (b"PK\x03\x04 a document", "file-type"),
        (photo("JPEG")[:80], "file-broken"),
        (b"\x89PNG\r\n\x1a\n", "file-broken"),
        (b"%PDF-1.7 no end", "file-broken"),
        (b"%PDF-1.7 /Encrypt %%EOF", "file-password"),
        (b"%PDF-" + b"0" * LIMIT, "file-size"),
        (bomb(), "file-pixels"),
    ],
)
def test_what_cannot_be_taken_says_why(data: bytes, kind: str) -> None:
    with pytest.raises(NotTaken) as refused:
        clean(data, taken=ALL, max_bytes=LIMIT)
    assert refused.value.kind == kind


def test_only_the_kinds_that_the_question_asks_for_are_taken() -> None:
    with pytest.raises(NotTaken) as refused:
        clean(b"%PDF-1.4 %%EOF", taken=["image/jpeg", "image/png"], max_bytes=LIMIT)
    assert (refused.value.kind, refused.value.limit) == ("file-type", "JPG or PNG")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-", b""]), st.binary(max_size=300)
)
def test_no_bytes_bring_anything_but_a_file_or_a_reason(start: bytes, rest: bytes) -> None:
    try:
        made = clean(start + rest, taken=ALL, max_bytes=LIMIT)
    except NotTaken:
        return
    assert made.content_type in ALL
