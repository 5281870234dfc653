"""The knobs of this service only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from slipring.qc.equipment.limits import scanner_limits
from slipring.rules.limits import EVERYTHING, LimitBook
from slipring.runtime.settings import BadSettings
from slipring.signing.trust import trusted_root

from slipring_order.rooms.scanner_standard import editions

_LIMITS = Path(__file__).with_name("limits.toml")
_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class OrderSettings:
    """What a department may set."""

    time_zone: str = "Asia/Shanghai"
    shipped_exams: bool = True  # bring the shipped exams and protocols into the store at start
    number_prefix: str = "CT"  # two characters at the front of every imaging number
    institution: frozenset[str] = frozenset()  # how this hospital is known: names, references, system|value
    scanner_edition: str = "ws519-2019"  # the standard that a scanner's tests are held against
    limits_confirmed: frozenset[str] = frozenset()  # limit ids that a named person has confirmed; "*" = all
    trust: Path = field(
        default_factory=lambda: trusted_root({})
    )  # the root by which the service's own key is vouched for

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> OrderSettings:
        """Read SLIPRING_TIME_ZONE, _NUMBER_PREFIX, _INSTITUTION, _SHIPPED_EXAMS, _SCANNER_STANDARD and _LIMITS_CONFIRMED.

        The demo department (SLIPRING_DEMO) has confirmed its whole set.
        """
        found = os.environ if environ is None else environ
        default = cls()
        confirmed = {name.strip() for name in found.get("SLIPRING_LIMITS_CONFIRMED", "").split(",") if name.strip()}
        if found.get("SLIPRING_DEMO", "").lower() in _TRUE:
            confirmed.add(EVERYTHING)
        return cls(
            time_zone=found.get("SLIPRING_TIME_ZONE", default.time_zone),
            number_prefix=found.get("SLIPRING_NUMBER_PREFIX", default.number_prefix),
            shipped_exams=found.get("SLIPRING_SHIPPED_EXAMS", "yes").lower() in _TRUE,
            institution=frozenset(
                name.strip() for name in found.get("SLIPRING_INSTITUTION", "").split(",") if name.strip()
            ),
            scanner_edition=_edition(found.get("SLIPRING_SCANNER_STANDARD", "").strip() or default.scanner_edition),
            limits_confirmed=frozenset(confirmed),
            trust=trusted_root(found),
        )

    @property
    def zone(self) -> ZoneInfo:
        """The department's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def limits(self) -> LimitBook:
        """The limits of this service, with what the department has confirmed."""
        return _limits(self.limits_confirmed)

    @property
    def scanner_limits(self) -> LimitBook:
        """The limits and intervals of a scanner's tests, with what the department has confirmed."""
        return _scanner_limits(self.limits_confirmed)


def _edition(name: str) -> str:
    """An edition that there is: by another name the newest would count in silence."""
    if name not in editions():
        raise BadSettings(f"SLIPRING_SCANNER_STANDARD is one of {', '.join(editions())}. 须为所列标准之一。")
    return name


@cache
def _limits(confirmed: frozenset[str]) -> LimitBook:
    return LimitBook.load(_LIMITS, confirmed)


@cache
def _scanner_limits(confirmed: frozenset[str]) -> LimitBook:
    return scanner_limits(confirmed)
