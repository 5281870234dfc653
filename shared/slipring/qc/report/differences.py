"""What was changed between two wordings of a section: words added and taken out. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

# A Chinese character counts as a word, as do a run of letters and a number with its decimals.
_WORDS = re.compile(r"[\u3400-\u9fff]|\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)?", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Difference:
    """Words that stayed, came and went; `kept + removed` are those of the first wording."""

    kept: int
    added: int
    removed: int

    @property
    def changed(self) -> bool:
        """Whether any word differs."""
        return bool(self.added or self.removed)


def difference(before: str, after: str) -> Difference:
    """Compare two wordings word by word (difflib, Ratcliff and Obershelp 1988); case and punctuation do not count.

    >>> difference("No embolism. 未见肺栓塞", "Small embolism. 见肺栓塞")
    Difference(kept=5, added=1, removed=2)
    """
    first, second = (_WORDS.findall(text.casefold()) for text in (before, after))
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    kept = sum(block.size for block in blocks)
    return Difference(kept, len(second) - kept, len(first) - kept)
