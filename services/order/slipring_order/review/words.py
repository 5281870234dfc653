"""The words of the reviews' figures and verdicts, in both languages."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

WORDS = Path(__file__).with_name("words.toml")


def said(system: str, code: str) -> tuple[str, str]:
    """The Chinese and the English name of a code."""
    names = _words()[system]["codes"][code]
    return names["zh"], names["en"]


@cache
def _words() -> Mapping[str, Any]:
    with WORDS.open("rb") as file:
        return tomllib.load(file)
