"""Text as the checks read it: widths and case folded, every character at the place where it stood."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_KEPT = frozenset("。、；—–…《》“”")
_SPOKEN = re.compile(r"\b(full stop|new paragraph|new line|next line|period|comma|semicolon|question mark)\b")
_SAID = {"full stop": ".", "period": ".", "comma": ",", "semicolon": ";", "question mark": "?"}
_SPOKEN_ENOUGH = 2


@cache
def _folded(character: str) -> str:
    if character in _KEPT:
        return ";" if character == "；" else character
    plain = unicodedata.normalize("NFKC", character).lower()
    return plain if len(plain) == 1 else character


def folded(text: str) -> str:
    """The text with full-width forms as half-width ones, in lower case, and dictated punctuation as marks; of the same length.

    >>> folded("ＣＴ值，约３０ＨＵ；Left")
    'ct值,约30hu;left'
    >>> folded("no bleed comma no shift period")
    'no bleed ,     no shift .     '
    """
    plain = "".join(map(_folded, text))
    if "comma" in plain or "full stop" in plain or "period" in plain:
        return _dictated(plain)
    return plain


def _dictated(plain: str) -> str:
    spoken = _SPOKEN.findall(plain)
    if len(spoken) < _SPOKEN_ENOUGH and "comma" not in spoken and "full stop" not in spoken:
        return plain
    return _SPOKEN.sub(lambda found: _SAID.get(found[1], "\n").ljust(len(found[1])), plain)
