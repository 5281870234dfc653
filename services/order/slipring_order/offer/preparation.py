"""The preparation texts of an exam (CL02-A011:5.4.4.2), composed from blocks that fit it; pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from slipring_order.catalogue import Exam

PARTS = ("request", "prepare", "bring", "timing", "data")
VIEWS = ("patient", "clinician")


@dataclass(frozen=True, slots=True)
class Text:
    """What one part says to one kind of reader, in both languages; one sentence group a line."""

    part: str
    view: str
    zh: str
    en: str


def preparation_of(exam: Exam) -> list[Text]:
    """Every part for every reader, in the order they are read."""
    fitting = [block for block in _blocks() if _fits(block.get("for", {}), exam)]
    return [text for part in PARTS for view in VIEWS if (text := _joined(part, view, fitting))]


def _joined(part: str, view: str, fitting: Sequence[Mapping[str, Any]]) -> Text | None:
    said = [block[view] for block in fitting if block["part"] == part and view in block]
    if not said:
        return None
    return Text(part, view, "\n".join(words["zh"] for words in said), "\n".join(words["en"] for words in said))


def _fits(wanted: Mapping[str, Any], exam: Exam) -> bool:
    return all(_meets(name, value, exam) for name, value in wanted.items())


def _meets(name: str, value: Any, exam: Exam) -> bool:
    if name == "regions":
        return bool(exam.regions & set(value))
    if name == "laterality":
        return exam.laterality is value
    held = {"phases": exam.phases, "kinds": exam.kind, "families": exam.family}[name]
    return held in value


def _blocks() -> Iterator[Mapping[str, Any]]:
    yield from _data()["block"]


@cache
def _data() -> Mapping[str, Any]:
    with (Path(__file__).parents[1] / "data" / "preparation.toml").open("rb") as file:
        return tomllib.load(file)
