"""The check digits of LOINC codes and SNOMED CT identifiers: a mistyped code is no other code."""

from __future__ import annotations

import re
from itertools import accumulate, repeat

_LOINC = re.compile(r"\d{1,7}-\d")
_SNOMED = re.compile(r"[1-9]\d{5,17}")
# Verhoeff's tables: multiplication in the dihedral group of order ten, and the permutation applied once for each place.
_TIMES = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)  # fmt: skip
_ONCE = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_PLACES = tuple(
    accumulate(repeat(_ONCE, 7), lambda now, _: tuple(_ONCE[digit] for digit in now), initial=tuple(range(10)))
)


def is_loinc(code: str) -> bool:
    """Whether a LOINC code is well formed and its last digit is the mod-10 check digit of the others.

    >>> is_loinc("24627-2"), is_loinc("24627-1")
    (True, False)
    """
    if not _LOINC.fullmatch(code):
        return False
    number, _, check = code.partition("-")
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(number)))
    return (sum(value - 9 * (value > 9) for value in doubled) + int(check)) % 10 == 0


def is_snomed(code: str) -> bool:
    """Whether a SNOMED CT identifier passes Verhoeff's check.

    >>> is_snomed("303653007"), is_snomed("303653008")
    (True, False)
    """
    if not _SNOMED.fullmatch(code):
        return False
    found = 0
    for place, digit in enumerate(reversed(code)):
        found = _TIMES[found][_PLACES[place % 8][int(digit)]]
    return found == 0
