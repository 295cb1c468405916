"""Files that patients send: looked at before they are taken, and made harmless.

Only JPEG, PNG and PDF, told by their first bytes, never by name or declared type. Pictures are read
and written again with Pillow: what is no picture fails, and EXIF (where a photo was taken) and
everything hidden behind the picture stays behind. The sender's file name is not kept.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

#: Pictures beyond this many pixels are not opened: a small file can unfold to gigabytes.
MAX_PIXELS = 50_000_000
#: The longer side of a picture that is kept: enough to judge a rash, and small enough to send.
MAX_SIDE = 2560
_JPEG_QUALITY = 85
_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"%PDF-": "application/pdf",
}
KINDS = {"image/jpeg": "JPG", "image/png": "PNG", "application/pdf": "PDF"}


class NotTaken(Exception):
    """A file that is not taken. `kind`: file-type, file-size, file-empty, file-broken or
    file-pixels; `limit`: what the message says."""

    def __init__(self, kind: str, limit: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.limit = limit


@dataclass(frozen=True, slots=True)
class CleanFile:
    """A file as it is kept."""

    content_type: str
    data: bytes


def sniff(data: bytes) -> str:
    """The media type that the first bytes say, or ''."""
    return next((kind for start, kind in _SIGNATURES.items() if data.startswith(start)), "")


def clean(data: bytes, *, taken: list[str], max_bytes: int) -> CleanFile:
    """The harmless form of a file.

    `taken`: the media types that the question takes. Raises NotTaken.
    """
    if not data:
        raise NotTaken("file-empty")
    if len(data) > max_bytes:
        raise NotTaken("file-size", f"{max_bytes / 1_000_000:g} MB")
    kind = sniff(data)
    if kind not in taken:
        names = [KINDS[t] for t in taken]
        raise NotTaken(
            "file-type", " or ".join([", ".join(names[:-1]), names[-1]]).removeprefix(" or ")
        )
    if kind == "application/pdf":
        return _pdf(data)
    return _picture(data, kind)


def _pdf(data: bytes) -> CleanFile:
    """PDFs are kept as they are; one that needs a password cannot be read by staff."""
    if b"/Encrypt" in data:
        raise NotTaken("file-password")
    if b"%%EOF" not in data[-4096:]:
        raise NotTaken("file-broken")
    return CleanFile("application/pdf", data)


def _picture(data: bytes, kind: str) -> CleanFile:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise NotTaken("file-pixels")
                picture.load()
                # The camera's rotation is in the EXIF that goes.
                upright = ImageOps.exif_transpose(picture)
    except NotTaken:
        raise
    except Image.DecompressionBombError:
        raise NotTaken("file-pixels") from None
    except Exception:
        # Pillow raises many kinds of errors on broken data, and each means the same.
        raise NotTaken("file-broken") from None
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    fresh = upright.convert("RGB" if kind == "image/jpeg" else "RGBA")
    bare = Image.new(fresh.mode, fresh.size)
    bare.paste(fresh)
    out = io.BytesIO()
    if kind == "image/jpeg":
        bare.save(out, "JPEG", quality=_JPEG_QUALITY)
    else:
        bare.save(out, "PNG", optimize=False)
    return CleanFile(kind, out.getvalue())
