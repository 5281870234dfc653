"""A number as a Code 39 bar code (ISO/IEC 16388), which every hand scanner reads. Pure."""

from __future__ import annotations

# Nine elements to a character, bars and spaces by turns, three of them wide.
_PATTERNS = {
    "0": "nnnwwnwnn", "1": "wnnwnnnnw", "2": "nnwwnnnnw", "3": "wnwwnnnnn", "4": "nnnwwnnnw", "5": "wnnwwnnnn",
    "6": "nnwwwnnnn", "7": "nnnwnnwnw", "8": "wnnwnnwnn", "9": "nnwwnnwnn", "A": "wnnnnwnnw", "B": "nnwnnwnnw",
    "C": "wnwnnwnnn", "D": "nnnnwwnnw", "E": "wnnnwwnnn", "F": "nnwnwwnnn", "G": "nnnnnwwnw", "H": "wnnnnwwnn",
    "I": "nnwnnwwnn", "J": "nnnnwwwnn", "K": "wnnnnnnww", "L": "nnwnnnnww", "M": "wnwnnnnwn", "N": "nnnnwnnww",
    "O": "wnnnwnnwn", "P": "nnwnwnnwn", "Q": "nnnnnnwww", "R": "wnnnnnwwn", "S": "nnwnnnwwn", "T": "nnnnwnwwn",
    "U": "wwnnnnnnw", "V": "nwwnnnnnw", "W": "wwwnnnnnn", "X": "nwnnwnnnw", "Y": "wwnnwnnnn", "Z": "nwwnwnnnn",
    "-": "nwnnnnwnw", ".": "wwnnnnwnn", " ": "nwwnnnwnn", "*": "nwnnwnwnn",
}  # fmt: skip
_WIDE = 3  # modules of a wide element, to one of a narrow one


def bars_of(text: str) -> tuple[int, list[tuple[int, int]]]:
    """The width of the code in modules, and each bar's place and width; no bars where a letter cannot be coded.

    >>> bars_of("A")[0], len(bars_of("A")[1])
    (47, 15)
    """
    if not text or any(letter not in _PATTERNS or letter == "*" for letter in text):
        return 0, []
    bars, at = [], 0
    for letter in f"*{text}*":
        for place, element in enumerate(_PATTERNS[letter]):
            width = _WIDE if element == "w" else 1
            if place % 2 == 0:
                bars.append((at, width))
            at += width
        at += 1  # the gap between two characters
    return at - 1, bars
