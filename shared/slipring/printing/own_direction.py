"""Somebody else's words on paper: they run their own way, and turn round nothing that stands beside them.

Unicode's controls of direction (UAX 9) last to the end of a paragraph: one in a name would print the date beside it backwards.
"""

from __future__ import annotations

import re

from markupsafe import Markup

_OPENS, _CLOSES = "\u2066\u2067\u2068", "\u2069"  # isolates, and their end
# Embeddings and overrides with their end; what ends a paragraph or is none of a text's signs (C0, C1).
_DROPPED = re.compile("[\u202a-\u202e]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def straight(text: object) -> str:
    r"""The text with no control that could reach beyond its end; everything that can be seen of it stays, in its order.

    >>> straight("Li\u202e Lei\u2069"), straight("Dr. אבי"), straight(12)
    ('Li Lei', 'Dr. אבי', '12')
    """
    kept, open_ones = list[str](), 0
    for sign in _DROPPED.sub("", str(text)):
        if sign == _CLOSES and not open_ones:
            continue
        open_ones += (sign in _OPENS) - (sign == _CLOSES)
        kept.append(sign)
    return "".join(kept) + _CLOSES * open_ones


def aside(text: object) -> str:
    """The text for a line of words that others follow: whichever way it runs, they stand where they stood."""
    return f"\u2068{straight(text)}\u2069"


def isolated(text: object) -> Markup:
    """The same for a page."""
    return Markup("<bdi>{}</bdi>").format(straight(text))
