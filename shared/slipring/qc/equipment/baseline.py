"""Baselines: the value that constancy is held against, who stands for it, and from when on it counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Baseline:
    """The value of the last accepted acceptance or status test (GB 17589, WS 519), in the unit of its item."""

    item: str
    value: Decimal
    since: datetime
    kind: str  # acceptance, status
    of: str = ""  # the record that it was measured in
    approver: str = ""  # who accepted the test; empty where it was entered without an approval


def in_force(baselines: Iterable[Baseline], item: str, at: datetime) -> Baseline | None:
    """The baseline of an item at a moment: the last one set up to then; None when there was none yet."""
    known = [one for one in baselines if one.item == item and one.since <= at]
    return max(known, key=lambda one: (one.since, one.of), default=None)
