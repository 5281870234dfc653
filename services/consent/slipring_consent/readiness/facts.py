"""How ready the room is for a reaction, at one moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadinessFacts:
    """The crash cart that counts for one injection, its last check and its drugs."""

    place: str = ""  # Location/... of the scanner's room; empty when nobody knows it
