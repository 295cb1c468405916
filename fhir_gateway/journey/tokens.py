"""Random values that must not be guessed. Always from `secrets`."""

from __future__ import annotations

import re
import secrets

#: Crockford's alphabet without the letters that can be misread aloud or on paper.
_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LINK_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


def link_token() -> str:
    """The opaque part of a link: 128 bits in 22 characters that are safe in a URL."""
    return secrets.token_urlsafe(16)


def session_token() -> str:
    """The value of a session cookie: 256 bits."""
    return secrets.token_urlsafe(32)


def security_code(digits: int) -> str:
    """A security code of this many digits, every value equally likely."""
    return f"{secrets.randbelow(10**digits):0{digits}d}"


def reference() -> str:
    """What a patient is told, such as `7K2M-9QXD`: 39 bits, without 0, 1, I, L, O and U."""
    letters = [secrets.choice(_REFERENCE_ALPHABET) for _ in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])
