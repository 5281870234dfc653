"""The words of the analysis in English and Chinese, from words.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parent / "words.toml"


@cache
def book() -> dict[str, Any]:
    """All of words.toml."""
    return tomllib.loads(_FILE.read_text("utf-8"))


def word(group: str, code: str, language: str) -> str:
    """What a code is called in one language, zh or en; a code without a name, as `1.6` of a bar pattern, stands for itself."""
    entry = book()[group].get(code)
    return code if entry is None else str(entry[language])


def note_of(outcome: str, language: str) -> str:
    """Why an outcome is neither pass nor fail; empty where there is nothing to say."""
    entry = book()["note"].get(outcome)
    return "" if entry is None else str(entry[language])


def sentence(group: str, name: str, language: str, /, **values: Any) -> str:
    """A sentence with its values; raises KeyError for one that words.toml does not have."""
    return str(book()[group][name][language]).format(**values)
