"""What a patient has received: dose Observations brought together by exam, each exam counted once.

Several Observations may speak of one exam: cumulative reports, a report and a figure entered by hand. Reports that
describe their irradiation events are united event by event; where none does, the newest figure counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from slipring.fhir.service import Resource

from slipring_order.dose.several import keyed, one_study
from slipring_order.dose.stored import StoredDose, counts, stored_dose

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
A_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class ExamDose:
    """The dose of one exam; None where nothing was said or nothing could be estimated."""

    performed_at: datetime | None
    dlp_mgy_cm: Decimal | None
    msv: Decimal | None
    requests: frozenset[str]
    sources: tuple[str, ...]  # the Observations it was taken from
    left_out: tuple[str, ...] = ()  # those that say the same again


@dataclass(frozen=True, slots=True)
class Exposure:
    """What was received in a span of time."""

    exams: tuple[ExamDose, ...]  # newest first
    since: datetime
    until: datetime

    @property
    def dlp_mgy_cm(self) -> Decimal:
        """All DLP together: a measure of what the scanners gave, not of risk, for regions weigh differently."""
        return sum((exam.dlp_mgy_cm for exam in self.exams if exam.dlp_mgy_cm is not None), Decimal(0))

    @property
    def msv(self) -> Decimal:
        """The estimated effective doses together; exams without one add nothing, so it is a lower bound."""
        return sum((exam.msv for exam in self.exams if exam.msv is not None), Decimal(0))

    @property
    def not_estimated(self) -> int:
        """How many exams have no effective dose."""
        return sum(exam.msv is None for exam in self.exams)


def exposure(observations: Iterable[Resource], now: datetime, zone: ZoneInfo, span: timedelta = A_YEAR) -> Exposure:
    """What these Observations of one patient (or one merge set) say of the span before now; J10 asks for twelve months."""
    since = now - span
    exams = [exam for exam in exam_doses(observations, zone) if since <= (exam.performed_at or _LONG_AGO) <= now]
    return Exposure(tuple(exams), since, now)


def exam_doses(observations: Iterable[Resource], zone: ZoneInfo) -> list[ExamDose]:
    """One dose per exam, newest first."""
    stored = [stored_dose(each, zone) for each in observations if counts(each)]
    found = [_of_exam(group) for group in _grouped(stored)]
    return sorted(found, key=lambda exam: exam.performed_at or _LONG_AGO, reverse=True)


def _grouped(stored: Sequence[StoredDose]) -> list[list[StoredDose]]:
    groups: list[list[StoredDose]] = []
    for each in stored:
        same = [group for group in groups if any(_same_exam(each, other) for other in group)]
        together = [each, *(other for group in same for other in group)]
        groups = [group for group in groups if group not in same] + [together]
    return groups


def _same_exam(one: StoredDose, other: StoredDose) -> bool:
    """The same study; or the same request, unless both name a study in the same way and name different ones."""
    if one.studies & other.studies:
        return True
    return bool(one.requests & other.requests) and not _kinds(one) & _kinds(other)


def _kinds(one: StoredDose) -> set[str]:
    return {kind for kind, _ in one.studies}


def _of_exam(group: Sequence[StoredDose]) -> ExamDose:
    described = {each.reference: each for each in group if each.report.events}
    newest = max(group, key=lambda each: (each.report.written_at or each.performed_at or _LONG_AGO, each.reference))
    if not described:
        return _exam(group, [newest], newest.report.dlp_mgy_cm, newest.msv)
    # Each Observation stands for itself here: which reports went into it no longer matters.
    united = one_study(replace(each.report, sop_instance_uid=name) for name, each in described.items())
    counted = [described[report.sop_instance_uid] for report in united.counted]
    known = [each.msv for each in counted if each.msv is not None]
    if len(known) < len(counted):
        return _exam(group, counted, united.dlp_mgy_cm, newest.msv if newest.reference not in described else None)
    shared = sum(len(keyed(each.report.events)) for each in counted) > len(united.events)
    return _exam(group, counted, united.dlp_mgy_cm, max(known) if shared else sum(known, Decimal(0)))


def _exam(
    group: Sequence[StoredDose], counted: Sequence[StoredDose], dlp: Decimal | None, msv: Decimal | None
) -> ExamDose:
    used = tuple(each.reference for each in counted)
    return ExamDose(
        performed_at=min((each.performed_at for each in group if each.performed_at), default=None),
        dlp_mgy_cm=dlp,
        msv=msv,
        requests=frozenset(request for each in group for request in each.requests),
        sources=used,
        left_out=tuple(each.reference for each in group if each.reference not in used),
    )
