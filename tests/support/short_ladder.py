"""A ladder of two steps, the requester and then the ward's duty doctor: every transition of a long one is one of these."""

from __future__ import annotations

from pathlib import Path

_WRITTEN = """
version = "short"
from = 2026-01-01
confidence = "S"
source = "a test"
[[ladder]]
level = "1"
act-within-minutes = {act}
step = [
  {{ who = ["requester"], channels = ["webhook"], answer-within-minutes = {first} }},
  {{ who = ["ward-duty"], channels = ["webhook"], answer-within-minutes = {second} }},
]
"""


def short_ladder(folder: Path, *, answer: tuple[float, float], act: float) -> Path:
    """Its file; `answer` the minutes of each step, `act` those in which something must be done."""
    file = folder / "ladder.toml"
    file.write_text(_WRITTEN.format(first=answer[0], second=answer[1], act=act), encoding="utf-8")
    return file
