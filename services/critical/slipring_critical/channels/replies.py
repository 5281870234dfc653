"""What is said in a conversation by text message or keypad, and the figures of it, as data (data/replies.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parents[1] / "data" / "replies.toml"


@dataclass(frozen=True, slots=True)
class Replies:
    """The figures, and the words by key and language."""

    code_digits: int
    good: timedelta  # since the last message of a conversation
    words: Mapping[str, Mapping[str, str]]

    def say(self, key: str, language: str, **values: object) -> str:
        """One sentence of a conversation; never about whom it is."""
        return self.words[key][language].format(**values)


@cache
def the_replies() -> Replies:
    """As shipped."""
    written = tomllib.loads(_FILE.read_text("utf-8"))
    return Replies(
        written["code"]["digits"], timedelta(minutes=written["conversation"]["good-minutes"]), written["words"]
    )
