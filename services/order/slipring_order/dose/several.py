"""Several dose reports of one study: which replaces which, and what they say together.

A scanner may send a report after each step. Cumulative ones repeat the events told before, continued ones tell new
events only. The irradiation events decide, each counted once: whatever a later or fuller report repeats is replaced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from slipring_order.dose.report import DoseReport, Event

STUDY = "113014"  # scope of accumulation
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
EventKey = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class StudyDose:
    """The dose of one study from all its reports."""

    counted: tuple[DoseReport, ...]  # in the order they were written
    replaced: Mapping[str, str]  # SOP Instance UID -> that of the report that says it anew
    events: tuple[Event, ...]
    dlp_mgy_cm: Decimal | None


def one_study(reports: Iterable[DoseReport]) -> StudyDose:
    """What the reports of one study say together; the same report twice is one."""
    once = {report.sop_instance_uid: report for report in reports}
    ordered = sorted(once.values(), key=_when)
    replaced: dict[str, str] = {}
    for position, report in enumerate(ordered):
        newer = next((other for other in reversed(ordered) if _says_anew(other, report, ordered, position)), None)
        if newer is not None:
            replaced[report.sop_instance_uid] = newer.sop_instance_uid
    counted = tuple(report for report in ordered if report.sop_instance_uid not in replaced)
    events = {key: event for report in counted for key, event in keyed(report.events).items()}
    return StudyDose(counted, replaced, tuple(events.values()), _together(counted, events))


def studies(reports: Sequence[DoseReport]) -> list[StudyDose]:
    """Group reports by their study; one that names none is a study of its own."""
    found: dict[str, list[DoseReport]] = {}
    for report in reports:
        found.setdefault(report.study_uid or report.sop_instance_uid, []).append(report)
    return [one_study(group) for group in found.values()]


def keyed(events: Sequence[Event]) -> Mapping[EventKey, Event]:
    """Events by what identifies them: their UID, else all that is said of them and how often it was said before.

    A UID that two different events of one report carry identifies neither.
    """
    held: dict[str, set[EventKey]] = {}
    for event in events:
        held.setdefault(event.uid, set()).add(_described(event))
    seen: Counter[EventKey] = Counter()
    found: dict[EventKey, Event] = {}
    for event in events:
        named = bool(event.uid) and len(held[event.uid]) == 1
        key: EventKey = (event.uid,) if named else _described(event)
        if not named:
            seen[key] += 1
            key = (*key, seen[key])
        found[key] = event
    return found


def _described(event: Event) -> EventKey:
    began = event.started_at
    if began:  # a stored event keeps milliseconds
        began = began.replace(microsecond=began.microsecond // 1000 * 1000)
    return (began, event.acquisition_code, event.protocol, event.region_code, event.ctdi_vol_mgy,
            event.dlp_mgy_cm, event.length_mm)  # fmt: skip


def _says_anew(other: DoseReport, report: DoseReport, ordered: Sequence[DoseReport], position: int) -> bool:
    """Whether another report tells everything that this one tells; of two equal ones the later counts."""
    if other is report:
        return False
    later = ordered.index(other) > position
    mine, theirs = keyed(report.events).keys(), keyed(other.events).keys()
    if not mine:  # totals alone: a later total over the whole study holds the earlier one
        return later and other.scope == STUDY and _at_least(other, report)
    return mine < theirs or (later and mine == theirs)


def _at_least(other: DoseReport, report: DoseReport) -> bool:
    return (other.dlp_mgy_cm or Decimal(0)) >= (report.dlp_mgy_cm or Decimal(0))


def _together(counted: Sequence[DoseReport], events: Mapping[EventKey, Event]) -> Decimal | None:
    """The stated totals added, unless the reports share events: then each event once, and no less than is stated.

    A total of the whole study without events holds all that was written before it.
    """
    stated = [(report, report.dlp_mgy_cm) for report in counted if report.dlp_mgy_cm is not None]
    if sum(len(keyed(report.events)) for report in counted) > len(events):
        told = [event.dlp_mgy_cm for event in events.values() if event.dlp_mgy_cm is not None]
        return max([sum(told, Decimal(0)), *(total for _, total in stated)]) if told or stated else None
    together = Decimal(0)
    for report, total in stated:
        whole = report.scope == STUDY and not report.events
        together = max(together, total) if whole else together + total
    return together if len(stated) > 1 else next((total for _, total in stated), None)


def _when(report: DoseReport) -> tuple[datetime, datetime, int, str]:
    return (
        report.written_at or report.ended_at or _LONG_AGO,
        report.ended_at or _LONG_AGO,
        len(report.events),
        report.sop_instance_uid,
    )
