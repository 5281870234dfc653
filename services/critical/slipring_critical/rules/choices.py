"""What a receiver picks the finding out of: the one that was told among others of the catalogue."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

CHOICES = 5  # mechanisms 8: the finding picked out of five


def choices(finding: str, catalogue: Sequence[str], seed: str) -> list[str]:
    """The finding and four others, the same for one seed (the case) and in an order that gives nothing away.

    >>> sorted(choices("a", ["a", "b", "c"], "k-1"))
    ['a', 'b', 'c']
    """

    def drawn(code: str) -> str:
        return hashlib.sha256(f"{seed}|{code}".encode()).hexdigest()

    others = sorted({code for code in catalogue if code != finding}, key=drawn)[: CHOICES - 1]
    return sorted([finding, *others], key=lambda code: drawn(f"place|{code}"))
