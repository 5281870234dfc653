"""The numbers and rules that charts are made by, dated and sourced (`charts.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from slipring.rules.finding import Limit
from slipring.rules.limits import LimitBook, UnknownLimit

_FILE = Path(__file__).with_name("charts.toml")


def number(name: str, on: date) -> float:
    """A number of `charts.toml` in force on a day."""
    return float(_book().limit(name, on=max(on, _since(name))).value)


def allowed_apart(item: str, on: date) -> Limit | None:
    """How far scanners may differ in this item; None where nobody has said."""
    try:
        return _book().limit(f"comparison.{item}", on=on)
    except UnknownLimit:
        return None


def rules() -> Sequence[Mapping[str, Any]]:
    """Westgard's rules in the order in which they are told."""
    return list(_tree()["westgard"]["rules"])


def rule_names() -> Mapping[str, Mapping[str, str]]:
    """The rules by code with their names, `zh` and `en`."""
    return {str(one["code"]): {"zh": one["zh"], "en": one["en"]} for one in rules()}


def _since(name: str) -> date:
    """A series may begin before the numbers did: then the first of them is taken."""
    first: date = min(value["from"] for value in _book().entries[name]["values"])
    return first


@cache
def _book() -> LimitBook:
    return LimitBook.load(_FILE)


@cache
def _tree() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))
