"""Is this scanner fit to scan, and if not, which test says so? A pure function over the Device and its Observations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from slipring.fhir.service import Resource
from slipring.rules.finding import Finding, Weight
from slipring.rules.limits import LimitBook
from slipring.rules.rulebook import check

from slipring_order.rooms.scanner import in_service
from slipring_order.rooms.scanner_facts import ServiceFacts
from slipring_order.rooms.scanner_standard import NEWEST_EDITION
from slipring_order.rooms.testing import Result, ScannerTest, result_of, standing
from slipring_order.rules import SCANNER_RULES, SCANNER_TEST_RULES


@dataclass(frozen=True, slots=True)
class Fitness:
    """What speaks against scanning on a scanner; the tests as they stand."""

    findings: tuple[Finding, ...]
    tests: tuple[ScannerTest, ...]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What takes the scanner off the worklist: a number nobody has confirmed is never among it."""
        return tuple(finding for finding in self.findings if finding.weight is Weight.STOP)

    @property
    def fit(self) -> bool:
        """Whether it may scan."""
        return not self.blocking


def fitness(
    device: Resource,
    observations: Iterable[Resource],
    at: datetime,
    book: LimitBook,
    zone: ZoneInfo,
    *,
    edition: str = NEWEST_EDITION,
) -> Fitness:
    """Judge a scanner at a moment by its state and by every test result on record up to then (CL02-A011:5.6.2.3)."""
    results: list[Result] = [one for tree in observations if (one := result_of(tree, zone))]
    limits = book.on(at.astimezone(zone).date())
    stands = standing(results, at, limits, edition, zone)
    findings = check(ServiceFacts(not in_service(device), bool(results)), SCANNER_RULES, limits, at)
    if results:
        for facts in stands:
            findings += check(facts, SCANNER_TEST_RULES, limits, at)
    return Fitness(tuple(findings), tuple(stands))
